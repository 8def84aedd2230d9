"""Pure helpers of the full-text index: cutting a text into passages, and making a safe query of what a user typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

SIZE = 1_200
"""Characters a passage aims for: about 256 tokens, the size at which BM25 did best on news articles."""
OVERLAP = 200
"""A last sentence up to this long is repeated at the head of the next passage, so that a pronoun keeps its noun."""
MAX_WORDS = 48
"""Words of a query that are searched for; more only cost time."""

_SENTENCE = re.compile(r"[.!?][\"'”’)\]]*\s+|\n\s*\n|[。！？]")
_SPACE = re.compile(r"\s+")
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003134f"
"""Han, kana and Hangul: scripts whose words a tokenizer that splits at spaces does not find."""
_CHARACTER = re.compile(f"([{_CJK}])")
_WORD = re.compile(r"[^\W_]+")
_RUN = re.compile(f"[{_CJK}]+|[^{_CJK}]+")
_ASCII = re.compile(r"[a-z0-9]+")

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


def spaced(text: str) -> str:
    """The text as the index takes it: each Chinese, Japanese or Korean character as a word of its own."""
    return _CHARACTER.sub(r" \1 ", text)


def words(text: str) -> list[str]:
    """Letters-and-digits words, in order; a run of Chinese, Japanese or Korean characters is one."""
    clean = unicodedata.normalize("NFC", text).encode("utf-8", "ignore").decode()
    found = _WORD.findall(clean)
    return found if not _CHARACTER.search(clean) else [run for word in found for run in _RUN.findall(word)]


def terms(text: str) -> list[str]:
    """What a search compares: words, and of Chinese, Japanese and Korean runs every two neighbours."""
    if text.isascii():
        return _ASCII.findall(text.lower())
    if not _CHARACTER.search(text):
        return _WORD.findall(unicodedata.normalize("NFC", text).casefold())
    found: list[str] = []
    for word in words(text):
        if len(word) > 1 and _CHARACTER.match(word):
            found.extend(a + b for a, b in pairwise(word))
        else:
            found.append(word.casefold())
    return found


def content_terms(text: str) -> list[str]:
    """The different terms of a query that say something, at most MAX_WORDS; all of them when none does."""
    found = dict.fromkeys(terms(text))
    return ([t for t in found if t not in STOPWORDS] or list(found))[:MAX_WORDS]


def match_any(wanted: Sequence[str]) -> str:
    """An FTS5 expression that finds any of these terms; empty for none. A term twice counts twice.

    Each is quoted and can hold no quote itself, so nothing a user types is read as query syntax.
    """
    return " OR ".join(_phrase(term) for term in wanted)


def match_names(names: Sequence[str]) -> str:
    """An FTS5 expression that finds any of these names, each as a phrase; empty when none has a word."""
    phrases = dict.fromkeys(" ".join(words(n)).casefold() for n in names)
    return " OR ".join(_phrase(p) for p in phrases if p)


def _phrase(text: str) -> str:
    return f'"{" ".join(spaced(text).split())}"'
