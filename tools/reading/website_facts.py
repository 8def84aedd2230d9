"""What a page's structured data says of its company, as sentences. Only what it says of this very company."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from pydantic import JsonValue

from tools.reading.dates import parse_date
from tools.reading.urls import normalise_url
from tools.reading.website_reading import Fact, Reading, Site, clean
from tools.reading.website_schema import Item, by_id, number, things, top, types, word

_ORGANISATIONS = frozenset(
    "Organization Corporation LocalBusiness OnlineBusiness OnlineStore ProfessionalService FinancialService Store NGO "
    "EducationalOrganization MedicalOrganization NewsMediaOrganization Airline".split()
)
_PRODUCTS = frozenset({"Product", "SoftwareApplication", "WebApplication", "MobileApplication", "Service"})
_SUFFIXES = frozenset(
    "inc incorporated corp corporation ltd limited llc plc gmbh ag sa se bv nv ab oy as co company the group holdings holding"
    " kg srl spa pty pte".split()
)
_MOST_PEOPLE, _MOST_NAMES, _MOST_JOBS = 20, 15, 8


def akin(a: str, b: str) -> bool:
    """Whether two names may be one company's: the same words, or all words of one begin the other."""
    left, right = _words(a), _words(b)
    if not left or not right:
        return False
    short, long = sorted((left, right), key=len)
    return long[: len(short)] == short or "".join(left) == "".join(right)


def stated_name(reading: Reading, site: Site) -> str:
    """The company's name, as its home page gives it: its own item's, or the site's name; empty when it gives none."""
    for item in top(reading.items):
        name = word(item.get("name"), 80)
        if types(item) & _ORGANISATIONS and name and site.holds(normalise_url(word(item.get("url"), 300))):
            return name
    name = reading.site_name
    label = site.origin.split(".")[0]
    # A site's name may be a slogan; one that its domain is made of is a name.
    fits = "".join(_words(name)).startswith(label[:4]) or label in "".join(_words(name))
    return name if name and len(name.split()) <= 5 and fits else ""


def structured_facts(reading: Reading, site: Site, about: str, kinds: frozenset[str]) -> list[Fact]:
    """Sentences on the company from the page's structured data."""
    items = top(reading.items)
    known = by_id(items)
    facts: list[Fact] = []
    for item in items:
        kind = types(item)
        if kind & _ORGANISATIONS and _own(item, site, about):
            facts += _organisation(item, known, about, reading.url)
        elif "Person" in kind and kinds & {"leadership", "about"} and _works_here(item, known, about):
            facts += _person(item, about, "", reading.url)
        elif kind & _PRODUCTS and kinds & {"products", "pricing", "home"}:
            facts += _product(item, known, about, reading.url)
        elif "JobPosting" in kind and "careers" in kinds:
            facts += _job(item, about)
    limits = {"people": _MOST_PEOPLE, "items": _MOST_NAMES, "key_titles": _MOST_JOBS, "pricing_model": 3}
    kept: list[Fact] = []
    for fact in {f.sentence: f for f in facts}.values():
        same = sum(1 for k in kept if (k.dataset, k.field) == (fact.dataset, fact.field))
        if same < limits.get(fact.field, 5 if fact.field == "subsidiaries" else 1):
            kept.append(fact)
    return kept


def _own(item: Item, site: Site, about: str) -> bool:
    """Whether an organisation is the site's own, and not a customer or a partner that the page mentions."""
    name, url = word(item.get("name")), normalise_url(word(item.get("url"), 300))
    if url and not site.holds(url):
        return False
    return akin(name, about) if name else bool(url)


def _organisation(item: Item, known: Mapping[str, Item], about: str, page: str) -> Iterator[Fact]:
    said = "according to its website"
    if (legal := word(item.get("legalName"))) and legal.casefold() != about.casefold():
        yield Fact(f"{about}'s legal name is {_ended(legal)} {said}.", "profile", "legal_name", legal)
    if founded := _founded(item.get("foundingDate")):
        yield Fact(f"{about} was founded {founded[0]}, {said}.", "profile", "founded", founded[1])
    if address := _address(item.get("address")):
        yield Fact(f"{about}'s address is {_ended(address)} {said}.", "profile", "hq", address)
    if staff := _staff(item.get("numberOfEmployees")):
        yield Fact(f"{about} has {staff[0]} employees, {said}.", "profile", "employees", staff[1])
    description = clean(word(item.get("description"), 600))
    if len(description) >= 40:
        yield Fact(f'{about} describes itself: "{description}"', "profile", "summary", description)
    for parent in list(things(item, "parentOrganization", known))[:1]:
        if (name := word(parent.get("name"))) and not akin(name, about):
            yield Fact(f"{about}'s parent organisation is {_ended(name)} {said}.", "funding", "parent", name)
    for child in things(item, "subOrganization", known):
        if (name := word(child.get("name"))) and name.casefold() != about.casefold():
            value: JsonValue = [name]
            yield Fact(f"{name} is part of {_ended(about)} {said}.", "funding", "subsidiaries", value)
    for key, role in (
        ("founder", "Founder"),
        ("founders", "Founder"),
        ("employee", ""),
        ("employees", ""),
        ("member", ""),
    ):
        for person in things(item, key, known):
            if not types(person) or "Person" in types(person):
                yield from _person(person, about, role, page)
    for key in ("brand", "makesOffer", "hasOfferCatalog"):
        for offer in things(item, key, known):
            for thing in things(offer, "itemOffered", known) if "itemOffered" in offer else [offer]:
                if key == "brand" or types(thing) & _PRODUCTS:
                    yield from _product(thing, known, about, page)


