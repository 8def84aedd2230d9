"""The fast choice: the best choice found for every sum of money up to the budget, kept as a staircase.

A step of the staircase is a choice that is worth more than every step that costs less. Starting from nothing, each step in
order of its cost is tried with every option on top of it; what beats the staircase at its cost becomes a step, and what it beats
falls out. So every option and every pair is a start, and a choice that is dear for what it brings is exchanged for a better one
on the way. It is dynamic programming over the money spent, with one choice kept per sum.

Two more things enter: the plain greedy choice of every budget up to this one, so that the result is never worse than it, and
each step without the option that the rest of it made worthless. All of it happens in order of cost and looks only at what
costs no more, so a larger budget goes through the same steps first: more money never ends in a worse choice.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from agent.planning.choice import Problem, after, greedy, left_over, net_gain, trim, value

TINY = 1e-10
"""Two choices this near to each other are worth the same: the first stays."""

MAX_STEPS = 5_000
"""Steps after which the greedy rule spends the rest: far more than sixty calls at sixty prices take."""


def fast(problem: Problem, max_steps: int = MAX_STEPS) -> list[int]:
    """A choice near the best; positions of options in ascending order. Every probability must be under 1."""
    stairs = _Staircase(problem)
    if stairs.climb(max_steps):
        return sorted(stairs.best)
    reached = max([*stairs.best], greedy(problem), key=lambda chosen: value(problem, chosen))
    return sorted(greedy(problem, trim(problem, reached)))


class _Step(NamedTuple):
    """A choice on the staircase, as the step it comes from saw it."""

    chosen: tuple[int, ...]
    left: list[float]
    """What was left per item before the last option joined."""
    gains: list[float]
    """What each option added then: upper bounds of what it adds now."""
    slack: float
    """What its least useful option adds to the rest of it after its toll, or less."""


class _Run(NamedTuple):
    """A greedy choice under way, of all budgets from what it costs up to `ceiling`."""

    cost: int
    ceiling: int
    chosen: tuple[int, ...]
    value: float
    left: list[float]
    queue: list[tuple[float, int]]
    """What may still join, a heap: minus what it added for its price when that was last worked out, and its position."""


class _Staircase:
    """Choices by what they cost, each worth more than all cheaper ones."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._alone = [net_gain(o, problem.worth) for o in problem.options]
        useful = [i for i, gain in enumerate(self._alone) if gain > TINY and problem.options[i].price <= problem.budget]
        self._by_price = sorted(
            ((problem.options[i].price, i, problem.options[i]) for i in useful), key=lambda o: o[:2]
        )
        self._odds = {i: [(f, v / (1 - v)) for f, v in problem.options[i].covers] for i in useful}
        left = list(problem.worth)
        self._costs, self._values = [0], [0.0]
        self._steps = [_Step((), left, self._alone, math.inf)]
        self._next = 0
        """The lowest step that was not tried yet."""
        queue = sorted((-self._alone[i] / price, i) for price, i, _ in self._by_price)
        self._runs = [_Run(0, problem.budget, (), 0.0, left, queue)]

    @property
    def best(self) -> tuple[int, ...]:
        """The highest step."""
        return self._steps[-1].chosen

    def climb(self, max_steps: int) -> bool:
        """Try every step and follow every greedy run, in order of cost; False when that takes more than `max_steps`."""
        for _ in range(max_steps):
            top = self._next == len(self._steps)
            if self._runs and (top or self._runs[0].cost <= self._costs[self._next]):
                self._follow(heapq.heappop(self._runs))
            elif top:
                return True
            else:
                self._next += 1
                self._try(self._next - 1)
        return False

    def _try(self, at: int) -> None:
        """Put every option on top of a step."""
        chosen, left, gains, slack = self._steps[at]
        cost, its, alone = self._costs[at], self._values[at], self._alone
        if chosen:
            left = after(left, self._problem.options[chosen[-1]])
        if slack < 0 and (slack := self._slack(chosen, left)) < -TINY:
            self._put_afresh(trim(self._problem, chosen))
            return
        gains, costs, values, problem = gains.copy(), self._costs, self._values, self._problem
        room, bound = problem.budget - cost, bool(problem.per_group) or len(chosen) >= problem.most
        for price, i, option in self._by_price:
            if price > room:
                break
            at_most = its + gains[i]
            if at_most <= its or at_most <= (bar := values[bisect_right(costs, cost + price) - 1]) or i in chosen:
                continue
            gain = -option.toll
            for f, v in option.covers:
                gain += left[f] * v
            gains[i] = gain
            if gain > TINY and its + gain > bar and not (bound and not problem.allows(chosen, option)):
                # No option loses more to a newcomer than the newcomer loses to all of them.
                least = min(gain, slack - (alone[i] - gain))
                self._put(cost + price, its + gain, _Step((*chosen, i), left, gains, least))

    def _follow(self, run: _Run) -> None:
        """Take a greedy run one option further. Budgets under what that option needs go another way from here."""
        queue, problem, room = run.queue.copy(), self._problem, run.ceiling - run.cost
        while queue:
            best = queue[0][1]
            option = problem.options[best]
            fits = option.price <= room and problem.allows(run.chosen, option)
            if not fits or (density := net_gain(option, run.left) / option.price) <= 0:
                heapq.heappop(queue)
            elif (-density, best) > queue[0]:
                heapq.heapreplace(queue, (-density, best))
            else:
                break
        if not queue:
            if run.value > self._height(run.cost) + TINY:
                self._put_afresh(run.chosen)
        elif run.value + density * room > self._height(run.cost) + TINY:  # else none will be a step
            cost, worth = run.cost + option.price, run.value + density * option.price
            heapq.heappush(self._runs, run._replace(ceiling=cost - 1, queue=queue))
            rest = queue.copy()
            heapq.heappop(rest)
            left = after(run.left, option)
            heapq.heappush(self._runs, _Run(cost, run.ceiling, (*run.chosen, best), worth, left, rest))

    def _put_afresh(self, chosen: Sequence[int]) -> None:
        """Put a choice that no step led to."""
        before = left_over(self._problem, chosen[:-1])
        step = _Step(tuple(chosen), before, self._alone, -math.inf if chosen else math.inf)
        self._put(self._problem.spend(chosen), value(self._problem, chosen), step)

    def _slack(self, chosen: tuple[int, ...], left: list[float]) -> float:
        """What the least useful option of a choice adds to the rest of it, after its toll."""
        least = math.inf
        for i in chosen:
            adds = -self._problem.options[i].toll
            for f, odds in self._odds[i]:
                adds += left[f] * odds
            if adds < least:
                least = adds
        return least

    def _height(self, cost: int) -> float:
        """What the staircase reaches for so much money."""
        return self._values[bisect_right(self._costs, cost) - 1]

    def _put(self, cost: int, its: float, step: _Step) -> None:
        """Make a choice a step if it is higher than the staircase there; what it towers over falls out."""
        at = bisect_right(self._costs, cost)
        if its <= self._values[at - 1] + TINY:
            return
        begin = bisect_left(self._costs, cost)
        end = at
        while end < len(self._values) and self._values[end] <= its:
            end += 1
        self._costs[begin:end], self._values[begin:end], self._steps[begin:end] = [cost], [its], [step]
        self._next = min(self._next, begin)
