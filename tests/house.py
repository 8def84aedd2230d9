"""A house in this very process: real stores and a real ledger on a folder, sources that do as they are told, a clock to set.

    async with house(tmp_path, fake("web", price=15_000)) as services:
        bought = await buy(services, scope(), call("web"), await budgets(services))

Two houses over one folder are two owners, as two processes are; `die` takes the mark of life of one away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, Field, JsonValue

from agent.records import Call
from agent.runs import Runs
from agent.scope import Scope
from agent.services import Services, Source, open_services, switched_off
from agent.settings import Settings
from tools.base import FieldQuote, Frozen, SourceDocument, SourceEnv, SourceReply, SourceTool, SubjectHint

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = 86_400.0
PATIENCE = 30.0
"""Nothing that is waited for here takes this long; when it does, the test fails instead of hanging."""


class Clock:
    """Time that passes only when told."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


# --- sources ---------------------------------------------------------------------------------------------------------


class FindArgs(Frozen):
    """Arguments of a scripted source."""

    query: str = Field(min_length=1, description="What to look for.")


Step = SourceReply | BaseException | Callable[[FindArgs], SourceReply]


class Fake(SourceTool[FindArgs]):
    """A source that follows its script, one step a call, and then gives `answer` for ever."""

    name = "fake"
    title = "Fake"
    description = "Follows a script."
    Args = FindArgs
    datasets: ClassVar[Mapping[str, float]] = {"profile": 0.9}
    reliability = 0.9
    latency = 0.1
    timeout = 20.0
    licence = "for tests"

    def __init__(self, env: SourceEnv) -> None:
        super().__init__(env)
        self.price = 0
        self.asked: list[str] = []
        """The queries of every call made, in order."""
        self.script: list[Step] = []
        self.answer: Step = SourceReply()
        self.then: Callable[[], None] = lambda: None
        """Done in every call once its gate is open."""
        self.gate = asyncio.Event()
        """No call is answered while it is clear."""
        self.gate.set()
        self.why_off: str | None = None
        self._arrived = asyncio.Semaphore(0)

    @property
    def max_price(self) -> int:
        return self.price

    @property
    def calls(self) -> int:
        """How often it was called."""
        return len(self.asked)

    def unavailable(self) -> str | None:
        return self.why_off

    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[FindArgs]:
        return (FindArgs(query=f"{subject.name} {dataset}"),) if dataset in self.datasets else ()

    async def until_asked(self) -> None:
        """Wait until a call that nobody has waited for yet has come in."""
        async with asyncio.timeout(PATIENCE):
            await self._arrived.acquire()

    async def fetch(self, args: FindArgs) -> SourceReply:
        self.asked.append(args.query)
        self._arrived.release()
        await self.gate.wait()
        self.then()
        step = self.script.pop(0) if self.script else self.answer
        if isinstance(step, BaseException):
            raise step
        return step(args) if callable(step) else step


def fake(
    name: str = "web",
    *,
    price: int = 0,
    answer: Step | None = None,
    script: Sequence[Step] = (),
    datasets: Mapping[str, float] | None = None,
    repeats_free: timedelta | None = None,
    reliability: float = 0.9,
    timeout: float = 20.0,
    latency: float = 0.1,
) -> Fake:
    """A scripted source of a class of its own. Without an answer it finds one page about Snowflake and charges its price."""
    given = {"datasets": datasets} if datasets is not None else {}
    kind = type(
        name.title(),
        (Fake,),
        {
            "name": name,
            "title": name.title(),
            "repeats_free": repeats_free,
            "reliability": reliability,
            "timeout": timeout,
            "latency": latency,
            **given,
        },
    )
    made = kind(SourceEnv())
    assert isinstance(made, Fake)
    made.price = price
    made.answer = SourceReply(documents=(page(),), billed=price) if answer is None else answer
    made.script = list(script)
    return made


def page(
    text: str = "Snowflake was founded in 2012.",
    *,
    fields: Mapping[tuple[str, str], str] | None = None,
    about: str = "Snowflake",
    url: str = "https://example.com/snowflake",
    published_at: datetime | None = NOW - timedelta(days=1),
    origin: str = "",
    value: JsonValue = None,
) -> SourceDocument:
    """A page that fills fields: (dataset, field) -> the words that fill it; without any, its whole text is a summary."""
    known = {("profile", "summary"): text} if fields is None else fields
    return SourceDocument(
        url=url,
        title="A page",
        text=text,
        about=about,
        published_at=published_at,
        origin=origin,
        licence="for tests",
        fields=tuple(FieldQuote(dataset=d, field=f, quote=q, value=value) for (d, f), q in known.items()),
    )


