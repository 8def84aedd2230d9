"""The door that holds the money, over real ledger files: nothing is bought twice, and every end of a call is accounted for."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from agent.budget import CallState
from agent.calls import FAILURE_TTL, buy, cache_key, close_open_calls, model_door, open_budgets, remaining
from agent.errors import BudgetExhausted, ModelMalformed, ModelOutcomeUnknown, ModelUnavailable, StoreFull
from agent.models.base import Door, ModelReply
from agent.records import CallStatus
from agent.scope import Scope
from agent.services import Services
from tests.house import DAY, NOW, Clock, Fake, FindArgs, budgets, call, die, fake, house, open_house, page, scope, until
from tools.base import FailureKind, SourceDocument, SourceError, SourceReply

PRICE = 15_000


async def spent(services: Services, budget_id: str = "run:r") -> tuple[int, int]:
    """What a budget has spent and holds."""
    budget = await services.ledger.budget(budget_id)
    return budget.spent, budget.reserved


# --- paid once -------------------------------------------------------------------------------------------------------


async def test_a_call_bought_again_under_its_id_gives_the_stored_reply_and_is_paid_once(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    async with house(tmp_path, web) as services:
        money = await budgets(services)
        first = await buy(services, scope(), call(), money)
        again = await buy(services, scope(), call(), money)
        assert (first.status, first.cost) == (CallStatus.OK, PRICE)
        assert again.reply == first.reply
        assert web.calls == 1
        assert await spent(services) == (PRICE, 0)


async def test_a_call_bought_twice_at_once_in_one_process_is_made_once(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    web.gate.clear()
    async with house(tmp_path, web) as services:
        money = await budgets(services)
        both = [asyncio.create_task(buy(services, scope(), call(), money)) for _ in range(2)]
        await web.until_asked()
        assert await spent(services) == (0, PRICE)
        web.gate.set()
        first, second = await asyncio.gather(*both)
        assert first.reply == second.reply
        assert web.calls == 1
        assert await spent(services) == (PRICE, 0)


async def test_the_same_question_of_two_calls_at_once_is_asked_once_and_the_second_pays_nothing(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    web.gate.clear()
    async with house(tmp_path, web) as services:
        money = await budgets(services)
        first = asyncio.create_task(buy(services, scope(), call(id="c1"), money))
        await web.until_asked()
        second = asyncio.create_task(buy(services, scope(), call(id="c2"), money))
        await until_waiting(services)
        web.gate.set()
        assert (await first).cost == PRICE
        assert ((await second).cost, (await second).cached, (await second).saved) == (0, True, PRICE)
        assert (await second).reply == (await first).reply
        assert web.calls == 1


async def test_a_call_under_way_in_another_process_is_waited_for_and_costs_the_second_nothing(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    web.gate.clear()
    async with house(tmp_path, web) as one, house(tmp_path, web) as other:
        assert one.owner.token != other.owner.token
        first = asyncio.create_task(buy(one, scope("r"), call(id="c1"), await budgets(one)))
        await web.until_asked()
        second = asyncio.create_task(buy(other, scope("s"), call(id="c2"), await budgets(other, run_id="s")))
        looked = count_reads_of_calls(other)
        async with asyncio.timeout(30):
            await looked.wait()
        assert not second.done()
        web.gate.set()
        assert (await second).reply == (await first).reply
        assert ((await second).cost, (await second).cached, (await second).saved) == (0, True, PRICE)
        assert web.calls == 1
        assert await spent(other, "run:s") == (0, 0)


def count_reads_of_calls(services: Services) -> asyncio.Event:
    """Set once these services have looked at a call of somebody else that is still under way."""
    seen, call_of = asyncio.Event(), services.ledger.call

    async def watched(call_id: str) -> object:
        row = await call_of(call_id)
        if row is not None and row.state is CallState.RESERVED and row.owner != services.owner.token:
            seen.set()
        return row

    services.ledger.call = watched  # type: ignore[method-assign, assignment]
    return seen


async def until_waiting(services: Services) -> None:
    """Until somebody waits for a call of this process that is under way."""
    await until(lambda: any(event._waiters for event in services.flights.values()))


# --- the cache -------------------------------------------------------------------------------------------------------


async def test_the_same_arguments_under_another_id_are_served_from_the_cache_and_count_as_saved(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    async with house(tmp_path, web) as services:
        money = await budgets(services)
        first = await buy(services, scope(), call(id="c1"), money)
        second = await buy(services, scope(), call(id="c2"), money)
        assert (second.status, second.cost, second.cached, second.saved) == (CallStatus.OK, 0, True, PRICE)
        assert second.reply == first.reply
        assert second.retrieved_at == NOW
        totals = await services.ledger.run_money("r")
        assert (totals.total_new_cost, totals.total_cache_savings, totals.cache_hits) == (PRICE, PRICE, 1)
        assert totals.new_api_calls == 1


async def test_letter_case_and_white_space_do_not_make_another_call(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    async with house(tmp_path, web) as services:
        money = await budgets(services)
        await buy(services, scope(), call(id="c1", query="Snowflake  Inc"), money)
        assert (await buy(services, scope(), call(id="c2", query="snowflake inc"), money)).cached
        assert not (await buy(services, scope(), call(id="c3", query="snowflake ltd"), money)).cached


async def test_a_stored_reply_is_judged_by_its_age_when_it_is_read(tmp_path: Path) -> None:
    web, clock = fake(price=PRICE), Clock()
    async with house(tmp_path, web, clock=clock) as services:
        money = await budgets(services)
        await buy(services, scope(), call(id="c1", max_age=60), money)
        clock.advance(3_600)
        patient = await buy(services, scope(), call(id="c2", max_age=3_600), money)
        hasty = await buy(services, scope(), call(id="c3", max_age=3_599), money)
        assert (patient.cached, hasty.cached) == (True, False)
        assert web.calls == 2
        assert patient.retrieved_at == NOW


async def test_a_new_schema_version_leaves_old_replies_alone(tmp_path: Path) -> None:
    web, newer = fake(price=PRICE), fake(price=PRICE)
    type(newer).schema_version = 2
    args = FindArgs(query="Snowflake")
    async with house(tmp_path, web) as services:
        old = await cache_key(services.sources["web"], args)
    async with house(tmp_path, newer) as services:
        assert await cache_key(services.sources["web"], args) != old


async def test_finding_nothing_is_an_answer_that_is_paid_stored_and_not_bought_again(tmp_path: Path) -> None:
    web = fake(price=PRICE, answer=SourceReply(billed=PRICE))
    async with house(tmp_path, web) as services:
        money = await budgets(services)
        first = await buy(services, scope(), call(id="c1"), money)
        second = await buy(services, scope(), call(id="c2"), money)
        assert (first.status, first.failure, first.cost) == (CallStatus.NO_RESULTS, None, PRICE)
        assert (second.status, second.cached) == (CallStatus.NO_RESULTS, True)
        assert web.calls == 1


# --- failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(FailureKind))
@pytest.mark.parametrize(
    ("billed", "state", "cost"),
    [(0, CallState.RELEASED, 0), (4_000, CallState.SETTLED, 4_000), (None, CallState.UNKNOWN, PRICE)],
)
async def test_a_failure_costs_what_the_source_says_and_the_whole_hold_when_nobody_knows(
    kind: FailureKind, billed: int | None, state: CallState, cost: int, tmp_path: Path
) -> None:
    web = fake(price=PRICE, answer=SourceError(kind, "It went wrong.", billed=billed))
    async with house(tmp_path, web) as services:
        money = await budgets(services)
        bought = await buy(services, scope(), call(), money)
        row = await services.ledger.call("c1")
        assert row is not None
        assert (row.state, row.cost) == (state, cost)
        assert bought.status is (CallStatus.UNKNOWN if billed is None else CallStatus.FAILED)
        assert (bought.failure, bought.message, bought.cost) == (kind, "It went wrong.", cost)
        assert await spent(services) == (cost, 0)
        assert (await services.ledger.run_money("r")).unknown == (cost if billed is None else 0)


async def test_a_free_call_that_nobody_heard_the_end_of_is_released(tmp_path: Path) -> None:
    web = fake(price=0, answer=SourceError(FailureKind.TIMEOUT, "No answer.", billed=None))
    async with house(tmp_path, web) as services:
        bought = await buy(services, scope(), call(), await budgets(services))
        assert (bought.status, bought.cost) == (CallStatus.FAILED, 0)


@pytest.mark.parametrize("kind", list(FailureKind))
async def test_a_failure_is_remembered_for_as_long_as_its_kind_says_and_no_longer(
    kind: FailureKind, tmp_path: Path
) -> None:
    clock = Clock()
    web = fake(script=[SourceError(kind, "It went wrong.")])
    async with house(tmp_path, web, clock=clock) as services:
        money = await budgets(services)
        await buy(services, scope(), call(id="c1"), money)
        keep = FAILURE_TTL.get(kind)
        if keep is not None:
            clock.advance(keep - 1)
            soon = await buy(services, scope(), call(id="c2"), money)
            assert (soon.failure, soon.cached, soon.saved, web.calls) == (kind, True, 0, 1)
            clock.advance(2)
        later = await buy(services, scope(), call(id="c3"), money)
        assert (later.status, web.calls) == (CallStatus.OK, 2)


async def test_a_source_that_asks_for_a_longer_pause_gets_it_but_not_for_ever(tmp_path: Path) -> None:
    clock = Clock()
    told = [SourceError(FailureKind.RATE_LIMITED, "Slow down.", retry_after=s) for s in (600.0, 1e9)]
    web = fake(script=told)
    async with house(tmp_path, web, clock=clock) as services:
        money = await budgets(services)
        for n, pause in enumerate((600, 3_600)):
            await buy(services, scope(), call(id=f"a{n}"), money)
            clock.advance(pause - 1)
            assert (await buy(services, scope(), call(id=f"b{n}"), money)).failure is FailureKind.RATE_LIMITED
            assert web.calls == n + 1
            clock.advance(2)
        assert (await buy(services, scope(), call(id="c"), money)).status is CallStatus.OK


async def test_a_remembered_failure_is_not_taken_for_a_stored_reply_when_planning(tmp_path: Path) -> None:
    web = fake(answer=SourceError(FailureKind.NOT_FOUND, "No such page."))
    async with house(tmp_path, web) as services:
        await buy(services, scope(), call(), await budgets(services))
        key = await cache_key(services.sources["web"], FindArgs(query="Snowflake"))
        assert not await services.ledger.peek(key, DAY, NOW)


async def test_a_fault_in_a_sources_own_code_becomes_a_typed_failure_that_tells_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    web = fake(price=PRICE, answer=RuntimeError("hunter2 at /home/me/secret.py"))
    async with house(tmp_path, web) as services:
        with caplog.at_level(logging.ERROR):
            bought = await buy(services, scope(), call(), await budgets(services))
        assert (bought.status, bought.failure) == (CallStatus.UNKNOWN, FailureKind.INTERNAL)
        assert "hunter2" not in repr(bought)
        row = await services.ledger.call("c1")
        assert row is not None
        assert "hunter2" not in repr(row)
        assert "hunter2" in caplog.text  # the operator needs it
        assert services.flights == {}
        assert await spent(services) == (PRICE, 0)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(SourceReply(documents=(page("Half a smile \ud83d here."),), billed=PRICE), id="half a character"),
        pytest.param(SourceReply(billed=-5), id="a negative price"),
    ],
)
async def test_no_reply_however_odd_leaves_a_call_without_an_end(reply: SourceReply, tmp_path: Path) -> None:
    web = fake(price=PRICE, answer=reply)
    async with house(tmp_path, web) as services:
        bought = await buy(services, scope(), call(), await budgets(services))
        assert bought.status in (CallStatus.OK, CallStatus.NO_RESULTS)
        assert await services.ledger.open_calls("r") == []
        assert (await spent(services))[1] == 0


async def test_text_with_half_a_character_keeps_its_length_so_that_quotes_stay_in_place(tmp_path: Path) -> None:
    text = "Half a smile \ud83d and Snowflake was founded in 2012."
    web = fake(price=PRICE, answer=SourceReply(documents=(page(text),)))
    async with house(tmp_path, web) as services:
        bought = await buy(services, scope(), call(), await budgets(services))
        stored = bought.reply.documents[0]
        assert len(stored.text) == len(text)
        assert stored.text.endswith("Snowflake was founded in 2012.")
        assert stored.fields[0].quote in stored.text


async def test_a_failure_told_in_half_a_character_has_an_end_too(tmp_path: Path) -> None:
    web = fake(price=PRICE, answer=SourceError(FailureKind.MALFORMED, "What is \ud83d?"))
    async with house(tmp_path, web) as services:
        bought = await buy(services, scope(), call(), await budgets(services))
        assert (bought.status, bought.message) == (CallStatus.FAILED, "What is ??")
        assert await spent(services) == (0, 0)


async def test_a_failure_that_names_a_negative_price_costs_nothing(tmp_path: Path) -> None:
    web = fake(price=PRICE, answer=SourceError(FailureKind.QUOTA, "Used up.", billed=-1))
    async with house(tmp_path, web) as services:
        bought = await buy(services, scope(), call(), await budgets(services))
        assert (bought.status, bought.cost) == (CallStatus.FAILED, 0)
        assert await spent(services) == (0, 0)


async def test_a_source_that_charges_more_than_it_stated_is_logged_and_cannot_break_the_budget(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    web = fake(price=PRICE, answer=SourceReply(billed=PRICE * 10))
    async with house(tmp_path, web) as services:
        await buy(services, scope(), call(), await budgets(services, PRICE))
        assert "over the 15000 it stated" in caplog.text
        assert await spent(services) == (PRICE, 0)


# --- calls that are not made -----------------------------------------------------------------------------------------


async def test_a_call_that_the_budget_has_no_room_for_is_refused_and_never_made(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    async with house(tmp_path, web) as services:
        bought = await buy(services, scope(), call(), await budgets(services, PRICE - 1))
        assert bought.status is CallStatus.REFUSED
        assert "$0.0150" in bought.message
        assert web.calls == 0
        assert await services.ledger.call("c1") is None


async def test_a_free_call_is_made_on_an_empty_budget(tmp_path: Path) -> None:
    async with house(tmp_path, fake()) as services:
        assert (await buy(services, scope(), call(), await budgets(services, 0))).status is CallStatus.OK


async def test_what_is_held_is_the_sources_price_whatever_the_plan_says(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    async with house(tmp_path, web) as services:
        bought = await buy(services, scope(), call(max_price=1), await budgets(services, PRICE - 1))
        assert bought.status is CallStatus.REFUSED
        assert web.calls == 0


@pytest.mark.parametrize("name", ["nowhere", "web"])
async def test_a_source_that_is_not_there_or_switched_off_is_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    web = fake()
    web.why_off = "set WEB_KEY"
    async with house(tmp_path, web) as services:
        bought = await buy(services, scope(), call(name), await budgets(services))
        assert bought.status is CallStatus.REFUSED
        assert bought.message == ("set WEB_KEY" if name == "web" else "there is no such source")
        assert web.calls == 0


async def test_arguments_that_do_not_fit_are_a_failure_that_costs_nothing_and_names_the_field(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    async with house(tmp_path, web) as services:
        bought = await buy(services, scope(), call(query=""), await budgets(services))
        assert (bought.status, bought.failure) == (CallStatus.FAILED, FailureKind.INVALID_ARGUMENTS)
        assert bought.message.startswith("query: ")
        assert web.calls == 0
        assert await services.ledger.call("c1") is None


async def test_run_thread_and_day_budgets_bind_together_or_not_at_all(tmp_path: Path) -> None:
    ceilings = {"run": 3, "thread": 2, "day": 1}
    for small in ceilings:
        web = fake(price=PRICE)
        rich = {k: Decimal(1) if k != small else Decimal("0.0149") for k in ceilings}
        async with house(
            tmp_path / small, web, thread_budget=rich["thread"], consumer_daily_budget=rich["day"]
        ) as services:
            consumer = services.catalogue.consumer("quick_chat")
            money = await open_budgets(services, scope(), consumer, int(rich["run"] * 1_000_000), NOW)
            assert money == ("run:r", "thread:t", "day:quick_chat:2026-11-22")
            assert await remaining(services, money) == 14_900
            assert (await buy(services, scope(), call(), money)).status is CallStatus.REFUSED
            assert [await spent(services, b) for b in money] == [(0, 0)] * 3
            assert web.calls == 0


async def test_a_paid_call_counts_in_all_three_budgets(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    async with house(tmp_path, web) as services:
        money = await open_budgets(services, scope(), services.catalogue.consumer("quick_chat"), 50_000, NOW)
        await buy(services, scope(), call(), money)
        assert [await spent(services, b) for b in money] == [(PRICE, 0)] * 3


async def test_calls_side_by_side_never_pass_the_ceiling_and_the_others_are_refused(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    async with house(tmp_path, web) as one, house(tmp_path, web) as other:
        money = await budgets(one, PRICE * 3)
        wanted = [call(id=f"c{n}", query=f"q{n}") for n in range(12)]
        bought = await asyncio.gather(*(buy((one, other)[n % 2], scope(), c, money) for n, c in enumerate(wanted)))
        statuses = [b.status for b in bought]
        assert (statuses.count(CallStatus.OK), statuses.count(CallStatus.REFUSED)) == (3, 9)
        assert web.calls == 3
        assert await spent(one) == (PRICE * 3, 0)


# --- death -----------------------------------------------------------------------------------------------------------


async def left_in_flight(folder: Path, source: Fake, *, call_id: str = "c1", ceiling: int = 100_000) -> Services:
    """A house whose process dies while a call of run `r` is under way. The caller closes it."""
    dead = await open_house(folder, source)
    source.gate.clear()
    task = asyncio.create_task(buy(dead, scope(), call(id=call_id), await budgets(dead, ceiling)))
    await source.until_asked()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    source.gate.set()
    die(dead)
    return dead


async def test_a_call_in_flight_at_a_death_counts_as_spent_and_is_never_made_again(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    dead = await left_in_flight(tmp_path, web)
    async with house(tmp_path, web) as services:
        money = await budgets(services)
        for _ in range(2):
            bought = await buy(services, scope(), call(), money)
            assert (bought.status, bought.failure) == (CallStatus.UNKNOWN, FailureKind.OUTCOME_UNKNOWN)
            assert bought.cost == PRICE
        assert web.calls == 1
        assert await spent(services) == (PRICE, 0)
    await dead.close()


async def test_a_source_whose_repeats_are_free_is_asked_again_under_the_money_already_held(tmp_path: Path) -> None:
    web = fake(price=PRICE, repeats_free=timedelta(hours=1))
    dead = await left_in_flight(tmp_path, web, ceiling=PRICE)
    async with house(tmp_path, web) as services:
        money = await budgets(services, PRICE)
        assert await spent(services) == (0, PRICE)
        bought = await buy(services, scope(), call(), money)
        assert (bought.status, bought.cost) == (CallStatus.OK, PRICE)
        assert web.calls == 2
        assert await spent(services) == (PRICE, 0)
    await dead.close()


async def test_repeats_are_free_for_as_long_as_the_source_says(tmp_path: Path) -> None:
    web, clock = fake(price=PRICE, repeats_free=timedelta(hours=1)), Clock()
    dead = await left_in_flight(tmp_path, web)
    async with house(tmp_path, web, clock=clock) as services:
        clock.advance(3_600)
        assert (await buy(services, scope(), call(), await budgets(services))).status is CallStatus.UNKNOWN
        assert web.calls == 1
    await dead.close()


@pytest.mark.parametrize("end", ["failed for nothing", "deadline", "cancelled"])
async def test_money_of_a_call_lost_in_a_death_is_not_given_back_because_the_repeat_did_not_go_through(
    end: str, tmp_path: Path
) -> None:
    web, clock = fake(price=PRICE, repeats_free=timedelta(hours=1)), Clock()
    dead = await left_in_flight(tmp_path, web)
    web.script = [SourceError(FailureKind.UNREACHABLE, "No route.", billed=0)]
    async with house(tmp_path, web, clock=clock) as services:
        run = scope(seconds=60)
        if end == "deadline":
            clock.advance(61)
        elif end == "cancelled":
            run.cancel()
        bought = await buy(services, run, call(), await budgets(services))
        assert (bought.status, bought.cost) == (CallStatus.UNKNOWN, PRICE)
        assert await spent(services) == (PRICE, 0)
        assert web.calls == (2 if end == "failed for nothing" else 1)
    await dead.close()


@pytest.mark.parametrize("repeats_free", [None, timedelta(hours=1)])
async def test_of_two_that_find_the_same_lost_call_one_takes_it_up_and_both_hear_its_end(
    repeats_free: timedelta | None, tmp_path: Path
) -> None:
    web = fake(price=PRICE, repeats_free=repeats_free)
    dead = await left_in_flight(tmp_path, web)
    async with house(tmp_path, web) as one, house(tmp_path, web) as other:
        money = await budgets(one)
        bought = await asyncio.gather(*(buy(s, scope(), call(), money) for s in (one, one, other, other)))
        expected = CallStatus.UNKNOWN if repeats_free is None else CallStatus.OK
        assert [b.status for b in bought] == [expected] * 4
        assert len({b.reply for b in bought}) == 1
        assert web.calls == (1 if repeats_free is None else 2)
        assert await spent(one) == (PRICE, 0)
    await dead.close()


async def test_another_run_does_not_wait_for_the_dead_and_buys_its_own(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    dead = await left_in_flight(tmp_path, web)
    async with house(tmp_path, web) as services:
        bought = await buy(services, scope("s"), call(id="c2"), await budgets(services, run_id="s"))
        assert (bought.status, bought.cost) == (CallStatus.OK, PRICE)
        assert await spent(services) == (0, PRICE)  # the dead run's money stays held until that run is resumed or ended
    await dead.close()


async def test_a_living_owner_is_waited_for_and_its_call_is_not_taken_over(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    web.gate.clear()
    async with house(tmp_path, web) as one, house(tmp_path, web) as other:
        money = await budgets(one)
        first = asyncio.create_task(buy(one, scope(), call(), money))
        await web.until_asked()
        looked = count_reads_of_calls(other)
        second = asyncio.create_task(buy(other, scope(), call(), money))
        async with asyncio.timeout(30):
            await looked.wait()
        row = await one.ledger.call("c1")
        assert row is not None
        assert row.owner == one.owner.token
        web.gate.set()
        assert (await first).reply == (await second).reply
        assert web.calls == 1


async def test_closing_a_run_ends_what_a_death_left_open_and_nothing_that_lives(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    dead = await left_in_flight(tmp_path, web, call_id="lost")
    web.gate.clear()
    async with house(tmp_path, web) as one, house(tmp_path, web) as other:
        money = await budgets(one)
        mine = asyncio.create_task(buy(one, scope(), call(id="mine", query="one"), money))
        theirs = asyncio.create_task(buy(other, scope(), call(id="theirs", query="two"), money))
        await web.until_asked()
        await web.until_asked()
        assert await close_open_calls(one, "r") == ["lost"]
        assert await spent(one) == (PRICE, 2 * PRICE)
        web.gate.set()
        assert [(await mine).status, (await theirs).status] == [CallStatus.OK] * 2
        assert await close_open_calls(one, "r") == []
    await dead.close()


# --- the end of a run ------------------------------------------------------------------------------------------------


async def test_cancelling_a_run_ends_its_calls_at_once_with_their_money_counted_as_spent(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    web.gate.clear()
    async with house(tmp_path, web) as services:
        money, run = await budgets(services), scope()
        calls = [asyncio.create_task(buy(services, run, call(id=f"c{n}", query=f"q{n}"), money)) for n in range(3)]
        for _ in calls:
            await web.until_asked()
        run.cancel()
        async with asyncio.timeout(10):  # the gate never opens
            ended = await asyncio.gather(*calls)
        assert {(b.status, b.failure) for b in ended} == {(CallStatus.UNKNOWN, FailureKind.OUTCOME_UNKNOWN)}
        assert await spent(services) == (3 * PRICE, 0)
        assert services.flights == {}


async def test_a_cancelled_run_does_not_wait_for_another_runs_call(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    web.gate.clear()
    async with house(tmp_path, web) as services:
        first = asyncio.create_task(buy(services, scope("r"), call(id="c1"), await budgets(services)))
        await web.until_asked()
        run = scope("s")
        second = asyncio.create_task(buy(services, run, call(id="c2"), await budgets(services, run_id="s")))
        await until_waiting(services)
        run.cancel()
        async with asyncio.timeout(10):
            assert (await second).status is CallStatus.REFUSED
        assert not first.done()
        web.gate.set()
        assert (await first).status is CallStatus.OK


async def test_a_cancelled_run_does_not_wait_for_a_call_of_another_process(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    web.gate.clear()
    async with house(tmp_path, web) as one, house(tmp_path, web) as other:
        first = asyncio.create_task(buy(one, scope("r"), call(id="c1"), await budgets(one)))
        await web.until_asked()
        run, looked = scope("s"), count_reads_of_calls(other)
        second = asyncio.create_task(buy(other, run, call(id="c2"), await budgets(other, run_id="s")))
        async with asyncio.timeout(30):
            await looked.wait()
        run.cancel()
        async with asyncio.timeout(10):
            assert (await second).status is CallStatus.REFUSED
        web.gate.set()
        assert (await first).status is CallStatus.OK


async def test_a_cancelled_run_does_not_wait_for_its_turn_either_and_its_money_is_given_back(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    web.gate.clear()
    async with house(tmp_path, web, max_calls=1) as services:
        first = asyncio.create_task(buy(services, scope("r"), call(id="c1"), await budgets(services)))
        await web.until_asked()
        run, money = scope("s"), await budgets(services, run_id="s")
        second = asyncio.create_task(buy(services, run, call(id="c2", query="other"), money))
        await until(lambda: services.slots._waiters)
        assert await spent(services, "run:s") == (0, PRICE)
        run.cancel()
        async with asyncio.timeout(10):
            assert (await second).status is CallStatus.REFUSED
        assert await spent(services, "run:s") == (0, 0)
        web.gate.set()
        assert (await first).status is CallStatus.OK
        third = await buy(services, scope("u"), call(id="c3", query="third"), await budgets(services, run_id="u"))
        assert third.status is CallStatus.OK  # the turn was handed on, not lost


async def test_no_more_calls_are_under_way_than_the_setting_allows(tmp_path: Path) -> None:
    web = fake(price=0)
    web.gate.clear()
    async with house(tmp_path, web, max_calls=2) as services:
        money = await budgets(services)
        calls = [asyncio.create_task(buy(services, scope(), call(id=f"c{n}", query=f"q{n}"), money)) for n in range(5)]
        await web.until_asked()
        await web.until_asked()
        await until(lambda: len(services.slots._waiters or ()) == 3)
        assert web.calls == 2
        web.gate.set()
        assert all(b.status is CallStatus.OK for b in await asyncio.gather(*calls))


async def test_a_call_that_is_still_out_at_the_deadline_is_given_up_as_unknown(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    web.gate.clear()
    async with house(tmp_path, web) as services:
        bought = await buy(services, scope(seconds=0.01), call(), await budgets(services))
        assert (bought.status, bought.failure) == (CallStatus.UNKNOWN, FailureKind.TIMEOUT)
        assert await spent(services) == (PRICE, 0)


async def test_a_source_that_does_not_answer_within_its_own_time_is_given_up(tmp_path: Path) -> None:
    web = fake(price=PRICE, timeout=0.01)
    web.gate.clear()
    async with house(tmp_path, web) as services:
        bought = await buy(services, scope(), call(), await budgets(services))
        assert (bought.status, bought.failure) == (CallStatus.UNKNOWN, FailureKind.TIMEOUT)
        assert "did not answer in time" in bought.message


@pytest.mark.parametrize("over", ["deadline", "cancelled"])
async def test_after_its_end_a_run_makes_no_call_and_holds_no_money(over: str, tmp_path: Path) -> None:
    web, run = fake(price=PRICE), scope(seconds=0 if over == "deadline" else 60)
    if over == "cancelled":
        run.cancel()
    async with house(tmp_path, web) as services:
        bought = await buy(services, run, call(), await budgets(services))
        assert bought.status is CallStatus.REFUSED
        assert web.calls == 0
        assert await spent(services) == (0, 0)


async def test_after_its_end_a_run_still_gets_what_it_has_paid_for(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    async with house(tmp_path, web) as services:
        money, run = await budgets(services), scope()
        first = await buy(services, run, call(), money)
        run.cancel()
        assert (await buy(services, run, call(), money)).reply == first.reply


# --- secrets ---------------------------------------------------------------------------------------------------------

SECRET = 'pla"nted/key 5d1c'


@pytest.mark.parametrize("form", [SECRET, "pla%22nted%2Fkey%205d1c", "pla%22nted%2Fkey+5d1c"])
async def test_a_reply_that_repeats_our_secret_is_stored_without_it(form: str, tmp_path: Path) -> None:
    said = f"Snowflake was founded in 2012. You asked with {form}, friend."
    brought = SourceDocument(
        url=f"https://example.com/?key={form}", title=form, text=said, about="Snowflake", fields=(), published_at=NOW
    )
    web = fake(price=PRICE, answer=SourceReply(documents=(brought,), billed=PRICE, note=form))
    async with house(tmp_path, web, serpapi_api_key=SECRET) as services:
        bought = await buy(services, scope(), call(), await budgets(services))
        assert bought.status is CallStatus.OK
        assert form not in repr(bought)
        assert bought.reply.documents[0].text == said.replace(form, "[secret]")
    stored = (tmp_path / "data" / "ledger.db").read_bytes() + _rest(tmp_path / "data" / "ledger.db-wal")
    assert form.encode() not in stored
    assert json.dumps(form)[1:-1].encode() not in stored


@pytest.mark.parametrize("secret", ["12345", "true", "text", "null", "documents"])
async def test_a_secret_that_looks_like_part_of_the_format_breaks_no_reply(secret: str, tmp_path: Path) -> None:
    web = fake(price=12_345, answer=SourceReply(documents=(page(f"The word is {secret}."),), billed=12_345))
    async with house(tmp_path, web, serpapi_api_key=secret) as services:
        bought = await buy(services, scope(), call(), await budgets(services))
        assert (bought.status, bought.cost) == (CallStatus.OK, 12_345)
        assert bought.reply.documents[0].text == "The word is [secret]."


async def test_a_failure_that_repeats_our_secret_is_stored_without_it(tmp_path: Path) -> None:
    web = fake(answer=SourceError(FailureKind.AUTH, f"The key {SECRET} is wrong; token=abcdefgh"))
    async with house(tmp_path, web, serpapi_api_key=SECRET) as services:
        bought = await buy(services, scope(), call(), await budgets(services))
        assert bought.message == "The key [secret] is wrong; token=[secret]"


def _rest(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


# --- the model's door ------------------------------------------------------------------------------------------------


class Model:
    """A chat model that follows a script and counts."""

    def __init__(self, *answers: ModelReply | BaseException) -> None:
        self.answers = list(answers)
        self.calls = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()

    async def __call__(self) -> ModelReply:
        self.calls += 1
        self.asked.set()
        await self.gate.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


async def door_of(services: Services, run: Scope | None = None, *, ceiling: int = 100_000) -> Door:
    """The write room's door in the first round of run `r`."""
    return model_door(services, run or scope(), "synthesize", 1, await budgets(services, ceiling))


