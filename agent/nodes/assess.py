"""assess: what is known now, how good it is, and whether another round is worth it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from agent.calls import remaining
from agent.events import DataExtracted, DataExtractedData, DatasetFilled, QualityAssessed, QualityAssessedData
from agent.nodes.room import Update, Visit
from agent.planning import worth_another_round
from agent.quality import assess as judge
from agent.records import CallStatus, Evidence, Outcome, QualityReport, SkipReason, StopReason
from agent.state import State


async def assess(state: State, visit: Visit) -> Update:
    """Evidence in; quality, gaps, and the reason to stop (or none, and the walk goes round once more) out."""
    services = visit.services
    consumer = services.catalogue.consumer(state["ask"].consumer_type)
    evidence = await services.documents.get_evidence(state.get("evidence", []))
    outcomes = state.get("outcomes", [])
    _tell_extracted(evidence, outcomes, visit)
    report = judge(evidence, consumer, services.catalogue.datasets, visit.now(), state["requirements"])
    stop = await _stop_reason(state, report, evidence, visit)
    next_step: Literal["decompose", "synthesize"] = "synthesize" if stop else "decompose"
    visit.emit(
        QualityAssessed,
        f"Quality {report.overall:.2f}; " + (f"gaps: {', '.join(report.gaps)}" if report.gaps else "no required gap"),
        QualityAssessedData(
            report=report, gaps=report.gaps, next_step=next_step, reason=stop or "required gaps are worth another round"
        ),
    )
    return {"quality": report, "stop_reason": stop}


def next_room(state: State) -> Literal["decompose", "synthesize"]:
    """Round again while there is no reason to stop."""
    return "synthesize" if state.get("stop_reason") else "decompose"


async def _stop_reason(
    state: State, report: QualityReport, evidence: Sequence[Evidence], visit: Visit
) -> StopReason | None:
    outcomes, made, settings = state.get("outcomes", []), state["plan"], visit.services.settings
    if visit.scope.cancelled:
        return StopReason.CANCELLED
    if visit.scope.seconds_left(visit.now()) <= 0:
        return StopReason.DEADLINE
    gaps = [g for g in report.gaps if g != "vendor"]
    asked = {r.dataset for r in state["requirements"]} - {"vendor"}
    found = [e for e in evidence if e.dataset in asked]
    if not gaps and found:
        return StopReason.ANSWERED
    left = await remaining(visit.services, tuple(state["budgets"])) - visit.engine.writing_reserve()
    skipped = made.skipped if made else ()
    if made and made.calls and state["round"] < settings.max_rounds:
        sources = visit.services.active
        if worth_another_round(skipped, report, left, settings.gain_per_dollar, sources):
            return None
    if not found:
        failed = [o for o in outcomes if o.status in (CallStatus.FAILED, CallStatus.UNKNOWN)]
        if failed and not any(o.status in (CallStatus.OK, CallStatus.NO_RESULTS) for o in outcomes):
            return StopReason.SOURCES_DOWN
    if any(s.reason is SkipReason.OVER_BUDGET for s in skipped) or any(
        o.status is CallStatus.REFUSED for o in outcomes
    ):
        return StopReason.BUDGET_EXHAUSTED
    if not found:
        return StopReason.NOTHING_FOUND
    return StopReason.ROUND_LIMIT if state["round"] >= settings.max_rounds else StopReason.NO_WORTHWHILE_CALL


def _tell_extracted(evidence: Sequence[Evidence], outcomes: Sequence[Outcome], visit: Visit) -> None:
    fields: defaultdict[str, list[str]] = defaultdict(list)
    counts: defaultdict[str, int] = defaultdict(int)
    for e in evidence:
        counts[e.dataset] += 1
        if e.field not in fields[e.dataset]:
            fields[e.dataset].append(e.field)
    documents = len({d for o in outcomes for d in o.documents})
    visit.emit(
        DataExtracted,
        f"{len(evidence)} quotes for {len(counts)} datasets from {documents} documents",
        DataExtractedData(
            datasets=tuple(DatasetFilled(dataset=d, fields=tuple(f), evidence=counts[d]) for d, f in fields.items()),
            documents=documents,
            evidence=len(evidence),
        ),
    )
