"""Names of companies and people in a text: where one is mentioned, which is a namesake, which nobody has heard of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.claims.cleaning import clean
from agent.claims.reading import Reading, Token, figure_spans, inside
from agent.claims.wording import ROLES, STOP, TOKEN, bare_word

NOT_NAMES = ROLES | frozenset(
    "I January February March April May June July August September October November December Monday Tuesday "
    "Wednesday Thursday Friday Saturday Sunday Inc Corp Corporation Company Co Ltd Limited LLC PLC AG SA NV "
    "SE GmbH LP LLP Mr Mrs Ms Dr Prof Sir FY Q1 Q2 Q3 Q4 H1 H2 USD EUR GBP President Chair Chairman Founder "
    "Director Chief Officer Head Vice Senior Board".split()
)
_LEGAL = frozenset(
    "inc incorporated corp corporation company co ltd limited llc plc ag sa nv se gmbh spa ab oyj kk lp llp "
    "pty bv sarl the s.a n.v s.p.a p.l.c l.p".split()
)
_COMPANYISH = frozenset(
    "electronics airlines airways air bank bancorp group holding holdings systems technologies technology "
    "motors motor foods energy pharma pharmaceuticals insurance financial capital industries records dental "
    "media labs laboratories software partners networks semiconductor semiconductors materials university "
    "computing robotics therapeutics biosciences solutions services international global brands stores "
    "logistics realty properties resources mining steel oil gas power petroleum chemical chemicals faucet "
    "force machines devices instruments entertainment studios pictures games ventures consulting advisors "
    "communications telecom wireless health healthcare medical hospitality hotels restaurants apparel "
    "aerospace defense".split()
)


def core(name: str) -> tuple[str, ...]:
    """A company name without legal suffixes and brackets, as lower-case tokens."""
    words = [bare_word(m.group()).lower() for m in TOKEN.finditer(clean(re.sub(r"\([^()]{0,80}\)", " ", name[:300])))]
    kept = [w for w in words if w not in _LEGAL]
    return tuple(kept or words)


def all_cores(names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The cores of the names, each once, the longest first."""
    return tuple(sorted({c for n in names if (c := core(n))}, key=lambda c: (-len(c), c)))


def name_words(*names: Sequence[str]) -> frozenset[str]:
    """Every word of these names, legal suffixes aside."""
    return frozenset(w for group in names for n in group for w in core(n))


# --- where a company is mentioned -------------------------------------------------------------------------------------


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
    """Where one of `names` stands on token boundaries; a longer name (`Delta Electronics`) is marked a rival."""
    cores = all_cores(names)
    tokens, headline = reading.tokens, _headline(reading)
    cased = {core(n) for n in names if n[:1].isupper()}
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
    if following and adjacent and following.capital and following.text not in NOT_NAMES:
        foreign = following.low in _COMPANYISH or (short and not headline and following.low not in STOP)
        rival = (*hit, following.low) if foreign else ()
    before = tokens[i - 1] if i else None
    if before and not rival and not headline and len(hit) == 1 and not before.initial and before.text[0].isupper():
        named = (
            before.text not in NOT_NAMES and before.low not in STOP and before.text.isalpha() and len(before.text) > 2
        )
        if named and reading.text[before.end : tokens[i].start] in (" ", "-", " & "):
            rival = (before.low, *hit)
    return Mention(hit, tokens[i].start, tokens[j - 1].end, rival)


# --- names that the sources do not hold -------------------------------------------------------------------------------

_OPENERS = frozenset(
    "revenue revenues sales profit income growth demand headcount customers clients employees management "
    "executives investors shareholders founders leaders analysts users products shares cash net gross "
    "operating adjusted annual quarterly total most people staff margins costs prices hiring its our their "
    "core key main headquarters subscription cloud data product products services software open lead ask "
    "show start use offer position pitch focus mention bring tie point stress pair frame recommend suggest "
    "send share raise given because since both every team teams jobs roles plans partners pricing risk risks "
    "bookings backlog guidance gross marketing engineering competition competitors rivals priorities "
    "challenges strategy news industry legal domain founded summary".split()
)
_COMMON_OPENER = re.compile(r"(?:ed|ing|ly|tion|ment|ness|ance|ence|ers|ity)$")


def name_runs(reading: Reading, known: frozenset[str]) -> list[list[Token]]:
    """Runs of adjacent capitalised words that are names; words of `known` names and roles end a run."""
    runs: list[list[Token]] = []
    spans = figure_spans(reading)
    previous: Token | None = None
    for t in reading.tokens:
        named = t.capital and t.text not in NOT_NAMES and t.low not in known and not inside(t, spans)
        named = named and not (t.low in STOP and t.text != t.text.upper()) and not t.text.replace("'", "").isdigit()
        if named and previous and reading.text[previous.end : t.start] in (" ", ". ", " & "):
            runs[-1].append(t)
        elif named:
            runs.append([t])
        previous = t if named else None
    return runs


def unknown_name(sentence: Reading, sources: Sequence[Reading], known: frozenset[str]) -> str:
    """The first proper name of the sentence that no source holds; empty when all are known."""
    lows = [tuple(t.low for t in s.tokens) for s in sources]
    joined = ["\x00" + "\x00".join(words) + "\x00" for words in lows]
    alone = {t.low for s in sources for r in name_runs(s, known) if len(r) == 1 for t in r}
    vocabulary = {w for words in lows for w in words}

    def contiguous(words: Sequence[str]) -> bool:
        needle = "\x00" + "\x00".join(words) + "\x00"
        return any(needle in text for text in joined)

    for run in name_runs(sentence, known):
        words, i = [t.low for t in run], 0
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
    return token.low in vocabulary or opens_sentences(token)


def opens_sentences(token: Token) -> bool:
    """Whether it is an ordinary word, by a list or by its ending."""
    return token.low in _OPENERS or bool(_COMMON_OPENER.search(token.low))


def stands(words: Sequence[str], sources: Sequence[Reading]) -> bool:
    """Whether a source holds these words one after the other."""
    needle = "\x00".join(words)
    return any(needle in "\x00".join(t.low for t in s.tokens) for s in sources)
