"""Does this quote support this sentence? Pure: text in, checks out; no clock, no files, no network.

Every check errs towards refusing: what cannot be matched is not said. The one exception is a sentence that repeats
its quote word for word: it stands, provided its document speaks of the subject and the cut did not leave a `not`
behind.

The walk: both texts are cleaned (`measures.clean`) and roles are written one way (`chief executive officer` ->
`CEO`), then read once into tokens, quantities and dates (`Reading`), and the checks compare readings.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from itertools import combinations, pairwise
from typing import Literal

import sentencex  # type: ignore[import-untyped]
import snowballstemmer
from pydantic import JsonValue

from agent.measures import (
    Quantity,
    When,
    clean,
    date_from_publication,
    dates,
    quantities,
    same_amount,
    same_date,
)
from agent.records import Check, Evidence

MAX_SENTENCE = 1500
"""Characters. A longer claim is not one checkable sentence; it may only stand word for word."""
MAX_QUOTE = 6000
"""Characters of a quote that are read. Words beyond support nothing, which errs towards refusing."""
MIN_RECALL = 0.8
"""Share of the sentence's content words that its quotes must hold. Up to four words that means all of them; from five
on one may be the writer's own. Measured with `tests.prove_citations` (3,129 corruptions): 9 survive at .6, 4 at .7, 3
at .75 and none from .8 on. Above .8 nothing more is caught, and the honest set, which keeps its quotes' words, cannot
show what a higher bar would cost, so the lowest safe one is taken."""
WINDOW = 1500
"""Characters around a quote in which the document may name the subject."""


@dataclass(frozen=True)
class Quoted:
    """One piece of evidence with the text it stands in."""

    evidence_id: str
    quote: str
    document_text: str
    start: int
    title: str = ""
    about: str = ""
    published_at: datetime | None = None
    dataset: str = ""
    field: str = ""


# --- words ------------------------------------------------------------------------------------------------------------

_STOP = frozenset(
    "a an the this that these those and or but nor so as at by for from in into of off on onto out over per to "
    "toward towards up "
    "upon via with within without about after before between through during since until under above below across "
    "against along "
    "among around than then there here it its itself they them their theirs he him his she her hers we us our ours "
    "you your yours "
    "i me my who whom whose which what where when why how is are was were be been being am has have had having do "
    "does did done "
    "not no n't can could may might must shall should will would also both each either such same very too just more "
    "most less "
    "few fewer many much any all some other another own only if while whereas although though because however "
    "meanwhile "
    "said say says saying told announce announces announced announcing report reports reported reporting according "
    "state states "
    "stated company companies firm business inc corp corporation ltd plc llc co group plan plans planned planning "
    "intend intends "
    "intended aim aims aimed aiming expect expects expected expecting likely currently now today new one s t re ve "
    "ll d "
    "include includes included including total overall approximately nearly roughly almost least compared versus "
    "earlier ended ending year years fiscal quarter".split()
)
_IRREGULAR = dict(
    pair.split(":")
    for pair in (
        "rose:rise risen:rise rises:rise grew:grow grown:grow fell:fall fallen:fall bought:buy sold:sell led:lead "
        "won:win lost:lose "
        "built:build ran:run held:hold made:make paid:pay spent:spend went:go gone:go began:begin begun:begin "
        "left:leave "
        "became:become chose:choose chosen:choose shrank:shrink shrunk:shrink sank:sink slid:slide sought:seek "
        "took:take "
        "taken:take gave:give given:give drove:drive driven:drive wrote:write written:write came:come kept:keep "
        "met:meet "
        "brought:bring taught:teach stood:stand stands:stand broke:break spoke:speak beat:beat beaten:beat cut:cut "
        "analyses:analysis losses:loss"
    ).split()
)
_SYNONYMS = {
    word: group.split()[0]
    for group in (
        "employee employees staff people workers worker headcount workforce employs employed employ",
        "customer customers client clients",
        "acquire acquires acquired acquiring acquisition buy buys buying purchase purchased purchases takeover",
        "headquarters headquartered headquarter hq based",
        "found founded founding founder established establish",
        "rise rises rising grow grows growing growth increase increases increased increasing climb climbs climbed "
        "gain gains "
        "gained",
        "fall falls falling decline declines declined declining decrease decreases decreased decreasing drop drops "
        "dropped",
        "appoint appoints appointed appointment named names name",
        "compete competes competing competitor competitors competition rival rivals",
        "job jobs position positions opening openings vacancy vacancies",
        "use uses used using",
        "offer offers offered offering offerings provide provides provided providing",
        "make makes making maker",
        "sell sells selling seller",
    )
    for word in group.split()
}
_stem = lru_cache(maxsize=20_000)(snowballstemmer.stemmer("english").stemWord)
_ROLE_WORDS = (
    (r"chief executive(?: officer)?s?|CEOs?", "CEO"),
    (r"chief financ(?:e|ial) officer|finance chief|CFO", "CFO"),
    (r"chief operat(?:ing|ions) officer|COO", "COO"),
    (r"chief techn(?:ology|ical) officer|CTO", "CTO"),
    (r"chief information security officer|CISO", "CISO"),
    (r"chief information officer|CIO", "CIO"),
    (r"chief marketing officer|CMO", "CMO"),
    (r"chief product officer|CPO", "CPO"),
    (r"chief revenue officer|CRO", "CRO"),
    (r"chief (?:people|human resources) officer|CHRO", "CHRO"),
    (r"chief data officer|CDO", "CDO"),
    (r"chief (?:legal) officer|CLO", "CLO"),
    (r"chief commercial officer|CCO", "CCO"),
    (r"chief accounting officer|CAO", "CAO"),
    (r"senior vice[ -]president|SVP", "SVP"),
    (r"executive vice[ -]president|EVP", "EVP"),
    (r"vice[ -]president|VP", "VP"),
    (r"chair(?:man|woman|person)", "chair"),
    (r"co-?founders?", "cofounder"),
)
_ROLE_SUBS = tuple((re.compile(rf"\b(?:{p})\b", re.I), r) for p, r in _ROLE_WORDS)
_ROLES = frozenset(r for _, r in _ROLE_WORDS)
_TITLES = frozenset("president founder director treasurer secretary chair chancellor".split())
_NOT_NAMES = _ROLES | frozenset(
    "I January February March April May June July August September October November December Monday Tuesday "
    "Wednesday Thursday "
    "Friday Saturday Sunday Inc Corp Corporation Company Co Ltd Limited LLC PLC AG SA NV SE GmbH LP LLP Mr Mrs Ms Dr "
    "Prof Sir FY "
    "Q1 Q2 Q3 Q4 H1 H2 USD EUR GBP President Chair Chairman Founder Director Chief Officer Head Vice Senior "
    "Board".split()
)
_LEGAL = frozenset(
    "inc incorporated corp corporation company co ltd limited llc plc ag sa nv se gmbh spa ab oyj kk lp llp pty bv "
    "sarl the "
    "s.a n.v s.p.a p.l.c l.p".split()
)
_COMPANYISH = frozenset(
    "electronics airlines airways air bank bancorp group holding holdings systems technologies technology motors "
    "motor foods energy "
    "pharma pharmaceuticals insurance financial capital industries records dental media labs laboratories software "
    "partners "
    "networks semiconductor semiconductors materials university computing robotics therapeutics biosciences "
    "solutions services "
    "international global brands stores logistics realty properties resources mining steel oil gas power petroleum "
    "chemical "
    "chemicals faucet force machines devices instruments entertainment studios pictures games ventures consulting "
    "advisors "
    "communications telecom wireless health healthcare medical hospitality hotels restaurants apparel aerospace "
    "defense".split()
)
_TOKEN = re.compile(r"[^\W_]+(?:[.'&@/+-][^\W_]+)*[+#]{0,2}")
_BREAK = re.compile(
    r"[;:!?](?=\s|$)|[.,](?=\s|$)|\s-\s|[()]|\b(?:while|whereas|but|although|though|and|which|who|versus|compared|"
    r"after|before|following|succeeding|replacing)\b|(?=\b(?:previously|formerly|instead of|rather than)\b)",
    re.I,
)
_STOP_MARK = re.compile(
    r"(?<!\b[A-Z])(?<!\bInc)(?<!\bCorp)(?<!\bCo)(?<!\bLtd)(?<!\bDr)(?<!\bMr)(?<!\bMs)[.!?]\s+(?=[\"'(]?[A-Z0-9])"
)


def _bare(word: str) -> str:
    return word[:-2] if word.lower().endswith("'s") else word.rstrip("'")


def _key(word: str) -> str:
    """The form under which two words count as the same content word."""
    low = _bare(word).lower()
    low = _IRREGULAR.get(low, low)
    return _SYNONYMS.get(low) or _stem(low)


@dataclass(frozen=True)
class Token:
    """A word with its place."""

    text: str
    low: str
    key: str
    start: int
    end: int
    initial: bool

    @property
    def capital(self) -> bool:
        """Whether it is written like a name: an upper-case letter somewhere."""
        return any(c.isupper() for c in self.text)


@dataclass(frozen=True)
class Reading:
    """A text, read once."""

    text: str
    tokens: tuple[Token, ...]
    numbers: tuple[Quantity, ...]
    dates: tuple[When, ...]

    @property
    def keys(self) -> frozenset[str]:
        """Every word's comparable form."""
        return frozenset(t.key for t in self.tokens)


@lru_cache(maxsize=256)
def read(text: str) -> Reading:
    """Clean the text, write roles one way, and find its words, quantities and dates."""
    plain = clean(text[: MAX_QUOTE * 2])[:MAX_QUOTE]
    for pattern, role in _ROLE_SUBS:
        plain = pattern.sub(role, plain)
    tokens = []
    for match in _TOKEN.finditer(plain):
        word = _bare(match.group())
        before = (
            plain[: match.start()].rstrip(" \"'([*-") if match.start() < 4 else plain[match.start() - 4 : match.start()]
        )
        initial = not before.strip(" \"'([*-") or before.rstrip(" \"'([").endswith((".", "!", "?", ":", ";", "*", " -"))
        tokens.append(Token(word, word.lower(), _key(word), match.start(), match.start() + len(word), initial))
    return Reading(plain, tuple(tokens), quantities(plain), dates(plain))


