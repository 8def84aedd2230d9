"""MCP servers that the operator names in a TOML file, each of their tools a source with a declared price and datasets.

    [servers.crm]
    transport = "streamable_http"            # or "stdio", "sse", "websocket"
    url = "https://crm.example/mcp"          # stdio: command = "crm-mcp", args = ["--read-only"]
    headers = { Authorization = "Bearer ${CRM_TOKEN}" }

    [servers.crm.tools.search_accounts]
    price = 0.01                             # USD a call; 0 must be said too
    datasets = { customers = 0.5, profile = 0.4 }
    arguments = { query = "{name}" }         # {name} {domain} {ticker} {cik} {question} {dataset}

A tool that the file does not name is never called: nobody has said what it costs. `${VARIABLE}` is read from the environment.
What a tool brings is private to this deployment. The servers' addresses are the operator's own and may be internal.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator
from typing_extensions import override

from tools.base import (
    MICROS,
    FailureKind,
    Frozen,
    SourceDocument,
    SourceEnv,
    SourceError,
    SourceReply,
    SourceTool,
    SubjectHint,
)
from tools.reading.dates import parse_date
from tools.reading.urls import host_of, normalise_url

CONNECT = 15.0
"""Seconds within which a server must list its tools."""
MOST_TEXT = 200_000
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class McpFileError(Exception):
    """The file cannot be used, and why; free of values."""


class ToolEntry(Frozen):
    """What the file says of a tool."""

    price: float = Field(ge=0, le=100)
    """USD a call."""
    datasets: dict[str, float] = Field(min_length=1)
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    """Suggested arguments; placeholders in texts are filled in."""
    reliability: float = Field(0.7, gt=0, lt=1)
    latency: float = Field(2.0, gt=0)
    timeout: float = Field(30.0, gt=0)
    licence: str = "the terms of the server's owner"
    repeats_free_minutes: float = Field(0, ge=0)
    """How long an identical call is free; 0 when each is charged."""


class ServerEntry(Frozen):
    """What the file says of a server."""

    transport: Literal["stdio", "streamable_http", "sse", "websocket"]
    url: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    command: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)
    tools: dict[str, ToolEntry] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_a_way_in(self) -> Self:
        if self.transport == "stdio" and not self.command:
            raise ValueError("stdio needs a command")
        if self.transport != "stdio" and not self.url.startswith(("http://", "https://", "ws://", "wss://")):
            raise ValueError(f"{self.transport} needs a url")
        return self

    def connection(self) -> dict[str, Any]:
        """The connection as langchain-mcp-adapters takes it."""
        if self.transport == "stdio":
            given = {"command": self.command, "args": list(self.args), "env": {**self.env} or None}
            return {"transport": "stdio", **given}
        plain = {"transport": self.transport, "url": self.url}
        return plain if self.transport == "websocket" else {**plain, "headers": dict(self.headers)}


class _File(Frozen):
    servers: dict[str, ServerEntry]


def read_file(path: Path, datasets: Sequence[str]) -> dict[str, ServerEntry]:
    """The servers that a file names. Raises McpFileError that names the entry which is wrong."""
    try:
        raw = tomllib.loads(path.read_text())
        servers = _File.model_validate(_filled(raw)).servers
    except OSError as exc:
        raise McpFileError(f"{path} could not be read: {exc.strerror or type(exc).__name__}") from exc
    except tomllib.TOMLDecodeError as exc:
        raise McpFileError(f"{path} is no TOML: {exc}") from exc
    except ValidationError as exc:
        first = exc.errors(include_input=False)[0]
        raise McpFileError(f"{path}, {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    for server, entry in servers.items():
        for tool, said in entry.tools.items():
            if unknown := sorted(set(said.datasets) - set(datasets)):
                raise McpFileError(f"{path}, servers.{server}.tools.{tool}: {unknown[0]!r} is no dataset")
    return servers


def _filled(value: Any) -> Any:
    """Texts with `${VARIABLE}` replaced; a variable that is not set is an error that names it."""
    if isinstance(value, str):
        return _VARIABLE.sub(_variable, value)
    if isinstance(value, dict):
        return {k: _filled(v) for k, v in value.items()}
    return [_filled(v) for v in value] if isinstance(value, list) else value


def _variable(found: re.Match[str]) -> str:
    if (value := os.environ.get(found[1])) is None:
        raise McpFileError(f"the environment variable {found[1]} is not set")
    return value


def secrets_of(servers: Mapping[str, ServerEntry]) -> tuple[str, ...]:
    """Every value that may be secret: headers, and the environment handed to a command."""
    found: list[str] = []
    for server in servers.values():
        for value in (*server.headers.values(), *server.env.values()):
            found += [value, value.rpartition(" ")[2]]
    return tuple(dict.fromkeys(v for v in found if len(v) >= 8))


async def connect(servers: Mapping[str, ServerEntry], env: SourceEnv) -> list[SourceTool[BaseModel]]:
    """One source per declared tool, in the file's order. A server that does not answer leaves its sources unavailable."""
    groups = await asyncio.gather(*(_connect(name, server, env) for name, server in servers.items()))
    return [source for group in groups for source in group]


