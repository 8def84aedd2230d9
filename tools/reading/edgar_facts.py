"""What the SEC's `companyfacts` says of revenue, operating income and cash: figures as filed, each with its period and filing.

Not to be believed at face value: `fy` and `fp` are those of the filing, not of the figure (a 10-K repeats two earlier years
under its own year), one period stands there once per filing that states it, and a fact with a start may last a quarter, half
a year, three quarters or a year whatever its form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from pydantic import JsonValue

from tools.base import FailureKind, FieldQuote, SourceDocument, SourceError
from tools.reading.dates import parse_date
from tools.reading.edgar_filings import ARCHIVES, LICENCE, ORIGIN, day, shown_name, text

QUARTER, YEAR = range(80, 101), range(350, 381)
"""Days that a quarter and a year last; calendars of 52 and 53 weeks included."""
_STALE = timedelta(days=400)
"""A figure this much older than the newest period is of a concept that the company no longer uses."""
_INTERIM = ("10-Q", "6-K")
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


@dataclass(frozen=True)
class _Concept:
    """A concept, and the words for it."""

    taxonomy: str
    name: str
    words: str
    loss: str = ""
    """The words when it is negative."""


@dataclass(frozen=True)
class _Measure:
    """A field and the concepts that may fill it, the plainest first; between them the newest period decides."""

    field: str
    concepts: tuple[_Concept, ...]


def _all(taxonomy: str, words: str, *names: str, loss: str = "") -> tuple[_Concept, ...]:
    return tuple(_Concept(taxonomy, name, words, loss) for name in names)


_REVENUE = _Measure(
    "revenue",
    (
        *_all("us-gaap", "revenue", "Revenues", "RevenueFromContractWithCustomerExcludingAssessedTax"),
        *_all("us-gaap", "revenue", "RevenueFromContractWithCustomerIncludingAssessedTax", "SalesRevenueNet"),
        *_all("us-gaap", "revenue net of interest expense", "RevenuesNetOfInterestExpense"),
        *_all("us-gaap", "revenue", "SalesRevenueGoodsNet", "SalesRevenueServicesNet"),
        *_all("ifrs-full", "revenue", "Revenue", "RevenueFromContractsWithCustomers"),
    ),
)
_INCOME = _Measure(
    "operating_income",
    (
        *_all("us-gaap", "operating income", "OperatingIncomeLoss", loss="an operating loss"),
        *_all("ifrs-full", "operating profit", "ProfitLossFromOperatingActivities", loss="an operating loss"),
    ),
)
_RESTRICTED = "cash, cash equivalents and restricted cash"
_CASH = _Measure(
    "cash",
    (
        *_all("us-gaap", "cash and cash equivalents", "CashAndCashEquivalentsAtCarryingValue"),
        *_all("us-gaap", "cash", "Cash"),
        *_all("us-gaap", "cash and amounts due from banks", "CashAndDueFromBanks"),
        *_all("us-gaap", _RESTRICTED, "CashCashEquivalentsRestrictedCashAndRestrictedCashEquivalents"),
        *_all("ifrs-full", "cash and cash equivalents", "CashAndCashEquivalents"),
        *_all("ifrs-full", "cash", "Cash"),
    ),
)


@dataclass(frozen=True)
class _Fact:
    """A figure as filed."""

    concept: _Concept
    unit: str
    value: Decimal
    start: datetime | None
    end: datetime
    filed: datetime
    form: str
    accession: str
    fiscal_year: str
    fiscal_period: str

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1 if self.start else 0

    @property
    def annual(self) -> bool:
        """A year in an annual report; twelve months in a quarterly one are no fiscal year."""
        return self.days in YEAR and not self.form.startswith(_INTERIM)

    @property
    def quarterly(self) -> bool:
        return self.days in QUARTER

    @property
    def source(self) -> str:
        """The filing, in words."""
        return f"{self.form or 'report'}, filed {day(self.filed)}"

    @property
    def span(self) -> str:
        """The period, in words."""
        if self.start is None:
            return f"as of {day(self.end)}"
        return f"for the {'fiscal year' if self.annual else 'quarter'} ended {day(self.end)}"

    def amount(self) -> str:
        size = abs(self.value)
        shown = f"{size:,.0f}" if size == size.to_integral_value() else f"{size:,f}"
        sign = "-" if self.value < 0 and not self.concept.loss else ""
        return f"{sign}{_SIGNS[self.unit]}{shown}" if self.unit in _SIGNS else f"{self.unit} {sign}{shown}"

    def words(self) -> str:
        return self.concept.loss if self.value < 0 and self.concept.loss else self.concept.words


def facts_documents(found: Mapping[str, JsonValue], cik: int, asked: str) -> list[SourceDocument]:
    """The latest annual and quarterly figures, one document each. Raises SourceError (malformed)."""
    facts, official = found.get("facts"), text(found.get("entityName"))
    if not isinstance(facts, dict) or not official:
        raise SourceError(FailureKind.MALFORMED, "The SEC's company facts have not the expected shape.")
    name = shown_name(official, asked)
    made: list[tuple[_Fact, SourceDocument]] = []
    ends: set[datetime] = set()
    for measure in (_REVENUE, _INCOME):
        series = _series(facts, measure)
        ends |= {f.end for one in series for f in one if f.annual or f.quarterly}
        for annual in (True, False):
            chosen = _latest([[f for f in one if (f.annual if annual else f.quarterly)] for one in series])
            if chosen:
                made.append((chosen[-1], _figure(name, cik, measure.field, chosen[-1])))
            if chosen and measure is _REVENUE and (before := _year_before(chosen)) is not None:
                made.append((chosen[-1], _growth(name, cik, before, chosen[-1])))
    made += [(fact, _figure(name, cik, "cash", fact)) for fact in _balances(_series(facts, _CASH), ends)]
    made += [(fact, _employees(name, cik, fact)) for fact in _headcount(facts)]
    newest = max((fact.end for fact, _ in made), default=None)
    return [document for fact, document in made if newest is not None and newest - fact.end <= _STALE]


def _series(facts: Mapping[str, JsonValue], measure: _Measure) -> list[list[_Fact]]:
    """Per concept and currency its figures by end of period, one per period: the one filed last."""
    return [one for c in measure.concepts for unit, rows in _units(facts, c) if (one := _read(c, unit, rows))]


def _units(facts: Mapping[str, JsonValue], concept: _Concept) -> list[tuple[str, list[JsonValue]]]:
    taxonomy = facts.get(concept.taxonomy)
    told = taxonomy.get(concept.name) if isinstance(taxonomy, dict) else None
    units = told.get("units") if isinstance(told, dict) else None
    known = [(u, r) for u, r in units.items() if isinstance(r, list)] if isinstance(units, dict) else []
    # A translation for the reader's convenience covers fewer periods than the currency of the books.
    return sorted(known, key=lambda pair: -len(pair[1]))


def _read(concept: _Concept, unit: str, rows: Sequence[JsonValue]) -> list[_Fact]:
    if concept.taxonomy != "dei" and not re.fullmatch(r"[A-Z]{3}", unit):
        return []
    known = sorted((f for row in rows if (f := _fact(concept, unit, row)) is not None), key=lambda f: f.filed)
    newest = {(f.start, f.end): f for f in known}  # restated: what was filed last stands
    return sorted(newest.values(), key=lambda f: f.end)


def _fact(concept: _Concept, unit: str, row: JsonValue) -> _Fact | None:
    if not isinstance(row, dict):
        return None
    value, accession = row.get("val"), text(row.get("accn"))
    start, end, filed = (parse_date(text(row.get(k))) for k in ("start", "end", "filed"))
    number = _number(value)
    if number is None or end is None or filed is None or not re.fullmatch(r"\d{10}-\d{2}-\d{6}", accession):
        return None
    if (start is None and row.get("start")) or (start is not None and start > end) or end > filed:
        return None
    year, period = row.get("fy"), text(row.get("fp"))
    return _Fact(
        concept,
        unit,
        number,
        start,
        end,
        filed,
        text(row.get("form")),
        accession,
        str(year) if isinstance(year, int) and not isinstance(year, bool) and 1900 < year < 2200 else "",
        period,
    )


def _number(value: JsonValue) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 30 else None


def _latest(series: Sequence[Sequence[_Fact]]) -> Sequence[_Fact]:
    """The series with the newest period; of several the first, for the plainest concepts come first."""
    known = [one for one in series if one]
    return max(known, key=lambda one: one[-1].end) if known else ()


def _year_before(series: Sequence[_Fact]) -> _Fact | None:
    last = series[-1]
    return next((f for f in reversed(series) if (last.end - f.end).days in YEAR and f.value > 0), None)


def _balances(series: Sequence[Sequence[_Fact]], ends: set[datetime]) -> Iterator[_Fact]:
    """Cash at the end of the latest year and at the latest balance-sheet date.

    A balance at any other date is of something else, such as cash taken over with an acquisition.
    """
    known = [[f for f in one if f.start is None and (not ends or f.end in ends)] for one in series]
    annual = _latest([[f for f in one if not f.form.startswith(_INTERIM)] for one in known])
    newest = _latest(known)
    if newest and (not annual or newest[-1].end > annual[-1].end):
        yield newest[-1]
    if annual:
        yield annual[-1]


def _headcount(facts: Mapping[str, JsonValue]) -> list[_Fact]:
    concept = _Concept("dei", "EntityNumberOfEmployees", "employees")
    series = [one for unit, rows in _units(facts, concept) if (one := _read(concept, unit, rows))]
    return list(_latest(series)[-1:])


def _figure(name: str, cik: int, field: str, fact: _Fact) -> SourceDocument:
    sentence = f"{name} reported {fact.words()} of {fact.amount()} {fact.span} ({fact.source})."
    return _document(name, cik, "financials", field, fact, sentence, _value(fact), f"{fact.words()} {fact.span}")


def _growth(name: str, cik: int, before: _Fact, fact: _Fact) -> SourceDocument:
    """Both figures in words, the rate as the value only: it is our arithmetic, not the filing's."""
    other = "" if before.accession == fact.accession else f" ({before.source})"
    sentence = (
        f"{name} reported {fact.words()} of {fact.amount()} {fact.span} ({fact.source}), "
        f"compared with {before.amount()} {before.span}{other}."
    )
    rate = float(round((fact.value - before.value) / before.value * 100, 2))
    value = {**_value(fact), "value": rate, "unit": "percent", "compared_with": before.end.date().isoformat()}
    del value["currency"]
    return _document(name, cik, "financials", "growth", fact, sentence, value, f"{fact.words()} growth {fact.span}")