REPLY = ModelReply(text="Hello.", prompt_tokens=10, completion_tokens=5, billed=700)


async def test_a_model_call_is_held_made_and_settled_by_what_it_used(tmp_path: Path) -> None:
    async with house(tmp_path) as services:
        model = Model(REPLY)
        model.gate.clear()
        task = asyncio.ensure_future((await door_of(services))("write", 1_000, model))
        await model.asked.wait()
        assert await spent(services) == (0, 1_000)
        model.gate.set()
        assert await task == REPLY
        assert await spent(services) == (700, 0)
        assert services.flights == {}


async def test_a_room_that_runs_again_gets_the_stored_answer_of_the_model(tmp_path: Path) -> None:
    model = Model(REPLY)
    async with house(tmp_path) as services:
        assert await (await door_of(services))("write", 1_000, model) == REPLY
    async with house(tmp_path) as services:
        assert await (await door_of(services))("write", 1_000, model) == REPLY
        assert model.calls == 1
        assert await spent(services) == (700, 0)


async def test_half_a_character_in_a_models_answer_can_be_stored(tmp_path: Path) -> None:
    async with house(tmp_path) as services:
        reply = await (await door_of(services))("write", 1_000, Model(ModelReply(text="A \ud83d smile", billed=700)))
        assert reply.text == "A ? smile"
        assert await spent(services) == (700, 0)


