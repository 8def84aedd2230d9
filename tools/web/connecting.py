"""Connections that lead only to addresses which were checked in the same breath."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Iterable

import certifi
import httpcore
import httpx
from typing_extensions import override

from tools.base import SourceError
from tools.web.addresses import Resolver, addresses_of, refuse


class Refused(Exception):
    """An address that was refused while connecting; httpx lets what it does not know pass."""

    def __init__(self, error: SourceError) -> None:
        super().__init__(error.message)
        self.error = error


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked in the same breath, so that no second lookup can swap them."""

    def __init__(
        self, resolver: Resolver, *, trusted: bool = False, network: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        """`trusted` when it only ever connects to hosts that the operator named; `network` is what dials."""
        self._resolver, self._trusted = resolver, trusted
        self._network = network or httpcore.AnyIOBackend()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        name = host.strip("[]").lower().removesuffix(".")
        try:
            found = await addresses_of(name, port, self._resolver, trusted=self._trusted)
        except SourceError as exc:
            raise Refused(exc) from exc
        last: Exception = httpcore.ConnectError("no address")
        for address in found:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                last = exc
        raise last

    @override
    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise Refused(refuse("it is no web address"))

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@functools.cache
def _context() -> ssl.SSLContext:
    """One for all: loading the certificates takes longer than most requests. The system's own (a company may have added some)
    and, for a Python that knows of none, those that every browser trusts."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class Transport(httpx.AsyncHTTPTransport):
    """httpx's own transport over a connection pool of ours: there is no public way to hand one in."""

    def __init__(
        self, resolver: Resolver, *, trusted: bool = False, network: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        context = _context()
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context, max_connections=100, max_keepalive_connections=20, keepalive_expiry=30.0,
            network_backend=CheckedBackend(resolver, trusted=trusted, network=network),
        )  # fmt: skip
