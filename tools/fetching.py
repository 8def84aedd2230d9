"""The one HTTP door. A source asks for a URL; what it gets is public, polite and bounded, or a SourceError.

A request goes through, in this order: the check of its address, the service's breaker, robots.txt (of websites), the service's
pace over all processes, a connection to an address that was checked just before, limits on bytes and seconds, and the one
retry rule. Each hop of a redirect goes through all of it again.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
from pydantic import BaseModel, JsonValue
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential
from typing_extensions import override

from tools.addresses import Resolver, Target, check_url, refuse, resolve
from tools.base import FailureKind, Pace, SourceEnv, SourceError, SourceTool
from tools.connecting import Refused, Transport
from tools.manners import Breaker, Turnstile
from tools.memo import Memo, Remembered
from tools.page import Page, seconds_of
from tools.robots import Robots

A = TypeVar("A", bound=BaseModel)
logger = logging.getLogger(__name__)

AGENT = "Dossier"
MAX_BYTES = 8_000_000
MAX_REDIRECTS = 5
ATTEMPTS = 3
PATIENCE = 0.6
"""Share of a source's timeout that may go into waiting for its turn."""
WEBSITE = Pace(per_second=1.0, burst=3, at_once=2)
"""The pace for a host that no source knows by name."""
_MOVED = frozenset({301, 302, 303, 307, 308})
_TRANSIENT = frozenset({429, 502, 503, 504})
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
        scrub: Callable[[str], str] = str,
        known: Callable[[str], str] = str,
        resolver: Resolver = resolve,
    ) -> None:
        """`folder` keeps paces and remembered pages, and is shared by all processes of a deployment.

        `contact` (an e-mail address or a page) is named to every service. `allowed` hosts may be internal. `mirrors` maps a
        host, or `*`, to the base address that is asked in its place; `{host}` in it stands for the host. `backoff` is the
        first wait of the retry rule in seconds; `pace_scale` multiplies every pace's waits (1 outside tests). `scrub` cleans
        messages, `known` takes the secrets in force out of a text.
        """
        self.contact = contact
        self.request_timeout = request_timeout
        self.backoff = backoff
        self.scrub = scrub
        self.user_agent = f"{AGENT}/0.1 ({contact})" if contact else f"{AGENT}/0.1"
        self.memo = Memo(folder / "pages", known)
        self.robots = Robots()
        self.mirrors = dict(mirrors or {})
        self.allowed = frozenset(a.strip().lower() for a in allowed if a.strip())
        self._trusted = self.allowed | {httpx.URL(base.replace("{host}", "x")).host for base in self.mirrors.values()}
        self._folder, self._scale = folder / "paces", pace_scale
        self._turnstiles: dict[tuple[str, Pace], Turnstile] = {}
        self._breakers: dict[str, Breaker] = {}
        self._client: httpx.AsyncClient | None = None
        self._resolver = resolver

    @property
    def client(self) -> httpx.AsyncClient:
        """Made at the first request: certificates take time to load."""
        if self._client is None:
            transport = Transport(self._resolver, self._trusted)
            self._client = httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False)
        return self._client

    async def aclose(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def door(self, source: str, timeout: float, paces: Mapping[str, Pace], *, max_bytes: int = MAX_BYTES) -> Door:
        """The way of one source to the web."""
        return Door(self, source, timeout, paces, max_bytes)

    def turnstile(self, name: str, pace: Pace) -> Turnstile:
        """The turnstile of a service: one file for all processes, and for all paces at which it is asked."""
        if (name, pace) not in self._turnstiles:
            self._turnstiles[name, pace] = Turnstile(name, pace, self._folder, scale=self._scale)
        return self._turnstiles[name, pace]

    def breaker(self, name: str) -> Breaker:
        """The breaker of a source at a service."""
        return self._breakers.setdefault(name, Breaker(name))

    def sent_to(self, target: Target) -> httpx.URL:
        """The address that is really asked: the target's own, or that of the mirror which stands in for its host."""
        base = self.mirrors.get(target.host) or self.mirrors.get("*")
        if base is None or (target.trusted and target.host not in self.mirrors):
            return target.url
        mirror = httpx.URL(base.replace("{host}", target.host))
        path = mirror.raw_path.rstrip(b"/") + target.url.raw_path
        return mirror.copy_with(raw_path=path)


@dataclass(frozen=True)
class Door:
    """One source's way to the web."""

    http: Http
    source: str
    timeout: float
    paces: Mapping[str, Pace]
    max_bytes: int

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
        asked = str(httpx.URL(url).copy_merge_params(params)) if params else url
        request = _Request(self, dict(headers or {}), robots, accept, explain)
        retrying = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS), wait=self._wait, retry=retry_if_exception(_worth_retrying), reraise=True
        )
        try:
            async with asyncio.timeout(min(self.timeout, self.http.request_timeout * ATTEMPTS)):
                return await retrying(request.follow, asked)
        except TimeoutError:
            error = SourceError(FailureKind.TIMEOUT, f"{_shown(asked)} did not answer in time.")
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
                rules = await http.robots.rules(target, lambda t: self._robots_txt(t, service, pace))
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

    async def _robots_txt(self, target: Target, service: str, pace: Pace) -> tuple[int, bytes]:
        """Status and body of a site's robots.txt, redirects followed (RFC 9309, 2.3.1.2)."""
        for _ in range(MAX_REDIRECTS + 1):
            async with (
                self.door.http.turnstile(service, pace).turn(self.door.timeout * PATIENCE),
                self._sent(target, {}, "text/plain") as response,
            ):
                if response.status_code not in _MOVED:
                    return response.status_code, await self._body(response, limit=500_000, cut=True)
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
                return Page(str(target.url), {**known.headers, **found, **_typed(known)}, known.body)
            if response.status_code != 200:
                start = (await self._body(response, limit=20_000, cut=True)).decode("utf-8", "replace")
                raise self._failure(target, response.status_code, found, start)
            body = await self._body(response, limit=self.door.max_bytes, cut=False)
        self.door.http.memo.put(str(target.url), self.accept, found, body)
        return Page(str(target.url), found, body)

    @asynccontextmanager
    async def _sent(self, target: Target, headers: Mapping[str, str], accept: str) -> AsyncIterator[httpx.Response]:
        """The response while its body is read; whatever goes wrong on the wire becomes a SourceError."""
        http = self.door.http
        fixed = {"User-Agent": http.user_agent, "Accept": accept, "Accept-Encoding": "gzip"}
        limit = min(http.request_timeout, self.door.timeout)
        request = http.client.build_request(
            "GET", http.sent_to(target), headers={**fixed, **headers}, timeout=httpx.Timeout(limit, connect=min(5.0, limit))
        )  # fmt: skip
        try:
            async with asyncio.timeout(limit):
                response = await http.client.send(request, stream=True)
                try:
                    yield response
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException):
            error = SourceError(FailureKind.TIMEOUT, f"{target.host} did not answer within {limit:g} s.")
        except Refused as exc:
            error = exc.error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
            said = f"{target.host} could not be asked ({type(exc).__name__})."
            error = SourceError(FailureKind.UNREACHABLE, said)
        else:
            return
        raise error

    async def _body(self, response: httpx.Response, *, limit: int, cut: bool) -> bytes:
        """The body, unpacked, up to `limit` bytes; beyond it is cut off or refused. Raises SourceError."""
        packed = response.headers.get("content-encoding", "identity").lower()
        if packed not in ("identity", "gzip", "x-gzip", ""):
            raise SourceError(FailureKind.MALFORMED, f"The answer is packed in a way nobody asked for ({packed[:20]}).")
        unpack = zlib.decompressobj(47) if "gzip" in packed else None
        body = bytearray()
        try:
            async for piece in response.aiter_raw():
                # Never more than one byte over the limit is unpacked, however much is packed into a piece.
                body += unpack.decompress(piece, limit + 1 - len(body)) if unpack else piece
                if len(body) > limit:
                    break
        except zlib.error as exc:
            raise SourceError(FailureKind.MALFORMED, "The answer's packing is damaged.") from exc
        if len(body) > limit and not cut:
            raise SourceError(FailureKind.MALFORMED, f"The answer is larger than {limit / 1e6:.0f} MB.")
        return bytes(body[:limit])

    def _failure(self, target: Target, status: int, headers: Mapping[str, str], start: str) -> SourceError:
        said = self.explain(status, headers, start) if self.explain is not None else None
        if said is not None:
            return said
        kind = _FAILURES.get(status, FailureKind.UNREACHABLE if status >= 500 else FailureKind.INVALID_ARGUMENTS)
        retry = seconds_of(headers.get("retry-after"))
        return SourceError(kind, f"{target.host} answered {status}.", retry_after=retry)


