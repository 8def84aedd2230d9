"""What is read from each kind of feed, and that no feed can make us expand, fetch or open anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standins.rig_feeds import RSS
from tools.base import FailureKind, SourceError
from tools.reading.contacts import without_contacts
from tools.reading.feeds_reading import Feed, kind_of, read_json, read_xml
from tools.reading.texts import mentions, plain, shortened

AT = "https://www.acme.example/feed.xml"


def rss(*items: str) -> bytes:
    return f'<rss version="2.0"><channel><title>N</title>{"".join(items)}</channel></rss>'.encode()


def read(body: bytes) -> Feed:
    return read_xml(body, {"content-type": "application/xml"}, AT)


@pytest.mark.parametrize(
    ("body", "kind", "is_a"),
    [
        ("\ufeff  <?xml version='1.0'?><!-- <html> --><rss version='2.0'>", "text/html", "feed"),
        ("<rdf:RDF xmlns='http://purl.org/rss/1.0/'>", "", "feed"),
        ("<a:feed xmlns:a='http://www.w3.org/2005/Atom'>", "application/xml", "feed"),
        ("<!DOCTYPE rss PUBLIC '-//Netscape//DTD RSS 0.91//EN' 'x'><rss>", "", "feed"),
        ("<!DOCTYPE html><title>x</title>", "application/rss+xml", "page"),
        ("<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'>", "", "page"),
        ("<p>Hello</p>", "text/html", "page"),
        ("<urlset><url/></urlset>", "application/xml", "other"),
    ],
)
def test_content_tells_what_a_body_is(body: str, kind: str, is_a: str) -> None:
    assert kind_of(body.encode(), kind) == is_a
    assert kind_of(body.encode("utf-16"), kind) == is_a


# --- RSS and Atom -----------------------------------------------------------------------------------------------------


def test_atom_is_read_with_its_relative_links_and_its_fuller_text() -> None:
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://blog.acme.example/x/"><title>B</title>
    <entry><title type="html">R&amp;amp;D &lt;em&gt;news&lt;/em&gt;</title><link rel="self" href="self"/>
    <link href="post/1"/>
    <updated>2026-11-05T10:00:00Z</updated><published>2026-11-03T23:30:00-02:00</published><summary>Short.</summary>
    <content type="html">
    &lt;p&gt;Long &lt;b&gt;text&lt;/b&gt;.&lt;/p&gt;&lt;script&gt;evil()&lt;/script&gt;</content></entry></feed>"""
    (entry,) = read(body).entries
    assert (entry.url, entry.title) == ("https://blog.acme.example/x/post/1", "R&D news")
    assert entry.text == "Long text."
    assert entry.published_at == datetime(2026, 11, 4, 1, 30, tzinfo=UTC)


def test_rss_1_and_a_latin_1_feed_are_read() -> None:
    body = (
        '<?xml version="1.0" encoding="iso-8859-1"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><item rdf:about="x"><title>Süd'
        "</title><link>https://acme.example/1</link><dc:date>2026-11-03</dc:date></item></rdf:RDF>"
    ).encode("iso-8859-1")
    (entry,) = read_xml(body, {"content-type": "text/xml"}, AT).entries
    assert (entry.title, entry.published_at) == ("Süd", datetime(2026, 11, 3, tzinfo=UTC))


