"""verify: every claim against the stored text once more, contradictions shown, and the brief put together."""

from __future__ import annotations

from collections.abc import Sequence

from agent.claims import find_contradictions, states, visible
from agent.confidence import confidence, note, pooled, signals
from agent.events import ClaimChecked, ClaimCheckedData, ResearchComplete, ResearchCompleteData
from agent.nodes.room import Update, Visit
from agent.records import Brief, Check, Citation, Claim, ClaimStatus, Costs, QualityReport, StopReason, Subject
from agent.state import State
from agent.support import Bench


async def verify(state: State, visit: Visit) -> Update:
    """Draft claims and stored text in; the brief out, with citations, confidence, gaps and costs."""
    services, ask = visit.services, state["ask"]
    subject = state["subject"]
    bench = await Bench.open(services.documents, state.get("evidence", []), services.entailment)
    claims: list[Claim] = []
    if subject is not None:
        # What was refused as it was written stays refused: this look can only take away.
        rechecked = [
            await bench.judge(c, subject, state["seller"]) if c.status is ClaimStatus.SUPPORTED else c
            for c in state["draft"]
        ]
        marked = _mark_contradictions(rechecked, bench)
        claims = [_with_confidence(c, bench, subject, visit) for c in marked]
    for claim in claims:
        visit.emit(
            ClaimChecked,
            f"{claim.status}: {claim.text[:120]}",
            ClaimCheckedData(claim_id=claim.id, text=claim.text, status=claim.status, checks=claim.checks),
        )
    sound = [c for c in claims if c.status is ClaimStatus.SUPPORTED]
    failed = [c for c in claims if c.status is not ClaimStatus.SUPPORTED]
    quality = state.get("quality", QualityReport())
    findings = tuple(c for c in sound if c.kind == "fact" and not c.stale)
    brief = Brief(
        subject=subject.name if subject else "",
        question=ask.message,
        consumer_type=ask.consumer_type,
        findings=findings,
        recommendations=tuple(c for c in sound if c.kind == "inference" and c.section != "talking_point"),
        talking_points=tuple(c for c in sound if c.kind == "inference" and c.section == "talking_point"),
        background=tuple(c for c in sound if c.stale),
        unverified=tuple(failed) if ask.include_unverified else (),
        dropped=0 if ask.include_unverified else len(failed),
        citations=_citations(sound, bench),
        quality=quality,
        confidence=pooled([c.confidence for c in findings]),
        confidence_note=note(),
        gaps=quality.gaps,
        stop_reason=state.get("stop_reason") or StopReason.ANSWERED,
        costs=await _costs(state, visit),
        engine=state["written_by"],
        written_at=visit.now(),
    )
    visit.emit(ResearchComplete, _summary(brief), ResearchCompleteData(brief=brief))
    services.scopes.pop(visit.scope.run_id, None)
    return {"brief": brief}


def _mark_contradictions(claims: Sequence[Claim], bench: Bench) -> list[Claim]:
    """Sources that disagree are both shown: each claim names the evidence that says otherwise."""
    cited = {i for c in claims for i in c.evidence}
    used = [
        e
        for e in bench.evidence.values()
        if e.dataset in {bench.evidence[i].dataset for i in cited if i in bench.evidence}
    ]
    against: dict[str, set[str]] = {}
    for one, other in find_contradictions(used):
        against.setdefault(one, set()).add(other)
        against.setdefault(other, set()).add(one)
    marked: list[Claim] = []
    for claim in claims:
        others = tuple(sorted({o for i in claim.evidence for o in against.get(i, ())} - set(claim.evidence)))
        if others:
            quotes = "; ".join(f"“{bench.evidence[o].quote[:160]}”" for o in others)
            check = Check(name="contradiction", passed=True, detail=f"another source says otherwise: {quotes}")
            claim = claim.model_copy(update={"contradicts": others, "checks": (*claim.checks, check)})
        marked.append(claim)
    return marked


def _citations(claims: Sequence[Claim], bench: Bench) -> tuple[Citation, ...]:
    """One number per quote, in the order in which claims first need it; the other side of a contradiction gets one too."""
    order = dict.fromkeys(i for c in claims for i in (*c.evidence, *c.contradicts) if i in bench.evidence)
    found = []
    for number, evidence_id in enumerate(order, start=1):
        e = bench.evidence[evidence_id]
        d = bench.documents[e.document_id]
        found.append(
            Citation(
                number=number,
                evidence_id=e.id,
                document_id=d.id,
                quote=e.quote,
                url=_address(d.url),
                title=_label(d.title),
                source=d.source,
                origin=_label(d.origin),
                published_at=e.published_at,
                retrieved_at=d.retrieved_at,
            )
        )
    return tuple(found)


def _label(text: str) -> str:
    """A title or publisher as it may be shown: what a page calls itself is not checked by anything else."""
    seen = visible(text)
    return seen if states(seen) else ""


def _address(url: str) -> str:
    """An address as it may be shown: no script and no data that a click would run, nothing unseen."""
    seen = visible(url)
    scheme, colon, _ = seen.partition(":")
    return "" if colon and scheme.lower() in ("javascript", "data", "vbscript") else seen


def _with_confidence(claim: Claim, bench: Bench, subject: Subject, visit: Visit) -> Claim:
    """A fact that stands, with the probability that its quotes say it; advice is not a thing that a source says."""
    if claim.kind != "fact" or claim.status is not ClaimStatus.SUPPORTED:
        return claim
    cited, against = (
        [bench.evidence[i] for i in ids if i in bench.evidence] for ids in (claim.evidence, claim.contradicts)
    )
    datasets = visit.services.catalogue.datasets
    known = signals(claim, cited, against, subject.names, datasets, visit.now())
    return claim.model_copy(update={"confidence": confidence(known)})


async def _costs(state: State, visit: Visit) -> Costs:
    money = await visit.money()
    budgets = state.get("budgets", [])
    ceiling = (await visit.services.ledger.budget(budgets[0])).ceiling if budgets else 0
    return money.costs(ceiling)


def _summary(brief: Brief) -> str:
    if brief.stop_reason is StopReason.NO_SUBJECT:
        return "No company was recognised in the question: name one, for example “Research Snowflake as a prospect for us”."
    found = f"{len(brief.findings)} findings, {len(brief.recommendations)} recommendations"
    return f"{found}; quality {brief.quality.overall:.2f}; stopped because: {brief.stop_reason}"
