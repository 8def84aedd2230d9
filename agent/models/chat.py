"""The chat engine: decompose, propose, extract and write with any OpenAI-compatible chat model.

Money: every HTTP request goes through the door under its own label (`write`, `write:function_calling`, `write:repair`),
so that each is held, settled and stored by itself. The first label of a task carries no method, because which method
comes first depends on what this process has learnt, and a rerun in another process must find the same reply.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel, Field, JsonValue, create_model

from agent.errors import ConfigError, ModelMalformed, ModelUnavailable, UnpricedModel
from agent.models.base import (
    DecomposeTask,
    Door,
    ExtractTask,
    ModelReply,
    Proposal,
    ProposeTask,
    Say,
    ToolCall,
    WriteTask,
)
from agent.models.chat_extract import extract_prompt, extract_schema, read_told
from agent.models.chat_prompts import (
    ClaimReader,
    Message,
    Unreadable,
    decompose_prompt,
    decompose_schema,
    json_of,
    propose_prompt,
    read_claim,
    read_questions,
    write_prompt,
    write_schema,
)
from agent.models.chat_wire import REFUSED, REPLY_METHODS, TOOL_METHODS, Hear, Method, Request, Wire
from agent.models.prices import ModelPrice, price_of
from agent.records import Claim, Evidence, Question, Subject, normalise, to_usd
from agent.settings import Settings
from agent.values import Told
from tools.base import SourceTool
from tools.reading.urls import host_of

T = TypeVar("T")
Read = Callable[[ModelReply], Awaitable[T]]

SERVES = "questions"
"""The argument added to every tool as the model sees it, and taken off again."""
PROMPT_BYTES = 10_000
"""Room for what a writing prompt holds besides the evidence: instructions, the question, the reply's schema."""
TOOLLESS_METHODS = tuple(m for m in REPLY_METHODS if m != "function_calling")
"""Ways to ask for structured output that bind nothing, not even the reply's own form."""
READ_SHARE = 2
"""At most one part in so many of the context is given to documents to be read: one read must cost less than the writing."""
PLACES = ("domain", "url")
"""Arguments that name a place to go to."""
SHOWN_BACK = 2_000
"""Characters of a bad answer that are shown to the model for mending."""


