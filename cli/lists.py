"""runs, consumers and sources: what there is, as tables."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from decimal import Decimal

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from agent.budget import NEVER_MADE
from agent.catalogue import Catalogue, load_catalogue
from agent.learning import FAILING, Seen, learn
from agent.records import ConsumerType, to_usd
from agent.services import Source, now_utc, survey
from agent.settings import Settings
from agent.store.history import History
from agent.store.ledger import Ledger
from agent.store.runs import Run, RunStore
from cli.output import say, show
from cli.words import micros, plain, short, usd
from tools.base import Look, Passage


class NoIndex:
    """Stands for the local index where sources are only listed: nothing is opened, nothing is made."""

    async def search(
        self,
        query: str,
        *,
        about: Sequence[str] = (),
        limit: int = 10,
        datasets: Sequence[str] = (),
        looks: Sequence[Look] = (),
    ) -> Sequence[Passage]:
        """Never asked."""
        raise NotImplementedError

    async def origins(self) -> Sequence[str]:
        """Never asked."""
        raise NotImplementedError

    async def revision(self) -> int:
        """Never asked."""
        raise NotImplementedError


# --- runs ------------------------------------------------------------------------------------------------------------


def list_runs(settings: Settings, limit: int, *, as_json: bool) -> int:
    """The newest runs of the data folder; makes nothing where there is none yet."""
    if not (settings.data_dir / "runs.db").exists():
        if not as_json:
            say("No runs yet: ask something, for example dossier ask “Research Snowflake as a prospect for us”.")
        return 0
    found = asyncio.run(_runs(settings, limit))
    if as_json:
        for run, cost in found:
            say(_run_json(run, cost))
    elif found:
        show(runs_table(found))
    else:
        say("No runs yet.")
    return 0


async def _runs(settings: Settings, limit: int) -> list[tuple[Run, Decimal]]:
    store = RunStore(settings.data_dir / "runs.db", synchronous=settings.synchronous)
    try:
        ledger = Ledger(settings.data_dir / "ledger.db", synchronous=settings.synchronous)
        try:
            return [(run, await _cost(ledger, run)) for run in await store.list_runs(limit=limit)]
        finally:
            ledger.close()
    finally:
        store.close()


async def _cost(ledger: Ledger, run: Run) -> Decimal:
    return run.brief.costs.spent if run.brief is not None else to_usd((await ledger.run_money(run.id)).spent)


def _run_json(run: Run, cost: Decimal) -> str:
    stop = run.stop_reason.value if run.stop_reason else None
    return json.dumps(
        {
            "id": run.id,
            "thread_id": run.thread_id,
            "status": run.status.value,
            "stop_reason": stop,
            "cost": str(cost),
            "subject": run.brief.subject if run.brief else None,
            "question": run.ask.message,
            "consumer_type": run.ask.consumer_type,
            "started": (run.started_at or run.created_at).isoformat(),
        },
        ensure_ascii=False,
    )


def runs_table(runs: Sequence[tuple[Run, Decimal]]) -> RenderableType:
    """One run a row, the newest first."""
    table = _table("run", "status", "stopped because", "cost", "started", "subject", "question")
    for run, cost in runs:
        stop = run.stop_reason.value.replace("_", " ") if run.stop_reason else ""
        started = (run.started_at or run.created_at).astimezone().strftime("%Y-%m-%d %H:%M")
        subject = plain(run.brief.subject) if run.brief else ""
        cells = (run.id, run.status.value, stop, usd(cost), started, subject, short(run.ask.message, 80))
        table.add_row(*(Text(c) for c in cells))
    return table


# --- consumers -------------------------------------------------------------------------------------------------------


def list_consumers(settings: Settings) -> int:
    """The matrix of consumer types and datasets."""
    show(consumers_table(load_catalogue(settings.consumers_dir)))
    say("Weights in percent, * required: under the minimum quality it is reported as a gap.")
    return 0


def consumers_table(catalogue: Catalogue) -> RenderableType:
    """Datasets down, consumer types across: twelve and seven, so that it fits a terminal."""
    consumers = list(catalogue.consumers.values())
    table = _table("", *(c.id.replace("_", "\n") for c in consumers))
    for column in table.columns[1:]:
        column.justify = "right"
    for dataset in catalogue.datasets:
        table.add_row(dataset, *(_weight(c, dataset) for c in consumers))
    table.add_section()
    table.add_row("max cost", *(usd(c.max_cost) for c in consumers))
    table.add_row("minimum quality", *(f"{c.min_quality:.2f}" for c in consumers))
    table.add_row("freshness floor", *(f"{c.freshness_floor:.2f}" for c in consumers))
    return table


def _weight(consumer: ConsumerType, dataset: str) -> str:
    found = next((r for r in consumer.requirements if r.dataset == dataset), None)
    if found is None:
        return ""
    return f"{Decimal(str(found.weight * 100)).quantize(Decimal('0.1')).normalize():f}{'*' if found.required else ' '}"


# --- sources ---------------------------------------------------------------------------------------------------------


def list_sources(settings: Settings) -> int:
    """Every source, whether it may be used, and what it costs."""
    sources, off = survey(settings, NoIndex())
    table = _table("source", "", "price a call", "datasets", "")
    for name, source in sources.items():
        state = Text("off", style="yellow") if name in off else Text("on", style="green")
        table.add_row(name, state, micros(source.max_price), ", ".join(source.datasets), Text(plain(off.get(name, ""))))
    show(table)
    return 0


def list_experience(settings: Settings) -> int:
    """What each source's author declared, and what the ledger has seen: `0.60→0.74 (12)` is the prior, what is expected now,
    and the calls it was learned from."""
    sources, _ = survey(settings, NoIndex())
    seen = asyncio.run(_seen(settings)) if (settings.data_dir / "ledger.db").exists() else {}
    table = _table("source", "calls", "fails", "seconds", "price a call", "fills")
    for name, source in sources.items():
        now = learn(source.datasets, source.latency, source.max_price, seen.get(name))
        calls, good = now.seen.calls, now.seen.calls - now.seen.failures
        fills = [
            f"{d} {_moved(prior, now.coverage[d], now.seen.datasets.get(d, (0, 0))[0])}"
            for d, prior in source.datasets.items()
        ]
        table.add_row(
            name,
            str(calls),
            _moved(FAILING, now.failure, calls),
            _moved(source.latency, now.seconds, good),
            f"{micros(source.max_price)}→{micros(round(now.price))}" if good else micros(source.max_price),
            ", ".join(fills),
        )
    show(table)
    return 0


async def _seen(settings: Settings) -> dict[str, Seen]:
    ledger = Ledger(settings.data_dir / "ledger.db", synchronous=settings.synchronous)
    try:
        return await History(ledger.db).seen(now_utc(), never_made=NEVER_MADE)
    finally:
        ledger.close()


def _moved(prior: float, now: float, calls: int) -> str:
    return f"{prior:.2f}→{now:.2f} ({calls})" if calls else f"{prior:.2f}"


def source_lines(sources: Sequence[Source], off: dict[str, str]) -> list[str]:
    """One line a source: on with its price, or off and what to do."""
    return [
        f"{s.name}: off, {plain(off[s.name])}" if s.name in off else f"{s.name}: on, {micros(s.max_price)} a call"
        for s in sources
    ]


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, overflow="fold")
    if columns[0] == "run":
        table.columns[0].no_wrap = True
    return table