async def _connect(name: str, server: ServerEntry, env: SourceEnv) -> list[SourceTool[BaseModel]]:
    from langchain_mcp_adapters.client import (
        MultiServerMCPClient,
    )  # 73 MiB that a deployment without servers does not pay

    offered: dict[str, Any] = {}
    why = ""
    try:
        client = MultiServerMCPClient({name: server.connection()}, handle_tool_errors=False)  # type: ignore[dict-item]
        async with asyncio.timeout(CONNECT):
            offered = {tool.name: tool for tool in await client.get_tools(server_name=name)}
    except Exception as exc:  # noqa: BLE001  # whatever a foreign server does costs its own sources only
        why = f"The MCP server {name} did not list its tools ({type(_first(exc)).__name__}): see DOSSIER_MCP_SERVERS."
    made: list[SourceTool[BaseModel]] = []
    for tool, said in server.tools.items():
        missing = f"The MCP server {name} has no tool {tool}: see DOSSIER_MCP_SERVERS."
        made.append(_source(name, tool, said, offered.get(tool), why or missing, env))
    return made


def _source(server: str, tool: str, said: ToolEntry, offered: Any, why: str, env: SourceEnv) -> SourceTool[BaseModel]:
    schema = getattr(offered, "args_schema", None)
    plain = schema if isinstance(schema, dict) else {"type": "object", "properties": {}}
    free = said.repeats_free_minutes
    kind = type(
        "McpTool",
        (McpSource,),
        {
            "name": re.sub(r"[^a-z0-9_]+", "_", f"{server}_{tool}".lower())[:40].strip("_"),
            "title": f"{tool} ({server}, MCP)",
            "description": (getattr(offered, "description", "") or f"The tool {tool} of {server}.")[:1_000],
            "Args": arguments_model(plain),
            "datasets": dict(said.datasets),
            "reliability": said.reliability,
            "latency": min(said.latency, said.timeout / 2),
            "timeout": said.timeout,
            "licence": said.licence,
            "repeats_free": timedelta(minutes=free) if free else None,
        },
    )
    return kind(env, server, tool, said, offered, "" if offered is not None else why)  # type: ignore[no-any-return]


def arguments_model(schema: Mapping[str, Any]) -> type[BaseModel]:
    """A model that takes what a JSON schema allows, and shows that very schema."""
    from jsonschema import Draft202012Validator

    checker = Draft202012Validator(dict(schema))

    class McpArgs(BaseModel):
        """The arguments of an MCP tool."""

        model_config = ConfigDict(extra="allow", frozen=True)

        @model_validator(mode="before")
        @classmethod
        def _fits(cls, value: Any) -> Any:
            for problem in checker.iter_errors(value):
                where = "/".join(map(str, problem.absolute_path)) or "the arguments"
                raise ValueError(f"{where} {problem.validator} {str(problem.validator_value)[:100]}")
            return value

        @classmethod
        def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> dict[str, Any]:
            return {"additionalProperties": False, "title": "McpArgs", **schema}

    return McpArgs


