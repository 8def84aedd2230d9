"""The event log: numbered without gaps, shown only once committed, kept when the store refuses, followed from anywhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from agent.errors import StoreFull, ThreadBusy, UnknownRun
from agent.events import BudgetUpdated, BudgetUpdatedData, Event, RunFinished, RunFinishedData
from agent.records import Ask, Costs, StopReason
from agent.store.runs import Ending, EventLog, Run, RunStatus, RunStore, Thread
from tests.house import NOW, PATIENCE, until

NOTHING = BudgetUpdatedData(max_cost=0, spent=0, reserved=0, remaining=0)


def progress(n: object, run_id: str = "r") -> Event:
    return BudgetUpdated(message=str(n), timestamp=NOW, thread_id=f"t-{run_id}", run_id=run_id, data=NOTHING)


def last(run_id: str = "r") -> list[Event | Ending]:
    """A run's last event and its ending."""
    data = RunFinishedData(status="success", stop_reason=StopReason.ANSWERED, costs=Costs())
    said = RunFinished(message="end", timestamp=NOW, thread_id=f"t-{run_id}", run_id=run_id, data=data)
    return [said, Ending(run_id=run_id, status=RunStatus.SUCCESS, stop_reason=StopReason.ANSWERED, at=NOW)]


class Moody(RunStore):
    """A store whose commits can be held up or refused."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.gate = asyncio.Event()
        self.gate.set()
        self.refusals = 0
        self.arrived = asyncio.Event()

    async def commit(self, batch: Sequence[Event | Ending]) -> list[tuple[str, int, str]]:
        self.arrived.set()
        await self.gate.wait()
        if self.refusals:
            self.refusals -= 1
            raise StoreFull("The disk is full.")
        return await super().commit(batch)


async def add_run(store: RunStore, run_id: str = "r") -> None:
    await store.add_thread(Thread(id=f"t-{run_id}", created_at=NOW, consumer_type="quick_chat"))
    ask = Ask(message="?")
    await store.add_run(
        Run(id=run_id, thread_id=f"t-{run_id}", status=RunStatus.PENDING, ask=ask, created_at=NOW, owner="me")
    )


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Moody]:
    opened = Moody(tmp_path / "runs.db")
    await add_run(opened)
    yield opened
    opened.close()


@pytest.fixture
async def log(store: Moody) -> AsyncIterator[EventLog]:
    opened = EventLog(store)
    opened.open_tail("r")
    yield opened
    store.gate.set()
    await opened.close()


async def all_of(log: EventLog, run_id: str = "r", after: int = 0) -> list[tuple[int, str]]:
    """What a follower sees until the end of the stream."""
    async with asyncio.timeout(PATIENCE):
        return [(item[0], json.loads(item[1])["message"]) async for item in log.follow(run_id, after) if item]


async def table(store: RunStore, run_id: str = "r") -> list[tuple[int, str]]:
    return [(seq, json.loads(body)["message"]) for seq, body in await store.events(run_id)]


# --- numbering -------------------------------------------------------------------------------------------------------


async def test_events_of_many_emitters_are_numbered_without_gaps_and_every_follower_sees_the_same(
    store: Moody, log: EventLog
) -> None:
    followers = [asyncio.create_task(all_of(log)) for _ in range(5)]

    async def emitter(name: int) -> None:
        for n in range(40):
            log.emit(progress(f"{name}.{n}"))
            if n % 7 == 0:
                await log.flush()

    await asyncio.gather(*(emitter(n) for n in range(6)))
    for item in last():
        log.emit(item)
    seen = await asyncio.gather(*followers)
    stored = await table(store)
    assert [seq for seq, _ in stored] == list(range(1, 242))
    assert all(s == stored for s in seen)
    for name in range(6):
        mine = [m for _, m in stored if m.startswith(f"{name}.")]
        assert mine == [f"{name}.{n}" for n in range(40)]  # each emitter's order is kept


async def test_every_run_has_numbers_of_its_own(store: Moody, log: EventLog) -> None:
    await add_run(store, "s")
    for n in range(3):
        log.emit(progress(n))
        log.emit(progress(n, "s"))
    await log.flush()
    assert [await table(store, r) for r in ("r", "s")] == [[(1, "0"), (2, "1"), (3, "2")]] * 2


async def test_the_number_stands_in_the_event_itself(store: Moody, log: EventLog) -> None:
    log.emit(progress("a"))
    log.emit(progress("b"))
    await log.flush()
    assert [json.loads(body)["seq"] for _, body in await store.events("r")] == [1, 2]


async def test_a_run_that_goes_on_in_another_process_goes_on_with_the_next_number(store: Moody, log: EventLog) -> None:
    log.emit(progress("before"))
    await log.close()
    resumed = EventLog(store)
    resumed.open_tail("r")
    resumed.emit(progress("after"))
    for item in last():
        resumed.emit(item)
    assert await all_of(resumed) == [(1, "before"), (2, "after"), (3, "end")]
    await resumed.close()


async def test_nothing_is_added_to_a_run_that_has_ended(store: Moody, log: EventLog) -> None:
    for item in (*last(), progress("late"), *last()):
        log.emit(item)
    await log.flush()
    log.emit(progress("later"))
    await log.flush()
    assert await table(store) == [(1, "end")]
    assert (await store.run("r")).status is RunStatus.SUCCESS


# --- following -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("after", [0, 1, 3, 5, 6, 99])
async def test_a_follower_from_the_middle_gets_exactly_what_comes_after(live: bool, after: int, log: EventLog) -> None:
    for n in range(5):
        log.emit(progress(n))
    for item in last():
        log.emit(item)
    await log.flush()
    if not live:
        log.close_tail("r")
    if live and after > 5:
        return  # the server refuses a cursor beyond the end of a run under way
    expected = [(1, "0"), (2, "1"), (3, "2"), (4, "3"), (5, "4"), (6, "end")]
    assert await all_of(log, after=after) == expected[after:]


async def test_a_follower_who_comes_while_a_run_goes_on_misses_nothing_and_sees_nothing_twice(
    log: EventLog, store: Moody
) -> None:
    log.emit(progress(0))
    await log.flush()
    store.gate.clear()
    store.arrived.clear()
    log.emit(progress(1))
    await store.arrived.wait()
    follower = asyncio.create_task(all_of(log))
    await until(lambda: "r" in log._news)
    store.gate.set()
    await log.flush()
    for item in last():
        log.emit(item)
    assert await follower == [(1, "0"), (2, "1"), (3, "end")]


async def test_a_follower_still_gets_the_end_when_the_run_ends_and_its_tail_is_dropped(log: EventLog) -> None:
    follower = asyncio.create_task(all_of(log))
    await until(lambda: "r" in log._news)
    for item in last():
        log.emit(item)
    await log.flush()
    log.close_tail("r")
    assert await follower == [(1, "end")]


async def test_a_follower_sees_nothing_that_the_table_does_not_hold(store: Moody, log: EventLog) -> None:
    store.gate.clear()
    seen: list[int] = []

    async def follow() -> None:
        async for item in log.follow("r"):
            if item is not None:
                assert item[0] in [seq for seq, _ in await store.events("r")]
                seen.append(item[0])

    follower = asyncio.create_task(follow())
    log.emit(progress("a"))
    await store.arrived.wait()
    await until(lambda: "r" in log._news)
    assert seen == []
    store.gate.set()
    for item in last():
        log.emit(item)
    async with asyncio.timeout(PATIENCE):
        await follower
    assert seen == [1, 2]


async def test_a_quiet_run_gives_its_follower_a_sign_now_and_then(log: EventLog) -> None:
    async with aclosing(log.follow("r")) as items:  # type: ignore[type-var]
        async with asyncio.timeout(PATIENCE):
            assert await anext(items) is None
        log.emit(progress("a"))
        async with asyncio.timeout(PATIENCE):
            while (item := await anext(items)) is None:
                pass
        assert item[0] == 1


async def test_following_a_run_that_is_not_there_says_so(log: EventLog) -> None:
    with pytest.raises(UnknownRun):
        await all_of(log, "nowhere")


async def test_a_run_of_another_process_is_followed_through_the_table(
    store: Moody, log: EventLog, tmp_path: Path
) -> None:
    other = RunStore(tmp_path / "runs.db")
    elsewhere = EventLog(other)
    looked, run_of = asyncio.Event(), other.run

    async def watched(run_id: str) -> Run:
        looked.set()
        return await run_of(run_id)

    other.run = watched  # type: ignore[method-assign]
    follower = asyncio.create_task(all_of(elsewhere))
    await looked.wait()
    log.emit(progress("a"))
    await log.flush()
    log.emit(progress("b"))
    for item in last():
        log.emit(item)
    assert await follower == [(1, "a"), (2, "b"), (3, "end")]
    await elsewhere.close()
    other.close()


async def test_two_processes_that_write_to_one_run_still_number_it_without_gaps(
    store: Moody, log: EventLog, tmp_path: Path
) -> None:
    other = RunStore(tmp_path / "runs.db")
    elsewhere = EventLog(other)
    for n in range(50):
        log.emit(progress(f"one {n}"))
        elsewhere.emit(progress(f"two {n}"))
    await asyncio.gather(log.flush(), elsewhere.flush())
    assert [seq for seq, _ in await table(store)] == list(range(1, 101))
    await elsewhere.close()
    other.close()


async def test_a_run_of_more_events_than_one_page_is_followed_to_its_end(log: EventLog) -> None:
    for n in range(1_200):
        log.emit(progress(n))
    for item in last():
        log.emit(item)
    await log.flush()
    log.close_tail("r")
    assert len(await all_of(log)) == 1_201


# --- a store that refuses --------------------------------------------------------------------------------------------


async def test_what_the_store_refused_is_kept_in_order_and_committed_with_the_next_event(
    store: Moody, log: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    store.refusals = 2
    log.emit(progress("a"))
    log.emit(progress("b"))
    with pytest.raises(StoreFull):
        await log.flush()
    assert log.broken is not None
    log.emit(progress("c"))
    with pytest.raises(StoreFull):
        await log.flush()
    assert await table(store) == []
    log.emit(progress("d"))
    await log.flush()
    assert await table(store) == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    assert log.broken is None
    assert "events wait" in caplog.text


async def test_a_flush_tries_again_what_was_refused(store: Moody, log: EventLog) -> None:
    store.refusals = 1
    log.emit(progress("a"))
    with pytest.raises(StoreFull):
        await log.flush()
    await log.flush()
    assert await table(store) == [(1, "a")]


async def test_closing_tries_once_more_what_the_store_refused(store: Moody, log: EventLog) -> None:
    store.refusals = 1
    log.emit(progress("a"))
    with pytest.raises(StoreFull):
        await log.flush()
    await log.close()
    assert await table(store) == [(1, "a")]


async def test_a_store_that_keeps_refusing_does_not_keep_a_process_from_ending(store: Moody) -> None:
    store.refusals = 1_000
    log = EventLog(store)
    log.emit(progress("a"))
    async with asyncio.timeout(PATIENCE):
        await log.close()
    assert 0 < 1_000 - store.refusals < 1_000, "it tried, and stopped before the store gave in"


async def test_a_refused_ending_leaves_the_run_active_and_its_thread_taken(store: Moody, log: EventLog) -> None:
    store.refusals = 1
    for item in last():
        log.emit(item)
    with pytest.raises(StoreFull):
        await log.flush()
    assert (await store.run("r")).status.active
    with pytest.raises(ThreadBusy):
        await store.add_run((await store.run("r")).model_copy(update={"id": "next"}))
    await log.flush()
    assert not (await store.run("r")).status.active


async def test_an_event_and_the_ending_beside_it_are_committed_together_or_not_at_all(store: Moody) -> None:
    bad = Ending(run_id="r", status=RunStatus.SUCCESS, stop_reason=StopReason.ANSWERED, at=NOW)
    unfit = bad.model_copy(update={"status": "no such status"})
    with pytest.raises(Exception, match="refused"):
        await store.commit([progress("a"), unfit])
    assert await table(store) == []


async def test_an_event_that_cannot_be_written_does_not_take_the_others_with_it(store: Moody, log: EventLog) -> None:
    log.emit(progress("half a character \ud83d"))
    log.emit(progress("whole"))
    try:
        async with asyncio.timeout(3):
            await log.flush()
    finally:
        assert log._task is not None
        log._queue.clear()
        log._committed = log._emitted  # so that the fixture can close it
    assert "whole" in [m for _, m in await table(store)]


async def test_a_flush_with_nothing_to_commit_returns_at_once(log: EventLog) -> None:
    async with asyncio.timeout(PATIENCE):
        await log.flush()
    assert log._committed == log._emitted == 0
