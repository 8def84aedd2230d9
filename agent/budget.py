"""Money: a budget is a ceiling, the ledger its append-only rows, a reservation the money held before a call.

All amounts are whole micro-dollars. For every budget, at every moment and after every crash:

    spent + reserved <= ceiling

A call holds money in all its budgets (run, thread, consumer type and day) at once or in none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from agent.records import Costs, to_usd
from tools.base import Frozen

NEVER_MADE = "The run was over before this call was made: nothing was spent."
"""What a call says that was planned and never began."""


class Budget(Frozen):
    """A ceiling over some scope."""

    id: str
    scope: str
    """`run`, `thread`, `consumer_day` or `eval`."""
    ceiling: int
    spent: int = 0
    reserved: int = 0

    @property
    def remaining(self) -> int:
        """What may still be held."""
        return self.ceiling - self.spent - self.reserved


class CallState(StrEnum):
    """Where the money of a call stands."""

    RESERVED = "reserved"
    SETTLED = "settled"
    RELEASED = "released"
    """It was not made, or known to be free of charge: nothing was spent."""
    UNKNOWN = "unknown"
    """It was in flight when its process died, or its end cannot be known: the whole hold counts as spent."""
    CACHED = "cached"
    """Answered by a stored reply."""


class Failure(Frozen):
    """A call that failed, as the ledger keeps it."""

    kind: str
    message: str


@dataclass(frozen=True)
class Reservation:
    """The row of a call."""

    call_id: str
    run_id: str
    label: str
    state: CallState
    held: int
    cost: int
    saved: int
    owner: str
    reserved_at: datetime
    reply: str | None
    """The stored reply, as JSON text."""
    failure: Failure | None
    retrieved_at: datetime | None


@dataclass(frozen=True)
class Order:
    """What is to be bought."""

    call_id: str
    run_id: str
    label: str
    """The source's name, or `model`."""
    amount: int
    """The most it can cost: what is held."""
    budgets: tuple[str, ...]
    cache_key: str | None = None
    max_age: float = 0.0
    """Seconds: a stored reply that is older is not taken."""


# --- what the ledger answers to an order -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Granted:
    """The money is held: make the call, then settle or release."""


@dataclass(frozen=True)
class Existing:
    """This call id is known already: finished, or in flight."""

    row: Reservation


@dataclass(frozen=True)
class FromCache:
    """A stored reply is fresh enough; nothing is held and the hit is recorded."""

    row: Reservation
    price: int
    """What the stored reply cost when it was bought."""


@dataclass(frozen=True)
class InFlight:
    """Another call is fetching the same thing right now: wait for it."""

    call_id: str
    owner: str


@dataclass(frozen=True)
class Refused:
    """A budget has no room. Nothing is held."""

    budget: Budget
    amount: int


Verdict = Granted | Existing | FromCache | InFlight | Refused


class Balance(Frozen):
    """The audit of one budget: what its rows add up to, against what it says."""

    budget: Budget
    spent_by_entries: int
    reserved_by_entries: int

    @property
    def holds(self) -> bool:
        """Whether entries and budget agree and the ceiling is kept."""
        b = self.budget
        agree = (b.spent, b.reserved) == (self.spent_by_entries, self.reserved_by_entries)
        return agree and b.spent >= 0 and b.reserved >= 0 and b.spent + b.reserved <= b.ceiling


class RunMoney(Frozen):
    """What one run's calls come to."""

    spent: int = 0
    unknown: int = 0
    reserved: int = 0
    cache_hits: int = 0
    new_api_calls: int = 0
    total_new_cost: int = 0
    total_cache_savings: int = 0

    def costs(self, ceiling: int) -> Costs:
        """The same in USD, beside the run's budget."""
        return Costs(
            budget=to_usd(ceiling),
            spent=to_usd(self.spent),
            unknown=to_usd(self.unknown),
            cache_hits=self.cache_hits,
            new_api_calls=self.new_api_calls,
            total_new_cost=to_usd(self.total_new_cost),
            total_cache_savings=to_usd(self.total_cache_savings),
        )


class UsageRow(Frozen):
    """Money, USD, and calls of one day and source."""

    day: str
    label: str
    calls: int
    cost: Decimal
    unknown: Decimal
    cache_hits: int
    saved: Decimal
