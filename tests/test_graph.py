"""The map: its rooms and ways, what it hands from room to room, and what its checkpoints may hold and bring back."""

from __future__ import annotations

import os
import warnings
from collections.abc import AsyncIterator
from pathlib import Path

import ormsgpack
import pytest
from langgraph.checkpoint.serde import jsonplus
from langgraph.types import Send

from agent.checkpoints import serializer
from agent.graph import RECURSION_LIMIT, build, who_is_it
from agent.nodes.assess import next_room
from agent.nodes.plan import send_calls
from agent.records import Call, CollectionPlan, StopReason, Subject
from agent.runs import Runs
from agent.settings import Settings
from agent.state import State, merge_ids, merge_outcomes
from agent.store.runs import RunStatus
from tests.house import call, fake, house, page
from tools.base import FailureKind, SourceReply

ROOMS = ["frame", "decompose", "plan", "collect", "assess", "synthesize", "verify"]


# --- the map ---------------------------------------------------------------------------------------------------------


async def test_the_map_has_exactly_the_seven_rooms_and_the_ways_between_them(tmp_path: Path) -> None:
    async with house(tmp_path) as services:
        drawn = build(services).get_graph()
        assert sorted(drawn.nodes) == sorted(["__start__", *ROOMS, "__end__"])
        ways = {(e.source, e.target, e.conditional) for e in drawn.edges}
        assert ways == {
            ("__start__", "frame", False),
            ("frame", "decompose", True),
            ("frame", "verify", True),
            ("decompose", "plan", False),
            ("plan", "collect", True),
            ("plan", "assess", True),
            ("collect", "assess", False),
            ("assess", "decompose", True),
            ("assess", "synthesize", True),
            ("synthesize", "verify", False),
            ("verify", "__end__", False),
        }


def test_the_recursion_limit_has_room_for_as_many_rounds_as_may_be_set() -> None:
    most = next(m.le for m in Settings.model_fields["max_rounds"].metadata if hasattr(m, "le"))
    assert 4 * most + 3 <= RECURSION_LIMIT < 200


def test_collect_gets_one_send_for_each_planned_call_with_its_id_inside() -> None:
    calls = tuple(call(id=f"c{n}", query=f"q{n}") for n in range(3))
    made = CollectionPlan(round=2, to_collect=calls[:2], from_cache=calls[2:])
    sent = send_calls(State(plan=made, subject=Subject(name="Snowflake"), budgets=["run:r"]))
    assert isinstance(sent, list)
    assert all(isinstance(s, Send) and s.node == "collect" for s in sent)
    assert sorted(s.arg["call"].call_id for s in sent) == ["c0", "c1", "c2"]
    assert {(s.arg["round"], tuple(s.arg["budgets"])) for s in sent} == {(2, ("run:r",))}


def test_with_nothing_to_call_the_walk_goes_straight_to_assess() -> None:
    empty = State(plan=CollectionPlan(round=1), subject=Subject(name="Snowflake"), budgets=[])
    assert send_calls(empty) == "assess"
    assert send_calls(State(plan=None, subject=None, budgets=[])) == "assess"


def test_the_walk_goes_round_until_there_is_a_reason_to_stop() -> None:
    assert next_room(State(stop_reason=None)) == "decompose"
    assert {next_room(State(stop_reason=reason)) for reason in StopReason} == {"synthesize"}
    assert who_is_it(State(subject=None)) == "verify"
    assert who_is_it(State(subject=Subject(name="Snowflake"))) == "decompose"


# --- state -----------------------------------------------------------------------------------------------------------

UNQUOTED = "The umbrella stand beside door seven is painted mauve."
WORDS = "Snowflake was founded in 2012."


async def test_checkpoints_hold_ids_and_quotes_but_no_text_of_a_document(tmp_path: Path) -> None:
    text = f"{WORDS} {UNQUOTED}"
    found = page(text, fields={("profile", "founded"): WORDS})
    async with (
        house(tmp_path, fake(answer=SourceReply(documents=(found,)))) as services,
        Runs(services) as runs,
    ):
        thread = await runs.create_thread()
        run = await runs.wait((await runs.start(thread.id, {"message": "Give me the profile of Snowflake"})).id)
        assert run.status is RunStatus.SUCCESS
        blobs = b""
        for table, column in (("checkpoints", "checkpoint"), ("writes", "value")):
            blobs += b"".join(r[0] for r in await runs.saver.conn.execute_fetchall(f"select {column} from {table}"))
        assert WORDS.encode() in blobs
        assert UNQUOTED.encode() not in blobs
        state = (await runs.graph.aget_state({"configurable": {"thread_id": thread.id}})).values
        assert len(state["evidence"]) == 1
        document = (await services.documents.get_many(state["outcomes"][0].documents))[0]
        assert document.text == text


def test_a_room_that_runs_again_adds_neither_ids_nor_outcomes_twice() -> None:
    from agent.records import CallStatus, Outcome

    one = Outcome(call_id="a", source="s", status=CallStatus.OK, round=1)
    again = one.model_copy(update={"status": CallStatus.FAILED})
    assert merge_outcomes([one], [again]) == [one]
    assert merge_outcomes([], [one.model_dump()]) == [one]  # type: ignore[list-item]
    assert merge_ids(["a", "b"], ["b", "c"]) == ["a", "b", "c"]


# --- what a checkpoint can bring back --------------------------------------------------------------------------------


def blob(code: int, *parts: object) -> bytes:
    """A checkpoint value that asks for a type to be made, as LangGraph writes them."""
    return ormsgpack.packb(ormsgpack.Ext(code, ormsgpack.packb(parts)))


