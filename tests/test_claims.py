"""Does a quote support a sentence? Generated corruptions, hand-written tricks, honest variants, and properties."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from agent.claims import Quoted, check_claim, find_contradictions, split_sentences, supported
from agent.claims.cleaning import clean
from agent.claims.dates import dates
from agent.claims.measures import quantities
from agent.records import Check, Evidence
from tests.corruptions import Honest, corruptions, honest_claims, tally, variants
from tests.proofs.citations import MOST_REFUSED

NAMES = ("Acme", "Acme Corporation")


def quoted(
    quote: str, *, about: str = "Acme", title: str = "", document: str = "", published: datetime | None = None
) -> Quoted:
    """A quote in a stored text, by default alone in it."""
    text = document or quote
    return Quoted("e1", quote, text, max(0, text.find(quote)), title, about, published)


def check(sentence: str, quote: str, *, about: str = "Acme", names: tuple[str, ...] = NAMES) -> tuple[Check, ...]:
    return check_claim(sentence, [quoted(quote, about=about)], names)


def why(checks: tuple[Check, ...]) -> dict[str, str]:
    return {c.name: c.detail for c in checks if not c.passed}


# --- generated --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_every_planted_corruption_is_rejected(seed: int) -> None:
    cases = corruptions(seed, rounds=1)
    survivors = [(k, c.text, c.base.quote) for k, (_, alive) in tally(cases).items() for c in alive]
    assert len(cases) >= 200
    assert not survivors, "\n".join(map(repr, survivors))


def test_honest_variants_are_rarely_refused() -> None:
    result = tally(variants())
    lines = [f"{kind}: {count - len(ok)} of {count} refused" for kind, (count, ok) in result.items()]
    print("\n".join(lines))
    said = sum(count for count, _ in result.values())
    refused = said - sum(len(ok) for _, ok in result.values())
    assert refused / said < MOST_REFUSED, "\n".join(lines)


def test_there_are_sixty_hand_written_triples_over_all_datasets() -> None:
    claims = honest_claims(verbatim=False)
    assert len({c.quote for c in claims}) >= 60
    assert {c.dataset for c in claims} == {
        "profile",
        "products",
        "financials",
        "funding",
        "leadership",
        "news",
        "hiring",
        "technology",
        "strategy",
        "competitors",
        "customers",
    }


# --- by hand ----------------------------------------------------------------------------------------------------------

REFUSED = [
    ("a_changed_percentage", "Acme's revenue grew 34%.", "Acme's revenue grew 29%.", "numbers"),
    ("a_percent_told_as_a_count", "Acme has 34 customers.", "34% of Acme's customers renewed.", "numbers"),
    ("dollars_told_as_euros", "Acme raised €5 million.", "Acme raised $5 million.", "numbers"),
    ("canadian_dollars_told_as_us_dollars", "Acme raised $5 million.", "Acme raised C$5 million.", "numbers"),
    ("millions_told_as_billions", "Acme raised $5 billion.", "Acme raised $5 million.", "numbers"),
    ("unmarked_rounding", "Acme's loss was $1.4 billion.", "Acme's loss was $1.39 billion.", "numbers"),
    ("rounding_too_far", "Acme has about 10,000 customers.", "Acme has 12,700 customers.", "numbers"),
    ("an_upper_limit_told_as_the_figure", "Acme cut 500 jobs.", "Acme cut up to 500 jobs.", "numbers"),
    (
        "a_lower_limit_told_as_an_upper_one",
        "Acme has less than 500 stores.",
        "Acme has more than 500 stores.",
        "numbers",
    ),
    ("percent_told_as_points", "Margin fell 3 percentage points.", "Margin fell 3%.", "numbers"),
    (
        "a_figure_of_another_line",
        "Acme's operating loss was $3.6 billion.",
        "Acme's revenue was $3.6 billion and its operating loss was $1.4 billion.",
        "numbers",
    ),
    (
        "a_figure_of_another_year",
        "Acme's revenue was $3.6 billion in 2024.",
        "Acme's revenue was $3.6 billion in 2025 and $2.8 billion in 2024.",
        "numbers",
    ),
    (
        "the_figure_compared_with",
        "Acme's revenue was $2.7 billion.",
        "Acme's revenue was $3.6 billion, up from $2.7 billion.",
        "numbers",
    ),
    ("a_count_of_something_else", "Acme has 300 customers.", "Acme has 500 customers and 300 employees.", "numbers"),
    ("a_loss_told_as_a_gain", "Acme's net income was $4 million.", "Acme's net income was $(4) million.", "numbers"),
    ("a_spelt_number_changed", "Acme has eleven offices.", "Acme has twelve offices.", "numbers"),
    ("another_fiscal_quarter", "Acme's sales rose 5% in Q1 FY2027.", "Acme's sales rose 5% in Q3 FY2026.", "dates"),
    (
        "a_fiscal_year_told_as_a_calendar_year",
        "Acme's sales rose 5% in 2026.",
        "Acme's sales rose 5% in fiscal 2026.",
        "dates",
    ),
    ("an_invented_year", "Acme opened a plant in 2024.", "Acme opened a plant.", "dates"),
    (
        "a_year_of_another_event",
        "Acme went public in 2012.",
        "Acme was founded in 2012 and Acme went public in 2020.",
        "dates",
    ),
    ("by_told_as_since", "Acme has served banks since 2019.", "Acme has served banks until 2019.", "dates"),
    ("last_year_told_as_last_month", "Acme opened a plant last month.", "Acme opened a plant last year.", "dates"),
    ("a_rival_with_the_same_figure", "Acme has 3,000 customers.", "Ravenport has 3,000 customers.", "entity"),
    (
        "a_rival_in_the_same_sentence",
        "Acme has 3,000 customers.",
        "Ravenport has 3,000 customers, while Acme has 10,000.",
        "entity",
    ),
    ("a_swapped_last_name", "Ann Ray leads Acme.", "Ann Lee and Bob Ray lead Acme.", "entity"),
    ("another_version", "Acme uses GPT-5.", "Acme uses GPT-4.", "entity"),
    ("ceo_told_as_cfo", "Ann Lee is Acme's CFO.", "Ann Lee is Acme's chief executive officer.", "recall"),
    ("the_wrong_person_for_the_role", "Bob Ray is CEO.", "Ann Lee is CEO and Bob Ray is CFO.", "recall"),
    (
        "the_wrong_person_in_a_list",
        "Cy Poe is CFO of Acme.",
        "Acme is led by Ann Lee (CEO), Bob Ray (CFO) and Cy Poe (COO).",
        "recall",
    ),
    ("the_wrong_person_before_the_role", "CFO Ann Lee spoke.", "CEO Ann Lee and CFO Bob Ray spoke.", "recall"),
    ("a_role_elsewhere", "Ann Lee is CEO of Acme.", "Ann Lee, CEO of Ravenport, sits on the board.", "recall"),
    ("the_buyer_told_as_the_bought", "Ravenport acquired Acme.", "Acme acquired Ravenport.", "recall"),
    (
        "the_buyer_told_as_the_bought_in_the_passive",
        "Acme was acquired by Ravenport.",
        "Ravenport was acquired by Acme.",
        "recall",
    ),
    ("rose_told_as_fell", "Acme's profit rose 3%.", "Acme's revenue rose 5% while profit fell 3%.", "recall"),
    (
        "operating_income_told_as_income",
        "Acme's income was $5 million.",
        "Acme's operating income was $5 million.",
        "recall",
    ),
    (
        "one_of_the_largest_told_as_the_largest",
        "Acme is the largest bakery.",
        "Acme is one of the largest bakeries.",
        "polarity",
    ),
    ("a_swapped_object", "Acme sells cloud bakery software.", "Acme sells cloud payroll software.", "recall"),
    (
        "an_invented_aside",
        "Acme, the undisputed pioneer of cheap bread, opened a plant.",
        "Acme opened a plant.",
        "recall",
    ),
    ("a_dropped_not", "Acme acquired Ravenport.", "Acme did not acquire Ravenport.", "polarity"),
    ("a_not_with_a_cyrillic_letter", "Acme did n\u043et acquire Ravenport.", "Acme did acquire Ravenport.", "polarity"),
    (
        "a_not_with_an_invisible_space",
        "Acme did no\u200bt acquire Ravenport.",
        "Acme did acquire Ravenport.",
        "polarity",
    ),
    (
        "a_denial_told_as_a_fact",
        "Acme acquired Ravenport.",
        "Acme denied that, in 2020, it acquired Ravenport.",
        "polarity",
    ),
    ("a_plan_told_as_done", "Acme opened a plant.", "Acme plans to open a plant.", "polarity"),
    ("a_done_thing_told_as_planned", "Acme plans to open a plant.", "Acme opened a plant.", "polarity"),
    (
        "a_plan_behind_an_and",
        "Acme hired 200 people.",
        "Acme plans to open a plant in Bonn and hire 200 people.",
        "polarity",
    ),
    ("a_headline_infinitive_told_as_done", "Acme acquired Ravenport.", "Acme to acquire Ravenport.", "polarity"),
    ("an_agreement_told_as_done", "Acme acquired Ravenport.", "Acme agreed to acquire Ravenport.", "polarity"),
    ("may_told_as_will", "Acme will close the plant.", "Acme may close the plant.", "polarity"),
    ("hearsay_told_as_a_fact", "Acme bought Ravenport.", "Acme reportedly bought Ravenport.", "polarity"),
    (
        "a_condition_dropped",
        "The deal will close in June.",
        "If regulators agree, the deal will close in June.",
        "polarity",
    ),
    ("former_told_as_present", "CEO Ann Lee founded Acme.", "Former CEO Ann Lee founded Acme.", "polarity"),
    ("no_longer_told_as_present", "Ann Lee is CEO of Acme.", "Ann Lee is no longer CEO of Acme.", "polarity"),
    ("interim_told_as_permanent", "Ann Lee is CEO of Acme.", "Ann Lee is interim CEO of Acme.", "polarity"),
    ("was_told_as_is", "Ann Lee is CEO of Acme.", "Ann Lee was CEO of Acme.", "polarity"),
    ("failed_to_told_as_done", "Acme met its target.", "Acme failed to meet its target.", "polarity"),
]


@pytest.mark.parametrize(("sentence", "quote", "name"), [pytest.param(s, q, n, id=i) for i, s, q, n in REFUSED])
def test_it_is_rejected(sentence: str, quote: str, name: str) -> None:
    failed = why(check(sentence, quote))
    assert name in failed, failed
    assert failed[name]


ACCEPTED = [
    ("the_same_money_in_other_words", "Acme's revenue was 3.6B USD.", "Acme's revenue was $3,600 million."),
    ("percent_spelt_out", "Acme's sales rose thirty-four percent.", "Acme's sales rose 34%."),
    ("marked_rounding", "Acme's loss was about $1.4 billion.", "Acme's loss was $1.39 billion."),
    ("a_rounded_down_bound", "Acme has more than 10,000 customers.", "Acme has 10,618 customers."),
    ("a_loss_in_brackets", "Acme had a net loss of $4 million.", "Acme had a net loss of $(4) million."),
    ("the_passive", "Ravenport was acquired by Acme in 2020.", "Acme acquired Ravenport in 2020."),
    ("spelt_out_roles", "Ann Lee is Acme's chief executive.", "Ann Lee, CEO, joined Acme."),
    (
        "the_second_of_a_list",
        "Bob Ray is CFO of Acme.",
        "Acme is led by Ann Lee (CEO), Bob Ray (CFO) and Cy Poe (COO).",
    ),
    ("a_legal_suffix", "Acme Corp. opened a plant.", "Acme opened a plant."),
    (
        "another_dash_and_space",
        "Acme\u2019s sales rose 5\u00a0% in 2024\u20132025.",
        "Acme's sales rose 5% in 2024-2025.",
    ),
    ("fullwidth_digits", "Acme has \uff13\uff14 stores.", "Acme has 34 stores."),
    ("an_accent", "Acme bought Nestle Cafe.", "Acme bought Nestlé Café."),
    (
        "the_own_half_of_a_comparison",
        "Acme has 10,000 customers.",
        "Acme has 10,000 customers, while Ravenport has 3,000.",
    ),
    (
        "the_untouched_half_of_a_negation",
        "Acme cut jobs in Bonn.",
        "Acme did not raise prices, but it cut jobs in Bonn.",
    ),
    (
        "a_number_form_of_a_filing",
        "Acme filed its 10-K in March 2026.",
        "Acme filed its 10-K in March 2026 with the SEC.",
    ),
]


@pytest.mark.parametrize(("sentence", "quote"), [pytest.param(s, q, id=i) for i, s, q in ACCEPTED])
def test_it_is_accepted(sentence: str, quote: str) -> None:
    assert not why(check(sentence, quote))


UNTRUE = [
    ("Acme's headcount is 4,000.", "Acme cut its headcount by 4,000."),
    ("Acme's net revenue retention was 125%.", "Acme's gross revenue retention was 125%."),
    ("Acme sued Globex over patents.", "Globex sued Acme over patents."),
    ("Acme lost the Pentagon contract.", "Acme won the Pentagon contract."),
    ("Acme supplies chips to Tesla.", "Tesla supplies chips to Acme."),
    ("Jane Smith was appointed CFO of Acme.", "Acme named John Smith as CFO and Jane Doe as COO."),
    ("Acme will lay off 5% of its staff.", "Acme said it has no plans to lay off 5% of its staff."),
    ("Acme's revenue grew 12% in Europe.", "Acme's revenue grew 12% in Asia and 8% in Europe."),
    ("Acme has customers in 12 countries.", "Acme has offices in 12 countries and customers in 40 countries."),
    ("Acme raised $50 million in Series C.", "Acme raised $20 million in Series B and $50 million in debt."),
    ("Acme is profitable.", "Acme is not yet profitable."),
    ("Acme is profitable.", "Acme is unprofitable."),
    ("Acme invested in Globex.", "Globex invested in Acme."),
    ("Acme's largest customer is Walmart.", "Acme's largest competitor is Walmart."),
    ("Acme uses Snowflake.", "Acme stopped using Snowflake."),
    ("Acme uses Snowflake.", "Acme is evaluating Snowflake."),
    ("Acme uses Snowflake.", "Acme uses Databricks instead of Snowflake."),
    ("Acme was founded by Ann Lee.", "Acme was founded by Bob Ray; Ann Lee joined in 2015."),
    ("Acme doubled its revenue.", "Acme doubled its workforce."),
    ("Acme's shares fell 10%.", "Acme's shares fell 10 points."),
    ("Acme has 200 open sales roles.", "Acme has 200 open roles, including 45 in sales."),
    ("Acme reported record profit in Q2 2026.", "Acme reported record profit in Q2 2025."),
    ("Acme hired Ann Lee from Globex.", "Globex hired Ann Lee from Acme."),
    ("Ann Lee reports to Bob Ray.", "Bob Ray reports to Ann Lee."),
    ("All Acme employees work remotely.", "Some Acme employees work remotely."),
    ("Acme never paid the fine.", "Acme paid the fine."),
    ("Acme would have missed its target without the deal.", "Acme missed its target."),
    ("Acme's CEO sold 10,000 shares.", "Acme's CEO bought 10,000 shares."),
    ("Acme expects revenue of $2 billion.", "Analysts expect Globex revenue of $2 billion."),
    ("Acme is headquartered in Paris, France.", "Acme is headquartered in Paris, Texas."),
    ("Acme lowered its guidance to $2 billion.", "Acme raised its guidance to $2 billion."),
    ("Acme's CTO is Maria Chen.", "Maria Chen, formerly Acme's CTO, now advises startups."),
    ("Acme has been profitable since 2020.", "Acme has been unprofitable since 2020."),
    ("Acme owns 60% of Globex.", "Globex owns 60% of Acme."),
    ("Acme owns 60% of Globex.", "Acme sold 60% of Globex."),
    ("Acme launched Orion in March 2025.", "Acme launched Vega in March 2025 and Orion in June 2025."),
    ("Acme pays $3 million a year for Snowflake.", "Acme pays $3 million a month for Snowflake."),
    ("Acme serves 3 of the top 10 banks.", "Acme serves 10 of the top 30 banks."),
    ("Acme's attrition rose to 14%.", "Acme's attrition rose by 14%."),
    ("Acme is opening an office in Berlin.", "Acme is closing an office in Berlin."),
    ("Acme's rival Globex filed for bankruptcy.", "Acme filed for bankruptcy."),
    ("Acme filed for bankruptcy.", "Acme's rival Globex filed for bankruptcy."),
    ("Mr. Tan joined Acme in 2018 as CFO.", "Mr. Tan joined Acme in 2018 and became CFO in 2022."),
    ("Acme moved its headquarters from Dallas to Reno.", "Acme moved its headquarters from Reno to Dallas."),
    ("Acme's cloud revenue was $400 million.", "Acme's cloud revenue was $400 thousand."),
    ("The fine was paid by Acme.", "The fine was waived for Acme."),
    ("Acme employs 120 engineers and 300 salespeople.", "Acme employs 300 engineers and 120 salespeople."),
    ("Acme has 12 open roles in Japan.", "Acme has 12 open roles, none of them in Japan."),
    ("Acme's quarterly revenue exceeded $1 billion.", "Acme's annual revenue exceeded $1 billion."),
    ("Acme's product is cheaper than Globex's.", "Globex's product is cheaper than Acme's."),
    ("Acme outsources payroll to Globex.", "Globex outsources payroll to Acme."),
    ("Ann Lee left Globex to join Acme.", "Ann Lee left Acme to join Globex."),
    ("Acme cut prices twice in 2025.", "Acme cut prices twice in 2024 and raised them in 2025."),
]
"""Written after the checks stood. At first sight 16 of 55 (MISSED included) passed; most of those were then fixed."""

MISSED = [
    ("Acme raised $10 million at a $90 million valuation.", "Acme raised $90 million at a $10 million valuation."),
    ("Acme supports SOC 2 and HIPAA.", "Acme supports SOC 2; HIPAA support is on the roadmap."),
]
"""Known weaknesses: figures or names exchanged within one flat clause."""

TRUE = [
    ("Acme employs 4,000 people.", "Acme has 4,000 employees."),
    ("Acme was founded in 1999 by Ann Lee.", "Ann Lee founded Acme in 1999."),
    ("Acme uses Snowflake for analytics.", "Acme's analytics team uses Snowflake."),
    ("Ann Lee became CEO of Acme in 2020.", "In 2020, Ann Lee became chief executive of Acme."),
    ("Acme's revenue grew 12% in Asia.", "Acme's revenue grew 12% in Asia and 8% in Europe."),
    ("Acme's revenue grew 8% in Europe.", "Acme's revenue grew 12% in Asia and 8% in Europe."),
    ("Acme raised $20 million in Series B.", "Acme raised $20 million in Series B and $50 million in debt."),
    ("Acme acquired Globex.", "Acme completed the acquisition of Globex in May 2024."),
    ("Acme has customers in 40 countries.", "Acme has offices in 12 countries and customers in 40 countries."),
    ("Acme plans to lay off 5% of its staff.", "Acme plans to lay off 5% of its workforce."),
    ("Bob Ray founded Acme.", "Acme was founded by Bob Ray; Ann Lee joined in 2015."),
    (
        "Acme's stated priorities are cost control and cloud migration.",
        "Our priorities are cost control and cloud migration.",
    ),
    (
        "Acme operates 14 plants worldwide, with 3 in Germany.",
        "The company operates 14 plants worldwide, three of them in Germany.",
    ),
    ("Acme does not disclose customer numbers.", "Acme does not disclose the number of its customers."),
    (
        "Acme sells to hospitals in Spain and Italy.",
        "Acme sells its scheduling software to hospitals in Spain and Italy.",
    ),
    ("Revenue decreased 3% to $4.1 billion in fiscal 2025.", "Revenue for fiscal 2025 fell 3% to $4.1 billion."),
    ("Acme named Jane Doe as COO.", "Acme named John Smith as CFO and Jane Doe as COO."),
    ("Acme, which makes anvils, is based in Reno.", "Acme is based in Reno and makes anvils."),
    ("Acme raised its guidance to $2 billion.", "On Tuesday Acme raised its full-year guidance to $2 billion."),
    ("Maria Chen was formerly CTO of Acme.", "Maria Chen, formerly Acme's CTO, now advises startups."),
    ("Acme launched Orion in June 2025.", "Acme launched Vega in March 2025 and Orion in June 2025."),
    ("Mr. Tan became CFO in 2022.", "Mr. Tan joined Acme in 2018 and became CFO in 2022."),
    ("Acme moved its headquarters to Dallas.", "Acme moved its headquarters from Reno to Dallas."),
    ("Acme raised prices in 2025.", "Acme cut prices twice in 2024 and raised prices in 2025."),
    ("Acme employs 300 engineers.", "Acme employs 300 engineers and 120 salespeople."),
    ("Acme employs 120 salespeople.", "Acme employs 300 engineers and 120 salespeople."),
    ("Acme raised $90 million.", "Acme raised $90 million at a $10 million valuation."),
    (
        "Acme's annual revenue exceeded $1 billion.",
        "The company's annual revenue exceeded $1 billion for the first time.",
    ),
    ("Acme supports SOC 2.", "Acme supports SOC 2; HIPAA support is on the roadmap."),
    (
        "Acme depends on a single supplier for its batteries.",
        "We depend on a single supplier for our batteries, which exposes us to shortages.",
    ),
    ("Acme may lose customers to low-cost rivals.", "We may lose customers to low-cost rivals."),
    ("Acme's platform runs on AWS and Azure.", "Our platform runs on AWS and Microsoft Azure."),
    ("Acme was named a leader by Gartner in 2025.", "Gartner named Acme a leader in 2025."),
    ("Acme's workforce grew 10% to 5,500.", "Headcount at Acme grew 10% to 5,500 employees."),
]
"""Written with them: honest paraphrases. Three of 36 were refused at first sight; two too free ones are left out."""


@pytest.mark.parametrize(("sentence", "quote"), UNTRUE)
def test_what_the_quote_does_not_say_is_rejected(sentence: str, quote: str) -> None:
    assert not supported(check(sentence, quote))


@pytest.mark.parametrize(("sentence", "quote"), MISSED)
@pytest.mark.xfail(strict=True, reason="needs an entailment model")
def test_what_only_a_model_could_see_is_rejected(sentence: str, quote: str) -> None:
    assert not supported(check(sentence, quote))


@pytest.mark.parametrize(("sentence", "quote"), TRUE)
def test_what_the_quote_says_in_other_words_is_accepted(sentence: str, quote: str) -> None:
    assert not why(check(sentence, quote))


# --- quotes and documents ---------------------------------------------------------------------------------------------


def test_a_quote_that_is_not_in_the_text_is_rejected() -> None:
    checks = check_claim("Acme grew.", [quoted("Acme grew.", document="Acme shrank.")], NAMES)
    assert "quote" in why(checks)


def test_an_empty_or_invisible_quote_is_rejected() -> None:
    for quote in ("", "  ", "\u200b\u2060"):
        assert "quote" in why(check_claim("Acme grew.", [quoted(quote, document="Acme grew. \u200b\u2060  ")], NAMES))


def test_a_claim_without_quotes_is_rejected() -> None:
    assert not supported(check_claim("Acme grew.", [], NAMES))
    assert not supported(())


def test_a_quote_found_elsewhere_than_the_hint_is_fine() -> None:
    q = Quoted("e1", "Acme grew.", "Once. Acme grew. Twice.", 0, about="Acme")
    assert supported(check_claim("Acme grew.", [q], NAMES))


def test_a_namesake_is_not_the_subject() -> None:
    names = ("Delta Air Lines", "Delta Air Lines, Inc.", "Delta")
    quote = "Delta reported revenue of $13 billion."
    for q in (
        quoted(quote, about="Delta Electronics"),
        quoted(quote, about="", title="Delta Electronics reports record year"),
        quoted(quote, about="", document="Delta Electronics is based in Taipei. " + quote),
    ):
        assert "entity" in why(check_claim(quote, [q], names))
    assert supported(check_claim(quote, [quoted(quote, about="Delta Air Lines, Inc.")], names))


def test_a_document_that_never_names_the_subject_is_not_about_it() -> None:
    quote = "Revenue grew 34%."
    assert "entity" in why(check_claim(quote, [quoted(quote, about="")], NAMES))
    assert supported(check_claim(quote, [quoted(quote, about="", title="Acme: annual report")], NAMES))


def test_a_name_inside_another_word_is_not_the_name() -> None:
    assert "entity" in why(
        check_claim("Revenue grew.", [quoted("Revenue grew.", about="", document="Acmeville: Revenue grew.")], NAMES)
    )


def test_a_quote_cut_behind_its_not_is_rejected() -> None:
    q = quoted("acquired Ravenport", document="Acme has not acquired Ravenport.")
    assert "polarity" in why(check_claim("acquired Ravenport", [q], NAMES))


def test_a_date_the_quote_leaves_implicit_may_come_from_publication() -> None:
    q = quoted("Acme opened a plant on May 11.", published=datetime(2026, 5, 12, tzinfo=UTC))
    assert supported(check_claim("Acme opened a plant on May 11, 2026.", [q], NAMES))
    assert "dates" in why(check_claim("Acme opened a plant on May 11, 2024.", [q], NAMES))
    money = quoted("Acme's revenue was $5 million.", published=datetime(2026, 5, 12, tzinfo=UTC))
    assert "dates" in why(check_claim("Acme's revenue was $5 million in 2026.", [money], NAMES))


def test_the_detail_says_what_disagrees() -> None:
    assert (
        why(check("Acme's revenue grew 34%.", "Acme's revenue grew 29%."))["numbers"]
        == "34% is not in the quote; it has 29%"
    )


# --- inferences -------------------------------------------------------------------------------------------------------

PROSPECT = quoted("Acme lists 40 open data roles.")
VENDOR = quoted("Seamark cuts pipeline cost by 30% for retailers.", about="Seamark")


def infer(text: str, prospect: list[Quoted], vendor: list[Quoted]) -> tuple[Check, ...]:
    return check_claim(text, prospect, NAMES, kind="inference", vendor=vendor, vendor_names=("Seamark",))


def test_advice_needs_a_quote_from_both_sides() -> None:
    text = "Lead with Seamark's pipeline savings, as Acme is hiring for data roles."
    assert supported(infer(text, [PROSPECT], [VENDOR]))
    assert "quote" in why(infer(text, [PROSPECT], []))
    assert "quote" in why(infer(text, [], [VENDOR]))


def test_advice_may_not_invent_numbers_dates_or_names() -> None:
    assert supported(infer("Point to the 30% saving and the 40 open data roles.", [PROSPECT], [VENDOR]))
    assert "numbers" in why(infer("Point to the 45% saving.", [PROSPECT], [VENDOR]))
    assert "dates" in why(infer("Offer a pilot by March 2027.", [PROSPECT], [VENDOR]))
    assert "entity" in why(infer("Mention that Ravenport is weaker here.", [PROSPECT], [VENDOR]))


# --- contradictions ---------------------------------------------------------------------------------------------------


def evidence(id: str, value: JsonValue, quote: str = "", *, field: str = "employees", day: int = 1) -> Evidence:
    at = datetime(2026, 5, day, tzinfo=UTC)
    return Evidence(
        id=id,
        document_id="d",
        start=0,
        quote=quote,
        dataset="profile",
        field=field,
        value=value,
        about="Acme",
        published_at=at,
        retrieved_at=at,
    )


def test_different_counts_of_the_same_day_contradict() -> None:
    assert find_contradictions([evidence("a", 8000), evidence("b", 9100)]) == (("a", "b"),)


def test_a_newer_value_or_a_rounded_one_does_not_contradict() -> None:
    assert not find_contradictions([evidence("a", 8000), evidence("b", 9100, day=20)])
    assert not find_contradictions([evidence("a", "about 8,000"), evidence("b", 7834)])
    assert not find_contradictions(
        [
            evidence("a", {"value": 3.6e9, "currency": "USD", "period": "FY2026"}, field="revenue"),
            evidence("b", {"value": 2.8e9, "currency": "USD", "period": "FY2025"}, field="revenue"),
        ]
    )


def test_two_founding_years_or_seats_contradict_whenever_they_were_published() -> None:
    assert find_contradictions([evidence("a", "2012", field="founded"), evidence("b", 2014, field="founded", day=9)])
    assert find_contradictions([evidence("a", "Bozeman", field="hq"), evidence("b", "San Mateo", field="hq", day=9)])
    assert not find_contradictions(
        [evidence("a", "Bozeman", field="hq"), evidence("b", "Bozeman, Montana", field="hq")]
    )
    assert not find_contradictions([evidence("a", "bread", field="summary"), evidence("b", "cake", field="summary")])


# --- sentences --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (
            "Acme Inc. rose 3.5% to $1.4bn. The U.S. unit fell. Dr. Lee left.",
            ["Acme Inc. rose 3.5% to $1.4bn.", "The U.S. unit fell.", "Dr. Lee left."],
        ),
        ("Heading\n\n- first item\n- second item\n1. third", ["Heading", "first item", "second item", "third"]),
        (
            "A long line of prose that was wrapped by hand and\ngoes on here. Next one.",
            ["A long line of prose that was wrapped by hand and\ngoes on here.", "Next one."],
        ),
        (
            "It works at Acme Corp. The rest waits... Then more!",
            ["It works at Acme Corp.", "The rest waits...", "Then more!"],
        ),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_sentences_are_cut_where_a_reader_would(text: str, sentences: list[str]) -> None:
    assert [text[a:b] for a, b in split_sentences(text)] == sentences


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=400))
def test_sentence_spans_are_ordered_and_lose_no_word(text: str) -> None:
    spans = split_sentences(text)
    assert all(0 <= a < b <= len(text) for a, b in spans)
    assert all(x[1] <= y[0] for x, y in pairwise(spans))
    kept = "".join(text[a:b] for a, b in spans)
    assert sum(c.isalpha() for c in kept) == sum(c.isalpha() for c in text)


# --- properties -------------------------------------------------------------------------------------------------------

WORDS = st.lists(
    st.sampled_from(
        "Acme Ravenport CEO Ann Lee not plans to acquired rose 34% $3.6 billion fiscal 2026 Q3 million and , . ( ) - "
        "from former 1,000 "
        "\u200b n't Delta's 2026-01-31 May 5 twelve hundred of the".split(" ")
    ),
    max_size=30,
).map(" ".join)
TEXT = st.one_of(st.text(max_size=200), WORDS)


@settings(deadline=None, max_examples=300)
@given(TEXT, TEXT, TEXT, st.lists(TEXT, max_size=3), st.sampled_from(["fact", "inference"]))
def test_no_text_raises_and_the_answer_is_always_the_same(
    sentence: str, quote: str, document: str, names: list[str], kind: str
) -> None:
    q = Quoted("e1", quote, document, 0, title=sentence[:20], about=quote[:20])
    a = check_claim(
        sentence, [q], names, kind="fact" if kind == "fact" else "inference", vendor=[q], vendor_names=names
    )
    b = check_claim(
        sentence, [q], names, kind="fact" if kind == "fact" else "inference", vendor=[q], vendor_names=names
    )
    assert a == b
    assert all(c.passed == (not c.detail) for c in a)


@settings(deadline=None, max_examples=300)
@given(TEXT)
def test_a_sentence_said_word_for_word_is_accepted(text: str) -> None:
    if clean(text):
        assert not why(check_claim(f" {text} ", [quoted(text)], NAMES))


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(honest_claims()), st.integers(0, 3))
def test_word_for_word_holds_inside_a_longer_text(base: Honest, lines: int) -> None:
    text = "Words before. \n" * lines + base.quote + "\nWords after."
    q = Quoted("e1", base.quote, text, 0, base.title, base.names[0])
    assert not why(check_claim(base.quote, [q], base.names))


HOSTILE = [
    "a" * 100_000,
    "1," * 50_000,
    "- " * 50_000,
    "Acme " * 20_000,
    "(" * 100_000,
    "not, and " * 12_000,
    "$1 million and " * 7_000,
    "." * 100_000,
    "A. " * 33_000,
    "CEO Ann Lee, " * 8_000,
    "fiscal " * 15_000,
    "two hundred and " * 7_000,
    "\u0301" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=[t[:8] for t in HOSTILE])
def test_hostile_text_takes_no_time(text: str) -> None:
    start = time.perf_counter()
    for sentence in (text, text[:1400], "Acme grew 34%."):
        check_claim(sentence, [quoted(text)], NAMES)
        check_claim(sentence, [quoted("Acme grew 29%.", document="Acme grew 29%." + text)], NAMES)
    split_sentences(text)
    assert time.perf_counter() - start < 6


# --- figures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("$3.6 billion", 3_600_000_000, "USD"),
        ("€3,600m", 3_600_000_000, "EUR"),
        ("12 percent", 12, "%"),
        ("twenty-two", 22, ""),
        ("50 bps", 50, "bps"),
        ("10 000", 10_000, ""),
        ("-5%", -5, "%"),
        ("C$4k", 4_000, "CAD"),
        ("two hundred and fifty", 250, ""),
    ],
)
def test_figures_are_read_in_all_their_forms(text: str, value: int, unit: str) -> None:
    (found,) = quantities(clean(text))
    assert int(found.value) == value
    assert found.unit == unit


def test_dates_are_no_quantities() -> None:
    text = clean("On March 5, 2026, in Q3 FY2026 and since 2012, GPT-4 filed a 10-K.")
    assert not quantities(text)
    assert [(d.year, d.quarter) for d in dates(text)] == [(2026, None), (2026, 3), (2012, None)]