async def test_another_room_round_or_label_is_another_model_call(tmp_path: Path) -> None:
    model = Model(*[REPLY] * 4)
    async with house(tmp_path) as services:
        money = await budgets(services)
        for node, round, label in (("a", 1, "x"), ("b", 1, "x"), ("a", 2, "x"), ("a", 1, "y")):
            await model_door(services, scope(), node, round, money)(label, 1_000, model)
        assert model.calls == 4


async def test_a_model_call_in_flight_at_a_death_counts_as_spent_and_is_not_made_again(tmp_path: Path) -> None:
    model = Model(REPLY)
    model.gate.clear()
    dead = await open_house(tmp_path)
    task = asyncio.ensure_future((await door_of(dead))("write", 1_000, model))
    await model.asked.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    die(dead)
    model.gate.set()
    async with house(tmp_path) as services:
        door = await door_of(services)
        for _ in range(2):
            with pytest.raises(ModelOutcomeUnknown, match="counts as spent"):
                await door("write", 1_000, model)
        assert model.calls == 1
        assert await spent(services) == (1_000, 0)
    await dead.close()


async def test_a_model_call_without_room_in_the_budget_is_refused_before_it_is_made(tmp_path: Path) -> None:
    model = Model(REPLY)
    async with house(tmp_path) as services:
        with pytest.raises(BudgetExhausted, match="max_cost"):
            await (await door_of(services, ceiling=999))("write", 1_000, model)
        assert model.calls == 0
        assert await spent(services) == (0, 0)


