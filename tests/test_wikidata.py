"""What is particular to Wikidata: which item is meant, and what its statements allow to be said."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.standins.http_rig import HttpRig
from tests.standins.rig_wikidata import (
    ACME,
    NAMES,
    WikidataRig,
    amount,
    claim,
    day,
    entities,
    entity,
    item,
    labels,
    mono,
    named,
    string,
)
from tests.standins.web_server import Asked, Told, World, told
from tools.base import FailureKind, SourceEnv, SourceError, SourceReply, SubjectHint
from tools.wikidata import Wikidata, WikidataArgs

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1", "::1"]), pytest.mark.asyncio]

Json = dict[str, Any]
COMPANY = claim("P31", item("Q4830453"))
BY_ID = WikidataArgs(query="Acme", id="Q901")


async def fetch(folder: Path, world: World, args: WikidataArgs = BY_ID) -> tuple[SourceReply, list[Asked]]:
    async with WikidataRig.open(folder) as rig:
        assert isinstance(rig, HttpRig)
        rig.server.world = world
        return await rig.source.fetch(args), rig.server.requests


def serving(*found: Json, names: dict[str, str] | None = None, hits: list[tuple[str, str, str]] | None = None) -> World:
    """A Wikidata that holds these items."""

    def world(asked: Asked) -> Told:
        if asked.params["action"] == "wbsearchentities":
            return named(hits if hits is not None else [(e["id"], e["labels"]["en"]["value"], "") for e in found])
        if asked.params["action"] == "query":
            return told({"batchcomplete": True, "query": {"search": []}})
        if "claims" in asked.params["props"]:
            wanted = asked.params["ids"].split("|")
            return entities(*(e for e in found if e["id"] in wanted))
        return labels(NAMES | (names or {}), asked)

    return world


async def said(
    folder: Path, *claims: Json, names: dict[str, str] | None = None
) -> dict[str, list[tuple[str, Any, Any]]]:
    """What an item with these claims gives: field -> sentence, value and date of its document."""
    reply, _ = await fetch(folder, serving(entity("Q901", "Acme", COMPANY, *claims), names=names))
    found: dict[str, list[tuple[str, Any, Any]]] = {}
    for document in reply.documents:
        for f in document.fields:
            found.setdefault(f.field, []).append((f.quote, f.value, document.published_at))
    return found


# --- which item ---


async def test_a_person_or_a_fruit_of_that_name_is_no_company(tmp_path: Path) -> None:
    human = entity("Q5001", "Acme", claim("P31", item("Q5")), claim("P856", string("https://a.example")))
    fruit = entity("Q5002", "Acme", claim("P31", item("Q3314483")), description="fruit")
    reply, requests = await fetch(tmp_path, serving(human, fruit), WikidataArgs(query="Acme"))
    assert reply == SourceReply()
    assert len(requests) == 2


async def test_software_of_that_name_is_no_company_unless_it_is_also_one(tmp_path: Path) -> None:
    site = claim("P856", string("https://acme.example"))
    program = entity("Q1", "Acme", claim("P31", item("Q7397")), site, description="platform of a company")
    both = entity("Q2", "Acme", claim("P31", item("Q7397")), COMPANY, site)
    reply, _ = await fetch(tmp_path, serving(program, both), WikidataArgs(query="Acme"))
    assert [i.wikidata_id for i in reply.identities] == ["Q2"]


async def test_an_item_without_a_known_class_counts_when_it_has_what_only_companies_have(tmp_path: Path) -> None:
    start = claim("P571", day("2015-00-00", 9))
    listed = entity("Q1", "Acme", start, claim("P452", item("Q911")))
    described = entity("Q2", "Acme", start, description="German software company")
    neither = entity("Q3", "Acme", start, description="festival in Spain")
    reply, _ = await fetch(tmp_path, serving(listed, described, neither), WikidataArgs(query="Acme"))
    assert {i.wikidata_id for i in reply.identities} == {"Q1", "Q2"}


async def test_a_hit_that_only_begins_with_the_name_is_not_even_read(tmp_path: Path) -> None:
    hits = [("Q1", "Acme Records", "Acme Records"), ("Q2", "Acme Bank", "Acme Bank")]
    reply, requests = await fetch(tmp_path, serving(hits=hits), WikidataArgs(query="Acme, Inc."))
    assert reply == SourceReply()
    assert [r.params["search"] for r in requests] == ["Acme"]


async def test_the_better_known_company_comes_first_and_the_other_is_named(tmp_path: Path) -> None:
    small = entity("Q1", "Acme", COMPANY, claim("P571", day("2020-00-00", 9)), description="bakery", wikis=2)
    alias = entity("Q2", "Acme Platforms", COMPANY, claim("P571", day("2004-00-00", 9)), aliases=("ACME",), wikis=90)
    hits = [("Q1", "Acme", "Acme"), ("Q2", "Acme Platforms", "ACME")]
    reply, _ = await fetch(tmp_path, serving(small, alias, hits=hits), WikidataArgs(query="Acme"))
    assert [i.wikidata_id for i in reply.identities] == ["Q2", "Q1"]
    assert {d.about for d in reply.documents} == {"Acme"}
    assert "Acme (bakery, Q1)" in reply.note


async def test_a_ticker_decides_between_namesakes(tmp_path: Path) -> None:
    listed = entity("Q1", "Acme", COMPANY, claim("P414", item("Q921"), P249=string("acm")), wikis=1)
    known = entity("Q2", "Acme", COMPANY, wikis=60)
    reply, _ = await fetch(tmp_path, serving(listed, known), WikidataArgs(query="Acme", ticker="ACM"))
    assert [i.wikidata_id for i in reply.identities] == ["Q1", "Q2"]
    assert reply.note == ""


async def test_a_namesake_with_another_sec_number_is_not_answered(tmp_path: Path) -> None:
    other = entity("Q1", "Acme", COMPANY, claim("P5531", string("0000000077")))
    reply, requests = await fetch(tmp_path, serving(other), WikidataArgs(query="Acme", cik="123456"))
    assert reply == SourceReply()
    assert [r.params["action"] for r in requests] == ["query", "wbsearchentities", "wbgetentities"]


async def test_an_unknown_number_is_a_failure_that_says_so(tmp_path: Path) -> None:
    error = {"error": {"code": "no-such-entity", "info": 'Could not find an entity with the ID "Q901".', "id": "Q901"}}
    with pytest.raises(SourceError) as caught:
        await fetch(tmp_path, lambda asked: told(error))
    assert caught.value.kind is FailureKind.NOT_FOUND


@pytest.mark.parametrize(
    ("error", "kind", "retry"),
    [
        ({"error": {"code": "maxlag", "info": "Waiting", "lag": 6}}, FailureKind.RATE_LIMITED, 5.0),
        ({"error": {"code": "invalid-entity-id", "info": "No"}}, FailureKind.INVALID_ARGUMENTS, 5.0),
        ({"error": {"code": "something-new", "info": "No"}}, FailureKind.MALFORMED, 5.0),
        ({"error": "Something went wrong."}, FailureKind.MALFORMED, None),
        ({"errors": [{"code": "readonly", "text": "Back soon"}]}, FailureKind.UNREACHABLE, 5.0),
    ],
)
async def test_errors_that_come_with_status_200_have_their_kind(
    tmp_path: Path, error: Json, kind: FailureKind, retry: float | None
) -> None:
    with pytest.raises(SourceError) as caught:
        await fetch(tmp_path, lambda asked: told(error, Retry_After="5"))
    assert (caught.value.kind, caught.value.retry_after) == (kind, retry)


# --- what is said ---


async def test_a_past_chief_executive_and_a_past_seat_are_not_told(tmp_path: Path) -> None:
    async with WikidataRig.open(tmp_path) as rig:
        reply = await rig.source.fetch(rig.good)
    everything = "\n".join(d.text for d in reply.documents)
    assert "Ada Runner has been chief executive officer of Acme since July 1, 2021." in everything
    assert "Wile Coyote has been" not in everything
    assert "Acme is headquartered in Boston, United States." in everything
    assert "Tucson" not in everything


async def test_an_end_at_an_unknown_time_is_an_end_and_no_end_is_none(tmp_path: Path) -> None:
    found = await said(
        tmp_path, claim("P169", item("Q918"), P582="somevalue"), claim("P169", item("Q919"), P582="novalue")
    )
    assert [v["name"] for _, v, _ in found["people"]] == ["Ada Runner"]


async def test_a_preferred_statement_that_has_ended_does_not_hide_the_one_that_holds(tmp_path: Path) -> None:
    found = await said(
        tmp_path,
        claim("P169", item("Q918"), "preferred", P582=day("2024-05-01")),
        claim("P169", item("Q919")),
        claim("P488", item("Q918"), "deprecated"),
        claim("P488", "somevalue"),
    )
    assert [(v["name"], v["role"]) for _, v, _ in found["people"]] == [("Ada Runner", "Chief executive officer")]


async def test_a_figure_is_dated_by_what_it_is_stated_for_and_the_rest_by_the_last_edit(tmp_path: Path) -> None:
    async with WikidataRig.open(tmp_path) as rig:
        reply = await rig.source.fetch(rig.good)
    dates = {f.field: d.published_at for d in reply.documents for f in d.fields}
    values = {f.field: f.value for d in reply.documents for f in d.fields}
    assert dates["employees"] == datetime(2025, 1, 31, tzinfo=UTC)
    assert dates["revenue"] == datetime(2024, 12, 31, tzinfo=UTC)
    assert dates["people"] == dates["founded"] == datetime(2026, 9, 30, 8, 15, tzinfo=UTC)
    assert values["employees"] == {"n": 5200, "as_of": "2025-01-31"}
    assert values["revenue"] == {"value": 1500000000.5, "currency": "USD", "period": "2024"}


async def test_a_figure_without_a_date_has_no_date(tmp_path: Path) -> None:
    found = await said(tmp_path, claim("P1128", amount("+70")), claim("P2139", amount("+9000", "Q4916")))
    assert found["employees"] == [
        ("Acme has 70 employees; Wikidata gives no date for the count.", {"n": 70, "as_of": None}, None)
    ]
    assert found["revenue"][0][0] == "Acme had revenue of EUR 9,000; Wikidata gives no date for the figure."
    assert found["revenue"][0][2] is None


async def test_a_figure_of_the_running_year_is_not_dated_after_the_last_edit(tmp_path: Path) -> None:
    found = await said(tmp_path, claim("P1128", amount("+70"), P585=day("2026-00-00", 9)))
    assert found["employees"][0][0] == "Acme had 70 employees in 2026."
    assert found["employees"][0][2] == datetime(2026, 9, 30, 8, 15, tzinfo=UTC)


async def test_figures_of_a_part_and_in_units_that_are_no_money_are_left_out(tmp_path: Path) -> None:
    found = await said(
        tmp_path,
        claim("P1128", amount("+12"), P518=item("Q917"), P585=day("2025-01-01")),
        claim("P2139", amount("+5")),
        claim("P3362", amount("-2500000", "Q4917"), P585=day("2024-12-31")),
    )
    assert set(found) == {"operating_income"}
    assert found["operating_income"][0][0] == (
        "Acme had operating income of -$2,500,000 for the period dated December 31, 2024."
    )


@pytest.mark.parametrize(
    ("written", "precision", "words", "value"),
    [
        ("2012-06-01", 11, "on June 1, 2012", "2012-06-01"),
        ("2012-06-00", 10, "in June 2012", "2012-06"),
        ("2012-00-00", 9, "in 2012", "2012"),
        ("2012-06-01", 9, "in 2012", "2012"),
    ],
)
async def test_a_date_is_told_as_precisely_as_it_is_known(
    tmp_path: Path, written: str, precision: int, words: str, value: str
) -> None:
    found = await said(tmp_path, claim("P571", day(written, precision)))
    assert found["founded"][0][:2] == (f"Acme was founded {words}.", value)


async def test_what_is_no_certain_date_is_not_told(tmp_path: Path) -> None:
    decade, impossible = day("1990-00-00", 8), day("2012-13-45", 11)
    found = await said(tmp_path, claim("P571", decade), claim("P571", impossible))
    assert "founded" not in found
    julian = await said(tmp_path / "second", claim("P571", day("1750-02-03", 11, "Q1985786")))
    assert julian["founded"][0][1] == "1750"


async def test_the_country_of_the_company_is_not_made_the_country_of_the_seat(tmp_path: Path) -> None:
    found = await said(tmp_path, claim("P159", item("Q913")), claim("P17", item("Q914")))
    assert found["hq"][0][:2] == ("Acme is headquartered in Boston; its country is United States.", "Boston")


async def test_an_owner_of_a_part_is_no_parent(tmp_path: Path) -> None:
    minority = await said(tmp_path / "a", claim("P127", item("Q916"), P1107=amount("+0.07")))
    several = await said(tmp_path / "b", claim("P127", item("Q916")), claim("P127", item("Q917")))
    whole = await said(tmp_path / "c", claim("P127", item("Q916"), P1107=amount("+0.9"), P580=day("2019-00-00", 9)))
    assert "parent" not in minority | several
    assert whole["parent"][0][:2] == ("Acme has been owned by Globex since 2019.", "Globex")


async def test_a_role_that_is_named_is_told_instead_of_the_general_one(tmp_path: Path) -> None:
    found = await said(
        tmp_path, claim("P1037", item("Q918"), P39=item("Q930")), names={"Q930": "chief technology officer"}
    )
    assert found["people"][0][:2] == (
        "Wile Coyote is chief technology officer of Acme.",
        {"name": "Wile Coyote", "role": "Chief technology officer"},
    )


async def test_the_english_official_name_is_taken(tmp_path: Path) -> None:
    found = await said(tmp_path, claim("P1448", mono("Acme Aktiengesellschaft", "de")), claim("P1448", mono("Acme AG")))
    assert found["legal_name"][0][1] == "Acme AG"


async def test_items_without_a_name_are_not_told(tmp_path: Path) -> None:
    found = await said(tmp_path, claim("P355", item("Q999")), claim("P355", item("Q917")))
    assert [v for _, v, _ in found["subsidiaries"]] == ["Acme Rockets"]


async def test_a_merged_item_is_named_all_the_same(tmp_path: Path) -> None:
    def world(asked: Asked) -> Told:
        if "claims" in asked.params["props"]:
            return entities(entity("Q901", "Acme", COMPANY, claim("P355", item("Q940"))))
        merged = {"id": "Q941", "redirects": {"from": "Q940", "to": "Q941"}}
        return told({"entities": {"Q940": {**merged, "labels": {"mul": {"language": "mul", "value": "Acme Toys"}}}}})

    reply, _ = await fetch(tmp_path, world)
    assert "Acme Toys is a subsidiary of Acme." in reply.documents[0].text


async def test_when_the_names_cannot_be_had_the_rest_is_told_and_a_note_says_so(tmp_path: Path) -> None:
    def world(asked: Asked) -> Told:
        return entities(ACME) if "claims" in asked.params["props"] else told({"message": "Slow down"}, 429)

    reply, _ = await fetch(tmp_path, world)
    fields = {f.field for d in reply.documents for f in d.fields}
    assert fields == {"legal_name", "domain", "founded", "employees", "summary", "revenue"}
    assert "left out" in reply.note


async def test_a_dissolved_company_has_no_officers(tmp_path: Path) -> None:
    reply, _ = await fetch(
        tmp_path,
        serving(entity("Q901", "Acme", COMPANY, claim("P576", day("2020-01-01")), claim("P169", item("Q919")))),
    )
    assert "dissolved" in reply.note
    assert reply.documents == ()
    assert [i.name for i in reply.identities] == ["Acme"]


async def test_at_most_fifty_names_are_asked_for(tmp_path: Path) -> None:
    many = [claim(p, item(f"Q{n}")) for p, start in (("P355", 2000), ("P1056", 3000), ("P112", 4000), ("P3320", 5000),
            ("P169", 6000)) for n in range(start, start + 40)]  # fmt: skip
    _, requests = await fetch(tmp_path, serving(entity("Q901", "Acme", COMPANY, *many)))
    assert len(requests) == 2


# --- shapes ---


async def test_the_older_reply_shape_is_read_too(tmp_path: Path) -> None:
    older = copy.deepcopy(entity("Q901", "Acme", COMPANY, claim("P571", day("2012-00-00", 9))))
    older["aliases"], older["descriptions"], older["sitelinks"] = [], [], []
    for statement in older["claims"]["P31"]:
        del statement["mainsnak"]["datavalue"]["value"]["id"]
    reply, _ = await fetch(tmp_path, lambda asked: told({"entities": {"Q901": older}, "success": 1}))
    assert reply.documents[0].text == "Acme was founded in 2012."


async def test_a_deleted_item_is_nothing(tmp_path: Path) -> None:
    reply, _ = await fetch(tmp_path, lambda asked: told({"entities": {"Q901": {"id": "Q901", "missing": ""}}}))
    assert reply == SourceReply()


async def test_whatever_is_wrong_inside_a_reply_nothing_but_a_source_error_comes_out(tmp_path: Path) -> None:
    dice = random.Random(11)
    odd: list[Any] = [None, 7, -1.5, "", "Q0", [], {}, [1], {"value": []}, True, "+2012", 10**30, {"id": 5}, "\ud800"]

    def spoil(value: Any, chance: float) -> Any:
        if dice.random() < chance:
            return dice.choice(odd)
        if isinstance(value, dict):
            return {k: spoil(v, chance) for k, v in value.items()}
        return [spoil(v, chance) for v in value] if isinstance(value, list) else value

    good: Callable[[Asked], Told] = WikidataRig.world
    chance = 0.02

    def world(asked: Asked) -> Told:
        return told(spoil(json.loads(good(asked).body), chance))

    outcomes = set()
    async with WikidataRig.open(tmp_path) as rig:
        assert isinstance(rig, HttpRig)
        rig.server.world = world
        for n in range(150):
            chance = 0.005 * (1 + n % 12)
            try:
                reply = await rig.source.fetch(rig.good)
                outcomes.add("reply" if reply.documents else "nothing")
                assert all(f.quote in d.text for d in reply.documents for f in d.fields)
            except SourceError as exc:
                outcomes.add(exc.kind)
    assert {"reply", "nothing", FailureKind.MALFORMED} <= outcomes


async def test_arguments_carry_every_identifier_that_is_known_and_leave_out_what_is_none() -> None:
    source = Wikidata(SourceEnv())
    hint = SubjectHint(name='Acme "Inc."', cik="0000123456", ticker="acme", domain="acme.example")
    wanted = WikidataArgs(query="Acme Inc.", cik="123456", ticker="ACME")
    assert {tuple(source.suggest(hint, d, "?")) for d in source.datasets} == {(wanted,)}
    assert source.suggest(SubjectHint(name="Acme", cik="CIK 12"), "profile", "?") == (WikidataArgs(query="Acme"),)
    assert source.suggest(SubjectHint(name='"|"'), "profile", "?") == ()