class McpSource(SourceTool[BaseModel]):
    """One tool of one MCP server. A session is opened for each call, so that nothing outlives it."""

    reliability = 0.7
    latency = 2.0
    timeout = 30.0
    private = True
    datasets: ClassVar[Mapping[str, float]] = {}

    def __init__(self, env: SourceEnv, server: str, tool: str, said: ToolEntry, offered: Any, why: str) -> None:
        """`offered` is the tool as the adapter gives it; None when it is not there, and `why` says so."""
        super().__init__(env)
        self._server, self._tool, self._said, self._offered, self._why = server, tool, said, offered, why

    @property
    @override
    def max_price(self) -> int:
        """What the file says."""
        return round(self._said.price * MICROS)

    @override
    def unavailable(self) -> str | None:
        """Unavailable while its server does not offer it."""
        return self._why or None

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[BaseModel]:
        """The file's arguments, filled in; none when they would not fit or need what is not known."""
        if dataset not in self.datasets or not self._said.arguments:
            return ()
        known = {
            "name": subject.name, "domain": subject.domain, "ticker": subject.ticker, "cik": subject.cik,
            "question": question, "dataset": dataset,
        }  # fmt: skip
        needed = {key for key in known if f"{{{key}}}" in json.dumps(self._said.arguments)}
        if any(not known[key] for key in needed):
            return ()
        try:
            return (self.Args.model_validate(_with(self._said.arguments, known)),)
        except ValidationError:
            return ()

    @override
    async def fetch(self, args: BaseModel) -> SourceReply:
        """Call the tool once. What it charges for a failure nobody knows, unless it costs nothing."""
        if self._offered is None:
            raise SourceError(FailureKind.UNREACHABLE, self._why)
        call = {"type": "tool_call", "id": "1", "name": self._offered.name, "args": args.model_dump(mode="json")}
        billed = None if self.max_price else 0
        limit = asyncio.timeout(self.timeout * 0.95)  # before the house gives the call up, which knows less
        try:
            async with limit:
                message = await self._offered.ainvoke(call)
        except Exception as exc:  # noqa: BLE001  # the adapter, the SDK and the transport each have errors of their own
            if limit.expired():  # the SDK may turn the cancellation into an error of its own
                error = SourceError(FailureKind.TIMEOUT, f"{self.title} did not answer in time.", billed=billed)
            else:
                error = self._failure(_first(exc), billed)
        else:
            return self._reply(message)
        raise error

    def _failure(self, exc: BaseException, billed: int | None) -> SourceError:
        said = self.env.scrub(" ".join(str(exc).split()))[:200]
        if any(base.__name__ == "ToolException" for base in type(exc).__mro__):
            return SourceError(FailureKind.MALFORMED, f"{self.title} ended in an error: {said}", billed=billed)
        status = getattr(getattr(exc, "response", None), "status_code", None)
        kind = {
            401: FailureKind.AUTH,
            403: FailureKind.AUTH,
            402: FailureKind.QUOTA,
            429: FailureKind.RATE_LIMITED,
        }.get(status or 0, FailureKind.UNREACHABLE)
        return SourceError(kind, f"{self.title} could not be called ({type(exc).__name__}).", billed=billed)

    def _reply(self, message: Any) -> SourceReply:
        """Documents of what came: a list of records with a text each, or the text as it stands."""
        content = message.content if isinstance(message.content, list) else [{"type": "text", "text": message.content}]
        text = "\n".join(str(b.get("text") or "") for b in content if isinstance(b, dict) and b.get("type") == "text")
        artifact = message.artifact if isinstance(message.artifact, dict) else {}
        records = _records(artifact.get("structured_content")) or _records(_loaded(text))
        documents = [d for r in records if (d := self._document(r)) is not None]
        if not documents and text.strip() and not records and _loaded(text) in (None, text):
            documents = [self._as_document(text.strip()[:MOST_TEXT], {})]
        return SourceReply(documents=tuple(documents), billed=self.max_price)

    def _document(self, record: Mapping[str, JsonValue]) -> SourceDocument | None:
        said = next(
            (str(record[k]) for k in ("text", "content", "body", "summary", "description") if record.get(k)), ""
        )
        if not said.strip():  # a record of bare values: one line each, as it came
            plain = {k: v for k, v in record.items() if isinstance(v, str | int | float) and not isinstance(v, bool)}
            said = "\n".join(f"{k.replace('_', ' ').capitalize()}: {v}." for k, v in plain.items())
        return self._as_document(said.strip()[:MOST_TEXT], record) if said.strip() else None

    def _as_document(self, text: str, record: Mapping[str, JsonValue]) -> SourceDocument:
        url = normalise_url(str(record.get("url") or record.get("link") or ""))
        dated = (record.get(k) for k in ("published_at", "published", "date", "updated_at"))
        return SourceDocument(
            url=url or f"mcp://{self._server}/{self._tool}",
            title=str(record.get("title") or record.get("name") or self.title)[:300],
            text=text,
            published_at=next((when for d in dated if (when := parse_date(d)) is not None), None),
            origin=host_of(url) or self._server,
            licence=self.licence,
        )


def _records(value: Any) -> list[dict[str, JsonValue]]:
    """The records in a structured answer: a list of objects, or an object that holds one."""
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and v and all(isinstance(i, dict) for i in v)]
        return lists[0] if lists else [] if set(value) <= {"result"} else [value]
    if isinstance(value, list) and all(isinstance(v, dict) for v in value):
        return value
    return []


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _with(value: JsonValue, known: Mapping[str, str]) -> JsonValue:
    if isinstance(value, str):
        for key, said in known.items():
            value = value.replace(f"{{{key}}}", said)
        return value
    if isinstance(value, dict):
        return {k: _with(v, known) for k, v in value.items()}
    return [_with(v, known) for v in value] if isinstance(value, list) else value


def _first(exc: BaseException) -> BaseException:
    """The error inside groups of errors, which the SDK's task groups wrap around it."""
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    return exc


SOURCES: tuple[type[SourceTool[Any]], ...] = ()
"""None by themselves: `connect` makes them of what the settings name."""
