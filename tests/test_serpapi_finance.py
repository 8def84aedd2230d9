"""Google Finance: about whom an answer is, which figures are taken, and what is not known of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.standins.serpapi_server import SerpApiStandin
from tools.base import FailureKind, FieldQuote, SourceEnv, SourceError, SourceReply, SubjectHint
from tools.reading.serpapi_figures import number
from tools.reading.serpapi_finance_reply import read_finance
from tools.serpapi_finance import FinanceArgs, SerpApiFinance

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1", "::1"]), pytest.mark.asyncio]

AT = {"search_metadata": {"status": "Success", "processed_at": "2026-11-22 10:00:00 UTC"}}
SUMMARY = {"title": "Acme Inc", "stock": "ACME", "exchange": "NYSE", "extensions": ["Nov 20, 4:00:00 PM GMT-5", "USD"]}
AMERICAN = {"key_stats": {"tags": [{"text": "Stock"}, {"text": "US headquartered"}]}}
ARGS = FinanceArgs(query="ACME:NYSE", company="Acme")
Json = dict[str, Any]


def source(server: SerpApiStandin) -> SerpApiFinance:
    """The source, pointed at a stand-in."""
    values = {"serpapi_api_key": "k-123456", "serpapi_base_url": server.base_url, "serpapi_timeout": "5"}
    return SerpApiFinance(SourceEnv(values=values))


def column(date: str, kind: str = "Quarterly", **rows: str) -> Json:
    """A period of a statement; `Operating_income="5|1%"` is a row with its change."""
    table = [
        {"title": title.replace("_", " "), "value": both.partition("|")[0], "change": both.partition("|")[2] or "—"}
        for title, both in rows.items()
    ]
    return {"date": date, "period_type": kind, "table": table}


def income(*columns: Json, title: str = "Income Statement") -> list[Json]:
    """A reply's statements with one of them."""
    return [{"title": title, "results": list(columns)}]


async def fetch(args: FinanceArgs = ARGS, **reply: object) -> SourceReply:
    """What the source makes of a page with these parts."""
    with SerpApiStandin() as server:
        server.replies["google_finance"] = {**AT, "summary": SUMMARY, "knowledge_graph": AMERICAN, **reply}
        return await source(server).fetch(args)


def fields(reply: SourceReply) -> list[FieldQuote]:
    """Everything that fills a field."""
    return [f for d in reply.documents for f in d.fields]


async def test_the_digits_of_the_reply_stand_in_the_sentence_with_period_and_currency() -> None:
    reply = await fetch(financials=income(column("Sep 2026", Revenue="1212412000|28.75%")))
    revenue, growth = fields(reply)
    assert revenue.quote == (
        "Google Finance shows revenue of 1,212,412,000 USD for Acme Inc for the quarter ended September 2026."
    )
    assert revenue.value == {"value": 1_212_412_000, "currency": "USD", "period": "quarter ended September 2026"}
    assert growth.quote.endswith("for the quarter ended September 2026 was up 28.75% on the year before.")
    assert growth.value == {"value": 28.75, "unit": "%", "period": "quarter ended September 2026"}
    assert reply.documents[0].published_at is None, "the end of a period is not when its figures were published"
    assert reply.documents[0].url == "https://www.google.com/finance/quote/ACME:NYSE"


async def test_a_currency_that_the_reply_does_not_give_for_its_statements_is_not_guessed() -> None:
    # A share quoted in dollars says nothing of the books of a company from elsewhere.
    foreign = {"key_stats": {"tags": [{"text": "US listed security"}, {"text": "TW headquartered"}]}}
    reply = await fetch(knowledge_graph=foreign, financials=income(column("Sep 2026", Revenue="989918318000")))
    (revenue,) = fields(reply)
    assert "989,918,318,000 (currency not stated) for Acme Inc" in revenue.quote
    assert revenue.value == {"value": 989_918_318_000, "period": "quarter ended September 2026"}


@pytest.mark.parametrize(
    ("value", "shown", "known"),
    [
        ("1.21B USD", "1.21B USD", {"value": 1_210_000_000, "currency": "USD"}),
        ("980.5M EUR", "980.5M EUR", {"value": 980_500_000, "currency": "EUR"}),
        ("-14000000", "-14,000,000 USD", {"value": -14_000_000, "currency": "USD"}),
        ("−2.5M", "-2.5M USD", {"value": -2_500_000, "currency": "USD"}),
        ("12,411,000", "12,411,000 USD", {"value": 12_411_000, "currency": "USD"}),
    ],
)
async def test_amounts_are_read_as_they_are_written(value: str, shown: str, known: Json) -> None:
    (found,) = fields(await fetch(financials=income(column("Sep 2026", Operating_income=value))))
    assert f"operating income of {shown} for" in found.quote
    assert found.value == {**known, "period": "quarter ended September 2026"}


