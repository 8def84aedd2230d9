"""The front door: routes, event streams, and errors as problem details. Nothing is decided here.

`create_app(settings)` makes the application; `dossier serve` (and so `make run`) serves it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from time import monotonic
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.budget import UsageRow
from agent.errors import (
    DossierError,
    InternalError,
    InvalidCursor,
    MalformedRequest,
    MessageTooLong,
    NoSuchRoute,
)
from agent.records import Brief, ConsumerType, Costs, QualityReport, StopReason, new_id, to_usd
from agent.runs import Runs
from agent.services import Services, now_utc, open_services
from agent.settings import Settings, load_settings
from agent.store.runs import Run, RunStatus

logger = logging.getLogger(__name__)


# --- what goes in and out ----------------------------------------------------------------------------------------


class ThreadRequest(BaseModel):
    """Who asks. Everything may be given later, with a question."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "persona": "account executive",
                "vendor": "Monte Carlo: data observability",
                "consumer_type": "customer_intelligence",
            }
        },
    )

    persona: str | None = Field(None, description="Who will read the brief.")
    vendor: str | None = Field(None, description="The seller and what they sell: `Name: offer`.")
    consumer_type: str = Field("quick_chat", description="Who the research is for: one of GET /v1/consumers.")


class RunRequest(BaseModel):
    """One question. What is left out comes from the thread."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"message": "Research Snowflake as a prospect for us", "max_cost": 0.50}},
    )

    message: str = Field(description="The question.")
    persona: str | None = None
    vendor: str | None = None
    consumer_type: str | None = Field(None, description="Overrides the thread's.")
    max_cost: JsonValue = Field(
        None,
        description="The most this run may spend, USD; default: the consumer type's. A number or a decimal string.",
    )
    deadline: JsonValue = Field(None, description="Seconds after which the run ends with what it has.")
    include_unverified: bool = Field(
        False, description="Show statements that failed a check, apart, instead of dropping them."
    )


class RunSummary(BaseModel):
    """A run in a list."""

    id: str
    status: RunStatus
    stop_reason: StopReason | None
    message: str
    created_at: AwareDatetime


class ThreadView(BaseModel):
    """A thread and its runs, the newest first."""

    id: str
    created_at: AwareDatetime
    persona: str | None
    vendor: str | None
    consumer_type: str
    runs: list[RunSummary] = []


class CostsView(BaseModel):
    """Money in USD, as decimal strings."""

    budget: Decimal
    spent: Decimal
    unknown: Decimal = Field(description="Part of `spent` that belongs to calls whose end nobody knows.")
    cache_hits: int
    new_api_calls: int
    total_new_cost: Decimal
    total_cache_savings: Decimal


class RunView(BaseModel):
    """A run, whole."""

    id: str
    thread_id: str
    status: RunStatus
    stop_reason: StopReason | None
    attempt: int
    message: str
    consumer_type: str
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    plan: dict[str, JsonValue] | None = Field(
        description="The newest plan, as the event `research_plan_created` shows it."
    )
    brief: Brief | None
    quality: QualityReport | None
    costs: CostsView
    error: dict[str, JsonValue] | None
    events_url: str


class SourceView(BaseModel):
    """A source as a caller sees it."""

    name: str
    title: str
    description: str
    available: bool
    why_not: str | None
    max_price: Decimal = Field(description="USD for one call.")
    datasets: list[str]
    reliability: float
    licence: str


class UsageView(BaseModel):
    """Calls and money by day and source since a moment."""

    since: AwareDatetime
    rows: list[UsageRow] = Field(description="Amounts here are micro-dollars.")
    total_cost: Decimal
    total_cache_savings: Decimal


class Problem(BaseModel):
    """RFC 9457 problem details, with the error's stable code."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class Health(BaseModel):
    """Whether the process answers, and what it runs on."""

    status: str
    engine: str = ""
    sources: dict[str, str] = {}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": what}
    for status, what in (
        (400, "Malformed request"),
        (404, "Unknown thread or run"),
        (409, "Conflict with the present state"),
        (413, "Too large"),
        (422, "Refused as it stands"),
        (500, "A fault of ours, or a damaged store"),
        (503, "Busy or shutting down"),
        (507, "The store is full or read-only"),
    )
}


