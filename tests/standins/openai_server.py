"""A stand-in for OpenAI's chat completions: a real HTTP server on loopback that speaks the documented wire format.

    with OpenAIStandin(latency=0.5) as server:
        ...  # server.base_url, server.requests, server.invoice

It answers sensibly from the request unless `script` holds a `Reply` for it, and keeps an invoice of what a real server
would charge. In its own process: `python -m tests.standins.openai_server --port 9000 --latency 0.5`; the
invoice is then at /standin/invoice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.standins.openai_answers import Body, answer, reply_tool

GATE_TIMEOUT = 20.0
"""A gate that nobody opens fails the test instead of hanging it."""


@dataclass
class Reply:
    """One scripted answer. What is left out is worked out from the request."""

    text: str | None = None
    tool_calls: list[tuple[str, str]] | None = None
    """Name, and arguments as the JSON text the model wrote (which may be broken)."""
    status: int = 200
    error: str = ""
    """Message of an error in OpenAI's shape; `{key}` becomes the key that was sent."""
    headers: dict[str, str] = field(default_factory=dict)
    usage: tuple[int, int] | None = None
    """Prompt and completion tokens to report; None counts them."""
    report_usage: bool = True
    body: str | None = None
    """Sent as it is, instead of a completion."""
    content_type: str = "application/json"
    cut_after: int | None = None
    """Characters of the streamed answer after which the connection is dropped."""
    finish: str | None = "stop"
    """Finish reason; None ends the stream in good order but without one."""
    gate: threading.Event | None = None
    gate_after: int = 0
    """The answer stops after so many characters until the gate opens."""


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    headers: dict[str, str]
    body: Body
    at: float

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the tools on offer (not the form of a structured reply)."""
        named = () if reply_tool(self.body) else self.body.get("tools", ())
        return tuple(t["function"]["name"] for t in named)

    @property
    def method(self) -> str:
        """How structured output was asked for."""
        form = self.body.get("response_format")
        return str(form["type"]) if form else ("tools" if self.body.get("tools") else "none")


class OpenAIStandin:
    """The server. Use it as a context manager, or `start()` and `stop()`."""

    def __init__(
        self,
        *,
        latency: float = 0.0,
        tokens_per_second: float | None = None,
        key: str | None = None,
        refuse: Iterable[str] = (),
        refuse_status: int = 400,
        usage: bool = True,
        script: Iterable[Reply] = (),
        price: tuple[Decimal, Decimal] = (Decimal("0.40"), Decimal("1.60")),
        piece: int = 24,
        port: int = 0,
    ) -> None:
        """`refuse`: what it does not know (json_schema, json_object, tools, tool_choice); `key`: the only one taken."""
        self.latency = latency
        self.tokens_per_second = tokens_per_second
        self.key = key
        self.refuse = frozenset(refuse)
        self.refuse_status = refuse_status
        self.usage = usage
        self.script = deque(script)
        self.price = price
        self.piece = piece
        self.requests: list[Seen] = []
        self.invoice: list[int] = []
        """Micro-dollars per request, in order of arrival; zero for a refused one."""
        self.tokens: list[int] = []
        """Prompt and completion tokens per request, in order of arrival."""
        self._socket = socket.create_server(("127.0.0.1", port))
        # asyncio sets it only on sockets it has made itself; without it a body waits 40 ms behind its headers.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        app = Starlette(
            routes=[
                Route("/v1/chat/completions", self._completions, methods=["POST"]),
                Route("/standin/invoice", self._report),
            ]
        )
        # No log: a dropped connection is this server's business, not an error of the test.
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    @property
    def billed(self) -> int:
        """Micro-dollars of the whole invoice."""
        return sum(self.invoice)

    def start(self) -> Self:
        """Serve. The socket listens from the constructor on, so a client may connect at once."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving, dropping whatever is under way."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(GATE_TIMEOUT)
        self._socket.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    # --- the wire ---------------------------------------------------------------------------------------------------

    async def _report(self, request: Request) -> Response:
        seen = [{"at": s.at, "method": s.method, "stream": bool(s.body.get("stream"))} for s in self.requests]
        return JSONResponse({"requests": seen, "invoice": self.invoice, "billed": self.billed})

    async def _completions(self, request: Request) -> Response:
        body: Body = await request.json()
        self.requests.append(Seen(dict(request.headers), body, time.monotonic()))
        self.invoice.append(0)
        self.tokens.append(0)
        number = len(self.invoice) - 1
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.key is not None and sent != self.key:
            return _error(
                401, f"Incorrect API key provided: {sent}. You can find your key in your account.", "invalid_api_key"
            )
        refusal = self._refusal(body)
        if refusal:
            return _error(self.refuse_status, refusal, None)
        reply = self.script.popleft() if self.script else Reply()
        if reply.status != 200:
            return _error(reply.status, reply.error.format(key=sent), None, reply.headers)
        text, calls = self._say(reply, body)
        prompt, completion = reply.usage or (_tokens(_prompt(body)), _tokens(text + "".join(n + a for n, a in calls)))
        self.tokens[number] = prompt + completion
        exact = self.price[0] * prompt + self.price[1] * completion
        self.invoice[number] = int(exact.to_integral_value(rounding=ROUND_CEILING))
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        shown = usage if self.usage and reply.report_usage else None
        if body.get("stream"):
            if reply.body is not None:
                return Response(reply.body, media_type=reply.content_type)
            return StreamingResponse(self._stream(reply, body, text, calls, shown), media_type="text/event-stream")
        await self._wait(reply, completion)
        if reply.body is not None:
            return Response(reply.body, media_type=reply.content_type)
        return JSONResponse(_completion(body, text, calls, reply.finish, shown))

    def _refusal(self, body: Body) -> str:
        form = (body.get("response_format") or {}).get("type", "text")
        if form in self.refuse:
            return f"Invalid parameter: 'response_format' of type '{form}' is not supported with this model."
        if "tools" in self.refuse and body.get("tools"):
            return "Invalid parameter: 'tools' is not supported with this model."
        if "tool_choice" in self.refuse and isinstance(body.get("tool_choice"), str) and body["tool_choice"] != "auto":
            return "Invalid parameter: only tool_choice 'auto' is supported."
        return ""

    def _say(self, reply: Reply, body: Body) -> tuple[str, list[tuple[str, str]]]:
        if reply.tool_calls is not None:
            return reply.text or "", reply.tool_calls
        if reply.text is not None:
            tool = reply_tool(body)
            return ("", [(tool, reply.text)]) if tool else (reply.text, [])
        return answer(body)

    async def _wait(self, reply: Reply, tokens: int) -> None:
        writing = tokens / self.tokens_per_second if self.tokens_per_second else 0.0
        await asyncio.sleep(self.latency + writing)
        await _pass_gate(reply)

    async def _stream(
        self, reply: Reply, body: Body, text: str, calls: list[tuple[str, str]], usage: Body | None
    ) -> AsyncIterator[str]:
        """Server-sent events: role, pieces, finish reason, usage, [DONE]."""
        await asyncio.sleep(self.latency)
        wants_usage = (body.get("stream_options") or {}).get("include_usage")
        sent = 0
        yield _event(body, {"role": "assistant", "content": ""})
        for delta, size in _deltas(text, calls, self.piece):
            if reply.cut_after is not None and sent >= reply.cut_after:
                raise ConnectionResetError("the script drops this connection")
            if reply.gate is not None and sent >= reply.gate_after:
                await _pass_gate(reply)
            if self.tokens_per_second:
                await asyncio.sleep(size / 4 / self.tokens_per_second)
            yield _event(body, delta)
            sent += size
        if reply.finish is None:
            return
        yield _event(body, {}, finish="tool_calls" if calls and reply.finish == "stop" else reply.finish)
        if wants_usage and usage:
            yield _event(body, None, usage=usage)
        yield "data: [DONE]\n\n"


