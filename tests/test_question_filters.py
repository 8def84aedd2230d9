"""Filters read off a question: who wrote, where, and when it was published; nothing is read into ordinary questions."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalogue import load_catalogue
from agent.decompose_rules import asked_of
from tools.base import SourceEnv, SubjectHint
from tools.documents import DocumentsSource
from tools.reading.question_filters import QuestionFilters, read_filters


@pytest.mark.parametrize(
    ("question", "outlets"),
    [
        ("According to The Verge, what is new at Acme?", ("The Verge",)),
        ("What is new at Acme, as reported by TechCrunch?", ("TechCrunch",)),
        ("the Fortune article on Acme's founder", ("Fortune",)),
        ("What did The Verge report on Acme?", ("The Verge",)),
        ("covered by Wired, The Verge and 'FOX News - Lifestyle'", ("Wired", "The Verge", "FOX News - Lifestyle")),
        ("Who is said to lie, as reported by Wired, and by The Verge not to?", ("Wired", "The Verge")),
        ("the March 3, 2026 Reuters report on Acme", ("Reuters",)),
        ("According to Acme's annual report, what are the risks?", ()),
        ("Did Acme's CEO publish articles?", ()),
    ],
)
def test_outlets_are_read_where_the_question_speaks_of_reporting(question: str, outlets: tuple[str, ...]) -> None:
    assert read_filters(question, ["Acme"]).outlets == outlets


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("What happened at Acme in October 2023?", date(2023, 10, 1), date(2023, 10, 31)),
        ("news between March 3 and March 10, 2026", date(2026, 3, 3), date(2026, 3, 10)),
        ("What happened since 2025?", date(2025, 1, 1), None),
        ("articles published on 2026-03-03", date(2026, 3, 3), date(2026, 3, 3)),
        ("articles published in 2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("stories published before 5 March 2026", None, date(2026, 3, 5)),
        ("reports published after February 2024", date(2024, 2, 1), None),
        ("What was revenue in 2025?", None, None),
        ("Tell me about Acme, founded on March 3, 2010", None, None),
        ("Prepare me for a meeting on March 3, 2026", None, None),
        ("published on February 30, 2026", None, None),
    ],
)
def test_only_times_of_publication_are_read(question: str, since: date | None, until: date | None) -> None:
    said = read_filters(question)
    assert (said.since, said.until) == (since, until)


def test_days_that_belong_to_single_outlets_do_not_narrow_the_others() -> None:
    said = read_filters("Does the Wired article agree with what The Verge reported on March 3, 2026?")
    assert said.outlets == ("Wired", "The Verge")
    assert (said.since, said.until) == (None, None)


def test_an_author_is_read_and_is_no_outlet() -> None:
    said = read_filters("What has been written by Jane Doe about Acme?")
    assert (said.author, said.outlets) == ("Jane Doe", ())


@pytest.mark.parametrize(
    "question",
    [
        "Research Snowflake as a prospect for us",
        "Who leads Acme and who decides about purchases?",
        "Has Acme reported earnings?",
        "What is Acme's tech stack? Focus on the latest reports.",
        "Write an email to Acme by Friday",
    ],
)
def test_ordinary_questions_have_no_filters(question: str) -> None:
    assert not read_filters(question, ["Acme", "Snowflake"]).any


days = st.dates(date(1990, 1, 1), date(2035, 12, 31))


@given(
    outlets=st.lists(st.sampled_from(["The Verge", "Wired", "BBC News - Technology", "cnbc.com".title()]), unique=True),
    author=st.sampled_from(["", "Jane Doe", "Ada M. Byron"]),
    since=st.none() | days,
    until=st.none() | days,
)
def test_filters_carried_in_a_sub_question_are_read_back(
    outlets: list[str], author: str, since: date | None, until: date | None
) -> None:
    if since and until and until < since:
        since, until = until, since
    said = QuestionFilters(outlets=tuple(outlets), author=author, since=since, until=until)
    assert read_filters(f"Who leads Acme? ({said.phrase()})", ["Acme"]) == said


@given(st.text(max_size=300) | st.text(alphabet="AB ab,.'’-2026 March reported by The article", max_size=300))
def test_nothing_that_can_be_typed_makes_reading_fail(text: str) -> None:
    assert len(read_filters(text).outlets) <= 8


def test_a_question_without_filters_is_passed_on_unchanged() -> None:
    assert asked_of("Research Acme as a prospect", ["Acme"]) == ""


def test_what_the_user_narrowed_reaches_the_arguments_of_the_source() -> None:
    asked = "What is new at Acme according to The Verge and Wired in March 2026?"
    question = load_catalogue().datasets["news"].question.format(subject="Acme") + asked_of(asked, ["Acme"])
    (args,) = DocumentsSource(SourceEnv()).suggest(SubjectHint(name="Acme"), "news", question)
    assert args.outlets == ("The Verge", "Wired")
    assert (args.since, args.until) == (date(2026, 3, 1), date(2026, 3, 31))
