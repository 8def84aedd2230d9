"""Runs in this very process: resumed, cancelled, drained and ended honestly, with nothing bought twice and nothing lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agent.errors import RunAlreadyEnded, ShuttingDown, ThreadBusy, UnknownThread
from agent.records import StopReason, to_usd
from agent.runs import Runs
from agent.services import Services
from agent.store.database import Database
from agent.store.runs import Run, RunStatus
from tests.house import NOW, PATIENCE, Clock, Fake, crash, fake, house, open_house, page, until, whole_profile
from tools.base import FailureKind, SourceError, SourceReply

PRICE = 15_000
PAID = to_usd(PRICE)
ASK = "Give me the profile of Snowflake"
Json = dict[str, Any]


@asynccontextmanager
async def opened(folder: Path, *sources: Fake, clock: Clock | None = None, **settings: Any) -> AsyncIterator[Runs]:
    """A process with its runs, over `folder`."""
    async with house(folder, *sources, clock=clock, **settings) as services, Runs(services) as runs:
        yield runs


async def living(folder: Path, *sources: Fake, clock: Clock | None = None, **settings: Any) -> Runs:
    """A process that the test ends by `crash`."""
    return await Runs(await open_house(folder, *sources, clock=clock, **settings)).__aenter__()


async def begin(runs: Runs, message: str = ASK, *, thread: str | None = None, **raw: object) -> Run:
    """A run just accepted, on a thread of its own unless one is named."""
    thread_id = thread or (await runs.create_thread()).id
    return await runs.start(thread_id, {"message": message, **raw})


async def ask(runs: Runs, message: str = ASK, *, thread: str | None = None, **raw: object) -> Run:
    """A run once it has ended."""
    return await end_of(runs, await begin(runs, message, thread=thread, **raw))


async def end_of(runs: Runs, run: Run) -> Run:
    """The run once it has ended in whatever process."""
    async with asyncio.timeout(PATIENCE):
        async for _ in runs.services.log.follow(run.id):
            pass
        return await runs.wait(run.id)


async def events(services: Services, run: Run) -> list[Json]:
    """What is stored of a run's events; they are numbered without gaps and all its own."""
    rows = await services.runs.events(run.id)
    assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
    found: list[Json] = [json.loads(body) for _, body in rows]
    assert {e["run_id"] for e in found} == {run.id}
    return found


async def types(services: Services, run: Run) -> list[str]:
    """The events' types in order."""
    return [e["type"] for e in await events(services, run)]


def sources_pair() -> tuple[Fake, Fake]:
    """A quick source and one that a test holds up."""
    quick = fake("quick", price=PRICE, answer=SourceReply(documents=(page(),), billed=PRICE))
    slow = fake("slow", price=PRICE, answer=whole_profile(PRICE))
    return quick, slow


# --- a plain run -----------------------------------------------------------------------------------------------------


async def test_a_run_walks_all_rooms_and_ends_with_a_cited_brief(tmp_path: Path) -> None:
    web = fake(price=PRICE, answer=whole_profile(PRICE))
    async with opened(tmp_path, web) as runs:
        run = await ask(runs)
        assert (run.status, run.stop_reason) == (RunStatus.SUCCESS, StopReason.ANSWERED)
        assert run.brief is not None
        assert run.brief.findings
        assert run.brief.costs.spent == PAID
        assert {c.quote for c in run.brief.citations} >= {f.text for f in run.brief.findings}
        told = await types(runs.services, run)
        assert (told[0], told[-1], told.count("run_finished")) == ("session_started", "run_finished", 1)
        rooms = list(dict.fromkeys(e["node"] for e in await events(runs.services, run) if e["node"]))
        assert rooms == ["frame", "decompose", "plan", "collect", "assess", "synthesize", "verify"]


