"""The part of a quote that a sentence rests on: its best sentences, their clauses, and what governs those."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from agent.claims.reading import Reading, content, read
from agent.claims.wording import DIRECTIONS, STOP

_BREAK = re.compile(
    r"[;:!?](?=\s|$)|[.,](?=\s|$)|\s-\s|[()]|\b(?:while|whereas|but|although|though|and|which|who|versus|compared|"
    r"after|before|following|succeeding|replacing)\b|(?=\b(?:previously|formerly|instead of|rather than)\b)",
    re.I,
)
_STOP_MARK = re.compile(
    r"(?<!\b[A-Z])(?<!\bInc)(?<!\bCorp)(?<!\bCo)(?<!\bLtd)(?<!\bDr)(?<!\bMr)(?<!\bMs)[.!?]\s+(?=[\"'(]?[A-Z0-9])"
)


def wanted_words(sentence: Reading, known: frozenset[str]) -> set[str]:
    """What the sentence rests on: its content words and figures, without the subject's names and directions."""
    figures = {str(q.value.normalize()) for q in sentence.numbers} | {d.text.lower() for d in sentence.dates}
    return {t.key for t in content(sentence, known)} - DIRECTIONS | figures


def best_sentences(quote: Reading, wanted: set[str], known: frozenset[str]) -> list[tuple[int, int]]:
    """The sentences of the quote that hold most of the wanted words and numbers; several when they tie."""
    bounds = [0, *(m.end() for m in _STOP_MARK.finditer(quote.text)), len(quote.text)]
    scored = [(len(wanted & _held(quote, a, b, known)), (a, b)) for a, b in pairwise(bounds)]
    best = max((n for n, _ in scored), default=0)
    return [span for n, span in scored if n == best]


def _held(quote: Reading, a: int, b: int, known: frozenset[str]) -> set[str]:
    """The content words and figures of a stretch of the quote, in the form of `wanted_words`."""
    held = {t.key for t in content(quote, known) if a <= t.start < b}
    held |= {str(q.value.normalize()) for q in quote.numbers if a <= q.start < b}
    return held | {d.text.lower() for d in quote.dates if a <= d.start < b}


def rests_on(sentence: Reading, quote: Reading, known: frozenset[str]) -> list[tuple[str, str]]:
    """For each sentence of the quote that answers best: (the clauses the claim rests on, the whole sentence)."""
    wanted = wanted_words(sentence, known)
    out = []
    for a, b in best_sentences(quote, wanted, known):
        cuts = [a, *(m.end() for m in _BREAK.finditer(quote.text, a, b)), b]
        clauses = [(x, y) for x, y in pairwise(cuts) if y > x][:60]
        held = [_held(quote, x, y, known) for x, y in clauses]
        # `the inquiry, which it opened` speaks of the inquiry, not of what was done to it
        for i in range(1, len(clauses)):
            if re.search(r"\b(?:which|who)\W*$", quote.text[a : clauses[i][0]]):
                before = [t.key for t in quote.tokens if a <= t.start and t.end <= clauses[i][0] and t.low not in STOP]
                held[i] |= set(before[-1:])
        parts = [_carried(quote.text, clauses, i) for i in _fewest(held, wanted)]
        out.append((" | ".join(parts), quote.text[a:b]))
    return out


def _fewest(held: Sequence[set[str]], wanted: set[str]) -> list[int]:
    """Which of these sets together hold what is wanted: the one that adds most comes first into the choice."""
    missing, chosen = set(wanted), set[int]()
    while missing:
        best = max(range(len(held)), key=lambda i: len(missing & held[i]), default=-1)
        if best < 0 or not missing & held[best]:
            break
        chosen.add(best)
        missing -= held[best]
    return sorted(chosen)


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


_PARTS = re.compile(r";\s|,? \b(?:while|whereas|but)\b|, and\b|, (?=which\b)")


def main_clauses(sentence: Reading, known: frozenset[str]) -> list[Reading]:
    """The sentence, and each of its main clauses with enough words to stand for itself."""
    cuts = [0, *(m.end() for m in _PARTS.finditer(sentence.text)), len(sentence.text)]
    spans = [(a, b) for a, b in pairwise(cuts) if b > a][:20]
    if len(spans) < 2:
        return [sentence]
    parts = [read(_carried(sentence.text, spans, i)) for i in range(len(spans))]
    return [sentence, *(p for p in parts if len(content(p, known)) > 1)]
