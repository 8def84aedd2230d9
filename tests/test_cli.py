"""The command line, through the real command in a process of its own, and rendering, by made-up records. No keys."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console

from agent.events import (
    EVENT,
    BudgetUpdated,
    BudgetUpdatedData,
    Event,
    RunResumed,
    RunResumedData,
    SourceFinished,
    SourceFinishedData,
    SourceStarted,
    SourceStartedData,
)
from agent.records import (
    Ask,
    Brief,
    CallStatus,
    Check,
    Citation,
    Claim,
    ClaimStatus,
    Company,
    Costs,
    DatasetQuality,
    QualityReport,
    StopReason,
    Subject,
)
from agent.runs import Runs
from agent.store.runs import Run, RunStatus
from cli import asking
from cli.asking import Exit, exit_code
from cli.brief import Backdrop, render_brief
from cli.live import LinesView, TreeView
from cli.output import as_text
from cli.words import usd
from tests.serving import ONLY

DOSSIER = str(Path(sys.executable).with_name("dossier"))
QUESTION = "Research Snowflake as a prospect for us"
VENDOR = "Monte Carlo: data observability"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def env(folder: Path, **more: str) -> dict[str, str]:
    """No keys, no .env, nothing of whoever runs the tests."""
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "DOSSIER_DATA_DIR": str(folder / "data"), **ONLY, **more}


def dossier(folder: Path, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DOSSIER, *args], cwd=folder, env=env(folder, **more), capture_output=True, text=True, timeout=90, check=False
    )


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Begins a command and comes back at once; whatever still runs when the test ends is killed."""
    with ExitStack() as stack:

        def begun(*args: str, **more: str) -> subprocess.Popen[str]:
            pipe = subprocess.PIPE
            process = subprocess.Popen(
                [DOSSIER, *args], cwd=tmp_path, env=env(tmp_path, **more), stdout=pipe, stderr=pipe, text=True
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield begun


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder in which one question was asked, and what the command said."""
    folder = tmp_path_factory.mktemp("asked")
    return folder, dossier(
        folder, "ask", QUESTION, "--vendor", VENDOR, "--consumer", "customer_intelligence", "--max-cost", "0.50"
    )


# --- asking ----------------------------------------------------------------------------------------------------------


def test_a_first_question_is_answered_offline_with_cited_findings(
    asked: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    done = asked[1]
    assert done.returncode in (Exit.COMPLETE, Exit.PARTIAL), done.stderr
    assert "NYSE: SNOW" in done.stdout
    _, _, brief = done.stdout.partition("Key findings")
    findings = [line for line in brief.splitlines() if re.match(r"- .* \[\d+\]$", line)]
    assert findings
    cited = {n for line in findings for n in re.findall(r"\[(\d+)\]", line)}
    listed = set(re.findall(r"^\[(\d+)\] “", brief, re.MULTILINE))
    assert cited <= listed
    assert "starter library" in brief
    assert "Recommendations for Monte Carlo (inference" in brief
    assert "$0.00 of $0.50 spent" in brief
    assert "(calibrated on " in brief


def test_what_is_not_a_terminal_gets_no_escape_sequences(
    asked: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    assert "\x1b" not in asked[1].stdout + asked[1].stderr
    assert not re.search(r"[ \t]+$", asked[1].stdout, re.MULTILINE)


def test_no_escape_sequences_even_where_colour_is_forced(
    asked: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    done = dossier(asked[0], "runs", FORCE_COLOR="1", TTY_COMPATIBLE="1")
    assert QUESTION in done.stdout
    assert "\x1b" not in done.stdout


def test_json_prints_nothing_but_events_numbered_without_gaps(tmp_path: Path) -> None:
    done = dossier(tmp_path, "ask", QUESTION, "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "session_started"
    assert events[-1]["type"] == "run_finished"
    assert done.returncode in (Exit.COMPLETE, Exit.PARTIAL)
    assert done.stderr == ""


def test_a_terminal_gets_a_tree_and_its_cursor_back(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [DOSSIER, "ask", QUESTION, "--vendor", VENDOR],
        cwd=tmp_path,
        env=env(tmp_path, TERM="xterm-256color", COLUMNS="100", LINES="40"),
        stdout=follower,
        stderr=follower,
        stdin=follower,
    )
    os.close(follower)
    shown = ""
    while process.poll() is None or select.select([leader], [], [], 0)[0]:
        if select.select([leader], [], [], 0.2)[0]:
            try:
                shown += os.read(leader, 65_536).decode(errors="replace")
            except OSError:
                break
    os.close(leader)
    assert process.wait() in (Exit.COMPLETE, Exit.PARTIAL)
    assert "├── " in shown
    assert "Key findings" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert "Follow up with: dossier ask --thread" in shown


def test_an_unknown_consumer_is_a_usage_error_and_makes_nothing(tmp_path: Path) -> None:
    done = dossier(tmp_path, "ask", QUESTION, "--consumer", "outreech")
    assert done.returncode == Exit.USAGE
    assert done.stderr.startswith("error (unknown_consumer_type): ")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--max-cost", "-1", "invalid_max_cost"),
        ("--max-cost", "nan", "invalid_max_cost"),
        ("--deadline", "soon", "invalid_deadline"),
    ],
)
def test_an_impossible_amount_is_a_usage_error(tmp_path: Path, option: str, value: str, code: str) -> None:
    done = dossier(tmp_path, "ask", QUESTION, option, value)
    assert done.returncode == Exit.USAGE
    assert f"error ({code})" in done.stderr


def test_a_question_without_words_is_a_usage_error(tmp_path: Path) -> None:
    done = dossier(tmp_path, "ask", " ?! ")
    assert done.returncode == Exit.USAGE
    assert "error (empty_message)" in done.stderr


def test_an_unknown_company_and_no_company_end_with_nothing_found(tmp_path: Path) -> None:
    unknown = dossier(tmp_path, "ask", "Research Qwertzuiop Foobar Inc as a prospect")
    assert unknown.returncode == Exit.NOTHING_FOUND, unknown.stderr
    assert "nothing found" in unknown.stdout
    nobody = dossier(tmp_path, "ask", "hello there")
    assert nobody.returncode == Exit.NOTHING_FOUND, nobody.stderr
    assert "No company recognised" in nobody.stdout


def test_a_wrong_setting_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    done = dossier(tmp_path, "ask", QUESTION, DOSSIER_PORT="eight")
    assert done.returncode == Exit.FAILED
    assert done.stderr.startswith("error (invalid_configuration): ")
    assert "DOSSIER_PORT" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_help_is_quick_and_names_the_exit_codes(tmp_path: Path) -> None:
    times = []
    for _ in range(3):
        begun = time.monotonic()
        done = dossier(tmp_path, "ask", "--help")
        times.append(time.monotonic() - begun)
    assert "nothing found: a brief without findings" in done.stdout
    assert min(times) < 1.0


# --- runs, show ------------------------------------------------------------------------------------------------------


def test_runs_lists_what_was_asked_and_show_gives_the_brief_again(
    asked: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, first = asked
    assert QUESTION in dossier(folder, "runs").stdout
    (row,) = [json.loads(line) for line in dossier(folder, "runs", "--json").stdout.splitlines()]
    assert (row["question"], row["subject"], row["status"]) == (QUESTION, "Snowflake", "success")
    again = dossier(folder, "show", row["id"])
    assert again.returncode == 0
    assert again.stdout.strip() in first.stdout
    assert json.loads(dossier(folder, "show", row["id"], "--json").stdout)["brief"]["subject"] == "Snowflake"
    ended = dossier(folder, "cancel", row["id"])
    assert ended.returncode == 1
    assert "error (run_already_ended)" in ended.stderr


def test_runs_on_a_fresh_folder_makes_nothing(tmp_path: Path) -> None:
    assert "No runs yet" in dossier(tmp_path, "runs").stdout
    assert not (tmp_path / "data").exists()
    unknown = dossier(tmp_path, "show", "nope")
    assert unknown.returncode == 1
    assert "error (unknown_run)" in unknown.stderr


def test_consumers_and_sources_are_listed(tmp_path: Path) -> None:
    assert re.search(r"^news +40\*", dossier(tmp_path, "consumers").stdout, re.MULTILINE)
    listed = dossier(tmp_path, "sources").stdout
    assert re.search(r"^documents +on ", listed, re.MULTILINE)
    assert re.search(r"^serpapi_search +off .*SERPAPI_API_KEY", listed, re.MULTILINE)


# --- being interrupted, killed, cancelled ----------------------------------------------------------------------------


class Slow:
    """A server that holds every request until it is let go, then answers with `status` and an empty object."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked = threading.Event()
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.set()
                outer.go.wait(60)
                try:
                    self.send_response(outer.status)
                    self.send_header("Content-Type", "application/json")
                    self.end_headers()
                    self.wfile.write(b"{}")
                except OSError:
                    pass

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def slow() -> Iterator[Slow]:
    standin = Slow()
    yield standin
    standin.go.set()
    standin.server.shutdown()
    standin.server.server_close()


def begin(start: Start, slow: Slow) -> subprocess.Popen[str]:
    """Ask, and come back once paid calls hang."""
    options = ("--consumer", "customer_intelligence")
    given = {"SERPAPI_API_KEY": "0123456789abcdef", "DOSSIER_SERPAPI_BASE_URL": slow.url}
    process = start("ask", QUESTION, *options, **given)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("  ✓ documents"):
            break
    assert slow.asked.wait(20)
    return process


def run_of(folder: Path) -> dict[str, str]:
    (row,) = [json.loads(line) for line in dossier(folder, "runs", "--json").stdout.splitlines()]
    return dict(row)


def test_an_interrupt_ends_the_run_with_what_it_has(tmp_path: Path, start: Start, slow: Slow) -> None:
    process = begin(start, slow)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == Exit.PARTIAL, err
    assert "Stopped: cancelled" in out
    assert "0123456789abcdef" not in out + err
    assert run_of(tmp_path)["stop_reason"] == "cancelled"


def test_a_termination_leaves_at_once_and_the_run_can_be_resumed(tmp_path: Path, start: Start, slow: Slow) -> None:
    process = begin(start, slow)
    process.terminate()
    _, err = process.communicate(timeout=10)
    assert process.returncode == 128 + signal.SIGTERM
    assert "dossier resume" in err
    assert run_of(tmp_path)["status"] == "running"


async def test_a_second_interrupt_leaves_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stuck:
        cancels = 0

        async def cancel(self, run_id: str) -> None:
            self.cancels += 1
            await asyncio.sleep(60)

    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    stuck = Stuck()
    with asking._interruptible(cast(Runs, stuck), "r1", LinesView()):
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.05)
        assert (stuck.cancels, left) == (1, [])
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.05)
    assert left == [128 + signal.SIGINT]
    assert "dossier resume r1" in capsys.readouterr().err


