"""Quality of what is known, pure: completeness, freshness, reliability, per dataset and overall. Everything is in [0, 1].

Sources of the formulas: completeness, Pipino, Lee & Wang, "Data quality assessment" (2002); freshness as the probability that
a value is still current, Heinrich, Klier & Kaiser (2009); reliability by pooling log-odds over independent origins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import exp, log

from pydantic import JsonValue

from agent.records import (
    ConsumerType,
    Dataset,
    DatasetField,
    DatasetQuality,
    Evidence,
    FieldQuality,
    QualityReport,
    Requirement,
    normalise,
)

UNKNOWN_DATE_HALF_LIVES = 3.0
"""An unknown date counts as this many half-lives old (freshness 1/8): unknown must score low, not high."""

RELIABILITY_CAP = 0.99
MAX_LOG_ODDS = 500.0
"""Enough for a probability of 0; `exp` of much more overflows."""

DAY = 86_400.0


def freshness(published_at: datetime | None, now: datetime, half_life_days: float) -> float:
    """exp(-ln 2 * age / half-life), age from publication; a date in the future counts as today."""
    if published_at is None:
        return float(0.5**UNKNOWN_DATE_HALF_LIVES)
    age = max((now - published_at).total_seconds() / DAY, 0.0)
    return exp(-log(2) * age / half_life_days)


def pooled_reliability(priors: Mapping[str, float], against: Mapping[str, float] | None = None) -> float:
    """Pool priors per independent origin as log-odds, subtract those of origins that contradict; at most .99."""
    total = sum(_log_odds(p) for p in priors.values()) - sum(_log_odds(p) for p in (against or {}).values())
    return min(1 / (1 + exp(min(-total, MAX_LOG_ODDS))), RELIABILITY_CAP) if priors else 0.0


def by_origin(evidence: Sequence[Evidence]) -> dict[str, float]:
    """The best prior per origin: syndicated copies of one publisher count once."""
    found: dict[str, float] = {}
    for e in evidence:
        origin = normalise(e.origin or e.source or e.document_id)
        found[origin] = max(found.get(origin, 0.0), e.reliability)
    return found


def fresh_enough(evidence: Evidence, dataset: Dataset, floor: float, now: datetime) -> bool:
    """Whether a value reaches the consumer's freshness floor; one without a date does not."""
    return evidence.published_at is not None and freshness(evidence.published_at, now, dataset.half_life_days) >= floor


def assess(
    evidence: Sequence[Evidence],
    consumer: ConsumerType,
    datasets: Mapping[str, Dataset],
    now: datetime,
    requirements: Sequence[Requirement] | None = None,
) -> QualityReport:
    """Quality of the evidence for what a consumer type requires (or only for the given requirements of it).

    Overall is the weighted mean over the requirements looked at, so that a narrow question can be answered well.
    """
    wanted = consumer.requirements if requirements is None else tuple(requirements)
    found = tuple(_dataset_quality(r, evidence, consumer, datasets[r.dataset], now) for r in wanted)
    total = sum(d.weight for d in found)
    overall = sum(d.weight * d.quality for d in found) / total if total else 0.0
    return QualityReport(overall=overall, datasets=found)


def _dataset_quality(
    requirement: Requirement, evidence: Sequence[Evidence], consumer: ConsumerType, dataset: Dataset, now: datetime
) -> DatasetQuality:
    mine = [e for e in evidence if e.dataset == dataset.id]
    fresh = [e for e in mine if fresh_enough(e, dataset, consumer.freshness_floor, now)]
    fields = [(f, _field_quality(f, [e for e in fresh if e.field == f.name], dataset, now)) for f in dataset.fields]
    weight = sum(f.weight for f, _ in fields) or 1.0

    filled = [(f, q) for f, q in fields if q.valid > 0]
    filled_weight = sum(f.weight for f, _ in filled) or 1.0
    return DatasetQuality(
        dataset=dataset.id,
        required=requirement.required,
        weight=requirement.weight,
        completeness=sum(f.weight * q.valid for f, q in fields) / weight,
        freshness=sum(f.weight * q.freshness for f, q in filled) / filled_weight if filled else 0.0,
        reliability=sum(f.weight * q.reliability for f, q in filled) / filled_weight if filled else 0.0,
        quality=sum(f.weight * q.valid * q.freshness * q.reliability for f, q in fields) / weight,
        minimum=consumer.min_quality,
        fields=tuple(q for _, q in fields),
        missing=tuple(f.name for f, q in fields if q.valid == 0),
        stale=bool(mine) and not fresh,
    )


def _field_quality(field: DatasetField, evidence: Sequence[Evidence], dataset: Dataset, now: datetime) -> FieldQuality:
    """A list counts min(n/n*, 1) of its items; freshness and reliability are those of the items, a single value's its best.

    Reliability is the mean of the items weighted by their freshness, so that freshness * reliability is the mean of the items'
    own products: two plain means would let a better item lower the whole.
    """
    if not evidence:
        return FieldQuality(field=field.name, valid=0.0, freshness=0.0, reliability=0.0)
    items = _items(evidence) if field.kind == "list" else [list(evidence)]
    ages = [max(freshness(e.published_at, now, dataset.half_life_days) for e in item) for item in items]
    trust = [pooled_reliability(by_origin(item)) for item in items]
    best = sorted(zip(ages, trust, strict=True), key=lambda pair: pair[0] * pair[1], reverse=True)[
        : max(field.target, 1)
    ]
    fresh = sum(a for a, _ in best)
    valid = min(len(items) / field.target, 1.0) if field.kind == "list" else 1.0
    return FieldQuality(
        field=field.name,
        valid=valid,
        freshness=fresh / len(best),
        reliability=sum(a * t for a, t in best) / fresh if fresh else 0.0,
    )


def _items(evidence: Sequence[Evidence]) -> list[list[Evidence]]:
    """Evidence of a list field, grouped by the items it speaks of: their names where it has them, else its words."""
    groups: dict[str, list[Evidence]] = {}
    for e in evidence:
        for name in {normalise(n) for n in _names(e.value) or [e.quote]}:
            groups.setdefault(name, []).append(e)
    return list(groups.values())


def _names(value: JsonValue) -> list[str]:
    """The names of the items in a value: a list of items, or one."""
    if isinstance(value, list):
        return [name for item in value for name in _names(item)]
    named = (value.get("name") or value.get("headline")) if isinstance(value, dict) else value
    return [str(named)] if named else []


def _log_odds(p: float) -> float:
    bounded = min(max(p, 0.01), RELIABILITY_CAP)
    return log(bounded / (1 - bounded))