async def _pass_gate(reply: Reply) -> None:
    if reply.gate is not None and not await asyncio.to_thread(reply.gate.wait, GATE_TIMEOUT):
        raise TimeoutError("nobody opened the gate")


def _deltas(text: str, calls: list[tuple[str, str]], piece: int) -> Iterable[tuple[Body, int]]:
    for at in range(0, len(text), piece):
        yield {"content": text[at : at + piece]}, len(text[at : at + piece])
    for index, (name, args) in enumerate(calls):
        head = {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
        yield {"tool_calls": [head]}, 0
        for at in range(0, len(args), piece):
            part = args[at : at + piece]
            yield {"tool_calls": [{"index": index, "function": {"arguments": part}}]}, len(part)


def _event(body: Body, delta: Body | None, *, finish: str | None = None, usage: Body | None = None) -> str:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    chunk = _head(body, "chat.completion.chunk") | {"choices": choices, "usage": usage}
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"


def _head(body: Body, kind: str) -> Body:
    return {"id": "chatcmpl-standin", "object": kind, "created": 1_790_000_000, "model": body.get("model", "")}


def _completion(body: Body, text: str, calls: list[tuple[str, str]], finish: str | None, usage: Body | None) -> Body:
    message: Body = {"role": "assistant", "content": text or None, "refusal": None}
    if calls:
        message["tool_calls"] = [
            {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": args}}
            for n, (name, args) in enumerate(calls)
        ]
    reason = "tool_calls" if calls and finish == "stop" else finish
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
    return _head(body, "chat.completion") | {"choices": [choice]} | ({"usage": usage} if usage else {})


def _error(status: int, message: str, code: str | None, headers: dict[str, str] | None = None) -> Response:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return JSONResponse(body, status_code=status, headers=headers)


def _prompt(body: Body) -> str:
    """Everything a server turns into prompt tokens."""
    shown = {name: body[name] for name in ("messages", "tools", "response_format") if name in body}
    return json.dumps(shown, ensure_ascii=False)


def _tokens(text: str) -> int:
    """The usual four bytes a token: any figure will do that is at most one token a byte."""
    return -(-len(text.encode()) // 4)


def main(argv: list[str] | None = None) -> None:
    """Serve until the process is told to end."""
    parser = argparse.ArgumentParser(description="Stand-in for OpenAI's chat completions.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds to the first token")
    parser.add_argument("--tokens-per-second", type=float, default=None)
    args: Any = parser.parse_args(argv)
    server = OpenAIStandin(port=args.port, latency=args.latency, tokens_per_second=args.tokens_per_second).start()
    sys.stdout.write(f"{server.base_url}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