def _inside(token: Token, spans: Iterable[tuple[int, int]]) -> bool:
    return any(a <= token.start < b for a, b in spans)


def _spans(reading: Reading) -> list[tuple[int, int]]:
    return [(q.start, q.end) for q in reading.numbers] + [(d.start, d.end) for d in reading.dates]


def _content(reading: Reading, drop: frozenset[str] = frozenset()) -> list[Token]:
    """Words that carry meaning: no stop words, numbers, dates, nor the names in `drop`."""
    spans = _spans(reading)
    return [
        t
        for t in reading.tokens
        if t.low not in _STOP and t.low not in drop and len(t.low) > 1 and not _inside(t, spans)
    ]


# --- names ------------------------------------------------------------------------------------------------------------


def core(name: str) -> tuple[str, ...]:
    """A company name without legal suffixes and brackets, as lower-case tokens."""
    words = [_bare(m.group()).lower() for m in _TOKEN.finditer(clean(re.sub(r"\([^()]{0,80}\)", " ", name[:300])))]
    kept = [w for w in words if w not in _LEGAL]
    return tuple(kept or words)


def _cores(names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted({c for n in names if (c := core(n))}, key=lambda c: (-len(c), c)))


@dataclass(frozen=True)
class Mention:
    """Where a text speaks of a company, under which of its names, or of a namesake (`rival`)."""

    name: tuple[str, ...]
    start: int
    end: int
    rival: tuple[str, ...] = ()


def _headline(reading: Reading) -> bool:
    long = [t for t in reading.tokens if len(t.text) > 3]
    return len(long) > 2 and sum(t.text[0].isupper() for t in long) > 0.6 * len(long)


def mentions(reading: Reading, names: Sequence[str]) -> list[Mention]:
    """Every place where one of `names` stands on token boundaries; a longer name (`Delta Electronics`) is marked a
    rival.
    """
    cores = _cores(names)
    tokens, headline = reading.tokens, _headline(reading)
    cased = {c for n in names for c in [core(n)] if n[:1].isupper()}
    short = {c for c in cores if any(len(o) > len(c) and o[: len(c)] == c for o in cores)}
    found: list[Mention] = []
    i = 0
    while i < len(tokens):
        hit = next((c for c in cores if tuple(t.low for t in tokens[i : i + len(c)]) == c), None)
        if hit is None or (hit in cased and not tokens[i].capital):
            i += 1
            continue
        j = i + len(hit)
        while j < len(tokens) and tokens[j].low in _LEGAL and tokens[j].low != "the":
            j += 1
        found.append(_mention(reading, hit, i, j, hit in short, headline))
        i = j
    return found


def _mention(reading: Reading, hit: tuple[str, ...], i: int, j: int, short: bool, headline: bool) -> Mention:
    tokens = reading.tokens
    following = tokens[j] if j < len(tokens) else None
    adjacent = following is not None and reading.text[tokens[j - 1].end : following.start] in (" ", "-", " & ")
    rival: tuple[str, ...] = ()
    if following and adjacent and following.capital and following.text not in _NOT_NAMES:
        foreign = following.low in _COMPANYISH or (short and not headline and following.low not in _STOP)
        rival = (*hit, following.low) if foreign else ()
    before = tokens[i - 1] if i else None
    if before and not rival and not headline and len(hit) == 1 and not before.initial and before.text[0].isupper():
        named = (
            before.text not in _NOT_NAMES and before.low not in _STOP and before.text.isalpha() and len(before.text) > 2
        )
        if named and reading.text[before.end : tokens[i].start] in (" ", "-", " & "):
            rival = (before.low, *hit)
    return Mention(hit, tokens[i].start, tokens[j - 1].end, rival)


def _speaks_of(quoted: Quoted, names: Sequence[str]) -> str:
    """Why the quote's document is not about the subject; empty when it is."""
    cores = _cores(names)
    if not cores:
        return ""
    about = core(quoted.about)
    here = mentions(read(quoted.quote), names)
    clear = [m for m in here if not m.rival]
    if about:
        if about in cores:
            return ""
        strong = [m for m in clear if about[: len(m.name)] != m.name]
        return "" if strong else f"the document is about {quoted.about}, not {names[0]}"
    at = quoted.document_text.find(quoted.quote) if quoted.quote else -1
    start = quoted.start if quoted.document_text.startswith(quoted.quote, max(0, quoted.start)) else max(0, at)
    around = quoted.document_text[max(0, start - WINDOW) : max(0, start) + len(quoted.quote[:MAX_QUOTE]) + WINDOW]
    near = [*here, *mentions(read(quoted.title), names), *mentions(read(around), names)]
    near += mentions(read(quoted.document_text[:WINDOW]), names)
    rivals = [m.rival for m in near if m.rival]
    strong = [m for m in near if not m.rival and not any(r[: len(m.name)] == m.name for r in rivals)]
    if strong or (clear and not rivals):
        return ""
    if rivals:
        return f"the document speaks of {' '.join(rivals[0]).title()}, not {names[0]}"
    return f"the document does not name {names[0]}"


_COMMON_OPENER = re.compile(r"(?:ed|ing|ly|tion|ment|ness|ance|ence|ers|ity)$")
_OPENERS = frozenset(
    "revenue revenues sales profit income growth demand headcount customers clients employees management executives "
    "investors "
    "shareholders founders leaders analysts users products shares cash net gross operating adjusted annual quarterly "
    "total most "
    "people staff margins costs prices hiring its our their core key main headquarters subscription cloud data "
    "product products "
    "services software open lead ask show start use offer position pitch focus mention bring tie point stress pair "
    "frame "
    "recommend suggest send share raise given because since both every team teams jobs roles plans partners pricing "
    "risk risks "
    "bookings backlog guidance gross marketing engineering competition competitors rivals priorities challenges "
    "strategy news "
    "industry legal domain founded summary".split()
)


def _name_runs(reading: Reading, known: frozenset[str]) -> list[list[Token]]:
    """Runs of adjacent capitalised words that are names; words of `known` names and roles end a run."""
    runs: list[list[Token]] = []
    spans = _spans(reading)
    previous: Token | None = None
    for t in reading.tokens:
        named = t.capital and t.text not in _NOT_NAMES and t.low not in known and not _inside(t, spans)
        named = named and not (t.low in _STOP and t.text != t.text.upper()) and not t.text.replace("'", "").isdigit()
        if named and previous and reading.text[previous.end : t.start] in (" ", ". ", " & "):
            runs[-1].append(t)
        elif named:
            runs.append([t])
        previous = t if named else None
    return runs


def _unknown_name(sentence: Reading, sources: Sequence[Reading], known: frozenset[str]) -> str:
    """The first proper name of the sentence that no source holds; empty when all are known."""
    lows = [tuple(t.low for t in s.tokens) for s in sources]
    joined = ["\x00" + "\x00".join(words) + "\x00" for words in lows]
    alone = {t.low for s in sources for r in _name_runs(s, known) if len(r) == 1 for t in r}
    vocabulary = {w for words in lows for w in words}

    def contiguous(words: Sequence[str]) -> bool:
        needle = "\x00" + "\x00".join(words) + "\x00"
        return any(needle in text for text in joined)

    for run in _name_runs(sentence, known):
        words = [t.low for t in run]
        if run[0].initial and len(run) == 1 and _common_opener(sentence, run[0], vocabulary):
            continue
        i = 0
        while i < len(words):
            j = next((j for j in range(len(words), i, -1) if contiguous(words[i:j])), i)
            lone = (
                j == i + 1
                and len(words) > 1
                and words[i] not in alone
                and not (run[i].initial and run[i].low in _OPENERS)
            )
            if j == i and run[i].initial and _common_opener(sentence, run[i], vocabulary):
                i += 1
                continue
            middle = j == i + 1 and len(words[i]) == 1
            if (j == i or lone) and not middle and not _spread(words, lows):
                return " ".join(t.text for t in run)
            i = max(j, i + 1)
    return ""


def _spread(words: Sequence[str], lows: Sequence[tuple[str, ...]]) -> bool:
    """Whether the words stand in order with at most two words between (a middle name, `& Co`)."""
    for text in lows:
        for i, word in enumerate(text):
            if word == words[0]:
                at = i
                for wanted in words[1:]:
                    window = text[at + 1 : at + 3]
                    if wanted not in window or any(len(w) > 2 for w in window[: window.index(wanted)]):
                        break
                    at += 1 + window.index(wanted)
                else:
                    return True
    return False


def _common_opener(sentence: Reading, token: Token, vocabulary: set[str]) -> bool:
    """Whether a capital at the start of a sentence is only that: an ordinary word."""
    if token.text[1:] != token.text[1:].lower() or any(c.isdigit() for c in token.text):
        return False
    if sentence.text[token.end : token.end + 2] == "'s" and token.low not in vocabulary:
        return False
    return token.low in _OPENERS or token.low in vocabulary or bool(_COMMON_OPENER.search(token.low))


_ACTS = re.compile(
    r"(?:has|had|have|is|was|were|are|will|did|does|reported|posted|generated|recorded|employs|employed|serves|served|"
    r"raised|grew|"
    r"rose|fell|plans|expects|hired|cut|launched|acquired|bought|sold|uses|runs|operates|offers|makes|counts|won|"
    r"opened|closed|"
    r"announced|appointed|named|competes|signed|added|laid|earned|lost|spent|invested|partnered|migrated|agreed|[a-z]{2,}ed)\b"
)
_WE = frozenset("we our us ours it its itself they their he she his her".split())
_THE_COMPANY = re.compile(
    r"\b(?:the|this) (?:\w+ )?(?:company|firm|group|bank|retailer|maker|startup|business|vendor|provider|airline|"
    r"carrier)\b",
    re.I,
)


