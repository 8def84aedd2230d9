"""Pages of websites read a moment ago: several calls of one run start from the same home page, which is fetched once."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tools.base import SourceError
from tools.web.page import Page

MOST_BYTES = 16_000_000
"""Bytes of pages kept in memory; beyond that the oldest go."""


@dataclass(frozen=True)
class _Kept:
    outcome: Page | SourceError
    until: float

    @property
    def size(self) -> int:
        return len(self.outcome.body) if isinstance(self.outcome, Page) else 0


class Recent:
    """What became of a URL, for some seconds. Who asks while somebody else is asking waits for the answer."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        """Outcomes are shared for `seconds`; 0 shares nothing."""
        self._seconds, self._now = seconds, now
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._asking: dict[str, tuple[asyncio.Lock, int]] = {}

    async def page(self, url: str, ask: Callable[[], Awaitable[Page]]) -> Page:
        """The page, from a moment ago or from `ask`. Raises SourceError: a failure is shared like a page."""
        if not self._seconds:
            return await ask()
        lock, waiting = self._asking.get(url, (asyncio.Lock(), 0))
        self._asking[url] = (lock, waiting + 1)
        try:
            async with lock:
                kept = self._kept.get(url)
                if kept is None or kept.until <= self._now():
                    kept = await self._ask(url, ask)
        finally:
            lock, waiting = self._asking.pop(url)
            if waiting > 1:
                self._asking[url] = (lock, waiting - 1)
        if isinstance(kept.outcome, SourceError):
            error = kept.outcome  # a new one each time: an exception that is raised twice collects tracebacks
            raise type(error)(error.kind, error.message, billed=error.billed, retry_after=error.retry_after)
        return kept.outcome

    async def _ask(self, url: str, ask: Callable[[], Awaitable[Page]]) -> _Kept:
        outcome: Page | SourceError
        try:
            outcome = await ask()
        except SourceError as exc:
            outcome = exc.with_traceback(None)
        kept = self._kept[url] = _Kept(outcome, self._now() + self._seconds)
        self._kept.move_to_end(url)
        total = sum(k.size for k in self._kept.values())
        while total > MOST_BYTES or len(self._kept) > 500:
            total -= self._kept.popitem(last=False)[1].size
        return kept
