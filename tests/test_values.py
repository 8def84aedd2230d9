"""Typed values out of sentences: what is read is right, what is not certain stays open, a figure needs a figure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from agent.catalogue import load_catalogue
from agent.records import DatasetField
from agent.values import SCALARS, UNFIT, WORDS, Parsed, Told, ToldItem, confirm, parse

DATASETS = load_catalogue(None).datasets
NAMES = ("Snowflake", "Snowflake Inc.")


def field_of(dataset: str, name: str) -> DatasetField:
    return next(f for f in DATASETS[dataset].fields if f.name == name)


def read(dataset: str, name: str, quote: str) -> Parsed:
    return parse(dataset, field_of(dataset, name), quote, NAMES)


def money(value: float, period: str | None, **more: JsonValue) -> JsonValue:
    return {"value": value, "currency": "USD", "period": period, **more}


# --- figures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "quote", "value"),
    [
        (
            "revenue",
            "Snowflake reported fiscal 2026 revenue of $4.4 billion, up from $3.6 billion in fiscal 2025.",
            money(4_400_000_000, "fiscal 2026"),
        ),
        (
            "revenue",
            "Revenue rose 28% to $1.1 billion in the second quarter of fiscal 2026.",
            money(1_100_000_000, "second quarter of fiscal 2026"),
        ),
        (
            "revenue",
            "Snowflake generated €1.1 billion in revenue in 2024.",
            money(1_100_000_000, "2024", currency="EUR"),
        ),
        ("revenue", "Snowflake reported quarterly revenue of $1.1 billion.", money(1_100_000_000, "quarterly")),
        ("revenue", "Annual revenue was more than $3 billion.", money(3_000_000_000, "annual", hedge="over")),
        (
            "operating_income",
            "Snowflake had an operating loss of $1.4 billion in fiscal 2026.",
            money(-1_400_000_000, "fiscal 2026"),
        ),
        (
            "cash",
            "As of January 31, 2026, Snowflake held cash and cash equivalents of $2.5 billion.",
            money(2_500_000_000, "January 31, 2026"),
        ),
    ],
)
def test_money_has_its_size_its_currency_and_the_period_that_the_sentence_names(
    field: str, quote: str, value: JsonValue
) -> None:
    assert read("financials", field, quote) == Parsed(True, value)


@pytest.mark.parametrize(
    "quote",
    [
        "Snowflake expects revenue of $5 billion in 2027.",
        "Analysts see revenue of $5 billion.",
        "Snowflake's product revenue was $900 million.",
        "Snowflake's cost of revenue was $300 million.",
        "Revenue increased $100 million.",
        "Revenue grew by $100 million in 2025.",
        "Revenue was up from $3.6 billion.",
        "Revenue beat forecasts after Snowflake raised $50 million.",
        "At first, revenue was $1 billion, then, revenue was $2 billion.",
    ],
)
def test_an_amount_that_is_not_plainly_the_revenue_is_left_to_its_words(quote: str) -> None:
    assert read("financials", "revenue", quote) == WORDS


@pytest.mark.parametrize(
    ("dataset", "field", "quote"),
    [
        ("financials", "revenue", "Snowflake's revenue grew strongly."),
        ("financials", "revenue", "Snowflake's revenue grew 28%."),
        ("financials", "growth", "Margins were 70%."),
        ("financials", "growth", "Snowflake's revenue grew strongly."),
        ("profile", "employees", "Snowflake employs many people."),
        ("profile", "employees", "Snowflake laid off 200 employees."),
        ("profile", "employees", "Snowflake hired 200 employees this year."),
        ("profile", "employees", "Snowflake has 200 customers and a large workforce."),
        ("profile", "founded", "Snowflake was founded by three engineers."),
        ("hiring", "total", "Snowflake closed 120 open positions."),
    ],
)
def test_a_field_that_needs_a_figure_is_not_filled_by_a_sentence_without_it(
    dataset: str, field: str, quote: str
) -> None:
    assert read(dataset, field, quote) == UNFIT


@pytest.mark.parametrize(
    ("quote", "value"),
    [
        ("Snowflake reported fiscal 2026 revenue of $4.4 billion, up 28% from fiscal 2025.", 28),
        ("Revenue fell 3.5% in 2025.", -3.5),
        ("Snowflake posted 28% revenue growth.", 28),
        ("Product revenue grew 29%.", None),
        ("Revenue grew and margins were 70%.", None),
        ("Revenue could grow 30%.", None),
    ],
)
def test_growth_is_that_of_all_revenue_and_below_zero_when_it_fell(quote: str, value: float | None) -> None:
    parsed = read("financials", "growth", quote)
    assert parsed.fits
    assert (parsed.value["value"] if isinstance(parsed.value, dict) else None) == value


@pytest.mark.parametrize(
    ("quote", "value"),
    [
        ("Snowflake has 7,834 employees in many countries.", {"n": 7834, "as_of": None}),
        (
            "As of January 31, 2026, we had approximately 7,800 full-time employees.",
            {"n": 7800, "as_of": "2026-01-31", "hedge": "about"},
        ),
        ("Snowflake employs 7,800 people.", {"n": 7800, "as_of": None}),
        ("Snowflake has 1,200 employees in Berlin, and it has 7,800 employees in all.", None),
    ],
)
def test_a_count_has_its_day_where_the_sentence_names_one(quote: str, value: JsonValue) -> None:
    assert read("profile", "employees", quote) == Parsed(True, value)


@pytest.mark.parametrize(
    ("quote", "value"),
    [
        ("Snowflake was founded in 2012 by three engineers.", "2012"),
        ("Snowflake Inc. was founded on July 23, 2012.", "2012-07-23"),
        ("Snowflake, founded in 2012, opened in Berlin in 2020.", "2012"),
        ("Snowflake opened in Berlin in 2020.", None),
    ],
)
def test_the_date_of_founding_is_as_exact_as_the_sentence(quote: str, value: str | None) -> None:
    assert read("profile", "founded", quote) == Parsed(True, value)


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quote", "people"),
    [
        ("Snowflake named Sridhar Ramaswamy as its chief executive officer.", [("Sridhar Ramaswamy", "CEO")]),
        ("Mike Scarpelli, Snowflake's Chief Financial Officer, said so.", [("Mike Scarpelli", "CFO")]),
        (
            "Sridhar Ramaswamy, CEO, and Mike Scarpelli, CFO, spoke.",
            [("Sridhar Ramaswamy", "CEO"), ("Mike Scarpelli", "CFO")],
        ),
        (
            "Christian Kleinerman, Executive Vice President of Product, spoke.",
            [("Christian Kleinerman", "EVP of Product")],
        ),
        ("Snowflake appointed a new chief financial officer.", []),
        ("Former CEO Frank Slootman left.", []),
        ("Datadog CEO Olivier Pomel spoke of Snowflake.", []),
        ("Frank Slootman is chairman of Pure Storage.", []),
        ("Snowflake will name Ann Lee as its CEO.", []),
    ],
)
def test_people_hold_the_role_that_stands_beside_their_name(quote: str, people: list[tuple[str, str]]) -> None:
    value = read("leadership", "people", quote).value
    held = [(p["name"], p["role"]) for p in value or () if isinstance(p, dict)]  # type: ignore[union-attr]
    assert held == people


@pytest.mark.parametrize(
    ("dataset", "field", "quote", "names"),
    [
        (
            "competitors",
            "items",
            "Snowflake competes with Databricks, Google BigQuery and Amazon Redshift.",
            ["Databricks", "Google BigQuery", "Amazon Redshift"],
        ),
        (
            "competitors",
            "items",
            "Its competitors are Databricks Inc., Teradata and Oracle.",
            ["Databricks", "Teradata", "Oracle"],
        ),
        ("competitors", "items", "Databricks competes with Snowflake, Google and Acme.", []),
        ("competitors", "items", "Snowflake competes with Databricks's cloud.", []),
        ("customers", "items", "Snowflake counts customers such as Adobe, Capital One and AT&T.", ["Adobe"]),
        ("customers", "items", "Snowflake has many happy customers.", []),
        (
            "customers",
            "partners",
            "Snowflake partnered with Acme Corp and Deloitte to help banks.",
            ["Acme", "Deloitte"],
        ),
        ("funding", "subsidiaries", "Snowflake acquired Neeva in 2023.", ["Neeva"]),
        ("funding", "subsidiaries", "Tableau was acquired by Salesforce.", []),
        ("funding", "subsidiaries", "Snowflake plans to buy Neeva, after it acquired Streamlit.", []),
        ("technology", "tools", "Snowflake runs on AWS and uses Kubernetes.", ["AWS", "Kubernetes"]),
        ("technology", "languages", "Its engine is written in C++ and Java.", ["C++", "Java"]),
        ("technology", "tools", "Snowflake customers use Tableau.", []),
    ],
)
def test_names_are_those_the_company_itself_is_said_to_have_to_do_with(
    dataset: str, field: str, quote: str, names: list[str]
) -> None:
    value = read(dataset, field, quote).value
    assert [v["name"] for v in value or () if isinstance(v, dict)] == names  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("dataset", "field", "quote", "value"),
    [
        ("profile", "hq", "Snowflake is headquartered in Bozeman, Montana.", "Bozeman, Montana"),
        ("profile", "hq", "Datadog is headquartered in New York, not far from Snowflake.", None),
        (
            "funding",
            "rounds",
            "Snowflake raised $45 million in a Series C round in June 2015.",
            {"name": "Series C", "amount": 45_000_000, "currency": "USD", "date": "2015-06"},
        ),
        ("hiring", "total", "Snowflake lists 120 open positions.", {"n": 120, "as_of": None}),
        (
            "hiring",
            "key_titles",
            "Snowflake is hiring a Director of Data Engineering in Berlin.",
            {"name": "Director of Data Engineering", "function": "Data"},
        ),
        ("hiring", "by_function", "Snowflake is hiring 20 data engineers.", {"name": "Data", "count": 20}),
        (
            "news",
            "events",
            "Snowflake opened an office on November 3, 2026.",
            {"headline": "Snowflake opened an office on November 3, 2026.", "date": "2026-11-03"},
        ),
    ],
)
def test_places_rounds_jobs_and_events_are_read_from_their_sentence(
    dataset: str, field: str, quote: str, value: JsonValue
) -> None:
    assert read(dataset, field, quote) == Parsed(True, value)


words = st.sampled_from(
    "Snowflake revenue $4.4 billion 28% in 2025 grew to from CEO Ann Lee employees 7,834 has competes with , . Acme and of loss "
    "€ - ( ) founded é 😀 hiring a Director uses Python".split()
)


@given(st.lists(words, max_size=40))
def test_any_words_at_all_are_read_without_an_error_and_figures_only_where_there_are_some(parts: list[str]) -> None:
    text = " ".join(parts)
    for dataset in DATASETS.values():
        for field in dataset.fields:
            parsed = parse(dataset.id, field, text, NAMES)
            assert parsed.fits or parsed.value is None
            if field.kind in SCALARS and not any(c.isdigit() for c in text):
                assert not parsed.fits


# --- what a model read -----------------------------------------------------------------------------------------------

REVENUE = "At Snowflake, sales for the year 2025 came in at $3.6 billion, a record."
PEOPLE = "Snowflake's Ann Lee looks after finance there as its CFO."


def told(quote: str, dataset: str, name: str, **more: object) -> Parsed:
    row = Told.model_validate({"quote": quote, "dataset": dataset, "field": name, **more})
    return confirm(field_of(dataset, name), row, NAMES)


def test_a_reading_whose_parts_stand_in_the_quote_becomes_a_typed_value() -> None:
    figure = told(REVENUE, "financials", "revenue", number=3.6e9, unit="USD", date="2025")
    assert figure == Parsed(True, {"value": 3_600_000_000, "currency": "USD", "period": "2025"})
    people = told(PEOPLE, "leadership", "people", items=(ToldItem(name="Ann Lee", role="chief financial officer"),))
    assert people == Parsed(True, [{"name": "Ann Lee", "role": "chief financial officer"}])


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": 3.7e9, "unit": "USD"},
        {"number": 3.6e6, "unit": "USD"},
        {"number": -3.6e9, "unit": "USD"},
        {"number": 3.6e9, "unit": "EUR"},
        {"number": 3.6e9, "unit": ""},
        {"number": 3.6e9, "unit": "USD", "date": "2026"},
        {"number": 3.6e9, "unit": "USD", "items": ({"name": "Datadog"},)},
        {"number": float("nan"), "unit": "USD"},
    ],
)
def test_a_reading_with_one_wrong_part_is_refused_whole(wrong: dict[str, object]) -> None:
    assert told(REVENUE, "financials", "revenue", **wrong) == UNFIT


@pytest.mark.parametrize("item", [{"name": "Ann Leeds"}, {"name": "Ann Lee", "role": "CEO"}, {"name": " "}])
def test_a_name_or_role_that_is_not_in_the_quote_is_refused(item: dict[str, str]) -> None:
    assert told(PEOPLE, "leadership", "people", items=(item,)) == UNFIT


def test_a_reading_of_a_plan_never_becomes_a_figure() -> None:
    quote = "Snowflake expects sales for 2027 to come in at $5 billion."
    assert told(quote, "financials", "revenue", number=5e9, unit="USD") == UNFIT
