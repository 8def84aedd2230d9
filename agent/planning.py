"""The planner, pure: candidate calls x requirements x budget -> CollectionPlan.

It takes prices, priors and requirements as data and does no I/O, so that it can be tested against the exact optimum.

The expected gain of a call for a dataset is weight * what is still missing * P(it fills a field) * reliability. Calls for the
same dataset overlap: each takes its share of what the ones before it left. Free calls come first; paid ones by gain per
micro-dollar, and none is bought whose gain is worth less than its price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Protocol

from pydantic import JsonValue

from agent.records import Call, CollectionPlan, QualityReport, Requirement, Skipped, SkipReason, to_usd

MAX_CALLS = 40
"""Most calls of one round: a plan longer than this serves nobody who watches it."""

MIN_FREE_GAIN = 1e-4
"""A free call still costs time: under this gain it is left out."""


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
    seconds: float
    max_age: float
    cached: bool = False
    questions: tuple[str, ...] = ()
    refused: str = ""
    """Why it cannot be made (arguments, source off), or empty."""
    reason: SkipReason = SkipReason.INVALID_ARGUMENTS


@dataclass(frozen=True)
class Limits:
    """What a round may use."""

    budget: int
    """Micro-dollars left for source calls."""
    seconds: float
    gain_per_dollar: Decimal
    max_calls: int = MAX_CALLS


def plan(
    candidates: Sequence[Candidate],
    requirements: Sequence[Requirement],
    known: QualityReport,
    limits: Limits,
    *,
    round: int = 1,
    tried: Sequence[str] = (),
    proposed_by: str = "extractive",
) -> CollectionPlan:
    """Choose the calls of a round; the plan names what it left out and why."""
    quality = {d.dataset: d.quality for d in known.datasets}
    missing = {r.dataset: r.weight * (1 - quality.get(r.dataset, 0.0)) for r in requirements}
    open_, skipped = _sift(candidates, missing, limits, set(tried))
    chosen: list[Call] = []
    left = limits.budget
    while open_ and len(chosen) < limits.max_calls:
        best = max(open_, key=lambda c: _rank(c, missing))
        open_.remove(best)
        gain, price = _gain(best, missing), _price(best)
        reason = _objection(best, gain, left, limits)
        if reason is not None:
            skipped.append(_skip(best, *reason, gain=gain))
            continue
        left -= price
        chosen.append(_call(best, gain))
        for dataset, p in best.coverage.items():
            if dataset in missing:
                missing[dataset] *= 1 - p * best.reliability
    skipped += [_skip(c, SkipReason.NOT_WORTH_IT, "the round is full") for c in open_]
    cached = {c.call_id for c in candidates if c.cached}
    return CollectionPlan(
        round=round,
        to_collect=tuple(c for c in chosen if c.call_id not in cached),
        from_cache=tuple(c for c in chosen if c.call_id in cached),
        skipped=tuple(skipped),
        expected_cost=sum(c.max_price for c in chosen if c.call_id not in cached),
        expected_seconds=max((c.seconds for c in chosen), default=0.0),
        expected_quality=min(known.overall + sum(c.gain for c in chosen), 1.0),
        proposed_by=proposed_by,
    )


def _sift(
    candidates: Sequence[Candidate], missing: Mapping[str, float], limits: Limits, tried: set[str]
) -> tuple[list[Candidate], list[Skipped]]:
    """Those worth ranking, and those that cannot be made at all or would fetch the same again."""
    open_: list[Candidate] = []
    skipped: list[Skipped] = []
    seen = set(tried)
    for c in candidates:
        if c.refused:
            skipped.append(_skip(c, c.reason, c.refused))
        elif c.key in seen:
            if c.key not in tried:
                skipped.append(_skip(c, SkipReason.DUPLICATE, "the same call is planned already"))
        elif not any(missing.get(d, 0.0) > 0 for d in c.coverage):
            skipped.append(_skip(c, SkipReason.ALREADY_KNOWN, "what it would bring is known well enough"))
        elif c.seconds > limits.seconds:
            skipped.append(_skip(c, SkipReason.DEADLINE, "it would take longer than is left"))
        else:
            seen.add(c.key)
            open_.append(c)
    return open_, skipped


def _rank(c: Candidate, missing: Mapping[str, float]) -> tuple[bool, float]:
    """Free before paid; then the most gain, per micro-dollar where it costs something."""
    gain, price = _gain(c, missing), _price(c)
    return (price == 0, gain / price if price else gain)


def _objection(c: Candidate, gain: float, left: int, limits: Limits) -> tuple[SkipReason, str] | None:
    price = _price(c)
    if gain < MIN_FREE_GAIN or gain < float(limits.gain_per_dollar * to_usd(price)):
        return SkipReason.NOT_WORTH_IT, f"its expected gain of {gain:.4f} is not worth ${to_usd(price):.4f}"
    if 0 < price > left:  # what is free is never over a budget, not even over one that is overdrawn
        return (
            SkipReason.OVER_BUDGET,
            f"${to_usd(price):.4f} is more than the ${to_usd(max(left, 0)):.4f} left for calls",
        )
    return None


def _gain(c: Candidate, missing: Mapping[str, float]) -> float:
    return sum(missing.get(d, 0.0) * p * c.reliability for d, p in c.coverage.items())


def _price(c: Candidate) -> int:
    return 0 if c.cached else c.price


def _call(c: Candidate, gain: float) -> Call:
    return Call(
        call_id=c.call_id,
        source=c.source,
        args=dict(c.args),
        datasets=tuple(c.coverage),
        questions=c.questions,
        max_price=c.price,
        max_age=c.max_age,
        gain=gain,
        seconds=0.0 if c.cached else c.seconds,
    )


def _skip(c: Candidate, reason: SkipReason, detail: str, gain: float = 0.0) -> Skipped:
    return Skipped(
        source=c.source,
        reason=reason,
        detail=detail,
        datasets=tuple(c.coverage),
        args=dict(c.args),
        price=c.price,
        gain=gain,
    )


class Priced(Protocol):
    """What the planner needs to know of a source."""

    datasets: ClassVar[Mapping[str, float]]
    reliability: ClassVar[float]

    @property
    def max_price(self) -> int: ...


def worth_another_round(
    skipped: Sequence[Skipped],
    report: QualityReport,
    budget: int,
    gain_per_dollar: Decimal,
    sources: Mapping[str, Priced],
) -> bool:
    """Whether a call left out for its price would now be bought: calls that brought less than expected leave more to gain,
    and refunds leave more to spend."""
    missing = {d.dataset: d.weight * (1 - d.quality) for d in report.datasets if not d.sufficient}
    for skip in skipped:
        source = sources.get(skip.source)
        if source is None or skip.reason not in (SkipReason.OVER_BUDGET, SkipReason.NOT_WORTH_IT):
            continue
        gain = sum(missing.get(d, 0.0) * source.datasets.get(d, 0.0) * source.reliability for d in skip.datasets)
        price = source.max_price
        if gain >= MIN_FREE_GAIN and price <= budget and gain >= float(gain_per_dollar * to_usd(price)):
            return True
    return False
