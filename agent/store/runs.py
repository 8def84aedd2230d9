"""Threads, runs and their event log, in one file.

The log gives a run's events the numbers 1, 2, 3 … in the transaction that commits them, and shows an event to nobody before
it is committed: what a reader has seen is still there after a kill, and a resumed run goes on with the next number.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, JsonValue
from sqlite_utils import Database as Tables
from sqlite_utils.migrations import Migrations

from agent.errors import StoreError, ThreadBusy, UnknownRun, UnknownThread
from agent.events import EVENT, Event
from agent.records import Ask, Brief, StopReason
from agent.store.database import Database
from tools.base import Frozen

logger = logging.getLogger(__name__)

migrations = Migrations("runs")


@migrations()
def runs(db: Tables) -> None:
    """Threads, runs, events. At most one active run per thread, by a partial unique index."""
    for statement in (
        """create table threads (id text primary key, created_at text not null, persona text, vendor text,
            consumer_type text not null) strict""",
        """create table runs (id text primary key, thread_id text not null references threads(id), status text not null,
            stop_reason text, ask text not null, attempt integer not null default 0, owner text,
            cancel_requested integer not null default 0, created_at text not null, started_at text, ended_at text,
            brief text, plan text, error text,
            check (status in ('pending', 'running', 'success', 'error', 'timeout', 'interrupted'))) strict""",
        "create unique index one_active_run on runs(thread_id) where status in ('pending', 'running')",
        "create index runs_by_thread on runs(thread_id, created_at)",
        """create table events (run_id text not null references runs(id), seq integer not null, body text not null,
            primary key (run_id, seq)) without rowid, strict""",
    ):
        db.conn.execute(statement)


class RunStatus(StrEnum):
    """Where a run stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"

    @property
    def active(self) -> bool:
        """Whether it may still produce events."""
        return self in (RunStatus.PENDING, RunStatus.RUNNING)


class Thread(Frozen):
    """One conversation."""

    id: str
    created_at: AwareDatetime
    persona: str | None = None
    vendor: str | None = None
    consumer_type: str


class Run(Frozen):
    """One execution on a thread."""

    id: str
    thread_id: str
    status: RunStatus
    stop_reason: StopReason | None = None
    ask: Ask
    attempt: int = 0
    owner: str | None = None
    cancel_requested: bool = False
    created_at: AwareDatetime
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    brief: Brief | None = None
    error: dict[str, JsonValue] | None = None


