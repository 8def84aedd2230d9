"""The extractive engine: no model, no key, no network. It asks by rule and answers with sentences quoted as they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.decompose_rules import asked_datasets_of, asked_of
from agent.models.base import DecomposeTask, Door, ExtractTask, Proposal, ProposeTask, Say, WriteTask
from agent.records import Claim, Evidence, Question, derived_id, normalise
from agent.values import Told

FINDINGS_PER_DATASET = 4
MAX_RECOMMENDATIONS = 3

PLAY: dict[str, str] = {
    "strategy": "Tie {offer} to what {subject} says it is working on",
    "hiring": "Ask the team that {subject} is hiring for how {offer} would help them",
    "technology": "Show how {offer} fits what {subject} already runs",
    "news": "Open with {subject}'s latest news and lead from there to {offer}",
    "leadership": "Show {offer} to the people who decide at {subject}",
    "products": "Show what {offer} does for the products that {subject} sells",
    "customers": "Use the customers that {subject} already serves to make the case for {offer}",
    "financials": "Use the numbers that {subject} reports to make the proposal for {offer}",
}
"""How a fact of a dataset becomes a recommendation; in this order, which is by how directly it opens a conversation."""


class ExtractiveEngine:
    """Rule-based decomposition over the dataset catalogue; the best sentences of each dataset, unchanged."""

    name = "extractive"

    def writing_reserve(self) -> int:
        """Nothing: it costs nothing to quote."""
        return 0

    async def aclose(self) -> None:
        """Nothing is open."""

    async def decompose(self, task: DecomposeTask, door: Door) -> tuple[Question, ...]:
        """One sub-question per dataset that the question asks for and that is not known well enough."""
        said = task.ask.message
        for name in task.subject.names:  # a word of the company's own name asks for nothing
            said = re.sub(re.escape(name), "it", said, flags=re.IGNORECASE)
        asked = asked_datasets_of(said, task.datasets, task.consumer)
        weights = {r.dataset: r.weight for r in task.unmet}
        chosen = asked or sorted(weights, key=lambda d: -weights[d])
        narrowed = asked_of(task.ask.message, task.subject.names)
        return tuple(
            Question(
                id=f"q{task.round}.{n}",
                text=task.datasets[d].question.format(subject=task.subject.name) + narrowed,
                datasets=(d,),
            )
            for n, d in enumerate((d for d in chosen if d != "vendor"), start=1)
        )

    async def propose(self, task: ProposeTask, door: Door) -> tuple[Proposal, ...]:
        """What each source suggests for each dataset that a sub-question names."""
        return suggestions(task)

    async def extract(self, task: ExtractTask, door: Door) -> tuple[Told, ...]:
        """Nothing: the rules have read these documents before."""
        return ()

    async def write(self, task: WriteTask, door: Door, say: Say) -> tuple[Claim, ...]:
        """Findings dataset by dataset in the order of their weight, then recommendations for the seller."""
        order = sorted({e.dataset for e in task.evidence}, key=lambda d: (-task.weights.get(d, 0.0), d))
        claims: list[Claim] = []
        for dataset in order:
            mine = [e for e in task.evidence if e.dataset == dataset]
            claims += [_quoted(e) for e in _distinct(mine)[:FINDINGS_PER_DATASET]]
        claims += self._recommendations(task)
        for claim in claims:
            await say(claim)
        return tuple(claims)

    def _recommendations(self, task: WriteTask) -> list[Claim]:
        """Each joins a fact about the subject to the seller's own words; none without both."""
        if not task.vendor_evidence or not task.vendor.offer:
            return []
        ours = task.vendor_evidence[0]
        made: list[Claim] = []
        for dataset, play in PLAY.items():
            theirs = next((e for e in task.evidence if e.dataset == dataset), None)
            if theirs is None or len(made) == MAX_RECOMMENDATIONS:
                continue
            lead = play.format(offer=task.vendor.offer, subject=task.subject.name)
            made.append(
                Claim(
                    id=derived_id("recommendation", dataset, theirs.id),
                    text=f"{lead}: {theirs.quote}",
                    kind="inference",
                    section="recommendation",
                    evidence=(theirs.id, ours.id),
                )
            )
        return made


def suggestions(task: ProposeTask) -> tuple[Proposal, ...]:
    """Calls by rule: per sub-question and dataset, what each source that serves the dataset suggests."""
    found: list[Proposal] = []
    for question in task.questions:
        for dataset in question.datasets:
            for tool in task.tools:
                if dataset not in tool.datasets:
                    continue
                for args in tool.suggest(task.subject.hint(), dataset, question.text):
                    found.append(
                        Proposal(
                            source=tool.name,
                            args=args.model_dump(mode="json", exclude_none=True),
                            datasets=(dataset,),
                            questions=(question.id,),
                        )
                    )
    return tuple(found)


def _quoted(evidence: Evidence) -> Claim:
    return Claim(
        id=derived_id("finding", evidence.id),
        text=evidence.quote,
        kind="fact",
        section=evidence.dataset,
        evidence=(evidence.id,),
    )


def _distinct(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Each sentence once, whoever repeats it."""
    seen: dict[str, Evidence] = {}
    for e in evidence:
        seen.setdefault(normalise(e.quote), e)
    return list(seen.values())
