"""robots.txt as RFC 9309 has it: who cannot be found allows everything, who fails forbids everything, for at most a day."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from protego import Protego

from tools.addresses import Target
from tools.base import Pace

KEEP = 24 * 3600.0
"""Seconds for which rules are kept: no longer than RFC 9309 allows (2.4)."""
KEEP_FAILURE = 600.0
SLOWEST = 10.0
"""Seconds between requests that a crawl delay may ask for; more than that and the page cap does the rest."""
MOST = 2_000
"""Sites whose rules are kept."""


@dataclass(frozen=True)
class Rules:
    """What one site asks of robots."""

    parsed: Protego | None
    """None when nothing may be read."""
    until: float

    def allows(self, target: Target, agent: str) -> bool:
        """Whether a page may be read."""
        return self.parsed is not None and bool(self.parsed.can_fetch(str(target.url), agent))

    def slower(self, pace: Pace, agent: str) -> Pace:
        """The pace with the site's crawl delay in it."""
        delay = self.parsed.crawl_delay(agent) if self.parsed is not None else None
        if not delay:
            return pace
        return Pace(per_second=min(pace.per_second, 1 / min(delay, SLOWEST)), burst=1, at_once=1)

    def sitemaps(self) -> list[str]:
        """Sitemaps that the site names."""
        return list(self.parsed.sitemaps) if self.parsed is not None else []


class Robots:
    """The rules of sites, asked once a day at most. In memory: a restart asks again, which the RFC allows."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._known: dict[str, Rules] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def rules(self, target: Target, ask: Callable[[Target], Awaitable[tuple[int, bytes]]]) -> Rules:
        """The rules of the target's site; `ask` fetches robots.txt. Raises what `ask` raises."""
        origin = f"{target.url.scheme}://{target.host}:{target.port}"
        async with self._asking.setdefault(origin, asyncio.Lock()):
            known = self._known.get(origin)
            if known is None or known.until <= self._now():
                there = target.url.copy_with(raw_path=b"/robots.txt")
                known = self._read(*await ask(Target(there, target.host, target.port, target.trusted)))
                if len(self._known) >= MOST:
                    self._known.clear()
                    self._asking.clear()
                self._known[origin] = known
            return known

    def _read(self, status: int, body: bytes) -> Rules:
        if status == 200:
            return Rules(Protego.parse(body.decode("utf-8", "replace")), self._now() + KEEP)
        if 400 <= status < 500 and status != 429:
            return Rules(Protego.parse(""), self._now() + KEEP)
        return Rules(None, self._now() + KEEP_FAILURE)
