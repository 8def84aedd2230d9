"""The planner: what it buys, in which order, what it leaves out and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from agent.events import EVENT, ResearchPlanCreated, ResearchPlanCreatedData, offered
from agent.nodes.plan import _within
from agent.planning import MAX_CALLS, Candidate, Limits, plan, still_answers, worth_another_round
from agent.records import CollectionPlan, DatasetQuality, QualityReport, Requirement, Skipped, SkipReason
from cli.live import LinesView
from tools.base import Pace

RATE = Decimal("0.20")
NEEDS = (
    Requirement(dataset="profile", required=True, weight=0.5),
    Requirement(dataset="news", required=False, weight=0.3),
    Requirement(dataset="leadership", required=False, weight=0.2),
)
NOTHING_KNOWN = QualityReport()


def candidate(
    id: str,
    *,
    price: int = 0,
    coverage: Mapping[str, float] | None = None,
    reliability: float = 1.0,
    key: str = "",
    seconds: float = 1.0,
    cached: bool = False,
    refused: str = "",
) -> Candidate:
    return Candidate(
        call_id=id,
        key=key or id,
        source=id,
        args={},
        coverage={"profile": 0.5} if coverage is None else coverage,
        reliability=reliability,
        price=price,
        seconds=seconds,
        max_age=60.0,
        cached=cached,
        refused=refused,
    )


def limits(budget: int = 100_000, *, seconds: float = 60.0, rate: Decimal = RATE, calls: int = MAX_CALLS) -> Limits:
    return Limits(budget=budget, seconds=seconds, gain_per_dollar=rate, max_calls=calls)


def known(**quality: float) -> QualityReport:
    found = tuple(
        DatasetQuality(
            dataset=d,
            required=True,
            weight=0.5,
            completeness=q,
            freshness=1.0,
            reliability=1.0,
            quality=q,
            minimum=0.6,
        )
        for d, q in quality.items()
    )
    return QualityReport(overall=sum(d.weight * d.quality for d in found), datasets=found)


def ids(made: CollectionPlan) -> list[str]:
    return [c.call_id for c in made.to_collect]


def reasons(made: CollectionPlan) -> dict[str, SkipReason]:
    return {s.source: s.reason for s in made.skipped}


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_the_gain_of_a_call_is_weight_times_what_is_missing_times_what_it_will_bring() -> None:
    call = candidate("a", coverage={"profile": 0.8, "news": 0.5}, reliability=0.9)
    made = plan([call], NEEDS, known(profile=0.25, news=0.0), limits())
    assert made.to_collect[0].gain == pytest.approx(0.5 * 0.75 * 0.8 * 0.9 + 0.3 * 0.5 * 0.9)


def test_of_a_narrow_question_each_dataset_counts_for_more() -> None:
    call = candidate("a", coverage={"profile": 0.8}, reliability=0.9)
    made = plan([call], NEEDS[:1], known(profile=0.25), limits())
    assert made.to_collect[0].gain == pytest.approx(0.75 * 0.8 * 0.9), (
        "overall quality is a mean over what was asked for"
    )


def test_calls_for_the_same_dataset_overlap_each_takes_its_share_of_what_is_left() -> None:
    calls = [candidate("a", coverage={"profile": 0.8}), candidate("b", coverage={"profile": 0.6})]
    made = plan(calls, NEEDS, NOTHING_KNOWN, limits())
    assert [c.gain for c in made.to_collect] == pytest.approx([0.5 * 0.8, 0.5 * 0.2 * 0.6])
    assert made.expected_quality == pytest.approx(0.46)


def test_free_calls_come_first_and_paid_ones_by_gain_for_the_money() -> None:
    calls = [
        candidate("dear", price=20_000, coverage={"profile": 0.9}),
        candidate("cheap", price=1_000, coverage={"news": 0.2}),
        candidate("free", coverage={"leadership": 0.1}),
        candidate("middle", price=5_000, coverage={"news": 0.5}),
    ]
    assert ids(plan(calls, NEEDS, NOTHING_KNOWN, limits())) == ["free", "cheap", "middle", "dear"]


def test_money_runs_out_where_it_runs_out_and_a_cheaper_call_still_fits() -> None:
    calls = [
        candidate("a", price=10_000, coverage={"profile": 0.9}),
        candidate("b", price=10_000, coverage={"news": 0.9}),
        candidate("c", price=4_000, coverage={"leadership": 0.1}),
    ]
    made = plan(calls, NEEDS, NOTHING_KNOWN, limits(15_000))
    assert ids(made) == ["a", "c"]
    assert reasons(made) == {"b": SkipReason.OVER_BUDGET}
    assert made.expected_cost == 14_000


def test_a_call_that_costs_exactly_what_is_left_is_bought_and_one_micro_dollar_more_is_not() -> None:
    assert ids(plan([candidate("a", price=10)], NEEDS, NOTHING_KNOWN, limits(10))) == ["a"]
    assert ids(plan([candidate("a", price=11)], NEEDS, NOTHING_KNOWN, limits(10))) == []


@pytest.mark.parametrize("budget", [0, -1, -50_000])
def test_free_calls_and_stored_replies_are_planned_when_no_money_is_left_at_all(budget: int) -> None:
    calls = [candidate("free"), candidate("stored", price=9_000, cached=True, coverage={"news": 0.5})]
    made = plan(calls, NEEDS, NOTHING_KNOWN, limits(budget))
    assert {c.call_id for c in made.calls} == {"free", "stored"}


def test_nothing_is_bought_whose_gain_is_worth_less_than_its_price() -> None:
    # 0.5 * 0.02 = 0.01 of quality; at 0.20 a dollar that is worth five cents.
    for price, bought in ((50_000, True), (50_001, False)):
        made = plan([candidate("a", price=price, coverage={"profile": 0.02})], NEEDS, NOTHING_KNOWN, limits())
        assert bool(made.to_collect) is bought
        assert reasons(made) == ({} if bought else {"a": SkipReason.NOT_WORTH_IT})


def test_a_second_paid_call_is_weighed_against_what_the_first_one_leaves() -> None:
    calls = [candidate(n, price=40_000, coverage={"profile": 0.99}) for n in ("a", "b")]
    made = plan(calls, NEEDS, NOTHING_KNOWN, limits())
    assert (ids(made), reasons(made)) == (["a"], {"b": SkipReason.NOT_WORTH_IT})


def test_a_stored_reply_costs_nothing_and_no_time_and_is_listed_apart() -> None:
    made = plan([candidate("a", price=9_000, seconds=5, cached=True)], NEEDS, NOTHING_KNOWN, limits(0))
    assert [c.call_id for c in made.from_cache] == ["a"]
    assert (made.to_collect, made.expected_cost, made.expected_seconds) == ((), 0, 0.0)
    assert made.from_cache[0].max_price == 9_000  # what is held should the stored reply be gone by then


def test_every_way_of_being_left_out_has_its_own_reason() -> None:
    calls = [
        candidate("first", key="same"),
        candidate("second", key="same"),
        candidate("late", seconds=61),
        candidate("useless", coverage={"hiring": 0.9}),
        candidate("known", coverage={"news": 0.9}),
        candidate("broken", refused="its arguments do not fit"),
        candidate("hopeless", coverage={"profile": 0.0}),
        candidate("tried"),
    ]
    made = plan(calls, NEEDS, known(news=1.0), limits(), tried=["tried"])
    assert ids(made) == ["first"]
    assert reasons(made) == {
        "second": SkipReason.DUPLICATE,
        "late": SkipReason.DEADLINE,
        "useless": SkipReason.ALREADY_KNOWN,
        "known": SkipReason.ALREADY_KNOWN,
        "broken": SkipReason.INVALID_ARGUMENTS,
        "hopeless": SkipReason.NOT_WORTH_IT,
    }


def test_a_full_round_leaves_the_rest_out_and_says_so() -> None:
    made = plan([candidate(f"c{n}") for n in range(5)], NEEDS, NOTHING_KNOWN, limits(calls=2))
    assert (len(made.to_collect), len(made.skipped)) == (2, 3)
    assert {s.reason for s in made.skipped} == {SkipReason.ROUND_FULL}


def test_no_candidates_make_an_empty_plan() -> None:
    made = plan([], NEEDS, NOTHING_KNOWN, limits(), round=3, proposed_by="model")
    assert (made.calls, made.skipped, made.round, made.proposed_by) == ((), (), 3, "model")


def test_a_source_gets_no_more_calls_than_its_pace_allows_and_its_stored_replies_do_not_count() -> None:
    calls = [replace(candidate(f"c{n}", coverage={"profile": 0.5}), source="slow") for n in range(3)]
    stored = replace(candidate("stored", price=9_000, coverage={"news": 0.5}, cached=True), source="slow")
    made = plan([*calls, stored], NEEDS, NOTHING_KNOWN, replace(limits(), per_source={"slow": 2}))
    assert (ids(made), [c.call_id for c in made.from_cache]) == (["c0", "c1"], ["stored"])
    assert reasons(made) == {"slow": SkipReason.SOURCE_PACE}


def test_two_cheaper_calls_are_bought_where_the_greedy_rule_would_take_the_dense_one_first() -> None:
    # The dense call leaves no room for the big one, which alone brings more than it and all that still fits.
    calls = [
        candidate("dense", price=2_000, coverage={"news": 0.3}),
        candidate("big", price=10_000, coverage={"profile": 0.8}),
    ]
    assert ids(plan(calls, NEEDS, NOTHING_KNOWN, limits(10_000))) == ["big"]


def test_a_stored_reply_serves_even_when_a_call_would_take_longer_than_is_left() -> None:
    made = plan([candidate("a", price=9_000, seconds=90, cached=True)], NEEDS, NOTHING_KNOWN, limits())
    assert [c.call_id for c in made.from_cache] == ["a"]


@pytest.mark.parametrize(
    ("pace", "seconds", "calls"),
    [
        (
            Pace(per_second=0.5, burst=1, at_once=9),
            9.0,
            5,
        ),  # one at once, and one every two seconds of the eight that help
        (Pace(per_second=0.5, burst=3, at_once=9), 9.0, 7),
        (Pace(per_second=100.0, burst=100, at_once=2), 3.5, 6),  # two at a time, three times over
        (Pace(per_second=0.5, burst=1, at_once=9), 0.9, 0),  # none would finish
    ],
)
def test_a_pace_allows_what_can_begin_and_finish_before_the_deadline(pace: Pace, seconds: float, calls: int) -> None:
    assert _within(pace, 1.0, seconds) == calls


# --- what more money would buy -----------------------------------------------------------------------------------------


def test_the_offer_names_how_much_is_missing_and_what_it_would_buy() -> None:
    calls = [
        candidate("a", price=10_000, coverage={"profile": 0.8}),
        candidate("b", price=15_000, coverage={"news": 0.5}),
    ]
    made = plan(calls, NEEDS, NOTHING_KNOWN, limits(12_000))
    assert made.offer is not None
    assert [c.call_id for c in made.offer.calls] == ["b"]
    assert made.offer.more == 13_000  # 2,000 are left over
    assert made.offer.gain == pytest.approx(0.15)
    richer = plan(calls, NEEDS, NOTHING_KNOWN, limits(12_000 + made.offer.more))
    assert ids(richer) == ["a", "b"]
    assert richer.expected_quality == pytest.approx(made.expected_quality + made.offer.gain)


def test_the_live_view_says_what_more_money_would_buy() -> None:
    calls = [candidate(n, price=15_000, coverage={d: 0.5}) for n, d in (("a", "news"), ("b", "leadership"))]
    made = plan(calls, NEEDS, NOTHING_KNOWN, limits(5_000))
    assert made.offer is not None
    data = ResearchPlanCreatedData(
        round=1,
        to_collect=(),
        from_cache=(),
        skipped=(),
        expected_cost=Decimal(0),
        expected_seconds=0.0,
        expected_quality=0.0,
        proposed_by="extractive",
        offer=offered(made.offer),
    )
    common = {"timestamp": "2026-01-05T12:00:00Z", "thread_id": "t", "run_id": "r", "message": "Nothing to call"}
    lines: list[str] = []
    view = LinesView(lines.append)
    view.take(EVENT.dump_json(ResearchPlanCreated.model_validate({**common, "data": data})).decode())
    view.close()
    assert any("$0.025 more would buy 1 × a, 1 × b: quality +0.25" in line for line in lines)


def test_an_overdrawn_budget_is_made_good_before_the_offer_buys_anything() -> None:
    made = plan([candidate("a", price=10_000)], NEEDS, NOTHING_KNOWN, limits(-5_000))
    assert made.offer is not None
    assert made.offer.more == 15_000


@pytest.mark.parametrize(
    "calls",
    [
        [],
        [candidate("free"), candidate("bought", price=1_000)],
        [candidate("poor", price=500_000, coverage={"profile": 0.01})],  # not worth it at any budget
        [candidate("dear", price=1_200_000, coverage={"profile": 0.9})],  # a dollar more does not reach it
        [candidate("off", price=200_000, refused="no key")],
    ],
)
def test_there_is_no_offer_when_a_dollar_more_would_buy_nothing(calls: list[Candidate]) -> None:
    assert plan(calls, NEEDS, NOTHING_KNOWN, limits(100_000)).offer is None


# --- what came back ----------------------------------------------------------------------------------------------------


def test_a_source_that_failed_in_this_run_is_expected_to_fail_again() -> None:
    assert still_answers(0, 0) == still_answers(7, 0) == 1
    assert still_answers(0, 1) > still_answers(0, 2) > 0
    assert still_answers(5, 1) > still_answers(0, 1)


# --- another round ---------------------------------------------------------------------------------------------------


class Priced:
    datasets: Mapping[str, float] = {"profile": 0.5}
    reliability = 1.0

    def __init__(self, max_price: int = 10_000) -> None:
        self.max_price = max_price


def skipped(reason: SkipReason = SkipReason.OVER_BUDGET) -> Skipped:
    return Skipped(source="web", reason=reason, detail="", datasets=("profile",), price=10_000)


@pytest.mark.parametrize(
    ("reason", "quality", "budget", "again"),
    [
        (SkipReason.OVER_BUDGET, 0.0, 10_000, True),
        (SkipReason.NOT_WORTH_IT, 0.0, 10_000, True),
        (SkipReason.OVER_BUDGET, 0.0, 9_999, False),  # it still does not fit
        (SkipReason.OVER_BUDGET, 0.6, 10_000, False),  # the dataset is good enough by now
        (SkipReason.OVER_BUDGET, 0.595, 10_000, True),
        (SkipReason.ROUND_FULL, 0.0, 10_000, True),
        (SkipReason.DUPLICATE, 0.0, 10_000, False),
        (SkipReason.SOURCE_UNAVAILABLE, 0.0, 10_000, False),
    ],
)
def test_another_round_is_worth_it_when_a_call_left_out_for_money_would_now_be_bought(
    reason: SkipReason, quality: float, budget: int, again: bool
) -> None:
    report = known(profile=quality)
    assert worth_another_round([skipped(reason)], report, budget, RATE, {"web": Priced()}) is again  # type: ignore[dict-item]


def test_a_source_that_has_gone_is_no_reason_for_another_round() -> None:
    assert not worth_another_round([skipped()], known(profile=0.0), 10**9, RATE, {})
