"""Quality of what is known: worked examples, and what must hold for any evidence."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import exp, log, log2
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.quality import (
    RELIABILITY_CAP,
    assess,
    by_origin,
    fresh_enough,
    freshness,
    pooled_reliability,
)
from agent.records import ConsumerType, Dataset, DatasetField, DatasetQuality, Evidence, QualityReport, Requirement
from tests.house import NOW

PROFILE = Dataset(
    id="profile",
    title="",
    question="",
    half_life_days=100,
    fields=(DatasetField(name="hq"), DatasetField(name="summary", weight=3.0)),
)
PEOPLE = Dataset(
    id="people",
    title="",
    question="",
    half_life_days=100,
    fields=(DatasetField(name="people", kind="list", target=4),),
)
DATASETS = {d.id: d for d in (PROFILE, PEOPLE)}
CONSUMER = ConsumerType(
    id="t",
    title="",
    max_cost=Decimal(1),
    min_quality=0.4,
    freshness_floor=0.5,
    requirements=(
        Requirement(dataset="profile", required=True, weight=0.75),
        Requirement(dataset="people", required=False, weight=0.25),
    ),
)


def evidence(
    field: str = "hq",
    *,
    dataset: str = "profile",
    days: float | None = 0,
    reliability: float = 0.9,
    origin: str = "a.example",
    value: object = None,
    quote: str = "q",
    source: str = "web",
) -> Evidence:
    return Evidence(
        id=f"{dataset}.{field}.{days}.{reliability}.{origin}.{value}.{quote}",
        document_id="d",
        start=0,
        quote=quote,
        dataset=dataset,
        field=field,
        value=value,
        origin=origin,
        source=source,
        published_at=None if days is None else NOW - timedelta(days=days),
        retrieved_at=NOW,
        reliability=reliability,
    )


def person(name: str, **given_: object) -> Evidence:
    return evidence("people", dataset="people", value={"name": name}, **given_)  # type: ignore[arg-type]


def judged(*found: Evidence) -> QualityReport:
    return assess(found, CONSUMER, DATASETS, NOW)


def of(report: QualityReport, dataset: str) -> DatasetQuality:
    return next(d for d in report.datasets if d.dataset == dataset)


# --- freshness -------------------------------------------------------------------------------------------------------


def test_freshness_halves_with_every_half_life() -> None:
    assert [freshness(NOW - timedelta(days=d), NOW, 100) for d in (0, 100, 200, 300)] == pytest.approx(
        [1, 1 / 2, 1 / 4, 1 / 8]
    )


def test_an_unknown_date_scores_low_and_a_date_in_the_future_counts_as_today() -> None:
    assert freshness(None, NOW, 100) == pytest.approx(1 / 8)
    assert freshness(NOW + timedelta(days=5), NOW, 100) == 1.0


@given(st.floats(0.05, 0.999), st.floats(1, 2_000))
def test_the_freshness_floor_and_the_greatest_age_are_one_thing(floor: float, half_life: float) -> None:
    dataset = PROFILE.model_copy(update={"half_life_days": half_life})
    oldest = dataset.max_age_seconds(floor)
    assert oldest == pytest.approx(half_life * log2(1 / floor) * 86_400)
    for age, enough in ((oldest * 0.999 - 1, True), (oldest * 1.001 + 1, False)):
        e = evidence(days=max(age, 0) / 86_400)
        assert fresh_enough(e, dataset, floor, NOW) is (enough or age <= 0)


def test_a_value_without_a_date_never_reaches_a_floor() -> None:
    assert not fresh_enough(evidence(days=None), PROFILE, 0.01, NOW)


# --- reliability -----------------------------------------------------------------------------------------------------


def test_independent_origins_are_pooled_as_log_odds() -> None:
    odds = log(0.8 / 0.2) + log(0.7 / 0.3)
    assert pooled_reliability({"a": 0.8, "b": 0.7}) == pytest.approx(1 / (1 + exp(-odds)))


def test_one_origin_is_as_reliable_as_it_is() -> None:
    assert pooled_reliability({"a": 0.6}) == pytest.approx(0.6)
    assert pooled_reliability({}) == 0.0


def test_a_contradiction_of_equal_weight_leaves_a_coins_throw() -> None:
    assert pooled_reliability({"a": 0.8}, {"b": 0.8}) == pytest.approx(0.5)


def test_nothing_is_ever_more_certain_than_the_cap() -> None:
    assert pooled_reliability({str(n): 0.98 for n in range(50)}) == RELIABILITY_CAP == 0.99
    assert pooled_reliability({"a": 1.0}) == RELIABILITY_CAP


@pytest.mark.parametrize("count", [1, 200, 5_000])
def test_any_number_of_origins_can_contradict(count: int) -> None:
    assert 0 <= pooled_reliability({"a": 0.5}, {str(n): 0.99 for n in range(count)}) < 0.02
    assert 0 <= pooled_reliability({str(n): 0.01 for n in range(count)}) < 0.02


def test_syndicated_copies_of_one_origin_count_once_and_with_their_best_prior() -> None:
    copies = [evidence(origin=o, reliability=r) for o, r in (("Reuters", 0.6), ("reuters ", 0.7), ("AP", 0.6))]
    assert by_origin(copies) == {"reuters": 0.7, "ap": 0.6}
    one, three = judged(copies[0]), judged(copies[0], copies[0].model_copy(update={"id": "x", "url": "u"}))
    assert one == three


def test_without_a_publisher_the_source_stands_for_the_origin() -> None:
    assert by_origin([evidence(origin="", source="web", reliability=0.6)]) == {"web": 0.6}


# --- datasets --------------------------------------------------------------------------------------------------------


def test_a_dataset_is_judged_field_by_field_by_their_weights() -> None:
    found = of(judged(evidence("hq", days=100, reliability=0.8)), "profile")
    assert found.completeness == pytest.approx(1 / 4)
    assert found.freshness == pytest.approx(0.5)
    assert found.reliability == pytest.approx(0.8)
    assert found.quality == pytest.approx(1 * 0.5 * 0.8 / 4)
    assert found.missing == ("summary",)


def test_overall_is_the_weighted_mean_over_the_requirements_looked_at() -> None:
    report = judged(evidence("hq"), evidence("summary"), person("Ada"))
    assert [d.quality for d in report.datasets] == pytest.approx([0.9, 0.9 / 4])
    assert report.overall == pytest.approx(0.75 * 0.9 + 0.25 * 0.9 / 4)
    only = assess([evidence("hq"), evidence("summary")], CONSUMER, DATASETS, NOW, CONSUMER.requirements[:1])
    assert only.overall == pytest.approx(0.9)
    assert assess([], CONSUMER, DATASETS, NOW, []).overall == 0.0


@pytest.mark.parametrize(("names", "share"), [(0, 0), (1, 0.25), (3, 0.75), (4, 1), (9, 1)])
def test_a_list_is_complete_when_it_holds_as_many_items_as_are_wanted(names: int, share: float) -> None:
    report = judged(*[person(f"P{n}") for n in range(names)])
    assert of(report, "people").completeness == share


def test_one_person_named_by_three_publishers_is_one_item_that_is_more_certain() -> None:
    once = of(judged(person("Ada Lovelace", reliability=0.7)), "people")
    said = [person(n, origin=o, reliability=0.7) for n, o in (("Ada Lovelace", "a"), ("ADA  lovelace", "b"))]
    twice = of(judged(*said), "people")
    assert twice.completeness == once.completeness == 0.25
    assert twice.reliability > once.reliability


def test_what_is_too_old_or_has_no_date_counts_for_nothing_and_is_called_stale() -> None:
    for days in (101, None):
        found = of(judged(evidence("hq", days=days)), "profile")
        assert (found.quality, found.completeness, found.stale) == (0.0, 0.0, True)
    assert not of(judged(evidence("hq", days=99)), "profile").stale
    assert not of(judged(), "profile").stale


def test_only_a_required_dataset_under_its_minimum_is_a_gap() -> None:
    assert judged().gaps == ("profile",)
    assert judged(evidence("summary")).gaps == ()  # 0.9 * 3/4
    assert judged(evidence("hq")).gaps == ("profile",)


def test_evidence_of_another_dataset_or_field_fills_nothing() -> None:
    assert judged(evidence("people", dataset="hiring"), evidence("revenue")).overall == 0.0


def test_a_list_takes_its_best_items_each_with_its_own_freshness_and_reliability() -> None:
    # Pairs of (freshness, reliability); two items are wanted, so the best two products count: 0.50 and 0.51.
    short = PEOPLE.model_copy(update={"fields": (DatasetField(name="people", kind="list", target=2),)})
    pairs = [(1.0, 0.5), (0.5, 0.99), (0.96, 0.53)]
    said = [person(f"P{n}", days=100 * log2(1 / f), reliability=r) for n, (f, r) in enumerate(pairs)]
    two, three = (
        of(assess(e, CONSUMER, {**DATASETS, "people": short}, NOW), "people").quality for e in (said[:2], said)
    )
    assert two == pytest.approx((1.0 * 0.5 + 0.5 * 0.99) / 2)
    assert three == pytest.approx((0.96 * 0.53 + 1.0 * 0.5) / 2)
    assert three > two


# --- for any evidence ------------------------------------------------------------------------------------------------

any_evidence = st.one_of(
    st.builds(
        evidence,
        st.sampled_from(["hq", "summary", "other"]),
        days=st.one_of(st.none(), st.floats(-10, 400)),
        reliability=st.floats(0, 1),
        origin=st.sampled_from(["a", "b", "c", ""]),
        quote=st.sampled_from(["q1", "q2"]),
    ),
    st.builds(
        person,
        st.sampled_from(["Ada", "Bob", "Cy", "Dee", "Eve", "Flo"]),
        days=st.one_of(st.none(), st.floats(-10, 400)),
        reliability=st.floats(0, 1),
        origin=st.sampled_from(["a", "b", "c"]),
    ),
)
believable = any_evidence.filter(lambda e: e.reliability >= 0.5)
"""Evidence that is more likely right than wrong: less than that speaks against what it says."""


@given(st.lists(any_evidence, max_size=12))
def test_every_figure_is_between_zero_and_one(found: list[Evidence]) -> None:
    report = judged(*found)
    for d in report.datasets:
        figures = [d.completeness, d.freshness, d.reliability, d.quality]
        figures += [n for f in d.fields for n in (f.valid, f.freshness, f.reliability)]
        assert all(0 <= n <= 1 for n in figures)
        assert d.reliability <= RELIABILITY_CAP
        assert d.quality <= d.completeness + 1e-9
    assert 0 <= report.overall <= 1


@given(st.lists(believable, max_size=12), believable)
def test_further_evidence_that_is_likely_right_never_lowers_the_quality(found: list[Evidence], more: Evidence) -> None:
    assert judged(*found, more).overall >= judged(*found).overall - 1e-9


@given(st.lists(any_evidence, max_size=8), st.randoms(use_true_random=False))
def test_the_order_in_which_evidence_came_does_not_matter(found: list[Evidence], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judged(*shuffled).overall == pytest.approx(judged(*found).overall)


@given(st.lists(any_evidence, max_size=8))
def test_a_copy_of_what_is_known_changes_nothing(found: list[Evidence]) -> None:
    assert judged(*found, *found).overall == pytest.approx(judged(*found).overall)


def test_the_examples_worked_by_hand_in_the_documentation_are_right() -> None:
    text = (Path(__file__).parent.parent / "docs" / "quality.md").read_text("utf-8")
    stated = [float(figure) for figure in re.findall(r"\*\*([0-9.]+)\*\*", text)]
    now = datetime(2026, 11, 22, tzinfo=UTC)
    year, week = now - timedelta(days=365), now - timedelta(days=7)
    known = 0.90 * 0.98
    financials = (2 * known + known) / 5
    worked = [
        freshness(year, now, 730),
        freshness(week, now, 14),
        730 * log2(1 / 0.70),
        14 * log2(1 / 0.70),
        freshness(None, now, 14),
        pooled_reliability({"a": 0.60, "b": 0.70}),
        pooled_reliability({"edgar": 0.98, "news": 0.70}),
        pooled_reliability({"site": 0.85}, {"snippet": 0.60}),
        financials,
        min(2 / 4, 1),
        (0.10 * financials + 0.12 * 0.80) / 0.22,
    ]
    assert worked == pytest.approx(stated, rel=1e-3, abs=1e-4)
    assert [round(w, 1) for w in worked[2:4]] == stated[2:4]
