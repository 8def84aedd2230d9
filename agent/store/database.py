"""One SQLite file: one writer thread, a few readers, every write a `BEGIN IMMEDIATE` transaction.

sqlite-utils does the schema, the inserts and the full-text search. The transactions are ours, because a deferred one (its
`atomic()`) fails or overspends when two processes write (docs/decisions/sqlite.md).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database as Tables
from sqlite_utils.migrations import Migrations

from agent.errors import DossierError, StoreBusy, StoreDamaged, StoreError, StoreFull, StoreReadOnly

T = TypeVar("T")
Work = Callable[[Tables], T]

logger = logging.getLogger(__name__)


class Database:
    """A file and its threads. Work is handed in as a function of the sqlite-utils database and runs off the event loop."""

    def __init__(
        self,
        path: Path,
        migrations: Migrations,
        *,
        synchronous: str = "NORMAL",
        busy_timeout: float = 30.0,
        readers: int = 2,
    ) -> None:
        """Open or create `path` and bring its schema up to date. `busy_timeout` is in seconds. Raises StoreError."""
        self.path = path
        self._synchronous = synchronous
        self._busy_timeout = busy_timeout
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        with translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            first = self._connect()
            try:
                with immediate(first):
                    migrations.apply(first)
            finally:
                first.conn.close()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix=f"write-{path.stem}")
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix=f"read-{path.stem}")

    async def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction on the writer thread: all of it is committed, or none."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._write, work)

    async def read(self, work: Work[T]) -> T:
        """Run `work` on a reader: it sees one consistent snapshot and never waits for the writer."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def write_now(self, work: Work[T]) -> T:
        """`write` for callers without an event loop."""
        return self._writer.submit(self._write, work).result()

    def close(self) -> None:
        """Finish what is under way and close every connection."""
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        with self._guard:
            for connection in self._open:
                connection.close()
            self._open.clear()

    def _write(self, work: Work[T]) -> T:
        with translated(self.path):
            tables = self._mine()
            with immediate(tables):
                return work(tables)

    def _read(self, work: Work[T]) -> T:
        with translated(self.path):
            tables = self._mine()
            tables.conn.execute("begin")
            try:
                return work(tables)
            finally:
                tables.conn.execute("rollback")

    def _mine(self) -> Tables:
        tables: Tables | None = getattr(self._local, "tables", None)
        if tables is None:
            tables = self._local.tables = self._connect()
            with self._guard:
                self._open.append(tables.conn)
        return tables

    def _connect(self) -> Tables:
        connection = sqlite3.connect(
            self.path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("pragma journal_mode = wal")
        connection.execute(f"pragma synchronous = {self._synchronous}")
        connection.execute("pragma foreign_keys = on")
        return Tables(connection)


@contextmanager
def immediate(tables: Tables) -> Iterator[None]:
    """A write transaction that takes the lock at once, so that what it reads cannot change before it writes."""
    tables.conn.execute("begin immediate")
    try:
        yield
        tables.conn.execute("commit")
    except BaseException:  # raised again: no transaction stays open, whatever ended it
        if tables.conn.in_transaction:
            tables.conn.execute("rollback")
        raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the file system's and SQLite's refusals into errors that say what to do. The file's name, not its path, is shown."""
    try:
        yield
    except DossierError:
        raise
    except sqlite3.Error as exc:
        raise _store_error(exc, path) from exc
    except OSError as exc:
        raise StoreReadOnly(
            f"Cannot write {path.name} ({exc.strerror}): make the data folder writable, or set DOSSIER_DATA_DIR."
        ) from exc


def _store_error(exc: sqlite3.Error, path: Path) -> StoreError:
    code = getattr(exc, "sqlite_errorcode", 0) or 0
    primary = code & 0xFF
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(f"Another process holds {path.name}: try again in a moment.")
    if primary == sqlite3.SQLITE_FULL:
        return StoreFull(f"The disk is full while writing {path.name}: free some space; nothing confirmed is lost.")
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StoreReadOnly(f"Cannot write {path.name}: make the data folder writable, or set DOSSIER_DATA_DIR.")
    if primary == sqlite3.SQLITE_IOERR:
        return StoreFull(f"The disk refused to write {path.name}: check its space and health.")
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreDamaged(f"{path.name} is damaged or is not a Dossier database: restore a copy, or move it away.")
    return StoreError(f"The database {path.name} refused: {exc}.")