async def test_two_threads_run_side_by_side(tmp_path: Path) -> None:
    one, other = fake("one", answer=whole_profile()), fake("other", answer=whole_profile(about="Datadog"))
    for source in (one, other):
        source.gate.clear()
    async with opened(tmp_path, one, other) as runs:
        first, second = await begin(runs), await begin(runs, "Give me the profile of Datadog")
        for source in (one, other):
            await source.until_asked()
            await source.until_asked()  # both runs are in `collect` at the same time
            source.gate.set()
        subjects = [(await end_of(runs, r)).brief for r in (first, second)]
        assert [b.subject for b in subjects if b] == ["Snowflake", "Datadog"]


async def test_a_thread_has_one_active_run_at_a_time(tmp_path: Path) -> None:
    web = fake(answer=whole_profile())
    web.gate.clear()
    async with opened(tmp_path, web) as runs:
        run = await begin(runs)
        with pytest.raises(ThreadBusy, match=run.id):
            await begin(runs, thread=run.thread_id)
        web.gate.set()
        await end_of(runs, run)
        assert (await ask(runs, thread=run.thread_id)).status is RunStatus.SUCCESS


async def test_of_many_questions_at_once_on_one_thread_one_is_taken(tmp_path: Path) -> None:
    web = fake(answer=whole_profile())
    web.gate.clear()
    async with opened(tmp_path, web) as runs:
        thread = await runs.create_thread()
        tried = await asyncio.gather(*(begin(runs, thread=thread.id) for _ in range(8)), return_exceptions=True)
        taken = [t for t in tried if isinstance(t, Run)]
        assert len(taken) == 1
        assert sum(isinstance(t, ThreadBusy) for t in tried) == 7
        web.gate.set()
        await end_of(runs, taken[0])


async def test_more_runs_than_there_are_places_wait_for_their_turn(tmp_path: Path) -> None:
    web = fake(answer=whole_profile())
    web.gate.clear()
    async with opened(tmp_path, web, max_runs=1) as runs:
        first = await begin(runs)
        await web.until_asked()
        second = await begin(runs)
        assert (await runs.services.runs.run(second.id)).status is RunStatus.PENDING
        web.gate.set()
        assert [(await end_of(runs, r)).status for r in (first, second)] == [RunStatus.SUCCESS] * 2


async def test_a_thread_that_is_not_there_gets_no_run(tmp_path: Path) -> None:
    async with opened(tmp_path) as runs:
        with pytest.raises(UnknownThread):
            await runs.start("nowhere", {"message": ASK})
        assert await runs.services.runs.list_runs() == []


# --- death and resume ------------------------------------------------------------------------------------------------


async def test_a_run_whose_process_died_while_collecting_goes_on_and_fetches_nothing_twice(tmp_path: Path) -> None:
    quick, slow = sources_pair()
    slow.gate.clear()
    first = await living(tmp_path, quick, slow)
    run = await begin(first)
    await quick.until_asked()
    await slow.until_asked()
    await settled(first.services, run, 1)
    await crash(first)
    slow.gate.set()
    async with opened(tmp_path, quick, slow) as runs:
        ended = await end_of(runs, run)
        assert (quick.calls, slow.calls) == (1, 1)
        assert ended.status is RunStatus.SUCCESS
        assert ended.attempt == 2
        assert ended.brief is not None
        assert (ended.brief.costs.spent, ended.brief.costs.unknown) == (2 * PAID, PAID)
        assert [f.text for f in ended.brief.findings] == ["Snowflake was founded in 2012."]
        told = await events(runs.services, run)
        resumed = [e for e in told if e["type"] == "run_resumed"]
        assert len(resumed) == 1
        assert resumed[0]["data"]["attempt"] == 2
        assert len(resumed[0]["data"]["unknown_calls"]) == 1
        after = told[told.index(resumed[0]) + 1 :]
        assert {e["attempt"] for e in after} == {2}
        lost = [e for e in after if e["type"] == "source_finished" and e["data"]["source"] == "slow"]
        assert [e["data"]["billed_unknown"] for e in lost] == [True]