def test_a_killed_run_is_taken_up_and_answered(tmp_path: Path, start: Start, slow: Slow) -> None:
    process = begin(start, slow)
    process.kill()
    process.communicate(timeout=10)
    slow.go.set()
    done = dossier(tmp_path, "resume", SERPAPI_API_KEY="0123456789abcdef", DOSSIER_SERPAPI_BASE_URL=slow.url)
    assert done.returncode in (Exit.COMPLETE, Exit.PARTIAL), done.stderr
    assert "The run goes on, attempt 2" in done.stdout
    assert "interrupted" in done.stdout
    assert "Key findings" in done.stdout
    assert "Nothing to resume" in dossier(tmp_path, "resume").stdout


def test_another_process_can_cancel_a_run(tmp_path: Path, start: Start, slow: Slow) -> None:
    process = begin(start, slow)
    said = dossier(tmp_path, "cancel", run_of(tmp_path)["id"])
    assert said.returncode == 0, said.stderr
    out, err = process.communicate(timeout=20)
    assert process.returncode == Exit.PARTIAL, err
    assert "Stopped: cancelled" in out


# --- ingesting -------------------------------------------------------------------------------------------------------


def test_ingest_names_what_it_cannot_read_and_a_question_finds_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnot really\n")
    fact = "Borogove Systems Inc. is headquartered in Tulgey Wood and employs 4,200 people."
    (folder / "note.md").write_text(f"---\ntitle: About Borogove\ndate: 2026-10-01\n---\n{fact}\n")
    first = dossier(tmp_path, "ingest", str(folder))
    assert first.returncode == Exit.PARTIAL, first.stderr
    assert re.search(r"✗ .*broken\.pdf: could not be read: \w+", first.stdout)
    assert re.search(r"✓ .*note\.md: ingested, 1 document\b", first.stdout)
    assert "1 ingested, 1 could not be read" in first.stdout
    assert "\x1b" not in first.stdout

    again = dossier(tmp_path, "ingest", str(folder))
    assert "1 unchanged" in again.stdout
    assert "0 documents put in" in again.stdout

    done = dossier(tmp_path, "ask", "Research Borogove Systems Inc. as a prospect")
    assert done.returncode in (Exit.COMPLETE, Exit.PARTIAL), done.stdout
    assert f"“{fact}”" in done.stdout
    assert "your documents" in done.stdout
    assert "as of 2026-10-01" in done.stdout


