"""Figures over labelled claims: how well stated probabilities hold, and how well the checks tell them apart. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BINS = 10


@dataclass(frozen=True)
class Bin:
    """The claims whose stated probability lies in [low, high); the last bin holds 1 too."""

    low: float
    high: float
    claims: int
    stated: float
    """Mean of the stated probabilities; 0 when it is empty."""
    found: float
    """Share that are supported; 0 when it is empty."""


def bins(stated: Sequence[float], supported: Sequence[bool], count: int = BINS) -> list[Bin]:
    """`count` bins of equal width, empty ones too."""
    pairs = list(zip(stated, supported, strict=True))
    made = []
    for n in range(count):
        here = [(p, s) for p, s in pairs if min(int(p * count + 1e-9), count - 1) == n]
        size = max(len(here), 1)
        mean, share = sum(p for p, _ in here) / size, sum(s for _, s in here) / size
        made.append(Bin(n / count, (n + 1) / count, len(here), mean, share))
    return made


def ece(stated: Sequence[float], supported: Sequence[bool]) -> float:
    """Expected calibration error: the mean gap between stated and found, weighted by claims (Naeini et al., 2015)."""
    found = bins(stated, supported)
    return sum(b.claims * abs(b.stated - b.found) for b in found) / max(sum(b.claims for b in found), 1)


def brier(stated: Sequence[float], supported: Sequence[bool]) -> float:
    """Mean squared distance between probability and outcome (Brier, 1950)."""
    return sum((p - s) ** 2 for p, s in zip(stated, supported, strict=True)) / max(len(stated), 1)


@dataclass(frozen=True)
class Told:
    """How the checks told supported claims from others."""

    claims: int
    right: int
    """Supported and accepted."""
    wrong: int
    """Not supported, yet accepted."""
    lost: int
    """Supported, yet refused."""

    @property
    def caught(self) -> int:
        """Not supported, and refused."""
        return self.claims - self.right - self.wrong - self.lost

    @property
    def precision(self) -> float:
        """Of the claims accepted, the share that are supported; 1 when none is accepted."""
        return _share(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Of the claims supported, the share that are accepted; 1 when none is supported."""
        return _share(self.right, self.right + self.lost)


def told(accepted: Sequence[bool], supported: Sequence[bool]) -> Told:
    """Counts over claims, in the same order."""
    pairs = list(zip(accepted, supported, strict=True))
    return Told(
        claims=len(pairs),
        right=sum(a and s for a, s in pairs),
        wrong=sum(a and not s for a, s in pairs),
        lost=sum(s and not a for a, s in pairs),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
