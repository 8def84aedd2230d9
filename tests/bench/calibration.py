"""How far a stated confidence can be trusted, and how well the checks tell supported claims from others.

    python -m tests.bench calibration

Printed: expected calibration error and Brier score on the claims labelled by hand that were held out; citation precision and
recall over the generated claims, over those labelled by hand, and over both; the share of planted corruptions that are caught,
by kind; false rejections. Exits 1 when a bar is missed or the stored curve cannot be used. The bars on precision, recall and
false rejections are on both together; the part labelled by hand is printed by itself, without what the checks were mended on too.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from agent.confidence import CURVE, note
from evals.labelled import Labelled, held_out, labelled_claims
from evals.labelled.figures import Told, bins, brier, ece, told
from scripts.calibrate import generated, stated_and_true

MOST_ECE, LEAST_PRECISION, LEAST_RECALL, MOST_REFUSED = 0.05, 0.95, 0.90, 0.05
LEAST_MADE, LEAST_BY_HAND = 300, 100
RESAMPLES = 1_000


def main() -> int:
    """Prints the figures; 1 when a bar is missed."""
    by_hand, made = labelled_claims(), generated()
    missed = _calibration(by_hand)
    missed += citations(by_hand, made)
    for bar in missed:
        print(f"MISSED: {bar}")
    return int(bool(missed))


def _calibration(by_hand: Sequence[Labelled]) -> list[str]:
    if CURVE is None or not CURVE.usable:
        return ["no usable curve: run python -m scripts.calibrate"]
    kept = held_out(by_hand)
    stated, true = stated_and_true(kept, CURVE)
    print(note())
    print(f"{'confidence':<14}{'claims':>8}{'stated':>9}{'supported':>11}")
    for b in bins(stated, true):
        means = f"{b.stated:>9.3f}{b.found:>11.3f}" if b.claims else ""
        print(f"{f'{b.low:.1f} to {b.high:.1f}':<14}{b.claims:>8}{means}")
    error = ece(stated, true)
    print(
        f"held out: {len(kept)} claims labelled by hand, ECE {error:.3f} (at most {MOST_ECE}), Brier {brier(stated, true):.3f}"
    )
    low, high = _interval(stated, true)
    print(f"ECE over {RESAMPLES} resamples of these claims: {low:.3f} to {high:.3f} (95%)")
    return [f"ECE {error:.3f}"] if error > MOST_ECE else []


def _interval(stated: Sequence[float], true: Sequence[bool]) -> tuple[float, float]:
    """Bootstrap interval. It lies high: resampling adds noise, and noise can only add to a sum of absolute gaps."""
    rng, every = random.Random(0), range(len(stated))
    drawn = [rng.choices(every, k=len(stated)) for _ in range(RESAMPLES)]
    errors = sorted(ece([stated[i] for i in d], [true[i] for i in d]) for d in drawn)
    return errors[int(0.025 * RESAMPLES)], errors[int(0.975 * RESAMPLES)]


def citations(by_hand: Sequence[Labelled], made: Sequence[Labelled]) -> list[str]:
    """Print precision, recall and false rejections, in all and by kind; the bars that are missed."""
    print(f"\n{'claims':<34}{'number':>8}{'precision':>11}{'recall':>8}{'false rejections':>18}")
    unseen = [c for c in by_hand if not c.known]
    groups = {
        "generated": made,
        "by hand": by_hand,
        "by hand, never read for mending": unseen,
        "generated and by hand": [*made, *by_hand],
    }
    for name, claims in groups.items():
        t = _told(claims)
        print(f"{name:<34}{t.claims:>8}{t.precision:>11.3f}{t.recall:>8.3f}{1 - t.recall:>18.3f}")
    for name, claims in (("by hand", by_hand), ("generated", made)):
        _by_kind(name, claims)
    all_of_them = _told([*made, *by_hand])
    return [
        *(["too few claims"] if len(made) < LEAST_MADE or len(by_hand) < LEAST_BY_HAND else []),
        *([f"precision {all_of_them.precision:.3f}"] if all_of_them.precision < LEAST_PRECISION else []),
        *([f"recall {all_of_them.recall:.3f}"] if all_of_them.recall < LEAST_RECALL else []),
        *([f"false rejections {1 - all_of_them.recall:.3f}"] if 1 - all_of_them.recall >= MOST_REFUSED else []),
    ]


def _by_kind(name: str, claims: Sequence[Labelled]) -> None:
    """For each kind: of the claims that are not supported the share caught, of those that are the share accepted."""
    print(f"\n{name + ', by kind':<34}{'caught':>12}{'accepted':>12}")
    for kind in dict.fromkeys(c.kind for c in claims):
        t = _told([c for c in claims if c.kind == kind])
        false, true = t.caught + t.wrong, t.right + t.lost
        caught, accepted = (f"{a}/{b}" if b else "-" for a, b in ((t.caught, false), (t.right, true)))
        print(f"{kind:<34}{caught:>12}{accepted:>12}")


def _told(claims: Sequence[Labelled]) -> Told:
    return told([c.accepted for c in claims], [c.supported for c in claims])