def test_ingest_fails_when_nothing_can_be_read(tmp_path: Path) -> None:
    done = dossier(tmp_path, "ingest", str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert "there is no such file" in done.stdout


# --- the doctor ------------------------------------------------------------------------------------------------------


@pytest.fixture
def port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_the_doctor_is_content_with_a_fresh_folder_and_makes_nothing(tmp_path: Path, port: str) -> None:
    done = dossier(tmp_path, "doctor", DOSSIER_PORT=port)
    assert done.returncode == 0, done.stdout
    assert "ledger.db: not made yet" in done.stdout
    assert "! source serpapi_search: off" in done.stdout
    assert not (tmp_path / "data").exists()


def test_the_doctor_audits_the_ledger(asked: tuple[Path, subprocess.CompletedProcess[str]], port: str) -> None:
    done = dossier(asked[0], "doctor", DOSSIER_PORT=port)
    assert done.returncode == 0, done.stdout
    assert re.search(r"✓ ledger: \d+ budgets, all balance", done.stdout)


@pytest.mark.parametrize("name", ["ledger.db", "runs.db", "documents.db", "checkpoints.db"])
def test_the_doctor_finds_a_damaged_database_and_says_what_to_do(tmp_path: Path, port: str, name: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).write_bytes(b"this is no database at all, whatever its name says" * 100)
    done = dossier(tmp_path, "doctor", DOSSIER_PORT=port)
    assert done.returncode == 1
    assert re.search(rf"✗ {name}: .*(restore|move it away)", done.stdout)


def test_the_doctor_finds_a_file_in_the_way_of_the_data_folder(tmp_path: Path, port: str) -> None:
    (tmp_path / "data").write_text("in the way")
    done = dossier(tmp_path, "doctor", DOSSIER_PORT=port)
    assert done.returncode == 1
    assert "DOSSIER_DATA_DIR" in done.stdout
    asked = dossier(tmp_path, "ask", QUESTION)
    assert asked.returncode == 1
    assert asked.stderr.startswith("error (store_read_only): ")


def test_the_doctor_tries_the_model_server_and_never_shows_the_key(tmp_path: Path, port: str, slow: Slow) -> None:
    slow.go.set()
    given = {"OPENAI_API_KEY": "sk-0123456789abcdef0123", "OPENAI_BASE_URL": f"{slow.url}/v1", "DOSSIER_PORT": port}
    done = dossier(tmp_path, "doctor", **given)
    assert done.returncode == 0, done.stdout
    assert re.search(r"✓ model server .*: reachable", done.stdout)
    slow.status = 401
    refused = dossier(tmp_path, "doctor", **given)
    assert refused.returncode == 1
    assert "check OPENAI_API_KEY" in refused.stdout
    unpriced = dossier(tmp_path, "doctor", **{**given, "DOSSIER_MODEL": "nobody-knows-its-price"})
    assert "DOSSIER_MODEL_PRICE_INPUT" in unpriced.stdout
    nobody = dossier(tmp_path, "doctor", **{**given, "OPENAI_BASE_URL": f"http://127.0.0.1:{port}"})
    assert re.search(r"✗ model server .*: not reachable", nobody.stdout)
    for said in (done, refused, unpriced, nobody):
        assert "0123456789abcdef" not in said.stdout + said.stderr


# --- serving ---------------------------------------------------------------------------------------------------------


def test_serve_refuses_a_taken_port_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = dossier(tmp_path, "serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "--port" in done.stderr


def test_serve_says_what_it_has_and_lets_go_of_its_streams_when_told_to_stop(
    tmp_path: Path, port: str, slow: Slow, start: Start
) -> None:
    given = {"SERPAPI_API_KEY": "0123456789abcdef", "DOSSIER_SERPAPI_BASE_URL": slow.url, "DOSSIER_DRAIN_DEADLINE": "2"}
    process = start("serve", "--port", port, **given)
    assert process.stdout is not None
    banner = ""
    for line in process.stdout:
        banner += line
        if line.startswith("Stop with"):
            break
    assert f"http://127.0.0.1:{port}" in banner
    assert "serpapi_search: on, $0.015 a call" in banner
    assert "curl" in banner
    assert "a Dossier answers there already" in dossier(tmp_path, "doctor", DOSSIER_PORT=port).stdout
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=20)
    body = {"Content-Type": "application/json"}
    connection.request("POST", "/v1/threads", '{"consumer_type": "customer_intelligence"}', body)
    thread = json.loads(connection.getresponse().read())["id"]
    question = json.dumps({"message": QUESTION})
    connection.request("POST", f"/v1/threads/{thread}/runs", question, {**body, "Accept": "text/event-stream"})
    stream = connection.getresponse()
    while b"source_started" not in stream.readline():
        pass
    begun = time.monotonic()
    process.terminate()
    stream.read()
    assert time.monotonic() - begun < 5
    connection.close()
    _, err = process.communicate(timeout=15)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert "0123456789abcdef" not in err
    assert run_of(tmp_path)["status"] == "running"


def test_serve_warns_that_nothing_authenticates_whoever_can_reach_it(port: str, start: Start) -> None:
    process = start("serve", "--host", "0.0.0.0", "--port", port)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Dossier serves")
    process.terminate()
    _, err = process.communicate(timeout=15)
    assert process.returncode == 0
    assert "no authentication" in err


# --- rendering -------------------------------------------------------------------------------------------------------


def citation(number: int, quote: str, *, source: str = "starter", published: datetime | None = NOW) -> Citation:
    return Citation(
        number=number,
        evidence_id=f"e{number}",
        document_id=f"d{number}",
        quote=quote,
        url=f"https://example.com/{number}",
        title=f"Title {number}",
        source=source,
        published_at=published,
        retrieved_at=NOW,
    )


def claim(text: str, *evidence: str, **more: object) -> Claim:
    values = {"id": text, "text": text, "section": "news", "evidence": evidence, "status": ClaimStatus.SUPPORTED}
    return Claim.model_validate({**values, **more})


def judged(dataset: str, quality: float, *, stale: bool = False, missing: tuple[str, ...] = ()) -> DatasetQuality:
    figures = {"completeness": quality, "freshness": quality, "reliability": quality, "quality": quality}
    values = {"dataset": dataset, "required": True, "weight": 0.5, "minimum": 0.6, "stale": stale, "missing": missing}
    return DatasetQuality.model_validate({**values, **figures})


def brief(**more: object) -> Brief:
    values = {"subject": "Acme", "question": "Research Acme", "consumer_type": "outreach", "written_at": NOW}
    return Brief.model_validate({**values, **more})


def test_a_brief_shows_each_sentence_with_the_number_of_its_words() -> None:
    subject = Subject(name="Acme", company=Company(id="acme", name="Acme", legal_name="Acme Corp.", ticker="ACM"))
    text = as_text(
        render_brief(
            brief(
                findings=(claim("It grew.", "e1", "e2"), claim("Jo leads it.", "e3", section="leadership")),
                background=(claim("It was small.", "e4", stale=True),),
                recommendations=(claim("Call Jo.", "e3", kind="inference", section="recommendation"),),
                citations=(
                    citation(1, "It grew."),
                    citation(2, "Grew it has.", source="serpapi_search", published=None),
                    citation(3, "Jo leads it."),
                    citation(4, "It was small.", published=datetime(2020, 2, 3, tzinfo=UTC)),
                ),
                confidence=0.81,
            ),
            Backdrop(subject=subject, vendor="Monte Carlo", titles={"news": "Recent events"}),
        )
    )
    assert "Acme  Acme Corp. · ACM" in text
    assert "Recent events\n- It grew. [1] [2]\nLeadership\n- Jo leads it. [3]" in text
    assert "older than your freshness floor\n- Recent events, as of 2020-02-03" not in text
    assert re.search(r"older than your freshness floor\n- It was small\. \(.*as of 2020-02-03\) \[4\]", text)
    assert "Recommendations for Monte Carlo (inference, drawn from the facts cited)\n- Call Jo. [3]" in text
    assert "[1] “It grew.”\n    Title 1, starter library, as of 2026-11-22\n    https://example.com/1" in text
    assert "Title 2, serpapi_search, date unknown" in text
    assert "confidence 0.81 (uncalibrated)" in text


def test_each_gap_says_why_it_is_one() -> None:
    report = QualityReport(
        datasets=(
            judged("news", 0.0, stale=True),
            judged("leadership", 0.31, missing=("key_people",)),
            judged("hiring", 0.0),
            judged("vendor", 0.0),
        )
    )
    text = as_text(render_brief(brief(quality=report, gaps=("news", "leadership", "hiring", "vendor"))))
    assert "News: only facts older than your freshness floor were found" in text
    assert "Leadership: insufficient, quality 0.31 where 0.60 is required; missing: key people" in text
    assert "Hiring: nothing found" in text
    assert "--vendor" in text


def test_contradictions_show_both_sides_once() -> None:
    text = as_text(
        render_brief(
            brief(
                findings=(
                    claim("100 people.", "e1", contradicts=("e2",)),
                    claim("90 people.", "e2", contradicts=("e1",)),
                ),
                citations=(citation(1, "100 people."), citation(2, "90 people.")),
            )
        )
    )
    assert text.count("  but  ") == 1
    assert "“100 people.” (as of 2026-11-22) [1]  but  “90 people.” (as of 2026-11-22) [2]" in text


def test_unverified_statements_stand_apart_with_the_check_they_failed() -> None:
    failed = Check(name="numbers", passed=False, detail="3 is not in the quote")
    text = as_text(render_brief(brief(unverified=(claim("3 offices.", checks=(failed,)),), dropped=0)))
    assert "- 3 offices. (failed: numbers, 3 is not in the quote)" in text
    assert "None. Answered" in text


def test_a_source_cannot_steer_the_terminal_of_its_reader() -> None:
    nasty = "It \x1b[31mgrew\x1b]0;owned\x07 [bold]fast[/bold] \u202eback\x9b2J"
    shown = render_brief(brief(subject=nasty, findings=(claim(nasty, "e1"),), citations=(citation(1, nasty),)))
    plain = as_text(shown)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", plain)
    assert "[bold]fast[/bold]" in plain
    buffer = StringIO()
    Console(file=buffer, force_terminal=True, color_system="standard", width=80, highlight=False).print(shown)
    assert "\x1b[31m" not in buffer.getvalue()
    assert "\x1b]0;" not in buffer.getvalue()


def test_what_a_run_cost_is_said_to_the_last_part_of_a_cent() -> None:
    spent = Costs(
        budget=Decimal("0.50"),
        spent=Decimal("0.0163"),
        unknown=Decimal("0.015"),
        cache_hits=2,
        new_api_calls=3,
        total_cache_savings=Decimal("0.03"),
    )
    text = as_text(render_brief(brief(costs=spent, stop_reason=StopReason.BUDGET_EXHAUSTED)))
    assert (
        "$0.0163 of $0.50 spent; $0.015 of it for calls whose end nobody knows; 3 new calls; 2 from the cache" in text
    )
    assert "$0.03 saved" in text
    assert "Stopped: the budget has no room" in text


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0.00"),
        ("0.5", "$0.50"),
        ("7", "$7.00"),
        ("0.015", "$0.015"),
        ("0.0031", "$0.0031"),
        ("0.009", "$0.0090"),
        ("0.00002", "<$0.0001"),
        ("1234.5678", "$1234.5678"),
    ],
)
def test_amounts_under_a_cent_have_four_decimals_and_none_reads_as_nothing(amount: str, shown: str) -> None:
    assert usd(Decimal(amount)) == shown


