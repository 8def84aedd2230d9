"""What a company or a publisher announces by itself: RSS, Atom and JSON feeds, named by the user or by a site's page. Free."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import Field, JsonValue
from typing_extensions import override

from tools.base import FailureKind, FieldQuote, Frozen, SourceDocument, SourceError, SourceReply, SubjectHint
from tools.http_source import HttpSource
from tools.reading.feeds_finding import likely_feeds, named_feeds
from tools.reading.feeds_reading import Entry, Feed, kind_of, read_json, read_xml
from tools.reading.texts import mentions, one_line, shortened
from tools.reading.urls import host_of
from tools.web.page import Page

_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, "
    "application/json;q=0.9, text/html;q=0.8, */*;q=0.5"
)
_DOMAIN = re.compile(r"(?:[\w-]+\.)+[\w-]{2,}")
_MOST_TRIES = 2
"""Requests beyond the first: a site that names no feed is not searched for one."""
_MOST_CONFIGURED = 10
_PASSING = frozenset(
    {FailureKind.TIMEOUT, FailureKind.UNREACHABLE, FailureKind.RATE_LIMITED, FailureKind.QUOTA, FailureKind.INTERNAL}
)
"""Failures after which nobody knows whether there is a feed. The others say that there is none to read."""


class FeedsArgs(Frozen):
    """A feed to read, or a site whose feed is to be found."""

    url: str = Field(
        min_length=4, max_length=2_000, description="A feed's address, or a site's address or domain such as acme.com."
    )
    about: str = Field("", max_length=200, description="The company of interest, by name; empty when there is none.")
    limit: int = Field(20, ge=1, le=50, description="How many entries to bring at most, the newest first.")
    only_mentioning: bool = Field(
        False,
        description="Only entries that name the company. Set it when the feed is not the company's own, as with a newspaper.",
    )


class Feeds(HttpSource[FeedsArgs]):
    """Feeds of companies and publishers."""

    name = "feeds"
    title = "News feeds of companies and sites"
    description = (
        "Dated announcements and posts from a company's own news or blog feed, or from any feed you name. Free."
    )
    Args = FeedsArgs
    datasets: ClassVar[Mapping[str, float]] = {
        "news": 0.6,
        "products": 0.25,
        "customers": 0.15,
        "strategy": 0.1,
        "leadership": 0.1,
    }
    # A company's own feed deserves .85; feeds of others that the operator names pull the prior down.
    reliability = 0.80
    latency = 1.5
    timeout = 45.0
    licence = "The publisher's own terms; excerpts as the publisher syndicates them."
    homepage = "https://www.rssboard.org/rss-specification"
    needs_domain: ClassVar[bool] = True
    """It has nothing to suggest for a company whose domain is unknown, unless the operator named feeds."""
    # Entries are bounded in number and length. A larger feed is an archive, and reading it takes many seconds.
    max_bytes = 3_000_000

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[FeedsArgs]:
        """The company's own site, and the operator's feeds as far as they name the company."""
        name = one_line(subject.name, 200)
        if dataset not in self.datasets or not name:
            return ()
        domain = one_line(subject.domain, 253)
        own = [FeedsArgs(url=f"https://{domain}/", about=name)] if _DOMAIN.fullmatch(domain) else []
        lines = [line.strip() for line in self.env.values.get("feeds", "").splitlines()]
        configured = [u for u in lines if 4 <= len(u) <= 2_000][:_MOST_CONFIGURED]
        return (*own, *(FeedsArgs(url=u, about=name, only_mentioning=True) for u in configured))

    async def fetch(self, args: FeedsArgs) -> SourceReply:
        """The address; where that is a page, up to two more."""
        if args.only_mentioning and not args.about.strip():
            raise SourceError(FailureKind.INVALID_ARGUMENTS, "`only_mentioning` needs the company's name in `about`.")
        asked = args.url.strip()
        asked = asked if "://" in asked else f"https://{asked}"
        first = await self._got(asked)
        if first.feed is not None:
            return self._reply(args, asked, first)
        body, where = first.page.body, first.page.url
        named = await asyncio.to_thread(named_feeds, body, where)
        guessed = [] if named else await asyncio.to_thread(likely_feeds, body, where)
        return await self._searched(args, asked, (named or guessed)[:_MOST_TRIES], named=bool(named))

    async def _searched(self, args: FeedsArgs, asked: str, addresses: Sequence[str], *, named: bool) -> SourceReply:
        """The first feed with entries among some addresses; an empty one when there is no better."""
        failures: list[SourceError] = []
        empty: SourceReply | None = None
        for address in addresses:
            try:
                found = await self._got(address)
            except SourceError as exc:
                failures.append(exc)
                continue
            if found.feed is None:
                continue
            reply = self._reply(args, asked, found)
            if found.feed.entries and not (named and failures):
                return reply
            if found.feed.entries:
                lost = f"Another feed that the page names could not be read: {failures[0].message}"
                return reply.model_copy(update={"note": f"{reply.note} {lost}".strip()})
            empty = empty or reply
        # A feed that the page names is there: that it cannot be read is a failure. A guess has failed only if it may be there.
        serious = [f for f in failures if named or f.kind in _PASSING]
        if serious:
            raise serious[0]
        what = "what the page names as one is none" if named else "the page names none"
        return empty or SourceReply(note=f"No feed was found: {what}.")

    async def _got(self, url: str) -> _Got:
        """A page, and the feed that it is, if it is one. Raises SourceError."""
        page = await self.door.get(url, robots=True, accept=_ACCEPT)
        match kind_of(page.body, page.content_type):
            case "feed":
                return _Got(page, await asyncio.to_thread(read_xml, page.body, page.headers, page.url))
            case "json":
                return _Got(page, await asyncio.to_thread(read_json, page.body, page.url))
            case "page":
                return _Got(page, None)
        raise SourceError(FailureKind.MALFORMED, "The address gave neither a feed nor a web page.")

    def _reply(self, args: FeedsArgs, asked: str, got: _Got) -> SourceReply:
        feed = got.feed or Feed(())
        about = one_line(args.about)
        own = bool(about) and not args.only_mentioning and host_of(got.page.url) == host_of(asked)
        never = datetime.min.replace(tzinfo=UTC)
        newest = sorted(feed.entries, key=lambda e: e.published_at or never, reverse=True)
        entries = list(dict.fromkeys(newest))
        if args.only_mentioning:
            entries = [e for e in entries if mentions(f"{e.title}\n{e.text}", about)]
        documents = [d for e in entries[: args.limit] for d in _documents(e, about, own=own)]
        return SourceReply(documents=tuple(documents), note=feed.note)


@dataclass(frozen=True)
class _Got:
    """What an address gave."""

    page: Page
    feed: Feed | None


def _documents(entry: Entry, about: str, *, own: bool) -> list[SourceDocument]:
    """An entry as a document, or as two of one address: a headline that is known to be an event of the company stands by
    itself, so that sentences are still chosen from the text below it."""
    event = bool(entry.title) and (own or (bool(about) and mentions(entry.title, about)))
    shared = SourceDocument(
        url=entry.url,
        title=entry.title or shortened(entry.text.replace("\n", " "), 100),
        text="\n\n".join(part for part in (entry.title, entry.text) if part),
        published_at=entry.published_at,
        origin=host_of(entry.url),
        licence=Feeds.licence,
        about=about if own else "",
    )
    if not event:
        return [shared]
    headline: dict[str, JsonValue] = {"headline": entry.title, "url": entry.url}
    if entry.published_at is not None:
        headline["date"] = entry.published_at.date().isoformat()
    quote = FieldQuote(dataset="news", field="events", quote=entry.title, value=[headline])
    told = shared.model_copy(update={"text": entry.title, "fields": (quote,)})
    return [told, shared.model_copy(update={"text": entry.text})] if entry.text else [told]


SOURCES = (Feeds,)
