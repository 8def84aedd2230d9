"""How closely a sentence keeps to its quotes: a measure beside the checks, which only say yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.claims.names import name_runs, name_words
from agent.claims.reading import content, read


@dataclass(frozen=True)
class Fit:
    """Shares in [0, 1]."""

    recall: float
    """Of the sentence's content words, those that its quotes hold."""
    order: float
    """Of its neighbouring pairs of content words, those that are neighbours in a quote too."""
    checkable: int
    """How many sorts of things it states that can be looked up one by one: figures, dates, names. 0 to 3."""


def fit(text: str, quotes: Sequence[str], names: Sequence[str]) -> Fit:
    """How the sentence `text` about the company called `names` fits its quotes; one without content words fits wholly."""
    known = name_words(names)
    sentence, sources = read(text), [read(q) for q in quotes]
    held = frozenset[str]().union(*(s.keys for s in sources))
    words = [t.key for t in content(sentence, known)]
    told = {pair for s in sources for pair in pairwise([t.key for t in content(s, known)])}
    pairs = list(pairwise(words))
    return Fit(
        recall=_share(sum(w in held for w in words), len(words)),
        order=_share(sum(p in told for p in pairs), len(pairs)),
        checkable=bool(sentence.numbers) + bool(sentence.dates) + bool(name_runs(sentence, known)),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
