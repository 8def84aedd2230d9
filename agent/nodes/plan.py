"""plan: which calls to make for the sub-questions, what they may cost, and what was left out and why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import floor

from langgraph.types import Send
from pydantic import ValidationError

from agent.calls import cache_key, remaining
from agent.events import (
    ResearchPlanCreated,
    ResearchPlanCreatedData,
    SkippedCall,
    SourceSkipped,
    offered,
    planned,
)
from agent.learning import Learned
from agent.models.base import Proposal, ProposeTask
from agent.models.extractive import suggestions
from agent.nodes.room import Update, Visit
from agent.planning import Candidate, Limits, still_answers
from agent.planning import plan as choose
from agent.quality import assess
from agent.records import CallStatus, CollectionPlan, SkipReason, content_id, derived_id, to_usd
from agent.services import Source
from agent.state import CollectInput, State
from tools.base import FailureKind, Pace

_IN_TROUBLE = frozenset(FailureKind) - {
    FailureKind.NOT_FOUND,
    FailureKind.INVALID_ARGUMENTS,
    FailureKind.REFUSED_ADDRESS,
    FailureKind.BLOCKED_BY_ROBOTS,
}
"""Failures after which the next call to the same source is likelier to fail too."""


async def plan(state: State, visit: Visit) -> Update:
    """Sub-questions, sources with their prices, and what is left of the budget in; a `CollectionPlan` out."""
    services = visit.services
    consumer = services.catalogue.consumer(state["ask"].consumer_type)
    evidence = await services.documents.get_evidence(state.get("evidence", []))
    known = assess(evidence, consumer, services.catalogue.datasets, visit.now(), state["requirements"])
    met = {d.dataset for d in known.datasets if d.sufficient}
    wanted = [r for r in state["requirements"] if r.dataset not in met and r.dataset != "vendor"]
    proposals, engine = await _proposals(state, visit, {r.dataset for r in wanted})
    learned = await services.learned()
    candidates = merged([await _candidate(p, visit, state, learned) for p in proposals])
    candidates += _unavailable(visit, {r.dataset for r in wanted})
    limits = Limits(
        budget=await remaining(services, tuple(state["budgets"])) - visit.engine.writing_reserve(),
        seconds=visit.scope.seconds_left(visit.now()),
        gain_per_dollar=services.settings.gain_per_dollar,
        per_source=_paces(services.active.values(), visit.scope.seconds_left(visit.now())),
    )
    choosing = partial(
        choose,
        candidates,
        wanted,
        known,
        limits,
        round=state["round"],
        tried=state.get("tried", []),
        proposed_by=engine,
        planner=services.settings.planner,
    )
    # The exact planner takes seconds: it must not hold up the other runs of this process.
    made = await asyncio.to_thread(choosing) if services.settings.planner == "exact" else choosing()
    _tell(made, visit)
    keys = {c.call_id: c.key for c in candidates}
    return {"plan": made, "quality": known, "tried": [keys[c.call_id] for c in made.calls]}


def send_calls(state: State) -> list[Send] | str:
    """One `Send` per planned call, the id of the call inside; straight to `assess` when there is none."""
    made, subject = state["plan"], state["subject"]
    if made is None or subject is None or not made.calls:
        return "assess"
    return [
        Send("collect", CollectInput(call=call, subject=subject, budgets=state["budgets"], round=made.round))
        for call in made.calls
    ]


def merged(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One candidate per call: what several sub-questions ask of a source in the same words is one call that serves them all."""
    found: dict[tuple[str, str], Candidate] = {}
    for c in candidates:
        same = found.get((c.key, c.refused))
        found[c.key, c.refused] = (
            c
            if same is None
            else replace(
                same,
                coverage={**same.coverage, **c.coverage},
                max_age=min(same.max_age, c.max_age),
                cached=same.cached and c.cached,
                questions=tuple(dict.fromkeys((*same.questions, *c.questions))),
            )
        )
    return list(found.values())


async def _proposals(state: State, visit: Visit, wanted: set[str]) -> tuple[list[Proposal], str]:
    """What the engine proposes, and what the free sources suggest by rule: a model's oversight must not cost the seller a fact."""
    services, subject = visit.services, state["subject"]
    assert subject is not None
    if not wanted:
        return [], services.extractive.name
    task = ProposeTask(
        ask=state["ask"],
        subject=subject,
        questions=tuple(q for q in state["questions"] if wanted & set(q.datasets)),
        tools=tuple(services.active.values()),
        datasets=services.catalogue.datasets,
        round=state["round"],
    )
    engine = visit.engine if state["round"] == 1 else services.extractive
    door = visit.door(state["round"], state["budgets"])
    proposed, by = await visit.with_fallback("propose", lambda e: e.propose(task, door), engine=engine)
    if by == services.extractive.name:
        return list(proposed), by
    return [*proposed, *(p for p in suggestions(task) if services.sources[p.source].max_price == 0)], by