async def settled(services: Services, run: Run, count: int) -> None:
    """Until so many of a run's calls have ended."""
    async with asyncio.timeout(PATIENCE):
        while (await services.ledger.run_money(run.id)).spent < count * PRICE:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_a_source_whose_repeats_are_free_is_asked_again_after_a_death_and_paid_once(tmp_path: Path) -> None:
    web = fake(price=PRICE, answer=whole_profile(PRICE), repeats_free=timedelta(hours=1))
    web.gate.clear()
    first = await living(tmp_path, web)
    run = await begin(first)
    await web.until_asked()
    await crash(first)
    web.gate.set()
    async with opened(tmp_path, web) as runs:
        ended = await end_of(runs, run)
        assert ended.stop_reason is StopReason.ANSWERED
        assert ended.brief is not None
        assert (ended.brief.costs.spent, ended.brief.costs.unknown) == (PAID, Decimal(0))
        assert web.calls == 2
        resumed = [e for e in await events(runs.services, run) if e["type"] == "run_resumed"]
        assert resumed[0]["data"]["unknown_calls"] == []


async def test_a_run_that_dies_again_and_again_still_ends_and_spends_within_its_budget(tmp_path: Path) -> None:
    web = fake(price=PRICE, answer=whole_profile(PRICE), repeats_free=timedelta(hours=1))
    web.gate.clear()
    process = await living(tmp_path, web)
    run = await begin(process)
    for _ in range(4):
        await web.until_asked()
        await crash(process)
        process = await living(tmp_path, web)
    web.gate.set()
    ended = await end_of(process, run)
    assert (ended.attempt, ended.stop_reason) == (5, StopReason.ANSWERED)
    assert (await process.services.ledger.run_money(run.id)).spent == PRICE
    assert (await types(process.services, run)).count("run_resumed") == 4
    await crash(process)


async def test_a_run_that_was_only_accepted_when_its_process_died_is_run_by_the_next(tmp_path: Path) -> None:
    web = fake(answer=whole_profile())
    web.gate.clear()
    first = await living(tmp_path, web, max_runs=1)
    await begin(first)
    await web.until_asked()
    waiting = await begin(first)
    await crash(first)
    web.gate.set()
    async with opened(tmp_path, web) as runs:
        ended = await end_of(runs, waiting)
        assert (ended.status, ended.attempt) == (RunStatus.SUCCESS, 1)
        assert "run_resumed" not in await types(runs.services, waiting)


async def test_a_living_process_is_not_robbed_of_its_runs(tmp_path: Path) -> None:
    web = fake(answer=whole_profile())
    web.gate.clear()
    async with opened(tmp_path, web) as one, opened(tmp_path, web) as other:
        run = await begin(one)
        await web.until_asked()
        assert await other.take_up() == []
        assert await one.take_up() == []
        web.gate.set()
        assert (await end_of(one, run)).attempt == 1
        assert web.calls == 1


async def test_of_two_processes_that_start_after_a_death_one_takes_the_run(tmp_path: Path) -> None:
    web = fake(price=PRICE, answer=whole_profile(PRICE), repeats_free=timedelta(hours=1))
    web.gate.clear()
    dead = await living(tmp_path, web)
    run = await begin(dead)
    await web.until_asked()
    await crash(dead)
    web.gate.set()
    async with opened(tmp_path, web) as one, opened(tmp_path, web) as other:
        ended = [await end_of(runs, run) for runs in (one, other)]
        assert [r.attempt for r in ended] == [2, 2]
        assert (await types(one.services, run)).count("run_finished") == 1
        assert web.calls == 2


# --- cancelling, deadlines, draining ---------------------------------------------------------------------------------


