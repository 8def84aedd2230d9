"""Who is alive. Each process holds an operating-system lock on a file of its own; the kernel lets go of it at any death.

So a dead owner is known at once and for certain, with no clock, no heartbeat and no guess: a stopped process still holds
its lock and is not robbed of its runs. All processes share one data folder on one machine, as SQLite asks anyway.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from filelock import FileLock, Timeout

from agent.records import new_id
from agent.store.database import translated


class Owner:
    """This process's mark of life, under `folder`."""

    def __init__(self, folder: Path) -> None:
        self.token = new_id()
        self._folder = folder
        with translated(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self._path(self.token), thread_local=False)
            self._lock.acquire()

    async def is_alive(self, token: str) -> bool:
        """Whether the process that made `token` still runs."""
        return token == self.token or await asyncio.to_thread(self._is_held, token)

    def _is_held(self, token: str) -> bool:
        path = self._path(token)
        if not path.exists():
            return False
        try:
            with FileLock(path, thread_local=False).acquire(timeout=0):
                path.unlink(missing_ok=True)
                return False
        except Timeout:
            return True

    def close(self) -> None:
        """Stop living."""
        self._lock.release()
        self._path(self.token).unlink(missing_ok=True)

    def _path(self, token: str) -> Path:
        return self._folder / f"{token}.lock"
