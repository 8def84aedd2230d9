"""What is particular to Wikipedia: which article is meant, and how its plain text is taken apart."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.standins.http_rig import HttpRig
from tests.standins.rig_wikipedia import ARTICLE, WikipediaRig, hit, missing, page, read, search_reply
from tests.standins.web_server import Asked, Told, World, told
from tools.base import FailureKind, SourceEnv, SourceError, SourceReply, SubjectHint
from tools.reading.wikipedia_text import MOST_CHARS, first_sentence, sections
from tools.wikipedia import Wikipedia, WikipediaArgs

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1"])

ACME = WikipediaArgs(title_or_name="Acme")
LEAD = "Acme Inc. is an American company that makes anvils."


async def fetch(folder: Path, world: World, args: WikipediaArgs = ACME) -> tuple[SourceReply, list[Asked]]:
    async with WikipediaRig.open(folder) as rig:
        assert isinstance(rig, HttpRig)
        rig.server.world = world
        return await rig.source.fetch(args), rig.server.requests


def serving(first: Told, articles: dict[str, Told] | None = None) -> World:
    """A Wikipedia that answers the search with `first` and has these articles."""

    def world(asked: Asked) -> Told:
        return first if "srsearch" in asked.params else (articles or {})[asked.params["titles"]]

    return world


# --- which article ---


@pytest.mark.asyncio
async def test_the_article_in_brackets_is_read_where_the_plain_title_is_another_thing(tmp_path: Path) -> None:
    first = search_reply([page("Acme", "Fruit that grows on a tree"), page("Acme Inc.", "American company")],
                         redirects=({"from": "Acme (company)", "to": "Acme Inc."},))  # fmt: skip
    reply, requests = await fetch(tmp_path, serving(first, {"Acme Inc.": read("Acme Inc.", LEAD, "American company")}))
    assert [d.title for d in reply.documents] == ["Acme Inc. (Wikipedia)"] * 2
    assert len(requests) == 2


@pytest.mark.asyncio
async def test_a_company_comes_before_a_service_of_that_name(tmp_path: Path) -> None:
    first = search_reply([page("Acme", "Messaging platform"), page("Acme (company)", "American software company")])
    article = read("Acme (company)", LEAD)
    reply, _ = await fetch(tmp_path, serving(first, {"Acme (company)": article}))
    assert reply.documents


@pytest.mark.asyncio
async def test_without_a_title_that_fits_the_search_finds_the_article(tmp_path: Path) -> None:
    first = search_reply(
        [missing("Acme"), missing("Acme (company)")],
        hit("Acme Records", "<span>Acme</span> Records is a company"),
        hit("Acme (mountain)", "a mountain"),
        hit("Acme (anvils)", "is an American <span class='searchmatch'>company</span>"),
    )
    reply, _ = await fetch(tmp_path, serving(first, {"Acme (anvils)": read("Acme (anvils)", LEAD)}))
    assert {d.about for d in reply.documents} == {"Acme"}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "first",
    [
        search_reply([missing("Acme")], hit("Acme Records", "a company")),
        search_reply([page("Acme", "Fictional company in cartoons")]),
        search_reply(
            [page("Acme", "American company")], redirects=({"from": "Acme", "to": "Acme", "tofragment": "X"},)
        ),
        search_reply([page("Acme", "American company", pageprops={"disambiguation": ""})]),
        search_reply([page("Acme", "American company", ns=4)]),
        told({"batchcomplete": True}),
    ],
    ids=["other name", "fictional", "a section elsewhere", "disambiguation", "other namespace", "nothing at all"],
)
async def test_where_no_article_is_about_the_company_there_is_no_answer(tmp_path: Path, first: Told) -> None:
    reply, requests = await fetch(tmp_path, serving(first))
    assert reply == SourceReply()
    assert len(requests) == 1


@pytest.mark.asyncio
async def test_an_article_without_a_description_must_say_in_its_first_sentence_that_it_is_a_company(
    tmp_path: Path,
) -> None:
    first = search_reply([page("Acme")])
    summit = read("Acme", "Acme is the highest point of ancient thought and of mountains in general.")
    assert (await fetch(tmp_path / "a", serving(first, {"Acme": summit})))[0] == SourceReply()
    singer = read("Acme", "Ann Acme is an American singer with a record company in Boston, a city in Massachusetts.")
    assert (await fetch(tmp_path / "b", serving(first, {"Acme": singer})))[0] == SourceReply()
    firm = read("Acme", "Acme, Inc. is a retail chain founded by the singer Wile Coyote in Boston, a city in America.")
    assert (await fetch(tmp_path / "c", serving(first, {"Acme": firm})))[0].documents


@pytest.mark.asyncio
async def test_a_redirect_to_the_buyer_s_article_is_not_about_the_company(tmp_path: Path) -> None:
    def world(sentence: str) -> World:
        first = search_reply([page("Globex", "American company")], redirects=({"from": "Acme", "to": "Globex"},))
        return serving(first, {"Globex": read("Globex", sentence, "American company")})

    bought, _ = await fetch(tmp_path / "a", world("Globex is an American company. It bought Acme in 2020."))
    renamed, _ = await fetch(tmp_path / "b", world("Globex, formerly Acme, Inc., is an American company."))
    assert bought == SourceReply()
    assert {d.about for d in renamed.documents} == {"Acme"}


@pytest.mark.asyncio
async def test_an_article_about_another_wikidata_item_is_a_namesake_s(tmp_path: Path) -> None:
    args = WikipediaArgs(title_or_name="Acme", wikidata_id="Q1")
    wrong = page("Acme", "American company", "Q2")
    right = page("Acme Holdings", "American company", "Q1")
    none, _ = await fetch(tmp_path / "a", serving(search_reply([wrong])), args)
    first = search_reply([wrong, right], redirects=({"from": "Acme (company)", "to": "Acme Holdings"},))
    found, _ = await fetch(
        tmp_path / "b", serving(first, {"Acme Holdings": read("Acme Holdings", LEAD, item="Q1")}), args
    )
    assert none == SourceReply()
    assert found.documents


@pytest.mark.asyncio
async def test_an_article_that_is_gone_in_the_meantime_is_nothing(tmp_path: Path) -> None:
    first = search_reply([page("Acme", "American company")])
    gone = told({"batchcomplete": True, "query": {"pages": [missing("Acme")]}})
    assert (await fetch(tmp_path, serving(first, {"Acme": gone})))[0] == SourceReply()


@pytest.mark.asyncio
async def test_no_syntax_of_a_search_or_of_a_title_gets_through(tmp_path: Path) -> None:
    args = WikipediaArgs(title_or_name='-Ac|me "Inc." intitle:x')
    _, requests = await fetch(tmp_path, serving(search_reply([])), args)
    assert requests[0].params["titles"] == "Ac me Inc. intitle:x|Ac me Inc. intitle:x (company)"
    assert requests[0].params["srsearch"] == "Ac me Inc. intitle x company"


# --- documents ---


@pytest.mark.asyncio
async def test_the_first_sentence_has_a_document_of_its_own_and_prose_has_no_fields(tmp_path: Path) -> None:
    async with WikipediaRig.open(tmp_path) as rig:
        reply = await rig.source.fetch(rig.good)
    first, lead, history, products = reply.documents
    assert first.text == "Acme Inc. is an American company that makes anvils and is headquartered in Boston, U.S."
    assert [(f.dataset, f.field, f.value) for f in first.fields] == [("profile", "summary", first.text)]
    assert lead.text.startswith(first.text)
    assert [d.fields for d in (lead, history, products)] == [(), (), ()]
    assert history.text.split("\n")[1] == "2020s"
    assert {d.published_at for d in reply.documents} == {datetime(2026, 10, 2, 11, tzinfo=UTC)}
    assert all("CC BY-SA 4.0" in d.licence and d.origin == "wikipedia.org" for d in reply.documents)


@pytest.mark.asyncio
async def test_each_section_has_its_own_address(tmp_path: Path) -> None:
    async with WikipediaRig.open(tmp_path) as rig:
        reply = await rig.source.fetch(rig.good)
    base = "https://en.wikipedia.org/wiki/Acme_(company)"
    assert [d.url for d in reply.documents] == [base, base, f"{base}#History", f"{base}#Products_&_services"]


@pytest.mark.asyncio
async def test_an_address_outside_wikipedia_is_not_taken_over(tmp_path: Path) -> None:
    odd = page("Acme", "American company", extract=LEAD, fullurl="https://evil.example/wiki/Acme", canonicalurl=7)
    article = told({"query": {"pages": [odd]}})
    reply, _ = await fetch(tmp_path, serving(search_reply([page("Acme", "American company")]), {"Acme": article}))
    assert {d.url for d in reply.documents} == {"https://en.wikipedia.org/wiki/Acme"}
    assert {d.published_at for d in reply.documents} == {None}


@pytest.mark.asyncio
async def test_the_older_reply_shape_is_read_too(tmp_path: Path) -> None:
    first = told({"batchcomplete": "", "query": {
        "pages": {"-1": {"ns": 0, "title": "Acme", "missing": ""}, "7": page("Acme (company)", "American company")},
        "search": [],
    }})  # fmt: skip
    extract = {"pageid": 7, "ns": 0, "title": "Acme (company)", "extract": ARTICLE}
    article = told({"batchcomplete": "", "query": {"pages": {"7": extract}}})
    reply, _ = await fetch(tmp_path, serving(first, {"Acme (company)": article}))
    assert len(reply.documents) == 4


def test_a_first_sentence_does_not_end_at_an_abbreviation() -> None:
    lead = "Acme Co. Ltd. (formerly A. B. Co.) is a U.S. maker of anvils vs. rockets. It is old."
    assert first_sentence(lead) == "Acme Co. Ltd. (formerly A. B. Co.) is a U.S. maker of anvils vs. rockets."
    assert first_sentence("Acme sells things in Boston, U.S.\nIt is old.") == ""
    assert first_sentence("") == ""


def test_sections_without_prose_are_left_out_and_namesakes_are_counted() -> None:
    prose = "A long enough sentence about anvils that nobody would take for a heading. " * 2
    text = f"{LEAD}\n== History ==\n{prose}\n== Awards ==\n== History ==\n{prose}\n== External links ==\n{prose}"
    assert [(s.heading, s.anchor) for s in sections(text)] == [
        ("", ""),
        ("History", "History"),
        ("History", "History_2"),
    ]
    assert [s.anchor for s in sections(f"== Übernahme (2020) ==\n{prose}")] == ["%C3%9Cbernahme_(2020)"]


def test_a_long_section_is_cut_at_the_end_of_a_sentence() -> None:
    found = next(sections("Anvils are heavy and are made of steel. " * 1_000))
    assert MOST_CHARS - 50 < len(found.text) <= MOST_CHARS
    assert found.text.endswith("steel.")


def test_text_that_is_nearly_all_markup_is_read_in_linear_time() -> None:
    for odd in (" " * 200_000, "=" * 200_000, "==" + " " * 200_000, "(" * 200_000, "=== " * 50_000):
        assert len(list(sections(odd))) <= 1


# --- failures ---


@pytest.mark.asyncio
async def test_a_failing_second_request_is_a_failure_and_not_an_empty_answer(tmp_path: Path) -> None:
    first = search_reply([page("Acme", "American company")])
    with pytest.raises(SourceError) as caught:
        await fetch(tmp_path, serving(first, {"Acme": told({"message": "Slow down"}, 429)}))
    assert caught.value.kind is FailureKind.RATE_LIMITED


@pytest.mark.asyncio
async def test_whatever_is_wrong_inside_a_reply_nothing_but_a_source_error_comes_out(tmp_path: Path) -> None:
    dice = random.Random(5)
    odd: list[Any] = [None, 7, -1.5, "", "==", [], {}, [1], True, "(", "== A ==\n== A", 10**30, {"title": 5}, "\ud800"]

    def spoil(value: Any, chance: float) -> Any:
        if dice.random() < chance:
            return dice.choice(odd)
        if isinstance(value, dict):
            return {k: spoil(v, chance) for k, v in value.items()}
        return [spoil(v, chance) for v in value] if isinstance(value, list) else value

    chance = 0.0

    def world(asked: Asked) -> Told:
        params = asked.params if "srsearch" in asked.params else {**asked.params, "titles": "Acme (company)"}
        good = WikipediaRig.world(Asked(asked.host, asked.path, params, asked.headers))
        return told(spoil(json.loads(good.body), chance))

    outcomes = set()
    async with WikipediaRig.open(tmp_path) as rig:
        assert isinstance(rig, HttpRig)
        rig.server.world = world
        for n in range(150):
            chance = 0.01 * (1 + n % 12)
            try:
                outcomes.add("reply" if (await rig.source.fetch(rig.good)).documents else "nothing")
            except SourceError as exc:
                outcomes.add(exc.kind)
    assert {"reply", "nothing", FailureKind.MALFORMED} <= outcomes


def test_one_call_serves_every_dataset() -> None:
    source = Wikipedia(SourceEnv())
    hint = SubjectHint(name="Acme, Inc.", cik="1")
    assert {tuple(source.suggest(hint, d, "?")) for d in source.datasets} == {
        (WikipediaArgs(title_or_name="Acme, Inc."),)
    }
