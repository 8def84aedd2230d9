"""The ledger under a random stateful test with crashes, and under four processes that race for one budget.

python -m tests.proofs ledger
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from agent.budget import CallState, Existing, Failure, Granted, Order, Refused
from agent.store.ledger import Ledger

NOW = datetime(2026, 11, 22, tzinfo=UTC)
UNITS, PROCESSES, TASKS = 20_000, 4, 8


class LedgerMachine(RuleBasedStateMachine):
    """Reserve, settle, release, crash and reopen in any order; a plain dict keeps the books beside it."""

    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.ceilings = {"run:1": 1_000, "run:2": 1_000, "thread": 1_500}
        self.held: dict[str, tuple[tuple[str, ...], int]] = {}
        self.spent = dict.fromkeys(self.ceilings, 0)
        self.finished: dict[str, int] = {}
        self.owner = 0
        self.open()

    def open(self) -> None:
        self.ledger = Ledger(Path(self.folder.name) / "ledger.db")
        for name, ceiling in self.ceilings.items():
            self.loop.run_until_complete(self.ledger.open_budget(name, "run", ceiling))

    @rule(target=calls, number=st.integers(0, 40))
    def name_a_call(self, number: int) -> str:
        return f"call-{number}"

    @rule(call=calls, run=st.sampled_from(["run:1", "run:2"]), amount=st.integers(0, 600))
    def reserve(self, call: str, run: str, amount: int) -> None:
        order = Order(call_id=call, run_id=run, label="s", amount=amount, budgets=(run, "thread"))
        verdict = self.loop.run_until_complete(self.ledger.reserve(order, str(self.owner), NOW))
        if call in self.held or call in self.finished:
            assert isinstance(verdict, Existing)
            return
        room = min(self.ceilings[b] - self.spent[b] - self.reserved(b) for b in order.budgets)
        assert isinstance(verdict, Granted if amount <= room else Refused)
        if amount <= room:
            self.held[call] = (order.budgets, amount)

    @rule(call=calls, share=st.floats(0, 1), how=st.sampled_from(["settle", "release", "unknown"]))
    def end(self, call: str, share: float, how: str) -> None:
        if call not in self.held and call not in self.finished:
            return
        amount = self.held[call][1] if call in self.held else 0
        cost = {"settle": int(amount * share), "release": 0, "unknown": amount}[how]
        owner, failure = str(self.owner), Failure(kind="x", message="x")
        match how:
            case "settle":
                work = self.ledger.settle(call, owner, NOW, cost=cost, reply="{}")
            case "release":
                work = self.ledger.release(call, owner, NOW)
            case _:
                work = self.ledger.mark_unknown(call, owner, NOW, failure=failure)
        row = self.loop.run_until_complete(work)
        if call in self.held:
            budgets, _ = self.held.pop(call)
            for budget in budgets:
                self.spent[budget] += cost
            self.finished[call] = cost
        assert row.cost == self.finished[call]

    @rule()
    def crash(self) -> None:
        """The process dies: the next one opens the same file and takes over what was in flight."""
        self.ledger.close()
        self.open()
        before, self.owner = str(self.owner), self.owner + 1
        for call in self.held:
            assert self.loop.run_until_complete(self.ledger.adopt(call, before, str(self.owner)))

    def reserved(self, budget: str) -> int:
        return sum(amount for budgets, amount in self.held.values() if budget in budgets)

    @invariant()
    def the_books_balance_and_no_ceiling_is_passed(self) -> None:
        for balance in self.loop.run_until_complete(self.ledger.audit()):
            assert balance.holds, balance
            assert balance.budget.spent == self.spent[balance.budget.id]
            assert balance.budget.reserved == self.reserved(balance.budget.id)

    def teardown(self) -> None:
        self.ledger.close()
        self.loop.close()
        self.folder.cleanup()


def race(path: str, process: int, granted: multiprocessing.Queue[int]) -> None:
    """One process: eight tasks that buy units one by one until there are none left."""

    async def buyer(ledger: Ledger, task: int) -> int:
        bought = 0
        while True:
            call = f"{process}-{task}-{bought}"
            order = Order(call_id=call, run_id="r", label="s", amount=1, budgets=("b",))
            if not isinstance(await ledger.reserve(order, str(process), NOW), Granted):
                return bought
            row = await ledger.settle(call, str(process), NOW, cost=1, reply="{}")
            assert row.state is CallState.SETTLED
            bought += 1

    async def everyone() -> int:
        ledger = Ledger(Path(path))
        bought = await asyncio.gather(*(buyer(ledger, n) for n in range(TASKS)))
        ledger.close()
        return sum(bought)

    granted.put(asyncio.run(everyone()))


def main() -> int:
    """Print what was tried and found; 0 when every promise held."""
    options = settings(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(LedgerMachine, settings=options)
    print(
        f"ledger: stateful test passed ({options.max_examples} histories of up to {options.stateful_step_count} steps)"
    )

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        ledger = Ledger(path)
        asyncio.run(ledger.open_budget("b", "run", UNITS))
        spawn = multiprocessing.get_context("spawn")
        queue = spawn.Queue()
        workers = [spawn.Process(target=race, args=(str(path), n, queue)) for n in range(PROCESSES)]
        for worker in workers:
            worker.start()
        granted = sum(queue.get(timeout=900) for _ in workers)
        for worker in workers:
            worker.join()
        [balance] = asyncio.run(ledger.audit())
        ledger.close()
    over = max(balance.budget.spent - UNITS, 0)
    print(
        f"ledger: {PROCESSES} processes x {TASKS} tasks on {UNITS} units: granted {granted},"
        f" overspent {over}, balanced {balance.holds}"
    )
    return 0 if granted == UNITS and over == 0 and balance.holds else 1
