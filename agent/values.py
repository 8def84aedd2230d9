"""Typed values out of the words of one sentence, pure: money, percents, counts, dates, people, names, technologies.

    parse("financials", DatasetField(name="revenue", kind="money"), "Acme reported 2025 revenue of $4 million.", ["Acme"])
    -> Parsed(True, {"value": 4000000, "currency": "USD", "period": "2025"})

Precision comes before recall. A value is given only when the sentence ties the figure or the name to the field by its grammar;
otherwise the value is None and the quote speaks for itself. A sentence without any figure of the field's kind does not fit it.
Reading figures, dates and names is the work of `agent.claims`; what a name of a technology or a job title means, of
`tools.reading.job_words`. This module only decides which of them the field is about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from pydantic import JsonValue

from agent.claims.cleaning import clean
from agent.claims.dates import When, dates, same_date
from agent.claims.measures import Quantity
from agent.claims.names import name_words, stands
from agent.claims.reading import Reading, read
from agent.named_values import firm, is_money, iso, number, structured
from agent.records import DatasetField
from tools.base import Frozen


class Parsed(NamedTuple):
    """What a sentence says of a field."""

    fits: bool
    """Whether the sentence can fill the field at all: a number needs a number."""
    value: JsonValue = None
    """None when the sentence leaves the value open: then its words alone count."""


UNFIT, WORDS = Parsed(False), Parsed(True)

SCALARS = frozenset({"money", "percent", "number", "date"})
"""Kinds that need a figure."""


def parse(dataset: str, field: DatasetField, quote: str, names: Sequence[str]) -> Parsed:
    """What `quote` says of a field; `names` are those of the subject, who must be the one it is said of."""
    reading = read(quote)
    key = (dataset, field.name)
    match field.kind:
        case "money":
            return _money(reading, _METRICS.get(field.name, ""), names)
        case "percent":
            return _growth(reading, names)
        case "number":
            return _count(reading, _COUNTS.get(key))
        case "date":
            return _founded(reading)
    if not firm(reading.text):
        return WORDS
    return Parsed(True, structured(key, reading, names))


# --- money and percents -------------------------------------------------------------------------------------------------

_SALES = r"(?:net )?(?:revenues?|sales)"
_METRICS = {
    "revenue": _SALES,
    "operating_income": r"operating (?:income|profit|loss)",
    "cash": r"cash(?: and (?:cash )?equivalents)?(?:(?:,| and) (?:short-term |marketable )?(?:investments|securities))?",
}
_UP = r"rose|rises|grew|grows|climbed|jumped|surged|soared|gained|increas(?:ed|es|ing)|up"
_DOWN = r"fell|falls|declin(?:ed|es)|decreas(?:ed|es)|dropped|drops|shrank|slipped|down"
_LINK = (
    rf"(?:[\s,():-]|\b(?:of|was|were|is|are|stood|came|amounted|for|in|on|the|a|an|at|to|by|total(?:ed|led|ing)?|reach(?:ed|ing)|"
    rf"hit|about|approximately|nearly|almost|roughly|around|over|more|than|year|from|quarter|fiscal|full|balance|{_UP}|{_DOWN})\b)"
    r"{0,60}"
)
_CHANGE = re.compile(
    rf"\b(?:(?P<up>{_UP})|(?P<down>{_DOWN})|(?P<by>by|from))[\s,]*(?:about |nearly |more than |over )?$", re.I
)
_LEAD = frozenset(
    "total net annual quarterly yearly full-year consolidated overall its their our the a an record reported reports generated "
    "posted had has have with recorded year quarter and in held holds".split()
)
_BASE = re.compile(r"\b(?:from|compared (?:with|to)|versus|against)(?: the| a)?\s*(?:in |for )?(?:the )?$", re.I)


def _money(reading: Reading, metric: str, names: Sequence[str]) -> Parsed:
    """The one amount that the sentence gives as the level of a metric; a change and an earlier level are not it."""
    amounts = [q for q in reading.numbers if is_money(q)]
    if not amounts or not metric:
        return UNFIT
    hits = [q for q in amounts if _is_level(reading, q, metric, names)] if firm(reading.text) else []
    if len({(q.value, q.unit) for q in hits}) != 1:
        return WORDS
    q = hits[0]
    loss = metric == _METRICS["operating_income"] and re.search(r"\boperating loss\b", reading.text, re.I)
    if loss and re.search(r"\boperating (?:income|profit)\b", reading.text, re.I):
        return WORDS
    size = number(-abs(q.value) if loss else q.value)
    return Parsed(True, {"value": size, "currency": q.unit, "period": _period(reading), **_hedge(q)})


def _hedge(q: Quantity) -> dict[str, JsonValue]:
    return {"hedge": q.mark} if q.mark else {}


def _is_level(reading: Reading, q: Quantity, metric: str, names: Sequence[str]) -> bool:
    before, after = _blanked(reading, q.start), reading.text[q.end :]
    led = re.search(rf"\b(?:{metric})\b{_LINK}$", before, re.I)
    if led is not None:
        return not _CHANGE.search(before) and _plain_lead(before[: led.start()], names)
    return (
        re.match(rf"\s+(?:in|of) (?:(?:total|annual|quarterly|net) )?(?:{metric})\b(?! (?:growth|flows?))", after, re.I)
        is not None
    )


def _blanked(reading: Reading, end: int) -> str:
    """The words before a place; dates, percents and amounts are blanked, for they part nothing."""
    text = list(reading.text[:end])
    spans = [(d.start, d.end) for d in reading.dates] + [(n.start, n.end) for n in reading.numbers if n.unit]
    for a, b in spans:
        if b <= end:
            text[a:b] = " " * (b - a)
    return "".join(text)


def _plain_lead(before: str, names: Sequence[str]) -> bool:
    """Whether a metric is the company's own: `product revenue` and `cost of revenue` are others."""
    words = before.split()
    last = words[-1] if words else ""
    return not last or last.endswith(("'s", ",", ":")) or last.strip("\"'(").lower() in _LEAD | name_words(names)


