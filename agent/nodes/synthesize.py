"""synthesize: claims with their quotes, and recommendations for the seller. No sentence leaves before its checks pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from agent.claims import order, split_sentences, unfit
from agent.events import AnswerDelta, AnswerDeltaData
from agent.models.base import WriteTask
from agent.nodes.room import Update, Visit
from agent.quality import fresh_enough, freshness
from agent.records import Check, Claim, ClaimStatus, Dataset, Evidence, Subject, Vendor, derived_id, normalise
from agent.state import State
from agent.support import Bench

MAX_EVIDENCE = 60
"""Most quotes an engine is given to write from: the best of each dataset."""

MAX_PER_DATASET = 10
BACKGROUND_PER_DATASET = 2


async def synthesize(state: State, visit: Visit) -> Update:
    """Evidence, seller and persona in; draft claims out, each checked against its stored words as it was written."""
    services = visit.services
    subject, seller = state["subject"], state["seller"]
    assert subject is not None
    consumer = services.catalogue.consumer(state["ask"].consumer_type)
    bench = await Bench.open(services.documents, state.get("evidence", []), services.entailment)
    asked = {r.dataset: r.weight for r in state["requirements"] if r.dataset != "vendor"}
    # Judged as of the run's start: a rerun must order the evidence alike, for a stored answer of the model cites it by place.
    started = datetime.fromisoformat(state["started_at"])
    fresh, stale = _sort(bench, asked, services.catalogue.datasets, consumer.freshness_floor, started)
    task = WriteTask(
        ask=state["ask"],
        subject=subject,
        vendor=seller.model_copy(update={"offer": _plain_offer(seller.offer)}),
        consumer=consumer,
        questions=tuple(state["questions"]),
        evidence=tuple(fresh),
        vendor_evidence=tuple(e for e in bench.evidence.values() if e.dataset == "vendor" and not order(e.quote)),
        datasets=services.catalogue.datasets,
        weights=asked,
    )
    scribe = _Scribe(visit, bench, subject, seller)
    door = visit.door(state["round"], state["budgets"])
    written_by = services.extractive.name
    if fresh:
        _, written_by = await visit.with_fallback("write", lambda e: e.write(task, door, scribe.hear))
        if not scribe.states_a_fact and written_by != services.extractive.name:
            visit.fell_back("write", "nothing_stood", "No sentence of the model's stood its checks")
            written_by = services.extractive.name
            await services.extractive.write(task, door, scribe.hear)
    for claim in _background(stale, asked):
        await scribe.hear(claim)
    return {"draft": scribe.claims, "written_by": written_by}


class _Scribe:
    """Hears claims as an engine makes them, checks each, and tells those that pass. Says nothing twice."""

    def __init__(self, visit: Visit, bench: Bench, subject: Subject, seller: Vendor) -> None:
        self._visit, self._bench, self._subject, self._seller = visit, bench, subject, seller
        self._said: set[str] = set()
        self.claims: list[Claim] = []

    @property
    def states_a_fact(self) -> bool:
        """Whether any fact heard so far has stood its checks."""
        return any(c.kind == "fact" and c.status is ClaimStatus.SUPPORTED for c in self.claims)

    async def hear(self, claim: Claim) -> None:
        """Check, keep, and tell when it stands."""
        claim = claim.model_copy(update={"text": self._visit.services.scrub.known(claim.text)})
        key = normalise(claim.text)
        if key in self._said:
            return
        self._said.add(key)
        checked = _refused(claim) or await self._bench.judge(claim, self._subject, self._seller)
        self.claims.append(checked)
        if checked.status is ClaimStatus.SUPPORTED:
            self._visit.emit(
                AnswerDelta,
                checked.text,
                AnswerDeltaData(
                    text=checked.text,
                    section=checked.section,
                    evidence=checked.evidence,
                    claim_id=checked.id,
                    stale=checked.stale,
                ),
            )


def _refused(claim: Claim) -> Claim | None:
    """A claim that may not be shown even as unverified, without its words: a link or an image can carry them off."""
    problem = unfit(claim.text)
    if not problem:
        return None
    check = Check(name="quote", passed=False, detail=problem)
    return claim.model_copy(update={"text": f"[left out: {problem}]", "checks": (check,)})


def _plain_offer(offer: str) -> str:
    """The offer as an engine may repeat it: without sentences that hold links, markup or orders to the writer."""
    if not unfit(offer) and not order(offer):
        return offer
    parts = [offer[a:b] for a, b in split_sentences(offer)]
    return " ".join(p for p in parts if not unfit(p) and not order(p)).rstrip(".")


def _sort(
    bench: Bench, asked: Mapping[str, float], datasets: Mapping[str, Dataset], floor: float, now: datetime
) -> tuple[list[Evidence], list[Evidence]]:
    """Evidence of the asked datasets that reaches the freshness floor, best first, and the rest, newest first."""
    fresh: list[Evidence] = []
    stale: list[Evidence] = []
    for e in bench.evidence.values():
        if e.dataset in asked:
            (fresh if fresh_enough(e, datasets[e.dataset], floor, now) else stale).append(e)

    def worth(e: Evidence) -> float:
        return e.score * e.reliability * freshness(e.published_at, now, datasets[e.dataset].half_life_days)

    fresh.sort(key=lambda e: (-worth(e), e.id))
    stale.sort(key=lambda e: (e.published_at is None, -(e.published_at.timestamp() if e.published_at else 0.0), e.id))
    return _spread(fresh, asked), stale


def _spread(ranked: Sequence[Evidence], asked: Mapping[str, float]) -> list[Evidence]:
    """The best of each dataset in turn, so that one talkative dataset does not crowd out the others."""
    by_dataset = {
        d: [e for e in ranked if e.dataset == d][:MAX_PER_DATASET] for d in sorted(asked, key=lambda d: -asked[d])
    }
    chosen: list[Evidence] = []
    for place in range(MAX_PER_DATASET):
        chosen += [found[place] for found in by_dataset.values() if place < len(found)]
    return chosen[:MAX_EVIDENCE]


def _background(stale: Sequence[Evidence], asked: Mapping[str, float]) -> list[Claim]:
    """Facts older than the freshness floor, as they stand and marked so: the newest of each dataset, heaviest dataset first."""
    order = sorted(asked, key=lambda d: -asked[d])
    newest = {d: [e for e in stale if e.dataset == d][:BACKGROUND_PER_DATASET] for d in order}
    return [
        Claim(id=derived_id("background", e.id), text=e.quote, section=d, evidence=(e.id,), stale=True)
        for d in order
        for e in newest[d]
    ]
