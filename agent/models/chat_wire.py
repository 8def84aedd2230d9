"""One HTTP request to an OpenAI-compatible chat server, and what became of it: a reply with its price, or a ModelError.

Nothing here retries. `Wire.perform` is what a door is given, so one door call is one request and one settlement.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from pydantic import JsonValue

from agent.errors import ModelUnavailable
from agent.models.base import ModelReply, ToolCall
from agent.models.chat_prompts import Message
from agent.models.prices import ModelPrice, prompt_bound
from agent.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import LanguageModelInput
    from langchain_core.messages import AIMessage
    from langchain_core.runnables import Runnable
    from langchain_openai import ChatOpenAI

log = logging.getLogger(__name__)

Method = Literal["json_schema", "function_calling", "json_mode", "prompted", "required", "auto"]
REPLY_METHODS: tuple[Method, ...] = ("json_schema", "function_calling", "json_mode", "prompted")
"""Ways to ask for structured output, the most binding first."""
TOOL_METHODS: tuple[Method, ...] = ("required", "auto")
"""Ways to ask for tool calls: small local models call none unless they must, and some servers know only `auto`."""
REFUSED = "refused:"
"""Starts the `method` of a reply that means "the server does not know this way": nothing generated, nothing billed."""

Hear = Callable[[str], Awaitable[None]]
"""Told each piece of the answer as it comes."""

CONNECT_TIMEOUT = 10.0
DOWN_AFTER = 2
DOWN_SECONDS = 60.0
_OUR_FAULT = {400, 413, 422}
"""Statuses that speak of the request, not of the server's health."""
_REFUSING_STATUS = {400, 404, 415, 422, 500, 501}
_FEATURES: Mapping[Method, re.Pattern[str]] = {
    "json_schema": re.compile(r"response_format|json_schema|schema|structured", re.IGNORECASE),
    "function_calling": re.compile(r"tool|function", re.IGNORECASE),
    "json_mode": re.compile(r"response_format|json", re.IGNORECASE),
    "required": re.compile(r"tool_choice", re.IGNORECASE),
}
_NOT_A_METHOD = re.compile(
    r"context.{0,3}length|too long|maximum context|model.{0,60}(not found|does not exist)", re.IGNORECASE
)
"""Complaints that may name a feature in passing, and would come back whatever way was asked."""
_NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol")
"""Transport errors raised before a request left, by class name: the SDK ships its own copy of the HTTP library."""


@dataclass(frozen=True)
class Request:
    """What to send."""

    messages: tuple[Message, ...]
    method: Method
    schema: Mapping[str, JsonValue] | None = None
    """Name and JSON Schema of the reply, for structured output."""
    tools: tuple[Mapping[str, JsonValue], ...] = ()
    """Offered tools, in the wire's own form."""

    def bound(self) -> int:
        """The most prompt tokens this can be."""
        shown = self.tools if self.schema is None else (*self.tools, self.schema)
        return prompt_bound(self.messages, shown)


def chat_model(settings: Settings, price: ModelPrice) -> ChatOpenAI:
    """The client. Imported here, so that a process without a model does not pay seconds and memory for it."""
    import openai
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    # Its advice on a refused schema is for callers of `with_structured_output`; here the next method is tried.
    warnings.filterwarnings(
        "ignore", message="This model does not support OpenAI's structured output", category=UserWarning
    )
    # Without a key a local server still wants some Authorization header; the SDK refuses to be built with none.
    key = settings.openai_api_key or SecretStr("no-key")
    thinking = price.reasoning and price.effort != "none"
    return ChatOpenAI(
        model=settings.model,
        api_key=key,
        # Named even when it is OpenAI's own: otherwise the environment of the process could send the key elsewhere.
        base_url=settings.openai_base_url or "https://api.openai.com/v1",
        # Not a plain number: the library shares clients with a hashable timeout between event loops.
        timeout=openai.Timeout(settings.model_timeout, connect=min(CONNECT_TIMEOUT, settings.model_timeout)),
        stream_chunk_timeout=settings.model_timeout,
        max_retries=0,
        max_completion_tokens=None if _old_limit(settings, price) else settings.model_max_tokens,
        temperature=None if thinking else 0,
        reasoning_effort=price.effort,
        stream_usage=True,
        use_responses_api=False,
        cache=False,
    )


def _old_limit(settings: Settings, price: ModelPrice) -> bool:
    """Whether the reply is limited by `max_tokens`, the name that every compatible server knows.

    OpenAI wants `max_completion_tokens`; llama_cpp.server, for one, ignores that and writes until its context is full.
    Both at once are an error at OpenAI, also behind a proxy.
    """
    return settings.openai_base_url is not None and not price.reasoning


