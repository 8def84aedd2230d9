"""Which company does a message ask about? Cases written by hand; expected is what a person would say."""

from __future__ import annotations

import time

import pytest

from agent.companies import load_companies
from agent.records import Company, Subject
from agent.subject import find_subject, names_match, parse_vendor

SNOWFLAKE = Subject(name="Snowflake", company=Company(id="snowflake", name="Snowflake"), matched_by="name")


def the_id(subject: Subject | None) -> str | None:
    """The id of the company, or `?name` for one that no table knows."""
    if subject is None:
        return None
    return subject.company.id if subject.company is not None else f"?{subject.name}"


NAMED = [
    ("Research Snowflake as a prospect for us", "snowflake"),
    ("Tell me about Datadog", "datadog"),
    ("What does MongoDB do?", "mongodb"),
    ("Who is the CFO of JPMorgan Chase?", "jpmorgan-chase"),
    ("Give me an overview of Procter & Gamble", "procter-and-gamble"),
    ("Give me an overview of Procter and Gamble", "procter-and-gamble"),
    ("What are Snowflake's priorities this year?", "snowflake"),
    ("What are Snowflake’s priorities this year?", "snowflake"),
    ("snowflake hiring trends", "snowflake"),
    ("tell me about datadog", "datadog"),
    ("research stripe", "stripe"),
    ("Prepare me for a meeting with Pfizer Inc. tomorrow", "pfizer"),
    ("Research Alphabet Inc.", "alphabet"),
    ("Is Caterpillar growing?", "caterpillar"),
    ("Coca-Cola revenue", "coca-cola"),
    ("How is Eli Lilly doing?", "eli-lilly"),
    ("McDonald's leadership", "mcdonalds"),
    ("RESEARCH SNOWFLAKE AS A PROSPECT", "snowflake"),
    ("Who runs 3M?", "3m"),
    ("Tell me about IBM", "ibm"),
    ("Did Uber Technologies acquire anyone?", "uber"),
]

ALIASES = [
    ("What is new at Google?", "alphabet"),
    ("Research Facebook", "meta"),
    ("What is Meta's strategy?", "meta"),
    ("Who leads SpaceX?", "spacex"),
    ("Tell me about TikTok", "bytedance"),
    ("Tell me about Square", "block"),
    ("Who is the CFO of Disney?", "walt-disney"),
    ("Who leads Salesforce.com?", "salesforce"),
]

IDENTIFIERS = [
    ("$SNOW outlook", "snowflake"),
    ("Is SNOW hiring engineers?", "snowflake"),
    ("NYSE: SNOW", "snowflake"),
    ("Tell me about (NASDAQ: DDOG)", "datadog"),
    ("Research Delta Air Lines (DAL)", "delta-air-lines"),
    ("DDOG earnings", "datadog"),
    ("What is new with CIK 0001640147?", "snowflake"),
    ("GOOG stock", "alphabet"),
    ("look at snowflake.com", "snowflake"),
    ("Research https://www.datadoghq.com/pricing", "datadog"),
    ("What does docs.snowflake.com's owner sell?", "snowflake"),
]

UNLISTED = [
    ("Research Acme Robotics as a prospect", "?Acme Robotics"),
    ("Tell me about Acme Robotics", "?Acme Robotics"),
    ("What does Acme Robotics do?", "?Acme Robotics"),
    ("Who leads Acme Robotics?", "?Acme Robotics"),
    ("research acme robotics as a prospect", "?Acme Robotics"),
    ("Who is the CTO of Zorblatt Dynamics?", "?Zorblatt Dynamics"),
    ("Prepare me for a call with Quuxly", "?Quuxly"),
    ("Research New Relic for us, a rival of Datadog", "?New Relic"),
    ("What is acme-robotics.io about?", "acme-robotics"),
]

