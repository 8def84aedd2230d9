"""GDELT: the query, its refusals in plain text, JSON that is not quite JSON, and which headlines count for a company."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standins.rig_gdelt import HURRIED, GdeltRig, article, text
from tests.standins.web_server import Asked, Told, told
from tools.base import FailureKind, SourceEnv, SourceError, SourceReply, SubjectHint
from tools.gdelt import Gdelt, GdeltArgs, read

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1"])


async def fetched(folder: Path, answer: Told, **args: Any) -> tuple[SourceReply, Asked]:
    """What is read from an answer, and what was asked."""
    async with GdeltRig.open(folder) as rig:
        assert isinstance(rig, GdeltRig)
        rig.server.world = lambda asked: answer
        reply = await rig.source.fetch(GdeltArgs(**{"query": "Acme", **args}))
        return reply, rig.server.requests[0]


async def failure(folder: Path, answer: Told) -> SourceError:
    """How a fetch fails on an answer."""
    with pytest.raises(SourceError) as caught:
        await fetched(folder, answer)
    return caught.value


def listing(*articles: dict[str, Any]) -> Told:
    return told({"articles": list(articles)})


# --- the query --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("Acme Robotics", '"Acme Robotics" sourcelang:english'),
        ('Acme "Rockets" Ltd', '"Acme Rockets Ltd" sourcelang:english'),
        ("Acme", "Acme sourcelang:english"),  # in quotes it would be too short
        ("A&Co", '"A&Co" sourcelang:english'),  # bare it would hold an illegal character
    ],
)
async def test_a_name_is_asked_for_as_gdelt_takes_it(tmp_path: Path, name: str, asked: str) -> None:
    _, request = await fetched(tmp_path, told({}), query=name, limit=9, timespan="1w")
    assert request.params["query"] == asked
    assert (request.params["maxrecords"], request.params["timespan"]) == ("9", "1w")


async def test_all_languages_are_asked_for_by_an_empty_one(tmp_path: Path) -> None:
    _, request = await fetched(tmp_path, told({}), query="Acme Robotics", language="")
    assert request.params["query"] == '"Acme Robotics"'


async def test_a_query_without_a_letter_is_not_sent(tmp_path: Path) -> None:
    async with GdeltRig.open(tmp_path) as rig:
        with pytest.raises(SourceError) as caught:
            await rig.source.fetch(GdeltArgs(query='"" !'))
        assert caught.value.kind is FailureKind.INVALID_ARGUMENTS
        assert rig.requests == 0


async def test_a_name_too_short_for_gdelt_gives_way_to_a_longer_one() -> None:
    hint = SubjectHint(name="AQ", legal_name="AQ Inc.", aliases=("Aquarius Anvils",))
    suggested = [Gdelt(SourceEnv()).suggest(hint, dataset, "?") for dataset in Gdelt.datasets]
    assert {tuple(s) for s in suggested} == {(GdeltArgs(query="AQ Inc."),)}


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Your query was too short or too long.", FailureKind.INVALID_ARGUMENTS),
        ("The specified phrase is too short.", FailureKind.INVALID_ARGUMENTS),
        ("Your search contained a keyword that was too short.", FailureKind.INVALID_ARGUMENTS),
        ("Parentheses may only be used around OR'd statements.", FailureKind.INVALID_ARGUMENTS),
        ("Invalid/Unsupported Language.", FailureKind.INVALID_ARGUMENTS),
        ("Invalid mode.", FailureKind.MALFORMED),
        ("The moon is full.", FailureKind.MALFORMED),
        ("", FailureKind.MALFORMED),
    ],
)
async def test_a_line_of_text_is_a_refusal_and_never_an_empty_result(
    tmp_path: Path, said: str, kind: FailureKind
) -> None:
    error = await failure(tmp_path, text(said))
    assert error.kind is kind
    assert said[:20] in error.message


@pytest.mark.parametrize("status", [200, 429])
async def test_too_fast_is_said_with_the_pause_and_without_the_address_of_a_person(tmp_path: Path, status: int) -> None:
    error = await failure(tmp_path, text(HURRIED, status))
    assert error.kind is FailureKind.RATE_LIMITED
    assert error.retry_after == 5
    assert "@" not in error.message


async def test_an_error_in_json_is_no_empty_result(tmp_path: Path) -> None:
    assert (await failure(tmp_path, told({"error": "backend down"}))).kind is FailureKind.MALFORMED


# --- JSON that is not quite JSON --------------------------------------------------------------------------------------


async def test_lone_backslashes_and_control_characters_in_titles_are_read_past(tmp_path: Path) -> None:
    body = json.dumps({"articles": [article("Acme TITLE \\\\ now", "https://paper.example/a")]})
    spoilt = body.replace("TITLE", "cuts 5\\% \\u00fcber\x02\ta\\'b \\xyz")
    reply, _ = await fetched(tmp_path, Told(spoilt.encode(), kind="text/html; charset=utf-8"))
    assert reply.documents[0].title == "Acme cuts 5\\% über a\\'b \\xyz \\\\ now"


async def test_half_a_surrogate_pair_does_not_reach_the_store(tmp_path: Path) -> None:
    body = json.dumps({"articles": [article("Acme grins X", "https://paper.example/a")]}).replace("X", "\\ud83d")
    reply, _ = await fetched(tmp_path, Told(body.encode()))
    assert reply.documents[0].text == "Acme grins"


@pytest.mark.parametrize("cut", [1, 40, 150, -2, -1])
async def test_a_body_that_is_cut_short_is_never_repaired(tmp_path: Path, cut: int) -> None:
    body = json.dumps({"articles": [article("Acme \\x", "https://paper.example/a")]}).encode()
    assert (await failure(tmp_path, Told(body[:cut]))).kind is FailureKind.MALFORMED


# --- articles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("Acme 's Inc . ( NYSE : ACM ) Up 3 . 5 %", "Acme's Inc. (NYSE: ACM) Up 3.5%"),
        ("Why Acme ? Because , they say , it ’s $ 5", "Why Acme? Because, they say, it’s $5"),
        ("Acme in 2025 . 5 lessons", "Acme in 2025. 5 lessons"),
        ("Acme - made anvils & more", "Acme - made anvils & more"),
    ],
)
async def test_the_spaces_around_punctuation_go_and_nothing_else_changes(
    tmp_path: Path, given_: str, shown: str
) -> None:
    reply, _ = await fetched(tmp_path, listing(article(given_, "https://paper.example/a")))
    (found,) = reply.documents
    assert (found.title, found.text) == (shown, shown)
    assert shown.replace(" ", "") == given_.replace(" ", "")


async def test_an_article_is_dated_by_when_it_was_seen_and_belongs_to_its_outlet(tmp_path: Path) -> None:
    reply, _ = await fetched(
        tmp_path, listing(article("Acme grows", "https://News.Paper.co.uk/a?utm_source=x&id=7", "20261103T091500Z"))
    )
    (found,) = reply.documents
    assert found.published_at == datetime(2026, 11, 3, 9, 15, tzinfo=UTC)
    assert (found.url, found.origin) == ("https://news.paper.co.uk/a?id=7", "paper.co.uk")
    assert [(f.dataset, f.field, f.quote) for f in found.fields] == [("news", "events", "Acme grows")]
    assert found.fields[0].value == [{"headline": "Acme grows", "url": found.url, "date": "2026-11-03"}]


@pytest.mark.parametrize("seen", ["20261332T000000Z", "2026-11-03", "", None, 20261103091500, "20261103T0915Z"])
async def test_a_date_of_another_form_is_unknown(tmp_path: Path, seen: Any) -> None:
    reply, _ = await fetched(tmp_path, listing(article("Acme grows", "https://paper.example/a", seen)))
    assert reply.documents[0].published_at is None
    assert reply.documents[0].fields[0].value == [{"headline": "Acme grows", "url": "https://paper.example/a"}]


@pytest.mark.parametrize(
    ("name", "title", "counts"),
    [
        ("Target", "Target opens a store", True),
        ("Target", "TARGET OPENS A STORE", True),
        ("Target", "Police target dealers", False),
        ("Target", "Targets are met", False),
        ("C3.ai", "C3 . ai grows", True),
        ("eBay", "Ebay grows", True),
        ("Acme Robotics", "Acme opens a robotics lab", False),
    ],
)
async def test_only_a_headline_that_names_the_company_is_an_event_of_it(
    tmp_path: Path, name: str, title: str, counts: bool
) -> None:
    reply, _ = await fetched(tmp_path, listing(article(title, "https://paper.example/a")), query=name)
    (found,) = reply.documents
    assert bool(found.fields) is counts
    assert found.about == ""


async def test_a_headline_in_many_papers_is_one_document_of_the_earliest(tmp_path: Path) -> None:
    reply, _ = await fetched(
        tmp_path,
        listing(
            article("Acme grows .", "https://late.example/a", "20261103T100000Z"),
            article("ACME grows.", "https://undated.example/a", ""),
            article("Acme grows.", "https://early.example/a", "20261102T100000Z"),
            article("Acme shrinks", "https://late.example/b", "20261101T100000Z"),
        ),
    )
    assert [d.origin for d in reply.documents] == ["early.example", "late.example"]
    assert reply.note.endswith(": 2.")


@pytest.mark.parametrize("answer", [{}, {"articles": []}, {"articles": None}])
async def test_nothing_found_is_an_empty_reply(tmp_path: Path, answer: Any) -> None:
    reply, _ = await fetched(tmp_path, told(answer))
    assert reply == SourceReply()


async def test_an_article_without_title_or_address_is_left_out_but_not_all_of_them(tmp_path: Path) -> None:
    good = article("Acme grows", "https://paper.example/a")
    bad = [{}, None, "x", good | {"title": None}, good | {"url": "javascript:alert(1)"}, good | {"url": "http://[x"}]
    reply, _ = await fetched(tmp_path, told({"articles": [*bad, good]}))
    assert [d.title for d in reply.documents] == ["Acme grows"]
    assert (await failure(tmp_path, told({"articles": bad}))).kind is FailureKind.MALFORMED


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(["url", "title", "seendate", "domain", "language", "socialimage"])
replies = (
    values
    | st.dictionaries(st.sampled_from(["articles", "error", "x"]), values)
    | st.builds(lambda found: {"articles": found}, st.lists(st.dictionaries(keys, values), max_size=4))
)


@settings(max_examples=200, deadline=None)
@given(replies, st.integers(0, 400))
def test_whatever_comes_nothing_but_a_source_error_leaves(reply: Any, cut: int) -> None:
    body = json.dumps(reply)
    for answer in (body, body[:cut], body.replace('"', "\\", 3)):
        try:
            found = read(answer, "Acme")
        except SourceError:
            continue
        assert all(f.quote in d.text for d in found.documents for f in d.fields)
