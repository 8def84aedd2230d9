"""Experience with sources: what the ledger remembers, and what it makes of the declared priors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.calls import buy
from agent.learning import FAILING, WEIGHT, Seen, learn
from agent.runs import Runs
from agent.store.history import WINDOW
from tests.house import Clock, budgets, call, fake, house, scope
from tools.base import FailureKind, SourceError, SourceReply

PRIOR = {"profile": 0.5, "news": 0.2}


def test_without_experience_the_priors_stand_and_some_failures_are_expected() -> None:
    learned = learn(PRIOR, 2.0, 15_000)
    assert learned.coverage == PRIOR
    assert (learned.failure, learned.seconds, learned.price) == (FAILING, 2.0, 15_000)
    assert learned.chance("profile") == pytest.approx(0.5 * (1 - FAILING))
    assert learned.chance("hiring") == 0.0


def test_ten_calls_weigh_as_much_as_the_prior() -> None:
    seen = Seen(calls=10, failures=0, seconds=40.0, cost=0, datasets={"profile": (10, 10)})
    learned = learn(PRIOR, 2.0, 15_000, seen)
    assert WEIGHT == 10
    assert learned.coverage["profile"] == pytest.approx((0.5 + 1.0) / 2)
    assert learned.coverage["news"] == 0.2, "of what was never tried nothing is learned"
    assert learned.seconds == pytest.approx((2.0 + 4.0) / 2)
    assert learned.price == pytest.approx(7_500)
    assert learned.failure == pytest.approx(FAILING / 2)


@given(st.floats(0.01, 1), st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_an_estimate_stays_a_probability_and_moves_with_what_was_seen(
    prior: float, tries: int, hits: int, failures: int
) -> None:
    hits, calls = min(hits, tries), tries + failures
    seen = Seen(calls=calls, failures=failures, datasets={"profile": (tries, hits)})
    better = Seen(calls=calls, failures=failures, datasets={"profile": (tries + 1, hits + 1)})
    one, other = (learn({"profile": prior}, 1.0, 0, s) for s in (seen, better))
    assert 0 < one.coverage["profile"] <= 1
    assert 0 < one.failure < 1
    assert other.coverage["profile"] >= one.coverage["profile"]


async def test_the_ledger_remembers_calls_failures_costs_and_what_was_filled(tmp_path: Path) -> None:
    clock = Clock()
    down = SourceError(FailureKind.UNREACHABLE, "down")
    source = fake("web", price=1_000, script=[down])
    async with house(tmp_path, source, clock=clock) as services:
        money = await budgets(services)
        failed = await buy(services, scope(), call(id="c1", query="a"), money)
        assert failed.failure is FailureKind.UNREACHABLE
        for n, hit in ((2, True), (3, False)):
            await buy(services, scope(), call(id=f"c{n}", query=str(n)), money)
            await services.history.note(f"c{n}", {"profile": hit})
            await services.history.note(f"c{n}", {"profile": not hit})  # said again after a resume: it counts once
        await buy(services, scope(), call(id="c4", query="2"), money)  # from the cache: no experience
        seen = await services.history.seen(clock(), never_made="x")
        assert seen == {
            "web": Seen(calls=3, failures=1, seconds=0.0, cost=2_000, datasets={"profile": (2, 1)}),
        }
        clock.advance(WINDOW.total_seconds() + 1)
        assert await services.history.seen(clock(), never_made="x") == {}


async def test_a_call_that_the_run_ended_before_is_no_failure_of_its_source(tmp_path: Path) -> None:
    async with house(tmp_path, fake("web", price=1_000)) as services:
        await buy(services, scope(seconds=0), call(), await budgets(services))
        never = "The run was over before this call was made: nothing was spent."
        assert await services.history.seen(services.clock(), never_made=never) == {}


async def test_a_plan_expects_what_experience_has_taught(tmp_path: Path) -> None:
    source = fake("web", datasets={"profile": 0.9}, answer=SourceReply())
    async with house(tmp_path, source) as services:
        before = (await services.learned())["web"]
        money = await budgets(services)
        for n in range(20):
            await buy(services, scope(), call(id=f"c{n}", query=str(n)), money)
            await services.history.note(f"c{n}", {"profile": False})
        after = (await services.learned())["web"]
        async with Runs(services) as runs:
            thread = await runs.create_thread()
            run = await runs.wait((await runs.start(thread.id, {"message": "Where is Snowflake headquartered?"})).id)
            events = [json.loads(body) for _, body in await services.runs.events(run.id)]
    assert before.chance("profile") == pytest.approx(0.9 * (1 - FAILING))
    assert after.coverage["profile"] == pytest.approx(9 / 30)
    planned = next(e["data"] for e in events if e["type"] == "research_plan_created")
    assert planned["expected_quality"] == pytest.approx(0.9 * after.chance("profile"), abs=0.01)
