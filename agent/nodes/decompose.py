"""decompose: the question broken into sub-questions, each naming the dataset it serves."""

from __future__ import annotations

from agent.events import QuestionDecomposed, QuestionDecomposedData
from agent.models.base import DecomposeTask
from agent.nodes.room import Update, Visit
from agent.records import ConsumerType, Question, Requirement, Subject
from agent.state import State

NARROW = 2
"""Up to so many datasets, a question is narrow: what it asks for is required, whatever the consumer type says."""


async def decompose(state: State, visit: Visit) -> Update:
    """Question and requirements in, sub-questions out. From the second round on it asks only for the gaps, by rule."""
    services = visit.services
    consumer = services.catalogue.consumer(state["ask"].consumer_type)
    subject = state["subject"]
    assert subject is not None
    round = state.get("round", 0) + 1
    everything = needs(consumer, subject)
    if round == 1:
        task = DecomposeTask(
            ask=state["ask"],
            subject=subject,
            vendor=state["seller"],
            consumer=consumer,
            unmet=everything,
            datasets=services.catalogue.datasets,
            round=round,
        )
        door = visit.door(round, state["budgets"])
        questions, engine = await visit.with_fallback("decompose", lambda e: e.decompose(task, door))
        requirements = asked_for(everything, questions)
    else:
        questions, engine = _for_gaps(state, visit, round), services.extractive.name
        requirements = tuple(state["requirements"])
    visit.emit(
        QuestionDecomposed,
        f"{len(questions)} questions to answer" if round == 1 else f"Round {round}: {len(questions)} gaps left",
        QuestionDecomposedData(questions=questions, round=round, engine=engine),
    )
    return {"questions": list(questions), "requirements": list(requirements), "round": round}


def needs(consumer: ConsumerType, subject: Subject) -> tuple[Requirement, ...]:
    """The consumer's requirements for this company: financials are required only of those that file with the SEC."""
    files = subject.company is not None and bool(subject.company.cik)
    return tuple(
        r.model_copy(update={"required": False}) if r.dataset == "financials" and not files else r
        for r in consumer.requirements
    )


def asked_for(everything: tuple[Requirement, ...], questions: tuple[Question, ...]) -> tuple[Requirement, ...]:
    """The requirements that the sub-questions touch; a dataset the consumer does not list counts like its average one."""
    asked = dict.fromkeys(d for q in questions for d in q.datasets)
    known = {r.dataset: r for r in everything}
    mean = sum(r.weight for r in everything) / len(everything)
    found = [known.get(d) or Requirement(dataset=d, required=True, weight=mean) for d in asked]
    if len(asked) <= NARROW:  # who asks for little wants just that
        return tuple(r.model_copy(update={"required": True}) for r in found)
    if "vendor" in known and "vendor" not in asked:
        found.append(known["vendor"])
    return tuple(found)


def _for_gaps(state: State, visit: Visit, round: int) -> tuple[Question, ...]:
    gaps = [d.dataset for d in state["quality"].datasets if not d.sufficient and d.dataset != "vendor"]
    subject = state["subject"]
    assert subject is not None
    return tuple(
        Question(
            id=f"q{round}.{n}",
            text=visit.services.catalogue.datasets[d].question.format(subject=subject.name),
            datasets=(d,),
        )
        for n, d in enumerate(gaps, start=1)
    )