def _growth(reading: Reading, names: Sequence[str]) -> Parsed:
    """The percent by which revenue changed, below zero when it fell."""
    percents = [q for q in reading.numbers if q.unit == "%"]
    if not percents or not re.search(rf"\b(?:{_SALES})\b", reading.text, re.I):
        return UNFIT
    found: set[float | int] = set()
    for q in percents if firm(reading.text) else ():
        before, after = _blanked(reading, q.start), reading.text[q.end :]
        led = re.search(rf"\b(?:{_SALES}){_LINK}$", before, re.I)
        change = re.search(
            rf"\b(?:(?P<up>{_UP})|(?P<down>{_DOWN}))(?: by)?\s*(?:about |nearly |more than |over )?$", before, re.I
        )
        named = re.search(rf"\b(?:{_SALES}) growth (?:rate )?(?:of|was|reached|at|to)\s*$", before, re.I)
        named = named or re.match(rf"\s+(?:annual |year-over-year )?(?:{_SALES}) growth\b", after, re.I)
        if led and change and _plain_lead(before[: led.start()], names):
            found.add(number(-q.value if change["down"] else q.value))
        elif named and _plain_lead(before[: named.start()] if named.string is before else "", names):
            found.add(number(q.value))
    if len(found) != 1:
        return WORDS
    return Parsed(True, {"value": found.pop(), "unit": "percent", "period": _period(reading)})


def _period(reading: Reading) -> str | None:
    """The one period that the sentence names, in its own words; None when it names none, or several."""
    found = [d for d in reading.dates if _is_period(d, reading.text) and not _BASE.search(_blanked(reading, d.start))]
    if found:
        return found[0].text if len({d.text for d in found}) == 1 else None
    word = re.search(r"\b(?:quarterly|annual)\b", reading.text, re.I)
    return word.group().lower() if word else None