def _person(item: Item, about: str, role: str, page: str) -> Iterator[Fact]:
    name, title = word(item.get("name"), 60), word(item.get("jobTitle"), 90) or role
    if not title or not 2 <= len(name.split()) <= 5 or re.search(r"former|emeritus|retired", title, re.IGNORECASE):
        return
    value: JsonValue = [{"name": name, "role": title, "url": page}]
    yield Fact(f"{name} is {title} of {_ended(about)} according to its website.", "leadership", "people", value)


def _works_here(item: Item, known: Mapping[str, Item], about: str) -> bool:
    """Whether a person that stands alone is of the company; on a page of leaders that is so unless it says otherwise."""
    employers = [word(e.get("name")) for e in things(item, "worksFor", known)]
    return all(akin(e, about) for e in employers if e)


def _product(item: Item, known: Mapping[str, Item], about: str, page: str) -> Iterator[Fact]:
    name = word(item.get("name"), 60)
    makers = [word(m.get("name")) for key in ("brand", "manufacturer", "provider") for m in things(item, key, known)]
    if not name or name.casefold() == about.casefold() or "|" in name or any(not akin(m, about) for m in makers if m):
        return
    url = normalise_url(word(item.get("url"), 300)) or page
    value: JsonValue = [{"name": name, "url": url}]
    yield Fact(f"{about}'s website lists {name} among what it offers.", "products", "items", value)
    for offer in list(things(item, "offers", known))[:1]:
        price, currency = number(offer.get("price")), word(offer.get("priceCurrency"), 3)
        if price and re.fullmatch(r"[A-Z]{3}", currency):
            amount = f"{price:,.2f}".removesuffix(".00") + f" {currency}"
            sentence = f"{about}'s website states a price of {amount} for {name}."
            yield Fact(sentence, "products", "pricing_model", f"{name}: {amount}")


def _job(item: Item, about: str) -> Iterator[Fact]:
    title, until = word(item.get("title"), 90), parse_date(word(item.get("validThrough")))
    if title and (until is None or until > datetime.now(UTC)):
        yield Fact(f"{about}'s careers page lists an opening: {title}.", "hiring", "key_titles", [title])


def _founded(value: JsonValue) -> tuple[str, str] | None:
    """A founding date as the words of a sentence and as a value; a year alone is one."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else word(value)
    if re.fullmatch(r"1[5-9]\d\d|20\d\d", text):
        return f"in {text}", text
    when = parse_date(text) if re.match(r"\d{4}-\d\d-\d\d", text) else None
    if when is None:
        return None
    # A first of January mostly stands for a year that some form wanted as a date.
    first = (when.month, when.day) == (1, 1)
    return (f"in {when.year}", str(when.year)) if first else (f"on {when.date()}", str(when.date()))


def _staff(value: JsonValue) -> tuple[str, JsonValue] | None:
    if isinstance(value, dict):
        low, high = number(value.get("minValue")), number(value.get("maxValue"))
        if low is not None and high is not None and 0 < low < high:
            return f"{low:,.0f} to {high:,.0f}", {"min": int(low), "max": int(high)}
        value = value.get("value")
    count = number(value)
    return (f"{count:,.0f}", int(count)) if count and count == int(count) and count < 5e6 else None


def _address(value: JsonValue) -> str:
    """One postal address with at least a town; several are branches, of which none is known to be the main one."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    if not isinstance(value, dict) or not (town := word(value.get("addressLocality"), 60)):
        return ""
    region = " ".join(p for k in ("addressRegion", "postalCode") if (p := word(value.get(k), 40)))
    parts = (word(value.get("streetAddress")), town, region, word(value.get("addressCountry"), 60))
    return ", ".join(p.strip(" ,") for p in parts if p)


def _ended(text: str) -> str:
    """A name before "according to", with its comma."""
    return f"{text},"


def _words(name: str) -> list[str]:
    found = re.findall(r"\w+", name.casefold())
    return [w for w in found if w not in _SUFFIXES] or found
