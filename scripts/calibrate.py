"""Fits the curve that turns a claim's score into a probability, and writes it down with its provenance.

    python -m scripts.calibrate            fit; write agent/catalogue/calibration.json and the diagram in docs/confidence.md
    python -m scripts.calibrate --check    write nothing; exit 1 when either is out of date

Fitted on claims labelled by hand that are not held out. Those of the early batches, on whose misses the checks were mended,
and the generated ones of `tests.corruptions`, against which the checks were made, flatter the checks: each counts a tenth.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from agent.confidence import FILE, FORMULA, MOST, Curve, Measured, Provenance, Step, load_curve, score
from agent.records import content_id
from evals.labelled import CLAIMS, Labelled, Source, held_out, labelled_claims
from evals.labelled.figures import Bin, bins, brier, ece
from tests.corruptions import Case, corruptions, variants

PAGE = Path(__file__).parents[1] / "docs" / "confidence.md"
BEGIN, END = "<!-- written by scripts.calibrate -->", "<!-- end of the diagram -->"
SEED = 20260701
PER_LABEL = 200
"""Generated claims of each label that are fitted on: the first by id, which is as good as at random."""
WEIGHT = 0.1
"""Of a claim that the checks have seen, against 1 for one they have not."""
LEAST = 40.0
"""Weight that a step rests on at least, lest the curve follow single claims: of 10, 15, 20, 30 and 40 it had the smallest
calibration error when the fitting part of the second batch was cross-validated (.060, against .082 for 10)."""

REFUSED = 0.4
"""The most that a claim with a failed check can score: no step mixes refused claims with accepted ones."""


# --- what it is fitted on ---------------------------------------------------------------------------------------------


def generated() -> list[Labelled]:
    """Every generated claim, labelled by how it was made."""
    cases = [*((c, True) for c in variants()), *((c, False) for c in corruptions(SEED))]
    return [_labelled(case, honest) for case, honest in cases]


def _labelled(case: Case, honest: bool) -> Labelled:
    base = case.base
    day = base.published_at.date() if base.published_at else None
    return Labelled(
        id=content_id(case.text, base.quote),
        kind=case.kind,
        company=base.about,
        names=base.names,
        sentence=case.text,
        supported=honest,
        batch=0,
        quotes=(Source(quote=base.quote, title=base.title, published=day, dataset=base.dataset),),
    )


def fitting_part(claims: Iterable[Labelled]) -> list[Labelled]:
    """Generated claims to fit on, the same number of each label."""
    free = sorted((c for c in claims if not c.held_out), key=lambda c: c.id)
    return [c for label in (True, False) for c in [c for c in free if c.supported is label][:PER_LABEL]]


# --- the curve --------------------------------------------------------------------------------------------------------


def fit(by_hand: Sequence[Labelled], known: Sequence[Labelled]) -> tuple[Step, ...]:
    """Isotonic regression of the labels on the scores, in steps that rest on enough weight; `known` claims count little."""
    from scipy.optimize import isotonic_regression

    pool = [(round(score(c.signals), 4), c.supported, w) for cs, w in ((by_hand, 1.0), (known, WEIGHT)) for c in cs]
    scores = sorted({s for s, _, _ in pool})
    # claims of one score are one point, else their order would decide
    weight = {s: sum(w for t, _, w in pool if t == s) for s in scores}
    share = {s: sum(w * y for t, y, w in pool if t == s) / weight[s] for s in scores}
    level = isotonic_regression([share[s] for s in scores], weights=[weight[s] for s in scores]).x
    steps: list[list[float]] = []  # [first score, level, weight]
    for s, y in zip(scores, level, strict=True):
        apart = bool(steps) and steps[-1][0] <= REFUSED < s
        if steps and not apart and (abs(steps[-1][1] - y) < 1e-9 or steps[-1][2] < LEAST):
            first, old, w = steps[-1]
            steps[-1] = [first, (old * w + y * weight[s]) / (w + weight[s]), w + weight[s]]
        else:
            steps.append([s, float(y), weight[s]])
    if len(steps) > 1 and steps[-1][2] < LEAST:
        (first, a, v), (_, b, w) = steps[-2:]
        steps[-2:] = [[first, (a * v + b * w) / (v + w), v + w]]
    ends = [*(s[0] for s in steps[1:]), 2.0]
    mine = [round(score(c.signals), 4) for c in by_hand]
    return tuple(
        Step(
            score=first,
            confidence=round(min(max(float(y), 1 - MOST), MOST), 4),
            claims=sum(first <= s < end for s in mine),
        )
        for (first, y, _), end in zip(steps, ends, strict=True)
    )


def calibrate() -> Curve:
    """Fit, measure on what was held out, and say what was done. The date is today's."""
    claims = labelled_claims()
    free, made = [c for c in claims if not c.held_out], fitting_part(generated())
    by_hand, known = [c for c in free if not c.known], [c for c in free if c.known]
    provenance = Provenance(
        method=f"isotonic regression (scipy.optimize.isotonic_regression), steps of weight {LEAST:g} or more",
        file="evals/labelled/claims.jsonl",
        sha256=hashlib.sha256(CLAIMS.read_bytes()).hexdigest(),
        by_hand=len(by_hand),
        known=len(known),
        generated=len(made),
        small_weight=WEIGHT,
        held_out="claims whose id, read as a hexadecimal number, is 0 to 3 modulo 10",
        written_on=datetime.now(UTC).date(),
    )
    unmeasured = Measured(claims=0, ece=0, brier=0)
    curve = Curve(formula=FORMULA, provenance=provenance, measured=unmeasured, steps=fit(by_hand, [*known, *made]))
    stated, true = stated_and_true(held_out(claims), curve)
    measured = Measured(claims=len(true), ece=round(ece(stated, true), 4), brier=round(brier(stated, true), 4))
    return curve.model_copy(update={"measured": measured})


