"""The only door to a paid or remote thing: reserve, look in the cache, call, settle.

What a call id has been through is in the ledger, so asking again is always safe:

    finished          -> the stored reply, nothing is paid
    in flight, alive  -> wait for it
    in flight, dead   -> a source whose repeats are free is asked again under the money already held;
                         anything else counts as spent, is reported as unknown, and is never asked again
    new               -> a fresh stored reply, or the reply of the same call under way elsewhere, or: hold the money and call
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from pydantic import BaseModel, ValidationError

from agent.budget import (
    NEVER_MADE,
    CallState,
    Existing,
    Failure,
    FromCache,
    Granted,
    InFlight,
    Order,
    Refused,
    Reservation,
    RunMoney,
)
from agent.errors import BudgetExhausted, ModelError, ModelMalformed, ModelOutcomeUnknown, ModelUnavailable
from agent.models.base import Door, ModelReply
from agent.records import Call, CallStatus, ConsumerType, content_id, derived_id, normalise, to_micros, to_usd
from agent.scope import Scope, Stopped
from agent.services import Services, Source
from tools.base import FailureKind, SourceError, SourceReply

logger = logging.getLogger(__name__)

POLL = 0.05
"""Seconds between two looks at a call that another process has under way."""

FAILURE_TTL: dict[FailureKind, float] = {
    FailureKind.RATE_LIMITED: 30.0,
    FailureKind.TIMEOUT: 30.0,
    FailureKind.UNREACHABLE: 30.0,
    FailureKind.MALFORMED: 60.0,
    FailureKind.AUTH: 60.0,
    FailureKind.QUOTA: 60.0,
    FailureKind.NOT_FOUND: 3_600.0,
    FailureKind.BLOCKED_BY_ROBOTS: 3_600.0,
    FailureKind.REFUSED_ADDRESS: 3_600.0,
}
"""Seconds for which a failure is remembered, so that a source in trouble is left alone; the others are not remembered."""


@dataclass(frozen=True)
class Bought:
    """What became of a call."""

    status: CallStatus
    reply: SourceReply = field(default_factory=SourceReply)
    failure: FailureKind | None = None
    message: str = ""
    cost: int = 0
    cached: bool = False
    saved: int = 0
    seconds: float = 0.0
    retrieved_at: datetime | None = None


# --- budgets -----------------------------------------------------------------------------------------------------------


async def open_budgets(
    services: Services, scope: Scope, consumer: ConsumerType, max_cost: int, started_at: datetime
) -> tuple[str, ...]:
    """Make the budgets that a run spends from, and give their ids: the run's, the thread's, the consumer type's of the day."""
    settings = services.settings
    day = started_at.date().isoformat()
    wanted = (
        (f"run:{scope.run_id}", "run", max_cost),
        (f"thread:{scope.thread_id}", "thread", to_micros(settings.thread_budget)),
        (f"day:{consumer.id}:{day}", "consumer_day", to_micros(settings.consumer_daily_budget)),
    )
    await services.ledger.open_budgets(wanted)
    return tuple(w[0] for w in wanted)


async def remaining(services: Services, budgets: tuple[str, ...]) -> int:
    """Micro-dollars that every one of the budgets still has room for."""
    return min([(await services.ledger.budget(b)).remaining for b in budgets], default=0)


async def close_open_calls(services: Services, run_id: str) -> list[str]:
    """End the calls that a dead process left in flight and that nobody will ask for again. Gives their ids."""
    ended = []
    for row in await services.ledger.open_calls(run_id):
        if row.call_id in services.flights or (
            row.owner != services.owner.token and await services.owner.is_alive(row.owner)
        ):
            continue
        if row.owner == services.owner.token or await services.ledger.adopt(
            row.call_id, row.owner, services.owner.token
        ):
            await services.ledger.mark_unknown(row.call_id, services.owner.token, services.clock(), failure=_UNKNOWN)
            ended.append(row.call_id)
    return ended


# --- sources -----------------------------------------------------------------------------------------------------------


