"""The best choice, as a mixed-integer program, with a bound that no choice can pass. Needs scipy, and seconds.

One variable x_i per option, one y_f per item for what it is worth when covered. What several options cover is not linear in x,
so y_f is held down by inequalities of the form (Nemhauser & Wolsey 1981, for any monotone submodular function)

    y_f <= F(T) + sum_{j not in T} (F(T + j) - F(T)) x_j        for a set T of the options that cover f

with F(T) = w_f * (1 - prod_{i in T} (1 - v_if)). Each is lifted: as long as no choice is cut off, the members of T that are not
chosen lower the right-hand side, which is what makes the program small to solve. All T of one and two options go in at the
start; those of a solution that is still overrated follow, until the bound meets the choice.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from agent.planning.choice import Problem, trim, value
from agent.planning.fast import fast

if TYPE_CHECKING:
    import numpy as np

GAP = 1e-3
"""How far, in its own measure, a choice may be from the bound and still count as the best."""

NOTHING = 1e-6
"""What counts as nothing: the solver's own tolerance."""

SECONDS = 20.0
MOST_LIFTED = 12
"""Options on one item up to which its inequalities are lifted: their subsets are counted out. Items with more get tangents."""
POINTS = tuple(n / 8 for n in range(33))
"""Where they touch at the start."""


@dataclass(frozen=True)
class Exact:
    """The best choice, and what no choice can pass."""

    chosen: list[int]
    bound: float


def exact(problem: Problem, *, start: Sequence[int] | None = None, gap: float = GAP, seconds: float = SECONDS) -> Exact:
    """The best choice to a relative `gap`, in at most about `seconds`. Every probability must be under 1.

    Raises ImportError without scipy, and TimeoutError when the time is over first.
    """
    program = _Program(problem)
    if not problem.options:
        return Exact([], 0.0)
    best = list(fast(problem) if start is None else start)
    ends = time.monotonic() + seconds
    seen: set[tuple[int, ...]] = set()
    while True:
        found, bound = program.solve(gap / 2, ends - time.monotonic())
        best = max(best, trim(problem, found), key=lambda chosen: value(problem, chosen))
        reached = value(problem, best)
        if bound - reached <= max(gap * abs(reached), NOTHING) or tuple(found) in seen:
            return Exact(sorted(best), max(bound, reached))
        seen.add(tuple(found))
        program.tighten(found)


class _Program:
    """The program so far. Columns: options, then items."""

    def __init__(self, problem: Problem) -> None:
        import scipy.optimize  # noqa: F401  so that a missing scipy shows here

        self._problem = problem
        self._covering: list[list[tuple[int, float]]] = [[] for _ in problem.worth]
        for i, option in enumerate(problem.options):
            for f, v in option.covers:
                self._covering[f].append((i, v))
        self._rows: list[dict[int, float]] = []
        self._most: list[float] = []
        self._limit({i: o.price for i, o in enumerate(problem.options)}, problem.budget)
        self._limit(dict.fromkeys(range(len(problem.options)), 1.0), problem.most)
        for group, most in problem.per_group.items():
            self._limit({i: 1.0 for i, o in enumerate(problem.options) if o.group == group}, most)
        for f, covering in enumerate(self._covering):
            if len(covering) <= MOST_LIFTED:
                self._hold_down(f, [t for k in (0, 1, 2) for t in combinations(range(len(covering)), k)])
            else:
                self._touch(f, POINTS)

    def solve(self, gap: float, seconds: float) -> tuple[list[int], float]:
        """The best choice of the program as it is, and a bound of every choice."""
        import numpy as np
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        problem, count = self._problem, len(self._problem.options)
        width = count + len(problem.worth)
        ends = np.cumsum([0, *(len(row) for row in self._rows)])
        data = np.array([a for row in self._rows for a in row.values()], dtype=float)
        columns = np.array([c for row in self._rows for c in row], dtype=int)
        found = milp(
            np.concatenate([[o.toll for o in problem.options], -np.ones(len(problem.worth))]),
            integrality=np.concatenate([np.ones(count), np.zeros(len(problem.worth))]),
            bounds=Bounds(np.zeros(width), np.concatenate([np.ones(count), problem.worth])),
            constraints=LinearConstraint(
                csr_array((data, columns, ends), shape=(len(self._rows), width)), -np.inf, np.array(self._most)
            ),
            options={"mip_rel_gap": gap, "time_limit": max(seconds, 0.0)},
        )
        if found.status != 0 or seconds <= 0:
            raise TimeoutError
        return [i for i in range(count) if found.x[i] > 0.5], -float(found.mip_dual_bound)

    def tighten(self, chosen: Sequence[int]) -> None:
        """Hold every item down to what this choice makes of it."""
        taken = set(chosen)
        for f, covering in enumerate(self._covering):
            members = tuple(k for k, (i, _) in enumerate(covering) if i in taken)
            if len(covering) > MOST_LIFTED:
                self._touch(f, [sum(-math.log1p(-covering[k][1]) for k in members)])
            elif len(members) > 2:
                self._hold_down(f, [members])

    def _limit(self, row: dict[int, float], most: float) -> None:
        """Rows are scaled to 1 on the right, as solvers like them."""
        scale = most if most > 0 else 1
        self._rows.append({c: a / scale for c, a in row.items()})
        self._most.append(1.0 if most > 0 else 0.0)

    def _hold_down(self, f: int, sets: Iterable[tuple[int, ...]]) -> None:
        """An inequality of item f for each set of the options that cover it."""
        import numpy as np

        worth, covering = self._problem.worth[f], self._covering[f]
        chances = np.array([v for _, v in covering])
        for members in sets:
            rest = float(np.prod(1 - chances[list(members)]))
            slopes = rest * chances
            slopes[list(members)] = 0.0
            base = 1 - rest
            if members:
                base, slopes = _lifted(base, slopes, members, chances)
            row = {i: -worth * float(a) for (i, _), a in zip(covering, slopes, strict=True) if a}
            self._rows.append({**row, len(self._problem.options) + f: 1.0})
            self._most.append(worth * base)

    def _touch(self, f: int, points: Iterable[float]) -> None:
        """Tangents of item f: what it is worth is w_f * (1 - exp(-s)), with s the sum of -log(1 - v_if) over the chosen."""
        worth, item = self._problem.worth[f], len(self._problem.options) + f
        for s in points:
            slope = worth * math.exp(-s)
            row = {i: slope * math.log1p(-v) for i, v in self._covering[f] if v > 0}
            self._rows.append({**row, item: 1.0})
            self._most.append(worth - slope * (1 + s))


def _lifted(base: float, slopes: np.ndarray, members: tuple[int, ...], chances: np.ndarray) -> tuple[float, np.ndarray]:
    """Let each member in turn take from the constant what the inequality can spare where the member is not chosen."""
    import numpy as np

    subsets = (np.arange(1 << len(chances))[:, None] >> np.arange(len(chances))) & 1
    spare = base + subsets @ slopes - (1 - np.prod(1 - subsets * chances, axis=1))
    for member in sorted(members, key=lambda m: (-chances[m], m)):
        without = subsets[:, member] == 0
        lift = max(float(spare[without].min()), 0.0)
        base, slopes[member] = base - lift, slopes[member] + lift
        spare = spare - np.where(without, lift, 0.0)
    return base, slopes