@pytest.mark.parametrize("from_elsewhere", [False, True])
async def test_a_cancelled_run_ends_soon_with_what_it_has(from_elsewhere: bool, tmp_path: Path) -> None:
    quick, slow = sources_pair()
    slow.gate.clear()
    async with opened(tmp_path, quick, slow) as runs, opened(tmp_path, quick, slow) as elsewhere:
        run = await begin(runs)
        await slow.until_asked()
        await settled(runs.services, run, 1)
        await (elsewhere if from_elsewhere else runs).cancel(run.id)
        ended = await end_of(runs, run)  # the gate never opens
        assert (ended.status, ended.stop_reason) == (RunStatus.INTERRUPTED, StopReason.CANCELLED)
        assert ended.brief is not None
        assert [f.text for f in ended.brief.findings] == ["Snowflake was founded in 2012."]
        assert (ended.brief.costs.spent, ended.brief.costs.unknown) == (2 * PAID, PAID)
        with pytest.raises(RunAlreadyEnded):
            await elsewhere.cancel(run.id)


async def test_a_run_cancelled_before_its_turn_makes_no_call(tmp_path: Path) -> None:
    web = fake(price=PRICE, answer=whole_profile(PRICE))
    web.gate.clear()
    async with opened(tmp_path, web, max_runs=1) as runs:
        first = await begin(runs)
        await web.until_asked()
        second = await begin(runs, "Give me the profile of Datadog")
        await runs.cancel(second.id)
        web.gate.set()
        await end_of(runs, first)
        ended = await end_of(runs, second)
        assert (ended.status, ended.stop_reason) == (RunStatus.INTERRUPTED, StopReason.CANCELLED)
        assert web.calls == 1


async def test_a_run_cancelled_while_its_process_was_dead_is_not_researched_further(tmp_path: Path) -> None:
    quick, slow = sources_pair()
    slow.gate.clear()
    first = await living(tmp_path, quick, slow)
    run = await begin(first)
    await slow.until_asked()
    await settled(first.services, run, 1)
    await first.services.runs.request_cancel(run.id)
    await crash(first)
    async with opened(tmp_path, quick, slow) as runs:
        ended = await end_of(runs, run)
        assert (ended.status, ended.stop_reason) == (RunStatus.INTERRUPTED, StopReason.CANCELLED)
        assert (quick.calls, slow.calls) == (1, 1)


async def test_a_run_out_of_time_ends_as_timeout_with_what_it_has(tmp_path: Path) -> None:
    web, clock = fake(price=PRICE), Clock()
    web.then = lambda: clock.advance(30)
    async with opened(tmp_path, web, clock=clock, max_rounds=5) as runs:
        run = await ask(runs, deadline=30)
        assert (run.status, run.stop_reason) == (RunStatus.TIMEOUT, StopReason.DEADLINE)
        assert run.brief is not None
        assert [f.text for f in run.brief.findings] == ["Snowflake was founded in 2012."]
        assert (await types(runs.services, run))[-1] == "run_finished"


async def test_a_deadline_of_a_moment_still_gives_a_brief_and_buys_nothing(tmp_path: Path) -> None:
    web, clock = fake(price=PRICE), Clock()
    async with opened(tmp_path, web, clock=clock) as runs:
        search = runs.services.documents.get_evidence

        async def late(ids: list[str]) -> object:  # the moment passes before the plan is made
            clock.advance(1)
            return await search(ids)

        runs.services.documents.get_evidence = late  # type: ignore[method-assign, assignment]
        run = await ask(runs, deadline=0.001)
        assert (run.status, run.stop_reason) == (RunStatus.TIMEOUT, StopReason.DEADLINE)
        assert run.brief is not None
        assert run.brief.findings == ()
        assert web.calls == 0


async def test_the_deadline_counts_from_the_first_start_also_after_a_death(tmp_path: Path) -> None:
    web, clock = fake(price=PRICE, repeats_free=timedelta(hours=1)), Clock()
    web.gate.clear()
    first = await living(tmp_path, web, clock=clock)
    run = await begin(first, deadline=60)
    await web.until_asked()
    await crash(first)
    clock.advance(61)
    async with opened(tmp_path, web, clock=clock) as runs:
        ended = await end_of(runs, run)  # the gate never opens
        assert (ended.status, ended.stop_reason) == (RunStatus.TIMEOUT, StopReason.DEADLINE)
        assert web.calls == 1
        assert ended.brief is not None
        assert (ended.brief.costs.spent, ended.brief.costs.unknown) == (PAID, PAID)


