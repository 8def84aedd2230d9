"""The choice itself: against every possible choice, against the greedy rule, against the mixed-integer program."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.planning import Candidate, Limits, plan
from agent.planning.choice import Option, Problem, greedy, trim, value
from agent.planning.exact import GAP, exact
from agent.planning.fast import fast
from agent.records import QualityReport, Requirement

ITEMS = 6
chance = st.floats(0.0, 0.999)
options = st.builds(
    Option,
    price=st.one_of(st.integers(1, 40), st.sampled_from([5, 10, 15])),
    toll=st.sampled_from([1e-4, 0.01, 0.05]),
    covers=st.dictionaries(st.integers(0, ITEMS - 1), chance, max_size=4).map(lambda d: tuple(sorted(d.items()))),
    group=st.sampled_from(["a", "b", "c"]),
)
problems = st.builds(
    Problem,
    worth=st.lists(st.floats(0, 1), min_size=ITEMS, max_size=ITEMS).map(tuple),
    options=st.lists(options, max_size=14).map(tuple),
    budget=st.integers(0, 120),
    most=st.sampled_from([0, 2, 5, 40]),
    per_group=st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 2), max_size=2),
)


def keeps_within(problem: Problem, chosen: list[int]) -> bool:
    groups = Counter(problem.options[i].group for i in chosen)
    return (
        len(set(chosen)) == len(chosen) <= problem.most
        and problem.spend(chosen) <= problem.budget
        and all(groups[g] <= most for g, most in problem.per_group.items())
    )


def best_of_all(problem: Problem) -> float:
    everything = range(len(problem.options))
    choices = (list(c) for k in range(len(problem.options) + 1) for c in combinations(everything, k))
    return max(value(problem, c) for c in choices if keeps_within(problem, c))


@given(problems)
def test_the_fast_choice_keeps_every_limit_and_holds_nothing_that_is_not_worth_its_toll(problem: Problem) -> None:
    chosen = fast(problem)
    assert keeps_within(problem, chosen)
    for i in chosen:
        assert value(problem, chosen) >= value(problem, [k for k in chosen if k != i]) - 1e-9
    for i in set(range(len(problem.options))) - set(chosen):
        if keeps_within(problem, [*chosen, i]):
            assert value(problem, [*chosen, i]) <= value(problem, chosen) + 1e-9, "something worthwhile still fits"


@given(problems)
def test_the_fast_choice_is_never_worse_than_the_greedy_one(problem: Problem) -> None:
    assert value(problem, fast(problem)) >= value(problem, greedy(problem)) - 1e-9


@given(problems, st.integers(0, 60))
def test_more_money_never_ends_in_a_worse_choice(problem: Problem, more: int) -> None:
    richer = replace(problem, budget=problem.budget + more)
    assert value(problem, fast(richer)) >= value(problem, fast(problem)) - 1e-9


@given(problems)
def test_out_of_steps_the_greedy_rule_spends_the_rest(problem: Problem) -> None:
    hurried = fast(problem, max_steps=3)
    assert keeps_within(problem, hurried)
    assert value(problem, hurried) >= value(problem, trim(problem, greedy(problem))) - 1e-9


def test_two_that_fit_together_are_found_where_the_greedy_rule_takes_one() -> None:
    dense = Option(60, 1e-4, ((0, 0.9),))
    pair = (Option(50, 1e-4, ((1, 0.7),)), Option(50, 1e-4, ((2, 0.7),)))
    problem = Problem((1.0, 1.0, 1.0), (dense, *pair), budget=100)
    assert greedy(problem) == [0]
    assert fast(problem) == [1, 2]


def test_what_the_rest_makes_worthless_falls_out() -> None:
    # The middle one is the densest, and the other two cover all that it covers.
    middle = Option(1, 0.06, ((0, 0.5), (1, 0.5)))
    sides = (Option(1, 0.05, ((0, 0.95),)), Option(1, 0.05, ((1, 0.95),)))
    problem = Problem((1.0, 1.0), (middle, *sides), budget=3)
    assert trim(problem, [0, 1, 2]) == [1, 2]
    assert fast(problem) == [1, 2]


@settings(max_examples=25, deadline=None)
@given(problems.map(lambda p: replace(p, options=p.options[:8])))
def test_the_exact_choice_is_the_best_of_all_and_its_bound_is_above_every_choice(problem: Problem) -> None:
    best, found = best_of_all(problem), exact(problem)
    assert keeps_within(problem, found.chosen)
    assert found.bound >= best - 1e-6
    assert value(problem, found.chosen) >= best * (1 - GAP) - 1e-6


def many_on_one() -> Problem:
    """More options on each item than inequalities are lifted for."""
    shared = tuple(Option(10 + n, 0.002, ((0, 0.2 + n / 40), (1, 0.8 - n / 40)), group=f"g{n % 3}") for n in range(18))
    return Problem((0.6, 0.4), shared, budget=70, most=5, per_group={"g0": 1})


def test_the_exact_choice_is_proven_where_very_many_calls_serve_one_dataset() -> None:
    problem = many_on_one()
    found = exact(problem)
    assert keeps_within(problem, found.chosen)
    assert found.bound - value(problem, found.chosen) <= GAP
    assert value(problem, found.chosen) >= value(problem, fast(problem))


def test_an_exact_choice_that_takes_too_long_says_so() -> None:
    with pytest.raises(TimeoutError):
        exact(many_on_one(), seconds=0.0)


# --- planner = exact -----------------------------------------------------------------------------------------------------

NEEDS = (Requirement(dataset="profile", required=True, weight=1.0),)


def offered(n: int) -> Candidate:
    return Candidate(
        call_id=f"c{n}",
        key=f"c{n}",
        source="s",
        args={},
        coverage={"profile": 0.1 * n},
        reliability=0.9,
        price=1_000 * n,
        seconds=1.0,
        max_age=0.0,
    )


LIMITS = Limits(budget=9_000, seconds=60.0, gain_per_dollar=Decimal("0.20"))


def test_the_exact_planner_plans_at_least_as_well_as_the_fast_one() -> None:
    calls = [offered(n) for n in range(1, 8)]
    best = plan(calls, NEEDS, QualityReport(), LIMITS, planner="exact")
    quick = plan(calls, NEEDS, QualityReport(), LIMITS)
    assert best.expected_cost <= LIMITS.budget
    assert best.expected_quality >= quick.expected_quality - GAP


def test_without_scipy_the_exact_planner_falls_back_to_the_fast_one_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    calls = [offered(n) for n in range(1, 8)]
    with caplog.at_level(logging.WARNING, logger="agent.planning"):
        made = plan(calls, NEEDS, QualityReport(), LIMITS, planner="exact")
    assert made == plan(calls, NEEDS, QualityReport(), LIMITS)
    assert "scipy" in caplog.text


def test_an_exact_planner_out_of_time_falls_back_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def never(problem: Problem, **_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr("agent.planning.exact.exact", never)
    with caplog.at_level(logging.WARNING, logger="agent.planning"):
        made = plan([offered(3)], NEEDS, QualityReport(), LIMITS, planner="exact")
    assert [c.call_id for c in made.calls] == ["c3"]
    assert "too long" in caplog.text