EVERYDAY_WORDS = [
    ("What is our target market?", None),
    ("Where is the gap in our pipeline?", None),
    ("find the best match on price", None),
    ("tell me about pricing", None),
    ("Now what?", None),
    ("Key questions for the call", None),
    ("Best practices for discovery calls", None),
    ("I need this NOW", None),
    ("Is AI on the CIO agenda?", None),
    ("which CRM should I use for my key accounts?", None),
    ("Best practices for selling to Okta", "okta"),
    ("Target's revenue last year", "target"),
    ("What does Target do?", "target"),
    ("What does Gap sell?", "gap"),
    ("Gap Inc earnings", "gap"),
    ("Tell me about Visa", "visa"),
    ("Is Box hiring?", "box"),
    ("Research Unity as a prospect", "unity-software"),
    ("Tell me about Match", "match-group"),
    ("Apple announced what this week?", "apple"),
    ("Research Target for our target account list", "target"),
    ("Our Target Market is retail; research Okta", "okta"),
]

WHO_ASKS = [
    ("Research Snowflake as a prospect for Monte Carlo", "snowflake"),
    ("Research Snowflake for us, a rival of Datadog", "snowflake"),
    ("What should we know, for us, a rival of Datadog?", None),
    ("We are Datadog. Research Okta.", "okta"),
    ("We're Datadog, a monitoring vendor: tell me about Nike", "nike"),
    ("I work at Stripe and sell to Shopify", "shopify"),
    ("At Datadog, we want to pitch Walmart", "walmart"),
    ("I'm an AE at Datadog meeting with Walmart tomorrow", "walmart"),
    ("On behalf of Okta, research Netflix", "netflix"),
    ("Is Snowflake a good fit for Datadog?", "snowflake"),
    ("How does Snowflake compare with Databricks?", "snowflake"),
    ("Compare Snowflake and Databricks", "snowflake"),
    ("Who are the rivals of Datadog?", "datadog"),
    ("Who competes with Datadog?", "datadog"),
    ("Unlike Databricks, what does Snowflake charge for?", "snowflake"),
    ("Does Airbnb use Snowflake?", "airbnb"),
    ("We sell Okta integrations. Research Tesla as a prospect", "tesla"),
]


@pytest.mark.parametrize(
    ("message", "expected"), [*NAMED, *ALIASES, *IDENTIFIERS, *UNLISTED, *EVERYDAY_WORDS, *WHO_ASKS]
)
def test_a_message_is_about_the_company_a_person_would_name(message: str, expected: str | None) -> None:
    assert the_id(find_subject(message)) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Research Databrick", "databricks"),
        ("Tell me about Snowflaek", "snowflake"),
        ("Who leads Cloudfare?", "cloudflare"),
        ("Microsft revenue", "microsoft"),
        ("Research Cloudfare as a prospect", "cloudflare"),
    ],
)
def test_a_misspelt_name_is_understood_and_marked_as_such(message: str, expected: str) -> None:
    subject = find_subject(message)
    assert the_id(subject) == expected
    assert subject is not None
    assert subject.matched_by == "fuzzy"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("who leads it?", "snowflake"),
        ("and their revenue?", "snowflake"),
        ("What about its competitors?", "snowflake"),
        ("do they use Datadog?", "snowflake"),
        ("are they a customer of Stripe?", "snowflake"),
        ("any news?", "snowflake"),
        ("tell me about pricing", "snowflake"),
        ("And Databricks?", "databricks"),
        ("Now tell me about Okta", "okta"),
        ("What about Databricks, who leads it?", "databricks"),
        ("Research Acme Robotics instead", "?Acme Robotics"),
    ],
)
def test_a_follow_up_keeps_the_company_until_another_is_asked_about(message: str, expected: str) -> None:
    assert the_id(find_subject(message, previous=SNOWFLAKE)) == expected


def test_a_message_without_a_company_has_no_subject() -> None:
    for message in (
        "",
        "   ",
        "hello",
        "Who leads it?",
        "What can you do?",
        "Help me sell more",
        "Who is our competitor?",
    ):
        assert find_subject(message) is None, message