@pytest.mark.parametrize(
    ("stated", "known"),
    [
        ("Tue, 03 Nov 2026 10:00:00 EST", datetime(2026, 11, 3, 15, tzinfo=UTC)),
        ("2026-11-03T10:00:00+02:00", datetime(2026, 11, 3, 8, tzinfo=UTC)),
        ("3 November 2026", datetime(2026, 11, 3, tzinfo=UTC)),
        ("2026", None),
        ("2026-11", None),
        ("Nov 2026 10:00:00", None),
        ("03/11/2026", None),
        ("31 Feb 2026", None),
        ("0001-01-01T00:00:00Z", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_counts_only_when_it_names_a_day(stated: str, known: datetime | None) -> None:
    item = f"<item><title>T</title><link>/1</link><pubDate>{stated}</pubDate></item>"
    assert read(rss(item)).entries[0].published_at == known


def test_an_identifier_serves_as_the_address_only_when_it_is_one() -> None:
    items = [
        "<item><title>A</title><guid>https://acme.example/a</guid></item>",
        "<item><title>B</title><guid isPermaLink='false'>acme-7</guid></item>",
        "<item><title>C</title><link>javascript:alert(1)</link></item>",
        "<item><link>https://acme.example/d</link></item>",
    ]
    assert [e.url for e in read(rss(*items)).entries] == ["https://acme.example/a"]
    with pytest.raises(SourceError):
        read(rss(*items[1:]))


def test_a_feed_that_breaks_off_gives_what_came_whole() -> None:
    whole = RSS.encode()
    kept = read(whole[: whole.index(b"Anvil 3 is") + 8])
    assert [e.title for e in kept.entries] == ["Acme & Sons open a plant in Oslo"]
    assert "broke off" in kept.note
    with pytest.raises(SourceError) as caught:
        read(whole[: whole.index(b"<title>Acme &amp;amp;")])
    assert caught.value.kind is FailureKind.MALFORMED


def test_a_careless_feed_with_a_bare_ampersand_is_read_whole() -> None:
    feed_ = read(rss("<item><title>R&D at AT&T&nbsp;now</title><link>/1</link></item>"))
    assert [e.title for e in feed_.entries] == ["R&D at AT&T now"]
    assert feed_.note == ""


# --- hostile feeds ----------------------------------------------------------------------------------------------------


def laughs(between: str) -> str:
    inner = [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)]
    declared = between.join(['<!ENTITY l0 "ha">', *inner])
    item = "<item><title>Acme &l9; end</title><link>/1</link></item>"
    root = f'<rss version="2.0"><channel>{item}</channel></rss>'
    return f'<?xml version="1.0"?>{between}<!DOCTYPE rss [{between}{declared}]>{root}'


@pytest.mark.parametrize("between", ["", "\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_a_billion_laughs_are_not_laughed(between: str, encoding: str) -> None:
    try:
        entries = read(laughs(between).encode(encoding)).entries
    except SourceError:
        return
    assert all("haha" not in f"{e.title}{e.text}" and len(e.title) < 100 for e in entries)


@pytest.mark.parametrize("markup", ["", '<!ENTITY m "<b>">'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_an_external_entity_is_neither_opened_nor_asked_for(
    tmp_path: Path, markup: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / "planted.txt"
    planted.write_text("PLANTED")
    asked: list[object] = []
    monkeypatch.setattr("urllib.request.OpenerDirector.open", lambda *args, **more: asked.append(args))
    monkeypatch.setattr("socket.create_connection", lambda *args, **more: asked.append(args))
    body = (
        f'<?xml version="1.0"?><!DOCTYPE rss [{markup}<!ENTITY x SYSTEM "{planted.as_uri()}">'
        '<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]><rss version="2.0" xmlns:xi="http://www.w3.org/2001/XInclude">'
        f'<channel><item><title>A &x; B</title><link>/1</link><description><xi:include href="{planted.as_uri()}" parse="text"/>'
        "</description></item></channel></rss>"
    )
    try:
        entries = read(body.encode(encoding)).entries
    except SourceError:
        entries = ()
    assert "PLANTED" not in repr(entries)
    assert asked == []


def test_a_body_that_is_the_name_of_a_file_does_not_open_it(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_bytes(RSS.encode())
    with pytest.raises(SourceError):
        read(str(path).encode())


# --- JSON Feed --------------------------------------------------------------------------------------------------------


def test_a_json_feed_is_read() -> None:
    items = [
        {
            "id": "1",
            "url": "/1",
            "title": "T",
            "content_html": "<p>A &amp; B</p>",
            "date_published": "2026-11-03T10:00:00Z",
        },
        {"id": "https://acme.example/2", "content_text": "if a < b then c", "date_modified": "2026-11-04"},
        {"id": 3, "title": None, "summary": []},
        None,
    ]
    found = read_json(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}).encode(), AT)
    assert [(e.url, e.title, e.text) for e in found.entries] == [
        ("https://www.acme.example/1", "T", "A & B"),
        ("https://acme.example/2", "", "if a < b then c"),
    ]
    assert found.entries[1].published_at == datetime(2026, 11, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "answer",
    [b"{", b"[]", b"{}", b'{"version": 1, "items": []}', b'{"version": "https://jsonfeed.org/version/1", "items": {}}',
     b'{"version": "https://jsonfeed.org/version/1", "items": [{}]}', b"[" * 100_000],
)  # fmt: skip
def test_json_that_is_no_feed_is_malformed(answer: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        read_json(answer, AT)
    assert caught.value.kind is FailureKind.MALFORMED


# --- texts ------------------------------------------------------------------------------------------------------------


def test_markup_becomes_text() -> None:
    assert plain("<p>A&nbsp;&lt;b&gt; <i>c</i>d</p><style>x{}</style><ul><li>e<li>f</ul>1 < 2<!-- n -->") == (
        "A <b> cd\ne\nf\n1 < 2"
    )


def test_a_long_text_ends_with_a_sentence() -> None:
    assert shortened("One is here. Two is here. Three is", 30) == "One is here. Two is here."
    assert shortened("no sentence ends in this text", 12) == "no sentence"


def test_contacts_of_people_are_left_out_and_figures_stay() -> None:
    said = (
        "Ask jane.doe+pr@press.acme.example or +47 22 33 44 55, (555) 123-4567. It cost $3,626,396,000 in 2026-11-03."
    )
    kept = without_contacts(said)
    assert "@" not in kept
    assert "22 33" not in kept
    assert "4567" not in kept
    assert "$3,626,396,000 in 2026-11-03." in kept


def test_a_footer_of_the_publishing_program_is_no_news() -> None:
    told_ = "Anvil 3 is out.&lt;p&gt;The post &lt;a&gt;Anvil 3&lt;/a&gt; appeared first on &lt;a&gt;Acme&lt;/a&gt;.&lt;/p&gt;"
    (entry,) = read(rss(f"<item><title>T</title><link>/1</link><description>{told_}</description></item>")).entries
    assert entry.text == "Anvil 3 is out."


@given(st.text(max_size=60), st.text(max_size=12))
def test_no_text_and_no_name_upset_the_comparison(text: str, name: str) -> None:
    assert mentions(f"{text} Acme!", "Acme")
    mentions(text, name)
    plain(text)


# --- whatever comes ---------------------------------------------------------------------------------------------------

pieces = st.sampled_from(
    [
        "<item>",
        "</item>",
        "<title>",
        "</title>",
        "<link>",
        "https://a.example/",
        "&amp;",
        "&x;",
        "]]>",
        "<![CDATA[",
        "\x00",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces | st.text(max_size=6), max_size=14), st.sampled_from(["utf-8", "utf-16", "latin-1"]))
def test_nothing_but_a_source_error_leaves_a_broken_feed(parts: list[str], encoding: str) -> None:
    body = f'<rss version="2.0"><channel>{"".join(parts)}'.encode(encoding, "replace")
    for spoilt in (body, body[::-1], RSS.encode()[: len(body) * 20]):
        outcome: Feed | FailureKind
        try:
            outcome = read(spoilt)
        except SourceError as exc:
            outcome = exc.kind
        assert outcome is FailureKind.MALFORMED or isinstance(outcome, Feed)


keys = st.sampled_from(["id", "url", "title", "content_html", "content_text", "summary", "date_published"])
values = st.none() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2) | st.just({"a": [1]})


@settings(max_examples=100, deadline=None)
@given(values | st.lists(values | st.dictionaries(keys, values), max_size=4), st.integers(0, 300))
def test_nothing_but_a_source_error_leaves_a_broken_json_feed(items: Any, cut: int) -> None:
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}).encode()
    for spoilt in (body, body[:cut]):
        outcome: Feed | FailureKind
        try:
            outcome = read_json(spoilt, AT)
        except SourceError as exc:
            outcome = exc.kind
        assert outcome is FailureKind.MALFORMED or isinstance(outcome, Feed)
