"""From a page of a company's site to documents: its text, what is certain of it as sentences, and its headlines."""

from __future__ import annotations

import re

from tools.base import FieldQuote, SourceDocument
from tools.reading.website_facts import akin, stated_name, structured_facts
from tools.reading.website_lists import Headline, customers, headlines, openings, prices, products
from tools.reading.website_people import people
from tools.reading.website_reading import Fact, Reading, Site, clean, prose

_MISSING = re.compile(r"^(?:error )?404\b|page not found|^(?:not found|access denied)\b", re.IGNORECASE)
_CALLED = ("leadership", "about", "products", "customers", "pricing", "newsroom", "careers", "home")
MOST_FACTS = 60


def describe(
    reading: Reading, site: Site, about: str, kinds: frozenset[str], licence: str
) -> tuple[list[SourceDocument], str]:
    """The documents of a page, and a note on what it lacks."""
    called = next(k for k in _CALLED if k in kinds)
    if called != "home" and _MISSING.search(reading.title):
        return [], f"The {called} page says that it does not exist."
    text = prose(reading, quoted="customers" in kinds)
    title = reading.title or f"{about}: {called} page"
    facts = _facts(reading, site, about, kinds, called) if text or reading.items else []
    news = headlines(reading, site) if "newsroom" in kinds else []
    documents = [_headline(h, site, about, licence) for h in news]
    if facts:
        documents.append(
            SourceDocument(
                url=reading.url,
                title=title,
                text="\n".join(f.sentence for f in facts),
                published_at=reading.published_at,
                origin=site.origin,
                licence=licence,
                about=about,
                fields=tuple(
                    FieldQuote(dataset=f.dataset, field=f.field, quote=f.sentence, value=f.value) for f in facts
                ),
            )
        )
    if kinds == {"leadership"}:
        # Bare lines of names and titles would be read as statements, whoever's they are.
        text = "\n".join(line for line in text.split("\n") if len(line) >= 40 and re.search(r"[.!?][\"”’)]*$", line))
    # The teasers of a newsroom whose headlines are known would come a second time, undated; of careers only numbers count.
    silent = kinds == {"careers"} or (bool(news) and kinds == {"newsroom"})
    if text and not silent:
        documents.append(
            SourceDocument(
                url=reading.url,
                title=title,
                text=text,
                published_at=reading.published_at,
                origin=site.origin,
                licence=licence,
                about=about,
            )
        )
    if documents:
        return documents, ""
    if text:
        return [], f"The {called} page states nothing that is certain."
    return [], f"The {called} page has no text without its scripts."


def _facts(reading: Reading, site: Site, about: str, kinds: frozenset[str], called: str) -> list[Fact]:
    facts = structured_facts(reading, site, about, kinds)
    if "home" in kinds:
        facts += _self_description(reading, site, about, facts)
    if kinds & {"leadership", "about"}:
        facts += people(reading, site, about, called)
    if kinds & {"products", "home"}:
        facts += products(reading, site, about)
    if "customers" in kinds:
        facts += customers(reading, site, about)
    if "pricing" in kinds:
        facts += prices(reading, about)
    if "careers" in kinds:
        facts += openings(reading, about)
    return _once(facts)[:MOST_FACTS]


def _self_description(reading: Reading, site: Site, about: str, known: list[Fact]) -> list[Fact]:
    """The domain, where the site bears the company's name; and how it introduces itself."""
    found: list[Fact] = []
    stated = stated_name(reading, site)
    if stated and akin(stated, about):
        found.append(Fact(f"{about}'s website is {site.origin}.", "profile", "domain", site.origin))
    summary = clean(reading.summary)
    if 40 <= len(summary) <= 400 and not any(f.field == "summary" for f in known):
        found.append(Fact(f'{about} introduces itself: "{summary}"', "profile", "summary", summary))
    return found


def _once(facts: list[Fact]) -> list[Fact]:
    """Each person, product and customer once: what structured data says comes first and counts."""
    kept: dict[tuple[str, str, str], Fact] = {}
    for fact in facts:
        first = fact.value[0] if isinstance(fact.value, list) and fact.value else None
        name = str(first.get("name")) if isinstance(first, dict) else fact.sentence
        kept.setdefault((fact.dataset, fact.field, name.casefold()), fact)
    return list(kept.values())


def _headline(one: Headline, site: Site, about: str, licence: str) -> SourceDocument:
    """A headline as a statement: it stands for itself when it names the company, else it says whose it is."""
    day = one.when.date().isoformat()
    named = re.search(rf"(?<!\w){re.escape(about)}(?!\w)", one.title, re.IGNORECASE)
    text = one.title if named else f'{about} published on {day}: "{one.title}"'
    return SourceDocument(
        url=one.url,
        title=one.title,
        text=text,
        published_at=one.when,
        origin=site.origin,
        licence=licence,
        about=about,
        fields=(
            FieldQuote(
                dataset="news", field="events", quote=text, value=[{"date": day, "headline": one.title, "url": one.url}]
            ),
        ),
    )
