"""What a company says of itself on its own site: a few pages, found by the home page's links and the sitemap. Free."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urljoin, urlsplit

from pydantic import Field, ValidationError, field_validator
from typing_extensions import override

from tools.base import FailureKind, Frozen, SourceDocument, SourceError, SourceReply, SubjectHint
from tools.fetching import Door
from tools.http_source import HttpSource
from tools.reading.urls import host_of, normalise_url
from tools.reading.website_documents import describe
from tools.reading.website_facts import akin, stated_name
from tools.reading.website_pages import Kind, Link, best_sitemap, choose, english, links, read_sitemap
from tools.reading.website_reading import Reading, Site, read
from tools.web.addresses import Target, check_url
from tools.web.page import Page

PATIENCE = 30.0
"""Seconds after which no further page is waited for: those that came are worth more than a timeout."""
MOST_REQUESTS = 8
_ACCEPT = "text/html,application/xhtml+xml;q=0.9"
_ACCEPT_SITEMAP = "application/xml,text/xml;q=0.9"
_PAGES: Mapping[str, tuple[Kind, ...]] = {
    "profile": ("home", "about"),
    "leadership": ("leadership", "about"),
    "products": ("products", "pricing", "home"),
    "technology": ("products", "pricing", "home"),
    "customers": ("customers",),
    "news": ("newsroom",),
    "hiring": ("careers",),
    "strategy": ("about", "newsroom"),
}
"""The pages that fill a dataset. What a product is built on is said, if anywhere, where the product is shown."""


class WebsiteArgs(Frozen):
    """Some pages of one site."""

    domain: str = Field(
        min_length=3, max_length=300, description="The company's own domain or any address on it, such as acme.com."
    )
    pages: tuple[Kind, ...] = Field(
        ("home", "about"), min_length=1, max_length=4, description="Which kinds of pages to find and read, 1 to 4."
    )
    about: str = Field(
        "", max_length=200, description="The company's name; empty to take the name that the site states."
    )

    @field_validator("domain")
    @classmethod
    def _host(cls, value: str) -> str:
        """The host of whatever was given."""
        given = value.strip()
        host = urlsplit(normalise_url(given if "://" in given else f"https://{given}")).hostname or ""
        if "." not in host.strip("."):
            raise ValueError("domain must be a host such as acme.com")
        return host.rstrip(".")

    @field_validator("pages")
    @classmethod
    def _once(cls, value: tuple[Kind, ...]) -> tuple[Kind, ...]:
        return tuple(dict.fromkeys(value))

    @field_validator("about")
    @classmethod
    def _plain(cls, value: str) -> str:
        return " ".join(value.split())


class Website(HttpSource[WebsiteArgs]):
    """A company's own site."""

    name = "website"
    title = "The company's website"
    description = (
        "A company's own pages: what it is, who leads it, products, prices, customers, news. Needs its domain. Free."
    )
    Args = WebsiteArgs
    needs_domain: ClassVar[bool] = True
    """Nothing can be suggested for a company whose domain is not known."""
    datasets: ClassVar[Mapping[str, float]] = {
        "profile": 0.6,
        "products": 0.6,
        "leadership": 0.5,
        "customers": 0.45,
        "news": 0.4,
        "strategy": 0.25,
        "hiring": 0.15,
        "technology": 0.1,
    }
    reliability = 0.85
    latency = 3.0
    timeout = 40.0
    licence = "The company's own words, under its own terms: quote briefly and link."
    # A larger page is no page for people, and its parsing would take a processor for seconds.
    max_bytes = 3_000_000

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[WebsiteArgs]:
        """The pages that fill the dataset, on the company's domain."""
        pages = _PAGES.get(dataset)
        if not pages or not subject.domain.strip():
            return ()
        try:
            return (WebsiteArgs(domain=subject.domain, pages=pages, about=" ".join(subject.name.split())[:200]),)
        except ValidationError:
            return ()

    async def fetch(self, args: WebsiteArgs) -> SourceReply:
        """A visit of the site: its home page, and the pages that are asked for."""
        return await _Visit(self.door, args, asyncio.get_running_loop().time() + PATIENCE).reply()