PROFILE = {
    "legal_name": "Snowflake's legal name is Snowflake Inc.",
    "domain": "Snowflake runs the site snowflake.com.",
    "industry": "Snowflake works in the software industry.",
    "hq": "Snowflake is based in Bozeman, Montana.",
    "founded": "Snowflake was founded in 2012.",
    "employees": "Snowflake has 7,834 employees.",
    "summary": "Snowflake sells a cloud data platform.",
}


def whole_profile(billed: int = 0, about: str = "Snowflake") -> SourceReply:
    """A reply that fills every field of `profile`, so that a question for it is answered."""
    said = {field: words.replace("Snowflake", about) for field, words in PROFILE.items()}
    return SourceReply(
        documents=(page(" ".join(said.values()), fields={("profile", f): w for f, w in said.items()}, about=about),),
        billed=billed,
    )


# --- the house -------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def house(
    folder: Path,
    *sources: SourceTool[FindArgs],
    clock: Clock | None = None,
    documents: bool = False,
    **settings: Any,
) -> AsyncIterator[Services]:
    """Services over `folder`, with these sources only (and the local documents where asked). Its books balance at the end."""
    services = await open_house(folder, *sources, clock=clock, documents=documents, **settings)
    try:
        yield services
        assert all(balance.holds for balance in await services.ledger.audit())
    finally:
        await services.close()


async def open_house(
    folder: Path,
    *sources: SourceTool[FindArgs],
    clock: Clock | None = None,
    documents: bool = False,
    **settings: Any,
) -> Services:
    """`house` for who closes it by hand."""
    given: dict[str, object] = {"data_dir": folder / "data", "starter_library": False, "engine": "extractive"}
    chosen = Settings(_env_file=None, **{**given, **settings})
    services = await open_services(chosen, clock=clock or Clock())
    kept: dict[str, Source] = {"documents": services.sources["documents"]} if documents else {}
    kept |= {s.name: s for s in _plain(sources)}
    services.sources = kept
    services.off = switched_off(chosen, kept)
    return services


def _plain(sources: Sequence[SourceTool[FindArgs]]) -> Sequence[Source]:
    plain: list[SourceTool[BaseModel]] = list(sources)  # type: ignore[arg-type]  # what they are called with is checked by Args
    return plain


def die(services: Services) -> None:
    """Take away the mark of life, as the kernel does at any death. The house can still be closed."""
    services.owner.close()


async def crash(runs: Runs) -> None:
    """End a process's runs where they stand, as a death does: nothing is settled, ended or said."""
    tasks = list(runs._tasks.values())
    if runs._watcher is not None:
        tasks.append(runs._watcher)
    runs._draining = True
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await runs._stack.aclose()
    die(runs.services)
    await runs.services.close()


async def until(look: Callable[[], object]) -> None:
    """Let everybody else run until there is something to see. For what sets no event that could be awaited."""
    async with asyncio.timeout(PATIENCE):
        while not look():  # noqa: ASYNC110
            await asyncio.sleep(0)


# --- orders ----------------------------------------------------------------------------------------------------------


def scope(run_id: str = "r", thread_id: str = "t", *, seconds: float | None = None) -> Scope:
    """A run as the doors see it, with so many seconds from NOW on."""
    made = Scope(run_id=run_id, thread_id=thread_id)
    made.deadline_at = None if seconds is None else NOW + timedelta(seconds=seconds)
    return made


def call(
    source: str = "web", *, id: str = "c1", query: str = "Snowflake", max_price: int = 0, max_age: float = DAY
) -> Call:
    """A planned call."""
    return Call(
        call_id=id, source=source, args={"query": query}, datasets=("profile",), max_price=max_price, max_age=max_age
    )


async def budgets(services: Services, ceiling: int = 100_000, *, run_id: str = "r") -> tuple[str, ...]:
    """One budget of a run."""
    await services.ledger.open_budget(f"run:{run_id}", "run", ceiling)
    return (f"run:{run_id}",)
