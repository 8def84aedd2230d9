"""SerpAPI: what is read from its replies, what the stand-in charges, and that no two instances share anything."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serpapi import SerpApiClient
from urllib3.connection import HTTPConnection

from tests.standins.serpapi_server import SerpApiStandin
from tools.base import FailureKind, SourceDocument, SourceEnv, SourceError
from tools.reading.serpapi_reply import read_news, read_web
from tools.reading.urls import host_of, normalise_url
from tools.serpapi_news import NewsArgs, SerpApiNews
from tools.serpapi_search import SearchArgs, SerpApiSearch
from tools.web.serpapi_client import THREAD_NAME

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1", "::1"]), pytest.mark.asyncio]

AT = {"search_metadata": {"status": "Success", "created_at": "2026-11-22 10:00:00 UTC"}}


def env(server: SerpApiStandin, key: str = "k-123456", **more: str) -> SourceEnv:
    """An environment that points at a stand-in."""
    return SourceEnv(
        values={"serpapi_api_key": key, "serpapi_base_url": server.base_url, "serpapi_timeout": "5"} | more
    )


def web(**reply: object) -> list[SourceDocument]:
    """What is read from a reply with these parts."""
    return read_web({**AT, **reply}, "acme").documents


# --- replies ----------------------------------------------------------------------------------------------------------


async def test_a_result_is_its_title_and_snippet_with_a_clean_address() -> None:
    item = {
        "title": "Acme grows",
        "link": "https://News.Acme.co.uk/a?id=7&utm_source=x#top",
        "snippet": "By 5%.",
        "date": "Mar 4, 2026",
    }
    (found,) = web(organic_results=[item])
    assert found.text == "Acme grows. By 5%."
    assert found.url == "https://news.acme.co.uk/a?id=7"
    assert found.origin == "acme.co.uk"
    assert found.published_at == datetime(2026, 3, 4, tzinfo=UTC)


async def test_a_relative_date_counts_from_the_search_and_an_anchorless_one_is_unknown() -> None:
    item = {"title": "A", "link": "https://a.example/", "date": "2 days ago"}
    assert web(organic_results=[item])[0].published_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert read_web({"organic_results": [item]}, "q").documents[0].published_at is None


async def test_a_date_after_the_search_is_not_a_date_of_publication() -> None:
    assert (
        web(organic_results=[{"title": "A", "link": "https://a.example/", "date": "Dec 24, 2026"}])[0].published_at
        is None
    )


async def test_the_knowledge_panel_fills_fields_with_words_that_stand_in_its_text() -> None:
    panel = {
        "title": "Acme Corp.",
        "type": "Software company",
        "description": "Acme Corp. makes anvils.",
        "source": {"name": "Wikipedia", "link": "https://en.wikipedia.org/wiki/Acme"},
        "headquarters": "Paris, TX",
        "founded": "July 23, 2012, Reno, NV",
        "ceo": "Ada Byron (Feb 28, 2024–)",
        "ceo_links": [{"text": "Ada Byron", "link": "https://www.google.com/"}],
        "number_of_employees": "7,834 (2025)",
        "subsidiaries": "Beta, Gamma, Inc., MORE",
        "kgmid": "/g/1",
        "header_images": [{}],
    }
    (found,) = web(knowledge_graph=panel)
    values = {f"{f.dataset}.{f.field}": f.value for f in found.fields}
    assert values == {
        "profile.industry": "Software company",
        "profile.summary": "Acme Corp. makes anvils.",
        "profile.hq": "Paris, TX",
        "profile.founded": "2012",
        "profile.employees": {"n": 7834, "as_of": "2025"},
        "leadership.people": [{"name": "Ada Byron", "role": "CEO"}],
        "funding.subsidiaries": ["Beta", "Gamma, Inc."],
    }
    assert all(f.quote in found.text for f in found.fields)
    assert (found.origin, found.about) == ("wikipedia.org", "Acme Corp.")


async def test_stories_inside_a_cluster_are_read_after_the_heads_of_all_clusters() -> None:
    def story(name: str, **more: object) -> dict[str, object]:
        return {"title": name, "link": f"https://{name}.example/", "source": {"name": name.upper()}, **more}

    clusters = [
        {"highlight": story("h1", date="10/07/2025, 01:06 PM, +0000 UTC"), "stories": [story("s1"), story("s2")]},
        {"title": "Topic", "stories": [story("s3"), story("s4")]},
        story("single", iso_date="2025-10-08T09:30:00Z", source="Plain"),
    ]
    found = read_news({"news_results": clusters}).documents
    assert [d.title for d in found] == ["h1", "s3", "single", "s1", "s2", "s4"]
    assert found[0].published_at == datetime(2025, 10, 7, 13, 6, tzinfo=UTC)
    assert found[2].published_at == datetime(2025, 10, 8, 9, 30, tzinfo=UTC)


keys = "title link snippet date iso_date source name stories highlight type ceo founded number_of_employees description"
parts = ["organic_results", "knowledge_graph", "answer_box", "news_results", "search_metadata"]
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just("https://a.example/x")
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(keys.split()), inner, max_size=6),
    max_leaves=25,
)


@given(st.dictionaries(st.sampled_from(parts), json_values))
async def test_no_reply_of_whatever_shape_makes_the_reader_raise(reply: dict[str, object]) -> None:
    for found in (read_web(reply, "q"), read_news(reply)):
        for document in found.documents:
            assert document.title
            assert all(f.quote in document.text for f in document.fields)


# --- calls ------------------------------------------------------------------------------------------------------------


async def test_two_instances_with_two_addresses_and_keys_never_mix() -> None:
    with SerpApiStandin() as one, SerpApiStandin() as two:
        first, second = SerpApiSearch(env(one, "key-one")), SerpApiNews(env(two, "key-two"))
        searches = [first.fetch(SearchArgs(query=f'"A{i}" ceo')) for i in range(5)]
        headlines = [second.fetch(NewsArgs(query=f'"B{i}"')) for i in range(5)]
        await asyncio.gather(*searches, *headlines)
        assert {(r.key, r.params["engine"]) for r in one.requests} == {("key-one", "google")}
        assert {(r.key, r.params["engine"]) for r in two.requests} == {("key-two", "google_news")}
        assert len(one.requests) == len(two.requests) == 5
    assert SerpApiClient.BACKEND == "https://serpapi.com", "the class is shared by every instance of the process"
    assert SerpApiClient.SERP_API_KEY is None


async def test_an_address_where_nobody_listens_costs_nothing() -> None:
    with SerpApiStandin() as server:
        source = SerpApiSearch(env(server))
    with pytest.raises(SourceError) as caught:
        await source.fetch(SearchArgs(query="acme"))
    assert (caught.value.kind, caught.value.billed) == (FailureKind.UNREACHABLE, 0)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


async def test_a_request_to_slow_down_says_for_how_long() -> None:
    with SerpApiStandin(behaviour="rate_limited") as server:
        with pytest.raises(SourceError) as caught:
            await SerpApiSearch(env(server)).fetch(SearchArgs(query="acme"))
        assert caught.value.retry_after == 7


async def test_a_search_that_found_nothing_is_billed_like_any_other() -> None:
    with SerpApiStandin(behaviour="empty") as server:
        source = SerpApiSearch(env(server, serpapi_price_micros="9000"))
        reply = await source.fetch(SearchArgs(query="acme"))
        assert (reply.documents, reply.billed, source.max_price) == ((), 9_000, 9_000)
        assert "hasn't returned any results" in reply.note


async def test_what_a_source_says_it_was_billed_is_what_the_invoice_says() -> None:
    with SerpApiStandin() as server:
        source = SerpApiSearch(env(server))
        server.script(["ok", "server_error", "empty", "error_in_200", "quota", "wrong_types", "auth"])
        billed = 0
        for number in range(8):
            try:
                billed += (await source.fetch(SearchArgs(query=f"acme {number}"))).billed
            except SourceError as error:
                billed += error.billed if error.billed is not None else 1
        assert billed == server.invoice_total == 4 * 15_000


async def test_the_same_search_in_other_spacing_is_the_same_search() -> None:
    assert SearchArgs(query="  acme \n corp ") == SearchArgs(query="acme corp")


def start(command: list[str]) -> subprocess.Popen[str]:
    """A process whose output is read here."""
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])


@pytest.mark.parametrize("behaviour", ["silent", "drip"])
async def test_a_cancelled_search_hangs_up_so_that_its_thread_ends_at_once(behaviour: str) -> None:
    # The timeout is far beyond what a test may take: only the hanging up can end the thread.
    with SerpApiStandin(behaviour=behaviour) as server:
        source = SerpApiSearch(env(server, serpapi_timeout="3600"))
        call = asyncio.create_task(source.fetch(SearchArgs(query="acme")))
        await asyncio.to_thread(server.arrived.acquire)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        for thread in [t for t in threading.enumerate() if t.name == THREAD_NAME]:
            await asyncio.to_thread(thread.join, 20)
            assert not thread.is_alive()


async def test_a_search_given_up_before_its_connection_stands_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    connecting, may_connect = threading.Event(), threading.Event()
    connect = HTTPConnection.connect

    def slow(self: HTTPConnection) -> None:
        connecting.set()
        may_connect.wait(20)
        connect(self)

    monkeypatch.setattr(HTTPConnection, "connect", slow)
    with SerpApiStandin() as server:
        call = asyncio.create_task(SerpApiSearch(env(server)).fetch(SearchArgs(query="acme")))
        await asyncio.to_thread(connecting.wait, 20)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        may_connect.set()
        for thread in [t for t in threading.enumerate() if t.name == THREAD_NAME]:
            await asyncio.to_thread(thread.join, 20)
        assert server.requests == []
        assert server.invoice_total == 0


async def test_a_search_after_a_cancelled_one_is_answered() -> None:
    with SerpApiStandin() as server:
        source = SerpApiSearch(env(server))
        server.script(["silent", "ok"])
        call = asyncio.create_task(source.fetch(SearchArgs(query="acme")))
        await asyncio.to_thread(server.arrived.acquire)
        call.cancel()
        assert (await source.fetch(SearchArgs(query="acme"))).documents


# --- the stand-in -----------------------------------------------------------------------------------------------------


async def test_an_exact_repeat_is_free_for_an_hour_and_then_charged_again() -> None:
    now = [1_000_000.0]
    with SerpApiStandin(clock=lambda: now[0]) as server:
        source = SerpApiSearch(env(server))
        for moment, total in ((0, 15_000), (1_800, 15_000), (3_599, 15_000), (3_601, 30_000)):
            now[0] = 1_000_000.0 + moment
            await source.fetch(SearchArgs(query="acme"))
            assert server.invoice_total == total
        await source.fetch(SearchArgs(query="acme", since="week"))
        assert server.invoice_total == 45_000


async def test_the_stand_in_can_charge_repeats_and_says_the_same_to_the_same_question() -> None:
    with SerpApiStandin(charge_repeats=True) as server:
        source = SerpApiSearch(env(server))
        first, second = [await source.fetch(SearchArgs(query='"Acme" news')) for _ in range(2)]
        assert first.documents == second.documents
        assert server.invoice_total == 30_000
        assert all("Acme" in d.text for d in first.documents)


async def test_in_a_process_of_its_own_it_prints_its_address_and_its_invoice_outlives_it(tmp_path: Path) -> None:
    invoice = tmp_path / "invoice.jsonl"
    command = [sys.executable, "-m", "tests.standins.serpapi_server", "--invoice", str(invoice), "--price", "20000"]
    for total in (20_000, 20_000):  # the second time it remembers what the first one sold
        with start(command) as process:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            values = {"serpapi_api_key": "k-123456", "serpapi_base_url": address}
            await SerpApiSearch(SourceEnv(values=values)).fetch(SearchArgs(query="acme"))
            with await asyncio.to_thread(urllib.request.urlopen, f"{address}/standin/invoice") as response:
                shown = json.loads(response.read())
            process.kill()
        assert shown["total_micros"] == total
        assert sum(json.loads(line)["micros"] for line in invoice.read_text().splitlines()) == total


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("HTTPS://Www.Example.COM:443", "https://www.example.com/"),
        ("http://a.example:8080/x?b=2&a=1#f", "http://a.example:8080/x?b=2&a=1"),
        ("https://a.example/x?utm_source=s&id=1&gclid=2", "https://a.example/x?id=1"),
        ("https://sec.example/cgi?CIK=1&type=10-K", "https://sec.example/cgi?CIK=1&type=10-K"),
        ("https://a.example/a%20b/é", "https://a.example/a%20b/%C3%A9"),
        ("ftp://a.example/", ""),
        ("javascript:alert(1)", ""),
        ("https://", ""),
        ("http://a.example:99999/", ""),
        ("nonsense", ""),
    ],
)
async def test_an_address_has_one_spelling(url: str, clean: str) -> None:
    assert normalise_url(url) == clean
    assert normalise_url(clean) == clean


@given(st.text() | st.text().map(lambda t: f"https://{t}"))
async def test_no_text_makes_the_address_functions_raise(text: str) -> None:
    clean = normalise_url(text)
    assert normalise_url(clean) == clean
    assert isinstance(host_of(text), str)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://news.bbc.co.uk/x", "bbc.co.uk"),
        ("https://www.example.com/", "example.com"),
        ("http://127.0.0.1:80/", "127.0.0.1"),
        ("http://[::1]/", "::1"),
        ("no", ""),
    ],
)
async def test_a_publisher_is_known_by_its_registered_host(url: str, host: str) -> None:
    assert host_of(url) == host