@pytest.mark.parametrize("value", ["—", "", "n/a", "12 to 14", "8.76%", "1e400", "9" * 40])
async def test_what_is_not_an_amount_fills_nothing(value: str) -> None:
    assert number(value) is None
    assert fields(await fetch(financials=income(column("Sep 2026", Revenue=value)))) == []


async def test_the_latest_quarter_and_the_latest_year_are_taken_whatever_their_order() -> None:
    columns = [
        column("2024", "Annual", Revenue="4"),
        column("Jun 2026", Revenue="2"),
        column("Sep 2026", Revenue="—"),
        column("2025", "Annual", Revenue="5|-1.5%"),
        column("Mar 2026", Revenue="1"),
    ]
    found = {f.quote for f in fields(await fetch(financials=income(*columns)))}
    assert found == {
        "Google Finance shows revenue of 2 USD for Acme Inc for the quarter ended June 2026.",
        "Google Finance shows revenue of 5 USD for Acme Inc for fiscal year 2025.",
        "Google Finance shows that revenue of Acme Inc for fiscal year 2025 was down 1.5% on the year before.",
    }


async def test_cash_is_what_is_held_at_the_end_of_the_latest_period() -> None:
    table = [{"title": "Cash and short-term investments", "value": "230000000", "change": "2%"}]
    columns = [
        {"date": d, "period_type": k, "table": table} for d, k in (("Sep 2026", "Quarterly"), ("2025", "Annual"))
    ]
    (cash,) = fields(await fetch(financials=income(*columns, title="Balance Sheet")))
    assert cash.field == "cash"
    assert cash.quote.endswith("230,000,000 USD for Acme Inc at the end of September 2026.")


async def test_a_statement_with_periods_that_are_yet_to_come_is_left_out_whole() -> None:
    # Seen in replies of June 2026: fiscal quarters labelled a year late.
    reply = await fetch(financials=income(column("Mar 2027", Revenue="9"), column("Sep 2026", Revenue="8")))
    assert fields(reply) == []
    assert "yet to come" in reply.note


@pytest.mark.parametrize("title", ["Globex Inc", "Acme Staffing Partners", "Dow Jones Industrial Average"])
async def test_an_answer_about_somebody_else_fills_nothing_and_says_so(title: str) -> None:
    reply = await fetch(summary={**SUMMARY, "title": title}, financials=income(column("Sep 2026", Revenue="1")))
    assert (reply.documents, reply.billed) == ((), 15_000)
    assert title in reply.note


async def test_a_share_class_or_an_alias_is_the_company_all_the_same() -> None:
    args = FinanceArgs(query="ACME:NYSE", company="Roadrunner", also_known_as=("Acme Incorporated",))
    about = {"about": [{"info": [{"label": "CEO", "value": "Ada Byron"}]}]}
    reply = await fetch(args, summary={**SUMMARY, "title": "Acme Inc Class A"}, knowledge_graph=about)
    assert [f.quote for f in fields(reply)] == ["Google Finance names Ada Byron as CEO of Acme Inc."]


async def test_without_a_company_any_answer_counts() -> None:
    reply = await fetch(FinanceArgs(query="X:NYSE"), financials=income(column("Sep 2026", Revenue="1")))
    assert [d.about for d in reply.documents] == ["Acme Inc"]


async def test_the_panel_fills_profile_and_leadership_and_its_prose_keeps_its_source() -> None:
    info = [
        {"label": "CEO", "value": "Ada Byron", "link": "https://www.google.com/search?q=ada"},
        {"label": "Founded", "value": "Jul 23, 2012"},
        {"label": "Headquarters", "value": "Reno, Nevada\nUnited States"},
        {"label": "Employees", "value": "7,834"},
        {"label": "Website", "value": "acme.example", "link": "http://www.acme.example/"},
        {"label": "Motto", "value": "Beep"},
    ]
    described = {"snippet": "Acme Inc. makes anvils.\nIt grew.", "link": "https://en.wikipedia.org/wiki/Acme"}
    reply = await fetch(knowledge_graph={"about": [{"description": described, "info": info}]})
    values = {f"{f.dataset}.{f.field}": f.value for f in fields(reply)}
    assert values == {
        "profile.summary": "Acme Inc. makes anvils.",
        "leadership.people": [{"name": "Ada Byron", "role": "CEO"}],
        "profile.founded": "Jul 23, 2012",
        "profile.hq": "Reno, Nevada, United States",
        "profile.employees": {"n": 7834, "as_of": None},
        "profile.domain": "acme.example",
    }
    prose = reply.documents[0]
    assert (prose.url, prose.origin) == ("https://en.wikipedia.org/wiki/Acme", "wikipedia.org")
    assert "CC BY-SA" in prose.licence


async def test_headquarters_in_the_united_states_make_the_dollar_certain() -> None:
    about = {"about": [{"info": [{"label": "Headquarters", "value": "Reno, Nevada\nUnited States"}]}]}
    reply = await fetch(knowledge_graph=about, financials=income(column("Sep 2026", Revenue="7")))
    assert "revenue of 7 USD for" in fields(reply)[0].quote


