"""A text read once into words, quantities and dates; every check compares readings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from agent.claims.cleaning import clean
from agent.claims.dates import When, dates
from agent.claims.measures import Quantity, quantities
from agent.claims.wording import ROLE_SUBS, STOP, TOKEN, bare_word, word_key

MAX_SENTENCE = 1500
"""Characters. A longer claim is not one checkable sentence; it may only stand word for word."""
MAX_QUOTE = 6000
"""Characters of a quote that are read. Words beyond support nothing, which errs towards refusing."""


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
    for pattern, role in ROLE_SUBS:
        plain = pattern.sub(role, plain)
    tokens = []
    for match in TOKEN.finditer(plain):
        word = bare_word(match.group())
        before = (
            plain[: match.start()].rstrip(" \"'([*-") if match.start() < 4 else plain[match.start() - 4 : match.start()]
        )
        initial = not before.strip(" \"'([*-") or before.rstrip(" \"'([").endswith((".", "!", "?", ":", ";", "*", " -"))
        tokens.append(Token(word, word.lower(), word_key(word), match.start(), match.start() + len(word), initial))
    return Reading(plain, tuple(tokens), quantities(plain), dates(plain))


def inside(token: Token, spans: Iterable[tuple[int, int]]) -> bool:
    return any(a <= token.start < b for a, b in spans)


def figure_spans(reading: Reading) -> list[tuple[int, int]]:
    return [(q.start, q.end) for q in reading.numbers] + [(d.start, d.end) for d in reading.dates]


def content(reading: Reading, drop: frozenset[str] = frozenset()) -> list[Token]:
    """Words that carry meaning: no stop words, numbers, dates, nor the names in `drop`."""
    spans = figure_spans(reading)
    return [
        t for t in reading.tokens if t.low not in STOP and t.low not in drop and len(t.low) > 1 and not inside(t, spans)
    ]