async def cache_key(source: Source, args: BaseModel) -> str:
    """Source, normalised arguments, schema version (and the index's revision for local documents). Never the persona."""
    plain = args.model_dump(mode="json", exclude_none=True)
    normal = {k: normalise(v) if isinstance(v, str) else v for k, v in plain.items()}
    salt = await source.cache_salt(args)
    return content_id(source.name, str(source.schema_version), json.dumps(normal, sort_keys=True), salt)


async def buy(services: Services, scope: Scope, call: Call, budgets: tuple[str, ...]) -> Bought:
    """Make a planned call, at most once ever. Never raises for what a source can do wrong; StoreError passes through."""
    source = services.active.get(call.source)
    if source is None:
        return Bought(CallStatus.REFUSED, message=services.off.get(call.source, "there is no such source"))
    try:
        args = source.Args.model_validate(call.args)
    except ValidationError as exc:
        return Bought(CallStatus.FAILED, failure=FailureKind.INVALID_ARGUMENTS, message=_first_problem(exc))
    order = Order(
        call_id=call.call_id,
        run_id=scope.run_id,
        label=source.name,
        amount=source.max_price,
        budgets=budgets,
        cache_key=await cache_key(source, args),
        max_age=call.max_age,
    )
    dead: list[str] = []
    while True:
        verdict = await services.ledger.reserve(order, services.owner.token, services.clock(), ignore=dead)
        match verdict:
            case Granted():
                return await _perform(services, scope, source, args, order)
            case FromCache(row=row):
                return _from_row(row)
            case Refused(budget=budget):
                room = to_usd(max(budget.remaining, 0))
                need = to_usd(order.amount)
                message = f"The {budget.scope} budget has ${room:.4f} left; this call may cost ${need:.4f}."
                return Bought(CallStatus.REFUSED, message=message)
            case InFlight(call_id=other, owner=owner):
                match await _wait_for(services, scope, other, owner):
                    case None:
                        return Bought(CallStatus.REFUSED, message=_NOT_MADE.message)
                    case False:
                        dead.append(other)
            case Existing(row=row):
                if row.state is not CallState.RESERVED:
                    return _from_row(row)
                match await _wait_for(services, scope, row.call_id, row.owner):
                    case None:
                        return Bought(CallStatus.UNKNOWN, message="The run was over before this call was.")
                    case False if await _take_up(services, row):
                        return await _after_death(services, scope, source, args, order, row)


async def _take_up(services: Services, row: Reservation) -> bool:
    """Whether a call that its process let go of is now ours; when somebody else was first, they end it."""
    mine = services.owner.token
    return row.owner == mine or await services.ledger.adopt(row.call_id, row.owner, mine)


async def _after_death(
    services: Services, scope: Scope, source: Source, args: BaseModel, order: Order, row: Reservation
) -> Bought:
    """The call was in flight when its process died. Only a source whose repeats are free may be asked again."""
    free_until = row.reserved_at + source.repeats_free if source.repeats_free is not None else None
    if free_until is not None and services.clock() < free_until:
        return await _perform(services, scope, source, args, order, again=True)
    mine, now = services.owner.token, services.clock()
    return _from_row(await services.ledger.mark_unknown(row.call_id, mine, now, failure=_UNKNOWN))


async def _perform(
    services: Services, scope: Scope, source: Source, args: BaseModel, order: Order, *, again: bool = False
) -> Bought:
    """Make the call whose money is held, and end its row whatever happens.

    Only the death of the process (or a cancelled task, which is its end as far as this call goes) leaves the row in flight.
    Of a call made `again` the first attempt may have been charged: no failure of the second gives its money back.
    """
    begun = again

    async def in_turn() -> SourceReply:
        nonlocal begun
        async with services.slots:
            if scope.seconds_left(services.clock()) <= 0:
                raise Stopped
            begun = True
            async with asyncio.timeout(source.timeout):
                return await _fetch(source, args)

    done = services.flights[order.call_id] = asyncio.Event()
    started = monotonic()
    try:
        reply = await scope.bounded(in_turn(), scope.seconds_left(services.clock()))
        row = await _settle(services, order, services.scrub.stored(reply))
    except (SourceError, Stopped, TimeoutError) as exc:
        if not begun:
            await services.ledger.release(order.call_id, services.owner.token, services.clock(), failure=_NOT_MADE)
            return Bought(CallStatus.REFUSED, message=_NOT_MADE.message)
        error = _as_source_error(exc, source)
        error.billed = None if again and not error.billed else error.billed
        row = await _fail(services, order, error)
    finally:
        services.flights.pop(order.call_id, None)
        done.set()
    return _from_row(row, seconds=monotonic() - started)


