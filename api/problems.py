"""Errors as RFC 9457 problem documents, each with its stable code; and the limit on what is read of a request."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.errors import DossierError, InternalError, MalformedRequest, MessageTooLong, NoSuchRoute
from agent.records import new_id

logger = logging.getLogger(__name__)


class Problem(BaseModel):
    """RFC 9457 problem details, with the error's stable code."""

    type: str
    title: str
    status: int
    detail: str
    code: str


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


def describe_problems(app: FastAPI) -> None:
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


def add_error_handlers(app: FastAPI) -> None:
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
            return BodyLimit(app, request.app.state.runs.services.settings.max_body_bytes).refusal()
        if exc.status_code == 404:
            return _problem(NoSuchRoute(f"There is no {request.method} {request.url.path[:80]}: see /docs."))
        error = MalformedRequest(f"{exc.detail}: {request.method} {request.url.path[:80]}; see /docs.")
        return _problem(error, status=exc.status_code, headers=exc.headers)

    @app.exception_handler(Exception)
    async def fault(_: Request, exc: Exception) -> JSONResponse:
        mark = new_id()
        logger.error("fault %s", mark, exc_info=exc)
        return _problem(InternalError(f"A fault of ours, number {mark}: the server's log has the details."))