def _employees(name: str, cik: int, fact: _Fact) -> SourceDocument:
    sentence = (
        f"{name} reported {fact.value:,.0f} employees as of {day(fact.end)} ({fact.form}, filed {day(fact.filed)})."
    )
    value: dict[str, JsonValue] = {"n": _json(fact.value), "as_of": fact.end.date().isoformat()}
    return _document(name, cik, "profile", "employees", fact, sentence, value, f"employees as of {day(fact.end)}")


def _value(fact: _Fact) -> dict[str, JsonValue]:
    value: dict[str, JsonValue] = {
        "value": _json(fact.value),
        "currency": fact.unit,
        "period": f"{fact.start.date()}/{fact.end.date()}" if fact.start else fact.end.date().isoformat(),
        "form": fact.form,
        "filed": fact.filed.date().isoformat(),
        "accession": fact.accession,
    }
    return value


def _json(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def _document(
    name: str, cik: int, dataset: str, field: str, fact: _Fact, sentence: str, value: Mapping[str, JsonValue], what: str
) -> SourceDocument:
    began = f"The period began on {day(fact.start)}. " if fact.start else ""
    listed = ", ".join(
        part for part in (f"fiscal year {fact.fiscal_year}" * bool(fact.fiscal_year), fact.fiscal_period) if part
    )
    source = (
        f"{began}The figure is tagged {fact.concept.taxonomy}:{fact.concept.name} in {fact.unit}; the filing has the "
        f"accession number {fact.accession}{f' and is listed under {listed}' if listed else ''}."
    )
    return SourceDocument(
        url=f"{ARCHIVES}/{cik}/{fact.accession.replace('-', '')}/{fact.accession}-index.htm",
        title=f"{name}: {what}",
        text=f"{sentence}\n{source}",
        published_at=fact.filed,
        origin=ORIGIN,
        licence=LICENCE,
        about=name,
        fields=(FieldQuote(dataset=dataset, field=field, quote=sentence, value=dict(value)),),
    )