async def _fetch(source: Source, args: BaseModel) -> SourceReply:
    """A fault in a source's own code is that source's failure, not the run's; the log has the traceback."""
    try:
        return await source.fetch(args)
    except SourceError:
        raise
    except Exception:  # a source may be anybody's file: whatever it raises is logged and costs its own call only
        logger.exception("%s failed by a fault of its own", source.name)
        raise SourceError(FailureKind.INTERNAL, f"{source.title} failed by a fault of its own.", billed=None) from None


async def _settle(services: Services, order: Order, reply: SourceReply) -> Reservation:
    if reply.billed > order.amount:
        logger.error("%s charged %d micro-dollars, over the %d it stated", order.label, reply.billed, order.amount)
    cost, stored = max(reply.billed, 0), reply.model_dump_json()
    return await services.ledger.settle(order.call_id, services.owner.token, services.clock(), cost=cost, reply=stored)


async def _fail(services: Services, order: Order, error: SourceError) -> Reservation:
    """Store a failure: nothing spent, the price it named, or the whole hold when nobody can know."""
    failure = Failure(kind=error.kind, message=services.scrub(error.message)[:500])
    cache_for = FAILURE_TTL.get(error.kind)
    if error.retry_after is not None and cache_for is not None:
        cache_for = max(cache_for, min(error.retry_after, 3_600.0))
    ledger, mine, now = services.ledger, services.owner.token, services.clock()
    if error.billed is None and order.amount > 0:
        return await ledger.mark_unknown(order.call_id, mine, now, failure=failure, cache_for=cache_for)
    if error.billed is not None and error.billed > 0:
        return await ledger.settle(order.call_id, mine, now, cost=error.billed, failure=failure, cache_for=cache_for)
    return await ledger.release(order.call_id, mine, now, failure=failure, cache_for=cache_for)


def _as_source_error(exc: Exception, source: Source) -> SourceError:
    if isinstance(exc, SourceError):
        return exc
    if isinstance(exc, Stopped):
        return SourceError(FailureKind.OUTCOME_UNKNOWN, "The run was stopped during this call.", billed=None)
    return SourceError(FailureKind.TIMEOUT, f"{source.title} did not answer in time.", billed=None)


async def _wait_for(services: Services, scope: Scope, call_id: str, owner: str) -> bool | None:
    """Wait until a call under way has ended: False when its process is dead, so that it never will, None when our time is up."""
    mine = owner == services.owner.token  # a call of ours that is not under way was let go of: a cancelled task
    if call_id not in services.flights and (mine or not await services.owner.is_alive(owner)):
        return False
    with suppress(Stopped, TimeoutError):
        return await scope.bounded(_end_of(services, call_id, owner), scope.seconds_left(services.clock()))
    return None


async def _end_of(services: Services, call_id: str, owner: str) -> bool:
    flight = services.flights.get(call_id)
    if flight is not None:
        return await flight.wait()
    while await services.owner.is_alive(owner):
        row = await services.ledger.call(call_id)
        if row is None or row.state is not CallState.RESERVED:
            return True
        await asyncio.sleep(POLL)
    return False


def _from_row(row: Reservation, *, seconds: float = 0.0) -> Bought:
    cached = row.state is CallState.CACHED
    status, failure, message, reply = CallStatus.OK, None, "", SourceReply()
    if row.failure is not None:
        failure, message = FailureKind(row.failure.kind), row.failure.message
        status = CallStatus.UNKNOWN if row.state is CallState.UNKNOWN else CallStatus.FAILED
    elif row.reply is not None:
        reply = SourceReply.model_validate_json(row.reply)
        status = CallStatus.OK if reply.documents else CallStatus.NO_RESULTS
    return Bought(
        status=status,
        reply=reply,
        failure=failure,
        message=message,
        cost=row.cost,
        cached=cached,
        saved=row.saved,
        seconds=seconds,
        retrieved_at=row.retrieved_at,
    )


