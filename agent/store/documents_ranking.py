"""The order of what a search found: BM25 once more over the best of the index, and no word paid for in full twice.

The index's own BM25 chooses candidates. Their final order differs in two ways, both measured on news articles
(docs/documents.md): the constants suit passages (k1 0.9, b 0.4), and a term that passages above have already brought
counts for less, so that the places of an answer cover the whole question instead of its commonest half.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import snowballstemmer
from sqlite_utils import Database as Tables

from agent.store.passages import terms

TITLE_WEIGHT, TAGS_WEIGHT, TEXT_WEIGHT = 1.5, 1.0, 1.0
"""What a word counts in the title, in the tags (company, datasets, publisher, author) and in the text."""
K1, B = 0.9, 0.4
"""BM25: how soon repetition stops to count, and how much a long passage is held back."""
DECAY = 0.9
"""What is left of a term's worth with each passage above that has it."""


@dataclass
class Candidate:
    """A passage that was found, and what each term of the query is worth in it."""

    key: int
    boost: float
    worth: Mapping[str, float]

    @property
    def score(self) -> float:
        """Its worth alone."""
        return self.boost * sum(self.worth.values())

    def gain(self, seen: Mapping[str, int]) -> float:
        """Its worth after the passages above."""
        return self.boost * sum(value * DECAY ** seen.get(term, 0) for term, value in self.worth.items())


class TermCounts:
    """In how many passages a term is, remembered until the index changes."""

    def __init__(self) -> None:
        self._kept: tuple[int, int, dict[str, int]] = (-1, 0, {})

    def idf(self, tables: Tables, stems: Sequence[str]) -> dict[str, float]:
        """Inverse document frequency by stem."""
        now = int(tables.conn.execute("select value from revision").fetchone()[0])
        if self._kept[0] != now:
            count = int(tables.conn.execute("select count(*) from passages").fetchone()[0])
            self._kept = (now, count, {})
        _, total, known = self._kept
        found: dict[str, float] = {}
        for stem in stems:
            if stem not in known:
                known[stem] = _count(tables, stem)
            found[stem] = math.log(1 + (total - min(known[stem], total) + 0.5) / (known[stem] + 0.5))
        return found


def _count(tables: Tables, stem: str) -> int:
    """Passages with the term; of two CJK characters, those with the rarer one."""
    parts = [stem] if stem.isascii() or len(stem) != 2 else list(stem)
    sql = "select doc from passages_vocab where term = ?"
    rows = [tables.conn.execute(sql, (part,)).fetchone() for part in parts]
    return min(int(row[0]) if row else 0 for row in rows)


@lru_cache(maxsize=50_000)
def stem_of(term: str) -> str:
    """The term as the index has it: without accents, and by Porter's rules."""
    if not term.isascii():
        term = "".join(c for c in unicodedata.normalize("NFKD", term) if not unicodedata.combining(c))
        term = unicodedata.normalize("NFC", term)
    return str(_stemmer().stemWord(term))


@lru_cache(maxsize=1)
def _stemmer() -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer("porter")


def counted(title: str, tags: str, text: str, wanted: Mapping[str, float]) -> tuple[dict[str, float], int]:
    """How often each wanted stem is there, by the weight of its place, and the length of it all in terms."""
    found: dict[str, float] = {}
    length = 0
    for part, weight in ((title, TITLE_WEIGHT), (tags, TAGS_WEIGHT), (text, TEXT_WEIGHT)):
        for term, times in Counter(terms(part)).items():
            length += times
            stem = stem_of(term)
            if stem in wanted:
                found[stem] = found.get(stem, 0.0) + weight * times
    return found, length


def worth(found: Mapping[str, float], length: int, mean: float, wanted: Mapping[str, float]) -> dict[str, float]:
    """BM25 term by term; `wanted` is what each term counts in the query, its rarity included."""
    room = K1 * (1 - B + B * length / mean)
    return {stem: wanted[stem] * times * (K1 + 1) / (times + room) for stem, times in found.items()}


def in_turn(lists: Sequence[Sequence[Candidate]], limit: int) -> list[Candidate]:
    """The best of each list in turn, each passage once, each choice by what it adds to those above."""
    live = [list(candidates) for candidates in lists if candidates]
    chosen: dict[int, Candidate] = {}
    seen: dict[str, int] = {}
    while live and len(chosen) < limit:
        for candidates in list(live):
            candidates[:] = [c for c in candidates if c.key not in chosen]
            if not candidates:
                live.remove(candidates)
                continue
            best = max(candidates, key=lambda c: c.gain(seen))
            chosen[best.key] = best
            for term in best.worth:
                seen[term] = seen.get(term, 0) + 1
            if len(chosen) == limit:
                break
    return list(chosen.values())
