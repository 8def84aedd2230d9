"""From the bytes of a file to texts with a title and a date. One function per format; each raises IngestError.

A date is what the content says of itself (front matter, HTML meta data, its first lines, PDF metadata) or the file's name
does: the file's own time never counts.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agent.errors import IngestError
from agent.pdf import read_pdf
from agent.rows import Reading, clean, read_csv, read_json, read_json_lines
from agent.stated import date_in_name, stated_author, stated_date
from tools.reading.dates import parse_date

_FENCE = re.compile(r"\A(---|\+\+\+)[ \t]*\n(.*?)\n\1[ \t]*(?:\n|\Z)", re.DOTALL)
_PAIR = re.compile(r"^([A-Za-z_][\w-]*)\s*[:=]\s*(.*?)\s*$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,2}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)
_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_STATED = re.compile(r"article:published_time[\"'][^>]*content=[\"']([^\"']+)|\"datePublished\"\s*:\s*\"([^\"]+)")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Contents:
    """What a file held, and what of it could not be read."""

    readings: list[Reading] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read(path: Path, data: bytes) -> Contents:
    """The texts in `data`, which is the content of `path`. Raises IngestError that says why there is none."""
    reader = READERS.get(path.suffix.casefold())
    if reader is None:
        kind, kinds = path.suffix or "(none)", ", ".join(READERS)
        raise IngestError(f"files of type {kind} are not read; convert it to one of {kinds}")
    contents = reader(path, data)
    if not any(r.text.strip() for r in contents.readings):
        raise IngestError("; ".join(contents.problems[:3]) or "it holds no text")
    return contents


def decode(data: bytes) -> str:
    """Bytes as text: a byte-order mark, then UTF-8, then what the HTML declares, then the likeliest charset."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return clean(data.decode(name, errors="replace"))
    if b"\0" in data[:8192]:
        raise IngestError("it is a binary file")
    declared = _CHARSET.search(data[:4096])
    for name in ("utf-8", *([declared[1].decode("ascii", "ignore")] if declared else ())):
        try:
            return clean(data.decode(name))
        except (UnicodeDecodeError, LookupError):
            continue
    from charset_normalizer import from_bytes

    best = from_bytes(data).best()
    if best is None:
        raise IngestError("its character encoding is unknown; save it as UTF-8")
    return clean(str(best))


def _markdown(path: Path, data: bytes) -> Contents:
    text = decode(data)
    meta: dict[str, str] = {}
    if fence := _FENCE.match(text):
        meta = {key.casefold(): value.strip("\"'") for key, value in _PAIR.findall(fence[2])}
        text = text[fence.end() :].lstrip("\n")
    heading = _HEADING.search(text)
    title = meta.get("title") or (heading[1] if heading else "") or path.stem
    return Contents([_described(path, text, title, meta)])


def _described(path: Path, text: str, title: str, meta: Mapping[str, str]) -> Reading:
    said = next((meta[k] for k in ("date", "published", "published_at", "pubdate", "created") if meta.get(k)), None)
    return Reading(
        text=text,
        title=title,
        url=meta.get("url") or meta.get("source_url") or "",
        # A date in the front matter that is not certain is still the one that was meant: nothing else is tried.
        published_at=parse_date(said) if said else stated_date(text) or date_in_name(path.name),
        author=meta.get("author") or meta.get("authors", "").strip("[]") or meta.get("by") or stated_author(text),
        origin=meta.get("publisher") or meta.get("site") or "",
        about=meta.get("company") or meta.get("about") or "",
        licence=meta.get("licence") or meta.get("license") or "",
    )


def _plain(path: Path, data: bytes) -> Contents:
    text = decode(data)
    head, _, rest = text.strip().partition("\n")
    is_title = rest.startswith("\n") and len(head) <= 120 and not head.rstrip().endswith((".", ":"))
    title = head.strip() if is_title else path.stem
    when = stated_date(text) or date_in_name(path.name)
    return Contents([Reading(text=text, title=title, published_at=when, author=stated_author(text))])


def _html(path: Path, data: bytes) -> Contents:
    import trafilatura  # costs a quarter of a second; most deployments ingest no HTML

    page = decode(data)
    # Only dates that the page states in its meta data: its body is full of other days.
    dates = {"extensive_search": False, "original_date": True}
    found = trafilatura.bare_extraction(
        page, with_metadata=True, include_comments=False, favor_recall=True, date_extraction_params=dates
    )
    meta = dict(found if isinstance(found, dict) else found.as_dict()) if found else {}
    text = str(meta.get("text") or "") or trafilatura.html2txt(page)
    when = _published(page) or parse_date(meta.get("date")) or stated_date(text) or date_in_name(path.name)
    title = str(meta.get("title") or "") or path.stem
    return Contents(
        [
            Reading(
                text=clean(text),
                title=clean(title),
                url=str(meta.get("url") or ""),
                published_at=when,
                author=clean(str(meta.get("author") or "")).replace("; ", ", ") or stated_author(text),
                origin=str(meta.get("sitename") or meta.get("hostname") or ""),
            )
        ]
    )


def _published(page: str) -> datetime | None:
    """The stated time of publication with its hour, where the page gives one: trafilatura keeps the day only."""
    stated = _STATED.search(page)
    return parse_date(stated[1] or stated[2]) if stated else None


def _pdf(path: Path, data: bytes) -> Contents:
    return Contents(*read_pdf(path, data))


def _csv(path: Path, data: bytes) -> Contents:
    return Contents(*read_csv(decode(data), path.stem))


def _json_lines(path: Path, data: bytes) -> Contents:
    return Contents(*read_json_lines(decode(data), path.stem))


def _json(path: Path, data: bytes) -> Contents:
    return Contents(*read_json(decode(data), path.stem))


READERS: Mapping[str, Callable[[Path, bytes], Contents]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".txt": _plain,
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
    ".csv": _csv,
    ".jsonl": _json_lines,
    ".json": _json,
}
