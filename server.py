"""The front door: routes, event streams, and errors as problem details. Nothing is decided here.

`create_app(settings)` makes the application; `dossier serve` (and so `make run`) serves it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from time import monotonic
from typing import Annotated

from fastapi import FastAPI, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from agent.errors import InvalidCursor
from agent.records import ConsumerType, to_usd
from agent.runs import Runs
from agent.services import Services, now_utc, open_services
from agent.settings import Settings, load_settings
from api.problems import PROBLEMS, BodyLimit, add_error_handlers, describe_problems
from api.views import (
    Health,
    RunRequest,
    RunView,
    SourceView,
    ThreadRequest,
    ThreadView,
    UsageView,
    run_summary,
    run_view,
)


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
    add_error_handlers(app)
    _add_threads(app)
    _add_runs(app)
    _add_house(app)
    describe_problems(app)
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
        return ThreadView(**thread.model_dump(), runs=[run_summary(r) for r in runs])

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
        return await run_view(runs, run)


def _add_runs(app: FastAPI) -> None:
    @app.get("/v1/runs/{run_id}", responses=PROBLEMS, tags=["runs"])
    async def read_run(run_id: str, request: Request) -> RunView:
        """Status, plan, brief, quality and costs."""
        return await run_view(_runs(request), await _services(request).runs.run(run_id))

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
        return await run_view(runs, await runs.cancel(run_id))


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
            total_cost=sum((r.cost for r in rows), Decimal(0)),
            total_cache_savings=sum((r.saved for r in rows), Decimal(0)),
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
