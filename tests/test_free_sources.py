"""Without a key: one question about a company that the stand-ins of the free sources describe, walked by the real graph."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.records import Brief, CallStatus
from agent.runs import Runs
from agent.services import Services, build_sources, open_services, switched_off
from agent.settings import Settings
from tests.house import NOW, Clock
from tests.standins.rig_edgar import EdgarRig
from tests.standins.rig_gdelt import GdeltRig
from tests.standins.rig_github import GitHubRig
from tests.standins.rig_hacker_news import HackerNewsRig
from tests.standins.rig_job_boards import JobBoardsRig
from tests.standins.rig_website import WebsiteRig
from tests.standins.rig_wikidata import WikidataRig
from tests.standins.rig_wikipedia import WikipediaRig
from tests.standins.serpapi_server import SerpApiStandin
from tests.standins.web_server import NOT_FOUND, Asked, Told, WebStandin
from tools.base import FailureKind
from tools.fetching import Http
from tools.reading.urls import host_of

QUESTION = (
    "Research Acme as a prospect for us: give me the full picture, products, customers, competitors and hiring included"
)
VENDOR = (
    "Roadwatch: data observability for logistics teams. We help data engineers find broken pipelines before users do."
)
EVERYTHING = "customer_intelligence"
RISKS = (
    "Our strategy is to bring anvils to railways, and we expect to invest in Acme Cloud. Our growth depends on demand for anvils, "
    "and we may not keep pace with it. We compete with Globex and Initech, and this competition may harm our market share. "
    "If we do not succeed in making Acme Cloud a priority of our customers, our results could be harmed. Steel prices are a risk "
    "to our margins, and a challenge that we expect to continue through the year. We may not be able to hire the engineers whom "
    "we need for our growth strategy, which would slow the development of new services and weaken our position in the market."
)
"""What a quarterly report says when its risks have changed."""


def web(asked: Asked) -> Told:
    """The web as far as it knows Acme: each service answers as its own rig has it, with a few dates nearer to the test's day."""
    match asked.host:
        case "www.wikidata.org":
            known = {**asked.params, "srsearch": "haswbstatement:P5531=0000123456|P5531=123456"}
            found = WikidataRig.world(replace(asked, params=known) if "srsearch" in asked.params else asked)
            return _with(found, {"0000123456": "0001999999"})
        case "en.wikipedia.org":
            return WikipediaRig.world(asked)
        case "data.sec.gov" | "efts.sec.gov" | "www.sec.gov":
            return _with(
                EdgarRig.world(asked), {"There is no material change to the risk factors of our annual report.": RISKS}
            )
        case "api.gdeltproject.org":
            return _with(GdeltRig.world(asked), {"20261103": "20261120", "20261102": "20261119"})
        case "api.github.com":
            return GitHubRig.world(asked)
        case "boards-api.greenhouse.io":
            return _with(JobBoardsRig.world(asked), {"2026-11-10": "2026-11-20"})
        case "hn.algolia.com":
            return HackerNewsRig.world(asked)
        case "acme.example" | "www.acme.example":
            return WebsiteRig.world(asked)
    return NOT_FOUND


def _with(answer: Told, words: dict[str, str]) -> Told:
    """An answer with some of its words replaced."""
    body = answer.body
    for old, new in words.items():
        body = body.replace(old.encode(), new.encode())
    return replace(answer, body=body)


@asynccontextmanager
async def on_the_web(folder: Path, server: WebStandin, **settings: object) -> AsyncIterator[Services]:
    """A house with every source that the folder holds, over a stand-in for the web."""
    given: dict[str, object] = {
        "data_dir": folder / "data",
        "starter_library": False,
        "engine": "extractive",
        "contact": "tests@example.com",
        **settings,
    }
    chosen = Settings(_env_file=None, **given)  # type: ignore[arg-type]
    services = await open_services(chosen, clock=Clock())
    http = Http(folder / "web", contact=chosen.contact, mirrors={"*": server.mirror}, backoff=0.001, pace_scale=0.000_1)
    services.http = http
    services.sources = build_sources(chosen, services.documents, services.scrub, http)
    services.off = switched_off(chosen, services.sources)
    try:
        yield services
        assert all(balance.holds for balance in await services.ledger.audit())
    finally:
        await services.close()


