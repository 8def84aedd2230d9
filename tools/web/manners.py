"""How often a service is asked, over all processes of this machine, and when it is left alone.

A service's pace stands in one small file under an operating-system lock: the time at which it will have had its fill (the
generic cell rate algorithm, ITU-T I.371). A caller books its own moment there and then waits for it; nobody can jump the
queue, and a killed process leaves nothing behind. Requests under way at once are counted by further locks, one per place,
which the kernel frees at any death.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tools.base import FailureKind, Pace, SourceError

LONGEST_PUSH = 3_600.0
"""Seconds for which a service is left alone at most, whatever its Retry-After says."""
_LOOK = 0.02
"""Seconds between two looks for a free place that another process holds."""
_SILENT = frozenset({FailureKind.REFUSED_ADDRESS, FailureKind.BLOCKED_BY_ROBOTS})
"""Failures that are ours: they say nothing of how the service fares."""


class TooLong(SourceError):
    """The turn would come too late. Nobody was asked."""


class Turnstile:
    """Lets requests to one service through at its pace."""

    def __init__(
        self, name: str, pace: Pace, folder: Path, *, scale: float = 1.0, now: Callable[[], float] = time.time
    ) -> None:
        """`name` is the service's; `scale` multiplies every wait (1 outside tests); `now` is a wall clock in seconds."""
        folder.mkdir(parents=True, exist_ok=True)
        plain = f"{re.sub(r'[^a-z0-9.-]', '_', name)[:80]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        self._state = folder / f"{plain}.pace"
        self._lock_path = folder / f"{plain}.lock"
        self._places = [folder / f"{plain}.{n}.place" for n in range(pace.at_once)]
        self._mine = asyncio.Semaphore(pace.at_once)
        self._interval = scale / pace.per_second
        self._burst = pace.burst
        self._now = now
        self._name = name

    @asynccontextmanager
    async def turn(self, patience: float) -> AsyncIterator[None]:
        """Wait for a turn and hold a place while the body runs.

        Raises TooLong (rate_limited) at once when the turn would come after `patience` seconds; no turn is used up then.
        Raises OSError when the folder cannot be written.
        """
        ends = time.monotonic() + patience
        try:
            async with asyncio.timeout(patience):
                await self._mine.acquire()
        except TimeoutError:
            raise self._too_long(self._interval) from None
        try:
            place = await self._free_place(ends)
            try:
                wait = await asyncio.to_thread(self._book, max(ends - time.monotonic(), 0.0))
                await asyncio.sleep(wait)
                yield
            finally:
                place.release()
        finally:
            self._mine.release()

    async def push_back(self, seconds: float) -> None:
        """Nobody asks for so many seconds: the service said so."""
        await asyncio.to_thread(self._push, min(max(seconds, 0.0), LONGEST_PUSH))

    async def _free_place(self, ends: float) -> FileLock:
        while True:
            for path in random.sample(self._places, len(self._places)):
                lock = FileLock(path, thread_local=False)
                try:
                    lock.acquire(timeout=0)
                except Timeout:
                    continue
                return lock
            if time.monotonic() > ends:
                raise self._too_long(_LOOK)
            await asyncio.sleep(_LOOK)

    def _book(self, patience: float) -> float:
        """Take the next free moment, and give the seconds until then."""
        with self._locked(patience):
            now, full = self._now(), self._read()
            # Never further ahead than a push may be: a clock that was set back must not close the service for good.
            full = min(max(full, now), now + LONGEST_PUSH + self._burst * self._interval)
            wait = max(full - (self._burst - 1) * self._interval - now, 0.0)
            if wait > patience:
                raise self._too_long(wait)
            self._write(full + self._interval)
            return wait

    def _push(self, seconds: float) -> None:
        with self._locked(LONGEST_PUSH):
            free_at = self._now() + seconds + (self._burst - 1) * self._interval
            self._write(max(self._read(), free_at))

    @contextmanager
    def _locked(self, patience: float) -> Iterator[None]:
        """Alone over all processes. A process that was stopped in here must not stop the others for good."""
        lock = FileLock(self._lock_path, thread_local=False)
        try:
            lock.acquire(timeout=max(patience, 0.25), poll_interval=0.005)
        except Timeout:
            raise self._too_long(self._interval) from None
        try:
            yield
        finally:
            lock.release()

    def _read(self) -> float:
        try:
            full = float(self._state.read_text())
        except (FileNotFoundError, ValueError):
            return 0.0
        return full if math.isfinite(full) else 0.0

    def _write(self, full: float) -> None:
        """Over what stands there, always the same length: whoever is killed here leaves the old time or the new one."""
        state = os.open(self._state, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(state, f"{full:020.6f}".encode(), 0)
        finally:
            os.close(state)

    def _too_long(self, wait: float) -> TooLong:
        text = f"{self._name} may be asked again in {wait:.1f} s only: its own limit, kept here."
        return TooLong(FailureKind.RATE_LIMITED, text, retry_after=wait)


class Breaker:
    """Leaves a service alone after failures in a row; then one caller tries, and its outcome counts for all."""

    def __init__(
        self, name: str, *, failures: int = 5, rest: float = 30.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Opens after `failures` in a row, for `rest` seconds."""
        self._name, self._most, self._rest, self._now = name, failures, rest, now
        self._failed = 0
        self._open_until: float | None = None
        self._probing = False

    @property
    def state(self) -> str:
        """`closed`, `open` or `half-open`."""
        if self._open_until is None:
            return "closed"
        return "open" if self._probing or self._now() < self._open_until else "half-open"

    @asynccontextmanager
    async def guard(self) -> AsyncIterator[None]:
        """Run the body, and count how it ends. Raises SourceError (unreachable) without running it while open."""
        probe = self.state == "half-open"
        if self.state == "open":
            left = max((self._open_until or 0.0) - self._now(), 1.0)
            text = f"{self._name} failed {self._most} times in a row and is left alone for {left:.0f} s."
            raise SourceError(FailureKind.UNREACHABLE, text, retry_after=left)
        self._probing = self._probing or probe
        try:
            yield
        except SourceError as exc:
            if isinstance(exc, TooLong) or exc.kind in _SILENT:
                raise  # the service was not asked, or what it said is no fault of its own
            self._count(exc.kind in (FailureKind.UNREACHABLE, FailureKind.TIMEOUT), probe)
            raise
        else:
            self._count(False, probe)
        finally:  # also of a cancelled probe, which has told nothing: the next caller may try
            self._probing = self._probing and not probe

    def _count(self, failed: bool, probe: bool) -> None:
        self._failed = self._failed + 1 if failed else 0
        if failed and (probe or self._failed >= self._most):
            self._open_until = self._now() + self._rest
        elif not failed and (probe or self._open_until is None):
            self._open_until = None
