"""Confidence: the score's formula, the stored curve, and the claims that it was fitted on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.catalogue import HERE, load_catalogue
from agent.confidence import (
    CURVE,
    ENOUGH,
    FORMULA,
    Curve,
    Signals,
    confidence,
    load_curve,
    note,
    pooled,
    score,
    signals,
)
from agent.records import Check, Claim, Evidence
from evals.labelled import CLAIMS, held_out, labelled_claims
from evals.labelled.figures import bins, brier, ece, told
from scripts import calibrate

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BEST = Signals(failed=0, recall=1.0, order=1.0, checkable=3, reliability=1.0, freshness=1.0)


def curve() -> Curve:
    assert CURVE is not None
    return CURVE


def evidence(id_: str, origin: str, reliability: float = 0.8) -> Evidence:
    return Evidence(
        id=id_,
        document_id=f"d-{id_}",
        start=0,
        quote="Acme had revenue of $12 million in 2025.",
        dataset="financials",
        field="revenue",
        origin=origin,
        published_at=NOW,
        retrieved_at=NOW,
        reliability=reliability,
    )


def known(*cited: Evidence, against: tuple[Evidence, ...] = (), failed: int = 0) -> Signals:
    checks = tuple(Check(name="quote", passed=n >= failed) for n in range(3))
    claim = Claim(id="c", text="Acme had revenue of $12 million in 2025.", checks=checks)
    return signals(claim, cited, against, ["Acme"], load_catalogue().datasets, NOW)


# --- the score --------------------------------------------------------------------------------------------------------


def test_a_claim_with_everything_in_its_favour_scores_one() -> None:
    assert score(BEST) == pytest.approx(1.0)


def test_the_score_is_the_documented_sum() -> None:
    signals_ = Signals(failed=2, recall=0.8, order=0.6, checkable=1, reliability=0.5, freshness=0.25)
    assert score(signals_) == pytest.approx(0.2 * (0.6 * 0.7 + 0.2 * 0.5 + 0.1 * 0.25 + 0.1 / 3))


@pytest.mark.parametrize(
    "worse",
    [{"failed": 1}, {"recall": 0.8}, {"order": 0.8}, {"checkable": 2}, {"reliability": 0.6}, {"freshness": 0.1}],
    ids=lambda w: next(iter(w)),
)
def test_every_signal_can_lower_the_score(worse: dict[str, float]) -> None:
    assert score(replace(BEST, **worse)) < score(BEST)  # type: ignore[arg-type]


def test_a_second_independent_source_raises_the_score_and_a_copy_does_not() -> None:
    one, copy, other = evidence("a", "Reuters"), evidence("b", "Reuters"), evidence("c", "SEC")
    assert score(known(one, copy)) == score(known(one)) < score(known(one, other))


def test_a_source_that_says_otherwise_lowers_the_score() -> None:
    one = evidence("a", "Reuters")
    assert score(known(one, against=(evidence("b", "SEC", 0.98),))) < score(known(one))


def test_each_failed_check_lowers_the_score() -> None:
    one = evidence("a", "Reuters")
    assert score(known(one, failed=2)) < score(known(one, failed=1)) < score(known(one))


# --- the curve --------------------------------------------------------------------------------------------------------


def test_a_higher_score_is_never_less_probable() -> None:
    values = [curve().at(n / 200) for n in range(201)]
    assert values == sorted(values)
    assert values[0] < values[-1]


def test_a_score_takes_the_step_that_it_reaches() -> None:
    steps = curve().steps
    assert curve().at(steps[1].score) == steps[1].confidence
    assert curve().at(steps[1].score - 1e-6) == steps[0].confidence
    assert curve().at(0.0) == steps[0].confidence


def test_the_stored_curve_says_how_well_it_holds() -> None:
    measured, provenance = curve().measured, curve().provenance
    assert note() == f"calibrated on {provenance.by_hand} labelled claims, ECE {measured.ece:.3f}"


def test_a_curve_of_another_formula_or_of_too_few_labels_is_not_used() -> None:
    other = curve().model_copy(update={"formula": FORMULA + 1})
    few = curve().model_copy(update={"provenance": curve().provenance.model_copy(update={"by_hand": ENOUGH - 1})})
    for unusable in (other, few, None):
        assert note(unusable) == "uncalibrated"
        assert confidence(BEST, unusable) == 1.0


def test_no_claim_is_ever_certain() -> None:
    assert all(0 < s.confidence < 1 for s in curve().steps)


def test_a_file_that_cannot_be_read_is_no_curve(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"formula": 1}', encoding="utf-8")
    assert load_curve(tmp_path / "c.json") is None
    assert load_curve(tmp_path / "missing.json") is None


def test_a_brief_is_as_sure_as_its_facts_are_on_average() -> None:
    assert pooled([0.9, None, 0.6]) == 0.75
    assert pooled([]) == 0.0


def test_the_curve_and_its_diagram_are_what_the_labels_give() -> None:
    assert calibrate.main(["--check"]) == 0


# --- the labels -------------------------------------------------------------------------------------------------------


def test_enough_claims_of_every_kind_are_labelled_by_hand_with_a_reason() -> None:
    claims = labelled_claims()
    assert len(claims) >= 100
    assert all(c.reason for c in claims)
    for kind in {c.kind for c in claims} - {"verbatim"}:
        assert {c.supported for c in claims if c.kind == kind} == {True, False}, kind


def test_two_in_five_are_held_out_of_both_labels() -> None:
    kept = held_out(labelled_claims())
    assert 0.35 < len(kept) / len(labelled_claims()) < 0.45
    assert 0.4 < sum(c.supported for c in kept) / len(kept) < 0.6


def test_every_labelled_quote_stands_in_the_starter_library() -> None:
    facts = {
        json.loads(line)["text"]
        for path in (HERE / "starter" / "facts").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    }
    assert {q.quote for c in labelled_claims() for q in c.quotes} <= facts


def test_an_id_that_comes_twice_is_refused(tmp_path: Path) -> None:
    line = CLAIMS.read_text(encoding="utf-8").splitlines()[0]
    (tmp_path / "twice.jsonl").write_text(f"{line}\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="twice"):
        labelled_claims(tmp_path / "twice.jsonl")


# --- the figures ------------------------------------------------------------------------------------------------------


def test_calibration_error_and_brier_score_of_a_worked_example() -> None:
    stated, true = [0.9, 0.9, 0.9, 0.9, 0.25], [True, True, True, False, False]
    assert ece(stated, true) == pytest.approx((4 * 0.15 + 1 * 0.25) / 5)
    assert brier(stated, true) == pytest.approx((3 * 0.01 + 0.81 + 0.0625) / 5)
    assert [b.claims for b in bins(stated, true)] == [0, 0, 1, 0, 0, 0, 0, 0, 0, 4]


def test_a_probability_of_one_falls_into_the_last_bin() -> None:
    assert bins([1.0, 0.3], [True, False])[9].claims == 1
    assert bins([1.0, 0.3], [True, False])[3].claims == 1


def test_precision_and_recall_of_a_worked_example() -> None:
    t = told([True, True, True, False, False], [True, True, False, True, False])
    assert (t.right, t.wrong, t.lost, t.caught) == (2, 1, 1, 1)
    assert t.precision == pytest.approx(2 / 3)
    assert t.recall == pytest.approx(2 / 3)
