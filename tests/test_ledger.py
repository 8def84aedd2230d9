"""The ledger's promises: no budget is ever overspent, no call is paid twice, and the books always balance."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.budget import CallState, Existing, Failure, FromCache, Granted, InFlight, Order, Refused
from agent.errors import StoreBusy, StoreDamaged, StoreReadOnly
from agent.store.ledger import Ledger

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db")
    yield opened
    assert all(balance.holds for balance in await opened.audit())
    opened.close()


def order(call_id: str, amount: int = 10, *, key: str | None = None, budgets: tuple[str, ...] = ("run:r",)) -> Order:
    return Order(call_id=call_id, run_id="r", label="s", amount=amount, budgets=budgets, cache_key=key, max_age=3_600)


async def test_money_is_held_and_then_replaced_by_the_actual_price(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 100)
    assert isinstance(await ledger.reserve(order("a", 60), "me", NOW), Granted)
    assert (await ledger.budget("run:r")).reserved == 60
    await ledger.settle("a", "me", NOW, cost=25, reply='{"documents": []}')
    budget = await ledger.budget("run:r")
    assert (budget.spent, budget.reserved, budget.remaining) == (25, 0, 75)


async def test_a_call_that_would_go_over_any_of_its_budgets_holds_nothing_anywhere(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 100)
    await ledger.open_budget("thread:t", "thread", 30)
    verdict = await ledger.reserve(order("a", 31, budgets=("run:r", "thread:t")), "me", NOW)
    assert isinstance(verdict, Refused)
    assert verdict.budget.id == "thread:t"
    assert (await ledger.budget("run:r")).reserved == 0
    assert await ledger.call("a") is None


async def test_exactly_the_ceiling_may_be_spent_and_not_one_micro_dollar_more(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 100)
    assert isinstance(await ledger.reserve(order("a", 100), "me", NOW), Granted)
    assert isinstance(await ledger.reserve(order("b", 1), "me", NOW), Refused)


async def test_a_finished_call_gives_its_stored_reply_instead_of_being_bought_again(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 100)
    await ledger.reserve(order("a"), "me", NOW)
    await ledger.settle("a", "me", NOW, cost=10, reply='{"documents": [], "note": "first"}')
    again = await ledger.reserve(order("a"), "me", NOW)
    assert isinstance(again, Existing)
    assert again.row.reply is not None
    assert "first" in again.row.reply


async def test_settling_twice_moves_no_money_the_second_time(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 100)
    await ledger.reserve(order("a"), "me", NOW)
    await ledger.settle("a", "me", NOW, cost=10, reply="{}")
    await ledger.settle("a", "me", NOW, cost=10, reply="{}")
    await ledger.release("a", "me", NOW)
    assert (await ledger.budget("run:r")).spent == 10


async def test_a_process_that_lost_a_call_cannot_settle_it(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 100)
    await ledger.reserve(order("a"), "old", NOW)
    assert await ledger.adopt("a", "old", "new")
    row = await ledger.settle("a", "old", NOW, cost=10, reply="{}")
    assert row.state is CallState.RESERVED
    assert (await ledger.budget("run:r")).spent == 0


async def test_a_call_whose_end_is_unknown_counts_as_spent_in_full(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 100)
    await ledger.reserve(order("a", 40), "me", NOW)
    await ledger.mark_unknown("a", "me", NOW, failure=Failure(kind="outcome_unknown", message="died"))
    money = await ledger.run_money("r")
    assert (money.spent, money.unknown) == (40, 40)


async def test_a_released_call_gives_its_money_back(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 100)
    await ledger.reserve(order("a", 40), "me", NOW)
    await ledger.release("a", "me", NOW)
    assert (await ledger.budget("run:r")).remaining == 100


async def test_a_source_that_charges_more_than_it_stated_cannot_push_a_budget_over_its_ceiling(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 100)
    await ledger.reserve(order("a", 40), "me", NOW)
    await ledger.settle("a", "me", NOW, cost=400, reply="{}")
    assert (await ledger.budget("run:r")).spent == 100


async def test_a_stored_reply_serves_another_run_for_nothing_while_it_is_fresh(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 100)
    await ledger.reserve(order("a", key="k"), "me", NOW)
    await ledger.settle("a", "me", NOW, cost=10, reply='{"note": "kept"}')
    soon = await ledger.reserve(order("b", key="k"), "me", NOW + timedelta(seconds=3_600))
    late = await ledger.reserve(order("c", key="k"), "me", NOW + timedelta(seconds=3_601))
    assert isinstance(soon, FromCache)
    assert soon.row.saved == 10
    assert soon.row.reply is not None
    assert isinstance(late, Granted)


async def test_the_same_call_under_way_elsewhere_is_waited_for_unless_its_process_is_dead(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 100)
    await ledger.reserve(order("a", key="k"), "other", NOW)
    assert await ledger.reserve(order("b", key="k"), "me", NOW) == InFlight("a", "other")
    assert isinstance(await ledger.reserve(order("b", key="k"), "me", NOW, ignore=["a"]), Granted)


async def test_a_remembered_failure_is_not_bought_again_until_its_time_is_up(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 100)
    await ledger.reserve(order("a", key="k"), "me", NOW)
    failure = Failure(kind="rate_limited", message="slow down")
    await ledger.release("a", "me", NOW, failure=failure, cache_for=30.0)
    soon = await ledger.reserve(order("b", key="k"), "me", NOW + timedelta(seconds=29))
    later = await ledger.reserve(order("c", key="k"), "me", NOW + timedelta(seconds=31))
    assert isinstance(soon, FromCache)
    assert soon.row.failure == failure
    assert isinstance(later, Granted)


async def test_entries_of_the_ledger_cannot_be_changed_or_removed(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 100)
    await ledger.reserve(order("a"), "me", NOW)
    connection = sqlite3.connect(ledger.db.path)
    for statement in ("update entries set amount = 0", "delete from entries"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


async def test_a_ceiling_is_never_lowered_under_what_is_already_spent(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 100)
    await ledger.reserve(order("a", 80), "me", NOW)
    assert (await ledger.open_budget("run:r", "run", 10)).ceiling == 80


async def test_many_tasks_on_one_budget_are_granted_exactly_what_it_holds(ledger: Ledger) -> None:
    await ledger.open_budget("run:r", "run", 50)
    verdicts = await asyncio.gather(*(ledger.reserve(order(f"c{n}", 1), "me", NOW) for n in range(80)))
    assert sum(isinstance(v, Granted) for v in verdicts) == 50


async def test_a_database_locked_by_another_process_is_a_clear_error(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db", busy_timeout=0.05)
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(StoreBusy, match="try again"):
        await ledger.open_budget("run:r", "run", 100)
    other.execute("rollback")
    other.close()
    assert (await ledger.open_budget("run:r", "run", 100)).ceiling == 100
    ledger.close()


def test_a_file_that_is_no_database_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"this is not a database, however long it may be" * 100)
    with pytest.raises(StoreDamaged, match=r"ledger\.db"):
        Ledger(tmp_path / "ledger.db")


def test_a_data_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreReadOnly, match="DOSSIER_DATA_DIR"):
        Ledger(tmp_path / "file" / "ledger.db")