def stated_and_true(claims: Sequence[Labelled], curve: Curve) -> tuple[list[float], list[bool]]:
    """What the curve says of each claim, and what its label says."""
    return [curve.at(score(c.signals)) for c in claims], [c.supported for c in claims]


# --- writing it down --------------------------------------------------------------------------------------------------


def diagram(curve: Curve) -> str:
    """The reliability diagram and the curve, as Markdown."""
    stated, true = stated_and_true(held_out(labelled_claims()), curve)
    m, p = curve.measured, curve.provenance
    return "\n".join(
        [
            f"{m.claims} claims labelled by hand and held out: ECE {m.ece:.3f}, Brier score {m.brier:.3f}.",
            "",
            "| confidence | claims | stated, mean | supported | |",
            "|---|---:|---:|---:|---|",
            *(_row(b) for b in bins(stated, true)),
            "",
            f"The curve, fitted on {p.by_hand} claims labelled by hand, and at a tenth of the weight {p.known} whose "
            f"misses the checks were mended on and {p.generated} generated ones:",
            "",
            f"| score from | confidence | of the {p.by_hand} claims |",
            "|---:|---:|---:|",
            *(f"| {s.score:.4f} | {s.confidence:.3f} | {s.claims} |" for s in curve.steps),
        ]
    )


def _row(b: Bin) -> str:
    if not b.claims:
        return f"| {b.low:.1f} to {b.high:.1f} | 0 | | | |"
    bar = "█" * round(20 * b.found) or "▏"
    return f"| {b.low:.1f} to {b.high:.1f} | {b.claims} | {b.stated:.3f} | {b.found:.3f} | {bar} |"


def page_with(text: str, part: str) -> str:
    """The page with its diagram replaced. Raises ValueError when the page has no place for it."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{part}\n{END}{after}"


def main(args: Sequence[str]) -> int:
    """Write, or with --check compare: the date of writing alone may differ."""
    curve, page = calibrate(), PAGE.read_text(encoding="utf-8")
    stored = load_curve()
    if stored is not None:
        dated = curve.provenance.model_copy(update={"written_on": stored.provenance.written_on})
        if stored == curve.model_copy(update={"provenance": dated}):
            curve = stored
    wanted = page_with(page, diagram(curve))
    if "--check" in args:
        stale = [str(path) for path, good in ((FILE, stored == curve), (PAGE, page == wanted)) if not good]
        print(f"out of date: {', '.join(stale)}; run python -m scripts.calibrate" if stale else "up to date")
        return int(bool(stale))
    FILE.write_text(curve.model_dump_json(indent=2) + "\n", encoding="utf-8")
    PAGE.write_text(wanted, encoding="utf-8")
    m = curve.measured
    print(f"{len(curve.steps)} steps; held out: {m.claims} claims, ECE {m.ece}, Brier {m.brier}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
