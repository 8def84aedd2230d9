"""LangGraph Studio's server loads the graph and runs it with our checkpointer, driven over loopback by its own client."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from langgraph_sdk import get_client

from tests.serving import ONLY, ROOT, until

pytestmark = [pytest.mark.studio, pytest.mark.timeout(240)]

ASK = {
    "message": "Research Snowflake as a prospect for us",
    "vendor": "Monte Carlo: data observability",
    "consumer_type": "meeting_prep",
}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `langgraph dev` over a data folder of its own."""
    folder = tmp_path_factory.mktemp("studio")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
        "HOME": str(folder),
        "DOSSIER_DATA_DIR": str(folder / "data"),
        **ONLY,
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        "LANGGRAPH_NO_VERSION_CHECK": "true",
    }
    command = [
        str(Path(sys.executable).parent / "langgraph"),
        "dev",
        "--no-browser",
        "--no-reload",
        "--port",
        str(port),
    ]
    log = folder / "studio.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, log.read_text()[-3_000:]
        try:
            return httpx.get(f"{url}/ok", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(answers, "langgraph dev to answer")
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


async def test_studio_shows_the_schemas_runs_the_graph_and_forks_it_from_an_earlier_checkpoint(studio: str) -> None:
    async with get_client(url=studio) as client:
        [assistant] = await client.assistants.search(graph_id="dossier")
        schemas = await client.assistants.get_schemas(assistant["assistant_id"])
        assert "message" in (schemas["input_schema"] or {})["properties"]
        assert "brief" in (schemas["output_schema"] or {})["properties"]
        assert "engine" in (schemas["context_schema"] or {})["properties"]

        thread = (await client.threads.create())["thread_id"]
        nodes: list[str] = []
        events: list[str] = []
        async for part in client.runs.stream(
            thread, "dossier", input=ASK, stream_mode=["updates", "custom"], durability="sync"
        ):
            assert part.event != "error", part.data
            if part.event == "updates":
                nodes += list(part.data)
            if part.event == "custom":
                events.append(part.data["type"])
        assert list(dict.fromkeys(nodes)) == ["frame", "decompose", "plan", "collect", "assess", "synthesize", "verify"]
        assert {"subject_identified", "research_plan_created", "source_finished", "research_complete"} <= set(events)

        state = await client.threads.get_state(thread)
        assert isinstance(state["values"], dict)
        brief = state["values"]["brief"]
        assert brief["subject"] == "Snowflake"
        assert brief["citations"]

        history = await client.threads.get_history(thread, limit=50)
        [before_writing] = [h for h in history if list(h["next"]) == ["synthesize"]]
        forked = await client.runs.wait(
            thread,
            "dossier",
            input=None,
            checkpoint={
                "thread_id": thread,
                "checkpoint_ns": "",
                "checkpoint_id": before_writing["checkpoint"]["checkpoint_id"],
                "checkpoint_map": {},
            },
            durability="sync",
        )
        assert isinstance(forked, dict)
        assert forked["brief"]["citations"] == brief["citations"]
        assert len(await client.threads.get_history(thread, limit=50)) > len(history)
