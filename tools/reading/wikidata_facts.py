"""Turns a Wikidata item into sentences about the company, each with the dataset field that it fills."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

from pydantic import JsonValue

from tools.base import FieldQuote, Identity, SourceDocument
from tools.reading.urls import normalise_url
from tools.reading.wikidata_api import name_key
from tools.reading.wikidata_claims import COUNTRY, END, POINT, START, Entity, Moment, Statement, best, moment

LICENCE = "Structured data of Wikidata, CC0 1.0 (public domain)."
ORIGIN = "wikidata.org"
MOST_ITEMS = 12
"""Subsidiaries, products or people that are taken over, each kind."""
MOST_ALIASES = 8

_CURRENCIES = {
    "Q4917": "USD", "Q4916": "EUR", "Q25224": "GBP", "Q8146": "JPY", "Q25344": "CHF", "Q39099": "CNY", "Q80524": "INR",
    "Q1104069": "CAD", "Q259502": "AUD", "Q122922": "SEK", "Q132643": "NOK", "Q25417": "DKK", "Q202040": "KRW",
    "Q173117": "BRL", "Q208526": "TWD", "Q31015": "HKD",
}  # fmt: skip
_ROLES = (
    ("P169", "Chief executive officer", "chief executive officer"),
    ("P488", "Chairperson", "chairperson"),
    ("P112", "Founder", "a founder"),
    ("P3320", "Board member", "a member of the board"),
    ("P1037", "Director or manager", "director or manager"),
)
"""Property, the role as a value, and as a sentence has it."""
_ROLE_QUALIFIERS = ("P39", "P2868")
_MONEY = (("P2139", "revenue", "revenue"), ("P3362", "operating_income", "operating income"))
_SHARE = "P1107"
_FOUNDER = "P112"
"""A founder remains one, whatever the time of founding."""

Labels = Callable[[str], str]
"""The name of an item by its Q-number; empty when it has none."""


@dataclass(frozen=True)
class Fact:
    """A sentence, what it fills, and when it was true or was last looked at."""

    dataset: str
    field: str
    sentence: str
    value: JsonValue
    when: datetime | None


@dataclass(frozen=True)
class Writer:
    """Writes about one company."""

    entity: Entity
    name: str
    labels: Labels
    now: datetime

    def facts(self) -> list[Fact]:
        """Everything the item says that a dataset asks for."""
        return [*self._profile(), *self._ownership(), *self._people(), *self._products(), *self._money()]

    def _fact(self, dataset: str, field: str, sentence: str, value: JsonValue) -> Fact:
        # What has no date of its own was published, as it stands, when the item was last edited.
        return Fact(dataset, field, sentence, value, self.entity.modified)

    def _at(self, day: Moment) -> datetime:
        """The day for which a figure stands. Of a year alone the last day counts, but never one after the last edit."""
        return min(day.last, max(self.entity.modified or self.now, day.first))

    def _named(self, found: Sequence[Statement], most: int) -> list[tuple[Statement, str]]:
        pairs = [(s, self.labels(s.item)) for s in found[:most] if s.item]
        return [(s, label) for s, label in pairs if label]

    # --- profile ---

    def _profile(self) -> Iterator[Fact]:
        if official := official_name(self.entity, self.now):
            yield self._fact("profile", "legal_name", f"The official name of {self.name} is {official}.", official)
        if domain := website(self.entity, self.now):
            yield self._fact("profile", "domain", f"The official website of {self.name} is {domain}.", domain)
        industries = [label for _, label in self._named(self.entity.current("P452", self.now), 4)]
        if industries:
            said = _list(industries)
            yield self._fact("profile", "industry", f"The industry of {self.name} is {said}.", said)
        yield from self._seat()
        yield from self._founded()
        yield from self._employees()
        if said := self.entity.description:
            yield self._fact("profile", "summary", f"Wikidata describes {self.name} as: {said.rstrip('.')}.", said)

    def _seat(self) -> Iterator[Fact]:
        seats = self._named(self.entity.current("P159", self.now), 3)
        if not seats:
            return
        places = [_place(s, label, self.labels) for s, label in seats]
        sentence = f"{self.name} is headquartered in {_list(places)}"
        countries = [label for _, label in self._named(self.entity.current(COUNTRY, self.now), 2)]
        # The item's country is the company's, which need not be the place's: it is stated beside it, not as part of it.
        if len(countries) == 1 and all(place == label for place, (_, label) in zip(places, seats, strict=True)):
            sentence += f"; its country is {countries[0]}"
        yield self._fact("profile", "hq", f"{sentence}.", "; ".join(places))

    def _founded(self) -> Iterator[Fact]:
        days = [m for s in self.entity.current("P571", self.now) if (m := moment(s.value)) is not None]
        if days:
            day = min(days, key=lambda m: m.first)
            how = "on" if day.day else "in"
            yield self._fact("profile", "founded", f"{self.name} was founded {how} {day.words}.", day.text)

    def _employees(self) -> Iterator[Fact]:
        found = self.entity.latest("P1128")
        n = found.amount if found is not None else None
        if found is None or n is None or n != n.to_integral_value() or n < 0:
            return
        day = found.moment(POINT)
        value: JsonValue = {"n": int(n), "as_of": day.text if day else None}
        if day is not None:
            sentence = f"{self.name} had {int(n):,} employees {_on(day)}."
            yield Fact("profile", "employees", sentence, value, self._at(day))
        else:
            # A count without a date may be of any year: the edit of the item says nothing about it.
            sentence = f"{self.name} has {int(n):,} employees; Wikidata gives no date for the count."
            yield Fact("profile", "employees", sentence, value, None)

    # --- owners, what is owned, people ---

    def _ownership(self) -> Iterator[Fact]:
        parents = self.entity.current("P749", self.now)
        owners = self.entity.current("P127", self.now)
        if parents:
            for s, label in self._named(parents, 1):
                verb, tail, when = self._tense(s)
                sentence = f"The parent organization of {self.name} {verb} {label}{tail}."
                yield Fact("funding", "parent", sentence, label, when)
        elif len(owners) == 1 and _whole(owners[0]):
            for s, label in self._named(owners, 1):
                verb, tail, when = self._tense(s)
                yield Fact("funding", "parent", f"{self.name} {verb} owned by {label}{tail}.", label, when)
        for s, label in self._named(self.entity.current("P355", self.now), MOST_ITEMS):
            verb, tail, when = self._tense(s)
            sentence = f"{label} {verb} a subsidiary of {self.name}{tail}."
            yield Fact("funding", "subsidiaries", sentence, label, when)

    def _people(self) -> Iterator[Fact]:
        if self.entity.has("P576"):
            return  # a dissolved company has no officers
        for prop, title, phrase in _ROLES:
            for s, person in self._named(self.entity.current(prop, self.now), MOST_ITEMS):
                given = next((label for r in _ROLE_QUALIFIERS for q in s.items(r) if (label := self.labels(q))), "")
                role = given or title
                value: dict[str, JsonValue] = {"name": person, "role": role[:1].upper() + role[1:]}
                verb, tail, when = ("is", "", self.entity.modified) if prop == _FOUNDER else self._tense(s)
                if tail and (since := s.moment(START)) is not None:
                    value["since"] = since.text
                sentence = f"{person} {verb} {given or phrase} of {self.name}{tail}."
                yield Fact("leadership", "people", sentence, value, when)

    def _tense(self, s: Statement) -> tuple[str, str, datetime | None]:
        """The verb for what holds, what follows it, and when it was true or was last looked at."""
        since, day = s.moment(START), s.moment(POINT)
        if since is not None:
            return "has been", f" since {since.words}", self.entity.modified
        if day is not None:
            return "was", f" {_on(day)}", self._at(day)
        return "is", "", self.entity.modified

    # --- products and figures ---

    def _products(self) -> Iterator[Fact]:
        for _, label in self._named(self.entity.current("P1056", self.now), MOST_ITEMS):
            sentence = f"The products and services of {self.name} include {label}."
            yield self._fact("products", "items", sentence, {"name": label})

    def _money(self) -> Iterator[Fact]:
        for prop, field, words in _MONEY:
            found = self.entity.latest(prop)
            amount = found.amount if found is not None else None
            currency = _CURRENCIES.get(found.unit, "") if found is not None else ""
            if found is None or amount is None or not currency:
                continue
            day = found.moment(POINT) or found.moment(END)
            whole = amount == amount.to_integral_value()
            value: dict[str, JsonValue] = {"value": int(amount) if whole else float(amount), "currency": currency}
            said = f"{words} of {_money(amount, currency)}"
            if day is None:
                sentence = f"{self.name} had {said}; Wikidata gives no date for the figure."
                yield Fact("financials", field, sentence, value, None)
            else:
                period = f"in {day.words}" if not day.day else f"for the period dated {day.words}"
                sentence = f"{self.name} had {said} {period}."
                yield Fact("financials", field, sentence, {**value, "period": day.text}, self._at(day))


def official_name(entity: Entity, now: datetime) -> str:
    """The name under which the company is registered, in English where there are several languages."""
    found = [s for s in entity.current("P1448", now) if s.string]
    ranked = sorted(found, key=lambda s: s.language not in ("en", "mul"))
    return ranked[0].string[:200] if ranked else ""


def website(entity: Entity, now: datetime) -> str:
    """The host of the official website, without `www.`."""
    for s in entity.current("P856", now):
        host = urlsplit(normalise_url(s.string)).hostname
        if host and "." in host:
            return host.removeprefix("www.")
    return ""


def cik(entity: Entity) -> str:
    """The SEC's number of the company, without leading zeros."""
    return next((n for s in best(entity.all("P5531")) if re.fullmatch(r"[0-9]{1,10}", n := s.string.lstrip("0"))), "")


