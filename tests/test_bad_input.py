"""What must be refused is refused with a stable code and a way out, costs nothing, and leaves the server standing."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.settings import Settings
from server import create_app
from tests.serving import PATIENCE, HeldSerpApi, NotStarted, Server, until

pytestmark = pytest.mark.timeout(180)
QUESTION = "Research Snowflake as a prospect for us"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("bad") / "data", env={"DOSSIER_BUSY_TIMEOUT": "0.1"}) as started:
        yield started


@pytest.fixture
def thread(server: Server) -> str:
    """One to ask on."""
    return server.thread()


@pytest.fixture
def unharmed(server: Server, thread: str) -> Iterator[Server]:
    """The server, which afterwards still answers and has stored nothing."""
    before = rows(server.data)
    said = len(server.output)
    yield server
    assert rows(server.data) == before
    assert server.get("/readyz").status_code == 200
    assert "Traceback" not in server.output[said:]


def rows(data: Path) -> tuple[int, int, int, int]:
    """Threads, runs, events and reserved calls."""

    def count(name: str, *tables: str) -> list[int]:
        with closing(sqlite3.connect(data / name)) as store:
            return [store.execute(f"select count(*) from {table}").fetchone()[0] for table in tables]

    threads, runs, events = count("runs.db", "threads", "runs", "events")
    [calls] = count("ledger.db", "calls")
    return threads, runs, events, calls


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem whose form is right."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "code"}
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:dossier:error:{body['code']}"
    # A sentence that says what to do, and nothing of our insides.
    assert len(body["detail"]) > 15
    assert len(body["detail"]) < 1_000
    for inside in ("Traceback", 'File "', ".py", "site-packages", "sqlite3."):
        assert inside not in answer.text
    return answer.status_code, body["code"]


# --- what a caller may get wrong ---------------------------------------------------------------------------------

BAD_RUNS: dict[str, tuple[dict[str, object], int, str, str]] = {
    "an unknown consumer type": ({"consumer_type": "quick_chats"}, 422, "unknown_consumer_type", "quick_chat"),
    "a consumer type that is no text": ({"consumer_type": 7}, 400, "malformed_request", "consumer_type"),
    "a negative max_cost": ({"max_cost": -1}, 422, "invalid_max_cost", "from 0 to 7.00"),
    "a max_cost below nothing by a hair": ({"max_cost": "-0.0000001"}, 422, "invalid_max_cost", "from 0 to 7.00"),
    "a max_cost that is a word": ({"max_cost": "abc"}, 422, "invalid_max_cost", "abc"),
    "a max_cost of NaN": ({"max_cost": "NaN"}, 422, "invalid_max_cost", "NaN"),
    "a max_cost of sNaN": ({"max_cost": "sNaN"}, 422, "invalid_max_cost", "sNaN"),
    "a max_cost of Infinity": ({"max_cost": "Infinity"}, 422, "invalid_max_cost", "Infinity"),
    "an enormous max_cost": ({"max_cost": 1e30}, 422, "invalid_max_cost", "1e+30"),
    "a max_cost over the ceiling": ({"max_cost": "7.000001"}, 422, "invalid_max_cost", "7.000001"),
    "a max_cost with an exponent beyond all": ({"max_cost": "1e999999999"}, 422, "invalid_max_cost", "1e999999999"),
    "a max_cost that is true": ({"max_cost": True}, 422, "invalid_max_cost", "True"),
    "a max_cost that is a list": ({"max_cost": [1]}, 422, "invalid_max_cost", "[1]"),
    "a max_cost that is an object": ({"max_cost": {"usd": 1}}, 422, "invalid_max_cost", "usd"),
    "an empty max_cost": ({"max_cost": ""}, 422, "invalid_max_cost", "from 0 to 7.00"),
    "a deadline of nothing": ({"deadline": 0}, 422, "invalid_deadline", "seconds"),
    "a negative deadline": ({"deadline": -3}, 422, "invalid_deadline", "seconds"),
    "a deadline of more than a day": ({"deadline": 86_401}, 422, "invalid_deadline", "86400"),
    "a deadline that is a word": ({"deadline": "soon"}, 422, "invalid_deadline", "soon"),
    "a deadline of nan": ({"deadline": "nan"}, 422, "invalid_deadline", "nan"),
    "a deadline of inf": ({"deadline": "inf"}, 422, "invalid_deadline", "inf"),
    "a deadline that is true": ({"deadline": True}, 422, "invalid_deadline", "True"),
    "an empty message": ({"message": ""}, 422, "empty_message", "question"),
    "white space for a message": ({"message": " \t\n\u3000"}, 422, "empty_message", "question"),
    "only marks for a message": ({"message": "?!… — ¿"}, 422, "empty_message", "question"),
    "no message": ({"message": None}, 400, "malformed_request", "message"),
    "a message that is a number": ({"message": 7}, 400, "malformed_request", "message"),
    "a message over its limit": ({"message": "Snowflake " * 2_001}, 413, "message_too_long", "20000"),
    "a vendor over its limit": ({"vendor": "x" * 20_001}, 413, "message_too_long", "vendor"),
    "half a surrogate pair in a message": (
        {"message": "Research \ud800 Snowflake"},
        400,
        "malformed_request",
        "message",
    ),
    "half a surrogate pair in a vendor": ({"vendor": "\udfff: tools"}, 400, "malformed_request", "vendor"),
    "a field of no name we know": ({"max_costs": 1}, 400, "malformed_request", "max_costs"),
    "a flag that is none": ({"include_unverified": "perhaps"}, 400, "malformed_request", "include_unverified"),
}


@pytest.mark.parametrize("name", BAD_RUNS)
def test_a_question_is_refused_with(unharmed: Server, thread: str, name: str) -> None:
    wrong, status, code, says = BAD_RUNS[name]
    body = json.dumps({"message": QUESTION, **wrong})
    headers = {"content-type": "application/json"}
    answer = httpx.post(f"{unharmed.url}/v1/threads/{thread}/runs", content=body, headers=headers, timeout=PATIENCE)
    assert problem(answer) == (status, code)
    assert says in answer.json()["detail"]


BAD_BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "bare words": b"Research Snowflake",
    "a list": b"[]",
    "null": b"null",
    "a number": b"7",
    "bytes of no encoding": b'{"message": "\xff\xfe"}',
    "nesting without end": b'{"message": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "a number beyond all digits": b'{"message": "Snowflake", "max_cost": 1' + b"0" * 5_000 + b"}",
}


@pytest.mark.parametrize("name", BAD_BODIES)
@pytest.mark.parametrize("door", ["threads", "runs"])
def test_a_body_is_refused_that_is(unharmed: Server, thread: str, door: str, name: str) -> None:
    path = "/v1/threads" if door == "threads" else f"/v1/threads/{thread}/runs"
    answer = httpx.post(
        unharmed.url + path, content=BAD_BODIES[name], headers={"content-type": "application/json"}, timeout=PATIENCE
    )
    status, _ = problem(answer)
    assert status in (400, 422)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_body_of_another_kind_is_refused_and_told_what_to_send(unharmed: Server, thread: str, kind: str) -> None:
    answer = httpx.post(
        f"{unharmed.url}/v1/threads/{thread}/runs",
        content=json.dumps({"message": QUESTION}),
        headers={"content-type": kind},
        timeout=PATIENCE,
    )
    assert problem(answer)[1] == "malformed_request"
    assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused(unharmed: Server, thread: str, chunked: bool) -> None:
    body = json.dumps({"message": "x" * 1_000_000}).encode()
    pieces = iter([body[:600_000], body[600_000:]])
    answer = httpx.post(
        f"{unharmed.url}/v1/threads/{thread}/runs",
        content=pieces if chunked else body,
        headers={"content-type": "application/json"},
        timeout=PATIENCE,
    )
    assert problem(answer) == (413, "message_too_long")
    assert "1000000" in answer.json()["detail"]


def test_a_message_of_nearly_a_megabyte_is_refused_for_its_own_length(unharmed: Server, thread: str) -> None:
    answer = unharmed.post(f"/v1/threads/{thread}/runs", {"message": "x" * 990_000})
    assert problem(answer) == (413, "message_too_long")
    assert "990000" in answer.json()["detail"]


ODD_IDS = ["nobody", str(uuid4()), "%00", "'; drop table runs; --", "x" * 3_000, "..%2f..%2fetc", "\u3000", "%ff"]


@pytest.mark.parametrize("odd", ODD_IDS, ids=range(len(ODD_IDS)))
@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v1/threads/{}", "unknown_thread"),
        ("POST", "/v1/threads/{}/runs", "unknown_thread"),
        ("GET", "/v1/runs/{}", "unknown_run"),
        ("GET", "/v1/runs/{}/events", "unknown_run"),
        ("POST", "/v1/runs/{}/cancel", "unknown_run"),
    ],
)
def test_what_nobody_made_is_not_found(unharmed: Server, method: str, path: str, code: str, odd: str) -> None:
    body = {"message": QUESTION} if path.endswith("/runs") else None
    answer = httpx.request(method, unharmed.url + path.format(odd), json=body, timeout=PATIENCE)
    found = problem(answer)
    assert found[0] == 404
    assert found[1] in (code, "no_such_route")


@pytest.mark.parametrize("cursor", ["abc", "-1", "1.5", "1e3", "٣", "9" * 40, "1 2", "0x10", "null"])
def test_a_cursor_that_is_no_event_id_is_refused(server: Server, cursor: str) -> None:
    run = server.finished(server.ask(QUESTION)["id"])["id"]
    answer = server.get(f"/v1/runs/{run}/events", params={"after": cursor})
    assert problem(answer) == (422, "invalid_cursor")
    if cursor.isascii():
        answer = server.get(f"/v1/runs/{run}/events", headers={"Last-Event-ID": cursor})
        assert problem(answer) == (422, "invalid_cursor")


def test_a_cursor_that_the_run_never_reached_is_refused(server: Server) -> None:
    run = server.ask(QUESTION)["id"]
    last = server.events(run)[-1].id
    answer = server.get(f"/v1/runs/{run}/events", params={"after": last + 1})
    assert problem(answer) == (422, "invalid_cursor")
    assert str(last) in answer.json()["detail"]


@pytest.mark.parametrize("days", ["0", "-1", "abc", "1e9", "99999999999999999999"])
def test_a_span_of_days_that_is_none_is_refused(unharmed: Server, days: str) -> None:
    answer = unharmed.get("/v1/usage", params={"days": days})
    assert problem(answer) == (400, "malformed_request")
    assert "days" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/v1", "/v1/nothing", "/v2/threads", "/v1/threads/x/y/z", "/wp-login.php", "//"])
def test_an_unknown_route_is_a_problem_too(unharmed: Server, path: str) -> None:
    answer = unharmed.get(path)
    assert problem(answer) == (404, "no_such_route")
    assert "/docs" in answer.json()["detail"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/threads"), ("DELETE", "/v1/sources"), ("PUT", "/v1/runs/x")])
def test_a_wrong_method_is_told_which_it_may_be(unharmed: Server, method: str, path: str) -> None:
    answer = httpx.request(method, unharmed.url + path, timeout=PATIENCE)
    assert problem(answer)[0] == 405
    assert method not in answer.headers["allow"]


@pytest.mark.parametrize("field", ["persona", "vendor", "consumer_type", "consumer_typ"])
def test_a_thread_with_a_wrong_field_is_refused_and_the_field_is_named(unharmed: Server, field: str) -> None:
    answer = unharmed.post("/v1/threads", {field: 7})
    assert problem(answer) == (400, "malformed_request")
    assert field in answer.json()["detail"]


# --- whatever comes ----------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=()))
"""With halves of surrogate pairs, which JSON can write and nothing can store."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["message", "persona", "vendor", "consumer_type", "max_cost", "deadline", "include_unverified", "other"]
)
BODIES = JSON | st.dictionaries(FIELDS, JSON, max_size=6) | st.binary(max_size=60)


