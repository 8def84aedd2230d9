"""From candidates to a plan and back: what is left out before the choice, the choice, and the reason of everything left out."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from agent.planning.candidates import Candidate, Limits, Priced
from agent.planning.choice import Option, Problem, greedy, trim
from agent.planning.fast import fast
from agent.records import Call, CollectionPlan, Offer, QualityReport, Requirement, Skipped, SkipReason, to_usd

logger = logging.getLogger(__name__)

DOLLAR = 1_000_000
"""Micro-dollars by which an offer looks further."""

SURE = 1 - 1e-6
"""Nothing that is fetched is certain; the search divides by what is left."""


def plan(
    candidates: Sequence[Candidate],
    requirements: Sequence[Requirement],
    known: QualityReport,
    limits: Limits,
    *,
    round: int = 1,
    tried: Sequence[str] = (),
    proposed_by: str = "extractive",
    planner: Literal["fast", "exact"] = "fast",
) -> CollectionPlan:
    """Choose the calls of a round; the plan names what it left out and why, and what more money would buy.

    The expected gain of a call for a dataset is weight * what is still missing * P(it fills a field) * reliability. Calls for
    the same dataset overlap: each takes its share of what the ones before it left. The order of the candidates plays no part.
    """
    quality = {d.dataset: d.quality for d in known.datasets}
    whole = _whole(known)
    missing = {r.dataset: r.weight / whole * (1 - quality.get(r.dataset, 0.0)) for r in requirements}
    open_, skipped = _sift(candidates, missing, limits, set(tried))
    basket = _Basket(missing, limits)
    basket.take([c for c in open_ if c.cost == 0])
    paid = [c for c in open_ if c.cost > 0]
    basket.take([paid[i] for i in _choose(basket.problem(paid), planner)])
    basket.take([c for c in paid if c.key not in basket.keys])  # what is worth exactly its price is bought too
    skipped += [basket.refuse(c) for c in open_ if c.key not in basket.keys]
    collected = tuple(_call(c, gain) for c, gain in basket.calls if not c.cached)
    return CollectionPlan(
        round=round,
        to_collect=collected,
        from_cache=tuple(_call(c, gain) for c, gain in basket.calls if c.cached),
        skipped=tuple(skipped),
        expected_cost=basket.spent,
        expected_seconds=max((c.seconds for c in collected), default=0.0),
        expected_quality=min(known.overall + basket.gained, 1.0),
        proposed_by=proposed_by,
        offer=_offer(basket, paid),
    )


def worth_another_round(
    skipped: Sequence[Skipped],
    report: QualityReport,
    budget: int,
    gain_per_dollar: Decimal,
    sources: Mapping[str, Priced],
) -> bool:
    """Whether a call left out for its price, or because the round was full, would now be made: calls that brought less than
    expected leave more to gain, and refunds leave more to spend."""
    limits = Limits(budget, 0.0, gain_per_dollar)
    missing = {d.dataset: d.weight / _whole(report) * (1 - d.quality) for d in report.datasets if not d.sufficient}
    for skip in skipped:
        source = sources.get(skip.source)
        if source is None or skip.reason not in (
            SkipReason.OVER_BUDGET,
            SkipReason.NOT_WORTH_IT,
            SkipReason.ROUND_FULL,
        ):
            continue
        gain = sum(missing.get(d, 0.0) * source.datasets.get(d, 0.0) * source.reliability for d in skip.datasets)
        price = source.max_price
        if price <= max(budget, 0) and gain >= limits.toll(price):
            return True
    return False


def _whole(report: QualityReport) -> float:
    """The weights that overall quality is a mean over: of a narrow question each dataset counts for more."""
    return sum(d.weight for d in report.datasets) or 1.0


class _Basket:
    """The calls taken so far, in order, and what they leave of the money, the places and what there is to gain."""

    def __init__(self, missing: Mapping[str, float], limits: Limits) -> None:
        self.missing = dict(missing)
        self.limits = limits
        self.calls: list[tuple[Candidate, float]] = []
        """Each call with its gain, given those before it."""
        self.keys: set[str] = set()
        self.spent = 0
        self._of: Counter[str] = Counter()

    @property
    def gained(self) -> float:
        """What all calls taken add to overall quality."""
        return sum(gain for _, gain in self.calls)

    def take(self, wanted: Sequence[Candidate]) -> None:
        """Take calls as long as there are places, the one that brings most (for its price, if it has one) first."""
        left = list(wanted)
        while left:
            best = max(left, key=lambda c: self.gain(c) / (c.cost or 1))
            left.remove(best)
            if self._objection(best) is None:
                self._add(best)

    def gain(self, c: Candidate) -> float:
        """What a call adds to overall quality by what is known now."""
        return sum([self.missing.get(d, 0.0) * p * c.reliability for d, p in sorted(c.coverage.items())])

    def problem(self, paid: Sequence[Candidate]) -> Problem:
        """The choice among calls that cost money."""
        datasets = {d: n for n, d in enumerate(sorted(self.missing))}
        return Problem(
            worth=tuple(self.missing[d] for d in datasets),
            options=tuple(
                Option(
                    price=c.cost,
                    toll=self.limits.toll(c.cost),
                    covers=tuple(
                        (datasets[d], min(p * c.reliability, SURE))
                        for d, p in sorted(c.coverage.items())
                        if d in datasets
                    ),
                    group=c.source,
                )
                for c in paid
            ),
            budget=max(self.limits.budget, 0) - self.spent,
            most=max(self.limits.max_calls - len(self.calls), 0),
            per_group={s: max(k - self._of[s], 0) for s, k in self.limits.per_source.items()},
        )

    def refuse(self, c: Candidate) -> Skipped:
        """Why a call was not taken."""
        reason, detail = self._objection(c) or (SkipReason.NOT_WORTH_IT, "another choice brings more for the money")
        return _skip(c, reason, detail, gain=self.gain(c))

    def _add(self, c: Candidate) -> None:
        self.calls.append((c, self.gain(c)))
        self.keys.add(c.key)
        self.spent += c.cost
        if not c.cached:
            self._of[c.source] += 1
        for dataset, p in c.coverage.items():
            if dataset in self.missing:
                self.missing[dataset] *= 1 - p * c.reliability

    def _objection(self, c: Candidate) -> tuple[SkipReason, str] | None:
        gain, limits = self.gain(c), self.limits
        left = max(limits.budget, 0) - self.spent
        if gain < limits.toll(c.cost):
            return SkipReason.NOT_WORTH_IT, f"its expected gain of {gain:.4f} is not worth ${to_usd(c.cost):.4f}"
        if not c.cached and self._of[c.source] >= limits.per_source.get(c.source, self._of[c.source] + 1):
            most = limits.per_source[c.source]
            return SkipReason.SOURCE_PACE, f"its pace allows {most} calls until the deadline"
        if len(self.calls) >= limits.max_calls:
            return SkipReason.ROUND_FULL, f"the round is full with {limits.max_calls} calls"
        if c.cost > left:  # what is free is never over a budget, not even over one that is overdrawn
            return SkipReason.OVER_BUDGET, f"${to_usd(c.cost):.4f} is more than the ${to_usd(left):.4f} left for calls"
        return None


def _sift(
    candidates: Sequence[Candidate], missing: Mapping[str, float], limits: Limits, tried: set[str]
) -> tuple[list[Candidate], list[Skipped]]:
    """Those worth ranking, by key, and those that cannot be made at all or would fetch the same again."""
    open_: list[Candidate] = []
    skipped: list[Skipped] = []
    seen = set(tried)
    for c in sorted(candidates, key=_order):
        if c.refused:
            skipped.append(_skip(c, c.reason, c.refused))
        elif c.key in seen:
            if c.key not in tried:
                skipped.append(_skip(c, SkipReason.DUPLICATE, "the same call is planned already"))
        elif not any(missing.get(d, 0.0) > 0 for d in c.coverage):
            skipped.append(_skip(c, SkipReason.ALREADY_KNOWN, "what it would bring is known well enough"))
        elif c.seconds > limits.seconds and not c.cached:
            skipped.append(_skip(c, SkipReason.DEADLINE, "it would take longer than is left"))
        else:
            seen.add(c.key)
            open_.append(c)
    return open_, skipped


def _order(c: Candidate) -> tuple[str, str, str, int, str]:
    return c.key, c.call_id, c.source, c.cost, repr(sorted(c.coverage.items()))


def _choose(problem: Problem, planner: Literal["fast", "exact"]) -> list[int]:
    """The fast choice, or the best one when that is asked for and can be had in time."""
    chosen = fast(problem)
    if planner == "exact" and chosen:
        from agent.planning.exact import exact

        try:
            return exact(problem, start=chosen).chosen
        except ImportError:
            logger.warning(
                "planner = exact needs scipy (the extra `exact`), which is not installed: the fast planner is used"
            )
        except TimeoutError:
            logger.warning("the exact planner took too long over %d calls: the fast one is used", len(problem.options))
    return chosen


def _offer(basket: _Basket, paid: Sequence[Candidate]) -> Offer | None:
    """What a dollar more would add to the plan as it stands."""
    over = [c for c in paid if c.key not in basket.keys]
    left = basket.limits.budget - basket.spent
    problem = replace(basket.problem(over), budget=max(left, 0) + DOLLAR)
    richer = _Basket(basket.missing, replace(basket.limits, budget=problem.budget))
    richer.take([over[i] for i in trim(problem, greedy(problem))])
    if richer.spent <= left or not richer.calls:
        return None
    calls = tuple(_call(c, gain) for c, gain in richer.calls)
    return Offer(more=richer.spent - left, calls=calls, gain=richer.gained)


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