class Health:
    """Whether the server is worth asking. Two failures in a row, and it is left alone for a minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0

    def check(self) -> None:
        """Raise at once while the server counts as down."""
        left = self._until - self._clock()
        if left > 0:
            raise ModelUnavailable(
                f"The model's server failed {self._failures} times; it is left alone for {left:.0f} s."
            )

    def failed(self) -> None:
        """Note a failure of the server."""
        self._failures += 1
        if self._failures >= DOWN_AFTER:
            self._until = self._clock() + DOWN_SECONDS

    def answered(self) -> None:
        """Note that it answered."""
        self._failures = 0


class Wire:
    """Sends requests to one server and prices what comes back."""

    def __init__(
        self, settings: Settings, price: ModelPrice, scrub: Callable[[str], str], clock: Callable[[], float]
    ) -> None:
        self.price = price
        self.max_tokens = settings.model_max_tokens
        self.health = Health(clock)
        self._timeout = settings.model_timeout
        self._scrub = scrub
        self._model = chat_model(settings, price)
        self._extra = {"max_tokens": settings.model_max_tokens} if _old_limit(settings, price) else {}

    async def aclose(self) -> None:
        """Close the connections."""
        await self._model.root_async_client.close()

    def max_price(self, request: Request) -> int:
        """Micro-dollars to hold for it."""
        return self.price.worst_case(request.bound(), self.max_tokens)

    async def perform(self, request: Request, hear: Hear | None = None) -> ModelReply:
        """Make the request; with `hear`, as a stream. Raises ModelUnavailable; a refusal is a reply (REFUSED)."""
        if hear is not None:
            return await self._streamed(request, hear)
        message: AIMessage | None = None
        failure: Exception | None = None
        # Errors are made outside `except`, so that no SDK exception hangs on ours as its context: it holds the request.
        try:
            async with asyncio.timeout(self._timeout):
                message = await self._bound(request).ainvoke(list(request.messages))
        except Exception as exc:  # noqa: BLE001 - every failure becomes a ModelError with what was billed, in `_ended`
            failure = exc
        return self._ended(request, failure) if message is None else self._whole(request, message)

    async def _streamed(self, request: Request, hear: Hear) -> ModelReply:
        """Read a stream to its end. An exception of `hear` is the caller's own and passes through."""
        heard = _Heard()
        async with aclosing(self._pieces(request, heard)) as pieces:
            async for piece in pieces:
                await hear(piece)
        # A stream may also just stop: without a finish reason nobody can tell a whole answer from a broken one.
        if heard.failure is not None or not heard.finished:
            return self._ended(request, heard.failure, began=bool(heard.text))
        return self._priced(request, heard.text, (), heard.usage)

    async def _pieces(self, request: Request, heard: _Heard) -> AsyncGenerator[str]:
        chunks = cast("AsyncGenerator[AIMessage]", self._bound(request).astream(list(request.messages)))
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    piece = heard.take(chunk)
                    if piece:
                        yield piece
        except Exception as exc:  # noqa: BLE001 - as above
            heard.failure = exc

    def _bound(self, request: Request) -> Runnable[LanguageModelInput, AIMessage]:
        """The client with this request's way of asking."""
        schema = dict(request.schema or {})
        extra: dict[str, object] = {**self._extra}
        if request.method == "json_schema":
            # In `extra_body`, because the SDK's own parsing helper turns a cut-off answer into an exception.
            extra["response_format"] = {"type": "json_schema", "json_schema": {**schema, "strict": True}}
        elif request.method == "json_mode":
            extra["response_format"] = {"type": "json_object"}
        body = extra or None
        if request.method == "function_calling":
            tool = {"type": "function", "function": {"name": schema["name"], "parameters": schema["schema"]}}
            return self._model.bind_tools([tool], tool_choice=str(schema["name"]), extra_body=body)
        if request.tools:
            choice = "required" if request.method == "required" else None
            return self._model.bind_tools([dict(t) for t in request.tools], tool_choice=choice, extra_body=body)
        return self._model.bind(extra_body=body)

    def _whole(self, request: Request, message: AIMessage) -> ModelReply:
        usage = message.usage_metadata
        counted = (usage["input_tokens"], usage["output_tokens"]) if usage else (0, 0)
        bad = " ".join(str(c.get("args") or "") for c in message.invalid_tool_calls)
        text = message.text or bad
        calls = tuple(ToolCall(name=c["name"], args=c["args"]) for c in message.tool_calls)
        if request.method == "function_calling" and message.tool_calls:
            text, calls = _json(message.tool_calls[0]["args"]), ()
        return self._priced(request, text, calls, counted)

    def _priced(self, request: Request, text: str, calls: tuple[ToolCall, ...], usage: tuple[int, int]) -> ModelReply:
        """The reply with what it cost. Reported zeros are no report: a request has tokens, and so has an answer."""
        self.health.answered()
        prompt, completion = usage
        ceiling = self.max_price(request)
        estimated = prompt <= 0 or completion <= 0
        if estimated:
            written = len(text.encode()) + sum(len(c.name) + len(_json(c.args).encode()) + 32 for c in calls) + 32
            # A thinking model also bills tokens that are not in the answer.
            completion = self.max_tokens if self.price.reasoning else min(self.max_tokens, written)
            prompt = request.bound()
        billed = self.price.actual(prompt, completion)
        if billed > ceiling:
            log.warning("model usage above its upper bound: %d prompt and %d completion tokens", prompt, completion)
        return ModelReply(
            text=text,
            tool_calls=calls,
            prompt_tokens=prompt,
            completion_tokens=completion,
            estimated=estimated,
            billed=min(billed, ceiling),
            method=request.method,
        )

    def _ended(self, request: Request, exc: Exception | None, *, began: bool = False) -> ModelReply:
        """Turn what went wrong into the reply that says "not this way", or into the one error the rooms know.

        `began`: part of the answer had come, so it may be billed whatever the error says.
        """
        refused = next((e for e in _chain(exc) if isinstance(getattr(e, "status_code", None), int)), None)
        status = getattr(refused, "status_code", None)
        if (
            isinstance(status, int)
            and not began
            and _is_refusal(request.method, status, str(getattr(refused, "body", "")))
        ):
            return ModelReply(method=f"{REFUSED}{request.method}")
        if status not in _OUR_FAULT:
            self.health.failed()
        if isinstance(status, int):
            said = f"The model's server answered HTTP {status}{self._said(refused)}."
            raise ModelUnavailable(said, billed=None if began else 0)
        names = " ".join(type(e).__name__ for e in _chain(exc))
        if not began and any(name in _NEVER_SENT for name in names.split()):
            raise ModelUnavailable("The model's server cannot be reached: the connection failed.", billed=0)
        if "Timeout" in names:
            raise ModelUnavailable(f"The model's server was silent for {self._timeout:g} s.", billed=None)
        if exc is None or re.search("Protocol|Connection|Read", names):
            raise ModelUnavailable("The model's server broke off its answer.", billed=None)
        raise ModelUnavailable(
            f"The model's server answered with something that is no chat completion ({names.split()[0]}).", billed=None
        )

    def _said(self, exc: BaseException | None) -> str:
        """A short, scrubbed piece of the server's own message. Scrubbed first: a cut secret is no longer recognised."""
        body = getattr(exc, "body", None)
        message = body.get("message") if isinstance(body, dict) else None
        words = " ".join(self._scrub(str(message)).split())[:200] if message else ""
        return f": {words.rstrip('.')}" if words else ""