# --- the application ---------------------------------------------------------------------------------------------


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application over one data folder. Entering its lifespan resumes unfinished runs; leaving it drains."""
    settings = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = await open_services(settings)
        app.state.closing = asyncio.Event()
        try:
            async with Runs(services) as runs:
                app.state.runs = runs
                yield
        finally:
            await services.close()

    app = FastAPI(
        title="Dossier",
        version="0.1.0",
        summary="Sales research that shows its work, keeps its budget and cites its words.",
        lifespan=lifespan,
    )
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    _add_error_handlers(app)
    _add_threads(app)
    _add_runs(app)
    _add_house(app)
    _describe_problems(app)
    return app


def _runs(request: Request) -> Runs:
    runs: Runs = request.app.state.runs
    return runs


def _services(request: Request) -> Services:
    return _runs(request).services


def _add_threads(app: FastAPI) -> None:
    @app.post("/v1/threads", status_code=201, responses=PROBLEMS, tags=["threads"])
    async def create_thread(body: ThreadRequest, request: Request) -> ThreadView:
        """Begin a conversation."""
        thread = await _runs(request).create_thread(
            persona=body.persona, vendor=body.vendor, consumer_type=body.consumer_type
        )
        return ThreadView(**thread.model_dump())

    @app.get("/v1/threads/{thread_id}", responses=PROBLEMS, tags=["threads"])
    async def read_thread(thread_id: str, request: Request) -> ThreadView:
        """A thread and its runs."""
        store = _services(request).runs
        thread = await store.thread(thread_id)
        runs = await store.list_runs(thread_id=thread_id)
        return ThreadView(**thread.model_dump(), runs=[_summary(r) for r in runs])

    @app.post(
        "/v1/threads/{thread_id}/runs",
        status_code=202,
        responses={**PROBLEMS, 200: {"description": "The run's events", "content": {"text/event-stream": {}}}},
        response_model=RunView,
        tags=["runs"],
    )
    async def start_run(
        thread_id: str,
        body: RunRequest,
        request: Request,
        response: Response,
        accept: Annotated[str | None, Header()] = None,
    ) -> Response | RunView:
        """Ask a question. With `Accept: text/event-stream` the answer is the run's events; it goes on without you."""
        runs = _runs(request)
        run = await runs.start(thread_id, body.model_dump(exclude_unset=True))
        where = f"/v1/runs/{run.id}"
        if accept is not None and "text/event-stream" in accept:
            return _event_stream(request, run.id, 0, headers={"Location": where})
        response.headers["Location"] = where
        return await _view(runs, run)


def _add_runs(app: FastAPI) -> None:
    @app.get("/v1/runs/{run_id}", responses=PROBLEMS, tags=["runs"])
    async def read_run(run_id: str, request: Request) -> RunView:
        """Status, plan, brief, quality and costs."""
        return await _view(_runs(request), await _services(request).runs.run(run_id))

    @app.get(
        "/v1/runs/{run_id}/events",
        responses={**PROBLEMS, 200: {"description": "Server-sent events", "content": {"text/event-stream": {}}}},
        response_class=StreamingResponse,
        tags=["runs"],
    )
    async def read_events(
        run_id: str,
        request: Request,
        after: Annotated[str | None, Query(description="Send events after this `seq`.")] = None,
        last_event_id: Annotated[str | None, Header(description="Sent by browsers when they reconnect.")] = None,
    ) -> Response:
        """The run's events from the beginning or from where you were, then live, until the last one."""
        cursor = _cursor(last_event_id if last_event_id is not None else after)
        store = _services(request).runs
        await store.run(run_id)
        if cursor and cursor > (reached := await store.last_seq(run_id)):
            raise InvalidCursor(f"This run is at event {reached}, not {cursor}: send the last `seq` you saw, or none.")
        return _event_stream(request, run_id, cursor)

    @app.post("/v1/runs/{run_id}/cancel", status_code=202, responses=PROBLEMS, tags=["runs"])
    async def cancel_run(run_id: str, request: Request) -> RunView:
        """End a run soon, with what it has found so far."""
        runs = _runs(request)
        return await _view(runs, await runs.cancel(run_id))


