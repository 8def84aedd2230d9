"""The figures of Google Finance's statements: which of them, of which period, with which digits. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from tools.reading.serpapi_reply import Found, Json, items_in, plain

CURRENCIES = frozenset(
    "USD EUR GBP JPY CNY HKD INR KRW TWD SGD AUD NZD CAD CHF SEK NOK DKK PLN CZK HUF TRY ILS SAR AED ZAR BRL MXN CLP "
    "COP ARS IDR MYR THB PHP VND".split()
)
"""Codes of currencies; exchanges have three letters too."""
_MONTHS = "January February March April May June July August September October November December".split()
_MONTH = re.compile(r"([A-Z][a-z]{2})[a-z]*\.? (\d{4})")
_YEAR = re.compile(r"(?:FY ?)?(\d{4})")
_NUMBER = re.compile(
    r"([+-]?)(?:[$€£¥₹₩] ?)?([+-]?)(\d{1,3}(?:,\d{2,3})+|\d{1,18})(\.\d{1,12})?\s?([KMBT]?)(?: ([A-Z]{3}))?"
)
_SCALE = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_WANTED = {
    "income": {"revenue": "revenue", "total revenue": "revenue", "operating income": "operating_income"},
    "balance": {
        "cash and short-term investments": "cash",
        "cash & short-term investments": "cash",
        "cash and cash equivalents": "cash",
        "cash and equivalents": "cash",
    },
}
"""Statement -> the row's title -> the field of `financials`."""


@dataclass(frozen=True)
class Figure:
    """One row of a statement for one period."""

    field: str
    label: str
    """What the row is called, in the middle of a sentence."""
    shown: str
    value: int | float
    currency: str
    """Only where the row itself names one."""
    period: str
    """`quarter ended September 2026` or `fiscal year 2025`."""
    change: float | None
    """Percent on the year before."""
    change_shown: str


@dataclass(frozen=True)
class _Period:
    kind: str
    year: int
    month: int
    words: str


def figures(reply: Json, found: Found, anchor: datetime | None) -> Iterator[Figure]:
    """For every wanted row its latest quarter and its latest year; of what is held at an instant the latest only."""
    for statement in items_in(reply, "financials", found):
        title = plain(statement.get("title")).casefold()
        wanted = next((rows for word, rows in _WANTED.items() if word in title), None)
        if wanted is None:
            continue
        columns = [(p, c) for c in items_in(statement, "results", found) if (p := _period(c)) is not None]
        if anchor is not None and any(_to_come(p, anchor) for p, _ in columns):
            # Has happened: fiscal periods labelled a year late. Then no label of the statement can be trusted.
            found.notes.append(f"{plain(statement.get('title'))} left out: it has periods that are yet to come")
            continue
        yield from _latest(columns, wanted, found)


def _latest(columns: list[tuple[_Period, Json]], wanted: dict[str, str], found: Found) -> Iterator[Figure]:
    seen: set[tuple[str, str]] = set()
    for period, column in sorted(columns, key=lambda c: (c[0].kind, c[0].year, c[0].month), reverse=True):
        for row in items_in(column, "table", found):
            label = plain(row.get("title")).casefold()
            field = wanted.get(label)
            if field is None or (field, period.kind) in seen or (field == "cash" and (field, "quarter") in seen):
                continue
            if (figure := _figure(field, label, row, period)) is not None:
                seen.add((field, period.kind))
                yield figure


def _figure(field: str, label: str, row: Json, period: _Period) -> Figure | None:
    raw = row.get("value")
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        text = format(Decimal(str(raw)), "f") if abs(raw) < 1e18 else ""
    else:
        text = plain(raw).replace("−", "-")
    value = number(text)
    hit = _NUMBER.fullmatch(text)
    if value is None or hit is None:
        return None
    own = hit[6] or plain(row.get("currency"))
    change_shown = plain(row.get("change")).replace("−", "-")
    change = number(change_shown.removesuffix("%")) if change_shown.endswith("%") else None
    digits = hit[3] if "," in hit[3] else f"{int(hit[3]):,}"
    shown = f"{hit[1] or hit[2]}{digits}{(hit[4] or '').rstrip('0').rstrip('.')}{hit[5]}".lstrip("+")
    return Figure(
        field=field,
        label=label,
        shown=shown,
        value=value,
        currency=own if own in CURRENCIES else "",
        period=period.words,
        change=float(change) if change is not None else None,
        change_shown=change_shown,
    )


def number(text: str) -> int | float | None:
    """`2,438`, `-3.5`, `$1.21B` as a number; None for a dash or anything else that is not just a number."""
    hit = _NUMBER.fullmatch(text.strip())
    if hit is None:
        return None
    try:
        value = Decimal(f"{hit[1] or hit[2]}{hit[3].replace(',', '')}{hit[4] or ''}") * _SCALE[hit[5]]
    except InvalidOperation:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _period(column: Json) -> _Period | None:
    """What a column covers; None where its date or its kind is not one of the known forms."""
    kind, date = plain(column.get("period_type")).casefold(), plain(column.get("date"))
    if kind.startswith("quarter") and (hit := _MONTH.fullmatch(date)) is not None:
        month = next((m for m in _MONTHS if m.startswith(hit[1])), "")
        if month:
            return _Period("quarter", int(hit[2]), _MONTHS.index(month) + 1, f"quarter ended {month} {hit[2]}")
    if kind.startswith(("annual", "year")) and (hit := _YEAR.fullmatch(date)) is not None:
        return _Period("annual", int(hit[1]), 0, f"fiscal year {hit[1]}")
    return None


def _to_come(period: _Period, anchor: datetime) -> bool:
    return (period.year, period.month) > (anchor.year, anchor.month)
