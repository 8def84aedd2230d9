"""The nouns. Every value that crosses a room's door is one of these: frozen, validated, and free of live things."""

from __future__ import annotations

import hashlib
import unicodedata
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Literal
from uuid import UUID, uuid5

from langchain_core.utils.uuid import uuid7
from pydantic import AwareDatetime, Field, JsonValue

from tools.base import MICROS, FailureKind, Frozen, SubjectHint

NAMESPACE = UUID("6c1f1a52-6b0e-5a5e-9a0e-0d0551e70001")
"""Root of every id that is derived from content instead of drawn."""


def new_id() -> str:
    """A new UUIDv7: unique, and ordered by the time it was made."""
    return str(uuid7())


def derived_id(*parts: str) -> str:
    """The same id for the same parts, so that a node that runs again after a kill names its calls alike."""
    return str(uuid5(NAMESPACE, "\x1f".join(parts)))


def content_id(*parts: str) -> str:
    """A short id made of the content itself."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]


def to_micros(usd: Decimal) -> int:
    """USD to micro-dollars, rounded up: money held must never be less than money owed."""
    return int((usd * MICROS).to_integral_value(rounding=ROUND_CEILING))


def to_usd(micros: int) -> Decimal:
    """Micro-dollars to USD, exactly."""
    return Decimal(micros) / MICROS


# --- what is asked -----------------------------------------------------------------------------------------------------


class Vendor(Frozen):
    """Who asks: the seller and their offer, in their own words."""

    name: str = ""
    offer: str = ""
    document_id: str | None = None
    """The stored document that holds the seller's words, which recommendations quote."""


class Ask(Frozen):
    """One question, as it came in at the front door."""

    message: str
    vendor: str | None = None
    """The seller and what they sell, as free text: `Name: offer`."""
    persona: str | None = None
    """Who will read the brief, for example `account executive`."""
    consumer_type: str = "quick_chat"
    max_cost: Decimal | None = None
    """USD; None means the consumer type's own."""
    deadline: float | None = None
    """Seconds from the start of the run; None means the deployment's default."""
    include_unverified: bool = False
    """Whether statements that failed a check are shown under `unverified` (else they are dropped and counted)."""


class DatasetField(Frozen):
    """One typed field of a dataset."""

    name: str
    kind: Literal["text", "number", "money", "percent", "date", "list"] = "text"
    weight: float = 1.0
    target: int = 1
    """How many items make a list complete (n*)."""


class Dataset(Frozen):
    """A kind of knowledge about a company."""

    id: str
    title: str
    question: str
    """The sub-question that asks for it, with `{subject}` for the company."""
    half_life_days: float
    fields: tuple[DatasetField, ...]
    cues: tuple[str, ...] = ()
    """Words in a question that ask for this dataset."""
    signals: tuple[str, ...] = ()
    """Words in a sentence that speak of this dataset."""

    def max_age_seconds(self, floor: float) -> float:
        """The oldest a value may be to have at least freshness `floor`: h * log2(1/f)."""
        from math import log2

        return self.half_life_days * log2(1 / floor) * 86_400


class Requirement(Frozen):
    """What a consumer type needs of one dataset. Weights of a consumer type sum to 1."""

    dataset: str
    required: bool
    weight: float


class ConsumerType(Frozen):
    """Who the research is for, as data."""

    id: str
    title: str
    max_cost: Decimal
    min_quality: float
    freshness_floor: float
    requirements: tuple[Requirement, ...]


class Company(Frozen):
    """A company's identity: a row of the table of public companies, or what a source knows it by."""

    id: str
    name: str
    legal_name: str = ""
    aliases: tuple[str, ...] = ()
    ticker: str = ""
    exchange: str = ""
    cik: str = ""
    domain: str = ""
    industry: str = ""
    hq: str = ""
    founded: str = ""
    wikidata_id: str = ""
    origin: str = ""
    """Which tables and sources it was put together from."""


