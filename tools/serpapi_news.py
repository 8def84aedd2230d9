"""Google News through SerpAPI, over the google-search-results client. Paid: one price per search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from typing_extensions import override

from tools.base import SourceReply, SubjectHint
from tools.reading.serpapi_reply import read_news
from tools.serpapi_source import Query, SerpApiSource, filled


class NewsArgs(Query):
    """A Google News search. `when:30d` in the query narrows to the past 30 days."""


class SerpApiNews(SerpApiSource[NewsArgs]):
    """Google News."""

    name = "serpapi_news"
    title = "Google News (SerpAPI)"
    description = "Dated headlines with their publishers. Paid per search; best for recent events."
    Args = NewsArgs
    datasets: ClassVar[Mapping[str, float]] = {
        "news": 0.9,
        "funding": 0.4,
        "leadership": 0.35,
        "financials": 0.3,
        "strategy": 0.3,
    }
    _queries: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "news": ("{name} when:30d", "{name}"),
        "funding": ("{name} funding OR acquisition OR acquires",),
        "leadership": ("{name} appoints OR names chief officer",),
        "financials": ("{name} quarterly results revenue",),
        "strategy": ("{name} strategy outlook",),
    }

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[NewsArgs]:
        """The name in quotes; for news itself the past month first."""
        return tuple(NewsArgs(query=query) for query in filled(self._queries.get(dataset, ()), subject))

    async def fetch(self, args: NewsArgs) -> SourceReply:
        """One search, once."""
        reply = await self._api.search({"engine": "google_news", "q": args.query, "hl": "en", "gl": "us"})
        return self._reply(reply, read_news(reply))


SOURCES = (SerpApiNews,)
