"""collect: one planned call, made through the door that holds the money. It never raises for what a source does wrong."""

from __future__ import annotations

from agent.nodes.calling import make_call
from agent.nodes.room import Update, Visit
from agent.state import CollectInput


async def collect(state: CollectInput, visit: Visit) -> Update:
    """One `Call` in; its outcome, and the ids of its evidence, out."""
    outcome, _ = await make_call(state["call"], state["subject"], state["budgets"], state["round"], visit)
    return {"outcomes": [outcome], "evidence": list(outcome.evidence)}