class Subject(Frozen):
    """The company a run is about."""

    name: str
    company: Company | None = None
    """The identity it was resolved to; None when no table knows it."""
    matched_by: str = ""
    alternatives: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name under which a text may speak of it, the usual one first."""
        if self.company is None:
            return (self.name,)
        c = self.company
        found = (self.name, c.name, c.legal_name, *c.aliases)
        return tuple(dict.fromkeys(n for n in found if n))

    def hint(self) -> SubjectHint:
        """What a source is told."""
        c = self.company
        if c is None:
            return SubjectHint(name=self.name)
        return SubjectHint(
            name=c.name,
            legal_name=c.legal_name,
            aliases=c.aliases,
            ticker=c.ticker,
            exchange=c.exchange,
            cik=c.cik,
            domain=c.domain,
        )


class Question(Frozen):
    """One part of the question, naming the datasets it serves."""

    id: str
    text: str
    datasets: tuple[str, ...]


# --- what is bought ----------------------------------------------------------------------------------------------------


class Call(Frozen):
    """One planned call to a source."""

    call_id: str
    source: str
    args: dict[str, JsonValue]
    datasets: tuple[str, ...]
    questions: tuple[str, ...] = ()
    max_price: int
    """Micro-dollars that are held before it is made."""
    max_age: float
    """Seconds: a stored reply older than this is not good enough for this consumer."""
    gain: float = 0.0
    """Expected gain in overall quality."""
    seconds: float = 0.0
    """Expected duration."""


class SkipReason(StrEnum):
    """Why a candidate call was left out of a plan."""

    OVER_BUDGET = "over_budget"
    NOT_WORTH_IT = "not_worth_it"
    SOURCE_UNAVAILABLE = "source_unavailable"
    ALREADY_KNOWN = "already_known"
    DUPLICATE = "duplicate"
    INVALID_ARGUMENTS = "invalid_arguments"
    DEADLINE = "deadline"
    SOURCE_PACE = "source_pace"
    """The source takes no more calls until the deadline."""
    ROUND_FULL = "round_full"


class Skipped(Frozen):
    """A call that was not planned, and why."""

    source: str
    reason: SkipReason
    detail: str
    datasets: tuple[str, ...] = ()
    args: dict[str, JsonValue] = Field(default_factory=dict)
    price: int = 0
    gain: float = 0.0


class Offer(Frozen):
    """What more money would buy: the calls that up to a dollar more would add to a plan."""

    more: int
    """Micro-dollars that would have to be added to the budget."""
    calls: tuple[Call, ...]
    gain: float
    """Expected gain in overall quality, all calls together."""


class CollectionPlan(Frozen):
    """The calls chosen for one round, with reasons."""

    round: int
    to_collect: tuple[Call, ...] = ()
    from_cache: tuple[Call, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    expected_cost: int = 0
    """Micro-dollars, when every call costs the most it can."""
    expected_seconds: float = 0.0
    expected_quality: float = 0.0
    proposed_by: str = "extractive"
    offer: Offer | None = None
    """None when more money would buy nothing that is worth its price."""

    @property
    def calls(self) -> tuple[Call, ...]:
        """Everything to run, cached replies included."""
        return self.from_cache + self.to_collect


class CallStatus(StrEnum):
    """How a call ended."""

    OK = "ok"
    NO_RESULTS = "no_results"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    """No money could be held for it: it was never made."""


class Outcome(Frozen):
    """What became of one planned call."""

    call_id: str
    source: str
    status: CallStatus
    round: int
    datasets: tuple[str, ...] = ()
    failure: FailureKind | None = None
    message: str = ""
    cost: int = 0
    """Micro-dollars this run paid for it."""
    cached: bool = False
    saved: int = 0
    """Micro-dollars that the cache spared."""
    seconds: float = 0.0
    documents: tuple[str, ...] = ()
    """Ids of the stored documents it brought."""
    evidence: tuple[str, ...] = ()
    """Ids of the evidence that its documents gave directly."""


# --- what is known -----------------------------------------------------------------------------------------------------


class Document(Frozen):
    """Fetched or ingested text, as stored."""

    id: str
    url: str
    title: str
    text: str
    source: str
    origin: str = ""
    licence: str = ""
    about: str = ""
    published_at: AwareDatetime | None = None
    retrieved_at: AwareDatetime
    tenant: str = ""
    """Empty for shared content; vendor-private text carries its owner (the thread) and is never shared."""


class Evidence(Frozen):
    """An exact quote of a stored document and the dataset field that it fills."""

    id: str
    document_id: str
    start: int
    quote: str
    dataset: str
    field: str
    value: JsonValue = None
    about: str = ""
    url: str = ""
    title: str = ""
    source: str = ""
    origin: str = ""
    published_at: AwareDatetime | None = None
    retrieved_at: AwareDatetime
    reliability: float = 0.5
    score: float = 0.0
    """How well it answers, 0 to 1; ranks evidence of one field."""


class FieldQuality(Frozen):
    """How well one field is filled."""

    field: str
    valid: float
    freshness: float
    reliability: float


class DatasetQuality(Frozen):
    """How good the knowledge of one dataset is, every figure in [0, 1]."""

    dataset: str
    required: bool
    weight: float
    completeness: float
    freshness: float
    reliability: float
    quality: float
    minimum: float
    fields: tuple[FieldQuality, ...] = ()
    missing: tuple[str, ...] = ()
    stale: bool = False
    """Whether values were found but rejected because they are older than the freshness floor allows."""

    @property
    def sufficient(self) -> bool:
        """Whether it reaches the consumer's minimum."""
        return self.quality >= self.minimum