def tickers(entity: Entity, now: datetime) -> list[str]:
    """Its ticker symbols: qualifiers of the exchanges where it is listed, or statements of their own."""
    listed = [t for s in entity.current("P414", now) for t in s.strings("P249")]
    found = [*listed, *(s.string for s in entity.current("P249", now))]
    return list(dict.fromkeys(t.upper() for t in found if t and len(t) <= 12))


def identity(entity: Entity, now: datetime) -> Identity:
    """The company as Wikidata identifies it."""
    own = name_key(entity.label)
    return Identity(
        name=entity.label,
        legal_name=official_name(entity, now),
        aliases=tuple(a for a in entity.aliases if name_key(a) != own)[:MOST_ALIASES],
        description=entity.description,
        domain=website(entity, now),
        ticker=next(iter(tickers(entity, now)), ""),
        cik=cik(entity),
        wikidata_id=entity.id,
    )


def as_documents(entity: Entity, name: str, about: str, facts: Sequence[Fact]) -> tuple[SourceDocument, ...]:
    """One document for each date for which facts are stated, since a document has one date."""
    by_date: dict[datetime | None, list[Fact]] = {}
    for fact in facts:
        by_date.setdefault(fact.when, []).append(fact)
    return tuple(
        SourceDocument(
            url=f"https://www.wikidata.org/wiki/{entity.id}",
            title=f"{name} (Wikidata {entity.id})",
            text="\n".join(dict.fromkeys(f.sentence for f in together)),
            published_at=when,
            origin=ORIGIN,
            licence=LICENCE,
            about=about,
            fields=tuple(
                FieldQuote(dataset=f.dataset, field=f.field, quote=f.sentence, value=f.value) for f in together
            ),
        )
        for when, together in by_date.items()
    )


def _place(seat: Statement, label: str, labels: Labels) -> str:
    country = next((found for q in seat.items(COUNTRY) if (found := labels(q))), "")
    return f"{label}, {country}" if country and country != label else label


def _whole(owner: Statement) -> bool:
    """Whether an owner holds more than a part: `proportion` says otherwise, where it is given."""
    return all(share is not None and share > Decimal("0.5") for share in owner.amounts(_SHARE))


def _on(day: Moment) -> str:
    return f"as of {day.words}" if day.day else f"in {day.words}"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _money(amount: Decimal, currency: str) -> str:
    sign, digits = ("-" if amount < 0 else ""), f"{abs(amount):,f}"
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"{sign}${digits}" if currency == "USD" else f"{sign}{currency} {digits}"
