"""The front door, entered as a client enters it: real HTTP to a real server process."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from agent.errors import Conflict, InputError, NotFound, ShuttingDown, StoreError, all_errors
from agent.settings import Settings
from server import create_app
from tests.serving import PATIENCE, Frame, HeldSerpApi, Json, Server, sse, sse_stream

pytestmark = pytest.mark.timeout(180)
QUESTION = "Research Snowflake as a prospect for us"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without any key."""
    with Server(tmp_path_factory.mktemp("free") / "data") as started:
        yield started


@pytest.fixture(scope="module")
def serpapi() -> Iterator[HeldSerpApi]:
    with HeldSerpApi() as standin:
        yield standin


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory, serpapi: HeldSerpApi) -> Iterator[Server]:
    """With a key for the stand-in, so that a run lasts as long as a test holds the source."""
    env = {**serpapi.env(), "DOSSIER_HEARTBEAT": "0.05"}
    with Server(tmp_path_factory.mktemp("paid") / "data", env=env) as started:
        yield started


def assert_whole(frames: list[Frame]) -> None:
    """Numbered 1, 2, 3 …, from the first event to the last."""
    assert [f.id for f in frames] == list(range(1, len(frames) + 1))
    assert [f.data["seq"] for f in frames] == [f.id for f in frames]
    assert all(f.data["type"] == f.event for f in frames)
    assert frames[0].event == "session_started"
    assert frames[-1].event == "run_finished"
    assert [f.event for f in frames].count("run_finished") == 1


def assert_cited(brief: Json) -> None:
    """Every finding points at citations of the brief, and every citation carries words."""
    cited = {c["evidence_id"]: c for c in brief["citations"]}
    said = [*brief["findings"], *brief["recommendations"], *brief["talking_points"], *brief["background"]]
    assert said
    for claim in said:
        assert claim["status"] == "supported"
        assert claim["evidence"]
        assert all(cited[e]["quote"].strip() for e in claim["evidence"])


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


# --- asking and reading ------------------------------------------------------------------------------------------