async def test_a_headline_is_an_event_of_the_company_only_when_it_names_it() -> None:
    news = [
        {"snippet": "Acme opens in Reno", "link": "https://www.wire.example/1", "source": "Wire", "date": "2 days ago"},
        {"snippet": "Acmeon board appoints a chair", "link": "https://www.wire.example/2", "date": "1 week ago"},
        {"title": "Top", "items": [{"snippet": "Why Acme fell", "link": "https://m.example/3"}]},
    ]
    first, second, third = (await fetch(news_results=news)).documents
    assert first.published_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert first.fields[0].value == [{"headline": "Acme opens in Reno", "url": "https://www.wire.example/1"}]
    assert (second.fields, second.about, second.published_at) == ((), "", None)
    assert third.fields[0].quote == "Why Acme fell"


@pytest.mark.parametrize(
    ("extension", "day"),
    [
        ("Nov 20, 4:00:00 PM GMT-5", datetime(2026, 11, 20, tzinfo=UTC)),
        ("Closed: Dec 31, 5:29:44 PM GMT-4", datetime(2025, 12, 31, tzinfo=UTC)),
        ("NYSE", None),
    ],
)
async def test_a_price_has_the_day_on_which_it_was_quoted(extension: str, day: datetime | None) -> None:
    summary = {**SUMMARY, "price": "$12.30", "extensions": [extension, "USD"]}
    (share,) = (await fetch(summary=summary)).documents
    assert share.published_at == day
    assert share.text.startswith("Google Finance quoted Acme Inc (NYSE: ACME) at $12.30 (USD)")
    assert share.fields == ()


async def test_an_unknown_ticker_is_nothing_found_and_a_reply_without_any_known_part_is_malformed() -> None:
    with SerpApiStandin() as server:
        server.replies["google_finance"] = {**AT, "markets": {"us": []}}
        reply = await source(server).fetch(ARGS)
        assert (reply.documents, reply.billed) == ((), 15_000)
        assert "does not know" in reply.note
        server.replies["google_finance"] = {**AT, "organic_results": []}
        with pytest.raises(SourceError) as caught:
            await source(server).fetch(ARGS)
        assert (caught.value.kind, caught.value.billed) == (FailureKind.MALFORMED, 15_000)


@pytest.mark.parametrize(
    ("ticker", "queries"),
    [
        ("ACM", ["ACM:NYSE", "ACM:NASDAQ"]),
        ("acme", ["ACME:NASDAQ", "ACME:NYSE"]),
        ("ACM-B", ["ACM.B:NYSE", "ACM.B:NASDAQ"]),
        ("ACME:LON", ["ACME:LON"]),
        ("", ["Acme"]),
        ("not a ticker", ["Acme"]),
    ],
)
async def test_at_most_two_exchanges_are_tried_and_all_datasets_share_the_calls(
    ticker: str, queries: list[str]
) -> None:
    kind = SerpApiFinance(SourceEnv())
    suggested = [kind.suggest(SubjectHint(name="Acme", ticker=ticker), dataset, "") for dataset in kind.datasets]
    assert [args.query for args in suggested[0]] == queries
    assert all(one == suggested[0] for one in suggested)
    assert {args.company for args in suggested[0]} == {"Acme"}


async def test_the_search_asks_for_the_page_in_english_and_nothing_more() -> None:
    with SerpApiStandin() as server:
        await source(server).fetch(ARGS)
        (seen,) = server.requests
        sent = {k: v for k, v in seen.params.items() if k not in ("output", "source")}
        assert sent == {"engine": "google_finance", "q": "ACME:NYSE", "hl": "en"}


keys = "title stock exchange price currency extensions date period_type table value change results about info label"
keys += " description snippet link key_stats tags stats text items source"
tops = "summary financials knowledge_graph news_results markets search_metadata".split()
scalars = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20)
scalars |= st.sampled_from(
    ["Acme", "Revenue", "Quarterly", "Sep 2026", "Sep 0000", "1.2B", "https://a.example/", "CEO"]
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(keys.split()), inner, max_size=8),
    max_leaves=30,
)
mangled_row = st.fixed_dictionaries({"title": st.just("Revenue")}, optional={"value": scalars, "change": scalars})
mangled_column = st.fixed_dictionaries(
    {"date": st.just("Sep 2026"), "period_type": st.just("Quarterly"), "table": st.lists(mangled_row, max_size=2)}
)


@given(st.dictionaries(st.sampled_from(tops), json_values), st.lists(mangled_column, max_size=2))
async def test_no_reply_of_whatever_shape_makes_the_reader_raise(reply: Json, columns: list[Json]) -> None:
    full = {**reply, **AT, "summary": SUMMARY, "financials": income(*columns)}
    for one in (reply, full, {**full, "knowledge_graph": {"about": reply.get("summary")}}):
        for document in read_finance(one, []).documents:
            assert document.url
            assert document.title
            assert all(f.quote in document.text for f in document.fields)
