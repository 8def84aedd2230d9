"""THE MAP: the rooms and the ways between them, nothing else.

    frame ──> decompose ──> plan ──> collect (one Send per call) ──> assess ──> synthesize ──> verify
                  ^           └──────── nothing to call ────────────^   │
                  └───────────── a required gap is worth another round ─┘

`build` compiles without a checkpointer; whoever serves the graph hands one in (`agent.checkpoints`).
"""

from __future__ import annotations

from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agent.nodes.assess import assess, next_room
from agent.nodes.collect import collect
from agent.nodes.decompose import decompose
from agent.nodes.frame import frame
from agent.nodes.plan import plan, send_calls
from agent.nodes.room import room
from agent.nodes.synthesize import synthesize
from agent.nodes.verify import verify
from agent.services import Services, shared_services
from agent.state import AnswerOutput, AskInput, CollectInput, RunContext, State

Graph = CompiledStateGraph[State, RunContext, AskInput, AnswerOutput]

RECURSION_LIMIT = 60
"""Supersteps of one run: 4 a round (10 rounds at most), 3 around them, and some air. LangGraph's own default is 10,007."""


def build(services: Services, checkpointer: BaseCheckpointSaver[str] | None = None) -> Graph:
    """The graph over a process's services."""
    map_: StateGraph[State, RunContext, AskInput, AnswerOutput] = StateGraph(
        State, context_schema=RunContext, input_schema=AskInput, output_schema=AnswerOutput
    )
    map_.add_node("frame", room(frame, services))
    map_.add_node("decompose", room(decompose, services))
    map_.add_node("plan", room(plan, services))
    map_.add_node("collect", room(collect, services), input_schema=CollectInput)
    map_.add_node("assess", room(assess, services))
    map_.add_node("synthesize", room(synthesize, services))
    map_.add_node("verify", room(verify, services))

    map_.add_edge(START, "frame")
    map_.add_conditional_edges("frame", who_is_it, ["decompose", "verify"])
    map_.add_edge("decompose", "plan")
    map_.add_conditional_edges("plan", send_calls, ["collect", "assess"])
    map_.add_edge("collect", "assess")
    map_.add_conditional_edges("assess", next_room, ["decompose", "synthesize"])
    map_.add_edge("synthesize", "verify")
    map_.add_edge("verify", END)
    return map_.compile(checkpointer=checkpointer, name="dossier")


def who_is_it(state: State) -> Literal["decompose", "verify"]:
    """Without a company there is nothing to research, and the brief says so."""
    return "decompose" if state.get("subject") is not None else "verify"


async def graph() -> CompiledStateGraph[Any, Any, Any, Any]:
    """The graph for LangGraph Studio, which finds it by this name in langgraph.json and brings our checkpointer itself."""
    return build(await shared_services())