class _Heard:
    """What a stream brought so far."""

    def __init__(self) -> None:
        self.text = ""
        self.usage = (0, 0)
        self.finished = False
        self.failure: Exception | None = None
        self._tool: int | str | None = None

    def take(self, chunk: AIMessage) -> str:
        """Add a chunk; returns the piece of the answer in it: content, or the arguments of the first tool call."""
        if chunk.usage_metadata:
            usage = chunk.usage_metadata
            # The largest, not the sum: some servers repeat a running total in every chunk.
            self.usage = (max(self.usage[0], usage["input_tokens"]), max(self.usage[1], usage["output_tokens"]))
        self.finished = self.finished or bool(chunk.response_metadata.get("finish_reason"))
        piece = str(chunk.text)
        for call in getattr(chunk, "tool_call_chunks", ()):
            self._tool = call.get("index") if self._tool is None else self._tool
            if call.get("index") == self._tool:
                piece += call.get("args") or ""
        self.text += piece
        return piece


def _is_refusal(method: Method, status: int, said: str) -> bool:
    """Whether the server says that it does not know this way of asking (as opposed to being ill)."""
    feature = _FEATURES.get(method)
    named = feature is not None and feature.search(said) is not None
    return named and status in _REFUSING_STATUS and _NOT_A_METHOD.search(said) is None


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    """An exception and what it came from."""
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
