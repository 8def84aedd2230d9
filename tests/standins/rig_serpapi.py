"""Drives the four SerpAPI sources against the stand-in server."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from tests.standins.registry import Failing, Rig
from tests.standins.serpapi_server import SerpApiStandin
from tools.base import FailureKind, SourceEnv
from tools.serpapi_finance import FinanceArgs, SerpApiFinance
from tools.serpapi_jobs import JobsArgs, SerpApiJobs
from tools.serpapi_news import NewsArgs, SerpApiNews
from tools.serpapi_search import SearchArgs, SerpApiSearch
from tools.serpapi_source import SerpApiSource
from tools.web.serpapi_client import THREAD_NAME

KEY = "planted+KEY/0123456789abcdef"
"""With characters that look different once they are in an address."""
PATIENCE = 20.0


class SerpApiRig(Rig):
    """The stand-in, and a source that gives up after half a second."""

    failures = (
        Failing("error_in_200", FailureKind.MALFORMED, "nothing"),
        Failing("no_credit_in_200", FailureKind.QUOTA, "nothing"),
        Failing("auth", FailureKind.AUTH, "nothing"),
        Failing("rate_limited", FailureKind.RATE_LIMITED, "nothing"),
        Failing("quota", FailureKind.QUOTA, "nothing"),
        Failing("bad_request", FailureKind.INVALID_ARGUMENTS, "nothing"),
        Failing("server_error", FailureKind.UNREACHABLE, "nothing"),
        Failing("gateway_timeout", FailureKind.UNREACHABLE, "unknown"),
        Failing("html", FailureKind.MALFORMED, "unknown"),
        Failing("truncated", FailureKind.MALFORMED, "unknown"),
        Failing("wrong_types", FailureKind.MALFORMED, "price"),
        Failing("huge", FailureKind.MALFORMED, "unknown"),
        Failing("drip", FailureKind.TIMEOUT, "unknown"),
        Failing("redirect", FailureKind.REFUSED_ADDRESS, "nothing"),
        Failing("reset", FailureKind.UNREACHABLE, "unknown"),
        Failing("silent", FailureKind.TIMEOUT, "unknown"),
    )
    secret = KEY
    hangs = "silent"

    kind: ClassVar[type[SerpApiSource[Any]]]
    arguments: ClassVar[BaseModel]

    def __init__(self, server: SerpApiStandin) -> None:
        self._server = server
        # A second is far more than the loopback needs, and what the two behaviours that never end are waited for.
        values = {"serpapi_api_key": KEY, "serpapi_base_url": server.base_url, "serpapi_timeout": "1.0"}
        self.source = self.kind(SourceEnv(values={**values, "serpapi_price_micros": "12000"}))
        self.good = self.arguments

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path) -> AsyncIterator[Rig]:
        """A server of its own for each test."""
        with SerpApiStandin(price=12_000) as server:
            yield cls(server)

    def behave(self, name: str) -> None:
        self._server.behaviour = name

    @property
    def requests(self) -> int:
        return len(self._server.requests)

    def wait_for_request(self) -> None:
        assert self._server.arrived.acquire(timeout=PATIENCE), "no request came in"

    def let_go(self) -> None:
        self._server.stopping.set()
        for thread in threading.enumerate():
            if thread.name == THREAD_NAME:
                thread.join(PATIENCE)
                assert not thread.is_alive()


class SearchRig(SerpApiRig):
    """Google."""

    kind = SerpApiSearch
    arguments = SearchArgs(query='"Acme Corp" leadership team CEO CFO')


class NewsRig(SerpApiRig):
    """Google News."""

    kind = SerpApiNews
    arguments = NewsArgs(query='"Acme Corp" leadership team CEO CFO')


class JobsRig(SerpApiRig):
    """Google Jobs."""

    kind = SerpApiJobs
    arguments = JobsArgs(company="Acme")


class FinanceRig(SerpApiRig):
    """Google Finance."""

    kind = SerpApiFinance
    arguments = FinanceArgs(query="ACME:NYSE", company="Acme Corp.")


RIGS = {
    "serpapi_search": SearchRig,
    "serpapi_news": NewsRig,
    "serpapi_jobs": JobsRig,
    "serpapi_finance": FinanceRig,
}