class RunStore:
    """Threads, runs and events of one data folder."""

    def __init__(self, path: Path, *, synchronous: str = "NORMAL", busy_timeout: float = 30.0) -> None:
        self.db = Database(path, migrations, synchronous=synchronous, busy_timeout=busy_timeout)

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    async def add_thread(self, thread: Thread) -> None:
        """Store a new thread."""
        row = thread.model_dump(mode="json")
        await self.db.write(lambda db: db.table("threads").insert(row))

    async def thread(self, thread_id: str) -> Thread:
        """The thread; raises UnknownThread."""

        def work(db: Tables) -> sqlite3.Row | None:
            found: sqlite3.Row | None = db.conn.execute("select * from threads where id = ?", (thread_id,)).fetchone()
            return found

        row = await self.db.read(work)
        if row is None:
            raise UnknownThread(f"There is no thread {thread_id[:64]!r}: make one with POST /v1/threads.")
        return Thread.model_validate(dict(row))

    async def add_run(self, run: Run) -> None:
        """Store a new pending run. Raises ThreadBusy when the thread has an active one, UnknownThread when there is none."""

        def work(db: Tables) -> None:
            if db.conn.execute("select 1 from threads where id = ?", (run.thread_id,)).fetchone() is None:
                raise UnknownThread(f"There is no thread {run.thread_id[:64]!r}: make one with POST /v1/threads.")
            busy = db.conn.execute(
                "select id from runs where thread_id = ? and status in ('pending', 'running')", (run.thread_id,)
            ).fetchone()
            if busy is not None:
                raise ThreadBusy(
                    f"Run {busy['id']} is active on this thread: follow it, cancel it, or wait for its end."
                )
            db.conn.execute(
                "insert into runs (id, thread_id, status, ask, created_at, owner) values (?, ?, 'pending', ?, ?, ?)",
                (run.id, run.thread_id, run.ask.model_dump_json(), run.created_at.isoformat(), run.owner),
            )

        await self.db.write(work)

    async def run(self, run_id: str) -> Run:
        """The run; raises UnknownRun."""
        row = await self.db.read(lambda db: _one(db, run_id))
        if row is None:
            raise UnknownRun(f"There is no run {run_id[:64]!r}: start one with POST /v1/threads/{{id}}/runs.")
        return _run(row)

    async def list_runs(self, *, thread_id: str | None = None, active: bool = False, limit: int = 50) -> list[Run]:
        """Runs, the newest first."""
        where, values = ["1"], []
        if thread_id is not None:
            where.append("thread_id = ?")
            values.append(thread_id)
        if active:
            where.append("status in ('pending', 'running')")
        sql = f"select * from runs where {' and '.join(where)} order by created_at desc, id desc limit ?"  # noqa: S608 - fixed conditions

        def work(db: Tables) -> list[sqlite3.Row]:
            return db.conn.execute(sql, (*values, limit)).fetchall()

        return [_run(row) for row in await self.db.read(work)]

    async def claim(self, run_id: str, owner: str, previous: str | None, now: datetime) -> Run | None:
        """Take the lease of a run: from nobody, or from the `previous` owner, who is dead. None when another was first."""

        def work(db: Tables) -> sqlite3.Row | None:
            cursor = db.conn.execute(
                "update runs set owner = :owner, status = 'running', attempt = attempt + 1,"
                " started_at = coalesce(started_at, :now)"
                " where id = :id and owner is :previous and status in ('pending', 'running')",
                {"owner": owner, "id": run_id, "previous": previous, "now": now.isoformat()},
            )
            return _one(db, run_id) if cursor.rowcount == 1 else None

        row = await self.db.write(work)
        return None if row is None else _run(row)

    async def request_cancel(self, run_id: str) -> None:
        """Ask the run's owner, whichever process that is, to stop it."""
        await self.db.write(lambda db: db.conn.execute("update runs set cancel_requested = 1 where id = ?", (run_id,)))

    async def cancel_requests(self, owner: str) -> list[str]:
        """Active runs of this owner that somebody wants stopped."""

        def work(db: Tables) -> list[str]:
            rows = db.conn.execute(
                "select id from runs where owner = ? and cancel_requested and status in ('pending', 'running')",
                (owner,),
            )
            return [r["id"] for r in rows]

        return await self.db.read(work)

    async def events(self, run_id: str, after: int = 0, limit: int = 1_000) -> list[tuple[int, str]]:
        """Committed events of a run with `seq` over `after`, as (seq, JSON)."""

        def work(db: Tables) -> list[tuple[int, str]]:
            rows = db.conn.execute(
                "select seq, body from events where run_id = ? and seq > ? order by seq limit ?", (run_id, after, limit)
            )
            return [(r["seq"], r["body"]) for r in rows]

        return await self.db.read(work)

    async def last_data(self, run_id: str, kind: str) -> dict[str, JsonValue] | None:
        """The `data` of the run's newest event of a type, or None."""

        def work(db: Tables) -> str | None:
            row = db.conn.execute(
                "select body -> '$.data' found from events where run_id = ? and body ->> '$.type' = ?"
                " order by seq desc limit 1",
                (run_id, kind),
            ).fetchone()
            return None if row is None else str(row["found"])

        found = await self.db.read(work)
        return None if found is None else dict(json.loads(found))

    async def last_seq(self, run_id: str) -> int:
        """The number of the run's last event, 0 when it has none."""
        return await self.db.read(lambda db: _last_seq(db, run_id))

    async def commit(self, batch: Sequence[Event | Ending]) -> list[tuple[str, int, str]]:
        """Number and store events, and end runs, in one transaction; gives (run id, seq, JSON) of each event in order.

        An event for a run that has ended already is dropped: its last event stays the last.
        """

        def work(db: Tables) -> list[tuple[str, int, str]]:
            done: list[tuple[str, int, str]] = []
            last: dict[str, int] = {}
            ended: dict[str, bool] = {}
            for item in batch:
                run_id = item.run_id
                if run_id not in last:
                    last[run_id] = _last_seq(db, run_id)
                    ended[run_id] = _has_ended(db, run_id)
                if isinstance(item, Ending):
                    _end(db, item)
                    ended[run_id] = True
                elif not ended[run_id]:
                    body = _as_json(item, last[run_id] + 1)
                    if body is None:
                        continue
                    last[run_id] += 1
                    db.conn.execute(
                        "insert into events (run_id, seq, body) values (?, ?, ?)", (run_id, last[run_id], body)
                    )
                    done.append((run_id, last[run_id], body))
            return done

        return await self.db.write(work)


class Ending(Frozen):
    """How a run ended; stored with its last event."""

    run_id: str
    status: RunStatus
    stop_reason: StopReason
    brief: Brief | None = None
    error: dict[str, str] | None = None
    at: AwareDatetime


