"""From documents to evidence: every quote an exact slice, nothing of another company, the right field for the words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalogue import load_catalogue
from agent.extract import MAX_CHARS, MAX_PER_DOCUMENT, MIN_CHARS, extract, mentions
from agent.records import Document, Evidence
from tests.house import NOW
from tools.base import FieldQuote, SourceDocument

DATASETS = load_catalogue(None).datasets
SNOWFLAKE = ("Snowflake", "Snowflake Inc.")


def pair(
    text: str,
    *,
    about: str = "",
    title: str = "A page",
    fields: tuple[FieldQuote, ...] = (),
    passage: tuple[int, int] | None = None,
) -> tuple[SourceDocument, Document]:
    """A document as it was brought (whole, or a passage of it) and as it is stored."""
    start, end = passage or (0, len(text))
    brought = SourceDocument(url="u", title=title, text=text[start:end], about=about, fields=fields, offset=start)
    stored = Document(
        id="doc", url="u", title=title, text=text, source="web", origin="o", about=about, retrieved_at=NOW
    )
    return brought, stored


def found(text: str, *datasets: str, names: tuple[str, ...] = SNOWFLAKE, **given_: object) -> list[Evidence]:
    wanted = {d: DATASETS[d] for d in datasets or ("profile",)}
    made = extract([pair(text, **given_)], wanted, names, reliability=0.7)  # type: ignore[arg-type]
    assert all(e.quote == text[e.start : e.start + len(e.quote)] for e in made)
    return made


HQ = "Snowflake is headquartered in Bozeman, Montana."


# --- by words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "dataset", "field"),
    [
        (HQ, "profile", "hq"),
        ("Snowflake was founded in 2012 by three engineers.", "profile", "founded"),
        ("Snowflake has 7,834 employees in many countries.", "profile", "employees"),
        ("Snowflake reported quarterly revenue of $1.1 billion.", "financials", "revenue"),
        ("Snowflake had $2.5 billion of cash at the quarter's end.", "financials", "cash"),
        ("Snowflake launched its product with per-user pricing.", "products", "pricing_model"),
        ("Snowflake acquired a small subsidiary in Berlin.", "funding", "subsidiaries"),
        ("Snowflake appointed a new chief financial officer.", "leadership", "people"),
        ("Snowflake announced a partnership with Acme today.", "news", "events"),
    ],
)
def test_a_sentence_fills_the_field_whose_words_it_carries(sentence: str, dataset: str, field: str) -> None:
    made = found(f"Weather was fine. {sentence} More follows here.", dataset)
    assert [(e.quote, e.dataset, e.field) for e in made] == [(sentence, dataset, field)]


def test_evidence_carries_what_is_needed_to_cite_and_judge_it() -> None:
    e = found(HQ)[0]
    assert (e.document_id, e.url, e.title, e.source, e.origin) == ("doc", "u", "A page", "web", "o")
    assert (e.reliability, e.retrieved_at, e.published_at) == (0.7, NOW, None)
    assert 0 < e.score <= 1


def test_a_sentence_that_says_nothing_of_the_dataset_fills_nothing() -> None:
    assert found("Snowflake is a word that children like in winter.") == []
    assert found(HQ, "news") == []


def test_a_sentence_that_does_not_name_the_company_counts_only_in_a_document_about_it() -> None:
    text = "It is headquartered in Bozeman, Montana."
    assert found(text) == []
    assert [e.quote for e in found(text, about="Snowflake")] == [text]
    assert [e.quote for e in found(text, title="Snowflake: company facts")] == [text]
    assert found(text, title="Snowflakes and other crystals") == []


def test_a_sentence_about_somebody_else_in_a_page_that_names_the_company_elsewhere_is_left_out() -> None:
    text = f"Datadog is headquartered in New York City. {HQ}"
    assert [e.quote for e in found(text)] == [HQ]


def test_sentences_too_short_or_too_long_to_be_checked_are_left_out() -> None:
    short = "Snowflake: founded 2012."
    assert len(short) < MIN_CHARS
    long = "Snowflake was founded in 2012 " + "and so on " * 80 + "."
    assert len(long) > MAX_CHARS
    assert found(short) == found(long) == []


def test_of_a_talkative_document_the_best_sentences_are_taken() -> None:
    text = " ".join(f"Snowflake opened its office number {n} and is now based in town {n}." for n in range(20))
    best = "Snowflake, a company founded in 2012, has its headquarters in Bozeman."
    made = found(f"{text} {best}")
    assert len(made) == MAX_PER_DOCUMENT
    assert made[0].quote == best


# --- another company -------------------------------------------------------------------------------------------------


def test_a_document_about_another_company_gives_nothing_even_where_it_names_ours() -> None:
    known = FieldQuote(dataset="profile", field="hq", quote=HQ)
    assert found(HQ, about="Datadog") == []
    assert found(HQ, about="Datadog", fields=(known,)) == []


@pytest.mark.parametrize("about", ["Snowflake", "Snowflake Inc.", "SNOWFLAKE, INC", "snowflake"])
def test_a_document_about_the_company_under_any_of_its_names_counts(about: str) -> None:
    assert len(found(HQ, about=about)) == 1


@pytest.mark.parametrize(
    ("text", "name", "there"),
    [
        ("At AT&T we trust.", "AT&T", True),
        ("Snowflakes fall.", "Snowflake", False),
        ("We like snowflake-shaped things", "Snowflake", True),
        ("Say SNOWFLAKE!", "Snowflake", True),
        ("Crédit Agricole lends.", "Crédit Agricole", True),
        ("Visit Ørsted today.", "Ørsted", True),
        ("Visit Orsted today.", "Ørsted", False),
        ("Газпром announced results.", "Газпром", True),
        ("Acme announced results.", "Газпром", False),
        ("Acme announced results.", "小米", False),
        ("今天 小米 发布", "小米", True),
        ("Anything at all.", "", False),
        ("Anything at all.", "!!!", False),
    ],
)
def test_a_name_is_found_as_whole_words_in_any_script(text: str, name: str, there: bool) -> None:
    assert mentions(text, [name]) is there


def test_no_sentence_counts_for_a_company_whose_name_is_in_another_script() -> None:
    assert found(HQ, names=("小米",)) == []


# --- what a source knows ---------------------------------------------------------------------------------------------


def test_what_a_source_knows_its_words_to_mean_is_taken_as_it_is() -> None:
    text = f"Read this. {HQ} The end."
    known = FieldQuote(dataset="profile", field="hq", quote=HQ, value={"city": "Bozeman"})
    made = found(text, fields=(known,))
    assert [(e.field, e.quote, e.value, e.score) for e in made] == [("hq", HQ, {"city": "Bozeman"}, 1.0)]


def test_a_known_field_that_was_not_asked_for_is_left_out() -> None:
    known = FieldQuote(dataset="news", field="events", quote=HQ)
    assert found(HQ, "profile", fields=(known,)) == []


@pytest.mark.parametrize("quote", ["Snowflake is based on the moon.", "", "   "])
def test_a_quote_that_does_not_stand_in_the_document_or_says_nothing_is_no_evidence(quote: str) -> None:
    assert found(f"   {HQ}   ", fields=(FieldQuote(dataset="profile", field="hq", quote=quote),)) == []


def test_a_quote_of_a_passage_is_placed_within_the_stored_document() -> None:
    text = f"{HQ} Then much else. {HQ} And the end."
    second = text.rindex(HQ)
    known = FieldQuote(dataset="profile", field="hq", quote=HQ)
    for fields in ((known,), ()):
        made = found(text, fields=fields, passage=(second - 5, len(text)))
        assert [(e.start, e.quote) for e in made] == [(second, HQ)]


def test_the_same_document_brought_twice_gives_its_evidence_once() -> None:
    both = [pair(HQ), pair(HQ)]
    assert len(extract(both, {"profile": DATASETS["profile"]}, SNOWFLAKE, reliability=0.7)) == 1


# --- for any text ----------------------------------------------------------------------------------------------------

words = st.sampled_from(
    [
        "Snowflake",
        "Datadog",
        "revenue",
        "founded",
        "CEO",
        "…",
        "é",
        "😀",
        "\n",
        "\n\n",
        ". ",
        "? ",
        " ",
        "2012",
        "Inc.",
        "\u2028",
    ]
)


@given(st.lists(words, max_size=60), st.integers(0, 20))
def test_every_quote_is_an_exact_slice_whatever_the_text(parts: list[str], start: int) -> None:
    text = " ".join(parts)
    for e in found(text, *DATASETS, passage=(min(start, len(text)), len(text))):
        assert e.start >= min(start, len(text))
        assert mentions(e.quote, SNOWFLAKE)
