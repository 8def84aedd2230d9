"""Whether the words of a sentence are words of its quotes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from agent.claims.names import name_runs
from agent.claims.reading import Reading, Token, content, figure_spans, read
from agent.claims.wording import METRICS, ROLES, STOP, word_key

MIN_RECALL = 0.8
"""Share of the sentence's content words that its quotes must hold. Up to four words that means all of them; from five
on one may be the writer's own. Measured with `python -m tests.proofs citations` (3,129 corruptions): 9
survive at .6, 4 at .7, 3 at .75 and none from .8 on. Above .8 nothing more is caught, and the honest set, which keeps
its quotes' words, cannot show what a higher bar would cost, so the lowest safe one is taken."""

# A word of these that the quotes lack changes the claim however long the sentence is.
_CRITICAL = {
    word_key(w)
    for w in (
        "revenue profit loss income margin ebitda cash debt ebit earnings sales bookings backlog arr valuation "
        "dividend cost largest biggest smallest fastest leading leader first last best worst highest lowest record "
        "majority minority entire exclusive exclusively sole solely always net gross adjusted recurring deferred "
        "operating organic gaap quarterly annual monthly weekly daily billion million customer employee user partner "
        "supplier competitor investor subsidiary parent owner board europe asia africa america lawsuit bankrupt "
        "bankruptcy fraud layoff"
    ).split()
}
_CRITICAL_RAW = frozenset(
    "only all every both most none entirely worldwide globally since ceo cfo coo cto cio".split()
) | {r.lower() for r in ROLES}
_PEOPLE_NOUNS = {word_key(w) for w in ("customer", "employee", "user", "partner")}
_QUALIFIERS = frozenset(
    "operating net gross adjusted product subscription recurring deferred organic non-gaap pro-forma "
    "comparable quarterly cloud services advertising".split()
)


def qualifier_lost(sentence: Reading, clause: str) -> str:
    """`operating income` told as `income`: the word that narrows a measure must not fall away."""
    quote = read(clause)
    mine = {(a.low, b.key) for a, b in pairwise(sentence.tokens)}
    said = sentence.keys
    measures = METRICS & said
    if measures & _unqualified(quote):
        return ""
    bare = measures & _unqualified(sentence)
    for a, b in pairwise(quote.tokens):
        narrowed = b.key in bare and a.low in _QUALIFIERS
        if narrowed and (a.low, b.key) not in mine and a.key not in said:
            return f"the quote speaks of {a.low} {b.low}, not of {b.low}"
    return ""


def _unqualified(reading: Reading) -> set[str]:
    """Words that stand somewhere without a qualifier before them."""
    first = {t.key for t in reading.tokens[:1]}
    return first | {b.key for a, b in pairwise(reading.tokens) if a.low not in _QUALIFIERS}


def recall_problem(sentence: Reading, sources: Sequence[Reading], known: frozenset[str]) -> str:
    """Words of the sentence that its sources lack, when they are too many, decisive, or stand in for others."""
    held = frozenset[str]().union(*(s.keys for s in sources))
    lows = {t.low for s in sources for t in s.tokens}
    named = {id(t) for run in name_runs(sentence, known) for t in run if not t.initial or len(run) > 1}
    words = [t for t in content(sentence, known) if id(t) not in named or t.low not in lows]
    absent = [t for t in words if t.key not in held and t.low not in lows and not _compound_held(t, lows, held)]
    raw = [t for t in sentence.tokens if t.low in _CRITICAL_RAW and t.low not in lows]
    raw = [t for t in raw if t.low != "every" or "each" not in lows]
    critical = [*raw, *_repeated(sentence, words, sources), *(t for t in absent if t.key in _CRITICAL)]
    if critical:
        return f"{critical[0].text!r} is not in the quote"
    if added := _added(sentence, words, {id(t) for t in absent}):
        return f"{added!r} is not in the quote"
    if not words:
        return "" if sentence.numbers or sentence.dates or sentence.tokens else "the sentence says nothing"
    share = 1 - len(absent) / len(words)
    if share < MIN_RECALL:
        return f"{', '.join(repr(t.text) for t in absent[:3])} not in the quote ({share:.0%} of the words are)"
    return _substituted(sentence, sources, known, {t.key for t in absent})


_JOINTS = re.compile(r"[,;](?=\s)|\b(?:and|but|because|which|who|after|by|thanks|making|despite)\b")


def _added(sentence: Reading, words: Sequence[Token], absent: set[int]) -> str:
    """A last clause of which the quotes hold no word: `told staff of job cuts and apologised`."""
    joints = [m.end() for m in _JOINTS.finditer(sentence.text)]
    if not joints:
        return ""
    last = [t for t in words if t.start >= joints[-1]]
    stated = any(a >= joints[-1] for a, _ in figure_spans(sentence))
    return (
        sentence.text[last[0].start : last[-1].end]
        if last and not stated and all(id(t) in absent for t in last)
        else ""
    )


def _repeated(sentence: Reading, words: Sequence[Token], sources: Sequence[Reading]) -> list[Token]:
    """Decisive words that the sentence says more often than its sources do."""
    if not sources:
        return []
    counts = Counter(t.key for t in sentence.tokens)
    each = [Counter(t.key for t in s.tokens) for s in sources]
    most = {k: max(c[k] for c in each) * max(1, len(sources) // 3) for k in counts}
    return [t for t in words if t.key in _CRITICAL - _PEOPLE_NOUNS and counts[t.key] > most[t.key]]


def _compound_held(token: Token, lows: set[str], held: frozenset[str]) -> bool:
    """`full-time` is held when the quote has `full` and `time`."""
    parts = re.split(r"[-/]", token.low)
    return len(parts) > 1 and all(p in lows or word_key(p) in held or p in STOP for p in parts)


def _substituted(sentence: Reading, sources: Sequence[Reading], known: frozenset[str], absent: set[str]) -> str:
    """A foreign word between two words that in the quote hold another word between them."""
    if not absent:
        return ""
    mine = [t.key for t in content(sentence, known)]
    texts = [content(s, known) for s in sources]
    there = {(a.key, c.key): b for ts in texts for a, b, c in zip(ts, ts[1:], ts[2:], strict=False)}
    after: dict[str, set[str]] = {}
    for x, y in (pair for ts in texts for pair in pairwise(ts)):
        after.setdefault(x.key, set()).add(y.key)
    if len(mine) > 1 and mine[-1] in absent and (follow := after.get(mine[-2])) and not follow & set(mine):
        return f"{mine[-1]!r} stands where the quote has {min(follow)!r}"
    for a, b, c in zip(mine, mine[1:], mine[2:], strict=False):
        if b in absent and (a, c) in there and there[a, c].key not in mine:
            return f"{b!r} stands where the quote has {there[a, c].text!r}"
    return ""