@dataclass
class _Visit:
    """One call's way through a site."""

    door: Door
    args: WebsiteArgs
    until: float
    asked: int = 0
    notes: list[str] = field(default_factory=list)
    failures: list[SourceError] = field(default_factory=list)
    """Of pages that are not the home page."""

    async def reply(self) -> SourceReply:
        page = await self._home()
        site = Site(urlsplit(page.url).hostname or self.args.domain)
        home = await self._in_english(await asyncio.to_thread(read, page, site, dated=False), site)
        about = self._about(home, site)
        read_pages: dict[str, tuple[Reading, set[Kind]]] = {}
        if "home" in self.args.pages:
            read_pages[home.url] = (home, {"home"})
        await self._read_wanted(home, site, read_pages)
        documents: list[SourceDocument] = []
        for reading, kinds in read_pages.values():
            found, note = await asyncio.to_thread(describe, reading, site, about, frozenset(kinds), Website.licence)
            documents += found
            self.notes += [note] if note else []
        if not documents and self.failures:
            raise next((f for f in self.failures if f.kind is not FailureKind.NOT_FOUND), self.failures[0])
        return SourceReply(documents=tuple(documents), note=" ".join(dict.fromkeys(self.notes)))

    async def _home(self) -> Page:
        """The home page; a bare domain that cannot be reached may have a site under www. Raises SourceError."""
        host = self.args.domain
        try:
            return await self._get(f"https://{host}/")
        except SourceError as exc:
            first = exc
        if first.kind is not FailureKind.UNREACHABLE or host != host_of(f"https://{host}"):
            raise first
        try:
            return await self._get(f"https://www.{host}/")
        except SourceError:
            raise first from None

    async def _in_english(self, home: Reading, site: Site) -> Reading:
        """The English edition of the home page, where the site has one: the words that tell its pages are English."""
        url = english(home, site)
        other = await self._read(url, site, dated=False) if url else None
        return other if isinstance(other, Reading) else home

    def _about(self, home: Reading, site: Site) -> str:
        """The company that the site is about. A domain that leads elsewhere is about whoever is there."""
        stated, given = stated_name(home, site), self.args.about
        was, now = host_of(f"https://{self.args.domain}"), site.origin
        if was in (now, host_of(f"https://{site.host}")):
            return given or stated or now
        self.notes.append(f"{was} leads to {now}.")
        same = akin(stated, given) if stated else was.split(".")[0] == now.split(".")[0]
        return given if given and same else stated or now

    async def _read_wanted(self, home: Reading, site: Site, read_pages: dict[str, tuple[Reading, set[Kind]]]) -> None:
        """Find and read the wanted pages: by the home page's links, by those of the pages found, by the sitemap."""
        wanted = [k for k in self.args.pages if k != "home"]
        found = choose(links(home, site), wanted, home.url)
        await self._read_all(found, home, site, read_pages)
        missing = [k for k in wanted if k not in found]
        if missing:
            seen = [link for reading, _ in read_pages.values() for link in links(reading, site)]
            more = choose(seen, missing, home.url)
            if still := [k for k in missing if k not in more]:
                more |= choose(await self._mapped(home, site), still, home.url)
            await self._read_all(more, home, site, read_pages)
            self.notes += [f"No {k} page was found." for k in missing if k not in more]

    async def _read_all(
        self,
        found: Mapping[Kind, str],
        home: Reading,
        site: Site,
        read_pages: dict[str, tuple[Reading, set[Kind]]],
    ) -> None:
        urls = {url: {k for k, u in found.items() if u == url} for url in found.values()}
        new = [url for url in urls if url not in read_pages]
        for url in urls.keys() & read_pages.keys():
            read_pages[url][1].update(urls[url])
        outcomes = await asyncio.gather(
            *(self._read(u, site, dated=not urls[u] & {"newsroom", "customers"}) for u in new)
        )
        for url, outcome in zip(new, outcomes, strict=True):
            named = " and ".join(sorted(urls[url]))
            if isinstance(outcome, SourceError):
                self.failures.append(outcome)
                self.notes.append(f"The {named} page could not be read: {outcome.message}")
            elif outcome is None or outcome.url == home.url:
                self.notes.append(f"The {named} page leads elsewhere.")
            else:
                read_pages.setdefault(outcome.url, (outcome, set()))[1].update(urls[url])

    async def _read(self, url: str, site: Site, *, dated: bool) -> Reading | SourceError | None:
        """A page; its failure; or None when it is not on the site."""
        try:
            page = await self._get(url)
            return await asyncio.to_thread(read, page, site, dated=dated) if site.holds(page.url) else None
        except SourceError as exc:
            return exc

    async def _mapped(self, home: Reading, site: Site) -> list[Link]:
        """The pages that the site's sitemap lists: of one file, or of the likeliest of those that an index names."""
        stated = [u for s in await self._stated_sitemaps(home.url) if (u := normalise_url(s)) and site.holds(u)]
        url = best_sitemap(stated) or urljoin(home.url, "/sitemap.xml")
        for _ in range(2):
            try:
                page = await self._get(url, _ACCEPT_SITEMAP)
            except SourceError:
                return []  # most sites have none; the note says which page was not found
            listed = await asyncio.to_thread(read_sitemap, page.body, site)
            if not listed.children:
                return list(listed.pages)
            url = best_sitemap(listed.children)
        return []

    async def _stated_sitemaps(self, url: str) -> Iterable[str]:
        """The sitemaps of the robots.txt that was read before the home page."""
        http = self.door.http
        try:
            return (await http.robots.rules(check_url(url, http.allowed), _not_again)).sitemaps()
        except SourceError:
            return ()

    async def _get(self, url: str, accept: str = _ACCEPT) -> Page:
        """A page of the site, within this call's requests and time. Raises SourceError."""
        if self.asked >= MOST_REQUESTS:
            raise SourceError(FailureKind.TIMEOUT, "No more pages are read in one call.")
        self.asked += 1
        try:
            async with asyncio.timeout_at(self.until):
                return await self.door.get(url, robots=True, accept=accept)
        except TimeoutError:
            error = SourceError(FailureKind.TIMEOUT, f"{urlsplit(url).hostname} did not answer in time.")
        raise error


async def _not_again(target: Target) -> tuple[int, bytes]:
    """Rules that are forgotten already are not asked for a second time."""
    raise SourceError(FailureKind.UNREACHABLE, f"The rules of {target.host} are not known.")


SOURCES = (Website,)
