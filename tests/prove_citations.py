"""Plant corruptions in honest claims and count what survives: `python -m tests.prove_citations`.

Prints one line per kind; ends with 1 when a corruption survives or at least 5 % of the honest variants are refused.
"""

from __future__ import annotations

import sys

from tests.corruptions import corruptions, tally, variants

SEED = 20260701
LEAST = 500
MOST_REFUSED = 0.05


def main() -> int:
    """The table, the survivors, and the verdict as an exit code."""
    planted, honest = tally(corruptions(SEED)), tally(variants())
    print(f"{'corruption':<24}{'planted':>9}{'caught':>9}")
    for kind, (count, survivors) in planted.items():
        print(f"{kind:<24}{count:>9}{count - len(survivors):>9}")
        for case in survivors:
            print(f"    survives: {case.text!r}\n       quote: {case.base.quote!r}")
    print(f"\n{'honest variant':<24}{'honest':>9}{'falsely rejected':>18}")
    for kind, (count, accepted) in honest.items():
        print(f"{kind:<24}{count:>9}{count - len(accepted):>18}")
    total = sum(count for count, _ in planted.values())
    alive = sum(len(s) for _, s in planted.values())
    said = sum(count for count, _ in honest.values())
    refused = said - sum(len(a) for _, a in honest.values())
    print(
        f"\n{total} planted, {total - alive} caught; {said} honest, {refused} falsely rejected ({refused / said:.1%})"
    )
    return int(alive > 0 or refused / said >= MOST_REFUSED or total < LEAST)


if __name__ == "__main__":
    sys.exit(main())
