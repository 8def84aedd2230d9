"""Google Search and Google News through SerpAPI, over the google-search-results client. Paid: one price per search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Literal, TypeVar

from pydantic import BaseModel, Field, field_validator
from typing_extensions import override

from tools.base import FailureKind, Frozen, SourceEnv, SourceError, SourceReply, SourceTool, SubjectHint
from tools.serpapi_client import SerpApi, error_text
from tools.serpapi_reply import LICENCE, Found, read_news, read_web

S = TypeVar("S", bound=BaseModel)

DEFAULT_PRICE = "15000"
NO_RESULTS = ("hasn't returned any results", "has not returned any results", "no results")
_SINCE = {"day": "qdr:d", "week": "qdr:w", "month": "qdr:m", "year": "qdr:y"}


class _Query(Frozen):
    query: str = Field(
        min_length=1,
        max_length=400,
        description="What to type into Google: the company's name in double quotes and a few words. `site:` works.",
    )

    @field_validator("query")
    @classmethod
    def _one_spelling(cls, value: str) -> str:
        """White space collapsed, so that the same search is an exact repeat, which is free."""
        plain = " ".join(value.split())
        if not plain:
            raise ValueError("the query has no words")
        return plain


class SearchArgs(_Query):
    """A Google search."""

    since: Literal["any", "day", "week", "month", "year"] = Field(
        "any", description="Only pages from the past day, week, month or year."
    )


class NewsArgs(_Query):
    """A Google News search. `when:30d` in the query narrows to the past 30 days."""


class _SerpApiSource(SourceTool[S]):
    """What both engines share: the settings, the price, and how a reply ends."""

    reliability = 0.6
    latency = 1.5
    timeout = 20.0
    licence = LICENCE
    homepage = "https://serpapi.com"
    repeats_free = timedelta(hours=1)

    def __init__(self, env: SourceEnv) -> None:
        super().__init__(env)
        values = env.values
        self._price = int(values.get("serpapi_price_micros", DEFAULT_PRICE))
        self.timeout = float(values.get("serpapi_timeout", self.timeout))  # type: ignore[misc]  # set by the operator
        self._api = SerpApi(
            key=values.get("serpapi_api_key", ""),
            base_url=values.get("serpapi_base_url", self.homepage),
            timeout=self.timeout,
            scrub=env.scrub,
        )

    @property
    def max_price(self) -> int:
        """One search under the operator's plan."""
        return self._price

    def unavailable(self) -> str | None:
        """A key is needed."""
        if self.env.values.get("serpapi_api_key"):
            return None
        return f"No key: set SERPAPI_API_KEY (one search costs about ${self._price / 1_000_000:.3f})."

    def _reply(self, reply: Mapping[str, object], found: Found) -> SourceReply:
        """Documents, or a search that found nothing (billed all the same), or the failure that the reply speaks of."""
        metadata = reply.get("search_metadata")
        status = metadata.get("status") if isinstance(metadata, dict) else None
        said = error_text(reply)
        billed = self._price if status == "Success" else 0
        if said and any(phrase in said.casefold() for phrase in NO_RESULTS):
            return SourceReply(
                billed=self._price if status in ("Success", None) else 0, note=self.env.scrub(said)[:200]
            )
        if said or status == "Error":
            raise self._api.refusal(said or "the search ended in an error", billed=billed)
        if status not in ("Success", None) or (status is None and not found.documents):
            raise SourceError(FailureKind.MALFORMED, "SerpAPI's reply has no finished search in it.", billed=None)
        if not found.documents and found.skipped:
            text = f"SerpAPI's reply has none of the expected shapes ({found.skipped} items could not be read)."
            raise SourceError(FailureKind.MALFORMED, text, billed=self._price)
        note = f"{found.skipped} items could not be read" if found.skipped else ""
        return SourceReply(documents=tuple(found.documents), billed=self._price, note=note)


class SerpApiSearch(_SerpApiSource[SearchArgs]):
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
        queries = _filled(self._queries.get(dataset, ()), subject)
        return tuple(SearchArgs(query=query, since=since) for query in queries)

    async def fetch(self, args: SearchArgs) -> SourceReply:
        """One search, once."""
        params = {"engine": "google", "q": args.query, "hl": "en", "gl": "us"}
        if args.since != "any":
            params["tbs"] = _SINCE[args.since]
        reply = await self._api.search(params)
        return self._reply(reply, read_web(reply, args.query))


class SerpApiNews(_SerpApiSource[NewsArgs]):
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
        return tuple(NewsArgs(query=query) for query in _filled(self._queries.get(dataset, ()), subject))

    async def fetch(self, args: NewsArgs) -> SourceReply:
        """One search, once."""
        reply = await self._api.search({"engine": "google_news", "q": args.query, "hl": "en", "gl": "us"})
        return self._reply(reply, read_news(reply))


def _filled(templates: Sequence[str], subject: SubjectHint) -> list[str]:
    """Queries with the company's name (as a phrase) and domain; those that need a domain go when there is none."""
    plain = " ".join(subject.name.replace('"', " ").split())[:200]
    if not plain:
        return []
    usable = [t for t in templates if subject.domain or "{domain}" not in t]
    return [t.replace("{name}", f'"{plain}"').replace("{domain}", subject.domain)[:400] for t in usable]


SOURCES = (SerpApiSearch, SerpApiNews)
