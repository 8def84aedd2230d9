"""One page of a company's site: what a visitor sees of it, what it states about itself, and when it was published."""

from __future__ import annotations

import codecs
import copy
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml import html as lxml_html
from pydantic import JsonValue

from tools.base import FailureKind, SourceError
from tools.reading.contacts import without_contacts
from tools.reading.dates import parse_date
from tools.reading.urls import host_of, normalise_url
from tools.reading.website_schema import Item, structured, top, types, word
from tools.web.page import Page

Node: TypeAlias = Any
"""An element of lxml, which states no types."""
logger = logging.getLogger(__name__)

MAX_TEXT = 12_000
MAX_SOURCE = 600_000
"""Characters of markup that are read for text: scripts are gone by then, and no text for people is longer."""
SHORT = 400
"""Fewer characters than these, and the text is sought again with less fear of taking too much."""
THIN = 40
"""Fewer characters than these are no text: such a page is filled by scripts, which are not run here."""
BOX = 2_000
"""Characters of a banner or a quotation at most; an element with more of them holds the page itself, whatever its name."""
REVISED = timedelta(days=31)
_SHARED = frozenset(
    "github.io gitlab.io wordpress.com blogspot.com webflow.io notion.site myshopify.com vercel.app netlify.app pages.dev "
    "wixsite.com squarespace.com herokuapp.com web.app firebaseapp.com azurewebsites.net amazonaws.com tumblr.com".split()
)
"""Domains under which each subdomain is somebody else's site."""
_HIDDEN = re.compile(
    r"(?:^|;)(?:display:none|visibility:hidden|(?:font-size|max-height|height|width):0(?:px|em|rem|%)?(?:;|!|$)"
    r"|(?:left|top|text-indent|margin-left):-\d{3,})"
)
_FURNITURE = re.compile(r"cookie|consent|gdpr|newsletter|breadcrumb|skip-link|language-(?:switch|select)", re.I)
_BOXES = frozenset({"div", "section", "aside", "ul", "ol", "p", "span", "a"})
_BLOCKS = frozenset(
    "address article aside blockquote body br button caption dd details div dl dt fieldset figcaption figure footer form h1 "
    "h2 h3 h4 h5 h6 header hr html legend li main nav ol option p pre section select summary table tbody td tfoot th thead "
    "tr ul".split()
)
_NO_SITE = re.compile(
    r"domain (?:name )?(?:is|may be) for sale|buy this domain|domain (?:is )?parked|checking your browser"
    r"|enable javascript and cookies|verify (?:that )?you are (?:a )?human",
    re.I,
)


@dataclass(frozen=True)
class Site:
    """All pages that one company answers for."""

    host: str
    """The host of the home page, after redirects."""

    @property
    def origin(self) -> str:
        """The publisher: the registered domain, or the host itself under a domain that many share."""
        return self.host if (found := host_of(f"https://{self.host}")) in _SHARED else found

    def holds(self, url: str) -> bool:
        """Whether a page belongs to the site."""
        host = (urlsplit(url).hostname or "") if host_of(url) in _SHARED else host_of(url)
        return bool(host) and host == self.origin


@dataclass(frozen=True)
class Fact:
    """A sentence that a page is certain to state, and the field that it fills."""

    sentence: str
    dataset: str
    field: str
    value: JsonValue


@dataclass(frozen=True)
class Reading:
    """A page, read."""

    url: str
    title: str
    site_name: str
    summary: str
    language: str
    published_at: datetime | None
    tree: Node
    """Without what a visitor does not see."""
    body: Node
    """The tree without menus, footers and banners too."""
    base: str
    """What its links are relative to."""
    items: tuple[Item, ...]
    """Its structured data (schema.org)."""


