"""From the bytes of a feed to its entries: RSS and Atom of any version, and JSON Feed. Nothing here asks the web.

What a body is, is told by its content: feeds are served as `text/html` and pages as `application/xml`.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import entities
from typing import Any, Literal
from urllib.parse import urljoin

from tools.base import FailureKind, SourceError
from tools.reading.contacts import without_contacts
from tools.reading.dates import parse_date
from tools.reading.texts import one_line, plain, shortened
from tools.reading.urls import normalise_url

MOST_ENTRIES = 300
"""Entries that are read; a longer feed is an archive."""
MOST_TEXT = 3_000
_MOST_MARKUP = 40_000
_MOST_PREFACE = 65_536
_OLDEST = 1995
"""Feeds began later: an earlier date is a program's way of saying that it has none."""

_ROOT = re.compile(r"<(?:!doctype\s+)?(?:[\w.-]+:)?(rss|rdf|feed|html)\b", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_AMPERSAND = re.compile(
    rb"&(?:(#\d{1,7};|#[xX][0-9a-fA-F]{1,6};|(?:amp|lt|gt|quot|apos);)|([a-zA-Z][a-zA-Z0-9]{1,31};)?)"
)
_ELEMENT = re.compile(rb"<[A-Za-z_]")
_DAY = re.compile(
    r"\d{4}([-./])\d{1,2}\1\d{1,2}(?!\d)|\b\d{1,2}[ -]+[^\W\d]{3,}\.?[ -]+\d{4}\b"
    r"|[^\W\d]{3,}\.? +\d{1,2}\b(?!:).*\b\d{4}\b"
)
_FOOTER = re.compile(r"\s*The post .{1,300} (?:appeared first on|first appeared on) .{1,120}$")


@dataclass(frozen=True)
class Entry:
    """An entry that has an address and something to say."""

    url: str
    title: str
    """Empty where the entry has none of its own."""
    text: str
    """Its summary or content as plain text, without the title."""
    published_at: datetime | None


@dataclass(frozen=True)
class Feed:
    """What a feed holds, in its own order."""

    entries: tuple[Entry, ...]
    note: str = ""


def kind_of(body: bytes, content_type: str) -> Literal["feed", "json", "page", "other"]:
    """What a body is."""
    start = _in_utf8(body[:16_000], "")[0].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if start.startswith(("{", "[")):
        return "json"
    root = _ROOT.search(_COMMENT.sub("", start))
    if root is not None:
        return "page" if root[1].lower() == "html" else "feed"
    return "page" if content_type == "text/html" and start.startswith("<") else "other"


def read_json(body: bytes, url: str) -> Feed:
    """A JSON Feed (1.0 and 1.1). Raises SourceError."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise SourceError(FailureKind.MALFORMED, "The address gave damaged JSON.") from None
    version = found.get("version") if isinstance(found, dict) else None
    if not isinstance(version, str) or "jsonfeed.org/version/" not in version:
        raise SourceError(FailureKind.MALFORMED, "The address gave JSON that is no feed.")
    items = found.get("items")
    if not isinstance(items, list):
        raise SourceError(FailureKind.MALFORMED, "The JSON feed has no list of items.")
    return _feed(items, [e for i in items[:MOST_ENTRIES] if isinstance(i, dict) and (e := _item(i, url)) is not None])


def _item(item: Mapping[str, Any], base: str) -> Entry | None:
    texts = [_text(item.get("content_text"), markup=False), _text(item.get("content_html")), _text(item.get("summary"))]
    when = _when(item.get("date_published"), None) or _when(item.get("date_modified"), None)
    links = (item.get("url"), item.get("external_url"), item.get("id"))
    return _entry(item.get("title"), texts, links, when, base)


def read_xml(body: bytes, headers: Mapping[str, str], url: str) -> Feed:
    """RSS or Atom. Raises SourceError. Bodies of a megabyte take seconds: run it beside the event loop."""
    # Imported here: it takes 14 MiB that a deployment without feeds need not have.
    import feedparser

    body, media = _in_utf8(body, headers.get("content-type", ""))
    told = {"content-type": media, "content-location": url}
    failed = None
    try:
        # A stream, never the bytes themselves: feedparser first tries to open those as a file of that name.
        parsed = feedparser.parse(io.BytesIO(_mended(_without_doctype(body))), response_headers=told)
        whole = not parsed.bozo or isinstance(
            parsed.bozo_exception, feedparser.CharacterEncodingOverride | feedparser.NonXMLContentType
        )
        # Plain dicts: an entry of feedparser falls back from one date to another, with a warning.
        found = [dict(entry) for entry in parsed.entries[:MOST_ENTRIES]]
        version = str(parsed.version or "")
    except Exception as exc:  # noqa: BLE001  # it names no errors of its own; whatever it is becomes ours below
        failed = type(exc).__name__
    if failed is not None:
        raise SourceError(FailureKind.MALFORMED, f"The feed could not be read ({failed}).")
    note = ""
    if not whole and not _closes(body):
        # Its last entry may end anywhere, in the middle of a headline too.
        found, note = found[:-1], "The feed broke off; its last entry was left out."
    if not found and (not whole or not version):
        raise SourceError(FailureKind.MALFORMED, "The feed is damaged, and no entry of it could be read.")
    return _feed(found, [e for raw in found if (e := _element(raw, url)) is not None], note)


def _in_utf8(body: bytes, media: str) -> tuple[bytes, str]:
    """A body in UTF-16 in the encoding that the next steps read, and its media type."""
    if body[:4] in (b"<\x00?\x00", b"<\x00r\x00", b"<\x00f\x00"):
        body = b"\xff\xfe" + body
    elif body[:4] in (b"\x00<\x00?", b"\x00<\x00r", b"\x00<\x00f"):
        body = b"\xfe\xff" + body
    if not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body, media
    text = re.sub(r"^\s*<\?xml[^>]*>", "", body.decode("utf-16", "replace"), count=1)
    return text.encode(), f"{media.split(';')[0]}; charset=utf-8"


def _without_doctype(body: bytes) -> bytes:
    """The body without what its DOCTYPE declares: a feed needs no entities of its own, and a bomb is made of them.

    Where an entity holds markup the rest of the DOCTYPE stays, and makes the feed unreadable for the strict parser.
    """
    root = _ELEMENT.search(body, 0, _MOST_PREFACE)
    start = body[: root.start()].upper().find(b"<!DOCTYPE") if root is not None else -1
    return body if root is None or start < 0 else body[:start] + body[root.start() :]


def _mended(body: bytes) -> bytes:
    """The body with bare ampersands and HTML's entities as XML has them. They are the commonest faults, and at the first
    one feedparser turns to a parser of its own that makes `R&D;` of `R&D`."""
    first, *others = body.split(b"<![CDATA[")
    parts = [_AMPERSAND.sub(_entity, first)]
    for part in others:
        inside, end, after = part.partition(b"]]>")
        parts.append(inside + end + _AMPERSAND.sub(_entity, after))
    return b"<![CDATA[".join(parts)


def _entity(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return found[0]
    meant = entities.html5.get((found[2] or b"").decode()) if found[2] else None
    return "".join(f"&#{ord(c)};" for c in meant).encode() if meant else b"&amp;" + (found[2] or b"")


def _closes(body: bytes) -> bool:
    """Whether the last thing in the body is the end of a feed."""
    return re.search(rb"</(?:[\w.-]+:)?(?:rss|rdf|feed)\s*>", body[-2_000:], re.IGNORECASE) is not None


def _element(raw: Mapping[str, Any], base: str) -> Entry | None:
    content = raw.get("content")
    first = content[0] if isinstance(content, list) and content and isinstance(content[0], dict) else {}
    texts = [_text(raw.get("summary")), _text(first.get("value"))]
    dates = [_when(raw.get(key), raw.get(f"{key}_parsed")) for key in ("published", "updated")]
    when = dates[0] or dates[1]
    return _entry(raw.get("title"), texts, (raw.get("link"), raw.get("id")), when, base)


def _entry(
    title: object, texts: list[str], links: tuple[object, ...], when: datetime | None, base: str
) -> Entry | None:
    url = next((u for link in links if (u := _link(link, base, relative=link is links[0]))), "")
    headline = one_line(plain(title[:4_000]), 300) if isinstance(title, str) else ""
    text = max(texts, key=len)
    if not url or not (headline or text):
        return None
    return Entry(url, headline, "" if text == headline else text, when)


def _feed(raw: list[Any], entries: list[Entry], note: str = "") -> Feed:
    if raw and not entries:
        raise SourceError(FailureKind.MALFORMED, "None of the feed's entries has an address and a text.")
    return Feed(tuple(entries), note)


def _link(value: object, base: str, *, relative: bool) -> str:
    """An entry's address; its identifier counts only when it is an address already."""
    text = one_line(value, 2_000)
    if not text:
        return ""
    try:
        return normalise_url(urljoin(base, text) if relative else text)
    except ValueError:
        return ""


def _text(value: object, *, markup: bool = True) -> str:
    if not isinstance(value, str):
        return ""
    cut = value[:_MOST_MARKUP]
    text = plain(cut) if markup else "\n".join(line for part in cut.split("\n") if (line := one_line(part, len(part))))
    return without_contacts(_FOOTER.sub("", shortened(text, MOST_TEXT)))


def _when(stated: object, parsed: Any) -> datetime | None:
    """A date that names a day. `parsed` is feedparser's reading in UTC, which makes a day up where only a month is given."""
    when = None
    if isinstance(stated, str) and parsed is not None and _DAY.search(stated[:100]):
        try:
            year, month, day, hour, minute, second = parsed[:6]
            when = datetime(
                year, month, day, hour, minute, min(second, 59), tzinfo=UTC
            )  # 59: a leap second is none here
        except (TypeError, ValueError, OverflowError):
            when = None
    when = when or parse_date(stated)
    return when if when is not None and when.year >= _OLDEST else None
