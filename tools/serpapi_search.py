"""Google Search through SerpAPI, over the google-search-results client. Paid: one price per search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from tools.base import SourceReply, SubjectHint
from tools.reading.serpapi_reply import read_web
from tools.serpapi_source import Query, SerpApiSource, filled

_SINCE = {"day": "qdr:d", "week": "qdr:w", "month": "qdr:m", "year": "qdr:y"}


class SearchArgs(Query):
    """A Google search."""

    since: Literal["any", "day", "week", "month", "year"] = Field(
        "any", description="Only pages from the past day, week, month or year."
    )


class SerpApiSearch(SerpApiSource[SearchArgs]):
    """Google's web results."""

    name = "serpapi_search"
    title = "Google Search (SerpAPI)"
    description = (
        "Google's web results and knowledge panel. Paid per search; good for nearly everything that is public."
    )
    Args = SearchArgs
    datasets: ClassVar[Mapping[str, float]] = {
        "profile": 0.8,
        "products": 0.7,
        "financials": 0.6,
        "funding": 0.6,
        "leadership": 0.75,
        "news": 0.5,
        "hiring": 0.5,
        "technology": 0.5,
        "strategy": 0.55,
        "competitors": 0.7,
        "customers": 0.6,
        "vendor": 0.5,
    }
    _queries: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "profile": ("{name} company headquarters founded employees",),
        "products": ("{name} products platform pricing", "site:{domain} products"),
        "financials": ("{name} annual results revenue growth operating income",),
        "funding": ("{name} funding round raised investors", "{name} acquisition subsidiaries parent company"),
        "leadership": ("{name} leadership team CEO CFO CTO", "{name} appoints new chief officer"),
        "news": ("{name} announces",),
        "hiring": ("{name} hiring jobs open roles", "{name} careers site:boards.greenhouse.io OR site:jobs.lever.co"),
        "technology": ("{name} engineering tech stack tools", "{name} engineering blog architecture"),
        "strategy": ("{name} strategy priorities challenges outlook", "{name} risk factors annual report"),
        "competitors": ("{name} competitors alternatives",),
        "customers": ("{name} customers case study partners", "site:{domain} customers"),
        "vendor": ("{name} offering ideal customers why choose",),
    }

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[SearchArgs]:
        """The name in quotes with the words that pages of this kind use."""
        since: Literal["any", "month"] = "month" if dataset == "news" else "any"
        queries = filled(self._queries.get(dataset, ()), subject)
        return tuple(SearchArgs(query=query, since=since) for query in queries)

    async def fetch(self, args: SearchArgs) -> SourceReply:
        """One search, once."""
        params = {"engine": "google", "q": args.query, "hl": "en", "gl": "us"}
        if args.since != "any":
            params["tbs"] = _SINCE[args.since]
        reply = await self._api.search(params)
        return self._reply(reply, read_web(reply, args.query))


SOURCES = (SerpApiSearch,)
