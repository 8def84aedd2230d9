"""What a language engine promises. The rooms call these four tasks and do not know which engine runs.

`Door` is how an engine spends: the room hands one in, bound to its run, so that no engine can reach a paid model except
through `agent.calls`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import BaseModel, JsonValue

from agent.records import Ask, Claim, ConsumerType, Dataset, Evidence, Question, Requirement, Subject, Vendor
from agent.values import Told
from tools.base import Frozen, SourceTool


class ToolCall(Frozen):
    """A call the model asked for."""

    name: str
    args: dict[str, JsonValue]


class ModelReply(Frozen):
    """What a chat model answered, as the ledger stores it: enough to go on after a kill without asking again."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: bool = False
    """Whether the server reported no usage, so that the tokens are an upper bound of ours."""
    billed: int = 0
    """Micro-dollars."""
    method: str = ""
    """How structured output was asked for."""


class Door(Protocol):
    """The way to the ledger: hold `max_price` micro-dollars, perform, store the reply and settle.

    `label` names the call within its node (`write`, `write:repair`), so that a rerun finds the stored reply; then `perform`
    is not called. Raises ModelError or BudgetExhausted; `perform` may raise ModelError with what was billed.
    """

    async def __call__(
        self, label: str, max_price: int, perform: Callable[[], Awaitable[ModelReply]]
    ) -> ModelReply: ...


@dataclass(frozen=True)
class DecomposeTask:
    """The question and what is still needed."""

    ask: Ask
    subject: Subject
    vendor: Vendor
    consumer: ConsumerType
    unmet: tuple[Requirement, ...]
    datasets: Mapping[str, Dataset]
    round: int = 1


@dataclass(frozen=True)
class Proposal:
    """A call worth considering; the planner prunes and orders, and validates the arguments."""

    source: str
    args: Mapping[str, JsonValue]
    datasets: tuple[str, ...]
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProposeTask:
    """Sub-questions, and the sources that could serve them."""

    ask: Ask
    subject: Subject
    questions: tuple[Question, ...]
    tools: Sequence[SourceTool[BaseModel]]
    datasets: Mapping[str, Dataset]
    round: int = 1


@dataclass(frozen=True)
class Passage:
    """The statements of one document, as they stand in it."""

    document_id: str
    about: str
    published: str
    """ISO day, empty when unknown."""
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class ExtractTask:
    """Documents that rules found nothing in, and the datasets they are read for; the likeliest document first."""

    subject: Subject
    passages: tuple[Passage, ...]
    datasets: Mapping[str, Dataset]


@dataclass(frozen=True)
class WriteTask:
    """Evidence to write from, the best first, and for whom."""

    ask: Ask
    subject: Subject
    vendor: Vendor
    consumer: ConsumerType
    questions: tuple[Question, ...]
    evidence: tuple[Evidence, ...]
    vendor_evidence: tuple[Evidence, ...]
    datasets: Mapping[str, Dataset]
    weights: Mapping[str, float] = field(default_factory=dict)


Say = Callable[[Claim], Awaitable[None]]
"""Told each claim as soon as it is complete; the room checks it before anyone sees it."""


class Engine(Protocol):
    """Decompose, propose, extract, write. All return records; failures are ModelError, for which rooms have a fallback."""

    name: str

    def writing_reserve(self) -> int:
        """Micro-dollars that the plan must leave unspent, so that what is bought can still be written up."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...

    async def decompose(self, task: DecomposeTask, door: Door) -> tuple[Question, ...]:
        """Sub-questions that together cover the unmet requirements the question asks about."""
        ...

    async def propose(self, task: ProposeTask, door: Door) -> tuple[Proposal, ...]:
        """Calls worth considering for the sub-questions."""
        ...

    async def extract(self, task: ExtractTask, door: Door) -> tuple[Told, ...]:
        """Fields as the engine read them, each with its quote; nothing in them is checked here. No tools are bound."""
        ...

    async def write(self, task: WriteTask, door: Door, say: Say) -> tuple[Claim, ...]:
        """Findings (kind `fact`, one or more evidence ids each), then recommendations and talking points (kind `inference`,
        citing a fact about the subject and a fact about the vendor). Every claim is also handed to `say`, in order."""
        ...
