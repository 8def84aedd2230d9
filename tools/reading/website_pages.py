"""Which page of a site is which: by the words of its links and paths, and by its sitemaps."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

from lxml import etree

from tools.reading.website_reading import Reading, Site, clean, joined

Kind = Literal["home", "about", "leadership", "products", "customers", "pricing", "newsroom", "careers"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MOST_ENTRIES = 20_000
_PACKED, _UNPACKED = 300_000, 5_000_000
_FILE = re.compile(
    r"\.(?:pdf|jpe?g|png|gif|svg|webp|avif|ico|zip|gz|docx?|xlsx?|pptx?|csv|mp[34]|mov|webm|xml|rss|atom|json|js|css|ics|exe"
    r"|dmg|pkg|apk|txt)$",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(r"(?:[a-z]{2})(?:[-_][a-z]{2})?", re.IGNORECASE)
_LANGUAGES = frozenset(
    "ar bg br cn cs cz da de dk el es et fi fr he hi hr hu id it ja jp ko kr lt lv ms nb nl no pl pt ro ru sk sl sr sv se th tr"
    " tw uk vi zh".split()
)
_AVOIDED = re.compile(
    r"(?:^|[/-])(?:login|signin|sign-in|signup|sign-up|register|support|help|docs?|documentation|legal|privacy|cookies?|terms"
    r"|cart|checkout|account|search|tags?|category|categories|author|feed|rss|downloads?|unsubscribe|thought-leadership"
    r"|customer-service|customer-portal|partner-portal|calendar|page|amp|wp-[a-z]+|cdn-cgi)(?:[/-]|$)"
)
_ENOUGH = 4.0
"""A page is taken when its path or the words of its link say what it is, or when both hint at it."""


@dataclass(frozen=True)
class Words:
    """How a kind of page is called, the surest names first."""

    telling: tuple[str, ...]
    """Count also as part of a longer name."""
    exact: tuple[str, ...] = ()
    """Mean something else as part of a longer name: "expense management" is no page of managers."""


WORDS: Mapping[Kind, Words] = {
    "about": Words(("about us", "who we are", "our company", "our story", "about"), ("company", "overview")),
    "leadership": Words(
        ("leadership team", "executive team", "management team", "our leadership", "leadership", "board of directors"),
        ("executives", "management", "our team", "meet the team", "our people", "team", "board", "people"),
    ),
    "products": Words(
        ("our products", "all products", "products"),
        ("product", "platform", "our platform", "solutions", "our solutions", "features", "what we do", "services"),
    ),
    "customers": Words(
        ("our customers", "customer stories", "case studies", "success stories", "our clients", "customers"),
        ("clients", "references", "our work", "testimonials", "partners"),
    ),
    "pricing": Words(("pricing",), ("plans", "plans and pricing", "pricing and plans", "prices")),
    "newsroom": Words(
        ("newsroom", "press releases", "press room", "news and events", "news room", "latest news"),
        (
            "press",
            "news",
            "press and media",
            "news and press",
            "media center",
            "media centre",
            "in the news",
            "media",
            "blog",
        ),
    ),
    "careers": Words(("careers", "open positions", "job openings"), ("jobs", "join us", "career", "work with us")),
}


@dataclass(frozen=True)
class Link:
    """A link of a page, or an entry of a sitemap (without text)."""

    url: str
    text: str = ""


def address(base: str, href: str) -> str:
    """Where a link leads, when that can be read as a page: no files, and no query strings, which never end."""
    if not href or href.strip().lower().startswith(("#", "javascript:", "mailto:", "tel:", "data:")):
        return ""
    url = joined(base, href)
    parts = urlsplit(url)
    if not url or parts.query or len(url) > 300 or _FILE.search(parts.path) or parts.path.count("/") > 6:
        return ""
    return url


def links(reading: Reading, site: Site) -> list[Link]:
    """The links of a page to other pages of its site, menus included, in the order of the page."""
    found: dict[tuple[str, str], Link] = {}
    for node in reading.tree.iter("a"):
        url = address(reading.base, node.get("href", ""))
        foreign = str(node.get("hreflang") or "en").lower()[:2] != "en"
        if url and not foreign and site.holds(url) and url != reading.url:
            text = clean(node.text_content()) or clean(node.get("aria-label", "") or node.get("title", ""))
            found.setdefault((url, text), Link(url, text[:200]))
    return list(found.values())


def choose(candidates: Iterable[Link], wanted: Sequence[Kind], home: str) -> dict[Kind, str]:
    """The best page for each kind that has one."""
    best: dict[Kind, tuple[float, int, str]] = {}
    for link in candidates:
        if link.url.rstrip("/") == home.rstrip("/"):
            continue
        for kind in wanted:
            score = _score(link, kind)
            rank = (-score, len(link.url), link.url)
            if score >= _ENOUGH and rank < best.get(kind, (0.0, 0, "")):
                best[kind] = rank
    return {kind: best[kind][2] for kind in wanted if kind in best}


def english(reading: Reading, site: Site) -> str:
    """Where a home page in another language says that its English edition is; empty when it is the one."""
    if reading.language in ("", "en"):
        return ""
    for node in reading.tree.xpath("//link[@rel='alternate'][@hreflang][@href]"):
        if str(node.get("hreflang")).lower() in ("en", "en-us", "en-gb", "en-en"):
            url = address(reading.base, node.get("href", ""))
            if url and url != reading.url and site.holds(url):
                return url
    return ""


def _score(link: Link, kind: Kind) -> float:
    words = WORDS.get(kind)
    parts = urlsplit(link.url)
    path = [p for p in parts.path.lower().split("/") if p]
    if words is None or _AVOIDED.search("/".join(["", *path])):
        return 0.0
    if path and _LANGUAGE.fullmatch(path[0]):
        if re.split("[-_]", path[0])[0] in _LANGUAGES:
            return 0.0
        path = path[1:]
    slug = re.sub(r"\.(?:html?|aspx?|php|jsp)$", "", path[-1]) if path else ""
    slug = "" if slug in ("index", "home", "default") else slug
    score = _likeness(_plain(link.text), words, 6.0, 3.0) + _likeness(_plain(slug), words, 5.0, 2.5)
    if not path and (label := (parts.hostname or "").split(".")[0]) not in ("www", ""):
        score += _likeness(label, words, 4.0, 0.0)
    score += sum(1.0 for p in path[:-1] if _plain(p) in (*words.telling, *words.exact)) * (0.5 if score else 0.0)
    # An article speaks of a thing; the page of the thing has a short name.
    return score - 0.4 * max(len(path) - 1, 0) - (2.0 if slug.count("-") > 3 else 0.0)


def _likeness(text: str, words: Words, whole: float, part: float) -> float:
    for rank, name in enumerate((*words.telling, *words.exact)):
        if text == name:
            return whole - 0.15 * rank
    for rank, name in enumerate(words.telling):
        if len(text.split()) <= 5 and re.search(rf"\b{name}\b", text):
            return part - 0.1 * rank
    return 0.0


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold().replace("&", " and ")))


# --- sitemaps ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sitemap:
    """What a sitemap lists: pages, or further sitemaps."""

    pages: tuple[Link, ...] = ()
    children: tuple[str, ...] = ()


def read_sitemap(body: bytes, site: Site) -> Sitemap:
    """A sitemap's entries on the site; empty for what is none."""
    if body[:2] == b"\x1f\x8b":
        body = _unpacked(body)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, recover=True, remove_comments=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.LxmlError, ValueError):
        return Sitemap()
    if root is None or not isinstance(root.tag, str):
        return Sitemap()
    index = etree.QName(root).localname == "sitemapindex"
    urls = [joined("", text) for text in _places(root)]
    if index:
        return Sitemap(children=tuple(u for u in urls if u and site.holds(u)))
    return Sitemap(pages=tuple(Link(u) for u in urls if u and site.holds(u) and address(u, u)))


