"""Which words of a text belong to a figure or a name, and which to its neighbour."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.claims.reading import Reading, content
from agent.claims.wording import DIRECTIONS, METRICS

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
    r"|(?P<verb>[a-z]+ed|is|was|were|are|has|had|grew|rose|fell|made|won|sold|bought|led) )"
)


def territory(
    text: str, span: tuple[int, int], rivals: Sequence[tuple[int, int]], *, late: bool = False, heir: bool = True
) -> tuple[int, int]:
    """The stretch of text that speaks of the figure at `span` rather than of one of its rivals.

    Where the figure is told of the same thing as the one before (`$3.6 billion, up from $2.7 billion`), the words
    before belong to both. `late` cuts behind rather than before words that no delimiter divides, which suits names.
    Without `heir` a further verb takes no words from before it, which suits dates (`founded in 2009 and listed in 2019`).
    """
    before = max((r for r in rivals if r[1] <= span[0]), default=None)
    after = min((r for r in rivals if r[0] >= span[1]), default=None)
    start = 0
    if before:
        start = _cut(text, before[1], span[0], late=late)
        shares = _INHERITS.match(text, start)
        if shares and not late and (heir or not shares["verb"]):
            start = territory(text, before, [r for r in rivals if r[1] <= before[0]], heir=heir)[0]
    return start, _cut(text, span[1], after[0], late=late) if after else len(text)


@dataclass(frozen=True)
class Place:
    """A figure or a name in a text, and the others there that claim the words around it."""

    reading: Reading
    span: tuple[int, int]
    rivals: Sequence[tuple[int, int]]
    heir: bool = True

    def keys(self, *, late: bool) -> set[str]:
        """The words of its territory."""
        a, b = territory(self.reading.text, self.span, self.rivals, late=late, heir=self.heir)
        return {t.key for t in self.reading.tokens if a <= t.start < b}

    def behind(self, *, late: bool) -> set[str]:
        """The words of its territory that stand behind it."""
        end = territory(self.reading.text, self.span, self.rivals, late=late)[1]
        return {t.key for t in self.reading.tokens if self.span[1] <= t.start < end}

    def others(self) -> list[Place]:
        """Its rivals in their own places."""
        every = [*self.rivals, self.span]
        return [Place(self.reading, r, [p for p in every if p != r], self.heir) for r in self.rivals[:24]]


def misplaced(said: Place, told: Place, known: frozenset[str], *, late: bool = False) -> bool:
    """Whether the words around a figure of the sentence stand around another figure of the quote."""
    sentence = said.reading
    a, b = territory(sentence.text, said.span, said.rivals, late=late, heir=said.heir)
    words = {t.key for t in content(sentence, known) if a <= t.start < b} - DIRECTIONS
    others = told.others()
    here = words & told.keys(late=late)
    tail = words & said.behind(late=late) - here
    # `12% in Asia and 8% in Europe`, told as 12% in Europe
    if tail and not words & told.behind(late=late) and any(tail & other.behind(late=late) for other in others):
        return True
    called = {t.key for t in sentence.tokens if t.capital and not t.initial} & words
    measured = told.keys(late=late)
    for other in others:
        there = words & other.keys(late=late)
        # a name that stands with the other figure outweighs an ordinary word that stands with this one
        if len(there) > len(here) or (called & (there - here) and not called & here):
            return True
        # `income of $39 million after a loss of $47 million`: each figure has a measure of its own
        if measured & METRICS - words and words & METRICS & (there - here) and not here & METRICS:
            return True
    return False


_END_OF_RANGE = re.compile(r"\b(from|to|by)(?: (?:the|about|just|nearly))? $", re.I)


def other_end(sentence: str, start: int, quote: str, at: int) -> bool:
    """Whether one text has it after `from` and the other after `to`, or as a change after `by`."""
    a, b = _END_OF_RANGE.search(sentence[:start][-20:]), _END_OF_RANGE.search(quote[:at][-20:])
    return bool(a and b and a[1].lower() != b[1].lower())
