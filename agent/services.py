"""Live things, built once per process and handed down: stores, sources, engines, the clock and the scrubber."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from pydantic import BaseModel

from agent.budget import NEVER_MADE
from agent.catalogue import Catalogue, load_catalogue
from agent.companies import load_companies
from agent.entailment import Entailment, load_entailment
from agent.errors import ConfigError
from agent.ingest import load_starter, unload_starter
from agent.learning import Learned, learn
from agent.models.base import Engine
from agent.models.choose import choose_engine
from agent.models.extractive import ExtractiveEngine
from agent.records import to_micros
from agent.scope import Scope
from agent.scrub import Scrubber
from agent.settings import Settings, load_settings
from agent.store.documents import DocumentStore
from agent.store.history import History
from agent.store.ledger import Ledger
from agent.store.owners import Owner
from agent.store.runs import EventLog, RunStore
from tools import mcp
from tools.base import DocumentIndex, SourceEnv, SourceTool, discover
from tools.fetching import Http
from tools.http_source import HttpSource

logger = logging.getLogger(__name__)

Source = SourceTool[BaseModel]


@dataclass
class Services:
    """One process's house-keeping. Times come from `clock`, so that tests can set them."""

    settings: Settings
    catalogue: Catalogue
    scrub: Scrubber
    owner: Owner
    ledger: Ledger
    history: History
    documents: DocumentStore
    runs: RunStore
    log: EventLog
    sources: Mapping[str, Source]
    """Every source that was found, by name."""
    off: Mapping[str, str]
    """Sources that cannot be used now: name -> why, and what to do."""
    http: Http | None
    """The one door to the web; None where the deployment stays offline."""
    engine: Engine
    extractive: ExtractiveEngine
    engine_note: str
    """Which engine is active and why."""
    clock: Callable[[], datetime]
    slots: asyncio.Semaphore
    """Source calls under way at once. Ours, because LangGraph's own limit also delays its checkpoints."""
    mcp: Mapping[str, mcp.ServerEntry] = field(default_factory=dict)
    """MCP servers that the settings name."""
    entailment: Entailment | None = None
    """A model that has the last word on each fact, where the settings name one."""
    flights: dict[str, asyncio.Event] = field(default_factory=dict)
    """Calls of this process under way, by call id; set when one ends."""
    scopes: dict[str, Scope] = field(default_factory=dict)
    """Runs that this process executes, by id."""

    @property
    def active(self) -> dict[str, Source]:
        """Sources that may be used now."""
        return {name: s for name, s in self.sources.items() if name not in self.off}

    @property
    def left_out(self) -> set[str]:
        """Sources that the operator left out on purpose."""
        chosen = self.settings
        only = chosen.sources_only or tuple(self.sources)
        return {
            name
            for name, source in self.sources.items()
            if name in chosen.sources_off or name not in only or (chosen.offline and isinstance(source, HttpSource))
        }

    async def learned(self) -> dict[str, Learned]:
        """Every source as experience has it: its priors, and what the ledger has seen of it lately."""
        seen = await self.history.seen(self.clock(), never_made=NEVER_MADE)
        return {n: learn(s.datasets, s.latency, s.max_price, seen.get(n)) for n, s in self.sources.items()}

    def engine_for(self, choice: str) -> Engine:
        """The engine a run asked for: `auto` is the configured one."""
        return self.extractive if choice == "extractive" else self.engine

    async def close(self) -> None:
        """Commit what is queued and let go of every file."""
        await self.log.close()
        await self.engine.aclose()
        if self.http is not None:
            await self.http.aclose()
        await asyncio.to_thread(self._close_files)

    def _close_files(self) -> None:
        self.documents.close()
        self.runs.close()
        self.ledger.close()
        self.owner.close()


def now_utc() -> datetime:
    """The time."""
    return datetime.now(UTC)


async def open_services(settings: Settings, *, clock: Callable[[], datetime] = now_utc) -> Services:
    """Open the data folder and build everything a process needs. Raises ConfigError, UnpricedModel or StoreError."""
    services = await asyncio.to_thread(_open, settings, clock)
    try:
        if settings.starter_library:
            await load_starter(services.documents)
        else:
            await unload_starter(services.documents)
        await _add_mcp(services)
    except BaseException:  # raised again; what was opened must not stay locked, a cancelled start included
        await services.close()
        raise
    return services


