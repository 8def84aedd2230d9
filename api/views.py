"""What goes in and out of the front door, as JSON. Amounts are USD as decimal strings."""

from __future__ import annotations

from decimal import Decimal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from agent.budget import UsageRow
from agent.records import Brief, Conflict, Costs, QualityReport, StopReason
from agent.runs import Runs
from agent.store.runs import Run, RunStatus


class ThreadRequest(BaseModel):
    """Who asks. Everything may be given later, with a question."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "persona": "account executive",
                "vendor": "Monte Carlo: data observability",
                "consumer_type": "customer_intelligence",
            }
        },
    )

    persona: str | None = Field(None, description="Who will read the brief.")
    vendor: str | None = Field(None, description="The seller and what they sell: `Name: offer`.")
    consumer_type: str = Field("quick_chat", description="Who the research is for: one of GET /v1/consumers.")


class RunRequest(BaseModel):
    """One question. What is left out comes from the thread."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"message": "Research Snowflake as a prospect for us", "max_cost": 0.50}},
    )

    message: str = Field(description="The question.")
    persona: str | None = None
    vendor: str | None = None
    consumer_type: str | None = Field(None, description="Overrides the thread's.")
    max_cost: JsonValue = Field(
        None,
        description="The most this run may spend, USD; default: the consumer type's. A number or a decimal string.",
    )
    deadline: JsonValue = Field(None, description="Seconds after which the run ends with what it has.")
    include_unverified: bool = Field(
        False, description="Show statements that failed a check, apart, instead of dropping them."
    )


class RunSummary(BaseModel):
    """A run in a list."""

    id: str
    status: RunStatus
    stop_reason: StopReason | None
    message: str
    created_at: AwareDatetime


class ThreadView(BaseModel):
    """A thread and its runs, the newest first."""

    id: str
    created_at: AwareDatetime
    persona: str | None
    vendor: str | None
    consumer_type: str
    runs: list[RunSummary] = []


class RunView(BaseModel):
    """A run, whole."""

    id: str
    thread_id: str
    status: RunStatus
    stop_reason: StopReason | None
    attempt: int
    message: str
    consumer_type: str
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    plan: dict[str, JsonValue] | None = Field(
        description="The newest plan, as the event `research_plan_created` shows it."
    )
    brief: Brief | None
    quality: QualityReport | None
    conflicts: tuple[Conflict, ...] = Field((), description="Where sources disagree, the likeliest side first.")
    costs: Costs
    error: dict[str, JsonValue] | None
    events_url: str


class SourceView(BaseModel):
    """A source as a caller sees it."""

    name: str
    title: str
    description: str
    available: bool
    why_not: str | None
    max_price: Decimal = Field(description="USD for one call.")
    datasets: list[str]
    reliability: float
    licence: str


class UsageView(BaseModel):
    """Calls and money by day and source since a moment."""

    since: AwareDatetime
    rows: list[UsageRow]
    total_cost: Decimal
    total_cache_savings: Decimal


class Health(BaseModel):
    """Whether the process answers, and what it runs on."""

    status: str
    engine: str = ""
    sources: dict[str, str] = {}


async def run_view(runs: Runs, run: Run) -> RunView:
    store = runs.services.runs
    plan = await store.last_data(run.id, "research_plan_created")
    assessed = None if run.brief else await store.last_data(run.id, "quality_assessed")
    quality = run.brief.quality if run.brief else None
    if assessed is not None:
        quality = QualityReport.model_validate(assessed["report"])
    return RunView(
        id=run.id,
        thread_id=run.thread_id,
        status=run.status,
        stop_reason=run.stop_reason,
        attempt=run.attempt,
        message=run.ask.message,
        consumer_type=run.ask.consumer_type,
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        plan=plan,
        brief=run.brief,
        quality=quality,
        conflicts=quality.conflicts if quality else (),
        costs=await runs.costs(run),
        error=run.error,
        events_url=f"/v1/runs/{run.id}/events",
    )


def run_summary(run: Run) -> RunSummary:
    return RunSummary(
        id=run.id, status=run.status, stop_reason=run.stop_reason, message=run.ask.message, created_at=run.created_at
    )