def read(page: Page, site: Site, *, dated: bool = True) -> Reading:
    """Read a page; `dated` where it is one text with one date. Raises SourceError (malformed) for what is no page."""
    tree = _parse(page)
    url = normalise_url(page.url)
    items = structured(tree, url)
    _drop_hidden(tree)
    body = copy.deepcopy(tree)
    _drop_furniture(body)
    base = next(iter(tree.xpath("//base/@href")), "")
    return Reading(
        url=_canonical(tree, url, site),
        title=(clean(_first(tree, "//title")) or _meta(tree, "og:title") or clean(_first(body, "//h1")))[:200],
        site_name=_meta(tree, "og:site_name")[:80],
        summary=_meta(tree, "description") or _meta(tree, "og:description"),
        language=str(tree.get("lang") or "").strip().lower()[:2],
        published_at=_published(tree, items, dated=dated),
        tree=tree,
        body=body,
        base=joined(url, base) or url,
        items=items,
    )


def clean(text: str) -> str:
    """A text on one line, without signs that have no width, e-mail addresses and phone numbers."""
    plain = " ".join(re.sub("[\u00ad\u200b-\u200f\u2060\ufeff\x00-\x08]", "", text).split())
    return without_contacts(plain)


def prose(reading: Reading, *, quoted: bool = False) -> str:
    """The page's running text; empty when there is none, or when the host shows something else than a site.

    Without `quoted`, what others say is left out: the titles under it are of other companies.
    """
    tree = reading.tree if quoted else copy.deepcopy(reading.tree)
    for node in [] if quoted else tree.xpath("//blockquote|//*[contains(@class, 'testimonial')]"):
        if len(node.text_content()) < BOX:
            _drop(node)
    source = etree.tostring(tree, encoding="unicode", method="html")[:MAX_SOURCE]
    text = _extracted(source, reading.url, recall=False)
    if len(text) < SHORT:
        text = max(text, _extracted(source, reading.url, recall=True), key=len)
    if len(text) < THIN:
        # Not trafilatura's html2txt: it puts menus and paragraphs on one line, and sentences would run into each other.
        text = "\n".join(block for block, _ in blocks(reading.body))
    lines = [line for raw in text.splitlines() if (line := clean(raw))]
    text = _cut("\n".join(lines))
    return "" if len(text) < THIN or (len(text) < SHORT and _NO_SITE.search(text)) else text


def blocks(root: Node) -> Iterator[tuple[str, Node]]:
    """The texts of a tree as a reader sees them, one for each paragraph, cell or heading, each with its element."""
    held: list[str] = []
    owner = root
    for text, node, breaks in _pieces(root):
        if breaks:
            if line := clean("".join(held)):
                yield line, owner
            held, owner = [], node
        held.append(text)
    if line := clean("".join(held)):
        yield line, owner


def runs(root: Node) -> Iterator[tuple[str, Node]]:
    """The texts of a tree in the smallest pieces that its markup makes, each with its element."""
    for text, node, _ in _pieces(root):
        if plain := clean(text):
            yield plain, node


def _pieces(root: Node) -> Iterator[tuple[str, Node, bool]]:
    """Every text with the element that it stands in, and whether a block begins or ends before it."""
    for event, node in etree.iterwalk(root, events=("start", "end")):
        if not isinstance(node.tag, str):
            continue
        breaks = node.tag in _BLOCKS
        if event == "start" and node.tag not in ("script", "style"):
            yield node.text or "", node, breaks
        elif event == "end" and node is not root:
            yield node.tail or "", node.getparent(), breaks


def _parse(page: Page) -> Node:
    if page.content_type not in ("", "text/html", "application/xhtml+xml", "text/plain", "application/octet-stream"):
        raise SourceError(FailureKind.MALFORMED, f"The answer is no web page but {page.content_type[:40]}.")
    parser = lxml_html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    source = _decoded(page).encode("utf-8", "replace")
    try:
        return lxml_html.document_fromstring(source, parser=parser, ensure_head_body=True)
    except (etree.LxmlError, ValueError, AssertionError):  # nothing in it that could be an element
        return lxml_html.document_fromstring("<html><head></head><body></body></html>", ensure_head_body=True)


def _decoded(page: Page) -> str:
    """The text, by the charset of the header, else of the page itself, else UTF-8."""
    if "charset" in page.headers.get("content-type", "").lower():
        return page.text()
    stated = re.search(rb"<meta[^>]{0,200}charset=[\"']?\s*([\w.:-]{2,40})", page.body[:4_096], re.IGNORECASE)
    try:
        name = codecs.lookup(stated[1].decode()).name if stated else "utf-8"
        return page.body.decode(name, "replace")
    except (LookupError, UnicodeError):
        return page.text()


