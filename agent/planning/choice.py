"""The choice itself, free of everything a call is: which options cover most for their price.

An option i covers item f with probability v_if, independently of the others. A choice S is worth

    sum_f w_f * (1 - prod_{i in S} (1 - v_if))  -  sum_{i in S} toll_i

under a budget, a number of options, and a number per group. The first part is monotone and submodular: what an option adds
only shrinks as others join, so an old figure of it is an upper bound.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Option:
    """Something that may be chosen."""

    price: int
    """What it takes from the budget; more than 0, for what is free is no question of money."""
    toll: float
    """What it must bring, in units of worth."""
    covers: tuple[tuple[int, float], ...]
    """Item and probability of covering it, under 1."""
    group: str = ""


@dataclass(frozen=True)
class Problem:
    """What there is to choose from, and the limits."""

    worth: tuple[float, ...]
    """Per item, what covering it is worth."""
    options: tuple[Option, ...]
    budget: int
    most: int = 1_000
    per_group: Mapping[str, int] = field(default_factory=dict)

    def allows(self, chosen: Collection[int], option: Option) -> bool:
        """Whether one more option keeps within the number of options, all told and of its group. Money is not looked at."""
        if len(chosen) >= self.most:
            return False
        limit = self.per_group.get(option.group) if self.per_group else None
        return limit is None or sum(self.options[i].group == option.group for i in chosen) < limit

    def spend(self, chosen: Collection[int]) -> int:
        """What a choice takes from the budget."""
        return sum(self.options[i].price for i in chosen)


def after(worth: Sequence[float], option: Option) -> list[float]:
    """What is left to gain per item once an option is chosen."""
    left = list(worth)
    for f, v in option.covers:
        left[f] *= 1 - v
    return left


def left_over(problem: Problem, chosen: Collection[int]) -> list[float]:
    """What is left to gain per item after a whole choice; in the order of the options, so that it is the same for all orders."""
    left = list(problem.worth)
    for i in sorted(chosen):
        left = after(left, problem.options[i])
    return left


def net_gain(option: Option, left: Sequence[float]) -> float:
    """What an option adds to what is left, after its toll."""
    return sum([left[f] * v for f, v in option.covers]) - option.toll


def value(problem: Problem, chosen: Collection[int]) -> float:
    """What a choice is worth, after its tolls."""
    tolls = math.fsum(problem.options[i].toll for i in chosen)
    return math.fsum(problem.worth) - math.fsum(left_over(problem, chosen)) - tolls


def greedy(problem: Problem, start: Sequence[int] = ()) -> list[int]:
    """The plain rule, on top of a start: always the option that adds most for its price, as long as it fits and adds anything."""
    chosen, left = list(start), left_over(problem, start)
    room = problem.budget - problem.spend(start)
    while True:
        best, most = -1, 0.0
        for i, o in enumerate(problem.options):
            if o.price <= room and i not in chosen and problem.allows(chosen, o):
                density = net_gain(o, left) / o.price
                if density > most:
                    best, most = i, density
        if best < 0:
            return chosen
        chosen.append(best)
        room -= problem.options[best].price
        left = after(left, problem.options[best])


def trim(problem: Problem, chosen: Sequence[int]) -> list[int]:
    """The choice without what the rest of it makes worthless, the worst first."""
    kept = list(chosen)
    while kept:
        adds = {i: net_gain(problem.options[i], left_over(problem, [k for k in kept if k != i])) for i in kept}
        worst = min(kept, key=lambda i: (adds[i], i))
        if adds[worst] >= 0:
            break
        kept.remove(worst)
    return kept