_AS_OF = re.compile(r"\b(?:as of|as at|at the end of)\s*$", re.I)


def _is_period(d: When, text: str) -> bool:
    """Whether a date names a stretch of time or the day of a balance, and is not the day on which something was told."""
    if d.year is None or d.decade or d.prep:
        return False
    if d.ended or d.quarter or d.half or (d.month is None and d.day is None):
        return True
    return d.day is not None and _AS_OF.search(text[: d.start]) is not None


# --- counts and dates ---------------------------------------------------------------------------------------------------


class _Counted(NamedTuple):
    before: re.Pattern[str]
    after: re.Pattern[str]
    not_all: re.Pattern[str]
    """Words of a sentence that counts a change or a part, and not the whole."""


_HEDGED = r"(?:about |approximately |nearly |almost |roughly |around |over |more than |some |a total of )*$"
_COUNTS = {
    ("profile", "employees"): _Counted(
        re.compile(
            rf"\b(?:has|had|have|with|employs|employed|employing|employees:?|(?:headcount|workforce) (?:of|is|was)) {_HEDGED}",
            re.I,
        ),
        re.compile(r"\s+(?:full-time |total |global )*(?:employees|people|staff(?: members)?|workers)\b|[\s.,;)]|$", re.I),
        re.compile(
            r"\b(?:la(?:id|y|ys|ying) off|layoffs?|cut(?:s|ting)?|fired|hir(?:e|es|ed|ing)|add(?:s|ed|ing)?|eliminat\w+|reduc\w+|"
            r"lost|new|join(?:ed|s)?|additional|percent|customers?|impacted|affected)\b|%",
            re.I,
        ),
    ),
    ("hiring", "total"): _Counted(
        re.compile(rf"\b(?:has|had|have|with|lists?|listed|for|of|are|shows?|advertis\w+) {_HEDGED}", re.I),
        re.compile(r"\s+(?:open |current |active |job )*(?:jobs|positions|roles|openings|vacancies)\b", re.I),
        re.compile(r"\b(?:cut(?:s|ting)?|eliminat\w+|filled|closed|remov\w+|lost|more|fewer|new|additional)\b", re.I),
    ),
}  # fmt: skip
_PEOPLE = re.compile(
    r"\s+(?:[\w-]+ ){0,2}(?:employees|people|staff|workers|jobs|positions|roles|openings|vacancies)\b", re.I
)


def _count(reading: Reading, counted: _Counted | None) -> Parsed:
    """The whole number of something; a sentence that only counts a part or a change of it does not fit."""
    numbers = [q for q in reading.numbers if not q.unit and q.value == q.value.to_integral_value()]
    if not numbers or counted is None or counted.not_all.search(reading.text):
        return UNFIT
    hits = [
        q
        for q in numbers
        if counted.before.search(reading.text[: q.start])
        and counted.after.match(reading.text, q.end)
        and firm(reading.text)
    ]
    if len({q.value for q in hits}) != 1:
        return WORDS if any(_PEOPLE.match(reading.text, q.end) for q in numbers) else UNFIT
    days = {
        iso(d) for d in reading.dates if d.year is not None and not d.decade and _AS_OF.search(reading.text[: d.start])
    }
    as_of = days.pop() if len(days) == 1 else None
    return Parsed(True, {"n": number(hits[0].value), "as_of": as_of, **_hedge(hits[0])})


_BORN = re.compile(
    r"\b(?:founded|established|incorporated)\b(?: by [^.;]{1,60}?)?,? (?:back )?(?:in|on) (?:the )?(?:year )?$", re.I
)


def _founded(reading: Reading) -> Parsed:
    """The date of founding, as ISO as far as it is stated."""
    years = [d for d in reading.dates if d.year is not None]
    if not years:
        return UNFIT
    found = {iso(d) for d in years if not d.decade and _BORN.search(reading.text[: d.start])}
    return Parsed(True, found.pop()) if len(found) == 1 and firm(reading.text) else WORDS


