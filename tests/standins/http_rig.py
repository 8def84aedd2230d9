"""What the rigs of the free HTTP sources share: the stand-in for the web, and the failures that all of them must tell apart."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from tests.standins.registry import Failing, Rig
from tests.standins.web_server import NOT_FOUND, Asked, Told, WebStandin, told
from tools.base import FailureKind, SourceEnv
from tools.fetching import ATTEMPTS, Http
from tools.http_source import HttpSource

PATIENCE = 20.0

COMMON = (
    Failing("auth", FailureKind.AUTH, "nothing"),
    Failing("forbidden", FailureKind.AUTH, "nothing"),
    Failing("quota", FailureKind.QUOTA, "nothing"),
    Failing("not_found", FailureKind.NOT_FOUND, "nothing"),
    Failing("bad_request", FailureKind.INVALID_ARGUMENTS, "nothing"),
    Failing("rate_limited", FailureKind.RATE_LIMITED, "nothing"),
    Failing("server_error", FailureKind.UNREACHABLE, "nothing"),
    Failing("overloaded", FailureKind.UNREACHABLE, "nothing"),
    Failing("html", FailureKind.MALFORMED, "nothing"),
    Failing("error_in_200", FailureKind.MALFORMED, "nothing"),
    Failing("truncated", FailureKind.MALFORMED, "nothing"),
    Failing("wrong_types", FailureKind.MALFORMED, "nothing"),
    Failing("huge", FailureKind.MALFORMED, "nothing"),
    Failing("bomb", FailureKind.MALFORMED, "nothing"),
    Failing("key_in_error", FailureKind.AUTH, "nothing"),
    Failing("cut", FailureKind.UNREACHABLE, "nothing"),
    Failing("drip", FailureKind.TIMEOUT, "nothing"),
    Failing("silent", FailureKind.TIMEOUT, "nothing"),
    Failing("reset", FailureKind.UNREACHABLE, "nothing"),
    Failing("redirect_private", FailureKind.REFUSED_ADDRESS, "nothing"),
    Failing("redirect_loop", FailureKind.MALFORMED, "nothing"),
)
"""Every behaviour of the stand-in, and its kind for a source of JSON without opinions of its own."""


def failing(*without: str, **kinds: FailureKind) -> tuple[Failing, ...]:
    """`COMMON` without some behaviours, and with other kinds for others: `failing("html", forbidden=RATE_LIMITED)`."""
    return tuple(
        Failing(f.behaviour, kinds.get(f.behaviour, f.kind), f.spent) for f in COMMON if f.behaviour not in without
    )


class HttpRig(Rig):
    """A free source over a stand-in for the web. Requests give up after a second; paces and back-offs take no time."""

    failures: ClassVar[tuple[Failing, ...]] = COMMON
    hangs = "silent"
    secret = "planted-TOKEN-0123456789abcdef"
    values: ClassVar[Mapping[str, str]] = {}
    """Settings of the source."""
    error_in_200: ClassVar[Told] = told({"error": "Something went wrong."})

    def __init__(self, server: WebStandin, http: Http) -> None:
        self.server, self.http = server, http
        self.source = self.kind()(SourceEnv(values=self.values, http=http, scrub=http.scrub))
        self.good = self.arguments()

    @staticmethod
    @abstractmethod
    def kind() -> type[HttpSource[Any]]:
        """The source."""

    @staticmethod
    @abstractmethod
    def arguments() -> BaseModel:
        """Arguments to which the world has an answer."""

    @staticmethod
    @abstractmethod
    def world(asked: Asked) -> Told:
        """What the services answer on a good day, in their documented shapes."""

    @staticmethod
    def empty(asked: Asked) -> Told:
        """What they answer when there is nothing to find."""
        return NOT_FOUND

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path) -> AsyncIterator[Rig]:
        """A server of its own for each test."""
        with WebStandin(cls.world, empty=cls.empty) as server:
            server.error_in_200 = cls.error_in_200
            http = Http(
                folder / "web", contact="tests@example.com", mirrors={"*": server.mirror}, request_timeout=1.0,
                backoff=0.001, pace_scale=0.000_1, sharing=0, scrub=lambda text: text.replace(cls.secret, "[secret]"),
                known=lambda text: text.replace(cls.secret, "[secret]"),
            )  # fmt: skip
            try:
                yield cls(server, http)
            finally:
                await http.aclose()

    def behave(self, name: str) -> None:
        self.server.behaviour = name

    @property
    def requests(self) -> int:
        return len(self.server.requests)

    @property
    def most_requests(self) -> int:
        """A failing request may be made again."""
        return self.requests_per_fetch * ATTEMPTS + 6

    def wait_for_request(self) -> None:
        assert self.server.arrived.acquire(timeout=PATIENCE), "no request came in"

    def let_go(self) -> None:
        self.server.stopping.set()
