"""Where sources disagree, pure: two values of one field and one period, from independent origins, that cannot both be right.

Nothing is resolved: every side stays evidence and is shown. For judging quality the likeliest side counts, with what speaks
against it taken off its reliability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import JsonValue

from agent.claims import find_contradictions
from agent.claims.cleaning import clean
from agent.claims.dates import dates
from agent.quality import by_origin, freshness, pooled_reliability
from agent.records import Conflict, ConflictSide, Dataset, Evidence, normalise
from agent.values import SCALARS

SINGLE = frozenset({"hq", "legal_name", "domain", "parent"})
"""Text fields that have one value at a time."""

MAX_SIDES = 6


@dataclass(frozen=True)
class Found:
    """A conflict, with the evidence it is made of."""

    sides: tuple[Evidence, ...]
    """The likeliest first."""
    against: tuple[Evidence, ...]
    """Those that disagree with the first."""

    @property
    def record(self) -> Conflict:
        """The conflict as it is told."""
        shown = (self.sides[0], *self.against, *(e for e in self.sides[1:] if e not in self.against))
        return Conflict(
            dataset=self.sides[0].dataset,
            field=self.sides[0].field,
            sides=tuple(
                ConflictSide(
                    evidence_id=e.id,
                    document_id=e.document_id,
                    quote=e.quote,
                    source=e.source,
                    published_at=e.published_at,
                )
                for e in shown[:MAX_SIDES]
            ),
        )


def find_conflicts(evidence: Sequence[Evidence], datasets: Mapping[str, Dataset], now: datetime) -> tuple[Found, ...]:
    """The conflicts among what is known of the subject, field by field; the seller's own words are left out."""
    kinds = {(d.id, f.name): f.kind for d in datasets.values() for f in d.fields}

    def single(e: Evidence) -> bool:
        kind = kinds.get((e.dataset, e.field))
        return kind in SCALARS or (kind == "text" and e.field in SINGLE)

    # All of it is about the subject, whatever its document calls it.
    valued = {e.id: e.model_copy(update={"about": ""}) for e in evidence if e.value is not None and single(e)}
    against: dict[str, set[str]] = {}
    for a, b in find_contradictions([e for e in valued.values() if e.dataset != "vendor"]):
        one, other = valued[a], valued[b]
        if not by_origin([one]).keys() & by_origin([other]).keys() and _alike(
            one, other, kinds[one.dataset, one.field]
        ):
            against.setdefault(a, set()).add(b)
            against.setdefault(b, set()).add(a)

    def worth(i: str) -> tuple[float, str]:
        e = valued[i]
        return -e.reliability * freshness(e.published_at, now, datasets[e.dataset].half_life_days), i

    originals = {e.id: e for e in evidence}
    found: list[Found] = []
    seen: set[str] = set()
    for first in sorted(against, key=worth):
        if first not in seen:
            group = _joined(first, against)
            seen |= group
            ranked = sorted(group, key=worth)
            sides = tuple(originals[i] for i in ranked)
            found.append(Found(sides, tuple(originals[i] for i in ranked if i in against[first])))
    return tuple(found)


def weighed(evidence: Sequence[Evidence], conflicts: Sequence[Found]) -> list[Evidence]:
    """The evidence as quality should count it: of a conflict the first side alone, less reliable by what speaks against it."""
    out = {e.id for c in conflicts for e in c.against}
    lowered: dict[str, float] = {}
    for c in conflicts:
        first, against = c.sides[0], by_origin(c.against)
        for e in evidence:
            same = (e.dataset, e.field) == (first.dataset, first.field) and by_origin([e]).keys() == by_origin(
                [first]
            ).keys()
            if same:  # an origin counts once, by its best: all it says of the field is as doubtful
                lowered[e.id] = pooled_reliability(by_origin([e]), against)
    return [
        e.model_copy(update={"reliability": lowered[e.id]}) if e.id in lowered else e
        for e in evidence
        if e.id not in out
    ]


def _joined(first: str, against: Mapping[str, set[str]]) -> set[str]:
    """Everything that disagrees with it, with what disagrees with that, and so on."""
    group, waiting = {first}, [first]
    while waiting:
        new = against[waiting.pop()] - group
        group |= new
        waiting += new
    return group


def _alike(a: Evidence, b: Evidence, kind: str) -> bool:
    """Whether two values that differ are of the same thing: figures of one period, places of one size."""
    match kind:
        case "money" | "percent":
            mine, theirs = _span(_part(a.value, "period")), _span(_part(b.value, "period"))
            return bool(mine) and mine == theirs
        case "number":
            return _part(a.value, "as_of") == _part(b.value, "as_of")
        case "text":  # `Bozeman, Montana` and `106 East Babcock Street, Bozeman` are one place
            x, y = normalise(str(a.value)), normalise(str(b.value))
            return x.split(",")[0] not in y and y.split(",")[0] not in x
    return True


def _part(value: JsonValue, key: str) -> str:
    return str(value.get(key) or "") if isinstance(value, dict) else ""


def _span(period: str) -> str:
    """How long a stated period is: a year and its last quarter end on the same day. Empty when it is not stated."""
    start, slash, end = period.partition("/")
    if slash:
        try:
            days = (date.fromisoformat(end) - date.fromisoformat(start)).days
        except ValueError:
            return ""
        return "year" if days > 300 else "half" if days > 150 else "quarter"
    found = dates(clean(period[:120]))
    if len(found) != 1:
        return ""
    when = found[0]
    if when.quarter or when.ended == "quarter":
        return "quarter"
    if when.half or when.ended == "months":
        return "half" if when.half else ""
    return "day" if when.day and not when.ended else "year" if when.ended or when.month is None else "month"
