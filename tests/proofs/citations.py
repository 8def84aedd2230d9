"""Corruptions planted in honest claims, of which none may survive; claims labelled by hand; and briefs whose every quote must
stand in the store.

    python -m tests.proofs citations

One line per kind of corruption and of honest variant, then precision and recall with the claims labelled by hand, in all and by
kind, then the briefs. It does not hold when a corruption survives, when 5 % of the honest variants are refused, when precision or
recall miss their bars, or when a quote is not found character for character in its stored document.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from agent.records import Brief, Claim, ClaimStatus
from agent.runs import Runs
from agent.services import Services, open_services
from agent.settings import load_settings
from evals.labelled import labelled_claims
from scripts.calibrate import generated
from tests.bench.calibration import citations
from tests.corruptions import corruptions, tally, variants
from tests.house import NOW

SEED = 20260701
LEAST = 500
MOST_REFUSED = 0.05
QUESTIONS = (
    ("quick_chat", None, "How large is Snowflake's revenue, and who leads it?"),
    ("quick_chat", None, "Who are Airbnb's competitors?"),
    ("quick_chat", "SentinelOne, endpoint security", "What should I open a call with Cloudflare with?"),
    ("account_monitoring", None, "What has changed at Salesforce?"),
    ("account_monitoring", None, "What is new at Tesla?"),
    ("vendor_context", "Datadog", "What does Datadog sell, and to whom?"),
    ("competitive_intelligence", "CrowdStrike", "How does CrowdStrike stand against Okta?"),
    ("customer_intelligence", "MongoDB", "What does Shopify need a database for?"),
    ("meeting_prep", "HubSpot", "Prepare me for a meeting with Nike."),
    ("meeting_prep", "Workday", "I meet the CFO of Pfizer tomorrow."),
    ("outreach", "Databricks", "Draft an outreach to Walmart's technology team."),
    ("outreach", "Stripe", "Why should Uber talk to us now?"),
)
"""(consumer type, vendor, question) over the starter library."""


def main() -> int:
    """Print all three parts; 0 when they hold."""
    planted = _plant()
    missed = citations(labelled_claims(), generated())
    print(
        f"\n{'missed: ' + ', '.join(missed) if missed else 'precision, recall and false rejections are within their bars'}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        read = asyncio.run(_read_briefs(Path(folder)))
    for miss in read.misses:
        print(f"    misses: {miss}")
    checked = f"{read.briefs} briefs, {read.claims} claims with {read.quotes} quotes checked"
    print(f"{checked}, {len(read.misses)} of them not found in the stored text")
    sound = read.briefs == len(QUESTIONS) and read.quotes > 0 and not read.misses
    return int(not planted or bool(missed) or not sound)


# --- corruptions ------------------------------------------------------------------------------------------------------


def _plant() -> bool:
    """The table, the survivors, and whether it holds."""
    planted, honest = tally(corruptions(SEED)), tally(variants())
    print(f"{'corruption':<24}{'planted':>9}{'caught':>9}")
    for kind, (count, survivors) in planted.items():
        print(f"{kind:<24}{count:>9}{count - len(survivors):>9}")
        for case in survivors:
            print(f"    survives: {case.text!r}\n       quote: {case.base.quote!r}")
    print(f"\n{'honest variant':<24}{'honest':>9}{'falsely rejected':>18}")
    for kind, (count, accepted) in honest.items():
        print(f"{kind:<24}{count:>9}{count - len(accepted):>18}")
    total = sum(count for count, _ in planted.values())
    alive = sum(len(s) for _, s in planted.values())
    said = sum(count for count, _ in honest.values())
    refused = said - sum(len(a) for _, a in honest.values())
    print(
        f"\n{total} planted, {total - alive} caught; {said} honest, {refused} falsely rejected ({refused / said:.1%})"
    )
    return alive == 0 and refused / said < MOST_REFUSED and total >= LEAST


# --- briefs -----------------------------------------------------------------------------------------------------------


@dataclass
class Read:
    """What the briefs held."""

    briefs: int = 0
    claims: int = 0
    quotes: int = 0
    """Citations of claims; one that two claims cite is looked up for both."""
    misses: list[str] = field(default_factory=list)


async def _read_briefs(folder: Path) -> Read:
    """Ask every question without keys, on the day the library was read, and look up what each claim of each brief cites."""
    settings = load_settings(
        _env_file=None, data_dir=folder, engine="extractive", openai_api_key=None, serpapi_api_key=None
    )
    read = Read()
    services = await open_services(settings, clock=lambda: NOW)
    try:
        async with Runs(services) as runs:
            for consumer_type, vendor, question in QUESTIONS:
                thread = await runs.create_thread(consumer_type=consumer_type, vendor=vendor)
                run = await runs.wait((await runs.start(thread.id, {"message": question})).id)
                if run.brief is None or not _claims(run.brief):
                    read.misses.append(f"{question!r} gave no claims: {run.status}, {run.stop_reason}")
                    continue
                await _look_up(services, run.brief, read)
    finally:
        await services.close()
    return read


async def _look_up(services: Services, brief: Brief, read: Read) -> None:
    """Find the quotes of a brief in the texts that are stored, not in what the run had in its hands."""
    cited = {c.evidence_id: c for c in brief.citations}
    stored = await services.documents.get_many(sorted({c.document_id for c in brief.citations}))
    texts = {d.id: d.text for d in stored}
    read.briefs += 1
    for claim in _claims(brief):
        read.claims += 1
        if not claim.evidence and claim.status is ClaimStatus.SUPPORTED:
            read.misses.append(f"{claim.text!r} cites nothing")
        for evidence_id in (*claim.evidence, *claim.contradicts):
            read.quotes += 1
            citation = cited.get(evidence_id)
            if citation is None:
                read.misses.append(f"{claim.text!r} cites {evidence_id}, which has no citation")
            elif not citation.quote or citation.quote not in texts.get(citation.document_id, ""):
                read.misses.append(f"{claim.text!r}: {citation.quote!r} is not in document {citation.document_id}")


def _claims(brief: Brief) -> list[Claim]:
    return [*brief.findings, *brief.recommendations, *brief.talking_points, *brief.background, *brief.unverified]
