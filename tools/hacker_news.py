"""What developers say and link about a company: Hacker News, through Algolia's public search. Free."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import Field, JsonValue
from typing_extensions import override

from tools.base import FailureKind, FieldQuote, Frozen, Pace, SourceDocument, SourceError, SourceReply, SubjectHint
from tools.http_source import HttpSource
from tools.reading.urls import host_of, normalise_url

_API = "https://hn.algolia.com/api/v1/search_by_date"
_TAG = re.compile(r"<(?:p|br|/p)[^>]*>", re.IGNORECASE)
_MARKUP = re.compile(r"<[^>]+>")


class HackerNewsArgs(Frozen):
    """A search for stories, the newest first."""

    query: str = Field(min_length=1, max_length=200, description="The company's name; it must stand in the title.")
    limit: int = Field(10, ge=1, le=30, description="How many stories to bring at most.")


class HackerNews(HttpSource[HackerNewsArgs]):
    """Stories on Hacker News."""

    name = "hacker_news"
    title = "Hacker News"
    description = "Dated headlines that developers shared about a company: launches, outages, opinions. Free."
    Args = HackerNewsArgs
    datasets: ClassVar[Mapping[str, float]] = {"news": 0.4, "technology": 0.15, "products": 0.1}
    reliability = 0.55
    latency = 0.6
    timeout = 15.0
    licence = "Titles by their posters, linked to the original; the search is Algolia's, free without a key."
    homepage = "https://hn.algolia.com/api"
    paces: ClassVar[Mapping[str, Pace]] = {"hn.algolia.com": Pace(per_second=2.5, burst=5, at_once=4)}

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[HackerNewsArgs]:
        """The company's name."""
        plain = " ".join(subject.name.replace('"', " ").split())[:200]
        return (HackerNewsArgs(query=plain),) if dataset in self.datasets and plain else ()

    async def fetch(self, args: HackerNewsArgs) -> SourceReply:
        """One search."""
        params: dict[str, str | int] = {
            "query": f'"{args.query}"',
            "tags": "story",
            "restrictSearchableAttributes": "title",
            "hitsPerPage": args.limit,
        }
        found = await self.door.get_json(_API, params)
        hits = found.get("hits")
        if not isinstance(hits, list):
            raise SourceError(FailureKind.MALFORMED, "Hacker News answered without a list of hits.")
        documents = [d for hit in hits if isinstance(hit, dict) and (d := _document(hit)) is not None]
        if hits and not documents:
            raise SourceError(FailureKind.MALFORMED, "None of Hacker News's hits has the expected shape.")
        return SourceReply(documents=tuple(documents))


def _document(hit: Mapping[str, JsonValue]) -> SourceDocument | None:
    title, story = _text(hit.get("title")), _text(hit.get("story_text"))
    number = _text(hit.get("objectID"))
    if not title or not number:
        return None
    page = f"https://news.ycombinator.com/item?id={number}"
    link = normalise_url(_text(hit.get("url")))
    when = hit.get("created_at_i")
    return SourceDocument(
        url=link or page,
        title=title,
        text=f"{title}\n\n{story}".strip(),
        published_at=datetime.fromtimestamp(when, UTC) if isinstance(when, int) and 0 < when < 1e11 else None,
        origin=host_of(link) or "news.ycombinator.com",
        licence=HackerNews.licence,
        fields=(
            FieldQuote(dataset="news", field="events", quote=title, value=[{"headline": title, "url": link or page}]),
        ),
    )


def _text(value: JsonValue) -> str:
    """Plain text of what Algolia gives: entities and simple markup resolved, one line per paragraph."""
    if not isinstance(value, str):
        return ""
    lines = html.unescape(_MARKUP.sub("", _TAG.sub("\n", value))).split("\n")
    return "\n".join(plain for line in lines if (plain := " ".join(line.split())))


SOURCES = (HackerNews,)