def _foreign_actor(sentence: Reading, quote: Reading, names: Sequence[str], known: frozenset[str]) -> str:
    """Who, in the part of the quote the sentence rests on, does what the sentence says of the subject; empty if
    nobody else.
    """
    if not mentions(sentence, names) or _other_actor(sentence, quote, names, known):
        return ""
    mine = {t.low for t in sentence.tokens}
    spots = [m.start for m in mentions(quote, names) if not m.rival]
    best = _best_sentences(quote, _wanted(sentence, known), known)
    for run in _name_runs(quote, known):
        end = run[-1].end
        rest = quote.text[end : end + 24]
        ordinary = (
            run[0].initial and len(run) == 1 and bool(run[0].low in _OPENERS or _COMMON_OPENER.search(run[0].low))
        )
        acts = (rest[:1] == " " and _ACTS.match(rest[1:])) or rest.startswith("'s ")
        follower = next((t for t in quote.tokens if t.start == end + 1), None)
        acts = acts or (follower is not None and follower.key in _METRICS)
        span = next(((a, b) for a, b in best if a <= run[0].start < b), None)
        foreign = span and acts and not ordinary and not any(t.low in mine for t in run)
        if foreign and span and not _nearer(quote, sentence, end, spots, span[1], known):
            return " ".join(t.text for t in run)
    return ""


def _other_actor(sentence: Reading, quote: Reading, names: Sequence[str], known: frozenset[str]) -> bool:
    """Whether the sentence itself speaks first of another who stands in the quote; then other checks pair them."""
    spots = [m.start for m in mentions(sentence, names)]
    lows = {t.low for t in quote.tokens}
    roles = bool(_ROLE.search(sentence.text))
    runs = [run for run in _name_runs(sentence, known) if all(t.low in lows for t in run)]
    return any(run[0].start < min(spots) or (roles and len(run) > 1) for run in runs)


def _wanted(sentence: Reading, known: frozenset[str]) -> set[str]:
    """What the sentence rests on: its content words and figures, without the subject's names and without direction
    words.
    """
    figures = {str(q.value.normalize()) for q in sentence.numbers} | {d.text.lower() for d in sentence.dates}
    return {t.key for t in _content(sentence, known)} - _DIRECTIONS | figures


def _nearer(
    quote: Reading, sentence: Reading, actor_end: int, spots: Sequence[int], limit: int, known: frozenset[str]
) -> bool:
    """Whether every matched quantity or word of the sentence stands nearer to the subject than behind the other
    actor.
    """
    values = {abs(q.value) for q in sentence.numbers}
    at = [q.start for q in quote.numbers if abs(q.value) in values and q.start < limit]
    if not at:
        keys = {t.key for t in _content(sentence, known)}
        at = [t.start for t in _content(quote, known) if t.key in keys and t.start < limit]
    pronouns = [t.start for t in quote.tokens if t.low in _WE] + [m.start() for m in _THE_COMPANY.finditer(quote.text)]
    marks = [*spots, *(p for p in pronouns if p > actor_end and spots)]
    behind = [p for p in at if p > actor_end]
    return not behind or all(any(actor_end < s < p for s in marks) for p in behind)


def _best_sentences(quote: Reading, wanted: set[str], known: frozenset[str]) -> list[tuple[int, int]]:
    """The sentences of the quote that hold most of the wanted words and numbers; several when they tie."""
    bounds = [0, *(m.end() for m in _STOP_MARK.finditer(quote.text)), len(quote.text)]
    scored = [(len(wanted & _held(quote, a, b, known)), (a, b)) for a, b in pairwise(bounds)]
    best = max((n for n, _ in scored), default=0)
    return [span for n, span in scored if n == best]


def _held(quote: Reading, a: int, b: int, known: frozenset[str]) -> set[str]:
    """The content words and figures of a stretch of the quote, in the form of `_wanted`."""
    held = {t.key for t in _content(quote, known) if a <= t.start < b}
    held |= {str(q.value.normalize()) for q in quote.numbers if a <= q.start < b}
    return held | {d.text.lower() for d in quote.dates if a <= d.start < b}


def _cover(sentence: Reading, quote: Reading, known: frozenset[str]) -> list[tuple[str, str]]:
    """For each sentence of the quote that answers best: (the clauses the claim rests on, the whole sentence)."""
    wanted = _wanted(sentence, known)
    out = []
    for a, b in _best_sentences(quote, wanted, known):
        cuts = [a, *(m.end() for m in _BREAK.finditer(quote.text, a, b)), b]
        clauses = [(x, y) for x, y in pairwise(cuts) if y > x][:60]
        held = [_held(quote, x, y, known) for x, y in clauses]
        # `the inquiry, which it opened` speaks of the inquiry, not of what was done to it
        for i in range(1, len(clauses)):
            if re.search(r"\b(?:which|who)\W*$", quote.text[a : clauses[i][0]]):
                held[i] |= {
                    t.key for t in quote.tokens if t.end <= clauses[i][0] and t.low not in _STOP and t.start >= a
                } & {t.key for t in [t for t in quote.tokens if t.end <= clauses[i][0] and t.low not in _STOP][-1:]}
        missing, chosen = set(wanted), set[int]()
        while missing:
            best = max(range(len(clauses)), key=lambda i: len(missing & held[i]), default=-1)
            if best < 0 or not missing & held[best]:
                break
            chosen.add(best)
            missing -= held[best]
        parts = [_carried(quote.text, clauses, i) for i in sorted(chosen)]
        out.append((" | ".join(parts), quote.text[a:b]))
    return out


_OPEN_CUE = re.compile(
    r"\b(?:not|n't|never|will|may|might|could|would|to|that|plans?|expects?|denie[sd]|intends?|former|no)\W*$", re.I
)
_VERB_PHRASE = re.compile(
    r"(?:plan\w*|intend\w*|aim\w*|expect\w*|agreed?|will|may|might|could|would|never|not|n't|propos\w+) (?:to |be )?",
    re.I,
)
_NEW_SUBJECT = re.compile(
    r"\s*(?:it|its|the|they|their|we|our|he|she|has|have|had|is|are|was|were|also|now|already|will|would|may|might|"
    r"can|could|[a-z]+ed|[a-z]+s|rose|fell|grew"
    r"|won|lost|sold|bought|led|made|spent|[A-Z]\S*)\b"
)


def _carried(text: str, clauses: Sequence[tuple[int, int]], i: int) -> str:
    """A clause with what governs it from before: `did not, in 2020, buy`; `plans to open a plant and hire 200`."""
    x, y = clauses[i]
    out = text[x:y]
    for j in range(i - 1, max(-1, i - 4), -1):
        a, b = clauses[j]
        link = text[a:b]
        coordinated = re.search(r"\b(?:and|or)\s*$|,\s*$", link) and _VERB_PHRASE.search(link)
        bare = not _NEW_SUBJECT.match(text[x:y])
        if _OPEN_CUE.search(link.rstrip(" ,;(")) or (coordinated and bare):
            return link + out
        if not re.search(r"(?:,|\band)\s*$", link):
            break
    return out


# --- who holds which role ---------------------------------------------------------------------------------------------

_ROLE = re.compile(
    r"\b(?P<kind>(?:former|ex|interim|acting|deputy|incoming|outgoing|previous|then|next|assistant|associate|vice|"
    r"co)[ -])?"
    r"(?P<role>CEO|CFO|COO|CTO|CISO|CIO|CMO|CPO|CRO|CHRO|CDO|CLO|CCO|CAO|SVP|EVP|VP|cofounder|founder|president|chair|"
    r"director"
    r"|treasurer|secretary|general counsel|managing director|head|chancellor)s?\b"
    r"(?: (?:of|at|for) (?:the )?(?P<of>[\w&.-]{1,40}))?",
    re.I,
)
_FUNCTIONAL = frozenset("vp svp evp head director managing".split())
_STRONG = re.compile(
    r"\s*[(:-]?\s*|[^.;]{0,40}\b(?:is|are|was|as|became|named|appointed|serves|served|been|promoted|remains|"
    r"elected)\b[^.;]{0,40}"
)
_MEDIUM = re.compile(r",[^,.;()]{0,40}")


@dataclass(frozen=True)
class Held:
    """A person (last name) with a role, as a text states it."""

    person: str
    kind: str
    role: str
    of: str


def _gap(text: str) -> int:
    """How firmly the words between two items tie a person to a role."""
    if len(text) > 90 or re.search(r"[;]|\band\s*$|\band (?:the )?$|\.\s", text):
        return 0
    return 3 if _STRONG.fullmatch(text) else 2 if _MEDIUM.fullmatch(text) else 1 if len(text) < 25 else 0


def _people_and_roles(reading: Reading, known: frozenset[str]) -> list[tuple[int, int, str, re.Match[str] | None]]:
    """Persons and roles in the order of the text: (start, end, last name, role match or None)."""
    items: list[tuple[int, int, str, re.Match[str] | None]] = []
    for m in list(_ROLE.finditer(reading.text))[:40]:
        items.append((m.start(), m.end("role"), "", m))
    for run in _name_runs(reading, known)[:60]:
        words = [t for t in run if t.low not in _TITLES]
        if len(words) >= 2 and all(t.text[0].isupper() and not any(c.isdigit() for c in t.text) for t in words):
            items.append((words[0].start, words[-1].end, words[-1].low, None))
    return sorted(items, key=lambda i: i[0])


def _roles_held(reading: Reading, known: frozenset[str]) -> set[Held]:
    """Which person holds which role, by nearness, apposition and verbs."""
    groups: list[list[tuple[int, int, str, re.Match[str] | None]]] = []
    for item in _people_and_roles(reading, known):
        if groups and (groups[-1][-1][3] is None) == (item[3] is None):
            between = reading.text[groups[-1][-1][1] : item[0]]
            if re.fullmatch(r",?\s*(?:and|&|/|,)?\s*(?:the |its |as )?(?:of [\w ]{0,20}and )?", between):
                groups[-1].append(item)
                continue
        groups.append([item])
    held: set[Held] = set()
    i = 0
    while i + 1 < len(groups):
        a, b = groups[i], groups[i + 1]
        here = _between(reading, a, b)
        after = _between(reading, b, groups[i + 2]) if i + 2 < len(groups) else 0
        if here and here >= after:
            held |= _tie(a, b)
            i += 2
        else:
            i += 1
    return held | _succession(reading, known)


def _between(
    reading: Reading,
    a: list[tuple[int, int, str, re.Match[str] | None]],
    b: list[tuple[int, int, str, re.Match[str] | None]],
) -> int:
    return _gap(reading.text[a[-1][1] : b[0][0]]) if (a[0][3] is None) != (b[0][3] is None) else 0


def _tie(
    a: list[tuple[int, int, str, re.Match[str] | None]], b: list[tuple[int, int, str, re.Match[str] | None]]
) -> set[Held]:
    people, roles = (a, b) if a[0][3] is None else (b, a)
    return {_held_by(p[2], r[3]) for p in people for r in roles if r[3] is not None}


