"""What the lists of a site say: dated headlines, customers, products, prices, openings. What is not certain is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from urllib.parse import urlsplit

from pydantic import JsonValue

from tools.reading.dates import parse_date
from tools.reading.website_facts import akin
from tools.reading.website_pages import address
from tools.reading.website_reading import Fact, Node, Reading, Site, blocks, clean
from tools.reading.website_schema import top, types, word

MOST_HEADLINES, MOST_NAMES, MOST_PRICES = 12, 15, 5
MOST_LINKS, MOST_DATES, LARGE = 1_500, 200, 400
"""Bounds for hostile pages: links and dates that are looked at, and elements that a card may have."""
_WIRES = ("businesswire.com", "globenewswire.com", "prnewswire.com", "accesswire.com", "newswire.com")
_NO_ARTICLE = re.compile(r"/(?:tags?|categor(?:y|ies)|topics?|authors?|page)(?:/|$)", re.IGNORECASE)
_MORE = re.compile(r"(?:read|learn|view|see|find out)\b.{0,25}|more|continue.{0,12}|details|full story", re.IGNORECASE)
_STORIES = re.compile(
    r"/(?:customers?|case-stud(?:y|ies)|customer-stor(?:y|ies)|success-stor(?:y|ies)|clients?)/([^/]+)/?$",
    re.IGNORECASE,
)
_STORY_ENDS = re.compile(r"(?:-(?:case-study|customer-story|success-story|story|customer))+$", re.IGNORECASE)
_PRODUCT = re.compile(r"/(?:products?|platform)/(?:[^/]+/)?([^/]+)/?$", re.IGNORECASE)
_PRICE = re.compile(r"(?:[$€£¥]|\b(?:USD|EUR|GBP)\s?)\s?\d[\d,.]*", re.IGNORECASE)
_TERMS = re.compile(
    r"/\s?(?:mo|month|user|seat|year|yr|agent|host|gb|unit|hour|day)|\bper\b|\bmonth|\bannual|\byear|\bbilled|\bfrom\b|\bstart|"
    r"\bfree\b",
    re.IGNORECASE,
)
_ASK = re.compile(
    r"\b(?:contact (?:our )?sales|talk to (?:our )?sales|custom pricing|request a quote)\b", re.IGNORECASE
)
_OPENINGS = (
    re.compile(
        r"(?<![\d.,$€£+-])(\d{1,3}(?:,\d{3})+|\d{1,5}) "
        r"(?:(?:open|current|available) (?:positions|roles|jobs|openings|vacancies)|(?:job )?(?:openings|vacancies))\b",
        re.IGNORECASE,
    ),
    re.compile(r"^(?:open|current|available|all) (?:positions|roles|openings|jobs) ?\((\d{1,5})\)$", re.IGNORECASE),
)
_TRUSTED = re.compile(r"\b(?:our customers|our clients|customers include|trusted by|loved by|used by)\b", re.IGNORECASE)
_GENERIC = frozenset(
    """
    all overview index home industries industry enterprise startups startup small-business smb mid-market retail healthcare
    health-care finance financial-services banking insurance manufacturing education government public-sector technology
    telecom energy media entertainment nonprofit nonprofits travel hospitality automotive logistics video videos stories
    success reviews testimonials customers customer case-studies case-study clients partners pricing compare comparison
    features feature security integrations integration whats-new roadmap releases demo tour resources products product
    platform solutions services support documentation docs api faq learn-more new more benefits why technology trial download
    use-cases add-ons apps marketplace
    """.split()
)


@dataclass(frozen=True)
class Headline:
    """A dated headline of a newsroom."""

    title: str
    url: str
    when: datetime


def headlines(reading: Reading, site: Site) -> list[Headline]:
    """The dated headlines of a newsroom, the newest first."""
    soon = datetime.now(UTC) + timedelta(days=1)
    found: dict[str, Headline] = {}
    for one in (*_stated(reading, site), *_listed(reading, site)):
        if one.when <= soon:
            found.setdefault(one.url, one)
    return sorted(found.values(), key=lambda h: (-h.when.timestamp(), h.url))[:MOST_HEADLINES]


def _stated(reading: Reading, site: Site) -> Iterator[Headline]:
    for item in top(reading.items):
        if types(item) & {"NewsArticle", "BlogPosting", "Article", "PressRelease"}:
            title = word(item.get("headline"), 200) or word(item.get("name"), 200)
            url = address(reading.base, word(item.get("url"), 300) or word(item.get("@id"), 300))
            when = parse_date(word(item.get("datePublished")))
            if title and url and url != reading.url and site.holds(url) and when is not None:
                yield Headline(clean(title), url, when)


def _listed(reading: Reading, site: Site) -> Iterator[Headline]:
    """Each date with the one headline of the innermost element that has both; where it has two, neither is taken."""
    dated: list[tuple[Node, datetime]] = []
    for text, node in blocks(reading.body):
        if (
            len(text) <= 30
            and not node.xpath("ancestor-or-self::time | .//time")
            and (when := parse_date(text)) is not None
        ):
            dated.append((node, when))
    for node in islice(reading.body.iter("time"), MOST_DATES):
        if (when := parse_date(node.get("datetime")) or parse_date(clean(node.text_content()))) is not None:
            dated.append((node, when))
    for node, when in dated:
        for card in [node, *node.iterancestors()][:6]:
            if card.tag in ("body", "main", "html") or _large(card):
                break
            if titles := _titles(card, reading, site):
                days = {w.date() for n, w in dated if n is card or any(a is card for a in n.iterancestors())}
                if len(titles) == 1 and len(days) == 1:
                    url, title = next(iter(titles.items()))
                    yield Headline(title, url, when)
                break


def _titles(card: Node, reading: Reading, site: Site) -> dict[str, str]:
    """Articles that a card leads to, with their headlines."""
    found: dict[str, str] = {}
    bare: set[str] = set()
    for link in [*card.iter("a"), *list(card.iterancestors("a"))[:1]]:
        url = address(reading.base, link.get("href", ""))
        if not url or url == reading.url or _NO_ARTICLE.search(url):
            continue
        if not site.holds(url) and not urlsplit(url).netloc.endswith(_WIRES):
            continue
        heads = link.xpath(".//h1|.//h2|.//h3|.//h4|.//h5")
        title = clean((heads[0] if heads else link).text_content())
        if 20 <= len(title) <= 200 and len(title.split()) >= 4 and not _MORE.fullmatch(title):
            found[url] = max(found.get(url, ""), title, key=len)
        else:
            bare.add(url)
    heads = [t for h in card.xpath(".//h2|.//h3|.//h4|.//h5") if len((t := clean(h.text_content())).split()) >= 3]
    if not found and len(bare) == 1 and len(heads) == 1:
        found[bare.pop()] = heads[0][:200]
    return found


def customers(reading: Reading, site: Site, about: str) -> list[Fact]:
    """Customers with a case study: their name stands in its address and, letter for letter, on the page."""
    facts: dict[str, Fact] = {}
    for link in islice(reading.body.iter("a"), MOST_LINKS):
        url = address(reading.base, link.get("href", ""))
        story = _STORIES.search(urlsplit(url).path) if url and site.holds(url) else None
        slug = _STORY_ENDS.sub("", story[1].lower()) if story else ""
        if not slug or slug in _GENERIC:
            continue
        card = next((a for a in [link, *link.iterancestors()][:4] if a.tag in ("li", "article", "figure", "a")), link)
        said = [link.text_content(), *link.xpath(".//img/@alt"), *card.xpath(".//img/@alt"), *_heads(card)]
        name = next((n for text in said if (n := _spelt(clean(str(text)), slug))), "")
        if name and not akin(name, about):
            value: JsonValue = [{"name": name, "case_url": url}]
            sentence = f"{about}'s customers page names {name} as a case study."
            facts.setdefault(name.casefold(), Fact(sentence, "customers", "items", value))
    for name in _logos(reading.body):
        if not akin(name, about):
            shown: JsonValue = [{"name": name, "case_url": ""}]
            sentence = f"{about}'s customers page shows the logo of {name} among its customers."
            facts.setdefault(name.casefold(), Fact(sentence, "customers", "items", shown))
    return list(facts.values())[:MOST_NAMES]


def products(reading: Reading, site: Site, about: str) -> list[Fact]:
    """Products with a page of their own, by the name that both its address and the link to it have."""
    facts: dict[str, Fact] = {}
    for link in islice(reading.tree.iter("a"), MOST_LINKS):
        url = address(reading.base, link.get("href", ""))
        found = _PRODUCT.search(urlsplit(url).path) if url and site.holds(url) and url != reading.url else None
        slug = found[1].lower() if found else ""
        if not slug or slug in _GENERIC:
            continue
        for text in (clean(t) for t in [*_heads(link), *_heads(link.getparent()), link.text_content()]):
            if _names_product(text, slug, about):
                value: JsonValue = [{"name": text, "url": url}]
                sentence = f"{about}'s website lists {text} among what it offers."
                facts.setdefault(url, Fact(sentence, "products", "items", value))
                break
    return list(facts.values())[:MOST_NAMES]


def prices(reading: Reading, about: str) -> list[Fact]:
    """What a pricing page says of prices, word for word, with the heading of its plan where that is certain."""
    facts: dict[str, Fact] = {}
    for text, node in blocks(reading.body):
        priced = _PRICE.search(text) and _TERMS.search(text)
        if not 8 <= len(text) <= 240 or not (priced or _ASK.search(text)):
            continue
        under = _plan(node)
        place = f', under "{under}"' if under and under != text else ""
        facts.setdefault(
            text, Fact(f'{about}\'s pricing page says{place}: "{text}"', "products", "pricing_model", text)
        )
    return list(facts.values())[:MOST_PRICES]


def openings(reading: Reading, about: str) -> list[Fact]:
    """How many positions a careers page says are open; nothing where it names two numbers."""
    counts: set[int] = set()
    for text, _ in blocks(reading.body):
        for pattern in _OPENINGS:
            counts |= {int(found.replace(",", "")) for found in pattern.findall(text) if len(text) <= 200}
    if len(counts) != 1 or not 0 < (count := counts.pop()) <= 20_000:
        return []
    return [Fact(f"{about}'s careers page states {count:,} open positions.", "hiring", "total", count)]


def _logos(body: Node) -> Iterator[str]:
    """Whose logos stand under a heading that says that they are customers'."""
    for image in islice(body.iter("img"), MOST_LINKS):
        named = re.fullmatch(
            r"(?:logo of )?(.{2,40}?)(?:['’]s)? logo|logo of (.{2,40})", clean(image.get("alt", "")), re.I
        )
        if named is None or not (name := (named[1] or named[2]))[0].isupper() or _slug(name) in _GENERIC:
            continue
        heads = next((h for box in list(image.iterancestors())[:5] if (h := _heads(box))), [])
        if len(heads) == 1 and _TRUSTED.search(heads[0]) and len(name.split()) <= 4:
            yield name


