"""Pure helpers of the full-text index: cutting a text into passages, and making a safe query of what a user typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

SIZE = 900
"""Characters a passage aims for: about 200 words, the size at which BM25 did best on news articles."""
OVERLAP = 200
"""A last sentence up to this long is repeated at the head of the next passage, so that a pronoun keeps its noun."""
MAX_WORDS = 48
"""Words of a query that are searched for; more only cost time."""

_SENTENCE = re.compile(r"[.!?][\"'”’)\]]*\s+|\n\s*\n|[。！？]")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]+")

STOPWORDS = frozenset(
    """
    a about above after again all also an and any are as at be because been before being between both but by can
    could did do does doing during each few for from further had has have having he her here hers him his how i
    if in into is it its itself just me more most my no nor not now of off on once only or other our ours out
    over own please s same she should so some such t tell than that the their theirs them then there these they
    this those through to too under until up us very was we were what when where which while who whom why will
    with would you your yours
    """.split()
)


@dataclass(frozen=True)
class Span:
    """A passage as a slice of its document: `text[start : start + length]`."""

    start: int
    length: int


def cut(text: str, size: int = SIZE, overlap: int = OVERLAP) -> list[Span]:
    """Passages of about `size` characters that begin and end at sentences; together they hold every word."""
    spans: list[Span] = []
    pieces = _pieces(text, size)
    first = 0
    while first < len(pieces):
        last = first
        while last + 1 < len(pieces) and pieces[last + 1][1] - pieces[first][0] <= size:
            last += 1
        start, end = pieces[first][0], pieces[last][1]
        spans.append(Span(start, end - start))
        repeat = last > first and pieces[last][1] - pieces[last][0] <= overlap and last + 1 < len(pieces)
        first = last if repeat else last + 1
    return spans


def _pieces(text: str, size: int) -> list[tuple[int, int]]:
    """Sentences without the white space around them, none longer than `size`."""
    borders = [0, *(m.end() for m in _SENTENCE.finditer(text)), len(text)]
    found: list[tuple[int, int]] = []
    for start, end in pairwise(borders):
        found.extend(_split_long(text, start, end, size))
    return found


def _split_long(text: str, start: int, end: int, size: int) -> Iterable[tuple[int, int]]:
    while True:
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start == end:
            return
        if end - start <= size:
            yield start, end
            return
        gaps = list(_SPACE.finditer(text, start + size // 2, start + size))
        lines = [m.start() for m in gaps if "\n" in m.group()]
        at = max(lines or [m.start() for m in gaps], default=start + size)
        yield start, at
        start = at


def words(text: str) -> list[str]:
    """Letters-and-digits words, in order; the same characters that the index's tokenizer takes for words."""
    clean = unicodedata.normalize("NFC", text).encode("utf-8", "ignore").decode()
    return _WORD.findall(clean)


def match_any(text: str) -> str:
    """An FTS5 expression that finds any content word of `text`; empty when it has no word.

    Each word is quoted and can hold no quote itself, so nothing a user types is read as query syntax.
    """
    found = dict.fromkeys(w.casefold() for w in words(text))
    content = [w for w in found if w not in STOPWORDS] or list(found)
    return " OR ".join(f'"{w}"' for w in content[:MAX_WORDS])


def match_names(names: Sequence[str]) -> str:
    """An FTS5 expression that finds any of these names, each as a phrase; empty when none has a word."""
    phrases = dict.fromkeys(" ".join(words(n)).casefold() for n in names)
    return " OR ".join(f'"{p}"' for p in phrases if p)
