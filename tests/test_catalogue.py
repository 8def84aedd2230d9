"""The catalogue: every dataset and consumer type as designed, every mistake in a file named with its line."""

from __future__ import annotations

from decimal import Decimal
from math import log2
from pathlib import Path

import pytest

from agent.catalogue import HERE, Catalogue, load_catalogue
from agent.decompose_rules import asked_datasets
from agent.errors import ConfigError, UnknownConsumerType

CATALOGUE = load_catalogue()

DESIGNED = {
    "customer_intelligence": ("0.50", 0.55, 0.70, "profile*12 products6 financials*10 funding6 leadership*12 "
                              "news*12 hiring*10 "
                              "technology8 strategy*12 competitors4 customers3 vendor*5"),
    "vendor_context": ("0.30", 0.60, 0.50, "vendor*40 products*20 customers*12 competitors*12 profile*8 "
                       "news4 strategy4"),
    "competitive_intelligence": ("0.60", 0.55, 0.70, "competitors*20 products*20 news*12 profile*8 financials8 "
                                 "customers8 hiring6 "
                                 "funding5 vendor*5 leadership4 technology4"),
    "meeting_prep": ("0.30", 0.60, 0.85, "leadership*22 news*22 strategy*14 profile*10 vendor*10 "
                     "hiring6 financials6 technology5 "
                     "customers5"),
    "outreach": ("0.20", 0.65, 0.85, "news*28 leadership*22 hiring*16 vendor*16 profile*10 technology8"),
    "account_monitoring": ("0.10", 0.60, 0.95, "news*40 hiring*20 leadership*20 financials10 funding10"),
    "quick_chat": ("0.05", 0.40, 0.50, "profile*40 news20 products15 financials10 leadership10 vendor5"),
}  # fmt: skip

HALF_LIVES = {
    "profile": 730, "products": 180, "financials": 180, "funding": 365, "leadership": 600, "news": 14, "hiring": 21,
    "technology": 365, "strategy": 180, "competitors": 180, "customers": 365, "vendor": 180,
}  # fmt: skip


@pytest.mark.parametrize("name", DESIGNED)
def test_a_consumer_type_is_as_designed(name: str) -> None:
    cost, quality, floor, wanted = DESIGNED[name]
    consumer = CATALOGUE.consumer(name)
    assert (consumer.id, consumer.max_cost) == (name, Decimal(cost))
    assert (consumer.min_quality, consumer.freshness_floor) == (quality, floor)
    shown = {f"{r.dataset}{'*' if r.required else ''}{round(r.weight * 100)}" for r in consumer.requirements}
    assert shown == set(wanted.split())


def test_weights_sum_to_one_and_the_weightiest_comes_first() -> None:
    assert set(CATALOGUE.consumers) == set(DESIGNED)
    for consumer in CATALOGUE.consumers.values():
        weights = [r.weight for r in consumer.requirements]
        assert sum(weights) == pytest.approx(1.0)
        assert weights == sorted(weights, reverse=True)


def test_every_consumer_file_gives_its_reason() -> None:
    for path in (HERE / "consumers").glob("*.toml"):
        assert path.read_text(encoding="utf-8").startswith("# reason: "), path.name


def test_half_lives_are_as_designed() -> None:
    assert {name: d.half_life_days for name, d in CATALOGUE.datasets.items()} == HALF_LIVES


def test_every_dataset_has_a_question_cues_signals_and_distinct_fields() -> None:
    for dataset in CATALOGUE.datasets.values():
        assert dataset.question.format(subject="Acme").endswith("?")
        assert dataset.cues
        assert dataset.signals
        names = [f.name for f in dataset.fields]
        assert len(names) == len(set(names))
        assert all(f.weight > 0 and f.target >= 1 for f in dataset.fields)


def test_the_oldest_acceptable_age_follows_from_half_life_and_floor() -> None:
    # By hand: news has a half-life of 14 days. At floor 0.5 one half-life has passed: 14 days = 1 209 600 s.
    # At floor 0.25 two have passed: 28 days. At floor 0.85 it is 14 * log2(1/0.85) = 14 * 0.23447 = 3.2825 days.
    news = CATALOGUE.datasets["news"]
    assert news.max_age_seconds(0.5) == pytest.approx(1_209_600)
    assert news.max_age_seconds(0.25) == pytest.approx(2 * 1_209_600)
    assert news.max_age_seconds(0.85) / 86_400 == pytest.approx(3.2825, abs=1e-4)
    assert CATALOGUE.datasets["profile"].max_age_seconds(0.7) == pytest.approx(730 * log2(1 / 0.7) * 86_400)