def _first_problem(exc: ValidationError) -> str:
    problem = exc.errors(include_input=False)[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"


_NOT_MADE = Failure(kind=FailureKind.TIMEOUT, message=NEVER_MADE)

_UNKNOWN = Failure(
    kind=FailureKind.OUTCOME_UNKNOWN,
    message="The process died while this call was under way: it counts as spent and is not repeated.",
)


# --- chat models -------------------------------------------------------------------------------------------------------


def model_door(services: Services, scope: Scope, node: str, round: int, budgets: tuple[str, ...]) -> Door:
    """The way a language engine spends: bound to a run, a node and a round, so that a rerun finds its finished calls."""

    async def door(label: str, max_price: int, perform: Callable[[], Awaitable[ModelReply]]) -> ModelReply:
        order = Order(
            call_id=derived_id(scope.run_id, node, str(round), label),
            run_id=scope.run_id,
            label=f"model:{label}",
            amount=max_price,
            budgets=budgets,
        )
        mine = services.owner.token
        if scope.seconds_left(services.clock()) <= 0 and await services.ledger.call(order.call_id) is None:
            raise ModelUnavailable("The run's time was up before the model was asked: nothing was spent.")
        verdict = await services.ledger.reserve(order, mine, services.clock())
        if isinstance(verdict, Refused):
            need, room = to_usd(max_price), to_usd(max(verdict.budget.remaining, 0))
            raise BudgetExhausted(
                f"The model may need ${need:.4f} and the {verdict.budget.scope} budget has ${room:.4f} left: raise max_cost."
            )
        if isinstance(verdict, Existing):
            return await _stored_model_reply(services, verdict.row)
        return await _perform_model(services, scope, order, perform)

    return door


async def _perform_model(
    services: Services, scope: Scope, order: Order, perform: Callable[[], Awaitable[ModelReply]]
) -> ModelReply:
    mine = services.owner.token
    done = services.flights[order.call_id] = asyncio.Event()
    try:
        reply = services.scrub.stored(await scope.bounded(perform(), scope.seconds_left(services.clock())))
        row = await services.ledger.settle(
            order.call_id, mine, services.clock(), cost=reply.billed, reply=reply.model_dump_json()
        )
        return ModelReply.model_validate_json(row.reply or "{}")
    except (ModelError, Stopped, TimeoutError) as exc:
        error = exc if isinstance(exc, ModelError) else _out_of_time(exc)
        failure = Failure(kind=error.code, message=services.scrub(error.message)[:500])
        if error.billed is None and order.amount > 0:
            await services.ledger.mark_unknown(order.call_id, mine, services.clock(), failure=failure)
        else:
            await services.ledger.settle(order.call_id, mine, services.clock(), cost=error.billed or 0, failure=failure)
        raise error from None
    finally:
        services.flights.pop(order.call_id, None)
        done.set()


async def _stored_model_reply(services: Services, row: Reservation) -> ModelReply:
    """A model call of this id was made before: its reply, or the failure it ended with."""
    if row.state is CallState.RESERVED:
        await _take_up(services, row)
        failure = Failure(kind=ModelOutcomeUnknown.code, message=_UNKNOWN.message)
        row = await services.ledger.mark_unknown(row.call_id, services.owner.token, services.clock(), failure=failure)
    if row.failure is not None:
        kinds = {kind.code: kind for kind in (ModelOutcomeUnknown, ModelMalformed)}
        raise kinds.get(row.failure.kind, ModelUnavailable)(row.failure.message)
    return ModelReply.model_validate_json(row.reply or "{}")


def _out_of_time(exc: Exception) -> ModelError:
    why = "the run was stopped" if isinstance(exc, Stopped) else "the run's time was up"
    return ModelUnavailable(f"The model was not waited for: {why}.", billed=None)


async def run_money(services: Services, scope: Scope) -> RunMoney:
    """What the run's calls come to."""
    return await services.ledger.run_money(scope.run_id)