def test_namesakes_are_listed_as_alternatives() -> None:
    delta = find_subject("Tell me about Delta")
    assert the_id(delta) == "delta-air-lines"
    assert delta is not None
    assert "Delta Apparel" in delta.alternatives
    apple = find_subject("Research Apple")
    assert apple is not None
    assert any(name.startswith("Apple ") for name in apple.alternatives)
    snowflake = find_subject("Research Snowflake")
    assert snowflake is not None
    assert snowflake.alternatives == ()


def test_the_way_a_company_was_found_is_said() -> None:
    ways = {
        "Research Okta": "name",
        "Research Google": "alias",
        "$OKTA": "ticker",
        "CIK 320193": "cik",
        "okta.com": "domain",
        "Who leads Disney?": "partial",
        "Research Databrick": "fuzzy",
        "Research Acme Robotics": "pattern",
    }
    for message, way in ways.items():
        subject = find_subject(message)
        assert (subject.matched_by if subject else None) == way, message


def test_a_domain_that_no_table_knows_is_an_identity_all_the_same() -> None:
    subject = find_subject("Research acme-robotics.io")
    assert subject is not None
    assert subject.company is not None
    assert subject.company.domain == "acme-robotics.io"
    assert subject.company.cik == ""


def test_looking_a_name_up_takes_no_time_once_the_table_is_loaded() -> None:
    load_companies()
    find_subject("Research Databrick")
    began = time.perf_counter()
    for _ in range(20):
        find_subject("Research Snowflake as a prospect for us, a seller of data observability, and say who leads it")
    assert (time.perf_counter() - began) / 20 < 0.02


@pytest.mark.parametrize("text", ["Foo's ", "$A ", "A ", "who is ", "Acme Widget tell me about ", "a."])
def test_a_pasted_page_does_not_hold_up_the_question(text: str) -> None:
    load_companies()
    began = time.perf_counter()
    page = text * (20_000 // len(text))
    assert the_id(find_subject(f"Research Snowflake as a prospect.\n{page}")) is not None
    assert time.perf_counter() - began < 3.0


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Snowflake Inc.", "Snowflake"),
        ("The Coca-Cola Company", "Coca-Cola"),
        ("Estée Lauder Companies", "ESTEE LAUDER COMPANIES INC"),
        ("Procter & Gamble", "Procter and Gamble Co."),
        ("Uber Technologies, Inc.", "Uber"),
        ("Alphabet Inc. (Class A)", "Alphabet"),
        ("JPMorgan Chase & Co.", "JP Morgan Chase"),
        ("Moody’s", "Moodys Corp"),
    ],
)
def test_names_of_one_company_match(a: str, b: str) -> None:
    assert names_match(a, b)
    assert names_match(b, a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Delta Air Lines", "Delta Apparel"),
        ("Target", "Target Hospitality"),
        ("Snowflake", "Databricks"),
        ("Apple", "Apple Hospitality REIT"),
        ("", ""),
        ("Inc.", "Corp."),
    ],
)
def test_names_of_different_companies_do_not_match(a: str, b: str) -> None:
    assert not names_match(a, b)
    assert not names_match(b, a)


@pytest.mark.parametrize(
    ("text", "name", "offer"),
    [
        ("Monte Carlo: data observability", "Monte Carlo", "data observability"),
        ("Monte Carlo - data observability for data teams", "Monte Carlo", "data observability for data teams"),
        ("Monte Carlo — data observability", "Monte Carlo", "data observability"),
        ("We are Monte Carlo and we sell data observability.", "Monte Carlo", "data observability"),
        ("Acme sells rockets", "Acme", "rockets"),
        ("Monte Carlo", "Monte Carlo", ""),
        ("we sell data observability", "", "data observability"),
        ("data observability for large teams", "", "data observability for large teams"),
        ("see https://acme.io for what we do", "", "see https://acme.io for what we do"),
        ("", "", ""),
    ],
)
def test_the_seller_is_read_from_free_text(text: str, name: str, offer: str) -> None:
    vendor = parse_vendor(text)
    assert (vendor.name, vendor.offer) == (name, offer)