class HttpSource(SourceTool[A]):
    """A free source that is asked over HTTP."""

    max_bytes = MAX_BYTES

    def __init__(self, env: SourceEnv) -> None:
        super().__init__(env)
        self._door = env.http.door(self.name, self.timeout, self.paces, max_bytes=self.max_bytes) if env.http else None

    @property
    @override
    def max_price(self) -> int:
        """Nothing."""
        return 0

    @override
    def unavailable(self) -> str | None:
        """Off where the deployment stays offline."""
        return None if self.env.http is not None else "The web is not to be asked: set DOSSIER_OFFLINE=false."

    @property
    def door(self) -> Door:
        """The way to the web. Raises SourceError (unreachable) when there is none."""
        if self._door is None or (why := self.unavailable()) is not None:
            raise SourceError(FailureKind.UNREACHABLE, self.unavailable() or why or "")
        return self._door


def _service(host: str, paces: Mapping[str, Pace]) -> tuple[str, Pace]:
    """The service that a host belongs to, by the longest domain that a source names, and its pace."""
    owners = [d for d in paces if host == d or host.endswith(f".{d}")]
    best = max(owners, key=len, default=None)
    return (best, paces[best]) if best is not None else (host, WEBSITE)


def _worth_retrying(exc: BaseException) -> bool:
    """Only what another attempt may mend soon: a broken connection, an overloaded server, a short Retry-After."""
    if not isinstance(exc, SourceError):
        return False
    soon = exc.retry_after is not None and exc.retry_after <= 2.0
    if exc.kind is FailureKind.RATE_LIMITED:
        return soon
    return exc.kind is FailureKind.UNREACHABLE and (exc.retry_after is None or soon)


def _typed(known: Remembered) -> dict[str, str]:
    return {k: v for k, v in known.headers.items() if k == "content-type"}


def _shown(url: str) -> str:
    """An address as it may be shown: without its query, which may hold anything."""
    return url.split("?", 1)[0][:200]
