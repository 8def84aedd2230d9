"""Live things, built once per process and handed down: stores, sources, engines, the clock and the scrubber."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from agent.catalogue import Catalogue, load_catalogue
from agent.ingest import load_starter
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

Source = SourceTool  # type: ignore[type-arg]


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
        self.documents.close()
        self.runs.close()
        self.ledger.close()
        self.owner.close()


def now_utc() -> datetime:
    """The time."""
    return datetime.now(UTC)


async def open_services(settings: Settings, *, clock: Callable[[], datetime] = now_utc) -> Services:
    """Open the data folder and build everything a process needs. Raises ConfigError, UnpricedModel or StoreError."""
    scrub = Scrubber(settings.secrets())
    catalogue = load_catalogue(settings.consumers_dir)
    engine, note = choose_engine(settings, scrub)
    opened: list[Callable[[], None]] = []
    try:
        owner = Owner(settings.data_dir / "owners")
        opened.append(owner.close)
        ledger = Ledger(settings.data_dir / "ledger.db", synchronous=settings.synchronous)
        opened.append(ledger.close)
        documents = DocumentStore(settings.data_dir / "documents.db", synchronous=settings.synchronous)
        opened.append(documents.close)
        runs = RunStore(settings.data_dir / "runs.db", synchronous=settings.synchronous)
        opened.append(runs.close)
        if settings.starter_library:
            await load_starter(documents)
    except BaseException:
        for close in reversed(opened):
            close()
        raise
    sources = build_sources(settings, documents, scrub)
    return Services(
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
