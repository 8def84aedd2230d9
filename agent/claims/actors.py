"""Of whom it is said: the subject and no namesake, no other company, no other person."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.claims.names import all_cores, core, mentions, name_runs, opens_sentences
from agent.claims.passages import best_sentences, wanted_words
from agent.claims.quoted import WINDOW, Quoted
from agent.claims.reading import MAX_QUOTE, Reading, content, read
from agent.claims.roles import ROLE
from agent.claims.territory import Place, misplaced
from agent.claims.wording import METRICS


def about_another(quoted: Quoted, names: Sequence[str]) -> str:
    """Why the quote's document is not about the subject; empty when it is."""
    cores = all_cores(names)
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
    start = max(0, quoted.place)
    around = quoted.document_text[max(0, start - WINDOW) : start + len(quoted.quote[:MAX_QUOTE]) + WINDOW]
    near = [
        *here,
        *(m for t in (quoted.title, around, quoted.document_text[:WINDOW]) for m in mentions(read(t), names)),
    ]
    rivals = [m.rival for m in near if m.rival]
    strong = [m for m in near if not m.rival and not any(r[: len(m.name)] == m.name for r in rivals)]
    if strong or (clear and not rivals):
        return ""
    if rivals:
        return f"the document speaks of {' '.join(rivals[0]).title()}, not {names[0]}"
    return f"the document does not name {names[0]}"


# --- another company --------------------------------------------------------------------------------------------------

_ACTS = re.compile(
    r"(?:has|had|have|is|was|were|are|will|did|does|reported|posted|generated|recorded|employs|employed|serves|served|"
    r"raised|grew|"
    r"rose|fell|plans|expects|hired|cut|launched|acquired|bought|sold|uses|runs|operates|offers|makes|counts|won|"
    r"opened|closed|"
    r"announced|appointed|named|competes|signed|added|laid|earned|lost|spent|invested|partnered|migrated|agreed|[a-z]{2,}ed)\b"
)
_WE = frozenset("we our us ours it its itself they their he she his her".split())
THE_COMPANY = re.compile(
    r"\b(?:the|this) (?:\w+ )?(?:company|firm|group|bank|retailer|maker|startup|business|vendor|provider|airline|"
    r"carrier)\b",
    re.I,
)


def foreign_actor(sentence: Reading, quote: Reading, names: Sequence[str], known: frozenset[str]) -> str:
    """Who else, in the part of the quote the sentence rests on, does what it says of the subject; empty if nobody."""
    if not mentions(sentence, names) or _other_actor(sentence, quote, names, known):
        return ""
    mine = {t.low for t in sentence.tokens}
    spots = [m.start for m in mentions(quote, names) if not m.rival]
    best = best_sentences(quote, wanted_words(sentence, known), known)
    for run in name_runs(quote, known):
        end = run[-1].end
        rest = quote.text[end : end + 24]
        ordinary = run[0].initial and len(run) == 1 and opens_sentences(run[0])
        acts = (rest[:1] == " " and _ACTS.match(rest[1:])) or rest.startswith("'s ")
        follower = next((t for t in quote.tokens if t.start == end + 1), None)
        acts = acts or (follower is not None and follower.key in METRICS)
        span = next(((a, b) for a, b in best if a <= run[0].start < b), None)
        foreign = span and acts and not ordinary and not any(t.low in mine for t in run)
        if foreign and span and not _nearer(quote, sentence, end, spots, span[1], known):
            return " ".join(t.text for t in run)
    return ""


def _other_actor(sentence: Reading, quote: Reading, names: Sequence[str], known: frozenset[str]) -> bool:
    """Whether the sentence itself speaks first of another who stands in the quote; then other checks pair them."""
    spots = [m.start for m in mentions(sentence, names)]
    lows = {t.low for t in quote.tokens}
    roles = bool(ROLE.search(sentence.text))
    runs = [run for run in name_runs(sentence, known) if all(t.low in lows for t in run)]
    return any(run[0].start < min(spots) or (roles and len(run) > 1) for run in runs)


def _nearer(
    quote: Reading, sentence: Reading, actor_end: int, spots: Sequence[int], limit: int, known: frozenset[str]
) -> bool:
    """Whether every figure (else word) that the sentence shares stands nearer to the subject than behind the other."""
    values = {abs(q.value) for q in sentence.numbers}
    at = [q.start for q in quote.numbers if abs(q.value) in values and q.start < limit]
    if not at:
        keys = {t.key for t in content(sentence, known)}
        at = [t.start for t in content(quote, known) if t.key in keys and t.start < limit]
    pronouns = [t.start for t in quote.tokens if t.low in _WE] + [m.start() for m in THE_COMPANY.finditer(quote.text)]
    marks = [*spots, *(p for p in pronouns if p > actor_end and spots)]
    behind = [p for p in at if p > actor_end]
    return not behind or all(any(actor_end < s < p for s in marks) for p in behind)


# --- another person ---------------------------------------------------------------------------------------------------


def person_misplaced(sentence: Reading, quotes: Sequence[Reading], known: frozenset[str]) -> str:
    """A person of whom the sentence says what the quote says of another."""
    mine = _people(sentence, known)
    mentioned = {last for *_, last in mine}
    for a, b, last in mine:
        own = [(x, y) for x, y, n in mine if n != last]
        for quote in quotes:
            theirs = _people(quote, known)
            here = next(((x, y) for x, y, n in theirs if n == last), None)
            if here is None:
                continue
            strangers = [(x, y) for x, y, n in theirs if n not in mentioned]
            others = [place for place in strangers if not _listed(quote.text, here, place)]
            named = known | {t.low for run in name_runs(quote, known) for t in run}
            said, told = Place(sentence, (a, b), own), Place(quote, here, others)
            if others and misplaced(said, told, named, late=True):
                return f"the quote says it of another than {sentence.text[a:b]}"
    return ""


def _people(reading: Reading, known: frozenset[str]) -> list[tuple[int, int, str]]:
    """Names of two words or more: (start, end, last name)."""
    runs = [run for run in name_runs(reading, known) if len(run) > 1 and not run[0].text.isupper()]
    return [(run[0].start, run[-1].end, run[-1].low) for run in runs]


def _listed(text: str, a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether two names only stand beside each other in a list, and so share what is said."""
    left, right = sorted((a, b))
    between = re.sub(r"\b(?:and|or|[A-Z][\w.'-]*)\b|[,&\s]", "", text[left[1] : right[0]])
    return not between