def test_a_question_is_answered_over_an_event_stream(server: Server) -> None:
    where = f"{server.url}/v1/threads/{server.thread(vendor='Monte Carlo: data observability')}/runs"
    with sse_stream("POST", where, body={"message": QUESTION, "consumer_type": "customer_intelligence"}) as (
        answer,
        stream,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        location = answer.headers["location"]
        frames = list(stream)
    assert_whole(frames)
    kinds = [f.event for f in frames]
    for kind in ("vendor_context_loaded", "research_plan_created", "data_extracted", "research_complete"):
        assert kind in kinds
    brief = next(f for f in frames if f.event == "research_complete").data["data"]["brief"]
    assert brief["subject"] == "Snowflake"
    assert brief["findings"]
    assert_cited(brief)
    run = server.get(location).json()
    assert {f.data["run_id"] for f in frames} == {run["id"]}
    assert {f.data["thread_id"] for f in frames} == {run["thread_id"]}


def test_every_quote_of_the_brief_stands_in_its_stored_source(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as own:
        brief = own.finished(own.ask(QUESTION)["id"])["brief"]
        own.terminate()
    store = sqlite3.connect(own.data / "documents.db")
    try:
        assert brief["citations"]
        for citation in brief["citations"]:
            (text,) = store.execute("select text from documents where id = ?", (citation["document_id"],)).fetchone()
            assert citation["quote"] in text
    finally:
        store.close()


def test_without_an_event_stream_the_answer_is_202_and_says_where_the_run_is(server: Server) -> None:
    answer = server.post(f"/v1/threads/{server.thread()}/runs", {"message": QUESTION})
    assert answer.status_code == 202
    run = answer.json()
    assert answer.headers["location"] == f"/v1/runs/{run['id']}"
    assert run["events_url"] == f"/v1/runs/{run['id']}/events"
    assert run["status"] in ("pending", "running", "success")
    assert server.finished(run["id"])["status"] == "success"


def test_a_run_shows_its_plan_brief_costs_and_quality(server: Server) -> None:
    run = server.finished(server.ask(QUESTION, max_cost="0.25")["id"])
    assert (run["status"], run["attempt"], run["message"]) == ("success", 1, QUESTION)
    assert run["plan"]["to_collect"] or run["plan"]["from_cache"]
    assert run["brief"]["question"] == QUESTION
    assert 0 < run["quality"]["overall"] <= 1
    assert Decimal(run["costs"]["budget"]) == Decimal("0.25")
    assert Decimal(run["costs"]["spent"]) == Decimal(run["costs"]["total_new_cost"]) == 0
    assert run["error"] is None
    assert run["created_at"] <= run["started_at"] <= run["ended_at"]


def test_a_thread_lists_its_runs_the_newest_first(server: Server) -> None:
    thread = server.thread(persona="account executive")
    asked = [server.finished(server.ask(q, thread=thread)["id"])["id"] for q in (QUESTION, "who leads it?")]
    shown = server.get(f"/v1/threads/{thread}").json()
    assert shown["persona"] == "account executive"
    assert [r["id"] for r in shown["runs"]] == asked[::-1]


# --- event streams -----------------------------------------------------------------------------------------------


def test_a_stream_goes_on_from_the_last_event_id_without_gap_or_repeat(server: Server) -> None:
    run = server.ask(QUESTION)["id"]
    whole = server.events(run)
    assert_whole(whole)
    events = f"{server.url}/v1/runs/{run}/events"
    for seen in (0, 1, len(whole) // 2, len(whole) - 1):
        assert list(sse(events, seen)) == whole[seen:]
        assert list(sse(f"{events}?after={seen}")) == whole[seen:]
    assert list(sse(events, len(whole))) == []


def test_the_header_of_a_reconnecting_browser_outranks_the_query(server: Server) -> None:
    run = server.ask(QUESTION)["id"]
    whole = server.events(run)
    assert list(sse(f"{server.url}/v1/runs/{run}/events?after=1", 5)) == whole[5:]


def test_readers_at_the_same_time_see_the_same_events(paid: Server, serpapi: HeldSerpApi) -> None:
    everyone_is_reading = threading.Barrier(5)

    def read(run: str) -> list[Frame]:
        with sse_stream("GET", f"{paid.url}/v1/runs/{run}/events") as (_, stream):
            first = next(stream)
            everyone_is_reading.wait(PATIENCE)
            return [first, *stream]

    with ThreadPoolExecutor(4) as pool:
        with serpapi.held():
            run = paid.ask("Research Datadog as a prospect for us")["id"]
            readers = [pool.submit(read, run) for _ in range(4)]
            everyone_is_reading.wait(PATIENCE)
        seen = [r.result(PATIENCE) for r in readers]
    assert_whole(seen[0])
    assert seen[1:] == seen[:1] * 3
    assert paid.events(run) == seen[0]


def test_a_reader_that_leaves_in_the_middle_loses_nothing(paid: Server, serpapi: HeldSerpApi) -> None:
    where = f"{paid.url}/v1/threads/{paid.thread()}/runs"
    with serpapi.held():
        with sse_stream("POST", where, body={"message": "Research MongoDB as a prospect for us"}) as (answer, stream):
            seen = [next(stream) for _ in range(3)]
            run = answer.headers["location"].rsplit("/", 1)[1]
        serpapi.until_asked()
    rest = paid.events(run, after=seen[-1].id)
    assert_whole([*seen, *rest])
    assert paid.run(run)["status"] == "success"


def test_a_quiet_stream_gets_a_heartbeat(paid: Server, serpapi: HeldSerpApi) -> None:
    with serpapi.held():
        run = paid.ask("Research Cloudflare as a prospect for us")["id"]
        with httpx.stream("GET", f"{paid.url}/v1/runs/{run}/events", timeout=PATIENCE) as answer:
            assert ": still working" in answer.iter_lines()
    assert_whole(paid.events(run))


# --- one run at a time, and its end ------------------------------------------------------------------------------


def test_a_second_question_on_a_busy_thread_is_refused_and_the_first_is_unharmed(
    paid: Server, serpapi: HeldSerpApi
) -> None:
    thread = paid.thread()
    with serpapi.held():
        first = paid.ask("Research Shopify as a prospect for us", thread=thread)
        second = paid.post(f"/v1/threads/{thread}/runs", {"message": "who leads it?"})
        assert code(second) == (409, "thread_busy")
        assert first["id"] in second.json()["detail"]
    run = paid.finished(first["id"])
    assert run["status"] == "success"
    assert_whole(paid.events(first["id"]))
    assert len(paid.get(f"/v1/threads/{thread}").json()["runs"]) == 1


def test_a_cancelled_run_ends_with_what_it_has_found(paid: Server, serpapi: HeldSerpApi) -> None:
    with serpapi.held():
        run = paid.ask("Research Salesforce as a prospect for us")["id"]
        serpapi.until_asked()
        assert paid.post(f"/v1/runs/{run}/cancel").status_code == 202
        ended = paid.finished(run)
    assert (ended["status"], ended["stop_reason"]) == ("interrupted", "cancelled")
    assert ended["brief"]["stop_reason"] == "cancelled"
    assert_cited(ended["brief"])
    assert_whole(paid.events(run))
    # The searches under way may have been billed: they count as spent, and as unknown.
    assert (
        0 < Decimal(ended["costs"]["unknown"]) <= Decimal(ended["costs"]["spent"]) <= Decimal(ended["costs"]["budget"])
    )


def test_a_thread_is_free_again_once_its_run_was_cancelled(paid: Server, serpapi: HeldSerpApi) -> None:
    thread = paid.thread()
    with serpapi.held():
        run = paid.ask("Research Workday as a prospect for us", thread=thread)["id"]
        serpapi.until_asked()
        paid.post(f"/v1/runs/{run}/cancel")
        paid.finished(run)
        again = paid.ask("who leads it?", thread=thread, max_cost=0)
        assert paid.finished(again["id"])["status"] == "success"


def test_a_run_that_has_ended_cannot_be_cancelled(server: Server) -> None:
    run = server.finished(server.ask(QUESTION)["id"])
    assert code(server.post(f"/v1/runs/{run['id']}/cancel")) == (409, "run_already_ended")
    assert server.run(run["id"]) == run


# --- money -------------------------------------------------------------------------------------------------------


def test_a_follow_up_needs_no_company_name_and_pays_for_nothing_twice(paid: Server, serpapi: HeldSerpApi) -> None:
    thread = paid.thread(consumer_type="customer_intelligence")
    first = paid.finished(paid.ask("Research Adobe as a prospect for us", thread=thread, max_cost="1.00")["id"])
    assert Decimal(first["costs"]["total_new_cost"]) > 0
    billed = serpapi.invoice_total
    follow_up = paid.finished(paid.ask("who leads it?", thread=thread, max_cost="1.00")["id"])
    assert follow_up["brief"]["subject"] == "Adobe"
    assert Decimal(follow_up["costs"]["total_new_cost"]) == 0
    assert serpapi.invoice_total == billed


def test_the_same_question_on_a_new_thread_is_answered_from_the_cache(paid: Server, serpapi: HeldSerpApi) -> None:
    question = "Research Zoom as a prospect for us"
    first = paid.finished(paid.ask(question, max_cost="0.50")["id"])
    billed = serpapi.invoice_total
    again = paid.finished(paid.ask(question, max_cost="0.50")["id"])
    assert Decimal(first["costs"]["total_new_cost"]) > 0
    assert Decimal(again["costs"]["total_new_cost"]) == 0
    assert Decimal(again["costs"]["total_cache_savings"]) == Decimal(first["costs"]["total_new_cost"])
    assert again["costs"]["cache_hits"] > 0
    assert serpapi.invoice_total == billed
    assert [c["text"] for c in again["brief"]["findings"]] == [c["text"] for c in first["brief"]["findings"]]


def test_with_no_money_no_paid_source_is_called(paid: Server, serpapi: HeldSerpApi) -> None:
    asked = len(serpapi.requests)
    run = paid.finished(paid.ask("Research Okta as a prospect for us", max_cost=0)["id"])
    assert run["status"] == "success"
    assert Decimal(run["costs"]["spent"]) == Decimal(run["costs"]["budget"]) == 0
    assert len(serpapi.requests) == asked
    skipped = {(s["source"], s["reason"]) for s in run["plan"]["skipped"]}
    assert ("serpapi_search", "over_budget") in skipped


def test_what_the_invoice_says_is_what_the_usage_page_says(paid: Server, serpapi: HeldSerpApi) -> None:
    before = Decimal(paid.get("/v1/usage").json()["total_cost"])
    billed = serpapi.invoice_total
    run = paid.finished(paid.ask("Research Twilio as a prospect for us", max_cost="0.50")["id"])
    after = Decimal(paid.get("/v1/usage").json()["total_cost"])
    assert 0 < after - before == Decimal(run["costs"]["spent"]) <= Decimal("0.50")
    assert serpapi.invoice_total - billed == (after - before) * 1_000_000


@pytest.mark.parametrize("amount", [7.00, "7.00", 7, 5.0, 0, "0.000001", None])
def test_amounts_up_to_the_ceiling_are_accepted(server: Server, amount: object) -> None:
    run = server.finished(server.ask(QUESTION, max_cost=amount)["id"])
    assert run["status"] == "success"
    if amount is not None:
        assert Decimal(run["costs"]["budget"]) == Decimal(str(amount))


def test_an_amount_over_the_ceiling_is_refused(server: Server) -> None:
    answer = server.post(f"/v1/threads/{server.thread()}/runs", {"message": QUESTION, "max_cost": 7.01})
    assert code(answer) == (422, "invalid_max_cost")
    assert "7.01" in answer.json()["detail"]
    assert "7.00" in answer.json()["detail"]


# --- the house ---------------------------------------------------------------------------------------------------


def test_the_sources_say_what_they_cost_and_why_they_are_off(server: Server, paid: Server) -> None:
    free = {s["name"]: s for s in server.get("/v1/sources").json()}
    assert free["documents"]["available"]
    assert Decimal(free["documents"]["max_price"]) == 0
    assert not free["serpapi_search"]["available"]
    assert "SERPAPI_API_KEY" in free["serpapi_search"]["why_not"]
    with_key = {s["name"]: s for s in paid.get("/v1/sources").json()}
    assert with_key["serpapi_search"]["available"]
    assert Decimal(with_key["serpapi_search"]["max_price"]) == Decimal("0.015")


def test_the_consumer_types_carry_their_budget_and_weights(server: Server) -> None:
    consumers = {c["id"]: c for c in server.get("/v1/consumers").json()}
    assert Decimal(consumers["quick_chat"]["max_cost"]) == Decimal("0.05")
    for consumer in consumers.values():
        assert sum(r["weight"] for r in consumer["requirements"]) == pytest.approx(1)


def test_health_and_readiness_answer(server: Server) -> None:
    assert server.get("/healthz").json()["status"] == "ok"
    ready = server.get("/readyz").json()
    assert ready["status"] == "ready"
    assert ready["engine"].startswith("extractive")
    assert ready["sources"]["documents"] == "on"


def test_the_api_description_has_examples_and_a_schema_for_every_problem(server: Server) -> None:
    described = server.get("/openapi.json").json()
    schemas = described["components"]["schemas"]
    for name in ("ThreadRequest", "RunRequest"):
        assert schemas[name]["example"]
    assert set(schemas["Problem"]["required"]) == {"type", "title", "status", "detail", "code"}
    operations = [
        (path, method, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(operations) >= 10
    for path, method, operation in operations:
        assert operation["description"], f"{method} {path}"
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                problem = answer["content"]["application/problem+json"]["schema"]
                assert problem == {"$ref": "#/components/schemas/Problem"}, f"{method} {path} {status}"


async def test_the_statuses_of_the_error_tree_are_all_described(tmp_path: Path) -> None:
    """What the front door may answer, by the tree, against what the description says of starting a run."""
    described = create_app(Settings(data_dir=tmp_path / "data")).openapi()
    start = described["paths"]["/v1/threads/{thread_id}/runs"]["post"]["responses"]
    possible = [e for e in all_errors() if issubclass(e, (InputError, NotFound, Conflict, ShuttingDown, StoreError))]
    assert {str(e.status) for e in possible} <= set(start)


# --- shutting down -----------------------------------------------------------------------------------------------


def test_a_run_that_waits_for_a_slow_source_outlives_sigterm(tmp_path: Path) -> None:
    with HeldSerpApi() as serpapi:
        env = {**serpapi.env(), "DOSSIER_DRAIN_DEADLINE": "0.5"}
        with serpapi.held(), Server(tmp_path / "data", env=env) as server:
            run = server.ask("Research Datadog as a prospect for us", max_cost="0.50")["id"]
            serpapi.until_asked()
            with sse_stream("GET", f"{server.url}/v1/runs/{run}/events") as (_, stream):
                seen = [next(stream)]
                assert server.terminate() == 0
                seen += stream
        assert seen[-1].event != "run_finished"
        with Server(tmp_path / "data", env=env) as successor:
            rest = successor.events(run, after=seen[-1].id)
            ended = successor.run(run)
            assert_whole([*seen, *rest])
            assert "run_resumed" in [f.event for f in rest]
            assert successor.events(run) == [*seen, *rest]
            assert (ended["status"], ended["attempt"]) == ("success", 2)
            assert_cited(ended["brief"])
            # A SerpAPI search may be repeated at no cost within the hour, so nothing is unknown and nothing paid twice.
            assert Decimal(ended["costs"]["spent"]) * 1_000_000 == serpapi.invoice_total
            assert "Traceback" not in server.output


def test_a_run_that_ends_within_the_drain_deadline_of_sigterm_leaves_nothing_open(tmp_path: Path) -> None:
    with HeldSerpApi() as serpapi, Server(tmp_path / "data", env=serpapi.env()) as server:
        with serpapi.held():
            run = server.ask("Research Datadog as a prospect for us")["id"]
            serpapi.until_asked()
            with sse_stream("GET", f"{server.url}/v1/runs/{run}/events") as (_, stream):
                next(stream)
                assert server.process is not None
                server.process.terminate()
                # The stream is closed at the end of the first part of the drain, while the source still works.
                list(stream)
        assert server.process.wait(PATIENCE) == 0
        with Server(tmp_path / "data", env=serpapi.env()) as successor:
            assert successor.finished(run)["status"] == "success"
            assert_whole(successor.events(run))
            assert Decimal(successor.run(run)["costs"]["spent"]) * 1_000_000 == serpapi.invoice_total


async def test_while_it_drains_new_questions_are_refused_and_reading_goes_on(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path / "data"))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        thread = (await client.post("/v1/threads", json={})).json()["id"]
        await app.state.runs.drain(0)
        refused = await client.post(f"/v1/threads/{thread}/runs", json={"message": QUESTION})
        assert code(refused) == (503, "shutting_down")
        assert refused.headers["retry-after"] == "1"
        assert (await client.get(f"/v1/threads/{thread}")).json()["runs"] == []