def _add_house(app: FastAPI) -> None:
    @app.get("/v1/sources", tags=["house"])
    async def list_sources(request: Request) -> list[SourceView]:
        """Every source, what a call may cost, and why those that are off are off."""
        services = _services(request)
        return [
            SourceView(
                name=s.name,
                title=s.title,
                description=s.description,
                available=s.name not in services.off,
                why_not=services.off.get(s.name),
                max_price=to_usd(s.max_price),
                datasets=list(s.datasets),
                reliability=s.reliability,
                licence=s.licence,
            )
            for s in services.sources.values()
        ]

    @app.get("/v1/consumers", tags=["house"])
    async def list_consumers(request: Request) -> list[ConsumerType]:
        """Every consumer type with its datasets, weights, budget and minimum quality."""
        return list(_services(request).catalogue.consumers.values())

    @app.get("/v1/usage", responses=PROBLEMS, tags=["house"])
    async def usage(request: Request, days: Annotated[int, Query(ge=1, le=3_660)] = 30) -> UsageView:
        """What was spent and what the cache saved."""
        since = now_utc() - timedelta(days=days)
        rows = await _services(request).ledger.usage(since)
        return UsageView(
            since=since,
            rows=rows,
            total_cost=to_usd(sum(r.cost for r in rows)),
            total_cache_savings=to_usd(sum(r.saved for r in rows)),
        )

    @app.get("/healthz", tags=["house"])
    async def healthz() -> Health:
        """The process answers."""
        return Health(status="ok")

    @app.get("/readyz", responses=PROBLEMS, tags=["house"])
    async def readyz(request: Request) -> Health:
        """The stores answer and runs are accepted."""
        services = _services(request)
        await services.ledger.usage(now_utc())
        await services.runs.list_runs(limit=1)
        states = {name: services.off.get(name, "on") for name in services.sources}
        return Health(status="ready", engine=services.engine_note, sources=states)


# --- event streams -----------------------------------------------------------------------------------------------


