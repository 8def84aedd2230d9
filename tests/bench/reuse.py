"""What an account costs that was researched before: a second consumer type, and the same question again.

Each figure is a run of the real graph over the stand-ins of all sources, SerpAPI at $0.015 a search among them.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path

from agent.records import Brief
from tests.house import NOW
from tests.standins.serpapi_server import SerpApiStandin
from tests.standins.web_server import WebStandin
from tests.test_free_sources import ask, on_the_web, web

MOST = Decimal("0.40")
"""Share of the cold price that the second consumer type may pay."""
LOSS = 0.02
"""How much lower its quality may be and still be the same."""
PAIRS = (
    ("customer_intelligence", "competitive_intelligence"),
    ("customer_intelligence", "meeting_prep"),
    ("competitive_intelligence", "customer_intelligence"),
    ("meeting_prep", "outreach"),
)


async def _walk(folder: Path, *consumers: str) -> list[Brief]:
    """The same question for one consumer type after the other, over one data folder."""
    async with AsyncExitStack() as opened:
        server = opened.enter_context(WebStandin(web))
        serpapi = opened.enter_context(SerpApiStandin())
        serpapi.clock = lambda: NOW.timestamp()
        key = {"serpapi_api_key": "planted-key", "serpapi_base_url": serpapi.base_url}
        services = await opened.enter_async_context(on_the_web(folder, server, **key))
        return [(await ask(services, consumer_type=c))[0] for c in consumers]


async def _measure() -> int:
    print(f"reuse: {'first, then second':52} {'cold':>7} {'after':>7} {'share':>6}  quality cold / after")
    missed = 0
    for first, second in PAIRS:
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            _, warm = await _walk(Path(one), first, second)
            cold, again = await _walk(Path(other), second, second)
        share = warm.costs.spent / cold.costs.spent if cold.costs.spent else Decimal(0)
        worse = warm.quality.overall < cold.quality.overall - LOSS
        missed += share > MOST or worse or again.costs.spent != 0
        print(
            f"reuse: {f'{first}, then {second}':52} ${cold.costs.spent:.3f} ${warm.costs.spent:.3f} {share:6.2f}"
            f"  {cold.quality.overall:.3f} / {warm.quality.overall:.3f}; the same again ${again.costs.spent:.3f}"
        )
    print(
        f"reuse: bars: at most {MOST} of the cold price, quality at most {LOSS} lower, the same question again $0.000"
    )
    return missed


def main() -> int:
    """0 when every bar was met."""
    return 1 if asyncio.run(_measure()) else 0