def _held_by(person: str, m: re.Match[str]) -> Held:
    kind = (m["kind"] or "").lower().strip(" -")
    return Held(
        person, "former" if kind in ("ex", "previous") else kind, m["role"].lower(), (m["of"] or "").rstrip(".")
    )


def _succession(reading: Reading, known: frozenset[str]) -> set[Held]:
    """`Ann Lee succeeded Bob Ray as CEO`: Lee holds it now."""
    out: set[Held] = set()
    items = _people_and_roles(reading, known)
    for a, b, c in zip(items, items[1:], items[2:], strict=False):
        link = reading.text[a[1] : b[0]]
        if a[3] is None and b[3] is None and c[3] is not None and re.search(r"\b(?:succe|replac)\w+", link):
            out.add(_held_by((b if re.search(r"\bby\b", link) else a)[2], c[3]))
    return out


def _role_conflict(sentence: Reading, quotes: Sequence[Reading], known: frozenset[str], names: Sequence[str]) -> str:
    """The first person whose role in the sentence is not the one the quotes give; empty when they agree."""
    said = _roles_held(sentence, known)
    source = {h for q in quotes for h in _roles_held(q, known)}
    ours = {w for c in _cores(names) for w in c}
    for h in sorted(said, key=repr):
        same = [s for s in source if s.person == h.person]
        match = [s for s in same if s.role == h.role and s.kind == h.kind and _same_function(h, s)]
        if same and not match:
            other = same[0]
            told = " ".join(w for w in (other.kind, other.role) if w)
            wanted = " ".join(w for w in (h.kind, h.role) if w)
            return f"the quote has {h.person.title()} as {told}, not {wanted}"
        others = [s for s in source if s.role == h.role and s.person != h.person]
        if not same and others:
            return f"the quote has {others[0].person.title()} as {h.role}, not {h.person.title()}"
        for s in match:
            of = s.of.lower()
            if s.role not in _FUNCTIONAL and s.of[:1].isupper() and of not in ours and h.of.lower() != of:
                return f"in the quote {h.person.title()} is {s.role} of {s.of}"
    return ""


def _same_function(a: Held, b: Held) -> bool:
    return a.role not in _FUNCTIONAL or not a.of or not b.of or _key(a.of) == _key(b.of)


# --- direction --------------------------------------------------------------------------------------------------------

_SYMMETRIC = {
    _key(w)
    for w in "partner partnership merge merger compete collaborate team agreement joint work integrate deal "
    "talk".split()
}
_OPPOSITES = tuple(
    (frozenset(_key(w) for w in a.split()), frozenset(_key(w) for w in b.split()))
    for a, b in (
        (
            "rise grow increase climb jump surge expand up higher improve accelerate soar more widen double triple",
            "fall decline "
            "decrease drop shrink down lower slump worsen slow contract less fewer reduce plunge narrow halve slip",
        ),
        ("profit gain", "loss"),
        ("hire recruit", "fire dismiss layoff lay"),
        ("open", "close shut"),
        ("launch introduce", "discontinue retire"),
        ("win", "lose"),
        ("buy acquire", "sell divest"),
        ("join", "leave"),
        ("start begin", "stop end cease"),
        ("before", "after"),
        ("largest biggest", "smallest"),
        ("public", "private"),
        ("majority", "minority"),
        ("best", "worst"),
        ("highest", "lowest"),
        ("upgrade", "downgrade"),
        ("domestic", "international"),
        ("import", "export"),
        ("customer", "supplier competitor vendor"),
        ("parent", "subsidiary"),
        ("gross", "net"),
        ("appoint", "resign dismiss"),
        ("above over", "below under"),
        ("add", "remove cut"),
        ("exceed beat", "miss"),
        ("raise", "cut lower"),
        ("accept approve", "reject"),
        ("enter", "exit leave"),
        ("first", "last"),
        ("quarterly", "annual yearly monthly"),
        ("success", "failure"),
        ("strong", "weak"),
        ("cheap", "expensive"),
        ("faster", "slower"),
        ("inbound", "outbound"),
        ("permanent", "temporary"),
        ("profitable", "unprofitable"),
        ("supports", "opposes"),
    )
)
_DIRECTIONS = frozenset().union(*(x for pair in _OPPOSITES[:1] for x in pair))


def _opposite(sentence: Reading, clause: str) -> str:
    """A word of the sentence whose opposite stands in the clause it rests on."""
    mine, theirs = sentence.keys, read(clause).keys
    said, told = [t.key for t in sentence.tokens], [t.key for t in read(clause).tokens]
    for a, b in _OPPOSITES:
        for x, y in ((a, b), (b, a)):
            if not (mine & x and theirs & y):
                continue
            counts = [sum(k in side for k in keys) for side in (x, y) for keys in (said, told)]
            if counts[0] > counts[1] and counts[3] > counts[2]:
                word = next(t.text for t in sentence.tokens if t.key in x)
                against = next(t.text for t in read(clause).tokens if t.key in y)
                return f"the sentence says {word!r} where the quote says {against!r}"
    for word in sorted(mine - theirs):
        plain = re.sub(r"^(?:un|non|dis)-?", "", word)
        if plain != word and len(plain) > 4 and plain in theirs:
            return f"the quote says {plain!r}, not {word!r}"
    for word in sorted(theirs - mine):
        plain = re.sub(r"^(?:un|non|dis)-?", "", word)
        if plain != word and len(plain) > 4 and plain in mine:
            return f"the quote says {word!r}, not {plain!r}"
    return ""


def _actors(reading: Reading, names: Sequence[str], known: frozenset[str], ours: bool) -> list[tuple[int, int, str]]:
    """Names in order, the subject under any of its names as one; in a quote `we` and `the company` are the subject
    too.
    """
    found = [(m.start, m.end, "\x00") for m in mentions(reading, names) if not m.rival]
    found += [(r[0].start, r[-1].end, r[-1].low) for r in _name_runs(reading, known)]
    if ours:
        found += [(t.start, t.end, "\x00") for t in reading.tokens if t.low in ("we", "us")]
        found += [(m.start(), m.end(), "\x00") for m in _THE_COMPANY.finditer(reading.text)]
    return sorted(found)[:24]


_BY = re.compile(r"\bby (?:[\w.&'-]+ ){0,3}$")
_PASSIVE = re.compile(r"\b(?:was|were|is|are|been|being|be|get|got) (?:\w+ly )?\w+(?:ed|ght|ld|en|wn)\b")


def _relations(actors: Sequence[tuple[int, int, str]], reading: Reading) -> list[tuple[str, str, frozenset[str], bool]]:
    """(first, second, the words between, whether the second is the doer) for names up to three apart."""
    out = []
    for i, a in enumerate(actors):
        for b in actors[i + 1 : i + 4]:
            if a[2] == b[2] or b[0] - a[1] > 160 or a[1] > b[0]:
                continue
            words = frozenset(t.key for t in _content(reading) if a[1] <= t.start < b[0]) - _SYMMETRIC
            words |= {t.key for t in reading.tokens if a[1] <= t.start < b[0] and t.low == "reports"}
            words -= {r.lower() for r in _ROLES}
            link = reading.text[a[1] : b[0]]
            doer = bool(_BY.search(link))
            if not doer and _PASSIVE.search(link):
                continue  # `was appointed at`: the text does not say by whom
            out.append((a[2], b[2], words, doer))
    return out


def _swapped(sentence: Reading, quotes: Sequence[Reading], names: Sequence[str], known: frozenset[str]) -> str:
    """Two names whose parts are exchanged (`A bought B` for `B bought A`)."""
    for a, _, name in _actors(sentence, names, known, ours=False):
        places = [(q.text, x) for q in quotes for x, _, n in _actors(q, names, known, ours=True) if n == name]
        if places and all(_other_end(sentence.text, a, text, x) for text, x in places):
            return f"the quote has {name.title()} at the other end of the move"
    said = _relations(_actors(sentence, names, known, ours=False), sentence)
    source = [r for q in quotes for r in _relations(_actors(q, names, known, ours=True), q)]
    for first, second, words, doer in said:
        shared = [r for r in source if {r[0], r[1]} == {first, second} and words & r[2]]
        agree = [r for r in shared if (r[0] == first) == (r[3] == doer)]
        if shared and not agree:
            shown = [names[0] if n == "\x00" and names else n.title() for n in (first, second)]
            return f"the quote has {shown[0]} and {shown[1]} the other way round"
    return ""


# --- polarity ---------------------------------------------------------------------------------------------------------