class EventLog:
    """The one writer of events in a process. Emitting never waits; what piles up while a commit runs is the next commit.

    Readers of this process follow the committed tail in memory, all others the table.
    """

    poll = 0.2
    """Seconds between two looks at a run that another process executes."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._queue: deque[Event | Ending] = deque()
        self._wake = asyncio.Event()
        self._emitted = 0
        self._committed = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        """Who waits for a commit: how many items must be in, and the future to tell."""
        self.broken: StoreError | None = None
        """Why the last commit was refused; None when it was not."""
        self._tails: dict[str, list[tuple[int, str]]] = {}
        self._news: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._task: asyncio.Task[None] | None = None

    def open_tail(self, run_id: str) -> None:
        """Keep the events of a run at hand while this process executes it."""
        self._tails.setdefault(run_id, [])

    def close_tail(self, run_id: str) -> None:
        """The run has ended: readers find the rest in the table."""
        self._tails.pop(run_id, None)
        self._tell(run_id)

    def emit(self, item: Event | Ending) -> None:
        """Queue an event or an ending; order is kept."""
        self._queue.append(item)
        self._emitted += 1
        self._start()

    async def flush(self) -> None:
        """Wait until everything emitted so far is committed. Raises StoreError when the store refuses it; it stays queued."""
        if self._committed >= self._emitted:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self._emitted, done))
        self._start()
        await done

    async def close(self) -> None:
        """Commit what is queued, if the store takes it, and stop."""
        with suppress(StoreError):
            await self.flush()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _start(self) -> None:
        self._wake.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="event-log")

    async def follow(self, run_id: str, after: int = 0) -> AsyncIterator[tuple[int, str] | None]:
        """Events with `seq` over `after`: first what is stored, then each as it is committed, until the run's last one.

        Yields None after `poll` seconds or more without news, so that a caller can send a heartbeat. Any number may follow.
        """
        seen = after
        while True:
            # Whatever is committed after this line sets this very signal, so nothing can fall between look and wait.
            news = self._news[run_id] if run_id in self._tails else None
            ended = news is None and not (await self._store.run(run_id)).status.active
            page = self._from_tail(run_id, seen) or await self._store.events(run_id, seen)
            for seq, body in page:
                seen = seq
                yield seq, body
                if _is_last(body):
                    return
            if ended and not page:
                return
            if (ended and page) or seen < self._newest(run_id):
                continue
            if news is None:
                await asyncio.sleep(self.poll)
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await news.wait()
            yield None

    def _newest(self, run_id: str) -> int:
        tail = self._tails.get(run_id)
        return tail[-1][0] if tail else 0

    def _from_tail(self, run_id: str, seen: int) -> list[tuple[int, str]]:
        tail = self._tails.get(run_id)
        if not tail or seen + 1 < tail[0][0]:
            return []
        return tail[seen + 1 - tail[0][0] :]

    def _tell(self, run_id: str) -> None:
        news = self._news.pop(run_id, None)
        if news is not None:
            news.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                batch = list(self._queue)
                try:
                    committed = await self._store.commit(batch)
                except StoreError as exc:
                    # Kept in the queue: once there is room again, the next event commits them too, in their order.
                    logger.error("events wait, for the store refused them: %s", exc.message)
                    self.broken = exc
                    self._release(exc)
                    break
                self.broken = None
                for _ in batch:
                    self._queue.popleft()
                self._committed += len(batch)
                for run_id, seq, body in committed:
                    if run_id in self._tails:
                        self._tails[run_id].append((seq, body))
                for run_id in {c[0] for c in committed}:
                    self._tell(run_id)
                self._release()

    def _release(self, refused: StoreError | None = None) -> None:
        """Tell those whose items are in; when the store refused, tell everyone that."""
        still = []
        for count, done in self._waiting:
            if done.done():
                continue
            if refused is not None:
                done.set_exception(refused)
            elif count <= self._committed:
                done.set_result(None)
            else:
                still.append((count, done))
        self._waiting = still


def _as_json(event: Event, seq: int) -> str | None:
    """The event as it is stored, under its number; None for one that has no JSON, which is a fault of ours and logged."""
    try:
        return EVENT.dump_json(event.model_copy(update={"seq": seq})).decode()
    except ValueError:
        logger.exception("a %s event of run %s cannot be written", event.type, event.run_id)
        return None


def _is_last(body: str) -> bool:
    return '"type":"run_finished"' in body and json.loads(body)["type"] == "run_finished"


def _one(db: Tables, run_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.conn.execute("select * from runs where id = ?", (run_id,)).fetchone()
    return row


def _run(row: sqlite3.Row) -> Run:
    values = dict(row)
    values.pop("plan", None)
    values["ask"] = Ask.model_validate_json(values["ask"])
    values["brief"] = Brief.model_validate_json(values["brief"]) if values["brief"] else None
    values["error"] = json.loads(values["error"]) if values["error"] else None
    values["cancel_requested"] = bool(values["cancel_requested"])
    return Run(**values)


def _last_seq(db: Tables, run_id: str) -> int:
    return int(db.conn.execute("select coalesce(max(seq), 0) from events where run_id = ?", (run_id,)).fetchone()[0])


def _has_ended(db: Tables, run_id: str) -> bool:
    row = _one(db, run_id)
    return row is None or not RunStatus(row["status"]).active


def _end(db: Tables, ending: Ending) -> None:
    db.conn.execute(
        "update runs set status = ?, stop_reason = ?, brief = ?, error = ?, ended_at = ?"
        " where id = ? and status in ('pending', 'running')",
        (
            ending.status,
            ending.stop_reason,
            ending.brief.model_dump_json() if ending.brief else None,
            json.dumps(ending.error) if ending.error else None,
            ending.at.astimezone(UTC).isoformat(),
            ending.run_id,
        ),
    )