class ConflictSide(Frozen):
    """One of the sides of a conflict, in its own words."""

    evidence_id: str
    document_id: str
    quote: str
    source: str
    published_at: AwareDatetime | None = None


class Conflict(Frozen):
    """Values of one field and one period that cannot all be right, from independent origins. None of them is dropped."""

    dataset: str
    field: str
    sides: tuple[ConflictSide, ...]
    """The likeliest first: the one that is both fresh and reliable."""


class QualityReport(Frozen):
    """Quality per dataset and overall (requirement-weighted sum)."""

    overall: float = 0.0
    datasets: tuple[DatasetQuality, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    """Where sources disagree; they have lowered the reliability."""

    @property
    def gaps(self) -> tuple[str, ...]:
        """Required datasets under their minimum."""
        return tuple(d.dataset for d in self.datasets if d.required and not d.sufficient)


# --- what is said ------------------------------------------------------------------------------------------------------


class Check(Frozen):
    """One test of a claim against its quotes."""

    name: Literal["quote", "numbers", "dates", "entity", "recall", "polarity", "contradiction", "entailment"]
    passed: bool
    detail: str = ""


class ClaimStatus(StrEnum):
    """Whether a claim may be said."""

    SUPPORTED = "supported"
    UNVERIFIED = "unverified"


class Claim(Frozen):
    """One checkable sentence of the brief."""

    id: str
    text: str
    kind: Literal["fact", "inference"] = "fact"
    section: str = ""
    """A dataset id, `recommendation` or `talking_point`."""
    stale: bool = False
    """Whether every quote of it is older than the consumer's freshness floor allows."""
    evidence: tuple[str, ...] = ()
    status: ClaimStatus = ClaimStatus.UNVERIFIED
    checks: tuple[Check, ...] = ()
    contradicts: tuple[str, ...] = ()
    """Ids of evidence that says otherwise."""
    confidence: float | None = None
    """Of a fact: how probable it is that its quotes say it (`Brief.confidence_note` says whether that is calibrated)."""


class Citation(Frozen):
    """A numbered pointer from a claim to the exact words of a source."""

    number: int
    evidence_id: str
    document_id: str
    quote: str
    url: str
    title: str
    source: str
    origin: str = ""
    published_at: AwareDatetime | None = None
    retrieved_at: AwareDatetime


class StopReason(StrEnum):
    """Why a run ended as it did."""

    ANSWERED = "answered"
    BUDGET_EXHAUSTED = "budget_exhausted"
    NO_WORTHWHILE_CALL = "no_worthwhile_call"
    ROUND_LIMIT = "round_limit"
    DEADLINE = "deadline"
    SOURCES_DOWN = "sources_down"
    NOTHING_FOUND = "nothing_found"
    NO_SUBJECT = "no_subject"
    CANCELLED = "cancelled"
    ERROR = "error"


class Costs(Frozen):
    """Money of one run, USD."""

    budget: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    unknown: Decimal = Decimal(0)
    """Part of `spent` that belongs to calls whose end nobody knows."""
    cache_hits: int = 0
    new_api_calls: int = 0
    total_new_cost: Decimal = Decimal(0)
    total_cache_savings: Decimal = Decimal(0)


class Brief(Frozen):
    """The answer."""

    subject: str
    question: str
    consumer_type: str
    findings: tuple[Claim, ...] = ()
    recommendations: tuple[Claim, ...] = ()
    talking_points: tuple[Claim, ...] = ()
    background: tuple[Claim, ...] = ()
    """Facts with their words, but older than the consumer's freshness floor: shown apart, counted in no figure."""
    unverified: tuple[Claim, ...] = ()
    dropped: int = 0
    """Statements that failed a check and are not shown."""
    citations: tuple[Citation, ...] = ()
    quality: QualityReport = QualityReport()
    confidence: float = 0.0
    confidence_note: str = "uncalibrated"
    gaps: tuple[str, ...] = ()
    stop_reason: StopReason = StopReason.ANSWERED
    costs: Costs = Costs()
    engine: str = "extractive"
    written_at: AwareDatetime

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Where sources disagree, both sides in their own words; kept with the quality that they lower."""
        return self.quality.conflicts


def normalise(text: str) -> str:
    """NFKC, case-folded, white space collapsed: for comparing names and keys, never for quotes."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
