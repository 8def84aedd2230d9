"""How sure one may be that a claim's quotes say what the claim says: a score, and the curve that makes it a probability.

    sure = confidence(signals(claim, evidence, against, names, datasets, now), CURVE)

The score (`FORMULA` names its version) is made of what the checks and the evidence already know:

    score = kept * (.6 * wording + .2 * reliability + .1 * freshness + .1 * checkable)

    kept         1 when every check passed; .4 when one failed, .2 when two, .1 when three: failing checks halve it
    wording      mean of the share of content words that the quotes hold and the share of neighbouring pairs they hold
    reliability  log-odds of the sources, pooled over independent origins, less those that contradict (agent.quality)
    freshness    of the newest quote (agent.quality)
    checkable    how many of figures, dates and names it states, of three: what can be looked up was looked up

The weights are a judgement; only the order of the scores matters, for the curve is fitted by isotonic regression (Zadrozny &
Elkan, "Transforming classifier scores into accurate multiclass probability estimates", 2002) on claims labelled by hand and
lies in catalogue/calibration.json with its provenance. `scripts/calibrate.py` writes it. Nothing here but the reading of that
file, once, at import, is impure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pydantic import Field

from agent.claims import fit
from agent.quality import by_origin, freshness, pooled_reliability
from agent.records import Claim, Dataset, Evidence
from tools.base import Frozen

FORMULA = 1
"""Raised with every change to the score: a curve fitted to another score says nothing about this one."""
ENOUGH = 50
"""Labelled claims below which a curve is not believed."""
FILE = Path(__file__).parent / "catalogue" / "calibration.json"
MOST = 0.99
"""The most that is ever said, and 1 - MOST the least: no number of labels makes certain."""


# --- the score --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signals:
    """What is known of a claim; all but the counts in [0, 1]."""

    failed: int
    """Checks that failed."""
    recall: float
    order: float
    checkable: int
    """0 to 3."""
    reliability: float
    freshness: float


def signals(
    claim: Claim,
    evidence: Sequence[Evidence],
    against: Sequence[Evidence],
    names: Sequence[str],
    datasets: Mapping[str, Dataset],
    now: datetime,
) -> Signals:
    """What is known of a checked claim about the company called `names`.

    `evidence` are its quotes, `against` those that contradict it; `datasets` give the half-lives with which quotes age.
    """
    closeness = fit(claim.text, [e.quote for e in evidence], names)
    ages = [
        freshness(e.published_at, now, datasets[e.dataset].half_life_days) for e in evidence if e.dataset in datasets
    ]
    return Signals(
        failed=sum(not c.passed for c in claim.checks) if claim.checks else 1,
        recall=closeness.recall,
        order=closeness.order,
        checkable=closeness.checkable,
        reliability=pooled_reliability(by_origin(evidence), by_origin(against)),
        freshness=max(ages, default=0.0),
    )


def score(known: Signals) -> float:
    """The score, in [0, 1]; the formula stands atop this file."""
    kept = 0.8 * 0.5**known.failed if known.failed else 1.0
    wording = (known.recall + known.order) / 2
    return kept * (0.6 * wording + 0.2 * known.reliability + 0.1 * known.freshness + 0.1 * known.checkable / 3)


# --- the curve --------------------------------------------------------------------------------------------------------


class Step(Frozen):
    """From this score on, up to the next step, this probability."""

    score: float = Field(ge=0, le=1)
    confidence: float = Field(ge=0, le=1)
    claims: int = Field(ge=0)
    """Claims labelled by hand that it rests on."""


class Provenance(Frozen):
    """What a curve was fitted on, and how."""

    method: str
    file: str
    sha256: str
    """Of that file."""
    by_hand: int
    """Claims labelled by hand that the checks had not seen."""
    known: int
    """Claims labelled by hand on whose misses the checks were mended."""
    generated: int
    small_weight: float
    """What a known or a generated claim counts, against 1 for the others."""
    held_out: str
    """The rule by which claims are kept out of the fitting."""
    written_on: date


class Measured(Frozen):
    """How good the curve is on claims labelled by hand that it was not fitted on."""

    claims: int
    ece: float
    """Expected calibration error, ten bins of equal width."""
    brier: float


class Curve(Frozen):
    """A fitted curve as it is stored."""

    formula: int
    provenance: Provenance
    measured: Measured
    steps: tuple[Step, ...] = Field(min_length=1)

    @property
    def usable(self) -> bool:
        """Whether it was fitted to this score, on enough claims."""
        return self.formula == FORMULA and self.provenance.by_hand >= ENOUGH

    def at(self, value: float) -> float:
        """The probability that a claim of this score is supported; below the first step, that of the first."""
        place = bisect_right(self.steps, value, key=lambda s: s.score) - 1
        return self.steps[max(place, 0)].confidence


def load_curve(path: Path = FILE) -> Curve | None:
    """The stored curve; None when there is none that can be read, which makes every note say so: "uncalibrated"."""
    try:
        return Curve.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


CURVE = load_curve()
"""Read once, at import: a node must not wait for a file."""


# --- both together ----------------------------------------------------------------------------------------------------


def confidence(known: Signals, curve: Curve | None = CURVE) -> float:
    """The probability that the quotes support the claim, or the bare score when no curve can be used."""
    value = score(known)
    return round(curve.at(value) if curve and curve.usable else value, 3)


def pooled(confidences: Sequence[float | None]) -> float:
    """The confidence of a brief: the mean over its facts; 0 when it states none."""
    said = [c for c in confidences if c is not None]
    return round(sum(said) / len(said), 3) if said else 0.0


def note(curve: Curve | None = CURVE) -> str:
    """What a confidence is worth, in a few words."""
    if curve is None or not curve.usable:
        return "uncalibrated"
    return f"calibrated on {curve.provenance.by_hand} labelled claims, ECE {curve.measured.ece:.3f}"