async def test_draining_lets_the_rooms_finish_and_leaves_the_rest_to_the_next_start(tmp_path: Path) -> None:
    web = fake(price=PRICE, answer=whole_profile(PRICE))
    web.gate.clear()
    async with opened(tmp_path, web) as first:
        run = await begin(first)
        await web.until_asked()
        draining = asyncio.create_task(first.drain(PATIENCE))
        await until(lambda: first._draining)
        with pytest.raises(ShuttingDown):
            await begin(first)
        web.gate.set()
        await draining
        kept = await first.services.runs.run(run.id)
        assert kept.status is RunStatus.RUNNING
        assert (await types(first.services, run))[-1] == "budget_updated"  # `collect` was finished
    async with opened(tmp_path, web) as runs:
        ended = await end_of(runs, run)
        assert (ended.stop_reason, ended.attempt, web.calls) == (StopReason.ANSWERED, 2, 1)
        assert ended.brief is not None
        assert (ended.brief.costs.spent, ended.brief.costs.unknown) == (PAID, Decimal(0))


async def test_a_drain_that_cannot_wait_leaves_the_call_as_unknown(tmp_path: Path) -> None:
    web = fake(price=PRICE, answer=whole_profile(PRICE))
    web.gate.clear()
    async with opened(tmp_path, web, drain_deadline=0) as first:
        run = await begin(first)
        await web.until_asked()
    async with opened(tmp_path, web) as runs:
        ended = await end_of(runs, run)  # the gate never opens
        assert ended.status is RunStatus.SUCCESS
        assert (ended.stop_reason, web.calls) == (StopReason.SOURCES_DOWN, 1)


# --- honest ends -----------------------------------------------------------------------------------------------------


async def test_when_all_sources_fail_the_run_says_so_and_invents_nothing(tmp_path: Path) -> None:
    down = [fake(f"s{n}", answer=SourceError(FailureKind.UNREACHABLE, "No route.")) for n in range(3)]
    async with opened(tmp_path, *down) as runs:
        run = await ask(runs, vendor="Monte Carlo: data observability")
        assert (run.status, run.stop_reason) == (RunStatus.SUCCESS, StopReason.SOURCES_DOWN)
        assert run.brief is not None
        assert (run.brief.findings, run.brief.recommendations, run.brief.citations) == ((), (), ())
        assert run.brief.confidence == 0.0
        assert "profile" in run.brief.gaps
        assert [s.calls for s in down] == [1, 1, 1]


async def test_sources_that_look_and_find_nothing_are_not_called_down(tmp_path: Path) -> None:
    empty = fake("empty", answer=SourceReply())
    down = fake("down", answer=SourceError(FailureKind.UNREACHABLE, "No route."))
    async with opened(tmp_path, empty, down) as runs:
        run = await ask(runs)
        assert run.stop_reason is StopReason.NOTHING_FOUND
        assert run.brief is not None
        assert run.brief.findings == ()


async def test_documents_about_another_company_are_not_findings(tmp_path: Path) -> None:
    web = fake(answer=SourceReply(documents=(page("Datadog was founded in 2010.", about="Datadog"),)))
    async with opened(tmp_path, web) as runs:
        run = await ask(runs)
        assert run.stop_reason is StopReason.NOTHING_FOUND


async def test_without_money_nothing_paid_is_asked_and_the_free_sources_answer(tmp_path: Path) -> None:
    paid, free = fake("paid", price=PRICE), fake("free", answer=whole_profile())
    async with opened(tmp_path, paid, free) as runs:
        run = await ask(runs, max_cost=0)
        assert (run.stop_reason, paid.calls, free.calls) == (StopReason.ANSWERED, 0, 1)
        skipped = [e["data"] for e in await events(runs.services, run) if e["type"] == "source_skipped"]
        assert [(s["source"], s["reason"]) for s in skipped] == [("paid", "over_budget")]


