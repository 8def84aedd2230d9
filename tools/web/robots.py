"""robots.txt as RFC 9309 has it: who cannot be found allows everything, who fails forbids everything, for at most a day."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from protego import Protego

from tools.base import Pace
from tools.web.addresses import Target

KEEP = 24 * 3600.0
"""Seconds for which rules are kept: no longer than RFC 9309 allows (2.4)."""
KEEP_FAILURE = 600.0
SLOWEST = 10.0
"""Seconds between requests that a crawl delay may ask for; more than that and the page cap does the rest."""
MOST = 2_000
"""Sites whose rules are kept."""
LARGEST = 500 * 1024
"""Bytes of a robots.txt that are read: as many as the RFC asks for (2.5)."""
_USER_AGENT = re.compile(r"\s*user[- ]?agent(?:\s*:|\s)\s*(\*|[a-z_-]*)", re.IGNORECASE)


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
        if not delay or not 0 < delay < math.inf:
            return pace
        return Pace(per_second=min(pace.per_second, 1 / min(delay, SLOWEST)), burst=1, at_once=1)

    def sitemaps(self) -> list[str]:
        """Sitemaps that the site names."""
        return list(self.parsed.sitemaps) if self.parsed is not None else []


class Robots:
    """The rules of sites, asked once a day at most. In memory: a restart asks again, which the RFC allows."""

    def __init__(self, agent: str = "Dossier", *, now: Callable[[], float] = time.monotonic) -> None:
        """`agent` is the product token that sites address us by."""
        self._agent, self._now = agent.lower(), now
        self._known: dict[str, Rules] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def rules(self, target: Target, ask: Callable[[Target], Awaitable[tuple[int, bytes]]]) -> Rules:
        """The rules of the target's site; `ask` fetches robots.txt. Raises what `ask` raises."""
        if len(self._asking) >= 2 * MOST:  # sites that never answered are in here only
            self._asking.clear()
        origin = f"{target.url.scheme}://{target.host}:{target.port}"
        async with self._asking.setdefault(origin, asyncio.Lock()):
            known = self._known.get(origin)
            if known is None or known.until <= self._now():
                there = target.url.copy_with(raw_path=b"/robots.txt")
                told = await ask(Target(there, target.host, target.port, target.trusted))
                known = await asyncio.to_thread(self._read, *told)
                if len(self._known) >= MOST:
                    self._known.clear()
                    self._asking.clear()
                self._known[origin] = known
            return known

    def _read(self, status: int, body: bytes) -> Rules:
        if status == 200:
            said = "\n".join(self._ours(body[:LARGEST].decode("utf-8-sig", "replace")))
            return Rules(Protego.parse(said), self._now() + KEEP)
        if 400 <= status < 500 and status != 429:
            return Rules(Protego.parse(""), self._now() + KEEP)
        return Rules(None, self._now() + KEEP_FAILURE)

    def _ours(self, said: str) -> Iterator[str]:
        """The lines, with every other robot under one name: a file that names thousands of them takes minutes to parse.

        A name counts up to its version (`Dossier/2`), and only as a whole (2.2.1): `Doss` is not us.
        """
        for line in said.splitlines():
            named = _USER_AGENT.match(line)
            yield (
                line if named is None else f"User-agent: {n if (n := named[1].lower()) in ('*', self._agent) else '-'}"
            )
