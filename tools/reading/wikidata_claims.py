"""Reads a Wikidata item: labels, and statements with their ranks, qualifiers and unknown values."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from pydantic import JsonValue

from tools.reading.dates import parse_date
from tools.reading.wikidata_api import items, table, text

START, END, POINT = "P580", "P582", "P585"
COUNTRY, PART_OF_IT = "P17", ("P518", "P642")
_DAY, _MONTH, _YEAR = 11, 10, 9
_TIME = re.compile(r"\+([0-9]{4})-([0-9]{2})-([0-9]{2})T")
_AMOUNT = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,20})?")
_ITEM = re.compile(r"Q[1-9][0-9]{0,11}")
_GREGORIAN = "Q1985727"
LANGUAGES = ("en", "mul", "en-us", "en-gb", "en-ca", "de", "fr", "es", "it", "nl", "sv")
"""Languages whose names are written as in English; `mul` is what holds for all of them."""


@dataclass(frozen=True)
class Moment:
    """A time as precisely as it is known."""

    year: int
    month: int = 0
    day: int = 0

    @property
    def text(self) -> str:
        """As in ISO 8601, as far as it is known."""
        parts = [f"{self.year:04d}", *(f"{n:02d}" for n in (self.month, self.day) if n)]
        return "-".join(parts)

    @property
    def words(self) -> str:
        """As in a sentence."""
        if not self.month:
            return str(self.year)
        month = calendar.month_name[self.month]
        return f"{month} {self.day}, {self.year}" if self.day else f"{month} {self.year}"

    @property
    def first(self) -> datetime:
        """The first day that is meant."""
        return datetime(self.year, self.month or 1, self.day or 1, tzinfo=UTC)

    @property
    def last(self) -> datetime:
        """The last day that is meant."""
        month = self.month or 12
        return datetime(self.year, month, self.day or calendar.monthrange(self.year, month)[1], tzinfo=UTC)


def moment(value: JsonValue) -> Moment | None:
    """A time value; None for decades and centuries, years before 1 and what is no date."""
    raw = table(value)
    found, precision = _TIME.match(text(raw.get("time"))), raw.get("precision")
    if found is None or not isinstance(precision, int) or precision < _YEAR:
        return None
    year, month, day = (int(n) for n in found.groups())
    # Month and day of another calendar are not ours.
    if _GREGORIAN not in text(raw.get("calendarmodel") or _GREGORIAN):
        precision = _YEAR
    try:
        if precision >= _DAY:
            date(year, month, day)
            return Moment(year, month, day)
        date(year, month if precision == _MONTH else 1, 1)
    except ValueError:
        return None
    return Moment(year, month) if precision == _MONTH else Moment(year)


def _amount(value: JsonValue) -> Decimal | None:
    written = text(table(value).get("amount"))
    return Decimal(written) if _AMOUNT.fullmatch(written) else None


def item_id(value: JsonValue) -> str:
    """The Q-number of an item value; older replies have only its number."""
    raw = table(value)
    named, number = text(raw.get("id")), raw.get("numeric-id")
    if not named and raw.get("entity-type") == "item" and isinstance(number, int):
        named = f"Q{number}"
    return named if _ITEM.fullmatch(named) else ""


@dataclass(frozen=True)
class Statement:
    """One statement that is not deprecated and has a known value."""

    value: JsonValue
    preferred: bool = False
    qualifiers: Mapping[str, Sequence[Mapping[str, JsonValue]]] = field(default_factory=dict)

    @property
    def item(self) -> str:
        """The item it points to."""
        return item_id(self.value)

    @property
    def string(self) -> str:
        """Its string; of a text in one language the text."""
        return text(self.value) or text(table(self.value).get("text"))

    @property
    def language(self) -> str:
        """The language of its text."""
        return text(table(self.value).get("language"))

    @property
    def amount(self) -> Decimal | None:
        """Its quantity."""
        return _amount(self.value)

    @property
    def unit(self) -> str:
        """The item of its unit; empty for a plain number."""
        return text(table(self.value).get("unit")).rpartition("/")[2]

    def moment(self, qualifier: str) -> Moment | None:
        """The time in a qualifier."""
        found = (moment(v) for v in self._known(qualifier))
        return next((m for m in found if m is not None), None)

    def items(self, qualifier: str) -> list[str]:
        """The items in a qualifier."""
        return [q for v in self._known(qualifier) if (q := item_id(v))]

    def strings(self, qualifier: str) -> list[str]:
        """The strings in a qualifier."""
        return [s for v in self._known(qualifier) if (s := text(v))]

    def amounts(self, qualifier: str) -> list[Decimal | None]:
        """The quantities in a qualifier; None for one that cannot be read."""
        return [_amount(v) for v in self._known(qualifier)]

    def holds(self, now: datetime) -> bool:
        """Whether it is true now: begun, and not ended. An end at an unknown time is an end; `no value` is none."""
        begun = self.moment(START)
        if begun is not None and begun.first > now:
            return False
        for snak in self.qualifiers.get(END, ()):
            if snak.get("snaktype") == "novalue":
                continue
            ended = moment(table(snak.get("datavalue")).get("value"))
            # A year alone may name a day to come: what ends this year is not called current any more.
            if ended is None or ended.first <= now:
                return False
        return True

    def _known(self, qualifier: str) -> list[JsonValue]:
        snaks = self.qualifiers.get(qualifier, ())
        return [table(s.get("datavalue")).get("value") for s in snaks if s.get("snaktype") == "value"]


def best(found: Sequence[Statement]) -> list[Statement]:
    """The preferred statements, or all where none is preferred."""
    return [s for s in found if s.preferred] or list(found)


@dataclass(frozen=True)
class Entity:
    """An item, from `wbgetentities` or `Special:EntityData`."""

    raw: Mapping[str, JsonValue] = field(repr=False)

    @property
    def id(self) -> str:
        """Its Q-number; empty for anything else."""
        found = text(self.raw.get("id"))
        return found if _ITEM.fullmatch(found) and "missing" not in self.raw else ""

    @property
    def label(self) -> str:
        """Its name, in English where there is one."""
        labels = table(self.raw.get("labels"))
        found = (_said(labels.get(language)) for language in LANGUAGES)
        return next((name for name in found if name), "")[:200]

    @property
    def description(self) -> str:
        """What it is, in English."""
        found = table(self.raw.get("descriptions"))
        return (_said(found.get("en")) or _said(found.get("en-gb")))[:300]

    @property
    def aliases(self) -> list[str]:
        """Other English names."""
        found = table(self.raw.get("aliases"))
        said = [_said(one) for language in LANGUAGES[:5] for one in items(found.get(language))]
        return list(dict.fromkeys(a[:200] for a in said if a))

    @property
    def sitelinks(self) -> int:
        """How many wikis have a page on it: how well known it is."""
        found = self.raw.get("sitelinks")
        return len(found) if isinstance(found, dict | list) else 0

    @property
    def modified(self) -> datetime | None:
        """When it was last edited."""
        return parse_date(self.raw.get("modified"))

    def has(self, *properties: str) -> bool:
        """Whether it has a statement with one of these."""
        return any(self.all(p) for p in properties)

    def all(self, name: str) -> list[Statement]:
        """Its statements with a property, without the deprecated ones and those whose value is unknown or none."""
        found = items(table(self.raw.get("claims")).get(name))
        return [s for claim in found if (s := _statement(claim)) is not None]

    def current(self, name: str, now: datetime) -> list[Statement]:
        """What holds now, the preferred ones where there are any."""
        return best([s for s in self.all(name) if s.holds(now)])

    def latest(self, name: str) -> Statement | None:
        """The statement about the latest time, or the only one; a figure of a part of the company is none of it."""
        found = best([s for s in self.all(name) if not any(p in s.qualifiers for p in PART_OF_IT)])
        dated = [(m.last, s) for s in found if (m := s.moment(POINT) or s.moment(END)) is not None]
        if dated:
            return max(dated, key=lambda pair: pair[0])[1]
        return found[0] if len(found) == 1 else None


def _statement(claim: Mapping[str, JsonValue]) -> Statement | None:
    snak = table(claim.get("mainsnak"))
    value = table(snak.get("datavalue")).get("value")
    if claim.get("rank") == "deprecated" or snak.get("snaktype") != "value" or value is None:
        return None
    qualifiers = {p: list(items(snaks)) for p, snaks in table(claim.get("qualifiers")).items()}
    return Statement(value, claim.get("rank") == "preferred", qualifiers)


def _said(value: JsonValue) -> str:
    """A label, description or alias; some exports write the bare string."""
    return text(value) or text(table(value).get("value"))
