"""Run the benchmarks: all of them, or those named.

python -m tests.bench [question] [sources] [planner] [reuse] [calibration]
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.bench import calibration, planner, question, reuse, sources

BENCHES: dict[str, Callable[[], int]] = {
    "question": question.main,
    "sources": sources.main,
    "planner": planner.main,
    "reuse": reuse.main,
    "calibration": calibration.main,
}


def main(names: list[str]) -> int:
    """Prints figures; fails when something could not be measured, or missed a bar that has one."""
    return max(BENCHES[name]() for name in names or list(BENCHES))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
