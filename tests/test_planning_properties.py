"""The planner, for anything that may come: what every plan keeps to, whatever is proposed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agent.planning import MAX_CALLS, MIN_GAIN, Candidate, Limits, plan
from agent.records import QualityReport, SkipReason, to_usd
from tests.test_planning import NEEDS, NOTHING_KNOWN, RATE, known

chance = st.floats(0, 1, allow_nan=False)
coverages = st.dictionaries(st.sampled_from(["profile", "news", "leadership", "hiring"]), chance, max_size=4)
prices = st.one_of(st.just(0), st.integers(0, 60_000))


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    count = draw(st.integers(0, 12))
    return [
        Candidate(
            call_id=f"c{n}",
            key=draw(st.sampled_from(["k1", "k2", f"own{n}", f"own{n}"])),
            source=f"c{n}",
            args={},
            coverage=draw(coverages),
            reliability=draw(chance),
            price=draw(prices),
            seconds=draw(st.floats(0, 90)),
            max_age=60.0,
            cached=draw(st.booleans()),
            refused=draw(st.sampled_from(["", "", "", "off"])),
        )
        for n in range(count)
    ]


reports = st.builds(lambda p, n: known(profile=p, news=n), chance, chance)
some_limits = st.builds(
    Limits,
    budget=st.integers(-10_000, 150_000),
    seconds=st.floats(0, 120),
    gain_per_dollar=st.sampled_from([Decimal(0), RATE, Decimal(5)]),
    max_calls=st.sampled_from([1, 3, MAX_CALLS]),
    per_source=st.dictionaries(st.sampled_from(["c0", "c1", "c2"]), st.integers(0, 1), max_size=3),
)
tried = st.lists(st.sampled_from(["k1", "own0", "own1"]), max_size=2)


@given(candidates(), reports, some_limits, tried)
def test_whatever_is_proposed_the_plan_keeps_its_promises(
    proposed: list[Candidate], report: QualityReport, given_limits: Limits, tried: list[str]
) -> None:
    made = plan(proposed, NEEDS, report, given_limits, tried=tried)
    by_id = {c.call_id: c for c in proposed}
    chosen = [by_id[c.call_id] for c in made.calls]

    assert made.expected_cost == sum(c.price for c in chosen if not c.cached)
    assert made.expected_cost <= max(given_limits.budget, 0), "over budget"
    keys = [c.key for c in chosen]
    assert len(set(keys)) == len(keys), "the same call twice"
    assert not set(keys) & set(tried), "a call of an earlier round again"
    assert not any(c.refused for c in chosen), "a call that cannot be made"
    assert all(c.seconds <= given_limits.seconds or c.cached for c in chosen), "over time"
    for source, most in given_limits.per_source.items():
        assert sum(c.source == source and not c.cached for c in chosen) <= most, "over a source's pace"
    assert len(chosen) <= given_limits.max_calls
    paid_yet = False
    for call in made.to_collect:
        paid_yet |= call.max_price > 0
        assert not (paid_yet and call.max_price == 0), "a paid call before a free one"
    for call in made.to_collect:
        assert call.gain >= float(given_limits.gain_per_dollar * to_usd(call.max_price)), "not worth its price"
        assert call.gain >= MIN_GAIN
    left_out = [s.source for s in made.skipped]
    assert len(set(left_out)) == len(left_out)
    assert all(s.detail for s in made.skipped)
    seen = {c.call_id for c in chosen} | set(left_out)
    assert {c.call_id for c in proposed if c.key not in tried or c.refused} == seen, "neither planned nor explained"
    assert 0 <= made.expected_quality <= 1
    assert made == plan(list(proposed), NEEDS, report, given_limits, tried=list(tried)), "not deterministic"
    if made.offer is not None:
        assert made.offer.more > 0
        assert not {c.call_id for c in made.offer.calls} & {c.call_id for c in chosen}
        assert all(c.gain >= given_limits.toll(c.max_price) for c in made.offer.calls)


@given(st.data(), candidates(), reports, some_limits)
def test_the_order_of_the_candidates_changes_nothing(
    data: st.DataObject, proposed: list[Candidate], report: QualityReport, given_limits: Limits
) -> None:
    shuffled = data.draw(st.permutations(proposed))
    assert plan(shuffled, NEEDS, report, given_limits) == plan(proposed, NEEDS, report, given_limits)


@given(candidates(), reports, some_limits, st.integers(0, 100_000))
def test_more_money_never_makes_a_worse_plan(
    proposed: list[Candidate], report: QualityReport, given_limits: Limits, more: int
) -> None:
    def worth(budget: int) -> float:
        made = plan(proposed, NEEDS, report, replace(given_limits, budget=budget))
        return sum(c.gain - given_limits.toll(0 if c in made.from_cache else c.max_price) for c in made.calls)

    assert worth(given_limits.budget + more) >= worth(given_limits.budget) - 1e-9


@given(candidates(), reports, some_limits)
def test_every_free_call_that_brings_something_is_planned_as_long_as_there_is_a_place(
    proposed: list[Candidate], report: QualityReport, given_limits: Limits
) -> None:
    made = plan(proposed, NEEDS, report, given_limits)
    free = {c.call_id for c in proposed if c.cost == 0}
    fine = {SkipReason.OVER_BUDGET}
    assert not any(s.reason in fine and s.source in free for s in made.skipped), "money kept a free call out"
    if any(s.source in free and s.reason is SkipReason.ROUND_FULL for s in made.skipped):
        assert {c.call_id for c in made.calls} <= free, "a paid call has taken the place of a free one"


@given(candidates(), some_limits)
def test_what_is_free_is_planned_alike_whatever_the_money(proposed: list[Candidate], given_limits: Limits) -> None:
    free_only = [c for c in proposed if not c.price]
    poor = plan(free_only, NEEDS, NOTHING_KNOWN, given_limits)
    rich = plan(free_only, NEEDS, NOTHING_KNOWN, replace(given_limits, budget=10**9))
    assert poor.calls == rich.calls
