"""SEC EDGAR: figures with their periods, reports cut at their items, filings with their dates, and the SEC's own refusals."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.standins import edgar_world as sec
from tests.standins.rig_edgar import ACME, but, edgar, filled, read
from tests.standins.web_server import World, page, told
from tools.base import FailureKind, SourceEnv, SourceError, SubjectHint
from tools.edgar import Edgar, EdgarArgs
from tools.fetching import Http
from tools.reading.edgar_facts import facts_documents
from tools.reading.edgar_filings import filings_documents, read_filer
from tools.reading.edgar_search import find_filer, search_documents

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "::1"])


def facts(change: Callable[[dict[str, Any]], None]) -> World:
    found = sec.company_facts()
    change(found["facts"])
    return but("data.sec.gov", f"/api/xbrl/companyfacts/{sec.PADDED}.json", told(found))


# --- figures ----------------------------------------------------------------------------------------------------------


async def test_revenue_is_of_the_newest_concept_with_its_own_fiscal_year_and_filing(tmp_path: Path) -> None:
    reply = await read(tmp_path, part="facts")
    annual, quarter = filled(reply, "revenue")
    assert annual[0] == (
        "Acme reported revenue of $3,626,396,000 for the fiscal year ended January 31, 2026 (10-K, filed March 20, 2026)."
    )
    assert annual[1] == {
        "value": 3_626_396_000,
        "currency": "USD",
        "period": "2025-02-01/2026-01-31",
        "form": "10-K",
        "filed": "2026-03-20",
        "accession": sec.TEN_K,
    }
    # Neither the half-year nor the twelve months that the 10-Q states too.
    assert quarter[0].startswith("Acme reported revenue of $1,012,500,000 for the quarter ended July 31, 2026 (10-Q")
    document = reply.documents[0]
    assert document.url == (
        "https://www.sec.gov/Archives/edgar/data/1999999/000199999926000012/0001999999-26-000012-index.htm"
    )
    assert document.published_at is not None
    assert document.published_at.date().isoformat() == "2026-03-20"
    assert sec.TEN_K in document.text
    assert "February 1, 2025" in document.text


async def test_growth_states_both_figures_as_filed_and_keeps_the_rate_out_of_the_words(tmp_path: Path) -> None:
    (quote, value), *_ = filled(await read(tmp_path, part="facts"), "growth")
    assert "$3,626,396,000" in quote
    assert (
        "compared with $2,806,489,000 for the fiscal year ended January 31, 2025" in quote
    )  # restated, not 2,600,000,000
    assert value["value"] == 29.21
    assert value["unit"] == "percent"
    assert "29" not in quote.replace("2026", "").replace("$3,626,396,000", "").replace("$2,806,489,000", "")


async def test_a_restated_figure_is_the_one_filed_last_with_its_filing(tmp_path: Path) -> None:
    def restate(found: dict[str, Any]) -> None:
        rows = found["us-gaap"]["RevenueFromContractWithCustomerExcludingAssessedTax"]["units"]["USD"]
        accession = "0001999999-26-000099"
        rows.insert(0, sec.fact(3_600_000_000, "2025-02-01", "2026-01-31", "2026-10-30", "10-K/A", accession))

    quote, value = filled(await read(tmp_path, facts(restate), part="facts"), "revenue")[0]
    assert "$3,600,000,000" in quote
    assert "(10-K/A, filed October 30, 2026)" in quote
    assert value["accession"] == "0001999999-26-000099"


async def test_a_loss_is_called_a_loss_and_its_value_is_negative(tmp_path: Path) -> None:
    quote, value = filled(await read(tmp_path, part="facts"), "operating_income")[0]
    assert "reported an operating loss of $1,456,010,000 for" in quote
    assert value["value"] == -1_456_010_000


async def test_cash_is_of_a_balance_sheet_date_only(tmp_path: Path) -> None:
    quotes = [quote for quote, _ in filled(await read(tmp_path, part="facts"), "cash")]
    assert ["as of July 31, 2026" in quotes[0], "as of January 31, 2026" in quotes[1]] == [True, True]
    assert "77,000,000" not in "".join(quotes)  # taken over with an acquisition, after the balance sheet


async def test_a_foreign_filer_reports_under_ifrs_in_its_own_currency(tmp_path: Path) -> None:
    def foreign(found: dict[str, Any]) -> None:
        rows = [
            sec.fact(v, f"{y}-01-01", f"{y}-12-31", "2026-04-02", "20-F", sec.TEN_K)
            for y, v in ((2024, 39_436), (2025, 43_862.5))
        ]
        found.clear()
        found["ifrs-full"] = {"Revenue": {"units": {"USD": rows[1:], "DKK": rows, "DKK/shares": rows}}}

    reply = await read(tmp_path, facts(foreign), part="facts")
    assert [q for q, _ in filled(reply, "revenue")] == [
        "Acme reported revenue of DKK 43,862.5 for the fiscal year ended December 31, 2025 (20-F, filed April 2, 2026)."
    ]
    assert filled(reply, "growth")[0][1]["value"] == 11.22
    assert filled(reply, "cash") == []


async def test_employees_are_stated_where_the_cover_page_has_them(tmp_path: Path) -> None:
    def staffed(found: dict[str, Any]) -> None:
        row = sec.fact(7_834, None, "2026-01-31", "2026-03-20", "10-K", sec.TEN_K)
        found["dei"] = {"EntityNumberOfEmployees": {"units": {"employee": [row]}}}

    quote, value = filled(await read(tmp_path, facts(staffed), part="facts"), "employees")[0]
    assert quote.startswith("Acme reported 7,834 employees as of January 31, 2026 (10-K")
    assert value == {"n": 7_834, "as_of": "2026-01-31"}


# --- the index --------------------------------------------------------------------------------------------------------


async def test_current_reports_become_dated_events_with_their_items_in_words(tmp_path: Path) -> None:
    reply = await read(tmp_path, part="filings")
    events = [(q, v) for q, v in filled(reply, "events")]
    assert events[1][0] == (
        "Acme filed a current report (8-K) on October 2, 2026: departure, election or pay of directors or officers (item 5.02)."
    )
    assert events[1][1]["url"] == (
        "https://www.sec.gov/Archives/edgar/data/1999999/000199999926000047/acme-20260930.htm"
    )
    assert events[1][1]["date"] == "2026-10-02"
    assert any(
        q.startswith("Acme filed an amendment to its annual report (10-K/A) for the period ended") for q, _ in events
    )
    assert not any("(4)" in q for q, _ in events)
    dates = [d.published_at for d in reply.documents[1:]]
    assert all(dates)
    assert dates == sorted(dates, key=lambda d: d.timestamp() if d else 0, reverse=True)


async def test_the_profile_says_who_the_filer_is_and_no_phone_number(tmp_path: Path) -> None:
    profile = (await read(tmp_path, part="filings")).documents[0]
    assert {f.field: f.value for f in profile.fields} == {
        "legal_name": "ACME CORP",
        "industry": "Metal Forgings & Stampings",
        "hq": "Flagstaff, AZ",
    }
    assert "Acme is incorporated in Delaware." in profile.text
    assert "Acme was called ACME ANVIL WORKS INC until June 30, 2018." in profile.text
    assert "555" not in profile.text
    assert profile.url == "https://www.sec.gov/edgar/browse/?CIK=1999999"


async def test_a_filing_without_a_main_document_links_to_its_index_page() -> None:
    found = sec.submissions()
    found["filings"]["recent"]["primaryDocument"] = []
    event = filings_documents(read_filer(found, ""))[1]
    assert event.url == f"https://www.sec.gov{sec.path(sec.EIGHT_KS[0], sec.EIGHT_KS[0])}-index.htm"


# --- who is meant -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("company", "ticker", "cik"),
    [
        ("Acme", "", sec.CIK),
        ("ACME Corporation", "", sec.CIK),
        ("Zenith Group", "", 1666666),
        ("", "acme", sec.CIK),
        ("", "ACME.P", sec.CIK),
        ("Apex Industries", "XXX", 320193),
        ("APEX", "", 320193),
    ],
)
def test_a_filer_is_found_by_name_or_ticker(company: str, ticker: str, cik: int) -> None:
    assert find_filer(sec.tickers(), company, ticker) == cik


@pytest.mark.parametrize(
    ("company", "ticker", "kind", "said"),
    [
        ("Roadrunner", "", FailureKind.NOT_FOUND, "files with the SEC as Roadrunner"),
        ("Ace Mining", "ACME", FailureKind.NOT_FOUND, "ACME is the ticker of ACME CORP there"),
        ("Delta", "", FailureKind.NOT_FOUND, "Near it is: Delta Holdings Inc (CIK 1888888)"),
        ("Vertex", "", FailureKind.INVALID_ARGUMENTS, "Vertex Ltd (CIK 1444444)"),
        ("株式会社", "", FailureKind.NOT_FOUND, "No company"),
    ],
)
def test_a_company_that_does_not_file_is_not_mistaken_for_one_that_does(
    company: str, ticker: str, kind: FailureKind, said: str
) -> None:
    with pytest.raises(SourceError) as caught:
        find_filer(sec.tickers(), company, ticker)
    assert caught.value.kind is kind
    assert said in caught.value.message


async def test_without_a_number_the_list_of_tickers_is_asked_first(tmp_path: Path) -> None:
    async with edgar(tmp_path) as rig:
        await rig.source.fetch(EdgarArgs(part="filings", company="Acme"))
        assert [a.path for a in rig.server.requests] == [
            "/files/company_tickers.json", f"/submissions/{sec.PADDED}.json"
        ]  # fmt: skip


async def test_an_unknown_number_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        await read(tmp_path, part="filings", cik="42")
    assert caught.value.kind is FailureKind.NOT_FOUND
    assert "42" in caught.value.message


def test_suggestions_use_the_number_where_it_is_known_and_one_report_serves_many_datasets() -> None:
    source = Edgar(SourceEnv())
    hint = SubjectHint(name="Acme", cik="0001999999", ticker="ACME")
    *_, report = source.suggest(hint, "strategy", "")
    assert report == EdgarArgs(part="annual_report", cik="0001999999", company="Acme", ticker="ACME")
    assert all(report in source.suggest(hint, d, "") for d in ("competitors", "products", "customers", "leadership"))
    assert [a.part for a in source.suggest(hint, "financials", "")] == ["facts"]


@pytest.mark.parametrize("args", [{"part": "facts"}, {"part": "facts", "cik": "000"}, {"part": "search", "cik": "5"}])
def test_arguments_that_name_nobody_or_nothing_are_refused(args: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        EdgarArgs.model_validate(args)


async def test_a_search_says_what_the_hit_says_and_no_more(tmp_path: Path) -> None:
    async with edgar(tmp_path) as rig:
        reply = await rig.source.fetch(EdgarArgs(part="search", query='"anvil"', forms="8-k, 10-K", **ACME))
        assert rig.server.requests[-1].params == {"q": '"anvil"', "forms": "8-K,10-K", "ciks": "0001999999"}
    hit = reply.documents[1]
    assert hit.text == (
        f"Acme filed form 8-K on June 15, 2026 (accession number {sec.EIGHT_KS[2]}); the words stand in EX-99.1 (PRESS RELEASE)."
    )
    assert hit.url == f"https://www.sec.gov{sec.path(sec.EIGHT_KS[2], 'a991release.htm')}"


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 200])
@pytest.mark.parametrize(
    ("html", "kind", "retry"),
    [(sec.BLOCKED, FailureKind.AUTH, None), (sec.TOO_FAST, FailureKind.RATE_LIMITED, 600.0)],
    ids=["undeclared", "too fast"],
)
async def test_the_block_pages_of_the_sec_are_told_apart(
    status: int, html: str, kind: FailureKind, retry: float | None, tmp_path: Path
) -> None:
    with pytest.raises(SourceError) as caught:
        await read(tmp_path, lambda asked: page(html, status), part="filings")
    assert caught.value.kind is kind
    assert caught.value.retry_after == retry
    assert "DOSSIER_CONTACT" in caught.value.message


async def test_every_request_names_the_contact_in_the_form_the_sec_asks_for(tmp_path: Path) -> None:
    async with edgar(tmp_path) as rig:
        await rig.source.fetch(rig.good)
        assert {a.headers["user-agent"] for a in rig.server.requests} == {"Dossier tests@example.com"}


def test_without_a_contact_it_says_what_to_set(tmp_path: Path) -> None:
    why = Edgar(SourceEnv(http=Http(tmp_path))).unavailable()
    assert why is not None
    assert "DOSSIER_CONTACT" in why
    assert "403" in why
    assert Edgar(SourceEnv(http=Http(tmp_path, contact="me@example.com"))).unavailable() is None


# --- odd replies ------------------------------------------------------------------------------------------------------

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.just([]), st.just({}), st.just("\ud800"),
    st.just([None]), st.just({"x": 1}), st.just("9999-12-31"), st.just("0001-01-01"), st.just(1e308),
)  # fmt: skip


@st.composite
def mangled(draw: st.DrawFn, whole: Any) -> Any:
    """A good reply with a few of its values put in the place of something else."""
    found = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 5))):
        here = found
        while True:
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not keys:
                break
            at = draw(st.sampled_from(keys))
            if isinstance(here[at], dict | list) and here[at] and draw(st.integers(0, 5)):
                here = here[at]
                continue
            here[at] = copy.deepcopy(draw(ODD))
            break
    return found


PARSERS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "submissions": (sec.submissions(), lambda found: filings_documents(read_filer(found, "Acme"))),
    "facts": (sec.company_facts(), lambda found: facts_documents(found, sec.CIK, "Acme")),
    "search": (sec.search_hits(), lambda found: search_documents(found, sec.CIK, "Acme")),
    "tickers": (sec.tickers(), lambda found: [find_filer(found, "Acme", "ACME")][1:]),
}


@pytest.mark.parametrize("name", PARSERS)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_nothing_but_a_source_error_leaves_a_parser_whatever_it_is_given(name: str, data: st.DataObject) -> None:
    good, parse = PARSERS[name]
    found = data.draw(mangled(good))
    try:
        documents = parse(found)
    except SourceError:
        return
    for document in documents:
        json.dumps(document.model_dump(mode="json")).encode()
        assert all(f.quote in document.text for f in document.fields)
