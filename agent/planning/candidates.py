"""What the planner is given: calls that could be made, and what a round may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar, Protocol

from pydantic import JsonValue

from agent.records import SkipReason, to_usd

MAX_CALLS = 40
"""Most calls of one round: a plan longer than this serves nobody who watches it."""

MIN_GAIN = 1e-4
"""A free call still costs time: under this gain in overall quality it is left out."""


HOLDS_ON = 2
"""Answers that a source is credited with before its first call of a run."""


@dataclass(frozen=True)
class Candidate:
    """A call that could be made, with what is known of its source."""

    call_id: str
    key: str
    """Same key, same reply: of two candidates only one is planned."""
    source: str
    args: Mapping[str, JsonValue]
    coverage: Mapping[str, float]
    """Dataset -> probability that the call fills a field of it."""
    reliability: float
    price: int
    """Micro-dollars, the most it can cost."""
    seconds: float
    max_age: float
    cached: bool = False
    questions: tuple[str, ...] = ()
    refused: str = ""
    """Why it cannot be made (arguments, source off), or empty."""
    reason: SkipReason = SkipReason.INVALID_ARGUMENTS

    @property
    def cost(self) -> int:
        """Micro-dollars it takes from the budget: a stored reply takes none."""
        return 0 if self.cached else self.price


@dataclass(frozen=True)
class Limits:
    """What a round may use."""

    budget: int
    """Micro-dollars left for source calls."""
    seconds: float
    gain_per_dollar: Decimal
    """Gain in overall quality that a call must promise for each USD it costs."""
    max_calls: int = MAX_CALLS
    per_source: Mapping[str, int] = field(default_factory=dict)
    """Source -> calls that its pace allows until the deadline; stored replies do not count. A source not named has no limit."""

    def toll(self, price: int) -> float:
        """The gain in overall quality that a call at this price must bring."""
        return max(float(self.gain_per_dollar * to_usd(price)), MIN_GAIN)


def still_answers(answered: int, failed: int) -> float:
    """How likely a source still answers, by its calls of this run: 1 before any failed. Priors of a first call hold what else
    can go wrong; this is only what the run itself has seen (the mean of a Beta distribution with `HOLDS_ON` earlier answers)."""
    return (HOLDS_ON + answered) / (HOLDS_ON + answered + failed)


class Priced(Protocol):
    """What the planner needs to know of a source."""

    datasets: ClassVar[Mapping[str, float]]
    reliability: ClassVar[float]

    @property
    def max_price(self) -> int: ...
