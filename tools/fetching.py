"""The one HTTP door. A source asks for a URL; what it gets is public, polite and bounded, or a SourceError.

A request goes through, in this order: the check of its address, the service's breaker, robots.txt (of websites), the service's
pace over all processes, a connection to an address that was checked just before, limits on bytes and seconds, and the one
retry rule. Each hop of a redirect goes through all of it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpcore
import httpx
from pydantic import JsonValue
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from tools.base import FailureKind, Pace, SourceError
from tools.web.addresses import Resolver, Target, Unresolved, check_url, refuse, resolve
from tools.web.connecting import Refused, Transport
from tools.web.manners import Breaker, Turnstile
from tools.web.memo import Memo
from tools.web.page import Page, Unpacker, seconds_of
from tools.web.recent import Recent
from tools.web.robots import LARGEST, Robots

AGENT = "Dossier"
MAX_BYTES = 8_000_000
MAX_REDIRECTS = 5
ATTEMPTS = 3
PATIENCE = 0.6
"""Share of a source's timeout that may go into waiting for its turn."""
WEBSITE = Pace(per_second=1.0, burst=3, at_once=2)
"""The pace for a host that no source knows by name."""
_MOVED = frozenset({301, 302, 303, 307, 308})
_FAILURES = {
    401: FailureKind.AUTH,
    402: FailureKind.QUOTA,
    403: FailureKind.AUTH,
    404: FailureKind.NOT_FOUND,
    410: FailureKind.NOT_FOUND,
    429: FailureKind.RATE_LIMITED,
}


