"""What experience makes of a source's priors, pure.

A source declares what its author expected: how likely a call fills a dataset, how long it takes, what it costs. The ledger knows
what came. Both are one estimate: the prior counts as so many calls that were never made (conjugate updating; Gelman et al.,
Bayesian Data Analysis, 3rd ed., sections 2.4 and 2.6).

    coverage of a dataset   Beta:  (K * prior + hits) / (K + tries)
    failure rate            Beta:  (K * FAILING + failures) / (K + calls)
    seconds, price          Gamma on the rate of an exponential: (K * prior + sum) / (K + calls)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

WEIGHT = 10.0
"""K: so many real calls weigh as much as the declared prior. A judgement: ten calls tell about a tenth either way."""
FAILING = 0.05
"""A source is expected to fail one call in twenty until it has shown otherwise."""


@dataclass(frozen=True)
class Seen:
    """What the ledger knows of a source."""

    calls: int = 0
    """Calls that were really made: none that came from the cache, none that the run ended before."""
    failures: int = 0
    seconds: float = 0.0
    """In total, of the calls that did not fail."""
    cost: int = 0
    """In total, micro-dollars, of the calls that did not fail."""
    datasets: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Dataset -> calls that were made for it and did not fail, and those of them that filled a field of it."""


@dataclass(frozen=True)
class Learned:
    """A source as the planner takes it."""

    coverage: Mapping[str, float]
    """Dataset -> probability that a call which does not fail fills a field of it."""
    failure: float
    """Probability that a call fails."""
    seconds: float
    price: float
    """Expected micro-dollars of a call that does not fail; what is held is the stated maximum all the same."""
    seen: Seen = field(default_factory=Seen)

    def chance(self, dataset: str) -> float:
        """Probability that a call fills a field of the dataset."""
        return self.coverage.get(dataset, 0.0) * (1 - self.failure)


def learn(coverage: Mapping[str, float], seconds: float, price: int, seen: Seen | None = None) -> Learned:
    """Priors and experience as one. Without experience only the expected failures are added."""
    seen = seen or Seen()
    good = seen.calls - seen.failures
    return Learned(
        coverage={d: _beta(p, *seen.datasets.get(d, (0, 0))) for d, p in coverage.items()},
        failure=_beta(FAILING, seen.calls, seen.failures),
        seconds=_mean(seconds, good, seen.seconds),
        price=_mean(price, good, seen.cost),
        seen=seen,
    )


def _beta(prior: float, tries: int, hits: int) -> float:
    return (WEIGHT * prior + hits) / (WEIGHT + tries)


def _mean(prior: float, count: int, total: float) -> float:
    return (WEIGHT * prior + total) / (WEIGHT + count)