def _plan(node: Node) -> str:
    """The one heading of the innermost element around a text that has any."""
    for box in list(node.iterancestors())[:4]:
        heads = _heads(box)
        if heads:
            return clean(heads[0])[:60] if len(heads) == 1 else ""
    return ""


def _heads(node: Node) -> list[str]:
    """The headings in an element; none of one that is too large for a card."""
    if node is None or _large(node):
        return []
    return [str(h.text_content()) for h in node.xpath(".//h2|.//h3|.//h4|.//h5")]


def _large(node: Node) -> bool:
    return next(islice(node.iter(), LARGE, None), None) is not None


def _names_product(text: str, slug: str, about: str) -> bool:
    if (
        not 2 <= len(text) <= 40
        or len(text.split()) > 5
        or _MORE.fullmatch(text)
        or text.casefold() == about.casefold()
    ):
        return False
    plain = _slug(text)
    if not text[0].isupper() or plain in _GENERIC or re.search(r"[?!.:]$", text):
        return False
    named, placed = set(plain.split("-")), set(slug.split("-"))
    return bool(named) and (named <= placed or placed <= named)


def _spelt(text: str, slug: str) -> str:
    """The part of a text that, written as an address, is the slug: "globex-corp" in "How Globex Corp. saves"."""
    tokens = text.split()[:60]
    size = slug.count("-") + 1
    for length in (size, size - 1, size + 1):
        for at in range(len(tokens) - length + 1 if length > 0 else 0):
            name = re.sub(r"['’]s$", "", " ".join(tokens[at : at + length]).strip(',;:!?"“”()'))
            if name and _slug(name) == slug and name[0].isupper() and len(name) <= 60:
                return name.removesuffix(".")
    return ""


def _slug(text: str) -> str:
    return "-".join(re.findall(r"[^\W_]+", re.sub(r"['’&.]", "", text.casefold())))
