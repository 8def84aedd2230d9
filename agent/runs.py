"""Runs: started, resumed and cancelled here, owned by the process and never by a connection.

A run is a row with a lease (its owner), a task of this process, and an event log. Whoever asked may go away; the task goes
on. If the process dies, the lease dies with it, and the next process to look takes the run up where its checkpoint stands.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from types import TracebackType
from typing import Literal

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl

from agent.asking import read_ask
from agent.calls import close_open_calls, run_money
from agent.checkpoints import NAME, open_saver, prune
from agent.errors import DossierError, InternalError, RunAlreadyEnded, ShuttingDown, StoreError
from agent.events import (
    EventBase,
    RunFinished,
    RunFinishedData,
    RunResumed,
    RunResumedData,
    SessionStarted,
    SessionStartedData,
)
from agent.graph import RECURSION_LIMIT, build
from agent.records import Ask, Brief, Costs, StopReason, new_id, to_micros
from agent.scope import CURRENT, Scope
from agent.services import Services
from agent.state import AskInput, RunContext
from agent.store.runs import Ending, Run, RunStatus, Thread

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds between two looks for runs left behind by dead processes and for requests to cancel."""


class Runs:
    """The runs of this process. Use as an async context manager: entering resumes what was left unfinished."""

    def __init__(self, services: Services, *, resume: bool = True) -> None:
        """With `resume` False it leaves other processes' unfinished runs alone (a command that asks one question)."""
        self.services = services
        self._resume = resume
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._controls: dict[str, RunControl] = {}
        self._slots = asyncio.Semaphore(services.settings.max_runs)
        self._stack = AsyncExitStack()
        self._draining = False
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Runs:
        settings = self.services.settings
        path = settings.data_dir / NAME
        opening = open_saver(path, synchronous=settings.synchronous, busy_timeout=settings.busy_timeout)
        self.saver: AsyncSqliteSaver = await self._stack.enter_async_context(opening)
        self.graph = build(self.services, self.saver)
        if self._resume:
            await self.take_up()
        self._watcher = asyncio.create_task(self._watch(), name="run-watcher")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.drain(self.services.settings.drain_deadline)
        await self._stack.aclose()

    # --- the front door ------------------------------------------------------------------------------------------------

    async def create_thread(
        self, *, persona: str | None = None, vendor: str | None = None, consumer_type: str = "quick_chat"
    ) -> Thread:
        """A new conversation. Raises UnknownConsumerType or MessageTooLong."""
        checked = read_ask(
            {"message": "thread", "persona": persona, "vendor": vendor, "consumer_type": consumer_type},
            self.services.settings,
            self.services.catalogue,
        )
        thread = Thread(
            id=new_id(),
            created_at=self.services.clock(),
            persona=checked.persona,
            vendor=checked.vendor,
            consumer_type=checked.consumer_type,
        )
        await self.services.runs.add_thread(thread)
        return thread

    async def start(self, thread_id: str, raw: Mapping[str, object]) -> Run:
        """Accept a question on a thread and begin. What the question leaves out comes from the thread.

        Raises InputError, UnknownThread, ThreadBusy, ShuttingDown or StoreError; when it raises, nothing was stored.
        """
        if self._draining:
            raise ShuttingDown("The server is shutting down: try again in a moment.")
        thread = await self.services.runs.thread(thread_id)
        given = {k: v for k, v in raw.items() if v is not None}
        defaults = {"persona": thread.persona, "vendor": thread.vendor, "consumer_type": thread.consumer_type}
        ask = read_ask({**defaults, **given}, self.services.settings, self.services.catalogue)
        run = Run(
            id=new_id(),
            thread_id=thread_id,
            status=RunStatus.PENDING,
            ask=ask,
            created_at=self.services.clock(),
            owner=self.services.owner.token,
        )
        await self.services.runs.add_run(run)
        self._launch(run)
        return run

    async def cancel(self, run_id: str) -> Run:
        """Ask a run to end soon with what it has. Raises UnknownRun or RunAlreadyEnded."""
        run = await self.services.runs.run(run_id)
        if not run.status.active:
            raise RunAlreadyEnded(f"Run {run_id} has ended ({run.status}): read its result.")
        await self.services.runs.request_cancel(run_id)
        await self._heed_cancels()
        return run

    async def wait(self, run_id: str) -> Run:
        """The run once its task in this process has ended."""
        task = self._tasks.get(run_id)
        if task is not None:
            await asyncio.wait({task})
        return await self.services.runs.run(run_id)

    async def costs(self, run: Run) -> Costs:
        """What a run has cost so far; the same figures as in its brief once it has ended."""
        if run.brief is not None:
            return run.brief.costs
        money = await self.services.ledger.run_money(run.id)
        return money.costs(self._max_cost(run.ask))

    # --- resuming, cancelling, draining --------------------------------------------------------------------------------

    async def take_up(self, only: str | None = None) -> list[str]:
        """Resume every unfinished run whose process is dead, or that this process let go of. Gives their ids.

        With `only`, none but the run of that id.
        """
        taken = []
        for run in reversed(await self.services.runs.list_runs(active=True, limit=10_000)):
            if run.id in self._tasks or self._draining or only not in (None, run.id):
                continue
            mine = run.owner == self.services.owner.token
            if run.owner is None or mine or not await self.services.owner.is_alive(run.owner):
                self._launch(run)
                taken.append(run.id)
        return taken

    async def drain(self, seconds: float) -> None:
        """Stop taking runs, let the running rooms finish for at most `seconds`, and leave the rest to the next start."""
        self._draining = True
        if self._watcher is not None:
            self._watcher.cancel()
        for control in self._controls.values():
            control.request_drain()
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks.values()), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self._heed_cancels()
                if self._resume:
                    await self.take_up()
            except StoreError as exc:
                logger.warning("could not look for runs: %s", exc.message)

    async def _heed_cancels(self) -> None:
        for run_id in await self.services.runs.cancel_requests(self.services.owner.token):
            scope = self.services.scopes.get(run_id)
            if scope is not None:
                scope.cancel()

    # --- one run -------------------------------------------------------------------------------------------------------

    def _launch(self, run: Run) -> None:
        self.services.log.open_tail(run.id)
        task = asyncio.create_task(self._execute(run), name=f"run-{run.id}")
        self._tasks[run.id] = task
        task.add_done_callback(lambda _: self._forget(run.id))

    def _forget(self, run_id: str) -> None:
        self._tasks.pop(run_id, None)
        self._controls.pop(run_id, None)
        self.services.scopes.pop(run_id, None)
        self.services.log.close_tail(run_id)

    async def _execute(self, run: Run) -> None:
        """Lease, walk, end. A store that refuses leaves the run as it is: the watcher takes it up when there is room again."""
        try:
            async with self._slots:
                await self._walk(run)
        except StoreError as exc:
            logger.error("run %s waits: %s", run.id, exc.message)
        except asyncio.CancelledError:
            logger.info("run %s is left for the next start", run.id)
            raise

    async def _walk(self, run: Run) -> None:
        services = self.services
        leased = await services.runs.claim(run.id, services.owner.token, run.owner, services.clock())
        if leased is None or self._draining:
            return
        scope = self._scope(leased)
        try:
            unknown = await lost_calls(services, leased)
            self._announce(leased, scope, unknown)
            brief = await self._invoke(leased, scope)
        except GraphDrained:
            logger.info("run %s is drained and goes on at the next start", run.id)
            await services.log.flush()
            return
        except (StoreError, asyncio.CancelledError):
            raise
        except DossierError as exc:
            await self._end(leased, scope, None, error=exc)
        except Exception:  # logged and told as the run's end: a run must not stay active for a fault of ours
            logger.exception("run %s failed by a fault of ours", run.id)
            await self._end(
                leased, scope, None, error=InternalError(f"Run {run.id} failed by a fault of ours: see the log.")
            )
        else:
            await self._end(leased, scope, brief)

    async def _invoke(self, run: Run, scope: Scope) -> Brief | None:
        """Walk the graph. With the same run id LangGraph goes on where the checkpoint stands, or begins where there is none."""
        control = self._controls[run.id] = RunControl()
        if self._draining:
            control.request_drain()
        config: RunnableConfig = {
            "configurable": {"run_id": run.id, "thread_id": run.thread_id},
            "metadata": {"run_id": run.id},
            "recursion_limit": RECURSION_LIMIT,
        }
        ask = run.ask
        given = AskInput(
            message=ask.message,
            vendor=ask.vendor,
            persona=ask.persona,
            consumer_type=ask.consumer_type,
            max_cost=ask.max_cost,
            deadline=ask.deadline,
            include_unverified=ask.include_unverified,
        )
        CURRENT.set(scope)
        result = await self.graph.ainvoke(given, config, context=RunContext(), durability="sync", control=control)
        brief = result.get("brief")
        return brief if isinstance(brief, Brief) else None

    def _scope(self, run: Run) -> Scope:
        scope = Scope(run_id=run.id, thread_id=run.thread_id, attempt=run.attempt, sinks=[self._sink])
        assert run.started_at is not None
        seconds = run.ask.deadline or self.services.settings.run_deadline
        scope.deadline_at = run.started_at + timedelta(seconds=seconds)
        if run.cancel_requested:
            scope.cancel()
        self.services.scopes[run.id] = scope
        return scope

    def _sink(self, event: EventBase) -> None:
        self.services.log.emit(event)  # type: ignore[arg-type]

    def _max_cost(self, ask: Ask) -> int:
        consumer = self.services.catalogue.consumer(ask.consumer_type)
        return to_micros(consumer.max_cost if ask.max_cost is None else ask.max_cost)

    def _announce(self, run: Run, scope: Scope, unknown: list[str]) -> None:
        common = {
            "timestamp": self.services.clock(),
            "thread_id": run.thread_id,
            "run_id": run.id,
            "attempt": run.attempt,
        }
        if run.attempt > 1:
            lost = f"; {len(unknown)} calls were in flight and count as spent" if unknown else ""
            self._sink(
                RunResumed(
                    message=f"The run goes on, attempt {run.attempt}{lost}",
                    data=RunResumedData(attempt=run.attempt, unknown_calls=tuple(unknown)),
                    **common,
                )
            )
            return
        consumer = self.services.catalogue.consumer(run.ask.consumer_type)
        max_cost = consumer.max_cost if run.ask.max_cost is None else run.ask.max_cost
        seconds = run.ask.deadline or self.services.settings.run_deadline
        data = SessionStartedData(
            question=run.ask.message,
            consumer_type=consumer.id,
            max_cost=max_cost,
            deadline_seconds=seconds,
            engine=self.services.engine.name,
        )
        self._sink(
            SessionStarted(message=f"Researching for {consumer.title}, up to ${max_cost:.2f}", data=data, **common)
        )

    async def _end(self, run: Run, scope: Scope, brief: Brief | None, *, error: DossierError | None = None) -> None:
        services = self.services
        await close_open_calls(services, run.id)
        money = await run_money(services, scope)
        costs = money.costs(self._max_cost(run.ask))
        stop = StopReason.ERROR if error is not None or brief is None else brief.stop_reason
        status = _status(stop)
        shown = {"code": error.code, "message": services.scrub(error.message)} if error is not None else None
        self._sink(
            RunFinished(
                message=shown["message"] if shown else f"Done: {stop}",
                timestamp=services.clock(),
                thread_id=run.thread_id,
                run_id=run.id,
                attempt=run.attempt,
                data=RunFinishedData(status=status, stop_reason=stop, costs=costs, error=shown),
            )
        )
        services.log.emit(
            Ending(
                run_id=run.id, status=RunStatus(status), stop_reason=stop, brief=brief, error=shown, at=services.clock()
            )
        )
        await services.log.flush()
        await prune(self.saver, run.thread_id, services.settings.keep_checkpoints)


def _status(stop: StopReason) -> Literal["success", "error", "timeout", "interrupted"]:
    match stop:
        case StopReason.ERROR:
            return "error"
        case StopReason.DEADLINE:
            return "timeout"
        case StopReason.CANCELLED:
            return "interrupted"
        case _:
            return "success"


async def lost_calls(services: Services, run: Run) -> list[str]:
    """On resuming: ids of the calls that were in flight and cannot be asked again. The others are taken up by their node."""
    unknown = []
    for row in await services.ledger.open_calls(run.id):
        source = services.sources.get(row.label)
        if source is None or source.repeats_free is None or services.clock() >= row.reserved_at + source.repeats_free:
            unknown.append(row.call_id)
    return unknown