class ChatEngine:
    """An `Engine` over one chat server. Safe to share between runs: it keeps only what it learnt about the server."""

    def __init__(
        self,
        settings: Settings,
        price: ModelPrice,
        scrub: Callable[[str], str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`scrub` takes known secrets out of a text; `clock` counts seconds and never goes back."""
        self.name = settings.model
        self.price = price
        self._context = settings.model_context_chars
        self._wire = Wire(settings, price, scrub, clock)
        self._known: dict[tuple[Method, ...], Method] = {}
        """The method that worked, by the order it was found in."""
        self._tools: dict[str, Mapping[str, JsonValue]] = {}
        """Sources as the model sees them: making one takes longer than looking it up."""

    def writing_reserve(self) -> int:
        """Micro-dollars for one `write` with as much evidence as the settings show the model."""
        prompt = min(self._context + PROMPT_BYTES, self.price.prompt_limit or self._context + PROMPT_BYTES)
        return self.price.worst_case(prompt, self._wire.max_tokens)

    async def aclose(self) -> None:
        """Close the connections to the server."""
        await self._wire.aclose()

    async def decompose(self, task: DecomposeTask, door: Door) -> tuple[Question, ...]:
        """Sub-questions that together cover the unmet requirements the question asks about."""

        async def read(reply: ModelReply) -> tuple[Question, ...]:
            return read_questions(reply.text, task)

        request = Request(tuple(decompose_prompt(task)), "json_schema", schema=decompose_schema(task))
        return await self._ask("decompose", request, REPLY_METHODS, door, read)

    async def propose(self, task: ProposeTask, door: Door) -> tuple[Proposal, ...]:
        """Calls worth considering, as the model's own tool calls. Arguments are JSON and not validated here."""
        if not task.tools or not task.questions:
            return ()
        if not self.price.chat_tools:
            raise ModelUnavailable(f"{self.name} takes no tool calls over chat completions.", billed=0)

        async def read(reply: ModelReply) -> tuple[Proposal, ...]:
            if not reply.tool_calls and reply.text.strip():
                raise Unreadable("No tool was called: answer with tool calls whose arguments are valid JSON.")
            return tuple(p for call in reply.tool_calls if (p := _proposal(call, task)) is not None)

        request = Request(tuple(propose_prompt(task)), "required", tools=tuple(self._shown(t) for t in task.tools))
        return await self._ask("propose", request, TOOL_METHODS, door, read)

    def _shown(self, tool: SourceTool[BaseModel]) -> Mapping[str, JsonValue]:
        if tool.name not in self._tools:
            self._tools[tool.name] = shown_tool(tool)
        return self._tools[tool.name]

    async def extract(self, task: ExtractTask, door: Door) -> tuple[Told, ...]:
        """What the model reads in the passages, unchecked. Asked once and never mended: the brief can do without it."""
        messages, labels = extract_prompt(task, self._context // READ_SHARE)
        if not labels:
            return ()

        async def read(reply: ModelReply) -> tuple[Told, ...]:
            return read_told(reply.text, labels)

        request = Request(tuple(messages), "json_schema", schema=extract_schema(task))
        return await self._ask("extract", request, TOOLLESS_METHODS, door, read, mend=False)

    async def write(self, task: WriteTask, door: Door, say: Say) -> tuple[Claim, ...]:
        """Claims that cite labels; each is said as soon as its JSON object is complete, while the rest still comes."""
        messages, labels = write_prompt(task, self._context)
        if not any(label.startswith("E") for label in labels):
            return ()  # nothing could be cited, so there is nothing to pay for
        teller = _Teller(task, labels, say)

        async def read(reply: ModelReply) -> tuple[Claim, ...]:
            return await teller.finish(reply.text)

        request = Request(tuple(messages), "json_schema", schema=write_schema(task))
        return await self._ask("write", request, REPLY_METHODS, door, read, teller.hear)

    # --- asking -----------------------------------------------------------------------------------------------------

    async def _ask(
        self,
        label: str,
        request: Request,
        order: tuple[Method, ...],
        door: Door,
        read: Read[T],
        hear: Hear | None = None,
        *,
        mend: bool = True,
    ) -> T:
        """Ask by the first method the server takes, read the answer, and have it mended once if it cannot be read."""
        asked, reply = await self._first_taken(label, request, order, door, hear)
        try:
            answer = await read(reply)
        except Unreadable as exc:
            problem = str(exc)
        else:
            self._known[order] = asked.method
            return answer
        if not mend:
            raise ModelMalformed(f"The model's answer did not fit. {problem}", billed=0)
        mending = replace(asked, messages=_mending(asked, reply, problem))
        mended = await self._pass(f"{label}:repair", mending, door, hear)
        try:
            return await read(mended)
        except Unreadable as exc:
            problem = str(exc)
        raise ModelMalformed(f"The model's answer did not fit, even after one repair. {problem}", billed=0)

    async def _first_taken(
        self, label: str, request: Request, order: tuple[Method, ...], door: Door, hear: Hear | None
    ) -> tuple[Request, ModelReply]:
        """The answer to the first way of asking that is not refused, and the request that it answers."""
        known = self._known.get(order)
        methods = order if known is None else order[order.index(known) :]
        for n, method in enumerate(methods):
            reply = await self._pass(label if n == 0 else f"{label}:{method}", _by(request, method), door, hear)
            if not reply.method.startswith(REFUSED):
                # The reply may be the ledger's, got in a process that knew another method.
                used = next((m for m in order if m == reply.method), method)
                return _by(request, used), reply
        raise ModelUnavailable("The model's server takes none of the ways to ask for structured output.", billed=0)

    async def _pass(self, label: str, request: Request, door: Door, hear: Hear | None) -> ModelReply:
        """One request through the door. While the server is down, nothing is held and nothing is sent."""
        self._wire.health.check()
        try:
            ceiling = self._wire.max_price(request)
        except UnpricedModel as exc:  # a prompt beyond the price's range: the room can do without a model
            raise ModelUnavailable(exc.message, billed=0) from None
        return await door(label, ceiling, lambda: self._wire.perform(request, hear))


def _by(request: Request, method: Method) -> Request:
    """The request asked in this way. Where the server does not enforce the schema, the prompt states it."""
    if request.schema is None or method not in ("json_mode", "prompted"):
        return replace(request, method=method)
    (role, text), *rest = request.messages
    stated = json.dumps(request.schema["schema"], ensure_ascii=False)
    told = f"{text}\nAnswer with one JSON object of this JSON Schema and nothing else:\n{stated}"
    return replace(request, method=method, messages=((role, told), *rest))


def _mending(request: Request, reply: ModelReply, problem: str) -> tuple[Message, ...]:
    said = reply.text[:SHOWN_BACK] or "(nothing)"
    again = f"That answer cannot be used. {problem} Answer again, in full, in the form that was asked for."
    return (*request.messages, ("assistant", said), ("user", again))


# --- proposals ------------------------------------------------------------------------------------------------------


def shown_tool(tool: SourceTool[BaseModel]) -> Mapping[str, JsonValue]:
    """A source as the model sees it: its typed arguments, its price, and an extra argument for what the call serves."""
    from langchain_core.tools import StructuredTool
    from langchain_core.utils.function_calling import convert_to_openai_tool

    price = "free" if not tool.max_price else f"at most ${to_usd(tool.max_price):f} per call"
    structured = StructuredTool.from_function(
        coroutine=_never_run,
        name=tool.name,
        description=f"{tool.description} Price: {price}. Serves: {', '.join(tool.datasets)}.",
        args_schema=_shown_args(tool.Args),
    )
    shown: Mapping[str, JsonValue] = convert_to_openai_tool(structured)
    return shown


def _shown_args(args: type[BaseModel]) -> type[BaseModel]:
    if SERVES in args.model_fields:
        return args
    about = "Ids of the sub-questions this call serves, for example Q1."
    extra = {SERVES: (list[str] | None, Field(None, description=about))}
    shown: type[BaseModel] = create_model(f"{args.__name__}Shown", __base__=args, **extra)  # type: ignore[call-overload]
    return shown


async def _never_run(**_: object) -> str:
    """Tools are shown to the model, never run by it: a proposal is priced, planned and checked first."""
    raise RuntimeError("a proposed call is run by the planner, not here")


def _proposal(call: ToolCall, task: ProposeTask) -> Proposal | None:
    """What the call means in our records; None for a tool that was not offered, that serves none of the questions, or that
    would go to a site which is not the company's: where a model leads, somebody else may have told it to."""
    tool = next((t for t in task.tools if t.name == call.name), None)
    if tool is None:
        return None
    args = dict(call.args)
    if not all(_at_home(value, task.subject) for name, value in args.items() if _is_place(name, value)):
        return None
    named: JsonValue = None if SERVES in tool.Args.model_fields else args.pop(SERVES, None)
    ids = {str(i).strip().upper() for i in (named if isinstance(named, list) else [named])}
    chosen = [q for n, q in enumerate(task.questions, 1) if f"Q{n}" in ids or q.id.upper() in ids]
    for questions in (chosen, task.questions):
        serves = [q for q in questions if any(d in tool.datasets for d in q.datasets)]
        datasets = dict.fromkeys(d for q in serves for d in q.datasets if d in tool.datasets)
        if datasets:
            return Proposal(tool.name, args, tuple(datasets), tuple(q.id for q in serves))
    return None


def _is_place(name: str, value: JsonValue) -> bool:
    return isinstance(value, str) and bool(value.strip()) and (name in PLACES or "://" in value)


def _at_home(address: JsonValue, subject: Subject) -> bool:
    """Whether an address is on the company's own domain or, while that is not known, on one of the company's name."""
    given = str(address).strip()
    host = host_of(given if "://" in given else f"https://{given}")
    domain = subject.hint().domain
    if domain:
        return host == host_of(f"https://{domain}")
    named = {"".join(c for c in normalise(name) if c.isalnum()) for name in subject.names}
    return host.split(".")[0].replace("-", "") in named


# --- claims ---------------------------------------------------------------------------------------------------------


class _Teller:
    """Reads claims out of a growing answer and says each one once, whether the answer comes live or from the ledger."""

    def __init__(self, task: WriteTask, labels: Mapping[str, Evidence], say: Say) -> None:
        self._sections: Sequence[str] = tuple(task.datasets)
        self._labels = labels
        self._say = say
        self._reader = ClaimReader()
        self._claims: list[Claim] = []

    async def hear(self, piece: str) -> None:
        """Take a piece of the answer."""
        for row in self._reader.feed(piece):
            claim = read_claim(row, len(self._claims), self._labels, self._sections)
            if claim is not None:
                self._claims.append(claim)
                await self._say(claim)

    async def finish(self, text: str) -> tuple[Claim, ...]:
        """All claims of the whole answer, saying those that were not heard live.

        Claims that were said cannot be taken back, so an answer that breaks off after some of them counts as those:
        only an answer without a single claim is worth paying for again.
        """
        await self.hear(text.removeprefix(self._reader.text))
        closed = self._reader.closed
        if not self._claims:
            self._reader = ClaimReader()  # a mended answer starts afresh
        if self._claims or (closed and _is_empty_list(text)):
            return tuple(self._claims)
        json_of(text)
        raise Unreadable('The answer must be an object with a list "claims", each with a text.')


def _is_empty_list(text: str) -> bool:
    value = json_of(text)
    return isinstance(value, dict) and value.get("claims") == []


# --- making one -----------------------------------------------------------------------------------------------------


def engine_from(
    settings: Settings, scrub: Callable[[str], str], *, clock: Callable[[], float] = time.monotonic
) -> ChatEngine:
    """The chat engine of the settings. Raises ConfigError without key and address, UnpricedModel without a price."""
    if settings.openai_api_key is None and settings.openai_base_url is None:
        raise ConfigError(
            "DOSSIER_ENGINE=model needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own; "
            "or set DOSSIER_ENGINE=extractive."
        )
    return ChatEngine(settings, price_of(settings), scrub, clock=clock)
