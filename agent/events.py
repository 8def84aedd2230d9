"""Every event type: numbered, typed progress records of a run, one union discriminated by `type`.

An event says what a person watching wants to know, in a sentence (`message`) and as data. Costs are USD decimals here, for
events leave the house. To add one: a data class, an event class with its `type`, and its name in `Event`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, JsonValue, TypeAdapter

from agent.records import (
    Brief,
    Call,
    CallStatus,
    Check,
    ClaimStatus,
    Conflict,
    Costs,
    Offer,
    QualityReport,
    Question,
    SkipReason,
    StopReason,
    Subject,
)
from tools.base import FailureKind, Frozen


class EventBase(Frozen):
    """What all events share. `seq` counts from 1 within a run, without gaps; `attempt` rises when a run is resumed."""

    message: str
    timestamp: AwareDatetime
    thread_id: str
    run_id: str
    seq: int = 0
    node: str = ""
    attempt: int = 1


class SessionStartedData(Frozen):
    question: str
    consumer_type: str
    max_cost: Decimal
    deadline_seconds: float
    engine: str


class SessionStarted(EventBase):
    type: Literal["session_started"] = "session_started"
    data: SessionStartedData


class RunResumedData(Frozen):
    attempt: int
    unknown_calls: tuple[str, ...] = ()
    """Calls that were in flight when the process died: counted as spent, not repeated."""


class RunResumed(EventBase):
    type: Literal["run_resumed"] = "run_resumed"
    data: RunResumedData


class VendorContextLoadedData(Frozen):
    name: str
    offer: str
    persona: str = ""


class VendorContextLoaded(EventBase):
    type: Literal["vendor_context_loaded"] = "vendor_context_loaded"
    data: VendorContextLoadedData


class SubjectIdentifiedData(Frozen):
    subject: Subject | None
    known_datasets: tuple[str, ...] = ()
    """Datasets that the thread already knows well enough."""


class SubjectIdentified(EventBase):
    type: Literal["subject_identified"] = "subject_identified"
    data: SubjectIdentifiedData


class QuestionDecomposedData(Frozen):
    questions: tuple[Question, ...]
    round: int
    engine: str


class QuestionDecomposed(EventBase):
    type: Literal["question_decomposed"] = "question_decomposed"
    data: QuestionDecomposedData


class PlannedCall(Frozen):
    call_id: str
    source: str
    args: dict[str, JsonValue]
    datasets: tuple[str, ...]
    max_price: Decimal
    expected_gain: float


class SkippedCall(Frozen):
    source: str
    reason: SkipReason
    detail: str
    datasets: tuple[str, ...] = ()


class BudgetOffer(Frozen):
    more: Decimal
    """How much would have to be added to `max_cost`."""
    calls: tuple[PlannedCall, ...]
    expected_gain: float
    """In overall quality, all calls together."""


class ResearchPlanCreatedData(Frozen):
    round: int
    to_collect: tuple[PlannedCall, ...]
    from_cache: tuple[PlannedCall, ...]
    skipped: tuple[SkippedCall, ...]
    expected_cost: Decimal
    expected_seconds: float
    expected_quality: float
    proposed_by: str
    offer: BudgetOffer | None = None
    """What up to a dollar more would buy; null when it would buy nothing worth its price."""


class ResearchPlanCreated(EventBase):
    type: Literal["research_plan_created"] = "research_plan_created"
    data: ResearchPlanCreatedData


class SourceStartedData(Frozen):
    call_id: str
    source: str
    args: dict[str, JsonValue]
    max_price: Decimal


class SourceStarted(EventBase):
    type: Literal["source_started"] = "source_started"
    data: SourceStartedData


class SourceFinishedData(Frozen):
    call_id: str
    source: str
    status: CallStatus
    cost: Decimal
    seconds: float
    cached: bool = False
    saved: Decimal = Decimal(0)
    documents: int = 0
    failure: FailureKind | None = None
    billed_unknown: bool = False


class SourceFinished(EventBase):
    type: Literal["source_finished"] = "source_finished"
    data: SourceFinishedData


class SourceSkipped(EventBase):
    type: Literal["source_skipped"] = "source_skipped"
    data: SkippedCall


class BudgetUpdatedData(Frozen):
    max_cost: Decimal
    spent: Decimal
    reserved: Decimal
    remaining: Decimal


class BudgetUpdated(EventBase):
    type: Literal["budget_updated"] = "budget_updated"
    data: BudgetUpdatedData


class DatasetFilled(Frozen):
    dataset: str
    fields: tuple[str, ...]
    evidence: int


class DataExtractedData(Frozen):
    datasets: tuple[DatasetFilled, ...]
    documents: int
    evidence: int
    conflicts: tuple[Conflict, ...] = ()
    """Where sources disagree, the likeliest side first; all sides are kept."""
    from_model: int = 0
    """How many of this round's quotes a chat model read where the rules had found nothing."""
    dropped: int = 0
    """How many of its readings were dropped because their words, figures or names do not stand in the document."""