def best_sitemap(urls: Iterable[str]) -> str:
    """The sitemap that most likely lists a company's standing pages; empty when none does."""
    liked = re.compile(
        r"page|company|corporate|main|static|marketing|www|\ben\b|en[-_]us|sitemap(?:_index)?\.xml", re.I
    )
    disliked = re.compile(
        r"post|blog|product|image|video|author|tag|categor|archive|news|docs|forum|help|event|\d{4}|"
        rf"[/_-](?:{'|'.join(sorted(_LANGUAGES))})(?:[-_./]|$)",
        re.IGNORECASE,
    )
    ranked = [(-len(liked.findall(_tail(u))) + 3 * len(disliked.findall(_tail(u))), len(u), u) for u in urls]
    return min(ranked, default=(0, 0, ""))[2]


def _places(root: etree._Element) -> Iterator[str]:
    for count, node in enumerate(root.iter("{*}loc")):
        if count >= MOST_ENTRIES:
            return
        # `image:loc` is another element of the same name.
        if "image" not in (etree.QName(node).namespace or "") and node.text:
            yield node.text.strip()


def _tail(url: str) -> str:
    return urlsplit(url).path


def _unpacked(body: bytes) -> bytes:
    """A small packed sitemap; nothing of a large one."""
    if len(body) > _PACKED:
        return b""
    try:
        return zlib.decompressobj(47).decompress(body, _UNPACKED)
    except zlib.error:
        return b""
