"""What is checkpointed. Bodies of documents and evidence stay in the store; here are their ids. Nothing live."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel
from typing_extensions import TypedDict  # typing's own cannot be read by pydantic before Python 3.12

from agent.records import (
    Ask,
    Brief,
    Call,
    Claim,
    CollectionPlan,
    Outcome,
    QualityReport,
    Question,
    Requirement,
    StopReason,
    Subject,
    Vendor,
)


def merge_outcomes(old: Sequence[Outcome], new: Sequence[Outcome]) -> list[Outcome]:
    """One outcome per call id, the first kept: a node that runs again after a kill adds nothing."""
    found = {o.call_id: o for o in map(_outcome, old)}
    for outcome in map(_outcome, new):
        found.setdefault(outcome.call_id, outcome)
    return list(found.values())


def merge_ids(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Both lists, in order, each id once."""
    return list(dict.fromkeys([*old, *new]))


def _outcome(value: Outcome | dict[str, object]) -> Outcome:
    return value if isinstance(value, Outcome) else Outcome.model_validate(value)


class AskInput(TypedDict, total=False):
    """What a caller puts in: the fields of `Ask`, flat, so that Studio shows them as a form."""

    message: str
    vendor: str | None
    persona: str | None
    consumer_type: str
    max_cost: Decimal | float | None
    deadline: float | None
    include_unverified: bool


class State(AskInput, total=False):
    """What the rooms hand to one another."""

    run_id: str
    started_at: str
    """ISO time at which this run framed its question: the deadline counts from here, also after a resume."""
    ask: Ask
    subject: Subject | None
    seller: Vendor
    questions: list[Question]
    requirements: list[Requirement]
    """What this question needs of the consumer type's requirements."""
    round: int
    plan: CollectionPlan | None
    tried: Annotated[list[str], merge_ids]
    """Cache keys of the calls planned so far in this run."""
    budgets: list[str]
    """Ids of the budgets this run spends from."""
    outcomes: Annotated[list[Outcome], merge_outcomes]
    evidence: Annotated[list[str], merge_ids]
    quality: QualityReport
    stop_reason: StopReason | None
    draft: list[Claim]
    written_by: str
    brief: Brief | None


class CollectInput(TypedDict):
    """What one `Send` carries to `collect`: enough to make the call, and its id, so that a rerun finds it paid."""

    call: Call
    subject: Subject
    budgets: list[str]
    round: int


class AnswerOutput(TypedDict, total=False):
    """What a caller gets out."""

    brief: Brief | None
    stop_reason: StopReason | None


class RunContext(BaseModel):
    """What a caller may choose per run without it becoming part of the thread."""

    engine: str = "auto"
    """`auto` or `extractive`."""