@pytest_asyncio.fixture(loop_scope="function")
async def in_process(tmp_path: Path) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    app = create_app(Settings(data_dir=tmp_path / "data", starter_library=False))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        yield app, client


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES, door=st.sampled_from(["threads", "runs"]))
async def test_no_body_whatever_is_a_fault_of_ours(
    in_process: tuple[FastAPI, httpx.AsyncClient], body: object, door: str
) -> None:
    app, client = in_process
    path = "/v1/threads"
    if door == "runs":
        path = f"/v1/threads/{(await client.post('/v1/threads', json={})).json()['id']}/runs"
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await client.post(path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        problem(answer)
    if answer.status_code == 202:
        ended = await app.state.runs.wait(answer.json()["id"])
        assert ended.status in ("success", "timeout"), ended.error


# --- the store in trouble ----------------------------------------------------------------------------------------


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process writes and does not let go."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        yield
        other.execute("rollback")


def test_a_locked_database_is_a_busy_store_and_nothing_worse(server: Server) -> None:
    thread = server.thread()
    before = rows(server.data)
    with locked(server.data / "runs.db"):
        for path, body in (("/v1/threads", {}), (f"/v1/threads/{thread}/runs", {"message": QUESTION})):
            answer = server.post(path, body)
            assert problem(answer) == (503, "store_busy")
            assert answer.headers["retry-after"] == "1"
            assert "runs.db" in answer.json()["detail"]
        assert server.get(f"/v1/threads/{thread}").status_code == 200
    assert rows(server.data) == before
    assert server.finished(server.ask(QUESTION, thread=thread)["id"])["status"] == "success"


@pytest.mark.parametrize("name", ["runs.db", "ledger.db", "documents.db", "checkpoints.db"])
def test_a_run_goes_on_once_another_process_lets_go_of(tmp_path: Path, name: str) -> None:
    with HeldSerpApi() as serpapi:
        env = {**serpapi.env(), "DOSSIER_BUSY_TIMEOUT": "0.05"}
        with Server(tmp_path / "data", env=env) as server:
            with serpapi.held():
                run = server.ask(QUESTION, max_cost="0.50")["id"]
                serpapi.until_asked()
                blocked = locked(server.data / name)
                blocked.__enter__()
            if name != "checkpoints.db":  # whose saver waits for longer than a test would
                until(lambda: name in server.output, f"the log to speak of {name}")
            assert server.get("/healthz").status_code == 200
            blocked.__exit__(None, None, None)
            frames = server.events(run)
            ended = server.run(run)
            assert ended["status"] == "success", ended["error"]
            assert [f.id for f in frames] == list(range(1, len(frames) + 1))
            assert float(ended["costs"]["spent"]) * 1_000_000 == pytest.approx(serpapi.invoice_total)


async def test_a_run_outlives_a_checkpoint_that_could_not_be_written(
    in_process: tuple[FastAPI, httpx.AsyncClient],
) -> None:
    app, client = in_process
    runs = app.state.runs
    await runs.saver.conn.execute("pragma busy_timeout = 20")
    thread = (await client.post("/v1/threads", json={})).json()["id"]
    with locked(runs.services.settings.data_dir / "checkpoints.db"):
        run = (await client.post(f"/v1/threads/{thread}/runs", json={"message": QUESTION})).json()["id"]
        assert (await runs.wait(run)).status.active
    assert [item async for item in runs.services.log.follow(run)]
    assert (await runs.wait(run)).status == "success"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 24 MB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(mount)], capture_output=True)
    if done.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def fill(disk: Path) -> Path:
    """Takes all the space that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4_096):
                pass
        except OSError:
            pass
    return ballast


def test_a_full_disk_is_said_and_the_run_goes_on_when_there_is_room(small_disk: Path, tmp_path: Path) -> None:
    with HeldSerpApi() as serpapi, Server(small_disk / "data", env=serpapi.env(), log=tmp_path / "log") as server:
        thread = server.thread()
        with serpapi.held():
            run = server.ask(QUESTION, max_cost="0.50")["id"]
            serpapi.until_asked()
            ballast = fill(small_disk)
            refused = until(lambda: _refused(server, thread), "the full disk to be felt")
            assert problem(refused) == (507, "store_full")
            assert "space" in refused.json()["detail"]
        until(lambda: "is full" in server.output, "the log to say that the disk is full")
        assert server.get("/healthz").status_code == 200
        ballast.unlink()
        frames = server.events(run)
        ended = server.run(run)
        assert ended["status"] == "success", ended["error"]
        assert ended["brief"]["findings"]
        assert [f.id for f in frames] == list(range(1, len(frames) + 1))
        assert [f.event for f in frames].count("run_finished") == 1
        assert float(ended["costs"]["spent"]) * 1_000_000 == pytest.approx(serpapi.invoice_total)
        assert server.post("/v1/threads", {}).status_code == 201
        assert server.process is not None
        assert server.process.poll() is None


def _refused(server: Server, thread: str) -> httpx.Response | None:
    """What creating a thread is answered, once it is refused: SQLite may have some pages to spare in its log."""
    answer = server.post("/v1/threads", {"vendor": "x" * 15_000})
    return answer if answer.status_code != 201 else None


def test_a_read_only_data_folder_is_said_at_the_start_and_costs_nothing(small_disk: Path, tmp_path: Path) -> None:
    with Server(small_disk / "data", log=tmp_path / "log") as server:
        before = server.thread()
        server.terminate()
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        with pytest.raises(NotStarted) as refused:
            server.start()
        assert refused.value.status > 0
        assert "store_read_only" in refused.value.output
        assert "Traceback" not in refused.value.output
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
        server.start()
        assert server.get(f"/v1/threads/{before}").status_code == 200


# --- what stands in the way of a start ---------------------------------------------------------------------------


def refused_start(data: Path, env: dict[str, str] | None = None) -> str:
    """What a server says that will not start, which is short and holds no traceback."""
    with pytest.raises(NotStarted) as refused, Server(data, env=env):
        pass
    assert refused.value.status > 0
    assert "Traceback" not in refused.value.output
    return refused.value.output


def test_an_unpriced_model_under_a_binding_budget_does_not_start(tmp_path: Path) -> None:
    said = refused_start(
        tmp_path / "data", {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "DOSSIER_MODEL": "unknown-model"}
    )
    assert "unpriced_model" in said
    assert "unknown-model" in said
    assert "DOSSIER_MODEL_PRICE_INPUT" in said


@pytest.mark.parametrize(
    "name",
    [
        "runs.db",
        "ledger.db",
        "documents.db",
        "checkpoints.db",
    ],
)
@pytest.mark.parametrize("how", ["no database", "cut short"])
def test_a_damaged_database_is_named_at_the_start(tmp_path: Path, healthy: Path, name: str, how: str) -> None:
    data = tmp_path / "data"
    shutil.copytree(healthy, data)
    whole = (data / name).read_bytes()
    (data / name).write_bytes(os.urandom(8_192) if how == "no database" else whole[: len(whole) // 2 - 100])
    said = refused_start(data)
    assert "store_damaged" in said
    assert name in said


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a finished run in it."""
    data = tmp_path_factory.mktemp("healthy") / "data"
    with Server(data) as server:
        server.finished(server.ask(QUESTION)["id"])
        server.terminate()
    return data


def test_a_file_in_the_place_of_the_data_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    assert "store_read_only" in refused_start(tmp_path / "data")


def test_a_port_that_is_taken_is_said(tmp_path: Path, server: Server) -> None:
    said = refused_start(tmp_path / "data", {"DOSSIER_PORT": server.url.rsplit(":", 1)[1]})
    assert "invalid_configuration" in said
    assert "port" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [("DOSSIER_MAX_COST_CEILING", "much"), ("DOSSIER_BUSY_TIMEOUT", "-1"), ("DOSSIER_LOG_LEVEL", "loud")],
)
def test_a_wrong_setting_is_named_at_the_start(tmp_path: Path, name: str, value: str) -> None:
    said = refused_start(tmp_path / "data", {name: value})
    assert "invalid_configuration" in said
    assert name in said
