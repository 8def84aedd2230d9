"""From SerpAPI's JSON to documents. Pure. An item of the wrong shape is left out and counted, never fatal by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote_plus

from pydantic import JsonValue

from tools.base import FieldQuote, SourceDocument
from tools.reading.dates import parse_date
from tools.reading.urls import host_of, normalise_url

LICENCE = "Search result through SerpAPI: title and snippet belong to the page's publisher; quote briefly and link."
MAX_DOCUMENTS = 40
"""A page of Google News holds over a hundred stories, most of them copies of each other."""
MAX_TEXT = 4_000

_YEAR = re.compile(r"\b(1[5-9]\d\d|20\d\d)\b")
_COUNT = re.compile(r"\d{1,3}(?:,\d{3})+|\d+")
_BETWEEN_NAMES = re.compile(r",(?!\s*(?:Inc|LLC|Ltd|Corp|Co|L\.P|S\.A)\b)")
_VAGUE_TYPES = frozenset({"company", "corporation", "organization", "business", "public company", "private company"})

Json = Mapping[str, object]


@dataclass
class Found:
    """What a reply held."""

    documents: list[SourceDocument] = field(default_factory=list)
    skipped: int = 0
    """Items of a shape that cannot be read."""
    notes: list[str] = field(default_factory=list)
    """What else a reader of the reply should know."""

    def add(self, document: SourceDocument | None) -> None:
        """Take a document in, unless it is none, one too many, or there already."""
        if document is None:
            self.skipped += 1
        elif len(self.documents) < MAX_DOCUMENTS and all(
            (d.url, d.text) != (document.url, document.text) for d in self.documents
        ):
            self.documents.append(document)


def said_at(reply: Json) -> datetime | None:
    """When the search was made: what `3 days ago` counts from."""
    metadata = reply.get("search_metadata")
    if not isinstance(metadata, dict):
        return None
    return parse_date(metadata.get("processed_at")) or parse_date(metadata.get("created_at"))


def read_web(reply: Json, query: str) -> Found:
    """Knowledge graph, answer box and organic results of a Google search, in this order."""
    found, anchor = Found(), said_at(reply)
    if (graph := reply.get("knowledge_graph")) is not None:
        found.add(_knowledge_graph(graph, query) if isinstance(graph, dict) else None)
    if isinstance(box := reply.get("answer_box"), dict):
        answer = plain(box.get("snippet")) or plain(box.get("answer"))
        if answer and normalise_url(plain(box.get("link"))):
            found.add(_result({**box, "snippet": answer}, anchor))
    for item in items_in(reply, "organic_results", found):
        found.add(_result(item, anchor))
    return found


def read_news(reply: Json) -> Found:
    """Headlines: first the head of every cluster, then the other stories, so that a cap cuts copies first."""
    found, anchor = Found(), said_at(reply)
    heads: list[Json] = []
    others: list[Json] = []
    for item in items_in(reply, "news_results", found):
        stories = list(items_in(item, "stories", found))
        if isinstance(highlight := item.get("highlight"), dict):
            heads.append(highlight)
            others += stories
        elif stories and not plain(item.get("link")):
            heads.append(stories[0])
            others += stories[1:]
        else:
            heads.append(item)
            others += stories
    for item in [*heads, *others]:
        found.add(_result(item, anchor))
    return found


def items_in(holder: Json, key: str, found: Found) -> Iterator[Json]:
    """The objects in a list; a list or an item of another type counts as skipped."""
    listed = holder.get(key)
    if listed is None:
        return
    if not isinstance(listed, list):
        found.skipped += 1
        return
    for item in listed:
        if isinstance(item, dict):
            yield item
        else:
            found.skipped += 1


def _result(item: Json, anchor: datetime | None) -> SourceDocument | None:
    """A result with a title and an address as a document of its title and snippet."""
    title, url = plain(item.get("title")), normalise_url(plain(item.get("link")))
    if not title or not url:
        return None
    snippet = plain(item.get("snippet"))
    return SourceDocument(
        url=url,
        title=title,
        text=(f"{title}. {snippet}" if snippet else title)[:MAX_TEXT],
        published_at=published(item, anchor),
        origin=host_of(url) or _source_name(item.get("source")),
        licence=LICENCE,
    )


def published(item: Json, anchor: datetime | None) -> datetime | None:
    """The stated date. One that lies after the search is the date of an event, not of the page."""
    when = parse_date(item.get("iso_date"), anchor) or parse_date(item.get("date"), anchor)
    if when is not None and anchor is not None and when > anchor + timedelta(days=1):
        return None
    return when


def _source_name(source: object) -> str:
    """google_news gives an object, `tbm=nws` and organic results a text."""
    return plain(source.get("name")) if isinstance(source, dict) else plain(source)


def plain(value: object) -> str:
    return " ".join(value.replace("\0", "").split()) if isinstance(value, str) else ""


# --- the knowledge graph ----------------------------------------------------------------------------------------------

_SHOWN = {
    "headquarters": "Headquarters",
    "founded": "Founded",
    "ceo": "CEO",
    "founders": "Founders",
    "number_of_employees": "Number of employees",
    "revenue": "Revenue",
    "subsidiaries": "Subsidiaries",
    "parent_organization": "Parent organization",
    "stock_price": "",
    "website": "",
}
_FIELDS = {
    "headquarters": ("profile", "hq"),
    "founded": ("profile", "founded"),
    "ceo": ("leadership", "people"),
    "number_of_employees": ("profile", "employees"),
    "subsidiaries": ("funding", "subsidiaries"),
    "parent_organization": ("funding", "parent"),
}


def _knowledge_graph(graph: Json, query: str) -> SourceDocument | None:
    """The panel beside the results: its plain attributes become lines, and the known ones fields of a dataset."""
    title = plain(graph.get("title"))
    if not title:
        return None
    lines, fields = [title], []
    kind, description = plain(graph.get("type")), plain(graph.get("description"))
    if kind:
        lines.append(kind)
        if kind.casefold() not in _VAGUE_TYPES:
            fields.append(FieldQuote(dataset="profile", field="industry", quote=kind, value=kind))
    if description:
        lines.append(description)
        fields.append(FieldQuote(dataset="profile", field="summary", quote=description, value=description))
    for key, line, value in _attributes(graph):
        lines.append(line)
        if key in _FIELDS:
            dataset, name = _FIELDS[key]
            fields.append(FieldQuote(dataset=dataset, field=name, quote=line, value=_value(key, value)))
    text = ". ".join(line.rstrip(".") for line in lines) + "."
    source = graph.get("source")
    return SourceDocument(
        url=_panel_url(graph, query),
        title=title,
        text=text,
        origin=_panel_origin(source),
        licence=LICENCE,
        about=title,
        fields=tuple(f for f in fields if f.quote in text),
    )


def _attributes(graph: Json) -> Iterable[tuple[str, str, str]]:
    for key, raw in graph.items():
        value = plain(raw)
        label = _SHOWN.get(key, key.replace("_", " ").capitalize())
        known = key in _SHOWN
        skip = key in ("title", "type", "description") or key.endswith(("_link", "_links", "_id", "_url", "_token"))
        if value and label and not skip and (known or (len(value) <= 200 and "://" not in value and key != "kgmid")):
            yield key, f"{label}: {value}", value


def _panel_origin(source: object) -> str:
    """Who wrote the description, under the name that the same publisher has among the results."""
    link = plain(source.get("link")) if isinstance(source, dict) else ""
    return host_of(link) or _source_name(source) or "Google Knowledge Graph"


def _panel_url(graph: Json, query: str) -> str:
    source = graph.get("source")
    stated = source.get("link") if isinstance(source, dict) else None
    for candidate in (stated, graph.get("website")):
        if url := normalise_url(plain(candidate)):
            return url
    return f"https://www.google.com/search?q={quote_plus(query)}"


def _value(key: str, value: str) -> JsonValue:
    """An attribute in the shape of its dataset field; the plain text where the shape cannot be read off for certain."""
    if key == "ceo":
        return [{"name": re.sub(r"\s*\(.*?\)\s*", " ", value).strip(), "role": "CEO"}]
    if key == "subsidiaries":
        return [name for part in _BETWEEN_NAMES.split(value) if (name := part.strip()) and name.casefold() != "more"]
    if key == "number_of_employees" and (count := _COUNT.search(value)):
        year = _YEAR.search(value, count.end())
        return {"n": int(count[0].replace(",", "")), "as_of": year[0] if year else None}
    if key == "founded" and (year := _YEAR.search(value)):
        return year[0]
    return value