# --- what a model read --------------------------------------------------------------------------------------------------


class ToldItem(Frozen):
    """One thing of a list, as a model read it; a person has a role."""

    name: str
    role: str = ""


class Told(Frozen):
    """One field as a model read it out of a document: nothing in it is believed before `confirm` has seen it."""

    document_id: str = ""
    dataset: str = ""
    field: str = ""
    quote: str = ""
    number: float | None = None
    unit: str = ""
    date: str = ""
    items: tuple[ToldItem, ...] = ()


def confirm(field: DatasetField, told: Told, names: Sequence[str]) -> Parsed:
    """A model's reading as a typed value, each part of which stands in its quote; unfit when a part of it does not.

    Where the rules read a value themselves, theirs is taken. A field that needs a figure is never filled without one.
    """
    reading = read(told.quote)
    own = parse(told.dataset, field, told.quote, names)
    when = _stated_date(told.date, reading) if told.date else None
    if (told.date and when is None) or not all(_stated_item(item, reading) for item in told.items):
        return UNFIT
    figure = next((q for q in reading.numbers if told.number is not None and _same(q, told, reading)), None)
    if told.number is not None and figure is None:
        return UNFIT
    if own.value is not None:
        return own
    if field.kind in SCALARS:
        return _scalar(field.kind, figure, told, when) if own.fits and firm(reading.text) else UNFIT
    if not told.items or not firm(reading.text):
        return WORDS
    if field.kind == "list":
        return Parsed(True, [item.model_dump(exclude_defaults=True) for item in told.items])
    return Parsed(True, told.items[0].name if len(told.items) == 1 else None)


def _scalar(kind: str, figure: Quantity | None, told: Told, when: When | None) -> Parsed:
    if kind == "date":
        return Parsed(True, iso(when)) if when is not None and when.year is not None else UNFIT
    if figure is None or told.number is None:
        return UNFIT
    size = number(Decimal(str(told.number)))
    match kind:
        case "money" if is_money(figure):
            return Parsed(
                True, {"value": size, "currency": figure.unit, "period": when.text if when else None, **_hedge(figure)}
            )
        case "percent" if figure.unit == "%":
            return Parsed(True, {"value": size, "unit": "percent", "period": when.text if when else None})
        case "number" if not figure.unit:
            return Parsed(True, {"n": size, "as_of": iso(when) if when else None, **_hedge(figure)})
    return UNFIT


_LESS = re.compile(rf"\b(?:loss(?:es)?|lost|negative|{_DOWN})\b[^.;]{{0,40}}$", re.I)


def _same(q: Quantity, told: Told, reading: Reading) -> bool:
    """Whether a figure of the quote is the one a model read: the same size, unit and sign."""
    size = Decimal(str(told.number))
    unit = told.unit.strip().upper()
    unit = {"PERCENT": "%", "$": "USD", "€": "EUR", "£": "GBP"}.get(unit, unit)
    if abs(size) != abs(q.value) or ((is_money(q) or q.unit == "%") and unit != q.unit):
        return False
    less = q.value < 0 or _LESS.search(reading.text[: q.start]) is not None
    return less == (size < 0) or not q.unit


def _stated_date(said: str, reading: Reading) -> When | None:
    """The date of the quote that a model read, as the model wrote it."""
    found = dates(clean(said[:80]))
    one = found[0] if len(found) == 1 else None
    return one if one is not None and any(same_date(one, d) for d in reading.dates) else None


def _stated_item(item: ToldItem, reading: Reading) -> bool:
    """Whether name and role stand in the quote, word after word."""
    parts = [read(part[:200]) for part in (item.name, item.role) if part.strip()]
    words = [[t.low for t in part.tokens] for part in parts]
    return bool(item.name.strip()) and all(w and stands(w, [reading]) for w in words)
