"""A network in memory: it answers for every public address and dials a real server on loopback for every other.

Whoever is led to a private address ends at the canary, which is on loopback and counts connections.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpcore
from typing_extensions import override

PUBLIC = "93.184.215.14"


@dataclass(frozen=True)
class Request:
    """What came in over a connection."""

    dialled: str
    """Address and port."""
    sni: str | None
    path: str
    headers: Mapping[str, str]

    @property
    def host(self) -> str:
        return self.headers["host"]


World = Callable[[Request], bytes]


def reply(body: bytes = b"{}", status: int = 200, **headers: str) -> bytes:
    """An answer as it goes over the wire; the connection ends after it."""
    named = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode("latin-1") + body


class Canary:
    """Listens on loopback and counts who comes."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._listen, name="canary", daemon=True)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                connection.sendall(reply(b'{"secret": "of the house"}'))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(20)


@dataclass
class Names:
    """A resolver: the answers of each name in turn, the last for ever; any other name is public."""

    answers: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            turns = self.answers.get(host, [[PUBLIC]])
            return turns[min(self.asked.count(host), len(turns)) - 1]


class Network(httpcore.AsyncNetworkBackend):
    """Hands out connections and remembers where each was meant to go."""

    def __init__(self, world: World, canary: Canary | None = None) -> None:
        self.world, self.canary = world, canary
        self.dialled: list[tuple[str, int]] = []
        self.requests: list[Request] = []
        self.unreachable: set[str] = set()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.dialled.append((host, port))
        if host in self.unreachable:
            raise httpcore.ConnectError("no route")
        address = ipaddress.ip_address(host)
        if self.canary is not None and not (address.is_global and address not in ipaddress.ip_network("168.63.129.16")):
            return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self.canary.port, timeout)
        return _Stream(self, f"{host}:{port}")

    @override
    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps in here")


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, network: Network, dialled: str) -> None:
        self._network, self._dialled = network, dialled
        self._sni: str | None = None
        self._sent, self._left = b"", b""

    @override
    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._sent += buffer
        head, ended, _ = self._sent.partition(b"\r\n\r\n")
        if ended:
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            asked = Request(self._dialled, self._sni, first.split(" ")[1], headers)
            self._network.requests.append(asked)
            self._left, self._sent = self._network.world(asked), b""

    @override
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        piece, self._left = self._left[:max_bytes], self._left[max_bytes:]
        return piece

    @override
    async def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        self._sni = server_hostname
        return self

    @override
    async def aclose(self) -> None:
        self._left = b""

    @override
    def get_extra_info(self, info: str) -> Any:
        return None