def test_an_unknown_consumer_type_is_answered_with_the_names_the_nearest_first() -> None:
    with pytest.raises(UnknownConsumerType) as caught:
        CATALOGUE.consumer("meetings_prep")
    listed = caught.value.message.split("There are: ")[1].rstrip(".").split(", ")
    assert listed[0] == "meeting_prep"
    assert set(listed) == set(DESIGNED)


GOOD = """title = "Test"
max_cost = "0.10"
min_quality = 0.5
freshness_floor = 0.7

[requirements]
news = { weight = 60, required = true }
profile = { weight = 40 }
"""


def consumer_file(folder: Path, text: str) -> Catalogue:
    (folder / "test_type.toml").write_text(text, encoding="utf-8")
    return load_catalogue(folder)


def test_a_further_folder_adds_consumer_types(tmp_path: Path) -> None:
    found = consumer_file(tmp_path, GOOD).consumer("test_type")
    assert [(r.dataset, r.required, r.weight) for r in found.requirements] == [
        ("news", True, 0.6),
        ("profile", False, 0.4),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("max_cost =", "maxcost =", 2, "'max_cost'"),
        ("freshness_floor = 0.7", "freshness_flor = 0.7", 4, "'freshness_floor'"),
        ("required = true", "requierd = true", 7, "'required'"),
        ("profile = {", "proffile = {", 8, "'profile'"),
        ("weight = 40", "weight = 41", 6, "sum to 101"),
        ("weight = 40", "weight = -1", 8, "greater than 0"),
        ("min_quality = 0.5", "min_quality = 5", 3, "less than or equal to 1"),
        ('"0.10"', '"cheap"', 2, "max_cost"),
        ('title = "Test"\n', "", 1, "'title' is missing"),
        ("[requirements]", "[requirements", 6, "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_nearest_right_name(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        consumer_file(tmp_path, GOOD.replace(old, new))
    message = caught.value.message
    assert "test_type.toml" in message, message
    assert says in message, message
    assert f"test_type.toml:{line}:" in message or f"line {line}" in message, message


def test_a_folder_that_does_not_exist_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="DOSSIER_CONSUMERS_DIR"):
        load_catalogue(tmp_path / "missing")


EVERYTHING = ("profile", "leadership", "news", "strategy", "financials", "hiring", "technology", "products", "funding",
              "competitors", "customers")  # fmt: skip


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Research Snowflake as a prospect for us", EVERYTHING),
        ("Tell me about Datadog", EVERYTHING),
        ("Give me an overview of Stripe", EVERYTHING),
        ("Prepare me for a meeting with the CFO of Nike", EVERYTHING),
        ("Write an email to Tesla", EVERYTHING),
        ("Snowflake", EVERYTHING),
        ("Who is the CFO of Snowflake?", ("leadership",)),
        ("who leads it?", ("leadership",)),
        ("and their revenue?", ("financials",)),
        ("What is Okta's revenue?", ("financials",)),
        ("What does Acme Robotics do?", ("profile", "products")),
        ("Any news about Pfizer?", ("news",)),
        ("Is SNOW hiring?", ("hiring",)),
        ("What tech stack does Uber use?", ("technology",)),
        ("Who are the competitors of Datadog?", ("competitors",)),
        ("How does Snowflake compare with Databricks?", ("competitors",)),
        ("Who are Stripe's customers?", ("customers",)),
        ("What challenges does Nike face?", ("strategy",)),
        ("Where is Okta headquartered?", ("profile",)),
        ("Tell me about Snowflake's leadership and strategy", ("leadership", "strategy")),
        ("Research the leadership of Walmart", ("leadership",)),
        ("Research Walmart leadership", ("leadership",)),
        ("Brief me on Apple, focus on recent news", ("news",)),
        ("Who invested in Databricks and at what valuation?", ("funding",)),
    ],
)
def test_a_question_asks_for_the_datasets_a_person_would_say(message: str, expected: tuple[str, ...]) -> None:
    found = asked_datasets(message, CATALOGUE, CATALOGUE.consumer("customer_intelligence"))
    assert sorted(found) == sorted(expected)


def test_the_seller_is_never_part_of_a_general_question() -> None:
    for consumer in CATALOGUE.consumers.values():
        found = asked_datasets("Tell me about Acme", CATALOGUE, consumer)
        assert "vendor" not in found
        assert set(found) == {r.dataset for r in consumer.requirements} - {"vendor"}