_CUES = {
    "negation": re.compile(
        r"\bnot\b(?! only)|n't\b|\bcannot\b|\bnever\b|\b[Nn]o\b(?! (?:longer|less|fewer|more)\b|\. ?\d| \d)|\bnone\b|"
        r"\bneither\b|\bnor\b|\bwithout\b"
        r"|\bfail(?:s|ed|ing)? to\b|\bunable to\b|\b(?:refus|declin)(?:es|ed|ing|e)? to\b|\black(?:s|ed)?\b|"
        r"\bcancel\w*|\babandon\w*"
        r"|\bscrapp\w*|\bcalled off\b|\bruled? out\b|\brejected\b|\bstop(?:s|ped)? \w+ing\b|\bceased?\b|\binstead "
        r"of\b|\brather than\b|\bunlikely\b|\bhardly\b|\bdidnt\b|\bwont\b"
    ),
    "denial": re.compile(r"\b(?:den(?:y|ies|ied|ying)|disput(?:e|es|ed)|refut\w+|falsely|untrue|false)\b", re.I),
    "possibility": re.compile(
        r"\b(?:may(?! \d)|might|could|perhaps|possibl[ey]|potential(?:ly)?|is considering|are considering|considers|"
        r"consider|considering|"
        r"explor(?:es|ing)|weighs|weighing|in (?:early |advanced )?(?:talks|discussions)|evaluating|mulls|mulling)\b"
    ),
    "future": re.compile(r"(?<![Yy]ou )\bwill\b(?! [A-Z])|\bshall\b|(?<![Yy]ou)'ll\b|\bwould\b|\bgoing to\b"),
    "plan": re.compile(
        r"\bplan(?:s|ned|ning)?(?: \w+)? to\b|\bplanned\b|\bplans (?:for|a|an)\b|\bintend(?:s|ed|ing)?\b|"
        r"\bintention\b|\baim(?:s|ed|ing)? to\b"
        r"|(?<!than )\bexpect(?:s|ed|ing|ations?)?\b|\banticipat\w+|\bforecast\w*|\bproject(?:s|ed) (?:to|that|"
        r"revenue|sales)\b|\bseek(?:s|ing)? to\b"
        r"|\bsought to\b|\bpropos(?:es|ed|al|ing)\b|\bguidance\b|\bset to\b|\bslated\b|\bscheduled\b|\bpoised to\b|"
        r"\bdue to [a-z]+e\b"
        r"|\bagree(?:s|d|ment)? to\b|\bletter of intent\b|\bhopes? to\b|\bwants? to\b|\bon track to\b|\bcommit(?:s|"
        r"ted) to\b"
        r"|\btarget(?:s|ing) (?:a|an|\$|\d)|^(?:[A-Z][\w.&'-]* ){1,4}to [a-z]{3,}\b"
    ),
    "hearsay": re.compile(
        r"\b(?:reportedly|alleged(?:ly)?|allegations?|rumou?r(?:s|ed)?|speculat\w+|people familiar|sources (?:say|"
        r"said)|believed to|"
        r"said to (?:be|have)|claims? that|unconfirmed|purported(?:ly)?)\b",
        re.I,
    ),
    "former": re.compile(
        r"\bformer(?:ly)?\b|\bex-\w|\bpreviously\b(?! (?:announced|disclosed|reported))|\bprevious (?!quarter|year|"
        r"month|period|week)"
        r"|\bno longer\b|\buntil\b|\bused to\b|\berstwhile\b|\boutgoing\b|\bresign\w*|\bstepped down\b|\bstep(?:s|"
        r"ping)? down\b|\bdeparted\b"
        r"|\bonetime\b|\bretired\b|\bthen-[A-Z]",
        re.I,
    ),
    "temporary": re.compile(
        r"\b(?:interim|temporar(?:y|ily)|acting (?=[A-Z]{2,}|president|chair|head|director|general))", re.I
    ),
    "incoming": re.compile(r"\b(?:incoming|designate|-elect|elect)\b", re.I),
    "condition": re.compile(r"\b(?:if|unless|subject to|contingent|provided that|pending|assuming)\b", re.I),
    "part": re.compile(
        r"\b(?:one|some|part) of (?:the|its|their|our)\b|\bamong (?:the|its)\b|\bpartial(?:ly)?\b", re.I
    ),
    "past": re.compile(
        r"\b(?:was|were|served as|serving as|had been|worked as)\s+"
        r"(?!(?:formerly|previously)\b)(?!(?:\w+ly )?(?:appointed|named|elected|promoted|hired|made)\b)"
        r"(?:(?:the|a|an|its|our|their)\s)?(?:[\w'&.-]+\s){0,2}?"
        rf"(?:{'|'.join(sorted(_ROLES))}|president|chair|director|head|customer|partner|subsidiary|leader)\b"
    ),
}
_WHOLE_SENTENCE = ("denial", "hearsay", "condition")
_SAID = {
    "negation": "a negation",
    "denial": "a denial",
    "possibility": "a possibility",
    "future": "the future",
    "plan": "a plan",
    "hearsay": "hearsay",
    "former": "something former",
    "temporary": "something temporary",
    "incoming": "something to come",
    "condition": "a condition",
    "part": "one among several",
    "past": "something past",
}


def _cues(text: str) -> set[str]:
    return {name for name, cue in _CUES.items() if cue.search(text)}


def _polarity_conflict(sentence: Reading, clauses: str, whole: str) -> str:
    """What the sentence states more or less firmly than the part of the quote it rests on."""
    mine = _cues(sentence.text)
    theirs = {c for c in _cues(clauses) if c not in _WHOLE_SENTENCE} | {c for c in _cues(whole) if c in _WHOLE_SENTENCE}
    if (
        "plan" in mine and "future" in theirs and "future" not in mine
    ):  # `will open` told as `plans to open` claims less, not more
        theirs = (theirs - {"future"}) | {"plan"}
    if "plan" in mine and "plan" in theirs:
        mine, theirs = mine - {"future"}, theirs - {"future"}
    for cue in _CUES:
        if cue in theirs and cue not in mine:
            return f"the quote states {_SAID[cue]}; the sentence does not"
        if cue in mine and cue not in theirs:
            return f"the sentence states {_SAID[cue]}; the quote does not"
    return ""


def _cut_off(quoted: Quoted, text: str) -> str:
    """A negation, plan or the like that the cut of the quote left behind, in the words right before it."""
    if not quoted.document_text.startswith(quoted.quote, max(0, quoted.start)):
        start = quoted.document_text.find(quoted.quote)
    else:
        start = max(0, quoted.start)
    left = re.split(r"[.!?;:,\n\r•|]", quoted.document_text[max(0, start - 120) : max(0, start)])[-1]
    if not left.strip() or quoted.quote[:1].isspace():
        return ""
    lost = _cues(clean(left)) & {"negation", "denial", "possibility", "plan", "future", "former", "hearsay"}
    lost -= _cues(clean(text[:MAX_SENTENCE]))
    return f"the quote was cut after {left.strip()[-40:]!r}" if lost else ""


# --- figures in their place -------------------------------------------------------------------------------------------

_CUTS = tuple(
    re.compile(p)
    for p in (
        r"[.!?]\s+(?=[A-Z\"'(])",
        r";\s|\s-\s|\n",
        r"\b(?:while|whereas|but|versus|compared|from|against|than|at an?)\b",
        r"[()]",
        r",? and\b",
        r",\s",
        r"\bor\b",
    )
)


def _cut(text: str, left: int, right: int, *, late: bool = False) -> int:
    """Where the words of one figure end and those of the next begin."""
    for pattern in _CUTS:
        found = list(pattern.finditer(text, left, right))
        if found:
            last = found[-1]
            return last.start() if pattern is not _CUTS[0] else last.end()
    return right if late else left


_INHERITS = re.compile(
    r"\W*(?:and |but |or )?(?:(?:from|to|compared|versus|against|than|of (?:which|whom)|up|down)\b"
    r"|(?:[a-z]+ed|is|was|were|are|has|had|grew|rose|fell|made|won|sold|bought|led) )"
)


def _territory(
    text: str, span: tuple[int, int], rivals: Sequence[tuple[int, int]], *, late: bool = False
) -> tuple[int, int]:
    """The stretch of text that speaks of the figure at `span` rather than of one of its rivals.

    Where the figure is told of the same thing as the one before (`$3.6 billion, up from $2.7 billion`), the words
    before belong to both. `late` cuts behind rather than before words that no delimiter divides, which suits names.
    """
    before = max((r for r in rivals if r[1] <= span[0]), default=None)
    after = min((r for r in rivals if r[0] >= span[1]), default=None)
    start = 0
    if before:
        start = _cut(text, before[1], span[0], late=late)
        if _INHERITS.match(text, start) and not late:
            start = _territory(text, before, [r for r in rivals if r[1] <= before[0]])[0]
    return start, _cut(text, span[1], after[0], late=late) if after else len(text)


def _misplaced(
    sentence: Reading,
    mine: tuple[int, int],
    own: Sequence[tuple[int, int]],
    quote: Reading,
    theirs: tuple[int, int],
    rivals: Sequence[tuple[int, int]],
    known: frozenset[str],
    late: bool = False,
) -> bool:
    """Whether the words around a figure of the sentence stand around another figure of the quote."""
    a, b = _territory(sentence.text, mine, own, late=late)
    words = {t.key for t in _content(sentence, known) if a <= t.start < b} - _DIRECTIONS
    places = [*rivals, theirs]

    def held(span: tuple[int, int]) -> set[str]:
        x, y = _territory(quote.text, span, [p for p in places if p != span], late=late)
        return words & {t.key for t in quote.tokens if x <= t.start < y}

    def behind(reading: Reading, span: tuple[int, int], others: Sequence[tuple[int, int]]) -> set[str]:
        end = _territory(reading.text, span, others, late=late)[1]
        return words & {t.key for t in reading.tokens if span[1] <= t.start < end}

    here = held(theirs)
    tail = behind(sentence, mine, own) - here
    # `12% in Asia and 8% in Europe`, told as 12% in Europe
    if (
        tail
        and not behind(quote, theirs, rivals)
        and any(tail & behind(quote, r, [p for p in places if p != r]) for r in rivals[:24])
    ):
        return True
    called = {t.key for t in sentence.tokens if t.capital and not t.initial} & words
    for r in rivals[:24]:
        there = held(r)
        # a name that stands with the other figure outweighs an ordinary word that stands with this one
        if len(there) > len(here) or (called & (there - here) and not called & here):
            return True
    return False


def _direct_noun(reading: Reading, q: Quantity) -> list[str]:
    """What a count counts: the words that follow it, as far as they belong to it."""
    out: list[str] = []
    at = q.end
    for t in reading.tokens:
        if t.start < q.end:
            continue
        if reading.text[at : t.start].strip(" -\"'") or _inside(t, _spans(reading)) or len(out) == 4:
            break
        at = t.end
        if t.low == "of" and out:
            break
        if t.low in (
            "more",
            "new",
            "other",
            "total",
            "of",
            "its",
            "the",
            "our",
            "their",
            "additional",
            "different",
            "own",
        ):
            continue
        if t.low in _STOP and t.low not in ("year", "years", "companies", "company", "business"):
            break
        out.append(t.key)
    return out


def _same_noun(sentence: Reading, s: Quantity, quote: Reading, q: Quantity) -> bool:
    mine, theirs = _direct_noun(sentence, s), _direct_noun(quote, q)
    near = [t.key for t in quote.tokens if t.end <= q.start and q.start - t.end < 60][-4:]
    wide = {t.key for t in quote.tokens if abs(t.start - q.start) < 90}
    if not mine:
        return True
    if theirs:
        before = max((n.end for n in quote.numbers if n.end <= q.start), default=0)
        after = min((n.start for n in quote.numbers if n.start >= q.end), default=len(quote.text))
        own = {t.key for t in quote.tokens if before <= t.start < after}
        shared = [i for i, key in enumerate(mine) if key in theirs]
        narrowing = set(mine[: shared[-1]]) if shared else set()
        if (narrowing - own) & quote.keys:  # `200 roles, 45 in sales` told as 200 sales roles
            return False
        return bool(set(mine) & {*theirs, *near})
    return bool(set(mine) & wide)


