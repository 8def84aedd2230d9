"""Feeds: how one is found on a site, and which documents come of its entries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.standins.rig_feeds import EMPTY, RSS, FeedsRig, feed
from tests.standins.web_server import NOT_FOUND, Told, page, told
from tools.base import FailureKind, SourceEnv, SourceError, SourceReply, SubjectHint
from tools.feeds import Feeds, FeedsArgs
from tools.fetching import Http
from tools.reading.feeds_finding import likely_feeds, named_feeds

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1"])

SITE = "https://www.acme.example/"
AT = f"{SITE}feed.xml"


def linked(*hrefs: str, kind: str = "application/rss+xml", body: str = "<p>Welcome to Acme.</p>") -> Told:
    """A page that names feeds."""
    links = "".join(f'<link rel="alternate" type="{kind}" title="News" href="{href}">' for href in hrefs)
    return page(f"<!doctype html><html><head><title>Acme</title>{links}</head><body>{body}</body></html>")


async def fetched(folder: Path, web: Mapping[str, Told], **args: Any) -> tuple[SourceReply, list[str]]:
    """A fetch in a world of `host/path` addresses, and the addresses that were asked, robots.txt aside."""
    async with FeedsRig.open(folder) as rig:
        assert isinstance(rig, FeedsRig)
        rig.server.world = lambda asked: web.get(f"{asked.host}{asked.path}", NOT_FOUND)
        reply = await rig.source.fetch(FeedsArgs(**{"url": SITE, "about": "Acme", **args}))
        asked = [f"{a.host}{a.path}" for a in rig.server.requests if a.path != "/robots.txt"]
        return reply, asked


async def failure(folder: Path, web: Mapping[str, Told], **args: Any) -> FailureKind:
    """How a fetch fails."""
    with pytest.raises(SourceError) as caught:
        await fetched(folder, web, **args)
    return caught.value.kind


def rss(*items: str) -> bytes:
    return f'<rss version="2.0"><channel><title>N</title>{"".join(items)}</channel></rss>'.encode()


# --- finding a feed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["www.acme.example", "https://www.acme.example", " https://www.acme.example/ "])
async def test_the_feed_that_a_site_names_is_read(tmp_path: Path, url: str) -> None:
    web = {"www.acme.example/": linked("/a.xml"), "www.acme.example/a.xml": feed(RSS, "text/html")}
    reply, asked = await fetched(tmp_path, web, url=url)
    assert asked == ["www.acme.example/", "www.acme.example/a.xml"]
    assert {d.title for d in reply.documents} == {"Acme & Sons open a plant in Oslo", "Anvil 3 is out"}


async def test_a_site_without_a_feed_is_an_answer_after_two_guesses(tmp_path: Path) -> None:
    reply, asked = await fetched(tmp_path, {"www.acme.example/": page("<html><body>Hello</body></html>")})
    assert reply.documents == ()
    assert "No feed was found" in reply.note
    assert asked == ["www.acme.example/", "www.acme.example/feed", "www.acme.example/rss.xml"]


async def test_a_guess_that_nobody_could_check_is_a_failure_and_not_no_feed(tmp_path: Path) -> None:
    web = {"www.acme.example/": page("<html></html>"), "www.acme.example/rss.xml": page("busy", 503)}
    assert await failure(tmp_path, web) is FailureKind.UNREACHABLE


async def test_a_named_feed_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    web = {"www.acme.example/": linked("/a.xml"), "www.acme.example/a.xml": page("gone", 404)}
    assert await failure(tmp_path, web) is FailureKind.NOT_FOUND


async def test_the_second_named_feed_serves_where_the_first_fails_and_the_reply_says_so(tmp_path: Path) -> None:
    web = {
        "www.acme.example/": linked("/a.xml", "/b.xml", "/c.xml"),
        "www.acme.example/b.xml": feed(RSS),
        "www.acme.example/c.xml": feed(RSS),
    }
    reply, asked = await fetched(tmp_path, web)
    assert reply.documents
    assert "could not be read" in reply.note
    assert asked == ["www.acme.example/", "www.acme.example/a.xml", "www.acme.example/b.xml"]


def test_the_sites_own_feeds_come_first_and_one_of_another_host_is_allowed() -> None:
    body = linked(
        "https://x.example/1", "https://y.example/2", "/comments/feed/", "//blog.acme.example/f", "http://[", ""
    ).body
    assert named_feeds(body, SITE) == [
        "https://blog.acme.example/f",
        "https://www.acme.example/comments/feed/",
        "https://x.example/1",
    ]


def test_other_alternates_are_no_feeds_and_a_base_is_heeded() -> None:
    links = (
        '<base href="https://www.acme.example/de/"><link rel="alternate" hreflang="fr" href="/fr">'
        '<link rel="stylesheet" type="application/rss+xml" href="/s"><LINK REL="feed ALTERNATE" '
        'TYPE="Application/Feed+JSON; charset=utf-8" HREF="f.json">'
    )
    assert named_feeds(f"<html><head>{links}</head></html>".encode(), SITE) == ["https://www.acme.example/de/f.json"]


def test_links_that_look_like_feeds_are_tried_before_the_usual_places() -> None:
    body = b'<html><a href="/blog/">Blog</a><a href="/press/index.rss">RSS</a><a href="https://x.example/feed">x</a></html>'
    assert likely_feeds(body, SITE)[:3] == [f"{SITE}press/index.rss", f"{SITE}blog/feed", f"{SITE}feed"]


@pytest.mark.parametrize("body", [b"", b"<", b"\x00\xff\xfe", b"<html" * 3_000, b"<div>" * 20_000])
def test_no_page_is_too_odd_to_look_for_feeds(body: bytes) -> None:
    assert named_feeds(body, SITE) == []
    assert likely_feeds(body, SITE)[0] == f"{SITE}feed"


async def test_robots_are_asked_and_obeyed(tmp_path: Path) -> None:
    web = {
        "www.acme.example/robots.txt": Told(b"User-agent: *\nDisallow: /feed.xml", kind="text/plain"),
        "www.acme.example/feed.xml": feed(RSS),
    }
    assert await failure(tmp_path, web, url=AT) is FailureKind.BLOCKED_BY_ROBOTS


@pytest.mark.parametrize("url", ["http://127.0.0.1/feed", "file:///etc/passwd", "mailto:a@acme.example"])
async def test_an_address_that_is_not_public_is_refused(tmp_path: Path, url: str) -> None:
    http = Http(tmp_path)
    with pytest.raises(SourceError) as caught:
        await Feeds(SourceEnv(http=http)).fetch(FeedsArgs(url=url))
    assert caught.value.kind is FailureKind.REFUSED_ADDRESS
    await http.aclose()


@pytest.mark.parametrize(
    "answer", [told({"error": "x"}), told([1]), Told(b"plain words", kind="text/plain"), Told(b"")]
)
async def test_what_is_neither_feed_nor_page_is_malformed(tmp_path: Path, answer: Told) -> None:
    assert await failure(tmp_path, {"www.acme.example/": answer}) is FailureKind.MALFORMED


# --- documents --------------------------------------------------------------------------------------------------------


async def test_an_entry_of_the_companys_own_feed_is_an_event_and_prose_about_it(tmp_path: Path) -> None:
    reply, _ = await fetched(tmp_path, {"www.acme.example/feed.xml": feed(RSS)}, url=AT, limit=1)
    event, prose = reply.documents
    assert event.url == prose.url == "https://www.acme.example/news/oslo"
    assert event.published_at == datetime(2026, 11, 3, 8, tzinfo=UTC)
    assert (event.origin, event.about) == ("acme.example", "Acme")
    (found,) = event.fields
    assert (found.dataset, found.field, found.quote) == ("news", "events", "Acme & Sons open a plant in Oslo")
    assert found.value == [{"headline": found.quote, "url": event.url, "date": "2026-11-03"}]
    assert prose.text == "The plant will make anvils for the north.\nIt employs 40 people."
    assert (prose.fields, prose.about) == ((), "Acme")


@pytest.mark.parametrize("args", [{"about": ""}, {"about": "Zenith"}])
async def test_a_feed_that_is_not_known_to_be_the_companys_is_text_and_no_event(
    tmp_path: Path, args: dict[str, str]
) -> None:
    web = {
        "paper.example/": linked("https://elsewhere.example/feed"),
        "elsewhere.example/feed": feed(RSS),
    }
    reply, _ = await fetched(tmp_path, web, url="paper.example", **args)
    assert [d.about for d in reply.documents] == ["", ""]
    assert not any(d.fields for d in reply.documents)
    assert reply.documents[0].text.startswith("Acme & Sons open a plant in Oslo\n\nThe plant")


async def test_a_newspapers_feed_gives_the_entries_that_name_the_company(tmp_path: Path) -> None:
    items = [
        "<item><title>Oslo gets a plant</title><link>/1</link><description>Acme builds it.</description></item>",
        "<item><title>Acme grows</title><link>/2</link></item>",
        "<item><title>The acme of style</title><link>/3</link></item>",
        "<item><title>Acmeist poets</title><link>/4</link></item>",
    ]
    web = {"paper.example/feed": feed(rss(*items).decode())}
    reply, _ = await fetched(tmp_path, web, url="https://paper.example/feed", only_mentioning=True)
    assert [d.title for d in reply.documents] == ["Oslo gets a plant", "Acme grows"]
    assert [d.about for d in reply.documents] == ["", ""]
    assert [len(d.fields) for d in reply.documents] == [0, 1]


async def test_only_mentioning_nobody_makes_no_sense(tmp_path: Path) -> None:
    assert await failure(tmp_path, {}, about=" ", only_mentioning=True) is FailureKind.INVALID_ARGUMENTS


async def test_the_newest_entries_come_first_and_no_more_than_asked(tmp_path: Path) -> None:
    days = [3, 9, 1, 7]
    items = [f"<item><title>T{d}</title><link>/{d}</link><pubDate>{d:02} Nov 2026</pubDate></item>" for d in days]
    items.insert(0, "<item><title>Undated</title><link>/u</link></item>")
    web = {"www.acme.example/feed.xml": feed(rss(*items).decode())}
    reply, _ = await fetched(tmp_path, web, url=AT, limit=3)
    assert [d.title for d in reply.documents] == ["T9", "T7", "T3"]


async def test_an_empty_feed_is_an_empty_reply(tmp_path: Path) -> None:
    reply, _ = await fetched(tmp_path, {"www.acme.example/feed.xml": feed(EMPTY)}, url=AT)
    assert reply == SourceReply()


async def test_a_post_without_a_title_is_called_by_its_first_words_and_is_no_headline(tmp_path: Path) -> None:
    item = "<item><link>https://acme.example/1</link><description>We moved to Oslo.</description></item>"
    reply, _ = await fetched(tmp_path, {"www.acme.example/feed.xml": feed(rss(item).decode())}, url=AT)
    assert [(d.title, d.text, d.fields) for d in reply.documents] == [("We moved to Oslo.", "We moved to Oslo.", ())]


async def test_a_feed_of_many_megabytes_is_refused(tmp_path: Path) -> None:
    item = b"<item><title>Acme</title><link>/1</link></item>"
    big = Told(rss(*[item.decode()] * (Feeds.max_bytes // len(item) + 1)), kind="application/rss+xml")
    assert await failure(tmp_path, {"www.acme.example/feed.xml": big}, url=AT) is FailureKind.MALFORMED


# --- suggestions ------------------------------------------------------------------------------------------------------


def test_the_companys_site_is_suggested_and_then_the_operators_feeds() -> None:
    source = Feeds(SourceEnv(values={"feeds": " https://paper.example/feed \n\nx\n"}))
    suggested = source.suggest(SubjectHint(name="Acme", domain="acme.example"), "news", "?")
    assert [a.model_dump(exclude={"limit"}) for a in suggested] == [
        {"url": "https://acme.example/", "about": "Acme", "only_mentioning": False},
        {"url": "https://paper.example/feed", "about": "Acme", "only_mentioning": True},
    ]
    assert {tuple(source.suggest(SubjectHint(name="Acme", domain="acme.example"), d, "?")) for d in Feeds.datasets} == {
        tuple(suggested)
    }


@pytest.mark.parametrize("domain", ["", " ", "acme", "[", "acme .example/\x00"])
def test_without_a_usable_domain_there_is_nothing_to_suggest(domain: str) -> None:
    assert list(Feeds(SourceEnv()).suggest(SubjectHint(name="Acme", domain=domain), "news", "?")) == []
