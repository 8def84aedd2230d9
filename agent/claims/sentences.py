"""Where the sentences of a text begin and end."""

from __future__ import annotations

import re
from collections.abc import Iterable

import sentencex  # type: ignore[import-untyped]

_LINE = re.compile(r"[^\n\r\u2028\u2029]+")
_BULLET = re.compile(r"\s*(?:[-*•‣◦▪·–—]|\(?\d{1,2}[.)])\s+")
_ABBREVIATED = re.compile(
    r"(?:^|[\s(])(?:Inc|Corp|Co|Ltd|Dr|Mr|Mrs|Ms|Prof|St|vs|No|Nos|approx|e\.g|i\.e|etc|Jr|Sr|Gen|Gov|Sen|Rep|Sept|"
    r"Oct|Nov|Dec|Jan|Feb|Mar|Apr|Aug|[A-Z]|(?:[A-Z]\.){1,4}[A-Z])\.$"
)

_ANEW = frozenset("The It Its In We Our He She They This A An On At".split())


def split_sentences(text: str) -> list[tuple[int, int]]:
    """The spans of the sentences of a text, white space trimmed; every span is an exact slice of the text.

    A line break ends a sentence only where the next line begins a new one (blank line, bullet, or a capital after an
    end mark or a short line), so that hard-wrapped prose stays whole.
    """
    spans: list[tuple[int, int]] = []
    for a, b in _blocks(text):
        start = a
        for bound in sentencex.get_sentence_boundaries("en", text[a:b]):
            end = a + int(bound["end_index"])
            piece, rest = text[start:end].rstrip(), text[end:b]
            if _ABBREVIATED.search(piece[-12:]) and rest.strip() and not _starts_anew(piece, rest):
                continue
            spans.append((start, end))
            start = end
        if start < b:
            spans.append((start, b))
    trimmed = [_trim(text, a, b) for a, b in spans]
    return [(a, b) for a, b in trimmed if b > a]


def _starts_anew(piece: str, rest: str) -> bool:
    """Whether an abbreviation also ends its sentence: `Acme Inc. The` does, `Acme Inc. rose` and `Dr. Lee` do not."""
    company = re.search(r"(?:Inc|Corp|Co|Ltd|etc|U\.S|U\.K|E\.U)\.$", piece)
    return bool(company) and rest.split(maxsplit=1)[0] in _ANEW


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