async def _candidate(proposal: Proposal, visit: Visit, state: State, learned: Mapping[str, Learned]) -> Candidate:
    services, run_id = visit.services, visit.scope.run_id
    consumer = services.catalogue.consumer(state["ask"].consumer_type)
    source = services.active.get(proposal.source)
    known = learned.get(proposal.source) if source is not None else None
    refused, args, key, cached = "", dict(proposal.args), content_id(proposal.source, str(proposal.args)), False
    ages = [services.catalogue.datasets[d].max_age_seconds(consumer.freshness_floor) for d in proposal.datasets]
    max_age = min(ages, default=0.0)
    if source is None:
        refused = services.off.get(proposal.source, "there is no such source")
    else:
        try:
            typed = source.Args.model_validate(args)
            args = typed.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
            key = await cache_key(source, typed)
            cached = await services.ledger.peek(key, max_age, visit.now())
        except ValidationError as exc:
            refused = f"its arguments do not fit: {exc.errors(include_input=False)[0]['msg']}"
    return Candidate(
        call_id=derived_id(run_id, "call", key),
        key=key,
        source=proposal.source,
        args=args,
        coverage={d: _chance(known, d, cached) for d in proposal.datasets},
        reliability=source.reliability * (1.0 if cached else _answers(source.name, state)) if source else 0.0,
        price=source.max_price if source else 0,
        seconds=known.seconds if known else 0.0,
        max_age=max_age,
        cached=cached,
        questions=proposal.questions,
        refused=refused,
    )


def _chance(known: Learned | None, dataset: str, cached: bool) -> float:
    """How likely a call fills the dataset; a stored reply can no longer fail."""
    if known is None:
        return 0.0
    return known.coverage.get(dataset, 0.0) if cached else known.chance(dataset)


def _answers(source: str, state: State) -> float:
    """How likely a source still answers, by what came back from it in this run. An argument it refused says nothing of it."""
    told = [o for o in state.get("outcomes", []) if o.source == source and not o.cached]
    failed = sum(o.failure in _IN_TROUBLE for o in told)
    answered = sum(o.status in (CallStatus.OK, CallStatus.NO_RESULTS) for o in told)
    return still_answers(answered, failed)


def _unavailable(visit: Visit, wanted: set[str]) -> list[Candidate]:
    """Sources that would serve but cannot be used now, so that the plan says what a key would add. What the operator left out
    on purpose is no news."""
    return [
        Candidate(
            call_id=name,
            key=name,
            source=name,
            args={},
            coverage={d: p for d, p in visit.services.sources[name].datasets.items() if d in wanted},
            reliability=0.0,
            price=0,
            seconds=0.0,
            max_age=0.0,
            refused=why,
            reason=SkipReason.SOURCE_UNAVAILABLE,
        )
        for name, why in visit.services.off.items()
        if name not in visit.services.left_out and wanted & set(visit.services.sources[name].datasets)
    ]


def _paces(sources: Iterable[Source], seconds: float) -> dict[str, int]:
    """Source -> calls that can be begun and finished in so many seconds by its pace; sources without one are not named.

    A call takes at least one request, so this is the most there can be. Of several domains the slowest counts.
    """
    return {s.name: min(_within(p, s.latency, seconds) for p in s.paces.values()) for s in sources if s.paces}


def _within(pace: Pace, latency: float, seconds: float) -> int:
    """Calls of one request each: as many as may begin while there is time to finish, and as many as have room side by side."""
    if seconds < latency:
        return 0
    begun = pace.burst + floor((seconds - latency) * pace.per_second)
    return min(begun, pace.at_once * floor(seconds / latency)) if latency > 0 else begun


def _tell(made: CollectionPlan, visit: Visit) -> None:
    skipped = [
        SkippedCall(source=s.source, reason=s.reason, detail=s.detail, datasets=s.datasets) for s in made.skipped
    ]
    calls = len(made.calls)
    message = f"{calls} calls planned, at most ${to_usd(made.expected_cost):.4f}" if calls else "Nothing to call"
    if made.from_cache:
        message += f"; {len(made.from_cache)} of them from the cache"
    visit.emit(
        ResearchPlanCreated,
        message,
        ResearchPlanCreatedData(
            round=made.round,
            to_collect=tuple(planned(c) for c in made.to_collect),
            from_cache=tuple(planned(c) for c in made.from_cache),
            skipped=tuple(skipped),
            expected_cost=to_usd(made.expected_cost),
            expected_seconds=made.expected_seconds,
            expected_quality=round(made.expected_quality, 4),
            proposed_by=made.proposed_by,
            offer=offered(made.offer) if made.offer else None,
        ),
    )
    for skip in _worth_telling(skipped):
        visit.emit(SourceSkipped, f"{skip.source} left out: {skip.detail}", skip)


def _worth_telling(skipped: Sequence[SkippedCall]) -> list[SkippedCall]:
    """One event per source and reason; duplicates and the like stand in the plan only."""
    telling = (
        SkipReason.OVER_BUDGET,
        SkipReason.SOURCE_UNAVAILABLE,
        SkipReason.INVALID_ARGUMENTS,
        SkipReason.DEADLINE,
        SkipReason.SOURCE_PACE,
    )
    return list({(s.source, s.reason): s for s in skipped if s.reason in telling}.values())
