"""One research question against stand-ins of fixed latency: how close the wall time comes to the critical path.

    python -m tests.bench question

The critical path is what cannot be done at the same time: decompose, plan, the slowest call of each round, write. The peers'
figures for the same question, measured by us, are 1.3 to 1.6 times theirs, 3 to 150 model calls and 5 to 24 searches.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.serving import Server, sse_stream
from tests.standins.openai_server import OpenAIStandin
from tests.standins.serpapi_server import SerpApiStandin

QUESTION = (
    "Research the company Snowflake as a prospect for a data observability vendor: "
    "overview, recent news, tech stack, decision makers."
)
MODEL_LATENCY, SEARCH_LATENCY, RUNS = 0.5, 0.3, 5
PIECES = (200, 24)
"""Characters per streamed piece of the model's instant answer: reading a piece costs the client library about 0.5 ms."""


@dataclass(frozen=True)
class Result:
    """One run as its caller saw it. Times are seconds from the request."""

    wall: float
    critical: float
    first_event: float
    first_readable: float
    model_calls: int
    tokens: int
    searches: int
    distinct: int
    claims: int
    rss_mib: float


def measure(folder: Path, piece: int) -> Result:
    """Ask once, in a fresh data folder, of a server that has served one other question before."""
    with ExitStack() as stack:
        search = stack.enter_context(SerpApiStandin(latency=SEARCH_LATENCY))
        model = stack.enter_context(OpenAIStandin(latency=MODEL_LATENCY, piece=piece))
        env = {
            "SERPAPI_API_KEY": "bench",
            "DOSSIER_SERPAPI_BASE_URL": search.base_url,
            "OPENAI_BASE_URL": model.base_url,
        }
        server = stack.enter_context(Server(folder, env=env))
        server.finished(
            server.ask("Who leads Quillfern Robotics?")["id"]
        )  # imports and connections are warm after this
        thread = server.thread(vendor="Monte Carlo: data observability", consumer_type="customer_intelligence")
        searches, models = len(search.requests), len(model.requests)
        began = time.monotonic()
        seen: dict[str, float] = {}
        rounds = claims = 0
        body = {"message": QUESTION, "max_cost": 0.5}
        with sse_stream("POST", f"{server.url}/v1/threads/{thread}/runs", body=body) as (_, frames):
            for frame in frames:
                seen.setdefault(frame.event, time.monotonic() - began)
                if frame.event == "research_plan_created":
                    paid = [c for c in frame.data["data"]["to_collect"] if float(c["max_price"])]
                    rounds += bool(paid)
                if frame.event == "research_complete":
                    claims = len(frame.data["data"]["brief"]["findings"])
        wall = time.monotonic() - began
        asked = search.requests[searches:]
        answered = model.requests[models:]
        return Result(
            wall=wall,
            critical=MODEL_LATENCY * 3 + SEARCH_LATENCY * rounds,
            first_event=seen["session_started"],
            first_readable=seen["question_decomposed"],
            model_calls=len(answered),
            tokens=sum(model.tokens[models:]),
            searches=len(asked),
            distinct=len({tuple(sorted(s.params.items())) for s in asked}),
            claims=claims,
            rss_mib=_peak_rss(server.pid),
        )


def _peak_rss(pid: int) -> float:
    """Highest resident memory of a process so far, MiB (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main() -> int:
    """Print the medians; the bars are the issue's own."""
    print(
        f"question: {RUNS} runs each, model {MODEL_LATENCY} s to first token, then instant; search {SEARCH_LATENCY} s"
    )
    with tempfile.TemporaryDirectory() as folder:
        measured = {piece: [measure(Path(folder) / f"{piece}-{n}", piece) for n in range(RUNS)] for piece in PIECES}
    for piece, results in measured.items():
        ratios = sorted(r.wall / r.critical for r in results)
        print(
            f"question: wall / critical path, answer in pieces of {piece} characters:"
            f" median {median(ratios):.3f}, worst {ratios[-1]:.3f}  (bar 1.10; peers 1.3 to 1.6)"
        )
    results = [r for found in measured.values() for r in found]
    first, readable = median(r.first_event for r in results), median(r.first_readable for r in results)
    print(f"question: request to first event: median {first * 1000:.0f} ms  (bar 50)")
    print(f"question: request to the decomposed question: median {readable:.2f} s  (bar 0.6)")
    last = results[-1]
    print(
        f"question: model calls {last.model_calls}, tokens {last.tokens},"
        f" searches {last.searches} ({last.distinct} distinct)"
    )
    print(
        f"question: findings in the brief {last.claims}; peak RSS {max(r.rss_mib for r in results):.0f} MiB  (bar 150)"
    )
    return 0
