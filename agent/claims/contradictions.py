"""Pairs of evidence that cannot both be right."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations

from pydantic import JsonValue

from agent.claims.cleaning import clean
from agent.claims.dates import When, dates, same_date
from agent.claims.measures import Quantity
from agent.claims.names import core
from agent.claims.reading import read
from agent.records import Evidence

_SINGLE = frozenset("hq founded legal_name domain parent".split())
"""Text fields that have one value at a time; two sources that differ cannot both be right, whenever they were
published."""


def find_contradictions(evidence: Sequence[Evidence]) -> tuple[tuple[str, str], ...]:
    """Pairs of evidence ids of one company, dataset, field and period whose values cannot both be right.

    Numbers differ when rounding does not explain it; of text only fields with a single value are compared. Two values
    of a thing that changes are no contradiction when their stated periods, or else their days of publication, differ.
    """
    groups: dict[tuple[tuple[str, ...], str, str], list[Evidence]] = {}
    for e in evidence:
        groups.setdefault((core(e.about), e.dataset, e.field), []).append(e)
    found = []
    for group in groups.values():
        for a, b in combinations(group[:200], 2):
            if a.id != b.id and _comparable(a, b) and _disagree(a, b):
                found.append((a.id, b.id))
    return tuple(found)


def _value_number(e: Evidence) -> Quantity | None:
    """The one number of a piece of evidence: from its value, else from its quote when that holds only one."""
    value, unit = e.value, ""
    if isinstance(value, dict):
        unit = str(value.get("currency") or "")
        value = next((value[k] for k in ("value", "n", "amount", "total") if value.get(k) is not None), None)
    if isinstance(value, (bool, list)) or (e.value is not None and value is None):
        return None
    if isinstance(value, (int, float)):
        quoted = [q for q in read(e.quote).numbers if q.value == Decimal(str(value))]
        if quoted and (not unit or quoted[0].unit == unit):
            return quoted[0]
        digits = Decimal(str(value))
        return Quantity(digits, unit, Decimal(1), 0, 0, str(value)) if digits.is_finite() else None
    source = read(value if isinstance(value, str) else e.quote).numbers
    return source[0] if len(source) == 1 else None


def _periods(e: Evidence) -> tuple[When, ...]:
    stated: JsonValue = None
    if isinstance(e.value, dict):
        stated = next((e.value[k] for k in ("period", "as_of", "date", "year") if e.value.get(k)), None)
    return dates(clean(str(stated)[:200])) if stated else read(e.quote).dates


def _comparable(a: Evidence, b: Evidence) -> bool:
    """Whether two pieces of evidence speak of the same time."""
    if a.field == "founded":
        return True
    mine, theirs = _periods(a), _periods(b)
    if mine and theirs:
        return any(same_date(x, y) or same_date(y, x) for x in mine for y in theirs)
    if a.field in _SINGLE or a.published_at is None or b.published_at is None:
        return True
    return a.published_at.date() == b.published_at.date()


def _disagree(a: Evidence, b: Evidence) -> bool:
    if a.field == "founded":
        years = [
            {d.year for d in dates(clean(str(e.value if e.value is not None else e.quote)[:300])) if d.year}
            for e in (a, b)
        ]
        return bool(years[0] and years[1] and not years[0] & years[1])
    if a.field in _SINGLE:
        texts = [set(core(e.value)) if isinstance(e.value, str) else set() for e in (a, b)]
        return bool(texts[0] and texts[1]) and not (texts[0] <= texts[1] or texts[1] <= texts[0])
    x, y = _value_number(a), _value_number(b)
    if x is None or y is None or (x.unit and y.unit and x.unit != y.unit):
        return False
    gap = abs(x.value - y.value)
    hedged = x.mark or y.mark
    return gap > max(x.step, y.step) / 2 and not (hedged and gap <= max(abs(x.value), abs(y.value)) / 10)
