"""A website's page is fetched once for everybody who asks for it at about the same time."""

from __future__ import annotations

import asyncio

import pytest

from tools.base import FailureKind, SourceError
from tools.web.page import Page
from tools.web.recent import MOST_BYTES, Recent


class Site:
    """Counts how often it is asked; answers once its gate is open."""

    def __init__(self, body: bytes = b"hello", error: SourceError | None = None) -> None:
        self.asked, self.body, self.error = 0, body, error
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()

    async def ask(self) -> Page:
        self.asked += 1
        self.begun.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return Page("https://acme.example/", {}, self.body)


async def test_whoever_asks_at_the_same_time_gets_the_same_answer_from_one_request() -> None:
    site, recent = Site(), Recent(60)
    pages = await asyncio.gather(*(recent.page("u", site.ask) for _ in range(20)))
    assert site.asked == 1
    assert {p.body for p in pages} == {b"hello"}


async def test_an_answer_is_shared_until_its_time_is_over() -> None:
    now = 0.0
    site, recent = Site(), Recent(60, now=lambda: now)
    await recent.page("u", site.ask)
    now = 59.9
    await recent.page("u", site.ask)
    assert site.asked == 1
    now = 60.0
    await recent.page("u", site.ask)
    assert site.asked == 2


async def test_a_failure_is_shared_and_raised_anew_each_time() -> None:
    site = Site(error=SourceError(FailureKind.NOT_FOUND, "gone", retry_after=3.0))
    recent = Recent(60)
    caught = []
    for _ in range(2):
        with pytest.raises(SourceError) as one:
            await recent.page("u", site.ask)
        caught.append(one.value)
    assert site.asked == 1
    assert caught[0] is not caught[1]
    assert [(c.kind, c.message, c.retry_after) for c in caught] == [(FailureKind.NOT_FOUND, "gone", 3.0)] * 2


async def test_when_the_one_who_asks_is_cancelled_the_next_in_line_asks() -> None:
    site, recent = Site(), Recent(60)
    site.gate.clear()
    first = asyncio.create_task(recent.page("u", site.ask))
    await site.begun.wait()
    second = asyncio.create_task(recent.page("u", site.ask))
    first.cancel()
    site.gate.set()
    assert (await second).body == b"hello"
    assert site.asked == 2
    assert recent._asking == {}


async def test_sharing_nothing_asks_each_time() -> None:
    site, recent = Site(), Recent(0)
    await recent.page("u", site.ask)
    await recent.page("u", site.ask)
    assert site.asked == 2


async def test_no_more_than_so_many_bytes_are_kept() -> None:
    recent = Recent(60)
    sites = [Site(b"x" * (MOST_BYTES // 3)) for _ in range(5)]
    for n, site in enumerate(sites):
        await recent.page(str(n), site.ask)
    assert sum(k.size for k in recent._kept.values()) <= MOST_BYTES
    assert "4" in recent._kept