def ended(status: RunStatus, stop: StopReason, *, found: bool = True) -> Run:
    answer = brief(findings=(claim("It grew.", "e1"),) if found else (), stop_reason=stop)
    return Run(
        id="r", thread_id="t", status=status, stop_reason=stop, ask=Ask(message="q"), created_at=NOW,
        brief=None if stop is StopReason.ERROR else answer,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (ended(RunStatus.SUCCESS, StopReason.ANSWERED), 0),
        (ended(RunStatus.SUCCESS, StopReason.BUDGET_EXHAUSTED), 3),
        (ended(RunStatus.SUCCESS, StopReason.NO_WORTHWHILE_CALL), 3),
        (ended(RunStatus.TIMEOUT, StopReason.DEADLINE, found=False), 3),
        (ended(RunStatus.INTERRUPTED, StopReason.CANCELLED, found=False), 3),
        (ended(RunStatus.SUCCESS, StopReason.NOTHING_FOUND, found=False), 4),
        (ended(RunStatus.SUCCESS, StopReason.NO_SUBJECT, found=False), 4),
        (ended(RunStatus.ERROR, StopReason.ERROR), 1),
    ],
)
def test_the_exit_code_says_how_a_run_ended(run: Run, code: int) -> None:
    assert exit_code(run) == code