async def test_without_money_and_free_sources_the_budget_is_named_as_the_reason(tmp_path: Path) -> None:
    paid = fake("paid", price=PRICE)
    async with opened(tmp_path, paid) as runs:
        run = await ask(runs, max_cost=0)
        assert (run.status, run.stop_reason, paid.calls) == (RunStatus.SUCCESS, StopReason.BUDGET_EXHAUSTED, 0)
        assert run.brief is not None
        assert (run.brief.findings, run.brief.costs.spent) == ((), Decimal(0))


async def test_without_a_company_in_the_question_no_source_is_asked_and_the_brief_says_why(tmp_path: Path) -> None:
    web = fake()
    async with opened(tmp_path, web) as runs:
        run = await ask(runs, "What is the weather like today?")
        assert (run.status, run.stop_reason, web.calls) == (RunStatus.SUCCESS, StopReason.NO_SUBJECT, 0)
        assert run.brief is not None
        assert (run.brief.subject, run.brief.findings) == ("", ())


async def test_a_fault_of_ours_ends_the_run_as_an_error_that_shows_nothing_inside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path, fake()) as runs:

        async def broken(ids: list[str]) -> object:
            raise RuntimeError("hunter2")

        runs.services.documents.get_evidence = broken  # type: ignore[method-assign, assignment]
        run = await ask(runs)
        assert (run.status, run.stop_reason, run.brief) == (RunStatus.ERROR, StopReason.ERROR, None)
        last = (await events(runs.services, run))[-1]
        assert last["data"]["error"]["code"] == "internal_error"
        assert "hunter2" not in json.dumps(await events(runs.services, run))
        assert "hunter2" in caplog.text


async def test_ten_rounds_stay_within_the_recursion_limit(tmp_path: Path) -> None:
    # Each round one more search fits: the first ones cost less than they might have.
    free = fake("free", answer=SourceReply(), latency=0.0)
    paid = [fake(f"paid{n}", price=PRICE, answer=SourceReply(billed=100), latency=0.0) for n in range(12)]
    async with opened(tmp_path, free, *paid, max_rounds=10) as runs:
        run = await ask(runs, max_cost=0.0165)
        rounds = [e["data"]["round"] for e in await events(runs.services, run) if e["type"] == "research_plan_created"]
        assert rounds == list(range(1, 11))
        assert run.status is RunStatus.SUCCESS
        assert sum(p.calls for p in paid) == 10


# --- follow-ups ------------------------------------------------------------------------------------------------------


async def test_a_follow_up_uses_what_the_thread_knows_and_asks_nothing_new(tmp_path: Path) -> None:
    web = fake(price=PRICE, answer=whole_profile(PRICE))
    async with opened(tmp_path, web) as runs:
        first = await ask(runs)
        second = await ask(runs, "Where is it headquartered?", thread=first.thread_id)
        assert second.brief is not None
        assert second.brief.subject == "Snowflake"
        assert second.stop_reason is StopReason.ANSWERED
        assert any("Bozeman" in f.text for f in second.brief.findings)
        assert (web.calls, second.brief.costs.spent) == (1, Decimal(0))


async def test_a_question_about_another_company_takes_nothing_over(tmp_path: Path) -> None:
    web = fake(script=[whole_profile()], answer=SourceReply())
    async with opened(tmp_path, web) as runs:
        first = await ask(runs)
        second = await ask(runs, "Give me the profile of Datadog", thread=first.thread_id)
        assert second.brief is not None
        assert (second.brief.subject, second.brief.findings) == ("Datadog", ())
        assert second.stop_reason is StopReason.NOTHING_FOUND


async def test_how_the_last_run_went_says_nothing_of_this_one(tmp_path: Path) -> None:
    web = fake(script=[whole_profile()], answer=SourceError(FailureKind.UNREACHABLE, "No route."))
    async with opened(tmp_path, web) as runs:
        first = await ask(runs)
        second = await ask(runs, "Give me the profile of Datadog", thread=first.thread_id)
        assert second.stop_reason is StopReason.SOURCES_DOWN


