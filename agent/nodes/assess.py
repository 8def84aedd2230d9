"""assess: what is known now, where it disagrees, how good it is, and whether another round is worth it.

Documents that rules found nothing in are read by the chat model, when there is one and a required dataset still wants for
something: once a round, each document in the round that brought it, with no tool bound and every row checked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from agent.calls import remaining
from agent.events import DataExtracted, DataExtractedData, DatasetFilled, QualityAssessed, QualityAssessedData
from agent.extract import confirmed, prose
from agent.models.base import ExtractTask, Passage
from agent.nodes.conflicts import find_conflicts, weighed
from agent.nodes.room import Update, Visit
from agent.planning import worth_another_round
from agent.quality import assess as judge
from agent.quality import freshness
from agent.records import CallStatus, Conflict, Evidence, Outcome, QualityReport, SkipReason, StopReason
from agent.state import State

MIN_PROSE = 200
"""Characters of statements about the company under which a document is not worth a model's time."""


async def assess(state: State, visit: Visit) -> Update:
    """Evidence in; quality, gaps, and the reason to stop (or none, and the walk goes round once more) out."""
    services = visit.services
    consumer = services.catalogue.consumer(state["ask"].consumer_type)
    evidence = await services.documents.get_evidence(state.get("evidence", []))
    read, dropped = await _read_by_model(state, evidence, visit)
    evidence = list({e.id: e for e in (*evidence, *read)}.values())
    datasets, now = services.catalogue.datasets, visit.now()
    found = find_conflicts(evidence, datasets, now)
    conflicts = tuple(f.record for f in found)
    _tell_extracted(evidence, state.get("outcomes", []), visit, conflicts, (len(read), dropped))
    report = judge(weighed(evidence, found), consumer, datasets, now, state["requirements"])
    report = report.model_copy(update={"conflicts": conflicts})
    stop = await _stop_reason(state, report, evidence, visit)
    next_step: Literal["decompose", "synthesize"] = "synthesize" if stop else "decompose"
    visit.emit(
        QualityAssessed,
        f"Quality {report.overall:.2f}; " + (f"gaps: {', '.join(report.gaps)}" if report.gaps else "no required gap"),
        QualityAssessedData(
            report=report, gaps=report.gaps, next_step=next_step, reason=stop or "required gaps are worth another round"
        ),
    )
    return {"quality": report, "stop_reason": stop, "evidence": [e.id for e in read]}


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


async def _read_by_model(state: State, evidence: Sequence[Evidence], visit: Visit) -> tuple[list[Evidence], int]:
    """What the model reads in this round's documents for required datasets that are insufficient; and how much of it fell."""
    services, subject, engine = visit.services, state["subject"], visit.engine
    idle = visit.scope.cancelled or visit.scope.seconds_left(visit.now()) <= 0
    if engine.name == services.extractive.name or subject is None or idle:
        return [], 0
    consumer, datasets = services.catalogue.consumer(state["ask"].consumer_type), services.catalogue.datasets
    # Judged as of the run's start: a rerun must show the same documents, for a stored answer names them by place.
    started = datetime.fromisoformat(state["started_at"])
    report = judge(evidence, consumer, datasets, started, state["requirements"])
    gaps = [g for g in report.gaps if g != "vendor"]
    recent = {d: o.source for o in state.get("outcomes", []) if o.round == state["round"] for d in o.documents}
    trust = {d: services.sources[s].reliability for d, s in recent.items() if s in services.sources}
    documents = {d.id: d for d in await services.documents.get_many(list(recent))} if gaps and recent else {}
    gave = {(e.document_id, e.dataset) for e in evidence}
    passages: list[Passage] = []
    for document in sorted(documents.values(), key=lambda d: (-trust.get(d.id, 0.5), d.id)):
        day = document.published_at
        open_gaps = [g for g in gaps if (document.id, g) not in gave]
        # What is too old for every gap, or undated, would count for nothing once it was read.
        if day is None or all(
            freshness(day, started, datasets[g].half_life_days) < consumer.freshness_floor for g in open_gaps
        ):
            continue
        sentences = prose(document, subject.names)
        if sum(map(len, sentences)) >= MIN_PROSE:
            passages.append(Passage(document.id, document.about, day.date().isoformat(), sentences))
    # Reading may cost as much as writing at the most, and what writing needs is not for reading.
    if not passages or await remaining(services, tuple(state["budgets"])) < 2 * engine.writing_reserve():
        return [], 0
    wanted = {g: datasets[g] for g in gaps}
    task = ExtractTask(subject, tuple(passages), wanted)
    door = visit.door(state["round"], state["budgets"])
    told, _ = await visit.with_fallback("extract", lambda e: e.extract(task, door))
    read, dropped = confirmed(told, documents, wanted, subject.names, trust)
    known = {e.id for e in evidence}
    new = [e for e in read if e.id not in known]
    await services.documents.put_evidence(new)
    return new, dropped


def _tell_extracted(
    evidence: Sequence[Evidence],
    outcomes: Sequence[Outcome],
    visit: Visit,
    conflicts: tuple[Conflict, ...],
    model: tuple[int, int],
) -> None:
    fields: defaultdict[str, list[str]] = defaultdict(list)
    counts: defaultdict[str, int] = defaultdict(int)
    for e in evidence:
        counts[e.dataset] += 1
        if e.field not in fields[e.dataset]:
            fields[e.dataset].append(e.field)
    documents = len({d for o in outcomes for d in o.documents})
    visit.emit(
        DataExtracted,
        f"{len(evidence)} quotes for {len(counts)} datasets from {documents} documents"
        + (f"; sources disagree on {', '.join(f'{c.dataset} {c.field}' for c in conflicts)}" if conflicts else ""),
        DataExtractedData(
            datasets=tuple(DatasetFilled(dataset=d, fields=tuple(f), evidence=counts[d]) for d, f in fields.items()),
            documents=documents,
            evidence=len(evidence),
            conflicts=conflicts,
            from_model=model[0],
            dropped=model[1],
        ),
    )
