"""What every source promises. A source fetches; it knows nothing of budgets, caches, runs or other sources.

To add one, add a file to this folder that ends in `SOURCES = (YourSource,)`. Nothing else needs touching: the file is found
by the folder, its `Args` model is what the chat model is shown, and `tests/test_source_conformance.py` runs over it.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue

if TYPE_CHECKING:
    from tools.fetching import Http

A = TypeVar("A", bound=BaseModel)

MICROS = 1_000_000
"""Micro-dollars in one USD. Money is always a whole number of micro-dollars here."""


class Frozen(BaseModel):
    """A value: compared by content, never changed, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FailureKind(StrEnum):
    """The closed list of ways in which a source can fail. None of them means "there is nothing to find"."""

    NOT_FOUND = "not_found"
    RATE_LIMITED = "rate_limited"
    BLOCKED_BY_ROBOTS = "blocked_by_robots"
    AUTH = "auth"
    QUOTA = "quota"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    REFUSED_ADDRESS = "refused_address"
    INVALID_ARGUMENTS = "invalid_arguments"
    OUTCOME_UNKNOWN = "outcome_unknown"
    INTERNAL = "internal"


class SourceError(Exception):
    """A call that brought nothing back, and why.

    `billed` is what the source charges for it in micro-dollars: 0 when it is known to be free, None when nobody can know
    (a timeout after the request was sent), in which case the whole hold counts as spent.
    `retry_after` is in seconds, where the source named it. The message must be free of secrets and safe to show.
    """

    def __init__(
        self, kind: FailureKind, message: str, *, billed: int | None = 0, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.billed = billed
        self.retry_after = retry_after


class FieldQuote(Frozen):
    """A dataset field that a document fills, with the exact words that fill it (a substring of the document's text)."""

    dataset: str
    field: str
    quote: str
    value: JsonValue = None


class SourceDocument(Frozen):
    """One document as a source brought it."""

    url: str
    title: str
    text: str
    published_at: AwareDatetime | None = None
    """When the content was published; None when unknown, never the time of fetching."""
    origin: str = ""
    """The publisher, so that syndicated copies count once."""
    licence: str = ""
    about: str = ""
    """The company the document is known to be about, by name; empty when the source does not know."""
    fields: tuple[FieldQuote, ...] = ()
    stored_id: str | None = None
    """Set by the local index only: the id of the stored document of which `text` is a passage."""
    offset: int = 0
    """Where `text` begins in that stored document, in characters."""


class Identity(Frozen):
    """A company as a source identifies it."""

    name: str
    legal_name: str = ""
    aliases: tuple[str, ...] = ()
    description: str = ""
    domain: str = ""
    ticker: str = ""
    cik: str = ""
    wikidata_id: str = ""


class SourceReply(Frozen):
    """What a call brought back. No documents means that the source looked and found nothing: a good answer."""

    documents: tuple[SourceDocument, ...] = ()
    identities: tuple[Identity, ...] = ()
    """Companies that the arguments may have meant, the likeliest first; only of sources that know identities."""
    billed: int = 0
    """What the source charges for this call, micro-dollars; at most the `max_price` it stated."""
    note: str = ""


class SubjectHint(Frozen):
    """What a source is told about the company, to make its arguments."""

    name: str
    legal_name: str = ""
    aliases: tuple[str, ...] = ()
    ticker: str = ""
    exchange: str = ""
    cik: str = ""
    domain: str = ""


class Pace(Frozen):
    """How often one service may be asked, over all processes on this machine."""

    per_second: float
    """Sustained requests per second."""
    burst: int = 1
    """Requests that may come at once after a rest."""
    at_once: int = 4
    """Requests under way at the same time."""


class Passage(Frozen):
    """A hit in the local index."""

    document_id: str
    start: int
    text: str
    score: float
    url: str
    title: str
    published_at: AwareDatetime | None = None
    origin: str = ""
    author: str = ""
    licence: str = ""
    about: str = ""
    fields: tuple[FieldQuote, ...] = ()


class Look(Frozen):
    """One narrowed search of the local index; several looks share the places of one answer, taken in turn."""

    origins: tuple[str, ...] = ()
    """Only documents of one of these publishers, spelt as the index spells them; empty for any."""
    author: str = ""
    """Only documents whose author has this name in it; empty for any."""
    since: AwareDatetime | None = None
    """Only documents published then or later; one without a date never is."""
    until: AwareDatetime | None = None
    """Only documents published before then."""
    stress: str = ""
    """Words of the query that matter most to this look: each counts twice."""


class DocumentIndex(Protocol):
    """What the `documents` source needs of the store."""

    async def search(
        self,
        query: str,
        *,
        about: Sequence[str] = (),
        limit: int = 10,
        datasets: Sequence[str] = (),
        looks: Sequence[Look] = (),
    ) -> Sequence[Passage]:
        """Best passages for the words of `query`, the best first; `about` narrows to documents naming one of these,
        and each of `looks` to what it says; with several, their best passages come in turn."""
        ...

    async def origins(self) -> Sequence[str]:
        """Every publisher of a document that can be found, as the index spells it."""
        ...

    async def revision(self) -> int:
        """A number that changes whenever the content of the index changes."""
        ...


@dataclass(frozen=True)
class SourceEnv:
    """What a process hands to the sources it builds: plain values and the index, nothing else."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Settings by name, for example `serpapi_api_key`; secrets are plain here and must never be logged."""
    index: DocumentIndex | None = None
    http: Http | None = None
    """The one door to the web; None where this deployment is to stay offline."""
    scrub: Callable[[str], str] = str
    """Takes every known secret out of a text: run it over anything foreign that ends in a message."""


class SourceTool(ABC, Generic[A]):
    """One way of getting documents."""

    name: ClassVar[str]
    """Stable identifier, also the tool's name for the chat model."""
    title: ClassVar[str]
    description: ClassVar[str]
    """What it is good for: shown to people and to the chat model."""
    Args: ClassVar[type[BaseModel]]
    """Typed arguments; a field's description is what the chat model reads."""
    datasets: ClassVar[Mapping[str, float]]
    """Dataset id -> prior probability that a call fills a field of it."""
    reliability: ClassVar[float]
    """Prior probability that what it says is so."""
    latency: ClassVar[float]
    """Expected seconds for one call."""
    timeout: ClassVar[float]
    """Seconds after which a call is given up."""
    licence: ClassVar[str]
    """Licence and terms of its content, in a sentence."""
    homepage: ClassVar[str] = ""
    paces: ClassVar[Mapping[str, Pace]] = {}
    """Domain -> how often it may be asked; it covers the domain's subdomains, all together."""
    needs: ClassVar[str] = ""
    """What it cannot work without or works better with (a key, a contact address), in a few words; empty for nothing."""
    needs_domain: ClassVar[bool] = False
    """Whether it reads the company's own site, so that it suggests nothing for a company without a known domain."""
    schema_version: ClassVar[int] = 1
    """Raise it when replies would be read differently: old cache entries are then left alone."""
    repeats_free: ClassVar[timedelta | None] = None
    """How long the exact same call may be repeated without a charge; None when a repeat is charged again."""
    private: ClassVar[bool] = False
    """Whether replies depend on what this deployment's user put in, so that a cached one must not outlive a change."""

    def __init__(self, env: SourceEnv) -> None:
        self.env = env

    @property
    @abstractmethod
    def max_price(self) -> int:
        """The most one call can cost, micro-dollars."""

    def unavailable(self) -> str | None:
        """Why it cannot be used now and what to do about it, or None when it can."""
        return None

    @abstractmethod
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[A]:
        """Arguments worth trying to fill `dataset` for the subject, the best first; empty when there are none."""

    def identify(self, subject: SubjectHint) -> A | None:
        """Arguments whose reply tells who the subject is (`SourceReply.identities`); None for sources that cannot."""
        return None

    async def cache_salt(self, args: A) -> str:
        """Further text for the cache key; the local index uses its revision."""
        return ""

    @abstractmethod
    async def fetch(self, args: A) -> SourceReply:
        """Make one call, once: no retries here. Raises SourceError and nothing else."""


def discover() -> Iterator[type[SourceTool[BaseModel]]]:
    """Every source class that a module of this folder lists in `SOURCES`, by name of file."""
    package = importlib.import_module("tools")
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        yield from getattr(importlib.import_module(f"tools.{module}"), "SOURCES", ())