def _open(settings: Settings, clock: Callable[[], datetime]) -> Services:
    """Everything that reads files, off the event loop. What was opened before a failure is closed again."""
    catalogue = load_catalogue(settings.consumers_dir)
    servers = mcp_servers(settings, catalogue)
    scrub = Scrubber((*settings.secrets(), *mcp.secrets_of(servers)))
    engine, note = choose_engine(settings, scrub)
    entailment = load_entailment(settings.entailment)
    load_companies()
    folder, synchronous, wait = settings.data_dir, settings.synchronous, settings.busy_timeout
    with ExitStack() as opened:
        owner = Owner(folder / "owners")
        opened.callback(owner.close)
        ledger = Ledger(folder / "ledger.db", synchronous=synchronous, busy_timeout=wait)
        opened.callback(ledger.close)
        documents = DocumentStore(folder / "documents.db", synchronous=synchronous, busy_timeout=wait)
        opened.callback(documents.close)
        runs = RunStore(folder / "runs.db", synchronous=synchronous, busy_timeout=wait)
        opened.callback(runs.close)
        http = open_http(settings, scrub)
        sources = build_sources(settings, documents, scrub, http)
        services = Services(
            settings=settings,
            catalogue=catalogue,
            scrub=scrub,
            owner=owner,
            ledger=ledger,
            history=History(ledger.db),
            documents=documents,
            runs=runs,
            log=EventLog(runs),
            sources=sources,
            http=http,
            off=switched_off(settings, sources),
            engine=engine,
            extractive=ExtractiveEngine(),
            engine_note=note,
            clock=clock,
            slots=asyncio.Semaphore(settings.max_calls),
            mcp=servers,
            entailment=entailment,
        )
        opened.pop_all()
        return services


def mcp_servers(settings: Settings, catalogue: Catalogue) -> dict[str, mcp.ServerEntry]:
    """The MCP servers that the settings name. Raises ConfigError."""
    if settings.mcp_servers is None:
        return {}
    try:
        return mcp.read_file(settings.mcp_servers, tuple(catalogue.datasets))
    except mcp.McpFileError as exc:
        raise ConfigError(f"DOSSIER_MCP_SERVERS: {exc}. See docs/mcp.md.") from exc


def survey(settings: Settings, index: DocumentIndex | None) -> tuple[dict[str, Source], dict[str, str]]:
    """Every source, and why those that are off are off: for commands that only look. Raises ConfigError."""
    servers = mcp_servers(settings, load_catalogue(settings.consumers_dir))
    scrub = Scrubber((*settings.secrets(), *mcp.secrets_of(servers)))
    sources = build_sources(settings, index, scrub, open_http(settings, scrub))
    if servers:
        sources |= {s.name: s for s in asyncio.run(mcp.connect(servers, SourceEnv(scrub=scrub)))}
    return sources, switched_off(settings, sources)


async def _add_mcp(services: Services) -> None:
    """The tools of the MCP servers, among the other sources."""
    if not services.mcp:
        return
    made = await mcp.connect(services.mcp, SourceEnv(scrub=services.scrub))
    if taken := sorted({s.name for s in made} & set(services.sources)):
        raise ConfigError(f"DOSSIER_MCP_SERVERS: {taken[0]} is the name of another source; rename the server.")
    services.sources = {**services.sources, **{s.name: s for s in made}}
    services.off = switched_off(services.settings, services.sources)


def open_http(settings: Settings, scrub: Scrubber) -> Http | None:
    """The door to the web, or None where the deployment stays offline."""
    if settings.offline:
        return None
    pairs = (pair.partition("=") for pair in settings.mirrors)
    return Http(
        settings.data_dir / "web",
        contact=settings.contact,
        allowed=settings.allowed_hosts,
        mirrors={host.strip().lower(): base.strip() for host, _, base in pairs},
        request_timeout=settings.http_timeout,
        scrub=scrub,
        known=scrub.known,
    )


def build_sources(
    settings: Settings, index: DocumentIndex | None, scrub: Callable[[str], str], http: Http | None = None
) -> dict[str, Source]:
    """One of each source that the folder holds."""
    env = SourceEnv(values=source_values(settings), index=index, scrub=scrub, http=http)
    built = [kind(env) for kind in discover()]
    return {source.name: source for source in built}


def source_values(settings: Settings) -> dict[str, str]:
    """Settings as the sources see them: plain text by name, lists one item a line; prices in micro-dollars under
    `<name>_micros`."""
    values: dict[str, str] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if value is None:
            continue
        plain = "\n".join(value) if isinstance(value, tuple) else str(value)
        values[name] = value.get_secret_value() if hasattr(value, "get_secret_value") else plain
        if isinstance(value, Decimal) and name.endswith("_price"):
            values[f"{name}_micros"] = str(to_micros(value))
    return values


def switched_off(settings: Settings, sources: Mapping[str, Source]) -> dict[str, str]:
    """Which sources cannot be used now, and why."""
    off: dict[str, str] = {}
    only = settings.sources_only or tuple(sources)
    for unknown in sorted({*settings.sources_off, *only} - set(sources)):
        logger.warning("%r is named in the settings and is no source; there are: %s", unknown, ", ".join(sources))
    for name, source in sources.items():
        why = source.unavailable()
        if name in settings.sources_off:
            why = "switched off by DOSSIER_SOURCES_OFF"
        elif name not in only:
            why = "not among DOSSIER_SOURCES_ONLY"
        if why is not None:
            off[name] = why
    return off


_shared: Services | None = None
_opening = asyncio.Lock()


async def shared_services() -> Services:
    """The services of this process, opened at the first call: for servers that load the graph by themselves."""
    global _shared
    async with _opening:
        if _shared is None:
            settings = await asyncio.to_thread(load_settings)
            _shared = await open_services(settings)
        return _shared
