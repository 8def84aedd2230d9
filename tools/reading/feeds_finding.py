"""Where a site keeps its feeds: what its page says, and where they usually are."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from tools.reading.texts import one_line
from tools.reading.urls import host_of, normalise_url

_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})
_MOST_PAGE = 1_500_000
_FEED_PATH = re.compile(r"(?:/(?:feed|rss|atom)/?|(?:rss|feed|atom)\.xml|\.rss|\.atom|feed\.json)$", re.IGNORECASE)
_COMMENTS = re.compile(r"\bcomments?\b", re.IGNORECASE)


def named_feeds(body: bytes, url: str) -> list[str]:
    """The feeds that a page names in its head (`rel="alternate"`), those of its own site first, one of elsewhere at most.

    The feed of a blog's comments comes last: it is what readers say.
    """
    root = _parsed(body)
    if root is None:
        return []
    base = _base(root, url)
    found: dict[str, bool] = {}
    for link in root.iter("link"):
        kinds = (link.get("rel") or "").lower().split()
        media = (link.get("type") or "").split(";")[0].strip().lower()
        if "alternate" in kinds and media in _TYPES and (address := _joined(base, link.get("href"))):
            found.setdefault(address, bool(_COMMENTS.search(f"{link.get('title') or ''} {urlsplit(address).path}")))
    ordered = sorted(found, key=lambda address: found[address])
    own = [a for a in ordered if host_of(a) == host_of(url)]
    return [*own, *[a for a in ordered if a not in own][:1]]


def likely_feeds(body: bytes, url: str) -> list[str]:
    """Addresses of the same site that may be feeds, the likeliest first: links that look like one, then usual places."""
    root = _parsed(body)
    links = [] if root is None else [_joined(_base(root, url), a.get("href")) for a in root.iter("a")]
    own = [a for a in links if a and host_of(a) == host_of(url)]
    sections = {urlsplit(a).path.strip("/").split("/")[0].lower() for a in own}
    usual = [
        *(["/blog/feed"] if "blog" in sections else []),
        *(["/news/rss.xml"] if "news" in sections else []),
        *("/feed", "/rss.xml", "/blog/feed", "/news/rss.xml"),
    ]
    seen = [a for a in own if _FEED_PATH.search(urlsplit(a).path)]
    return list(dict.fromkeys([*seen, *(_joined(url, path) for path in usual)]))


def _parsed(body: bytes) -> Any:
    """The page's root element, or None where there is none."""
    from lxml import etree  # imported here: like feedparser, only who reads feeds pays for it

    try:
        return etree.fromstring(body[:_MOST_PAGE], etree.HTMLParser(no_network=True, huge_tree=False))
    except (etree.LxmlError, ValueError):
        return None


def _base(root: Any, url: str) -> str:
    stated = next((b.get("href") for b in root.iter("base")), None)
    return _joined(url, stated) or url


def _joined(base: str, link: object) -> str:
    text = one_line(link, 2_000)
    try:
        return normalise_url(urljoin(base, text)) if text else ""
    except ValueError:
        return ""