def _drop_hidden(tree: Node) -> None:
    for node in tree.xpath("//script|//style|//template|//noscript|//iframe|//svg|//object"):
        _drop(node)
    for node in tree.xpath("//*[@hidden or @aria-hidden='true' or @style]"):
        style = re.sub(r"\s+", "", node.get("style", "")).lower()
        if node.get("hidden") is not None or node.get("aria-hidden") == "true" or _HIDDEN.search(style):
            _drop(node)


def _drop_furniture(tree: Node) -> None:
    roles = " or ".join(f"@role='{r}'" for r in ("navigation", "dialog", "alertdialog", "contentinfo", "search"))
    for node in tree.xpath(
        "//nav|//footer[not(ancestor::article or ancestor::blockquote)]|//form|//dialog|//select"
        f"|//header[not(ancestor::main or ancestor::article or ancestor::section)]|//*[{roles}]"
    ):
        _drop(node)
    for node in tree.xpath("//*[@id or @class]"):
        named = f"{node.get('id', '')} {node.get('class', '')}"
        if node.tag in _BOXES and _FURNITURE.search(named) and len(node.text_content()) < BOX:
            _drop(node)


def _drop(node: Node) -> None:
    if node.tag not in ("html", "body", "head") and node.getparent() is not None:
        node.drop_tree()


def _first(tree: Node, path: str) -> str:
    found = tree.xpath(path)
    return str(found[0].text_content()) if found else ""


def _meta(tree: Node, name: str) -> str:
    return clean(next(iter(tree.xpath("//meta[@property=$n or @name=$n]/@content", n=name)), ""))


def joined(base: str, href: str) -> str:
    """Where a link leads, in the one spelling of an address; empty for what is no web address."""
    try:
        return normalise_url(urljoin(base, href.strip()))
    except ValueError:
        return ""


def _canonical(tree: Node, url: str, site: Site) -> str:
    """The address that the page calls its own. A site that calls every page its home page is not believed."""
    stated = joined(url, next(iter(tree.xpath("//link[@rel='canonical']/@href")), ""))
    if not stated or not site.holds(stated):
        return url
    return url if urlsplit(stated).path == "/" and urlsplit(url).path != "/" else stated


def _published(tree: Node, items: tuple[Item, ...], *, dated: bool) -> datetime | None:
    """When the page was published, as it states; None also where it was rewritten since: no date is this text's then."""
    own = [n for n in top(items) if any(t.endswith(("Page", "Article", "Posting")) for t in types(n) - {"JobPosting"})]
    stated = _meta(tree, "article:published_time")
    days = {stated} if stated else {word(n.get("datePublished")) for n in own} - {""}
    times = tree.xpath("//article//time/@datetime")
    if not days and dated and len(tree.xpath("//article")) == 1 and len(times) == 1:
        days = {str(times[0])}
    when = parse_date(days.pop()) if dated and len(days) == 1 else None
    changes = [_meta(tree, "article:modified_time"), *(word(n.get("dateModified")) for n in own)]
    later = [d for text in changes if (d := parse_date(text)) is not None]
    return None if when is None or any(d - when > REVISED for d in later) else when


def _extracted(source: str, url: str, *, recall: bool) -> str:
    import trafilatura  # its import takes half a second, which a run without a website need not wait for

    try:
        return trafilatura.extract(source, include_comments=False, include_tables=True, favor_recall=recall) or ""
    except Exception as exc:  # noqa: BLE001  # whatever odd markup makes of it, the page can still be read without it
        logger.warning("trafilatura failed on %s: %s", url, type(exc).__name__)
        return ""


def _cut(text: str) -> str:
    """At most MAX_TEXT characters, to the end of a line or sentence."""
    if len(text) <= MAX_TEXT:
        return text
    end = max(text.rfind(mark, 0, MAX_TEXT) for mark in ("\n", ". "))
    return text[: end + 1 if end > MAX_TEXT // 2 else MAX_TEXT].rstrip()