# --- the live view ---------------------------------------------------------------------------------------------------


def events() -> list[str]:
    """Two calls, of which one is lost when the process dies and asked for again."""
    common = {"timestamp": NOW, "thread_id": "t", "run_id": "r"}
    args = {"query": "acme\x1b[2J news"}

    def started(call_id: str, attempt: int = 1) -> SourceStarted:
        data = SourceStartedData(call_id=call_id, source="web", args=dict(args), max_price=Decimal("0.015"))
        return SourceStarted.model_validate({**common, "message": "Asking", "data": data, "attempt": attempt})

    def finished(call_id: str, status: CallStatus, attempt: int = 1) -> SourceFinished:
        data = SourceFinishedData(
            call_id=call_id, source="web", status=status, cost=Decimal("0.015"), seconds=1.5, documents=3
        )
        return SourceFinished.model_validate({**common, "message": "web: it is down", "data": data, "attempt": attempt})

    spent = BudgetUpdatedData(
        max_cost=Decimal(1), spent=Decimal("0.015"), reserved=Decimal(0), remaining=Decimal("0.985")
    )
    resumed = RunResumedData(attempt=2)
    found: list[Event] = [
        started("a"),
        started("b"),
        finished("a", CallStatus.OK),
        BudgetUpdated.model_validate({**common, "message": "spent", "data": spent}),
        RunResumed.model_validate({**common, "message": "The run goes on, attempt 2", "data": resumed, "attempt": 2}),
        started("b", 2),
        finished("b", CallStatus.FAILED, 2),
    ]
    return [EVENT.dump_json(e).decode() for e in found]


def test_plain_lines_tell_each_call_once_it_is_settled() -> None:
    lines: list[str] = []
    view = LinesView(lines.append)
    for body in events():
        view.take(body)
    assert lines == [
        "Calls",
        "  ✓ web: acme [2J news: 3 documents, 1.50 s, $0.015",
        "  ! web: acme [2J news: interrupted",
        "The run goes on, attempt 2",
        "Calls",
        "  ✗ web: acme [2J news: it is down, 1.50 s, $0.015",
    ]


def test_the_tree_keeps_what_is_over_and_spins_what_is_not() -> None:
    buffer = StringIO()
    view = TreeView(Console(file=buffer, force_terminal=True, width=100, height=20, color_system=None, highlight=False))
    for body in events():
        view.take(body)
    view.close()
    view.close()
    shown = buffer.getvalue()
    assert "⠋" in shown
    assert "\x1b[2J" not in shown
    assert shown.count("└── ✗ web: acme [2J news: it is down") >= 1
    assert "$0.015 of $1.00 spent" in shown