def crafted(folder: Path) -> list[bytes]:
    target = str(folder / "made")
    positional, keyword, one, method = (
        jsonplus.EXT_CONSTRUCTOR_POS_ARGS,
        jsonplus.EXT_CONSTRUCTOR_KW_ARGS,
        jsonplus.EXT_CONSTRUCTOR_SINGLE_ARG,
        jsonplus.EXT_METHOD_SINGLE_ARG,
    )
    return [
        blob(positional, "os", "mkdir", [target]),
        blob(keyword, "os", "makedirs", {"name": target}),
        blob(one, "os", "mkdir", target),
        blob(method, "pathlib", "Path", target, "mkdir"),
        blob(keyword, "agent.settings", "Settings", {"data_dir": target}),
        blob(jsonplus.EXT_PYDANTIC_V2, "agent.settings", "Settings", {"data_dir": target}, "model_validate"),
        blob(one, "agent.store.database", "Database", target),
    ]


@pytest.mark.parametrize("number", range(7))
def test_a_crafted_checkpoint_runs_nothing_and_makes_no_foreign_object(number: int, tmp_path: Path) -> None:
    brought = serializer().loads_typed(("msgpack", crafted(tmp_path)[number]))
    assert not (tmp_path / "made").exists()
    assert brought is None or isinstance(brought, str | list | tuple | dict), type(brought)


def test_the_crafted_checkpoints_would_do_it_under_a_loose_serializer(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loose = jsonplus.JsonPlusSerializer(allowed_msgpack_modules=True)
        made = loose.loads_typed(("msgpack", crafted(tmp_path)[0]))
    assert (tmp_path / "made").is_dir()
    assert made is None


def test_a_pickle_in_a_checkpoint_is_not_opened(tmp_path: Path) -> None:
    made = tmp_path / "made"
    payload = f"cos\nmkdir\n(V{made}\ntR.".encode()
    with pytest.raises(NotImplementedError):
        serializer().loads_typed(("pickle", payload))
    assert not made.exists()


def test_a_crafted_json_checkpoint_runs_nothing(tmp_path: Path) -> None:
    made = tmp_path / "made"
    payload = f'{{"lc": 2, "type": "constructor", "id": ["os", "mkdir"], "args": ["{made}"]}}'.encode()
    serializer().loads_typed(("json", payload))
    assert not made.exists()


def test_our_own_records_come_back_as_they_went() -> None:
    strict = serializer()
    for value in (call(), Subject(name="Snowflake"), StopReason.DEADLINE, FailureKind.AUTH, [call()], {"a": [1, None]}):
        back = strict.loads_typed(strict.dumps_typed(value))
        assert back == value
    assert isinstance(strict.loads_typed(strict.dumps_typed(call())), Call)


async def test_a_checkpoint_written_by_a_run_is_read_back_without_one_refusal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(tmp_path, fake()) as services, Runs(services) as runs:
        thread = await runs.create_thread(vendor="Monte Carlo: data observability")
        await runs.wait((await runs.start(thread.id, {"message": "Research Snowflake as a prospect for us"})).id)
        history = [s async for s in runs.graph.aget_state_history({"configurable": {"thread_id": thread.id}})]
        assert len(history) > 5
        assert all(isinstance(s.values.get("subject"), Subject | None) for s in history)
    assert not [r for r in caplog.records if r.name.startswith("langgraph")]


# --- what a seller says stays with the seller ------------------------------------------------------------------------

PRIVATE = "Zyxwv: quantum observability for penguins"


@pytest.fixture
async def two_threads(tmp_path: Path) -> AsyncIterator[tuple[Runs, str, str]]:
    """Runs over the real document source, a thread whose seller has spoken, and another one."""
    async with house(tmp_path, documents=True) as services, Runs(services) as runs:
        mine, theirs = await runs.create_thread(vendor=PRIVATE), await runs.create_thread()
        await runs.wait((await runs.start(mine.id, {"message": "Research Snowflake as a prospect for us"})).id)
        yield runs, mine.id, theirs.id


async def test_a_sellers_words_are_stored_as_that_threads_own(two_threads: tuple[Runs, str, str]) -> None:
    runs, mine, _ = two_threads
    state = (await runs.graph.aget_state({"configurable": {"thread_id": mine}})).values
    seller = await runs.services.documents.get(state["seller"].document_id)
    assert seller is not None
    assert (seller.text, seller.tenant) == (PRIVATE, mine)


@pytest.mark.parametrize("query", [PRIVATE, "quantum observability", "penguins", "Zyxwv"])
async def test_a_sellers_words_are_never_found_from_another_thread(
    query: str, two_threads: tuple[Runs, str, str]
) -> None:
    runs, _, theirs = two_threads
    search = runs.services.documents.search
    for tenant in ("", theirs):
        assert await search(query, tenant=tenant, limit=50) == []
        assert await search(query, tenant=tenant, about=("Zyxwv",), limit=50) == []


async def test_a_sellers_words_appear_in_no_brief_or_event_of_another_thread(
    two_threads: tuple[Runs, str, str],
) -> None:
    runs, _, theirs = two_threads
    asked = await runs.start(theirs, {"message": "Research Zyxwv quantum observability as a prospect for us"})
    ended = await runs.wait(asked.id)
    said = "".join(body for _, body in await runs.services.runs.events(ended.id))
    assert "penguins" not in said
    assert "penguins" not in ended.model_dump_json()


def test_the_environment_has_not_loosened_the_checkpoints() -> None:
    assert serializer()._allowed_msgpack_modules is not True
    assert os.environ.get("LANGGRAPH_STRICT_MSGPACK", "true").lower() != "false"
