"""One run as this process sees it: its ids, its budgets, its clock, its voice, and whether somebody wants it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from agent.events import EventBase

T = TypeVar("T")
Sink = Callable[[EventBase], None]


class Stopped(Exception):
    """The run was cancelled, or its time is up, while something was awaited."""


@dataclass
class Scope:
    """Live, per run, never checkpointed."""

    run_id: str
    thread_id: str
    attempt: int = 1
    sinks: list[Sink] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the run is to end with what it has."""
    cancelled: bool = False
    deadline_at: datetime | None = None

    def cancel(self) -> None:
        """End the run soon, with what was found so far."""
        self.cancelled = True
        self.stop.set()

    def seconds_left(self, now: datetime) -> float:
        """Until the deadline; never negative."""
        if self.stop.is_set():
            return 0.0
        if self.deadline_at is None:
            return float("inf")
        return max((self.deadline_at - now).total_seconds(), 0.0)

    async def bounded(self, work: Awaitable[T], seconds: float) -> T:
        """Await `work` for at most `seconds`, and no longer than the run may live.

        Raises Stopped when the run is cancelled meanwhile, TimeoutError when the time is up; `work` is cancelled then.
        """
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self.stop.wait())
        try:
            await asyncio.wait({task, stop}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise Stopped if stop.done() else TimeoutError
        finally:
            stop.cancel()
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


CURRENT: ContextVar[Scope | None] = ContextVar("dossier_scope", default=None)
"""The scope of the run being executed. Empty under another server (Studio): the room then makes one from the config."""