class DataExtracted(EventBase):
    type: Literal["data_extracted"] = "data_extracted"
    data: DataExtractedData


class QualityAssessedData(Frozen):
    report: QualityReport
    gaps: tuple[str, ...]
    next_step: Literal["decompose", "synthesize"]
    reason: str


class QualityAssessed(EventBase):
    type: Literal["quality_assessed"] = "quality_assessed"
    data: QualityAssessedData


class EngineFellBackData(Frozen):
    task: str
    code: str
    detail: str


class EngineFellBack(EventBase):
    type: Literal["engine_fell_back"] = "engine_fell_back"
    data: EngineFellBackData


class AnswerDeltaData(Frozen):
    text: str
    section: str
    evidence: tuple[str, ...] = ()
    claim_id: str = ""
    stale: bool = False


class AnswerDelta(EventBase):
    """A sentence of the answer, sent once its checks have passed."""

    type: Literal["answer_delta"] = "answer_delta"
    data: AnswerDeltaData


class ClaimCheckedData(Frozen):
    claim_id: str
    text: str
    status: ClaimStatus
    checks: tuple[Check, ...]


class ClaimChecked(EventBase):
    type: Literal["claim_checked"] = "claim_checked"
    data: ClaimCheckedData


class ResearchCompleteData(Frozen):
    brief: Brief


class ResearchComplete(EventBase):
    type: Literal["research_complete"] = "research_complete"
    data: ResearchCompleteData


class RunFinishedData(Frozen):
    status: Literal["success", "error", "timeout", "interrupted"]
    stop_reason: StopReason
    costs: Costs
    error: dict[str, str] | None = None
    """`code` and `message` of the error that ended the run, when one did."""


class RunFinished(EventBase):
    """The last event of every run, however it ended."""

    type: Literal["run_finished"] = "run_finished"
    data: RunFinishedData


Event = Annotated[
    SessionStarted
    | RunResumed
    | VendorContextLoaded
    | SubjectIdentified
    | QuestionDecomposed
    | ResearchPlanCreated
    | SourceStarted
    | SourceFinished
    | SourceSkipped
    | BudgetUpdated
    | DataExtracted
    | QualityAssessed
    | EngineFellBack
    | AnswerDelta
    | ClaimChecked
    | ResearchComplete
    | RunFinished,
    Field(discriminator="type"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def planned(call: Call) -> PlannedCall:
    """A planned call as events show it."""
    from agent.records import to_usd

    return PlannedCall(
        call_id=call.call_id,
        source=call.source,
        args=call.args,
        datasets=call.datasets,
        max_price=to_usd(call.max_price),
        expected_gain=round(call.gain, 4),
    )


def offered(offer: Offer) -> BudgetOffer:
    """An offer as events show it."""
    from agent.records import to_usd

    return BudgetOffer(
        more=to_usd(offer.more),
        calls=tuple(planned(c) for c in offer.calls),
        expected_gain=round(offer.gain, 4),
    )