_BASELINE = re.compile(
    r"\b(?:from|compared (?:with|to)|versus|against)(?: [^\s,;.]+){0,2}(?: [^\s,;]*\d[^\s,;]*)?(?: (?:million|billion|"
    r"percent|in|for|the)){0,4} $",
    re.I,
)
_FROM = re.compile(r"\b(?:from|compared (?:with|to)|versus|against)(?: the)? $", re.I)
_LOSS = re.compile(
    r"\b(?:loss(?:es)?|lost|negative|decline[sd]?|declining|decrease[sd]?|fell|falls?|fallen|down|dropped|drop|shrank|"
    r"reduced|outflow)\b",
    re.I,
)


def _same_period(sentence: Reading, s: Quantity, quote: Reading, q: Quantity) -> bool:
    """Whether the nearest date of the sentence may belong to the figure in the quote, where both state one."""
    own = [(n.start, n.end) for n in sentence.numbers if n is not s and n.unit == s.unit]
    a, b = _territory(sentence.text, (s.start, s.end), own)
    mine = [d for d in sentence.dates if a <= d.start < b]
    rivals = [(n.start, n.end) for n in quote.numbers if n is not q and n.unit == q.unit]
    x, y = _territory(quote.text, (q.start, q.end), rivals)
    theirs = [d for d in quote.dates if x <= d.start < y]
    if _FROM.search(quote.text[: q.start][-24:]):
        theirs = [d for d in theirs if q.end <= d.start < q.end + 40] or theirs
        return not mine or not theirs or any(same_date(m, t) or same_date(t, m) for m in mine for t in theirs)
    main = [d for d in theirs if not _BASELINE.search(quote.text[: d.start][-60:])]
    mine = [d for d in mine if not _BASELINE.search(sentence.text[: d.start][-60:])] or mine
    if not mine or not theirs:
        return True
    return any(same_date(m, t) or same_date(t, m) for m in mine for t in (main or theirs))


def _number_problem(
    sentence: Reading, s: Quantity, quotes: Sequence[Reading], known: frozenset[str], *, place: bool
) -> str:
    """Why no quote supports this quantity; empty when one does."""
    pool = [(r, q) for r in quotes for q in r.numbers]
    if s.value == 1 and not s.unit and any(t.low in ("a", "an", "single") for r in quotes for t in r.tokens):
        return ""
    same = [(r, q) for r, q in pool if same_amount(s, q)]
    if not same:
        like = [q.text for _, q in pool if q.unit == s.unit] or [q.text for _, q in pool]
        return f"{s.text} is not in the quote" + (f"; it has {', '.join(dict.fromkeys(like[:3]))}" if like else "")
    problem = ""
    for r, q in same:
        if q.unit != s.unit:
            problem = problem or f"the quote has {q.text}, not {s.text}"
        elif not _signs_agree(sentence, s, r, q):
            problem = f"{s.text} and {q.text} differ in sign"
        elif not s.unit and not _same_noun(sentence, s, r, q):
            problem = f"{s.text} counts something else in the quote"
        elif place and not _same_period(sentence, s, r, q):
            problem = f"{s.text} belongs to another period in the quote"
        elif place and _other_end(sentence.text, s.start, r.text, q.start):
            problem = f"{s.text} is the other end in the quote"
        elif place and _only_a_change(sentence, s, r, q):
            problem = f"{s.text} is a change in the quote"
        elif place and _only_compared(sentence, r, q):
            problem = f"{s.text} is what the quote compares with"
        elif place and _misplaced(
            sentence,
            (s.start, s.end),
            [(n.start, n.end) for n in sentence.numbers if n is not s and n.unit == s.unit],
            r,
            (q.start, q.end),
            [
                (n.start, n.end)
                for n in r.numbers
                if n.unit == q.unit and n.value != q.value and not any(same_amount(m, n) for m in sentence.numbers)
            ],
            known,
        ):
            problem = f"{s.text} belongs to something else in the quote"
        else:
            return ""
    return problem


_CHANGES = {
    _key(w)
    for w in "cut reduce raise lift boost trim miss exceed beat outpace change lead extend shorten differ".split()
}


def _only_a_change(sentence: Reading, s: Quantity, quote: Reading, q: Quantity) -> bool:
    """Whether the quote gives the figure as a change (`cut by 4,000`) and the sentence gives it as the level."""
    changed = [(r.text[: n.start][-16:], r) for r, n in ((quote, q), (sentence, s))]
    by = [bool(re.search(r"\bby (?:about |nearly |some )?$", before)) for before, _ in changed]
    if not by[0] or by[1]:
        return False
    moves = _CHANGES | _DIRECTIONS
    told = {t.key for t in quote.tokens if t.end <= q.start and q.start - t.end < 60} & moves
    return bool(told) and not sentence.keys & moves


_EARLIER = re.compile(r"\b(?:earlier|previous|prior|last|ago|before|from|compared|versus|against|than)\b", re.I)


def _only_compared(sentence: Reading, quote: Reading, q: Quantity) -> bool:
    """Whether the quote gives the figure as the one before (`up from`), while the sentence gives it as the one now."""
    if not _FROM.search(quote.text[: q.start][-24:]) or _EARLIER.search(sentence.text):
        return False
    after = [d for d in quote.dates if q.end <= d.start < q.end + 30]
    return not any(same_date(m, d) for m in sentence.dates for d in after)


_END_OF_RANGE = re.compile(r"\b(from|to|by)(?: (?:the|about|just|nearly))? $", re.I)


def _other_end(sentence: str, start: int, quote: str, at: int) -> bool:
    """Whether one text has it after `from` and the other after `to`, or as a change after `by`."""
    a, b = _END_OF_RANGE.search(sentence[:start][-20:]), _END_OF_RANGE.search(quote[:at][-20:])
    return bool(a and b and a[1].lower() != b[1].lower())


def _signs_agree(sentence: Reading, s: Quantity, quote: Reading, q: Quantity) -> bool:
    if (s.value < 0) == (q.value < 0) or q.either_sign or s.either_sign:
        return True
    reading, n = (sentence, s) if s.value >= 0 else (quote, q)
    return bool(_LOSS.search(reading.text[max(0, n.start - 60) : n.end + 30]))


_RELATIVE = re.compile(
    r"\b(last|past|previous|prior|next|this|coming|current) (?:fiscal )?(year|quarter|month|week|decade)\b", re.I
)


def _date_problem(
    sentence: Reading, quotes: Sequence[Reading], quoted: Sequence[Quoted], known: frozenset[str], *, place: bool
) -> str:
    """The first date of the sentence that neither the quotes nor, for what they leave implicit, their documents
    state.
    """
    titles = [d for q in quoted for d in read(q.title).dates]
    money = any(n.unit for n in sentence.numbers)
    for s in sentence.dates:
        pool = [(r, d) for r in quotes for d in r.dates]
        hits = [(r, d) for r, d in pool if same_date(s, d)]
        if hits:
            own = [(d.start, d.end) for d in sentence.dates if d is not s]
            for r, d in hits:
                others = [
                    (o.start, o.end) for o in r.dates if o is not d and not any(same_date(m, o) for m in sentence.dates)
                ]
                if not place or not _misplaced(sentence, (s.start, s.end), own, r, (d.start, d.end), others, known):
                    break
            else:
                return f"{s.text} belongs to something else in the quote"
            continue
        implicit = any(date_from_publication(s, d, q.published_at) for q in quoted for _, d in pool)
        if not pool:
            implicit = any(same_date(s, d) for d in titles) or (
                not money and any(date_from_publication(s, None, q.published_at) for q in quoted)
            )
        if not implicit:
            have = ", ".join(dict.fromkeys(d.text for _, d in pool[:3]))
            return f"{s.text} is not in the quote" + (f"; it has {have}" if have else "")
    said = {_relative(m) for m in _RELATIVE.finditer(sentence.text)}
    missing = said - {_relative(m) for r in quotes for m in _RELATIVE.finditer(r.text)}
    rates = {("per", m[1].lower()) for r in quotes for m in _RATE.finditer(r.text)}
    if rates:
        missing |= {("per", m[1].lower()) for m in _RATE.finditer(sentence.text)} - rates
    return f"{' '.join(min(missing))} is not in the quote" if missing else ""


_RATE = re.compile(
    r"\b(?:a|per|each|every) (year|quarter|month|week|day|hour)\b(?! (?:earlier|ago|before|later))", re.I
)


def _relative(m: re.Match[str]) -> tuple[str, str]:
    word = m[1].lower()
    return {"past": "last", "previous": "last", "prior": "last", "coming": "next", "current": "this"}.get(
        word, word
    ), m[2].lower()


# --- recall -----------------------------------------------------------------------------------------------------------

# A word of these that the quotes lack changes the claim however long the sentence is.
_CRITICAL = {
    _key(w)
    for w in (
        "revenue profit loss income margin ebitda cash debt ebit earnings sales bookings backlog arr valuation "
        "dividend cost "
        "largest biggest smallest fastest leading leader first last best worst highest lowest record majority "
        "minority entire "
        "exclusive exclusively sole solely always net gross adjusted recurring deferred operating organic gaap "
        "quarterly annual "
        "monthly weekly daily billion million customer employee user partner supplier competitor investor subsidiary "
        "parent owner "
        "board europe asia africa america lawsuit bankrupt bankruptcy fraud layoff"
    ).split()
}
_CRITICAL_RAW = frozenset(
    "only all every both most none entirely worldwide globally since ceo cfo coo cto cio".split()
) | {r.lower() for r in _ROLES}
_PEOPLE_NOUNS = {_key(w) for w in ("customer", "employee", "user", "partner")}
_QUALIFIERS = frozenset(
    "operating net gross adjusted product subscription recurring deferred organic non-gaap pro-forma comparable "
    "quarterly cloud services advertising".split()
)
_METRICS = frozenset(_key(w) for w in "revenue income profit margin loss sales earnings cash".split())


