"""The door frame that all rooms share: it gives a room its visit (run, services, voice) and LangGraph a plain node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime
from langgraph.types import StreamWriter

from agent.budget import RunMoney
from agent.calls import model_door, run_money
from agent.errors import BudgetExhausted, ModelError
from agent.events import BudgetUpdated, BudgetUpdatedData, EngineFellBack, EngineFellBackData, EventBase
from agent.models.base import Door, Engine
from agent.records import new_id, to_usd
from agent.scope import CURRENT, Scope
from agent.services import Services
from agent.state import RunContext
from tools.base import Frozen

S = TypeVar("S")
E = TypeVar("E", bound=EventBase)
Update = dict[str, Any]
"""A LangGraph state update: any of the keys of `State`."""
Room = Callable[[S, "Visit"], Awaitable[Update]]


@dataclass
class Visit:
    """One execution of one room for one run."""

    services: Services
    scope: Scope
    node: str
    engine: Engine
    write: StreamWriter

    def now(self) -> datetime:
        """The time."""
        return self.services.clock()

    def emit(self, kind: type[E], message: str, data: Frozen) -> None:
        """Say something about this run: to the event log when we own the run, else to whoever streams `custom` from the graph."""
        event = kind(
            message=message,
            timestamp=self.now(),
            thread_id=self.scope.thread_id,
            run_id=self.scope.run_id,
            node=self.node,
            attempt=self.scope.attempt,
            data=data,  # type: ignore[call-arg]
        )
        for sink in self.scope.sinks:
            sink(event)
        if not self.scope.sinks:
            self.write(event.model_dump(mode="json"))

    def door(self, round: int, budgets: list[str]) -> Door:
        """How this room's engine spends."""
        return model_door(self.services, self.scope, self.node, round, tuple(budgets))

    async def emit_budget(self, budgets: list[str]) -> None:
        """Show what the run has spent, holds, and has left."""
        if not budgets:
            return
        budget = await self.services.ledger.budget(budgets[0])
        data = BudgetUpdatedData(
            max_cost=to_usd(budget.ceiling),
            spent=to_usd(budget.spent),
            reserved=to_usd(budget.reserved),
            remaining=to_usd(budget.remaining),
        )
        self.emit(BudgetUpdated, f"${data.spent:.4f} of ${data.max_cost:.2f} spent", data)

    async def with_fallback(
        self, task: str, attempt: Callable[[Engine], Awaitable[S]], *, engine: Engine | None = None
    ) -> tuple[S, str]:
        """Run a task with the run's engine; when the model does not deliver, with the extractive one, and say so."""
        first = engine or self.engine
        if first.name == self.services.extractive.name:
            return await attempt(first), first.name
        try:
            return await attempt(first), first.name
        except (ModelError, BudgetExhausted) as exc:
            self.fell_back(task, exc.code, self.services.scrub(exc.message))
            return await attempt(self.services.extractive), self.services.extractive.name

    def fell_back(self, task: str, code: str, detail: str) -> None:
        """Say that the extractive engine goes on with a task, and why."""
        message = f"The model did not deliver ({code}); the extractive engine goes on"
        self.emit(EngineFellBack, message, EngineFellBackData(task=task, code=code, detail=detail))

    async def money(self) -> RunMoney:
        """What the run's calls come to."""
        return await run_money(self.services, self.scope)


def room(body: Room[S], services: Services) -> Callable[..., Awaitable[Update]]:
    """`body` as a LangGraph node over `services`."""
    name = body.__name__

    async def node(state: S, config: RunnableConfig, runtime: Runtime[RunContext]) -> Update:
        scope = _scope(services, config)
        choice = runtime.context.engine if runtime.context is not None else "auto"
        visit = Visit(services, scope, name, services.engine_for(choice), runtime.stream_writer)
        return await body(state, visit)

    node.__name__ = name
    node.__doc__ = body.__doc__
    return node


def _scope(services: Services, config: RunnableConfig) -> Scope:
    current = CURRENT.get()
    if current is not None:
        return current
    configurable = config.get("configurable", {})
    run_id = str(configurable.get("run_id") or config.get("metadata", {}).get("run_id") or new_id())
    scope = services.scopes.get(run_id)
    if scope is None:
        scope = services.scopes[run_id] = Scope(run_id=run_id, thread_id=str(configurable.get("thread_id", "")))
    return scope