@pytest.mark.parametrize(
    ("failure", "cost"),
    [
        (ModelUnavailable("Down."), 0),
        (ModelMalformed("No JSON.", billed=300), 300),
        (ModelUnavailable("Cut off.", billed=None), 1_000),
    ],
)
async def test_a_models_failure_is_stored_with_its_price_and_raised_again_without_asking(
    failure: ModelUnavailable | ModelMalformed, cost: int, tmp_path: Path
) -> None:
    model = Model(failure)
    async with house(tmp_path) as services:
        door = await door_of(services)
        for _ in range(2):
            with pytest.raises(type(failure), match=failure.message):
                await door("write", 1_000, model)
        assert model.calls == 1
        assert await spent(services) == (cost, 0)


async def test_a_models_failure_that_repeats_our_secret_is_stored_without_it(tmp_path: Path) -> None:
    model = Model(ModelUnavailable("key planted-5d1c-key is wrong"))
    async with house(tmp_path, serpapi_api_key="planted-5d1c-key") as services:
        door = await door_of(services)
        with pytest.raises(ModelUnavailable):
            await door("write", 1_000, model)
        with pytest.raises(ModelUnavailable, match=r"key \[secret\] is wrong"):
            await door("write", 1_000, model)


@pytest.mark.parametrize("over", ["deadline", "cancelled"])
async def test_when_the_time_is_up_no_money_is_held_for_the_model(over: str, tmp_path: Path) -> None:
    model, run = Model(REPLY), scope(seconds=0 if over == "deadline" else 60)
    if over == "cancelled":
        run.cancel()
    async with house(tmp_path) as services:
        with pytest.raises(ModelUnavailable, match="nothing was spent"):
            await (await door_of(services, run))("write", 1_000, model)
        assert model.calls == 0
        assert await services.ledger.open_calls("r") == []
        assert (await services.ledger.run_money("r")).spent == 0