def _qualifier_lost(sentence: Reading, clause: str) -> str:
    """`operating income` told as `income`: the word that narrows a measure must not fall away."""
    quote = read(clause)
    mine = {(a.low, b.key) for a, b in zip(sentence.tokens, sentence.tokens[1:], strict=False)}
    said = {t.key for t in sentence.tokens}
    bare = {
        t.key
        for a, t in zip([None, *sentence.tokens], sentence.tokens, strict=False)
        if a is None or a.low not in _QUALIFIERS
    }
    pairs = [(a, b) for a, b in zip(quote.tokens, quote.tokens[1:], strict=False) if b.key in _METRICS & said & bare]
    unqualified = any(
        b.key in _METRICS & said and a.low not in _QUALIFIERS
        for a, b in zip(quote.tokens, quote.tokens[1:], strict=False)
    )
    unqualified = unqualified or bool(quote.tokens and quote.tokens[0].key in _METRICS & said)
    for a, b in pairs:
        if a.low in _QUALIFIERS and (a.low, b.key) not in mine and a.key not in said and not unqualified:
            return f"the quote speaks of {a.low} {b.low}, not of {b.low}"
    return ""


def _recall_problem(sentence: Reading, sources: Sequence[Reading], known: frozenset[str]) -> str:
    held = frozenset().union(*(s.keys for s in sources)) if sources else frozenset()
    lows = {t.low for s in sources for t in s.tokens}
    named = {id(t) for run in _name_runs(sentence, known) for t in run if not t.initial or len(run) > 1}
    words = [t for t in _content(sentence, known) if id(t) not in named or t.low not in lows]
    absent = [t for t in words if t.key not in held and t.low not in lows and not _compound_held(t, lows, held)]
    raw = [t for t in sentence.tokens if t.low in _CRITICAL_RAW and t.low not in lows]
    counts = Counter(t.key for t in sentence.tokens)
    each = [Counter(t.key for t in s.tokens) for s in sources]
    held_counts = {k: max(c[k] for c in each) * max(1, len(sources) // 3) for k in counts} if each else counts
    raw += [
        t for t in words if t.key in _CRITICAL and t.key not in _PEOPLE_NOUNS and counts[t.key] > held_counts[t.key]
    ]
    critical = [*raw, *(t for t in absent if t.key in _CRITICAL)]
    if critical:
        return f"{critical[0].text!r} is not in the quote"
    if not words:
        return "" if sentence.numbers or sentence.dates or sentence.tokens else "the sentence says nothing"
    share = 1 - len(absent) / len(words)
    if share < MIN_RECALL:
        return f"{', '.join(repr(t.text) for t in absent[:3])} not in the quote ({share:.0%} of the words are)"
    return _substituted(sentence, sources, known, {t.key for t in absent})


def _compound_held(token: Token, lows: set[str], held: frozenset[str]) -> bool:
    """`full-time` is held when the quote has `full` and `time`."""
    parts = re.split(r"[-/]", token.low)
    return len(parts) > 1 and all(p in lows or _key(p) in held or p in _STOP for p in parts)


def _substituted(sentence: Reading, sources: Sequence[Reading], known: frozenset[str], absent: set[str]) -> str:
    """A foreign word between two words that in the quote hold another word between them."""
    if not absent:
        return ""
    mine = [t.key for t in _content(sentence, known)]
    there = {
        (a.key, c.key): b
        for s in sources
        for ts in [_content(s, known)]
        for a, b, c in zip(ts, ts[1:], ts[2:], strict=False)
    }
    after: dict[str, set[str]] = {}
    for source in sources:
        keys = [t.key for t in _content(source, known)]
        for x, y in pairwise(keys):
            after.setdefault(x, set()).add(y)
    if len(mine) > 1 and mine[-1] in absent and (follow := after.get(mine[-2])) and not follow & set(mine):
        return f"{mine[-1]!r} stands where the quote has {min(follow)!r}"
    for a, b, c in zip(mine, mine[1:], mine[2:], strict=False):
        if b in absent and (a, c) in there and there[a, c].key not in mine:
            return f"{b!r} stands where the quote has {there[a, c].text!r}"
    return ""


# --- the checks -------------------------------------------------------------------------------------------------------

_Name = Literal["quote", "numbers", "dates", "entity", "recall", "polarity", "contradiction"]


def _check(name: _Name, problem: str) -> Check:
    return Check(name=name, passed=not problem, detail=problem)


def _quote_problem(quoted: Sequence[Quoted]) -> str:
    if not quoted:
        return "no quote is cited"
    for q in quoted:
        if not clean(q.quote[:MAX_QUOTE]):
            return "the quote is empty"
        if q.quote not in q.document_text:
            return "the quote does not stand in the stored text"
    return ""


def _repeats(text: str, quote: str) -> bool:
    """Whether the sentence is the quote, or a whole sentence of it, but for white space."""
    wanted = " ".join(text.split())
    if not wanted:
        return False
    if wanted == " ".join(quote.split()):
        return True
    if len(wanted) > len(quote) or wanted not in " ".join(quote.split()):
        return False
    return any(wanted == " ".join(quote[a:b].split()) for a, b in split_sentences(quote))


def _known(*names: Sequence[str]) -> frozenset[str]:
    return frozenset(w for group in names for n in group for w in core(n))


def _around(quoted: Quoted) -> str:
    """The quote with the rest of the sentence that it was cut from."""
    text, quote = quoted.document_text, quoted.quote[:MAX_QUOTE]
    start = quoted.start if text.startswith(quoted.quote, max(0, quoted.start)) else text.find(quoted.quote)
    if start < 0:
        return quote
    left = re.split(r"[.!?]\s|\n", text[max(0, start - 200) : start])[-1]
    right = re.split(r"[.!?](?:\s|$)|\n", text[start + len(quoted.quote) : start + len(quoted.quote) + 200])[0]
    return left + quote + (right if not re.search(r"[.!?\n]\s*$", quote) else "")


def check_claim(
    text: str,
    quoted: Sequence[Quoted],
    names: Sequence[str],
    *,
    kind: Literal["fact", "inference"] = "fact",
    vendor: Sequence[Quoted] = (),
    vendor_names: Sequence[str] = (),
) -> tuple[Check, ...]:
    """The checks of one claim about the company called `names`, each with what disagrees.

    A `fact` must say what its quotes say. An `inference` is the writer's own advice: it needs a quote about the
    prospect and one about the vendor, and may hold no number, date or proper name that these do not.
    """
    if kind == "inference":
        return _check_inference(text, quoted, names, vendor, vendor_names)
    cut = next((p for q in quoted if q.quote and (p := _cut_off(q, text))), "")
    abouts = next((p for q in quoted if (p := _speaks_of(q, names))), "") or ("" if quoted else "no document is cited")
    first = _check("quote", _quote_problem(quoted))
    if any(_repeats(text, q.quote) for q in quoted):
        return (
            first,
            _check("numbers", ""),
            _check("dates", ""),
            _check("entity", abouts),
            _check("recall", ""),
            _check("polarity", cut),
        )
    if len(text) > MAX_SENTENCE:
        too_long = f"{len(text)} characters are more than one sentence"
        return (first, _check("entity", abouts), _check("recall", too_long))
    known = _known(names, vendor_names)
    subject = _known(names)
    sentence, quotes = read(text), [read(q.quote) for q in quoted]
    window = [*quotes, *(read(_around(q)) for q in quoted), *(read(q.title) for q in quoted)]
    numbers = (_number_problem(sentence, s, quotes, known, place=True) for s in sentence.numbers[:60])
    problems: tuple[tuple[_Name, Iterable[str]], ...] = (
        ("numbers", numbers),
        ("dates", [_date_problem(sentence, quotes, quoted, known, place=True)]),
        ("entity", _entity_problems(sentence, quoted, quotes, names, known, abouts)),
        ("recall", _wording_problems(sentence, quotes, window, names, known)),
        ("polarity", [cut, _polarity_problem(sentence, quotes, subject)]),
    )
    return (first, *(_check(name, next((p for p in found if p), "")) for name, found in problems))


def _entity_problems(
    sentence: Reading,
    quoted: Sequence[Quoted],
    quotes: Sequence[Reading],
    names: Sequence[str],
    known: frozenset[str],
    abouts: str,
) -> Iterable[str]:
    yield abouts
    sources = [*quotes, *(read(q.title) for q in quoted), *(read(q.about) for q in quoted)]
    unknown = _unknown_name(sentence, sources, known)
    yield f"{unknown} is not in the quote" if unknown else ""
    namesake = next((m for m in mentions(sentence, names) if m.rival and not _stands(m.rival, sources)), None)
    yield f"{' '.join(namesake.rival).title()} is not {names[0]}" if namesake else ""
    others = [_foreign_actor(sentence, q, names, known) for q in quotes]
    yield f"the quote says it of {others[0]}, not of {names[0]}" if others and all(others) else ""


def _stands(words: Sequence[str], sources: Sequence[Reading]) -> bool:
    needle = "\x00".join(words)
    return any(needle in "\x00".join(t.low for t in s.tokens) for s in sources)


def _wording_problems(
    sentence: Reading, quotes: Sequence[Reading], window: Sequence[Reading], names: Sequence[str], known: frozenset[str]
) -> Iterable[str]:
    yield _recall_problem(sentence, window, known)
    yield _role_conflict(sentence, quotes, known, names)
    yield _swapped(sentence, quotes, names, known)
    for part in _parts(sentence, known):
        clauses = [clause for q in quotes for clause, _ in _cover(part, q, known)]
        for problem in (_opposite, _qualifier_lost):
            found = [problem(part, clause) for clause in clauses]
            yield found[0] if found and all(found) else ""
    yield _person_misplaced(sentence, quotes, known)


_PARTS = re.compile(r";\s|,? \b(?:while|whereas|but)\b|, and\b|, (?=which\b)")


def _parts(sentence: Reading, known: frozenset[str]) -> list[Reading]:
    """The sentence, and each of its main clauses with enough words to stand for itself."""
    cuts = [0, *(m.end() for m in _PARTS.finditer(sentence.text)), len(sentence.text)]
    spans = [(a, b) for a, b in pairwise(cuts) if b > a][:20]
    if len(spans) < 2:
        return [sentence]
    parts = [read(_carried(sentence.text, spans, i)) for i in range(len(spans))]
    return [sentence, *(p for p in parts if len(_content(p, known)) > 1)]


def _person_misplaced(sentence: Reading, quotes: Sequence[Reading], known: frozenset[str]) -> str:
    """A person of whom the sentence says what the quote says of another."""

    def people(reading: Reading) -> list[tuple[int, int, str]]:
        return [
            (r[0].start, r[-1].end, r[-1].low)
            for r in _name_runs(reading, known)
            if len(r) > 1 and not r[0].text.isupper()
        ]

    mine = people(sentence)
    for a, b, last in mine:
        for quote in quotes:
            theirs = people(quote)
            here = next(((x, y) for x, y, n in theirs if n == last), None)
            if here is None:
                continue
            others = [
                (x, y) for x, y, n in theirs if n not in {m[2] for m in mine} and not _listed(quote.text, here, (x, y))
            ]
            own = [(x, y) for x, y, n in mine if n != last]
            if others and _misplaced(
                sentence,
                (a, b),
                own,
                quote,
                here,
                others,
                known | {t.low for run in _name_runs(quote, known) for t in run},
                True,
            ):
                return f"the quote says it of another than {sentence.text[a:b]}"
    return ""


def _listed(text: str, a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether two names only stand beside each other in a list, and so share what is said."""
    left, right = sorted((a, b))
    between = re.sub(r"\b(?:and|or|[A-Z][\w.'-]*)\b|[,&\s]", "", text[left[1] : right[0]])
    return not between


def _polarity_problem(sentence: Reading, quotes: Sequence[Reading], known: frozenset[str]) -> str:
    for said in _parts(sentence, known):
        found = [[_polarity_conflict(said, part, whole) for part, whole in _cover(said, q, known)] for q in quotes]
        ranked = [max(ps, key=len, default="") for ps in found]
        if ranked and all(ranked):
            return ranked[0]
    return ""


def _check_inference(
    text: str, quoted: Sequence[Quoted], names: Sequence[str], vendor: Sequence[Quoted], vendor_names: Sequence[str]
) -> tuple[Check, ...]:
    """An inference rests on both sides and invents no figure, date or name."""
    everything = [*quoted, *vendor]
    missing = "" if quoted and vendor else f"no quote about the {'vendor' if quoted else 'prospect'} is cited"
    known = _known(names, vendor_names)
    sentence, quotes = read(text), [read(q.quote) for q in everything]
    abouts = next((p for q in quoted if (p := _speaks_of(q, names))), "")
    told = [q for q in vendor if q.about and vendor_names]
    abouts = abouts or next((p for q in told if (p := _speaks_of(q, vendor_names))), "")
    sources = [*quotes, *(read(q.title) for q in everything), *(read(q.about) for q in everything)]
    unknown = _unknown_name(sentence, sources, known)
    long = f"{len(text)} characters are too many to check" if len(text) > MAX_SENTENCE * 2 else ""
    numbers = (_number_problem(sentence, s, quotes, known, place=False) for s in sentence.numbers[:60])
    return (
        _check(
            "quote",
            missing or _quote_problem(everything) or long or ("" if sentence.tokens else "the sentence says nothing"),
        ),
        _check("numbers", next((p for p in numbers if p), "")),
        _check("dates", _date_problem(sentence, quotes, everything, known, place=False)),
        _check("entity", abouts or (f"{unknown} is not in the quotes" if unknown else "")),
    )


def supported(checks: Sequence[Check]) -> bool:
    """Whether every check passed, and there is at least one."""
    return bool(checks) and all(c.passed for c in checks)


# --- contradictions ---------------------------------------------------------------------------------------------------

_SINGLE = frozenset("hq founded legal_name domain parent".split())
"""Text fields that have one value at a time; two sources that differ cannot both be right, whenever they were
published."""


def find_contradictions(evidence: Sequence[Evidence]) -> tuple[tuple[str, str], ...]:
    """Pairs of evidence ids of one company, dataset, field and period whose values cannot both be right.

    Numbers differ when rounding does not explain it; of text only fields with a single value are compared. Two values
    of a thing that changes are no contradiction when their stated periods, or else their days of publication, differ.
    """
    groups: dict[tuple[tuple[str, ...], str, str], list[Evidence]] = {}
    for e in evidence:
        groups.setdefault((core(e.about), e.dataset, e.field), []).append(e)
    found = []
    for group in groups.values():
        for a, b in combinations(group[:200], 2):
            if a.id != b.id and _comparable(a, b) and _disagree(a, b):
                found.append((a.id, b.id))
    return tuple(found)


def _value_number(e: Evidence) -> Quantity | None:
    """The one number of a piece of evidence: from its value, else from its quote when that holds only one."""
    value, unit = e.value, ""
    if isinstance(value, dict):
        unit = str(value.get("currency") or "")
        value = next((value[k] for k in ("value", "n", "amount", "total") if value.get(k) is not None), None)
    if isinstance(value, (bool, list)) or (e.value is not None and value is None):
        return None
    if isinstance(value, (int, float)):
        quoted = [q for q in read(e.quote).numbers if q.value == Decimal(str(value))]
        if quoted and (not unit or quoted[0].unit == unit):
            return quoted[0]
        digits = Decimal(str(value))
        return Quantity(digits, unit, Decimal(1), 0, 0, str(value)) if digits.is_finite() else None
    source = read(value if isinstance(value, str) else e.quote).numbers
    return source[0] if len(source) == 1 else None


def _periods(e: Evidence) -> tuple[When, ...]:
    stated: JsonValue = None
    if isinstance(e.value, dict):
        stated = next((e.value[k] for k in ("period", "as_of", "date", "year") if e.value.get(k)), None)
    return dates(clean(str(stated)[:200])) if stated else read(e.quote).dates


def _comparable(a: Evidence, b: Evidence) -> bool:
    """Whether two pieces of evidence speak of the same time."""
    if a.field == "founded":
        return True
    mine, theirs = _periods(a), _periods(b)
    if mine and theirs:
        return any(same_date(x, y) or same_date(y, x) for x in mine for y in theirs)
    if a.field in _SINGLE or a.published_at is None or b.published_at is None:
        return True
    return a.published_at.date() == b.published_at.date()


def _disagree(a: Evidence, b: Evidence) -> bool:
    if a.field == "founded":
        years = [
            {d.year for d in dates(clean(str(e.value if e.value is not None else e.quote)[:300])) if d.year}
            for e in (a, b)
        ]
        return bool(years[0] and years[1] and not years[0] & years[1])
    if a.field in _SINGLE:
        texts = [set(core(e.value)) if isinstance(e.value, str) else set() for e in (a, b)]
        return bool(texts[0] and texts[1]) and not (texts[0] <= texts[1] or texts[1] <= texts[0])
    x, y = _value_number(a), _value_number(b)
    if x is None or y is None or (x.unit and y.unit and x.unit != y.unit):
        return False
    gap = abs(x.value - y.value)
    hedged = x.mark or y.mark
    return gap > max(x.step, y.step) / 2 and not (hedged and gap <= max(abs(x.value), abs(y.value)) / 10)


# --- sentences --------------------------------------------------------------------------------------------------------

_LINE = re.compile(r"[^\n\r\u2028\u2029]+")
_BULLET = re.compile(r"\s*(?:[-*•‣◦▪·–—]|\(?\d{1,2}[.)])\s+")
_ABBREVIATED = re.compile(
    r"(?:^|[\s(])(?:Inc|Corp|Co|Ltd|Dr|Mr|Mrs|Ms|Prof|St|vs|No|Nos|approx|e\.g|i\.e|etc|Jr|Sr|Gen|Gov|Sen|Rep|Sept|"
    r"Oct|Nov|Dec|Jan|Feb|Mar|Apr|Aug|[A-Z]|(?:[A-Z]\.){1,4}[A-Z])\.$"
)


def split_sentences(text: str) -> list[tuple[int, int]]:
    """The spans of the sentences of a text, white space trimmed; every span is an exact slice of the text.

    A line break ends a sentence only where the next line begins a new one (blank line, bullet, or a capital after an
    end mark or a short line), so that hard-wrapped prose stays whole.
    """
    spans: list[tuple[int, int]] = []
    for a, b in _blocks(text):
        start = a
        for x, y in _sentence_ends(text, a, b):
            piece = text[start:y].rstrip()
            follows = text[y:b].lstrip()[:1]
            if _ABBREVIATED.search(piece[-12:]) and follows and not _starts_anew(piece, text[y:b]):
                continue
            spans.append((start, y))
            start = y
            del x
        if start < b:
            spans.append((start, b))
    trimmed = [_trim(text, a, b) for a, b in spans]
    return [(a, b) for a, b in trimmed if b > a]


def _starts_anew(piece: str, rest: str) -> bool:
    """Whether an abbreviation also ends its sentence: `Acme Inc. The` does, `Acme Inc. rose` and `Dr. Lee` do not."""
    word = rest.split(maxsplit=1)[0] if rest.split() else ""
    company = re.search(r"(?:Inc|Corp|Co|Ltd|etc|U\.S|U\.K|E\.U)\.$", piece)
    return bool(company) and word in (
        "The",
        "It",
        "Its",
        "In",
        "We",
        "Our",
        "He",
        "She",
        "They",
        "This",
        "A",
        "An",
        "On",
        "At",
    )


def _sentence_ends(text: str, a: int, b: int) -> Iterable[tuple[int, int]]:
    for bound in sentencex.get_sentence_boundaries("en", text[a:b]):
        yield a + int(bound["start_index"]), a + int(bound["end_index"])


def _blocks(text: str) -> Iterable[tuple[int, int]]:
    """Stretches of text within which only punctuation ends a sentence: paragraphs, bullets, headings."""
    lines = [m.span() for m in _LINE.finditer(text)]
    start = end = -1
    for a, b in lines:
        line = text[a:b]
        joined = start >= 0 and text[end:a].count("\n") + text[end:a].count("\u2029") * 2 <= 1 and line.strip()
        wrapped = joined and not _BULLET.match(line) and end - start > 40 and line.lstrip()[:1].islower()
        if start >= 0 and not wrapped:
            yield start, end
            start = -1
        start, end = (start if start >= 0 else a), b
    if start >= 0:
        yield start, end


def _trim(text: str, a: int, b: int) -> tuple[int, int]:
    bullet = _BULLET.match(text, a, b)
    a = bullet.end() if bullet else a
    while a < b and text[a].isspace():
        a += 1
    while b > a and text[b - 1].isspace():
        b -= 1
    return a, b