async def test_what_has_gone_stale_is_asked_again(tmp_path: Path) -> None:
    clock = Clock()
    web = fake(price=PRICE, script=[whole_profile(PRICE)], answer=SourceReply(billed=PRICE))
    async with opened(tmp_path, web, clock=clock) as runs:
        first = await ask(runs)
        clock.advance(731 * 86_400)  # past the half-life of a profile, which is quick_chat's floor
        await ask(runs, thread=first.thread_id)
        assert web.calls == 2


async def test_old_checkpoints_are_pruned_and_the_thread_still_answers(tmp_path: Path) -> None:
    web = fake(price=PRICE, answer=whole_profile(PRICE))
    async with opened(tmp_path, web, keep_checkpoints=2) as runs:
        first = await ask(runs)
        for _ in range(2):
            await ask(runs, "Where is it headquartered?", thread=first.thread_id)
        for table in ("checkpoints", "writes"):
            rows = await runs.saver.conn.execute_fetchall(f"select distinct checkpoint_id from {table}")
            assert len(list(rows)) <= 2
        last = await ask(runs, "Where is it headquartered?", thread=first.thread_id)
        assert last.stop_reason is StopReason.ANSWERED
        assert web.calls == 1


# --- a full disk -----------------------------------------------------------------------------------------------------


def limit(database: Database, pages: int) -> None:
    """Let the file grow to so many pages, or stay as it is."""
    database.write_now(lambda t: None)  # opens the writer's connection
    database._writer.submit(lambda: database._mine().conn.execute(f"pragma max_page_count = {pages}")).result()


PLENTY = 2**30
LONG = page("Nothing here speaks of it. " * 8_000, about="Datadog")  # more than the free space within any page


@pytest.mark.parametrize("file", ["events", "ledger", "documents"])
async def test_a_run_waits_out_a_full_disk_and_loses_nothing(file: str, tmp_path: Path) -> None:
    answer = SourceReply(documents=(*whole_profile().documents, LONG), billed=PRICE)
    web = fake(price=PRICE, answer=answer, repeats_free=timedelta(hours=1))
    web.gate.clear()
    async with opened(tmp_path, web) as runs:
        services = runs.services
        database = {"events": services.runs.db, "ledger": services.ledger.db, "documents": services.documents.database}[
            file
        ]
        run = await begin(runs)
        await web.until_asked()
        await services.log.flush()
        task = runs._tasks[run.id]
        limit(database, 1)
        web.gate.set()
        await asyncio.wait({task})
        assert (await services.runs.run(run.id)).status is RunStatus.RUNNING
        limit(database, PLENTY)
        ended = await end_of(runs, run)
        assert (ended.status, ended.stop_reason) == (RunStatus.SUCCESS, StopReason.ANSWERED)
        assert ended.brief is not None
        assert ended.brief.costs.spent == PAID
        told = await types(services, run)
        assert (told.count("source_finished"), told[-1]) == (1, "run_finished")


async def test_a_run_waits_out_a_full_disk_under_its_checkpoints_too(tmp_path: Path) -> None:
    web = fake(price=PRICE, answer=whole_profile(PRICE))
    web.gate.clear()
    async with opened(tmp_path, web) as runs:
        run = await begin(runs)
        await web.until_asked()
        task = runs._tasks[run.id]
        await runs.saver.conn.execute("pragma max_page_count = 1")
        web.gate.set()
        await asyncio.wait({task})
        assert (await runs.services.runs.run(run.id)).status is RunStatus.RUNNING
        await runs.saver.conn.execute(f"pragma max_page_count = {PLENTY}")
        ended = await end_of(runs, run)
        assert (ended.status, ended.stop_reason, web.calls) == (RunStatus.SUCCESS, StopReason.ANSWERED, 1)


async def test_the_time_of_every_event_is_the_houses_clock(tmp_path: Path) -> None:
    async with opened(tmp_path, fake(answer=whole_profile())) as runs:
        run = await ask(runs)
        assert {e["timestamp"] for e in await events(runs.services, run)} == {NOW.isoformat().replace("+00:00", "Z")}