class Http:
    """The process's connections, paces and breakers; each source asks through a `Door` of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        contact: str = "",
        allowed: Iterable[str] = (),
        mirrors: Mapping[str, str] | None = None,
        request_timeout: float = 15.0,
        backoff: float = 0.5,
        pace_scale: float = 1.0,
        sharing: float = 120.0,
        scrub: Callable[[str], str] = str,
        known: Callable[[str], str] = str,
        resolver: Resolver = resolve,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        """`folder` keeps paces and remembered pages, and is shared by all processes of a deployment.

        `contact` (an e-mail address or a page) is named to every service. `allowed` hosts may be internal. `mirrors` maps a
        host, or `*`, to the base address that is asked in its place; `{host}` in it stands for the host. `backoff` is the
        first wait of the retry rule in seconds; `pace_scale` multiplies every pace's waits (1 outside tests). A website's page is
        fetched once in `sharing` seconds, whoever asks for it. `scrub` cleans
        messages, `known` takes the secrets in force out of a text. `network` is what dials an address that was checked.
        """
        contact = "".join(
            c for c in contact if " " <= c <= "~" and c not in "()\\"
        ).strip()  # all that a header may hold
        self.contact = contact
        self.request_timeout = request_timeout
        self.backoff = backoff
        self.scrub = scrub
        self.user_agent = f"{AGENT}/0.1 ({contact})" if contact else f"{AGENT}/0.1"
        self.memo = Memo(folder / "pages", known)
        self.robots = Robots(AGENT)
        self.recent = Recent(sharing)
        self.mirrors = dict(mirrors or {})
        self.allowed = frozenset(a.strip().lower().replace("[", "").replace("]", "") for a in allowed if a.strip())
        self._folder, self._scale = folder / "paces", pace_scale
        self._turnstiles: dict[tuple[str, Pace], Turnstile] = {}
        self._breakers: dict[str, Breaker] = {}
        self._transports: dict[bool, Transport] = {}
        self._resolver, self._network = resolver, network

    def transport(self, *, trusted: bool) -> Transport:
        """Made at the first request: certificates take time to load.

        What goes to a host that the operator named shares no connection with what a page may ask for: else a mirror would
        open its host to every page. There is no client above it: that would keep cookies and read redirects by itself.
        """
        if trusted not in self._transports:
            self._transports[trusted] = Transport(self._resolver, trusted=trusted, network=self._network)
        return self._transports[trusted]

    async def aclose(self) -> None:
        """Close every connection."""
        while self._transports:
            await self._transports.popitem()[1].aclose()

    def door(
        self,
        source: str,
        timeout: float,
        paces: Mapping[str, Pace],
        *,
        max_bytes: int = MAX_BYTES,
        slowness: float = 1.0,
    ) -> Door:
        """The way of one source to the web."""
        return Door(self, source, timeout, paces, max_bytes, min(self.request_timeout * slowness, timeout))

    def turnstile(self, name: str, pace: Pace) -> Turnstile:
        """The turnstile of a service: one file for all processes, and for all paces at which it is asked."""
        if (name, pace) not in self._turnstiles:
            self._turnstiles[name, pace] = Turnstile(name, pace, self._folder, scale=self._scale)
        return self._turnstiles[name, pace]

    def breaker(self, name: str) -> Breaker:
        """The breaker of a source at a service."""
        return self._breakers.setdefault(name, Breaker(name))

    def sent_to(self, target: Target) -> tuple[httpx.URL, bool]:
        """The address that is really asked, and whether its host is the operator's word: the target's own, or that of the
        mirror which stands in for its host. A mirror whose host is nothing but `{host}` is whatever a page names."""
        base = self.mirrors.get(target.host) or self.mirrors.get("*")
        if base is None or (target.trusted and target.host not in self.mirrors):
            return target.url, target.trusted
        mirror = httpx.URL(base.replace("{host}", target.host))
        path = mirror.raw_path.rstrip(b"/") + target.url.raw_path
        place = urlsplit(base).netloc
        return mirror.copy_with(raw_path=path), "{host}" not in place or place.startswith("{host}.")


@dataclass(frozen=True)
class Door:
    """One source's way to the web."""

    http: Http
    source: str
    timeout: float
    paces: Mapping[str, Pace]
    max_bytes: int
    patience: float
    """Longest wait for one answer, seconds."""

    async def get(
        self,
        url: str,
        params: Mapping[str, str | int] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        robots: bool = False,
        accept: str = "application/json",
        explain: Callable[[int, Mapping[str, str], str], SourceError | None] | None = None,
    ) -> Page:
        """The page at a URL. Raises SourceError and nothing else; nothing here is ever billed.

        `headers` are sent to the URL's own host only. `robots` asks robots.txt first. `explain` may read a service's own
        refusals off status, headers and the beginning of the body, before the usual meaning of the status is taken.
        """
        asked = url
        request = _Request(self, dict(headers or {}), robots, accept, explain)
        retrying = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS), wait=self._wait, retry=retry_if_exception(_worth_retrying), reraise=True
        )
        try:
            asked = _with(url, params) if params else url
            async with asyncio.timeout(min(self.timeout, self.patience * ATTEMPTS)):
                if robots:
                    return await self.http.recent.page(asked, lambda: retrying(request.follow, asked))
                return await retrying(request.follow, asked)
        except TimeoutError:
            error = SourceError(FailureKind.TIMEOUT, f"{_shown(asked)} did not answer in time.")
        except OSError as exc:
            error = SourceError(FailureKind.INTERNAL, f"The data folder cannot be used ({type(exc).__name__}).")
        except SourceError as exc:
            error = SourceError(exc.kind, self.http.scrub(exc.message), retry_after=exc.retry_after)
        raise error  # outside `except`: no foreign exception, whose text nobody has read, hangs in the chain

    async def get_json(
        self, url: str, params: Mapping[str, str | int] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> dict[str, JsonValue]:
        """The JSON object at a URL. Raises SourceError."""
        return (await self.get(url, params, headers=headers)).json_object()

    def _wait(self, state: RetryCallState) -> float:
        """Seconds before the next attempt: what the service said, or a random time that doubles."""
        error = state.outcome.exception() if state.outcome is not None else None
        said = error.retry_after if isinstance(error, SourceError) else None
        jitter = wait_random_exponential(multiplier=self.http.backoff, max=self.http.backoff * 8)(state)
        return max(said or 0.0, jitter)


@dataclass
class _Request:
    """One URL with all that belongs to asking for it."""

    door: Door
    headers: dict[str, str]
    robots: bool
    accept: str
    explain: Callable[[int, Mapping[str, str], str], SourceError | None] | None

    async def follow(self, url: str) -> Page:
        """Ask, and go where a redirect points; each hop is checked like the first."""
        first = check_url(url, self.door.http.allowed)
        target = first
        for _ in range(MAX_REDIRECTS + 1):
            same = (target.host, target.port, target.url.scheme) == (first.host, first.port, first.url.scheme)
            outcome = await self._ask(target, self.headers if same else {})
            if isinstance(outcome, Page):
                return outcome
            target = self._next(target, outcome)
        raise SourceError(FailureKind.MALFORMED, f"{_shown(url)} redirects more than {MAX_REDIRECTS} times.")

    async def _ask(self, target: Target, headers: Mapping[str, str]) -> Page | str:
        """One hop: a page, or where to look instead."""
        door, http = self.door, self.door.http
        service, pace = _service(target.host, door.paces)
        async with http.breaker(f"{door.source} at {service}").guard():
            if self.robots:
                rules = await http.robots.rules(target, self._robots_txt)
                if not rules.allows(target, AGENT):
                    raise SourceError(
                        FailureKind.BLOCKED_BY_ROBOTS, f"{target.host} asks robots not to read this page."
                    )
                pace = rules.slower(pace, AGENT)
            turnstile = http.turnstile(service, pace)
            async with turnstile.turn(door.timeout * PATIENCE):
                try:
                    return await self._exchange(target, headers)
                except SourceError as exc:
                    if exc.retry_after is not None and exc.kind in (FailureKind.RATE_LIMITED, FailureKind.UNREACHABLE):
                        await turnstile.push_back(exc.retry_after)
                    raise

    async def _robots_txt(self, target: Target) -> tuple[int, bytes]:
        """Status and body of a site's robots.txt, redirects followed (RFC 9309, 2.3.1.2)."""
        for _ in range(MAX_REDIRECTS + 1):
            service, pace = _service(target.host, self.door.paces)
            async with (
                self.door.http.turnstile(service, pace).turn(self.door.timeout * PATIENCE),
                self._sent(target, {}, "text/plain") as response,
            ):
                if response.status_code not in _MOVED:
                    if response.status_code != 200:
                        return response.status_code, b""
                    return 200, await self._body(response, limit=LARGEST, cut=True)
                where = response.headers.get("location", "")
            target = self._next(target, where)
        return 404, b""

    def _next(self, target: Target, location: str) -> Target:
        """Where a redirect leads, checked like the first address."""
        try:
            return check_url(str(target.url.join(location)), self.door.http.allowed)
        except (httpx.InvalidURL, ValueError) as exc:
            raise refuse("a redirect leads to what is no address") from exc

    async def _exchange(self, target: Target, headers: Mapping[str, str]) -> Page | str:
        known = self.door.http.memo.get(str(target.url), self.accept)
        conditional = known.conditions() if known is not None else {}
        async with self._sent(target, {**headers, **conditional}, self.accept) as response:
            found = {k.lower(): v for k, v in response.headers.items()}
            if response.status_code in _MOVED:
                if not found.get("location"):
                    raise SourceError(FailureKind.MALFORMED, f"{target.host} redirects to nowhere.")
                return found["location"]
            if response.status_code == 304 and known is not None:
                return Page(
                    str(target.url),
                    {**known.headers, **found, "content-type": known.headers.get("content-type", "")},
                    known.body,
                )
            if response.status_code != 200:
                raise self._failure(target, response.status_code, found, await self._beginning(response))
            body = await self._body(response, limit=self.door.max_bytes, cut=False)
        self.door.http.memo.put(str(target.url), self.accept, found, body)
        return Page(str(target.url), found, body)

    @asynccontextmanager
    async def _sent(self, target: Target, headers: Mapping[str, str], accept: str) -> AsyncIterator[httpx.Response]:
        """The response while its body is read; whatever goes wrong on the wire becomes a SourceError."""
        http = self.door.http
        fixed = {"User-Agent": http.user_agent, "Accept": accept, "Accept-Encoding": "gzip"}
        limit = self.door.patience
        try:
            where, trusted = http.sent_to(target)
            patience = httpx.Timeout(limit, connect=min(5.0, limit)).as_dict()
            request = httpx.Request("GET", where, headers={**fixed, **headers}, extensions={"timeout": patience})
            async with asyncio.timeout(limit):
                response = await http.transport(trusted=trusted).handle_async_request(request)
                try:
                    yield response
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException):
            error = SourceError(FailureKind.TIMEOUT, f"{target.host} did not answer within {limit:g} s.")
        except Refused as exc:
            error = exc.error
        except UnicodeEncodeError:  # it holds the whole header, which may be a key: not even chained
            error = SourceError(FailureKind.INVALID_ARGUMENTS, "A key or a header has characters that cannot be sent.")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
            said = f"{target.host} could not be asked ({type(exc).__name__})."
            error = SourceError(FailureKind.UNREACHABLE, said)
        else:
            return
        raise error

    async def _body(self, response: httpx.Response, *, limit: int, cut: bool) -> bytes:
        """The body, unpacked, up to `limit` bytes; beyond it is cut off or refused. Raises SourceError."""
        unpacker = Unpacker(response.headers.get("content-encoding", ""), limit)
        async for piece in response.aiter_raw():
            unpacker.add(piece)
            if unpacker.over:
                break
        else:
            unpacker.end()
        if unpacker.over and not cut:
            raise SourceError(FailureKind.MALFORMED, f"The answer is larger than {limit / 1e6:.0f} MB.")
        del unpacker.body[limit:]
        return bytes(unpacker.body)

    async def _beginning(self, response: httpx.Response) -> str:
        """What a refusal says first. Its status counts even when its body cannot be read."""
        try:
            return (await self._body(response, limit=20_000, cut=True)).decode("utf-8", "replace")
        except (SourceError, httpx.HTTPError):
            return ""

    def _failure(self, target: Target, status: int, headers: Mapping[str, str], start: str) -> SourceError:
        said = self.explain(status, headers, start) if self.explain is not None else None
        if said is not None:
            return said
        kind = _FAILURES.get(status, FailureKind.UNREACHABLE if status >= 500 else FailureKind.INVALID_ARGUMENTS)
        retry = seconds_of(headers.get("retry-after"))
        return SourceError(kind, f"{target.host} answered {status}.", retry_after=retry)


def _service(host: str, paces: Mapping[str, Pace]) -> tuple[str, Pace]:
    """The service that a host belongs to, by the longest domain that a source names, and its pace."""
    owners = [d for d in paces if host == d or host.endswith(f".{d}")]
    best = max(owners, key=len, default=None)
    return (best, paces[best]) if best is not None else (host, WEBSITE)


def _with(url: str, params: Mapping[str, str | int]) -> str:
    try:
        return str(httpx.URL(url).copy_merge_params(params))
    except (httpx.InvalidURL, ValueError, TypeError) as exc:
        raise refuse("it is not a web address") from exc


def _worth_retrying(exc: BaseException) -> bool:
    """Only what another attempt may mend soon: a broken connection, an overloaded server, a short Retry-After."""
    if not isinstance(exc, SourceError) or isinstance(exc, Unresolved):
        return False
    soon = exc.retry_after is not None and exc.retry_after <= 2.0
    if exc.kind is FailureKind.RATE_LIMITED:
        return soon
    return exc.kind is FailureKind.UNREACHABLE and (exc.retry_after is None or soon)


def _shown(url: str) -> str:
    """An address as it may be shown: without its query, which may hold anything."""
    return url.split("?", 1)[0][:200]
