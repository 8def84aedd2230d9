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

from agent.catalogue import Catalogue, load_catalogue
from agent.companies import load_companies
from agent.ingest import load_starter, unload_starter
from agent.models.base import Engine
from agent.models.choose import choose_engine
from agent.models.extractive import ExtractiveEngine
from agent.records import to_micros
from agent.scope import Scope
from agent.scrub import Scrubber
from agent.settings import Settings, load_settings
from agent.store.documents import DocumentStore
from agent.store.ledger import Ledger
from agent.store.owners import Owner
from agent.store.runs import EventLog, RunStore
from tools.base import DocumentIndex, SourceEnv, SourceTool, discover

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
    documents: DocumentStore
    runs: RunStore
    log: EventLog
    sources: Mapping[str, Source]
    """Every source that was found, by name."""
    off: Mapping[str, str]
    """Sources that cannot be used now: name -> why, and what to do."""
    engine: Engine
    extractive: ExtractiveEngine
    engine_note: str
    """Which engine is active and why."""
    clock: Callable[[], datetime]
    slots: asyncio.Semaphore
    """Source calls under way at once. Ours, because LangGraph's own limit also delays its checkpoints."""
    flights: dict[str, asyncio.Event] = field(default_factory=dict)
    """Calls of this process under way, by call id; set when one ends."""
    scopes: dict[str, Scope] = field(default_factory=dict)
    """Runs that this process executes, by id."""

    @property
    def active(self) -> dict[str, Source]:
        """Sources that may be used now."""
        return {name: s for name, s in self.sources.items() if name not in self.off}

    def engine_for(self, choice: str) -> Engine:
        """The engine a run asked for: `auto` is the configured one."""
        return self.extractive if choice == "extractive" else self.engine

    async def close(self) -> None:
        """Commit what is queued and let go of every file."""
        await self.log.close()
        await self.engine.aclose()
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
    except BaseException:
        await services.close()
        raise
    return services


def _open(settings: Settings, clock: Callable[[], datetime]) -> Services:
    """Everything that reads files, off the event loop. What was opened before a failure is closed again."""
    scrub = Scrubber(settings.secrets())
    catalogue = load_catalogue(settings.consumers_dir)
    engine, note = choose_engine(settings, scrub)
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
        sources = build_sources(settings, documents, scrub)
        services = Services(
            settings=settings,
            catalogue=catalogue,
            scrub=scrub,
            owner=owner,
            ledger=ledger,
            documents=documents,
            runs=runs,
            log=EventLog(runs),
            sources=sources,
            off=switched_off(settings, sources),
            engine=engine,
            extractive=ExtractiveEngine(),
            engine_note=note,
            clock=clock,
            slots=asyncio.Semaphore(settings.max_calls),
        )
        opened.pop_all()
        return services


def build_sources(settings: Settings, index: DocumentIndex | None, scrub: Callable[[str], str]) -> dict[str, Source]:
    """One of each source that the folder holds."""
    env = SourceEnv(values=source_values(settings), index=index, scrub=scrub)
    built = [kind(env) for kind in discover()]
    return {source.name: source for source in built}


def source_values(settings: Settings) -> dict[str, str]:
    """Settings as the sources see them: plain text by name; prices in micro-dollars under `<name>_micros`."""
    values: dict[str, str] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if value is None:
            continue
        values[name] = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        if isinstance(value, Decimal) and name.endswith("_price"):
            values[f"{name}_micros"] = str(to_micros(value))
    return values


def switched_off(settings: Settings, sources: Mapping[str, Source]) -> dict[str, str]:
    """Which sources cannot be used now, and why."""
    off: dict[str, str] = {}
    for unknown in sorted(set(settings.sources_off) - set(sources)):
        logger.warning("DOSSIER_SOURCES_OFF names %r, which is no source; there are: %s", unknown, ", ".join(sources))
    for name, source in sources.items():
        why = "switched off by DOSSIER_SOURCES_OFF" if name in settings.sources_off else source.unavailable()
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
