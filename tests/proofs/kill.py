"""Runs killed with SIGKILL at random moments, restarted and finished, against paid stand-ins that keep their own invoices.

    python -m tests.proofs kill [RUNS]

The search stand-in is SerpAPI's format: a repeat within the hour is free, so a search in flight may be asked again. The
model stand-in charges every request, so a model call in flight at the kill is lost: counted as spent, never asked again.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.budget import CallState
from agent.store.ledger import Ledger
from tests.serving import Server, sse
from tests.standins.openai_server import OpenAIStandin
from tests.standins.serpapi_server import SerpApiStandin

RUNS = 104
BATCH = 8
MAX_COST = 0.20
SEED = 20_261_122
LATEST_KILL = 0.9
"""Seconds after a batch was accepted within which the process is killed."""


@dataclass
class Tally:
    """What was seen."""

    started: int = 0
    killed: int = 0
    """Runs that were under way when their process was killed."""
    kills: int = 0
    problems: list[str] = field(default_factory=list)

    def expect(self, sound: bool, problem: str) -> None:
        """Note a problem unless `sound`."""
        if not sound:
            self.problems.append(problem)


def main(runs: int = RUNS) -> int:
    """Print what was killed, what was charged and what was lost; 0 when every promise held."""
    rng, tally, began = random.Random(SEED), Tally(), time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        search = stack.enter_context(SerpApiStandin(latency=0.25, invoice=folder / "invoice.jsonl"))
        model = stack.enter_context(OpenAIStandin(latency=0.1))
        env = {
            "SERPAPI_API_KEY": "kill-test",
            "DOSSIER_SERPAPI_BASE_URL": search.base_url,
            "OPENAI_BASE_URL": model.base_url,
            "DOSSIER_CONSUMER_DAILY_BUDGET": "1000",
            "DOSSIER_LOG_LEVEL": "warning",
        }
        server = Server(folder / "data", env=env)
        ids: list[str] = []
        server.start()
        while tally.killed < runs:
            batch = [_ask(server, tally) for _ in range(BATCH)]
            ids += batch
            time.sleep(rng.uniform(0.0, LATEST_KILL))  # the moment of the kill is the random variable of this proof
            server.kill()
            tally.kills += 1
            tally.killed += _active(folder / "data", batch)
            server.start()
            for run_id in batch:
                server.finished(run_id)
        finished = [_finished(server, run_id, tally) for run_id in ids]
        server.terminate()
        _check_money(folder / "data", finished, search, model, tally)
    for problem in tally.problems[:20]:
        print(f"kill: PROBLEM {problem}")
    print(
        f"kill: {tally.killed} of {tally.started} runs were under way at {tally.kills} kills; {time.monotonic() - began:.0f} s"
    )
    return 1 if tally.problems else 0


def _ask(server: Server, tally: Tally) -> str:
    """A question about a company of its own, so that no two runs buy the same thing and charges can be told apart."""
    tally.started += 1
    name = f"Quillfern{tally.started:04d} Robotics"
    run = server.ask(
        f"Research {name} as a prospect for us",
        vendor="Monte Carlo: data observability",
        consumer_type="meeting_prep",
        max_cost=MAX_COST,
    )
    return str(run["id"])


def _active(data: Path, batch: list[str]) -> int:
    """How many of the runs had not ended when the process died, read from the file it left behind."""
    import sqlite3

    with sqlite3.connect(data / "runs.db") as db:
        marks = ",".join("?" * len(batch))
        sql = f"select count(*) from runs where status in ('pending', 'running') and id in ({marks})"
        return int(db.execute(sql, batch).fetchone()[0])


def _finished(server: Server, run_id: str, tally: Tally) -> dict[str, Any]:
    """The run once it has ended; its events must be numbered 1 to n, and the last one must say that it is over."""
    frames = list(sse(f"{server.url}/v1/runs/{run_id}/events"))
    seqs = [f.id for f in frames]
    tally.expect(seqs == list(range(1, len(seqs) + 1)), f"{run_id}: events have a gap or a duplicate")
    ends = [f.event for f in frames].count("run_finished")
    tally.expect(ends == 1 and frames[-1].event == "run_finished", f"{run_id}: {ends} last events")
    run = server.run(run_id)
    tally.expect(run["status"] == "success", f"{run_id}: lost, {run['status']} {run['error']}")
    return run


def _check_money(
    data: Path, finished: list[dict[str, Any]], search: SerpApiStandin, model: OpenAIStandin, tally: Tally
) -> None:
    ledger = Ledger(data / "ledger.db")
    balances = asyncio.run(ledger.audit())
    rows = ledger.db.write_now(
        lambda db: [
            dict(r) for r in db.conn.execute("select call_id, run_id, label, state, held, cost, failure from calls")
        ]
    )
    ledger.close()
    tally.expect(all(b.holds for b in balances), "the ledger does not balance")
    tally.expect(not any(r["state"] == CallState.RESERVED for r in rows), "a call is still held")
    over = [b.budget.id for b in balances if b.budget.spent + b.budget.reserved > b.budget.ceiling]
    tally.expect(not over, f"over budget: {over}")

    settled = sum(r["cost"] for r in rows if r["state"] == CallState.SETTLED)
    unknown = [r for r in rows if r["state"] == CallState.UNKNOWN]
    invoice = search.invoice_total + model.billed
    most = settled + sum(r["cost"] for r in unknown)
    tally.expect(settled <= invoice <= most, f"settled {settled}, invoice {invoice}, settled + unknown {most}")

    paid = Counter(json.dumps(c.params, sort_keys=True) for c in search.invoice.charges if c.micros)
    twice = [q for q, n in paid.items() if n > 1]
    tally.expect(not twice, f"searches charged twice: {twice[:3]}")
    searches = [r for r in rows if r["label"].startswith("serpapi") and r["state"] == CallState.SETTLED and r["cost"]]
    lost = [r for r in unknown if r["label"].startswith("serpapi")]
    tally.expect(
        len(searches) <= sum(paid.values()) <= len(searches) + len(lost),
        "searches on the invoice and in the ledger differ",
    )
    asked = [r for r in rows if r["label"].startswith("model:")]
    charged = sum(1 for micros in model.invoice if micros)
    tally.expect(charged <= len(asked), f"{charged} model charges for {len(asked)} calls: some were asked twice")

    reported = sum(int(float(r["costs"]["unknown"]) * 1_000_000 + 0.5) for r in finished)
    tally.expect(reported == sum(r["cost"] for r in unknown), "unknown money is not what the runs report")
    over_runs = [r["id"] for r in finished if float(r["costs"]["spent"]) > MAX_COST + 1e-9]
    tally.expect(not over_runs, f"runs over their max_cost: {over_runs}")
    states = Counter((r["label"].split(":")[0], r["state"]) for r in rows)
    print(f"kill: calls by kind and end: {dict(sorted(((f'{a} {b}', n) for (a, b), n in states.items())))}")
    print(
        f"kill: invoice {invoice}, ledger settled {settled}, of unknown end {most - settled} ({len(unknown)} calls), micro-dollars"
    )
    print(f"kill: searches charged twice {len(twice)}, runs lost {sum(r['status'] != 'success' for r in finished)}")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