async def ask(services: Services, message: str = QUESTION, **more: object) -> tuple[Brief, list[dict[str, Any]]]:
    """Walk a question to its end: its brief, and the data of every `source_finished` event."""
    async with Runs(services) as runs:
        thread = await runs.create_thread()
        asked = {"message": message, "vendor": VENDOR, "consumer_type": EVERYTHING, **more}
        run = await runs.wait((await runs.start(thread.id, asked)).id)
        events = [json.loads(body) for _, body in await services.runs.events(run.id)]
    assert run.brief is not None
    return run.brief, [e["data"] for e in events if e["type"] == "source_finished"]


def filled(brief: Brief) -> set[str]:
    """Datasets of which at least one field has a fresh, quoted value."""
    return {d.dataset for d in brief.quality.datasets if d.quality > 0}


async def test_without_a_key_the_free_sources_fill_nine_datasets_or_more_and_cost_nothing(tmp_path: Path) -> None:
    with WebStandin(web) as server:
        async with on_the_web(tmp_path, server) as services:
            brief, calls = await ask(services)
    assert len(filled(brief)) >= 9, sorted(filled(brief))
    assert brief.costs.spent == 0
    assert brief.findings
    asked = {c["source"] for c in calls if c["status"] == "ok"}
    assert asked == {
        *("edgar", "gdelt", "github", "hacker_news", "job_boards", "website", "wikidata", "wikipedia"),
    }  # feeds: Acme's site has none here
    pages = [r.path for r in server.requests if r.host == "acme.example"]
    assert len(pages) == len(set(pages)), "a page is fetched once, however many calls start from it"
    hosts = {host_of(citation.url) for citation in brief.citations if citation.url}
    assert {"sec.gov", "wikidata.org", "github.com"} <= hosts


async def test_with_a_serpapi_key_eleven_are_filled_within_the_budget(tmp_path: Path) -> None:
    with WebStandin(web) as server, SerpApiStandin() as serpapi:
        serpapi.clock = lambda: NOW.timestamp()
        key = {"serpapi_api_key": "planted-key", "serpapi_base_url": serpapi.base_url}
        async with on_the_web(tmp_path, server, **key) as services:
            brief, _ = await ask(services)
    assert len(filled(brief)) >= 11, sorted(filled(brief))
    assert 0 < brief.costs.spent <= brief.costs.budget


async def test_a_company_that_no_table_knows_is_identified_before_anything_is_planned(tmp_path: Path) -> None:
    with WebStandin(web) as server:
        async with on_the_web(tmp_path, server) as services, Runs(services) as runs:
            thread = await runs.create_thread()
            run = await runs.wait((await runs.start(thread.id, {"message": "Who leads Acme?"})).id)
            events = [json.loads(body) for _, body in await services.runs.events(run.id)]
    known = next(e["data"]["subject"] for e in events if e["type"] == "subject_identified")
    assert (known["company"]["domain"], known["company"]["cik"]) == ("acme.example", "1999999")
    order = [e["type"] for e in events]
    assert order.index("source_finished") < order.index("subject_identified") < order.index("question_decomposed")


async def test_when_every_service_fails_the_failures_are_named_and_nothing_is_invented(tmp_path: Path) -> None:
    with WebStandin(web) as server:
        server.behaviour = "server_error"
        async with on_the_web(tmp_path, server) as services:
            brief, calls = await ask(services, vendor=None)
    assert brief.findings == ()
    web_calls = [c for c in calls if c["source"] != "documents"]
    assert web_calls
    assert {c["status"] for c in web_calls} == {CallStatus.FAILED}
    assert {c["failure"] for c in web_calls} == {FailureKind.UNREACHABLE}