async def test_after_the_runs_end_the_stored_answer_of_the_model_is_still_given(tmp_path: Path) -> None:
    model, run = Model(REPLY), scope()
    async with house(tmp_path) as services:
        door = await door_of(services, run)
        await door("write", 1_000, model)
        run.cancel()
        assert await door("write", 1_000, model) == REPLY


async def test_cancelling_a_run_ends_its_model_call_at_once_with_its_money_counted_as_spent(tmp_path: Path) -> None:
    model, run = Model(REPLY), scope()
    model.gate.clear()
    async with house(tmp_path) as services:
        task = asyncio.ensure_future((await door_of(services, run))("write", 1_000, model))
        await model.asked.wait()
        run.cancel()
        async with asyncio.timeout(10):
            with pytest.raises(ModelUnavailable, match="stopped"):
                await task
        assert await spent(services) == (1_000, 0)


async def test_a_call_whose_settlement_is_refused_by_the_store_stays_in_flight_and_is_not_lost(tmp_path: Path) -> None:
    web = fake(price=PRICE)
    async with house(tmp_path, web) as services:
        money, settle = await budgets(services), services.ledger.settle

        async def full(*args: object, **given: object) -> object:
            raise StoreFull("The disk is full.")

        services.ledger.settle = full  # type: ignore[method-assign, assignment]
        with pytest.raises(StoreFull):
            await buy(services, scope(), call(), money)
        assert await spent(services) == (0, PRICE)
        services.ledger.settle = settle  # type: ignore[method-assign]
        bought = await buy(services, scope(), call(), money)
        assert (bought.status, web.calls) == (CallStatus.UNKNOWN, 1)
        assert await spent(services) == (PRICE, 0)