def _event_stream(
    request: Request, run_id: str, after: int, headers: dict[str, str] | None = None
) -> StreamingResponse:
    """Committed events as server-sent events: `id` is `seq`, `event` is `type`. Who leaves stops only this."""
    services, closing = _services(request), request.app.state.closing

    async def frames() -> AsyncIterator[bytes]:
        quiet_since = monotonic()
        async for item in services.log.follow(run_id, after):
            if item is not None:
                seq, body = item
                yield format_sse_event(data_str=body, event=_type_of(body), id=str(seq))
                quiet_since = monotonic()
            elif monotonic() - quiet_since >= services.settings.heartbeat:
                yield b": still working\n\n"
                quiet_since = monotonic()
            if closing.is_set() and item is None:
                yield b": the server is shutting down; come back with the last id\n\n"
                return

    return StreamingResponse(
        frames(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", **(headers or {})},
    )


def _type_of(body: str) -> str:
    """The event's type, read without parsing the rest; pydantic writes it without white space."""
    start = body.index('"type":"') + 8
    return body[start : body.index('"', start)]


def _cursor(text: str | None) -> int:
    if text is None or text == "":
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise InvalidCursor(f"{text[:40]!r} is not an event id: send the last `seq` you saw, or none.")
    return int(text)


# --- views and errors --------------------------------------------------------------------------------------------


async def _view(runs: Runs, run: Run) -> RunView:
    store = runs.services.runs
    plan = await store.last_data(run.id, "research_plan_created")
    assessed = None if run.brief else await store.last_data(run.id, "quality_assessed")
    quality = run.brief.quality if run.brief else None
    if assessed is not None:
        quality = QualityReport.model_validate(assessed["report"])
    return RunView(
        id=run.id,
        thread_id=run.thread_id,
        status=run.status,
        stop_reason=run.stop_reason,
        attempt=run.attempt,
        message=run.ask.message,
        consumer_type=run.ask.consumer_type,
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        plan=plan,
        brief=run.brief,
        quality=quality,
        costs=_costs(await runs.costs(run)),
        error=run.error,
        events_url=f"/v1/runs/{run.id}/events",
    )


def _summary(run: Run) -> RunSummary:
    return RunSummary(
        id=run.id, status=run.status, stop_reason=run.stop_reason, message=run.ask.message, created_at=run.created_at
    )


def _costs(costs: Costs) -> CostsView:
    return CostsView(
        budget=to_usd(costs.budget),
        spent=to_usd(costs.spent),
        unknown=to_usd(costs.unknown),
        cache_hits=costs.cache_hits,
        new_api_calls=costs.new_api_calls,
        total_new_cost=to_usd(costs.total_new_cost),
        total_cache_savings=to_usd(costs.total_cache_savings),
    )


class BodyLimit:
    """Refuses to read a body over the limit. FastAPI's own limit would answer in plain text."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A stated length is refused at once; one that is not stated, when it has come to too much."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        stated = Headers(scope=scope).get("content-length", "")
        if stated.isascii() and stated.isdigit() and int(stated[:16]) > self._limit:
            await self.refusal()(scope, receive, send)
            return
        read, answered = 0, False

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read <= self._limit:
                return message
            if answered:
                return {"type": "http.disconnect"}
            raise HTTPException(413)

        async def noted(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        await self._app(scope, bounded, noted)

    def refusal(self) -> JSONResponse:
        """What is answered."""
        return _problem(MessageTooLong(f"The body is over {self._limit} bytes: ingest long texts as documents."))


def _describe_problems(app: FastAPI) -> None:
    """Errors go out as `application/problem+json`; FastAPI would describe them by the media type of the success."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        described = describe()
        problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for operations in described["paths"].values():
            for operation in operations.values():
                for status, answer in operation["responses"].items():
                    if int(status) >= 400:
                        answer["content"] = problem
        return described

    app.openapi = openapi  # type: ignore[method-assign]


def _problem(
    error: DossierError, scrub: Any = str, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    problem = Problem(
        type=f"urn:dossier:error:{error.code}",
        title=error.code.replace("_", " ").capitalize(),
        status=status or error.status,
        # A name in the body may be half a surrogate pair, which has no bytes.
        detail=scrub(error.message).encode(errors="replace").decode(),
        code=error.code,
    )
    return JSONResponse(
        problem.model_dump(),
        status_code=problem.status,
        media_type="application/problem+json",
        headers={**({"Retry-After": "1"} if error.retryable else {}), **(headers or {})},
    )


def _add_error_handlers(app: FastAPI) -> None:
    def scrub(request: Request) -> Any:
        runs = getattr(request.app.state, "runs", None)
        return runs.services.scrub if runs is not None else str

    @app.exception_handler(DossierError)
    async def known(request: Request, exc: DossierError) -> JSONResponse:
        return _problem(exc, scrub(request))

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, exc: RequestValidationError) -> JSONResponse:
        places = [f"{'.'.join(str(p) for p in e['loc'][1:])[:80] or 'body'}: {e['msg']}" for e in exc.errors()[:5]]
        if "json" not in request.headers.get("content-type", "") and request.method == "POST":
            places = ["The body must be JSON: send it with Content-Type: application/json."]
        return _problem(MalformedRequest("; ".join(places)), scrub(request))

    @app.exception_handler(HTTPException)
    async def http(request: Request, exc: HTTPException) -> JSONResponse:
        if exc.status_code == 413:
            return BodyLimit(app, _services(request).settings.max_body_bytes).refusal()
        if exc.status_code == 404:
            return _problem(NoSuchRoute(f"There is no {request.method} {request.url.path[:80]}: see /docs."))
        error = MalformedRequest(f"{exc.detail}: {request.method} {request.url.path[:80]}; see /docs.")
        return _problem(error, status=exc.status_code, headers=exc.headers)

    @app.exception_handler(Exception)
    async def fault(_: Request, exc: Exception) -> JSONResponse:
        mark = new_id()
        logger.error("fault %s", mark, exc_info=exc)
        return _problem(InternalError(f"A fault of ours, number {mark}: the server's log has the details."))
