"""The ledger: who may spend what, what was spent, and what was bought for it. The rules are in `agent.budget`.

Every method that moves money is one `BEGIN IMMEDIATE` transaction, so two processes can never both see the same room. The
reply of a call is stored in the transaction that settles it: after a kill a call is either in flight or finished with its
reply at hand, and never anything between.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database as Tables
from sqlite_utils.migrations import Migrations

from agent.budget import (
    Balance,
    Budget,
    CallState,
    Existing,
    Failure,
    FromCache,
    Granted,
    InFlight,
    Order,
    Refused,
    Reservation,
    RunMoney,
    UsageRow,
    Verdict,
)
from agent.errors import StoreError
from agent.records import to_usd
from agent.store.database import Database

migrations = Migrations("ledger")


@migrations()
def money(db: Tables) -> None:
    """Budgets, their append-only entries, and the calls they pay for."""
    statements = """
    create table budgets (
        id text primary key, scope text not null, ceiling integer not null,
        spent integer not null default 0, reserved integer not null default 0,
        check (spent >= 0), check (reserved >= 0), check (spent + reserved <= ceiling)
    ) strict;
    create table calls (
        call_id text primary key, run_id text not null, label text not null, state text not null,
        held integer not null, cost integer not null default 0, saved integer not null default 0,
        budgets text not null, cache_key text, owner text not null, reserved_at real not null, ended_at real,
        reply text, failure text, retrieved_at real, reply_of text references calls(call_id),
        check (state in ('reserved', 'settled', 'released', 'unknown', 'cached'))
    ) strict;
    create index calls_by_run on calls(run_id);
    create index calls_in_flight on calls(cache_key) where state = 'reserved';
    create table entries (
        seq integer primary key autoincrement, call_id text not null, budget_id text not null,
        kind text not null, amount integer not null, at real not null,
        check (kind in ('reserve', 'settle', 'release', 'unknown', 'overrun')), check (amount >= 0)
    ) strict;
    create index entries_by_budget on entries(budget_id);
    create trigger entries_are_final before update on entries begin select raise(abort, 'entries are append-only'); end;
    create trigger entries_stay before delete on entries begin select raise(abort, 'entries are append-only'); end;
    create table cache (
        cache_key text primary key, call_id text not null references calls(call_id),
        retrieved_at real not null, price integer not null, until real
    ) strict;
    """
    for statement in _statements(statements):
        db.conn.execute(statement)


@migrations()
def gains(db: Tables) -> None:
    """What calls brought, dataset by dataset: the experience that `agent.store.history` reads."""
    statements = """
    create table gains (
        call_id text not null references calls(call_id), dataset text not null, hit integer not null,
        primary key (call_id, dataset)
    ) strict, without rowid;
    create index calls_by_time on calls(reserved_at);
    """
    for statement in _statements(statements):
        db.conn.execute(statement)


class _NoRoom(Exception):
    def __init__(self, budget: Budget) -> None:
        self.budget = budget


class Ledger:
    """The ledger of one data folder, shared by every process that opens it. Times are given in, never read here."""

    def __init__(self, path: Path, *, synchronous: str = "NORMAL", busy_timeout: float = 30.0) -> None:
        self.db = Database(path, migrations, synchronous=synchronous, busy_timeout=busy_timeout)

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    # --- budgets -------------------------------------------------------------------------------------------------------

    async def open_budget(self, budget_id: str, scope: str, ceiling: int) -> Budget:
        """Make the budget if it is new, or move its ceiling, though never under what is already spent and held."""
        [opened] = await self.open_budgets([(budget_id, scope, ceiling)])
        return opened

    async def open_budgets(self, wanted: Sequence[tuple[str, str, int]]) -> list[Budget]:
        """As `open_budget` for several (id, scope, ceiling), in one transaction."""

        def work(db: Tables) -> list[Budget]:
            for budget_id, scope, ceiling in wanted:
                db.conn.execute(
                    "insert into budgets (id, scope, ceiling) values (:id, :scope, :ceiling)"
                    " on conflict (id) do update set ceiling = max(:ceiling, spent + reserved)",
                    {"id": budget_id, "scope": scope, "ceiling": ceiling},
                )
            return [_budget(db, budget_id) for budget_id, _, _ in wanted]

        return await self.db.write(work)

    async def budget(self, budget_id: str) -> Budget:
        """The budget as it stands. Raises StoreError when there is none."""
        return await self.db.read(lambda db: _budget(db, budget_id))

    # --- the four moves ------------------------------------------------------------------------------------------------

    async def reserve(self, order: Order, owner: str, now: datetime, *, ignore: Sequence[str] = ()) -> Verdict:
        """Hold the money of an order, unless it is known, cached, being fetched, or over a budget.

        `ignore` lists calls in flight that must not be waited for, because their process is dead.
        """

        def work(db: Tables) -> Verdict:
            row = _call(db, order.call_id)
            if row is not None:
                return Existing(row)
            if order.cache_key is not None:
                hit = _cached(db, order, owner, now)
                if hit is not None:
                    return hit
                flight = _flight(db, order.cache_key, ignore)
                if flight is not None:
                    return flight
            for budget_id in order.budgets:
                _hold(db, budget_id, order, now)
            db.conn.execute(
                "insert into calls (call_id, run_id, label, state, held, budgets, cache_key, owner, reserved_at)"
                " values (?, ?, ?, 'reserved', ?, ?, ?, ?, ?)",
                (
                    order.call_id,
                    order.run_id,
                    order.label,
                    order.amount,
                    json.dumps(order.budgets),
                    order.cache_key,
                    owner,
                    now.timestamp(),
                ),
            )
            return Granted()

        try:
            return await self.db.write(work)
        except _NoRoom as exc:
            return Refused(exc.budget, order.amount)

    async def settle(
        self,
        call_id: str,
        owner: str,
        now: datetime,
        *,
        cost: int,
        reply: str | None = None,
        failure: Failure | None = None,
        cache_for: float | None = None,
    ) -> Reservation:
        """Replace the hold by the actual price and store what came back, in one transaction.

        A failure is cached for `cache_for` seconds (None: not at all); a reply is cached, and judged when it is read.
        """
        return await self._end(
            call_id, owner, now, CallState.SETTLED, lambda _: cost, reply=reply, failure=failure, cache_for=cache_for
        )

    async def release(
        self, call_id: str, owner: str, now: datetime, *, failure: Failure | None = None, cache_for: float | None = None
    ) -> Reservation:
        """Drop the hold: nothing was spent."""
        return await self._end(
            call_id, owner, now, CallState.RELEASED, lambda _: 0, failure=failure, cache_for=cache_for
        )

    async def mark_unknown(
        self, call_id: str, owner: str, now: datetime, *, failure: Failure, cache_for: float | None = None
    ) -> Reservation:
        """The end of the call cannot be known: the whole hold counts as spent."""
        return await self._end(
            call_id, owner, now, CallState.UNKNOWN, lambda row: row.held, failure=failure, cache_for=cache_for
        )

    async def adopt(self, call_id: str, dead: str, owner: str) -> bool:
        """Take over a call in flight whose process is dead, keeping its hold; False when somebody else was first."""

        def work(db: Tables) -> bool:
            cursor = db.conn.execute(
                "update calls set owner = ? where call_id = ? and owner = ? and state = 'reserved'",
                (owner, call_id, dead),
            )
            return cursor.rowcount == 1

        return await self.db.write(work)

    async def _end(
        self,
        call_id: str,
        owner: str,
        now: datetime,
        state: CallState,
        price: Callable[[Reservation], int],
        *,
        reply: str | None = None,
        failure: Failure | None = None,
        cache_for: float | None = None,
    ) -> Reservation:
        def work(db: Tables) -> Reservation:
            row = _call(db, call_id)
            if row is None:
                raise StoreError(f"The ledger knows no call {call_id}.")
            if row.state is not CallState.RESERVED or row.owner != owner:
                return row  # somebody else has ended it: their word stands, and no money moves twice
            cost = price(row)
            budgets = json.loads(db.conn.execute("select budgets from calls where call_id=?", (call_id,)).fetchone()[0])
            for budget_id in budgets:
                _replace_hold(db, budget_id, row, cost, state, now)
            db.conn.execute(
                "update calls set state = ?, cost = ?, ended_at = ?, reply = ?, failure = ?, retrieved_at = ?"
                " where call_id = ?",
                (
                    state,
                    cost,
                    now.timestamp(),
                    reply,
                    failure.model_dump_json() if failure else None,
                    now.timestamp(),
                    call_id,
                ),
            )
            if failure is None or cache_for is not None:
                until = None if failure is None else now.timestamp() + (cache_for or 0.0)
                db.conn.execute(
                    "insert or replace into cache (cache_key, call_id, retrieved_at, price, until)"
                    " select cache_key, call_id, ?, ?, ? from calls where call_id = ? and cache_key is not null",
                    (now.timestamp(), cost, until, call_id),
                )
            ended = _call(db, call_id)
            assert ended is not None
            return ended

        return await self.db.write(work)

    # --- reading -------------------------------------------------------------------------------------------------------

    async def call(self, call_id: str) -> Reservation | None:
        """The row of a call, or None."""
        return await self.db.read(lambda db: _call(db, call_id))

    async def peek(self, cache_key: str, max_age: float, now: datetime) -> bool:
        """Whether a stored reply (not a failure) would serve, for planning; nothing is promised."""

        def work(db: Tables) -> bool:
            row = db.conn.execute(
                "select 1 from cache where cache_key = ? and until is null and retrieved_at >= ?",
                (cache_key, now.timestamp() - max_age),
            ).fetchone()
            return row is not None

        return await self.db.read(work)

    async def open_calls(self, run_id: str) -> list[Reservation]:
        """Calls of a run that are in flight."""

        def work(db: Tables) -> list[Reservation]:
            rows = db.conn.execute(f"{_CALL} where c.run_id = ? and c.state = 'reserved'", (run_id,)).fetchall()
            return [_row(r) for r in rows]

        return await self.db.read(work)

    async def run_money(self, run_id: str) -> RunMoney:
        """What the calls of a run come to."""

        def work(db: Tables) -> RunMoney:
            row = db.conn.execute(
                """select
                    coalesce(sum(cost), 0) spent,
                    coalesce(sum(iif(state = 'unknown', cost, 0)), 0) unknown,
                    coalesce(sum(iif(state = 'reserved', held, 0)), 0) reserved,
                    coalesce(sum(state = 'cached'), 0) cache_hits,
                    coalesce(sum(label not like 'model:%' and state in ('settled', 'unknown', 'reserved')), 0) new_api_calls,
                    coalesce(sum(cost), 0) total_new_cost,
                    coalesce(sum(saved), 0) total_cache_savings
                from calls where run_id = ?""",
                (run_id,),
            ).fetchone()
            return RunMoney(**dict(row))

        return await self.db.read(work)

    async def usage(self, since: datetime) -> list[UsageRow]:
        """Calls and money by UTC day and source since a moment."""

        def work(db: Tables) -> list[UsageRow]:
            rows = db.conn.execute(
                """select date(reserved_at, 'unixepoch') day, label,
                    sum(state in ('settled', 'unknown', 'reserved')) calls, sum(cost) cost,
                    sum(iif(state = 'unknown', cost, 0)) unknown, sum(state = 'cached') cache_hits, sum(saved) saved
                from calls where reserved_at >= ? group by 1, 2 order by 1, 2""",
                (since.timestamp(),),
            ).fetchall()
            amounts = ("cost", "unknown", "saved")
            return [UsageRow(**{k: to_usd(r[k]) if k in amounts else r[k] for k in r.keys()}) for r in rows]  # noqa: SIM118

        return await self.db.read(work)

    async def audit(self) -> list[Balance]:
        """Every budget against its entries: what it says must be what its rows add up to."""
        return await self.db.read(_audit)


_CALL = """select c.call_id, c.run_id, c.label, c.state, c.held, c.cost, c.saved, c.owner, c.reserved_at,
    coalesce(c.reply, o.reply) reply, coalesce(c.failure, o.failure) failure,
    coalesce(c.retrieved_at, o.retrieved_at) retrieved_at
    from calls c left join calls o on o.call_id = c.reply_of"""


def _statements(script: str) -> list[str]:
    """Split a script at its semicolons, keeping triggers whole."""
    found, part = [], ""
    for line in script.splitlines():
        part += line + "\n"
        if sqlite3.complete_statement(part):
            found.append(part)
            part = ""
    return found


def _budget(db: Tables, budget_id: str) -> Budget:
    row = db.conn.execute(
        "select id, scope, ceiling, spent, reserved from budgets where id = ?", (budget_id,)
    ).fetchone()
    if row is None:
        raise StoreError(f"The ledger knows no budget {budget_id}.")
    return Budget(**dict(row))


def _call(db: Tables, call_id: str) -> Reservation | None:
    row = db.conn.execute(f"{_CALL} where c.call_id = ?", (call_id,)).fetchone()
    return None if row is None else _row(row)


def _row(row: sqlite3.Row) -> Reservation:
    failure, retrieved = row["failure"], row["retrieved_at"]
    return Reservation(
        call_id=row["call_id"],
        run_id=row["run_id"],
        label=row["label"],
        state=CallState(row["state"]),
        held=row["held"],
        cost=row["cost"],
        saved=row["saved"],
        owner=row["owner"],
        reserved_at=datetime.fromtimestamp(row["reserved_at"], UTC),
        reply=row["reply"],
        failure=Failure.model_validate_json(failure) if failure else None,
        retrieved_at=datetime.fromtimestamp(retrieved, UTC) if retrieved is not None else None,
    )


def _cached(db: Tables, order: Order, owner: str, now: datetime) -> FromCache | None:
    """A stored reply young enough for this order, or a failure still too fresh to be tried again."""
    at = now.timestamp()
    hit = db.conn.execute(
        "select call_id, price, until from cache where cache_key = :key"
        " and iif(until is null, retrieved_at >= :oldest, until > :now)",
        {"key": order.cache_key, "oldest": at - order.max_age, "now": at},
    ).fetchone()
    if hit is None:
        return None
    saved = 0 if hit["until"] is not None else hit["price"]
    db.conn.execute(
        "insert into calls (call_id, run_id, label, state, held, saved, budgets, owner, reserved_at, ended_at, reply_of)"
        " values (?, ?, ?, 'cached', 0, ?, '[]', ?, ?, ?, ?)",
        (order.call_id, order.run_id, order.label, saved, owner, at, at, hit["call_id"]),
    )
    row = _call(db, order.call_id)
    assert row is not None
    return FromCache(row, hit["price"])


def _flight(db: Tables, cache_key: str, ignore: Sequence[str]) -> InFlight | None:
    rows = db.conn.execute(
        "select call_id, owner from calls where cache_key = ? and state = 'reserved' order by reserved_at", (cache_key,)
    )
    for row in rows:
        if row["call_id"] not in ignore:
            return InFlight(row["call_id"], row["owner"])
    return None


def _hold(db: Tables, budget_id: str, order: Order, now: datetime) -> None:
    cursor = db.conn.execute(
        "update budgets set reserved = reserved + :a where id = :id and spent + reserved + :a <= ceiling",
        {"a": order.amount, "id": budget_id},
    )
    if cursor.rowcount != 1:
        raise _NoRoom(_budget(db, budget_id))
    _enter(db, order.call_id, budget_id, "reserve", order.amount, now)


def _replace_hold(db: Tables, budget_id: str, row: Reservation, cost: int, state: CallState, now: datetime) -> None:
    """Hold -> price. A source that charges more than the most it stated gets what room there is; the rest is an `overrun`."""
    budget = _budget(db, budget_id)
    room = budget.ceiling - budget.spent - budget.reserved + row.held
    charged = min(cost, room)
    db.conn.execute(
        "update budgets set reserved = reserved - ?, spent = spent + ? where id = ?", (row.held, charged, budget_id)
    )
    _enter(db, row.call_id, budget_id, "release", row.held, now)
    if charged:
        _enter(db, row.call_id, budget_id, "unknown" if state is CallState.UNKNOWN else "settle", charged, now)
    if cost > charged:
        _enter(db, row.call_id, budget_id, "overrun", cost - charged, now)


def _enter(db: Tables, call_id: str, budget_id: str, kind: str, amount: int, now: datetime) -> None:
    db.conn.execute(
        "insert into entries (call_id, budget_id, kind, amount, at) values (?, ?, ?, ?, ?)",
        (call_id, budget_id, kind, amount, now.timestamp()),
    )


def _audit(db: Tables) -> list[Balance]:
    rows = db.conn.execute(
        """select b.id, b.scope, b.ceiling, b.spent, b.reserved,
            coalesce(sum(iif(e.kind in ('settle', 'unknown'), e.amount, 0)), 0) entry_spent,
            coalesce(sum(case e.kind when 'reserve' then e.amount when 'release' then -e.amount else 0 end), 0) entry_held
        from budgets b left join entries e on e.budget_id = b.id group by b.id order by b.id"""
    ).fetchall()
    return [
        Balance(
            budget=Budget(id=r["id"], scope=r["scope"], ceiling=r["ceiling"], spent=r["spent"], reserved=r["reserved"]),
            spent_by_entries=r["entry_spent"],
            reserved_by_entries=r["entry_held"],
        )
        for r in rows
    ]
