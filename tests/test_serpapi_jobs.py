"""Google Jobs: whose postings are taken, what is said of them, and what is never said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.standins.serpapi_server import SerpApiStandin
from tools.base import FailureKind, SourceDocument, SourceEnv, SourceError, SourceReply, SubjectHint
from tools.reading.serpapi_jobs_reply import read_jobs
from tools.reading.serpapi_names import same_company
from tools.serpapi_jobs import JobsArgs, SerpApiJobs

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1", "::1"]), pytest.mark.asyncio]

AT = {"search_metadata": {"status": "Success", "processed_at": "2026-11-22 10:00:00 UTC"}}
Json = dict[str, Any]


def source(server: SerpApiStandin) -> SerpApiJobs:
    """The source, pointed at a stand-in."""
    values = {"serpapi_api_key": "k-123456", "serpapi_base_url": server.base_url, "serpapi_timeout": "5"}
    return SerpApiJobs(SourceEnv(values=values))


def job(title: str = "Data Engineer", company: str = "Acme", posted: str | None = None, **more: object) -> Json:
    """A posting in the documented shape."""
    detected = {"posted_at": posted} if posted else {}
    return {"title": title, "company_name": company, "location": "Berlin", "detected_extensions": detected, **more}


async def fetch(*jobs: Json, args: JobsArgs | None = None, **reply: object) -> SourceReply:
    """What the source makes of a page with these postings."""
    with SerpApiStandin() as server:
        server.replies["google_jobs"] = {**AT, "jobs_results": list(jobs), **reply}
        return await source(server).fetch(args or JobsArgs(company="Acme"))


def quotes(document: SourceDocument, field: str) -> list[str]:
    """The sentences that fill a field."""
    return [f.quote for f in document.fields if f.field == field]


async def test_one_search_is_made_for_the_quoted_name_and_the_place() -> None:
    with SerpApiStandin() as server:
        await source(server).fetch(JobsArgs(company=' Acme  "Corp"', role="data engineer", location="Berlin, Germany"))
        (seen,) = server.requests
        assert seen.params["engine"] == "google_jobs"
        assert seen.params["q"] == '"Acme Corp" data engineer jobs'
        assert (seen.params["hl"], seen.params["gl"], seen.params["location"]) == ("en", "us", "Berlin, Germany")
        assert "start" not in seen.params


async def test_a_posting_says_its_day_and_not_how_long_ago_that_was() -> None:
    found = (await fetch(job("Head of Data", posted="3 days ago", via="via LinkedIn"))).documents[1]
    assert quotes(found, "key_titles") == [
        "Acme is hiring a Head of Data in Berlin, posted on November 19, 2026 via LinkedIn."
    ]
    assert found.published_at == datetime(2026, 11, 19, 10, tzinfo=UTC)
    assert "ago" not in found.text


@pytest.mark.parametrize("said", ["2 weeks ago", "30+ days ago", "1 month ago", "recently", None])
async def test_a_day_that_is_not_certain_is_not_stated(said: str | None) -> None:
    summary, found = (await fetch(job(posted=said))).documents
    assert found.published_at is None
    assert summary.published_at is None
    assert found.text.splitlines()[0] == "Acme is hiring a Data Engineer in Berlin, seen on Google Jobs."


async def test_the_day_is_read_from_the_extensions_when_nothing_was_detected() -> None:
    found = (await fetch(job(extensions=["Full-time", "1 day ago"]))).documents[1]
    assert found.published_at == datetime(2026, 11, 21, 10, tzinfo=UTC)


async def test_a_page_of_postings_never_states_how_many_the_company_has() -> None:
    reply = await fetch(job(), job("Director of Sales"), serpapi_pagination={"next_page_token": "t"})
    summary = reply.documents[0]
    assert summary.text.startswith("Google Jobs lists 2 open positions at Acme on this page of results.")
    assert {f.field for d in reply.documents for f in d.fields} <= {"by_function", "key_titles"}
    assert quotes(summary, "by_function")[0].startswith("Of the positions at Acme on this page of Google Jobs, 1 is in")
    assert "more pages" in reply.note


async def test_a_namesake_is_another_employer() -> None:
    reply = await fetch(job(company="Acme Staffing Partners"), job("CTO", company="ACME, Inc."))
    assert [d.about for d in reply.documents] == ["ACME, Inc.", "ACME, Inc."]
    assert "1 postings of other employers left out" in reply.note
    assert "Staffing" not in str(reply.documents)


async def test_nothing_but_others_postings_is_nothing_found_and_is_billed() -> None:
    reply = await fetch(job(company="Globex"))
    assert (reply.documents, reply.billed) == ((), 15_000)


async def test_an_alias_is_the_same_employer() -> None:
    args = JobsArgs(company="Acme", also_known_as=("Roadrunner Supplies Ltd",))
    assert len((await fetch(job(company="Roadrunner Supplies"), args=args)).documents) == 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Acme Inc", "acme", True),
        ("The Acme Co., Ltd.", "ACME", True),
        ("Søn & Co. A/S", "Søn and Co", True),
        ("Müller GmbH & Co. KG", "Muller", True),
        ("Acme Inc Class A", "Acme, Inc.", True),
        ("Acme Labs", "Acme", False),
        ("Acme Group", "Acme", False),
        ("", "", False),
        ("Co", "Inc", False),
    ],
)
async def test_legal_forms_do_not_make_another_company_and_other_words_do(one: str, other: str, same: bool) -> None:
    assert same_company(one, [other]) is same


async def test_technologies_come_from_the_posting_and_the_company_itself_is_none() -> None:
    text = "You will run Snowflake, Airflow and Kafka, and write Python."
    reply = await fetch(job(company="Snowflake", description=text), args=JobsArgs(company="Snowflake"))
    found = reply.documents[1]
    values = {f.field: f.value for f in found.fields if f.dataset == "technology"}
    assert [tool["name"] for tool in values["tools"]] == ["Airflow", "Kafka"]  # type: ignore[index,union-attr,call-overload]
    assert values["languages"] == ["Python"]
    assert "Snowflake's posting for a Data Engineer names Airflow and Kafka." in found.text


async def test_addresses_and_telephone_numbers_are_not_taken_over() -> None:
    text = "Write to jane.doe@acme.example or call +1 (555) 010-9999 or 555-010-9999. Pay: $120,000-150,000 for 2026."
    kept = (await fetch(job(description=text))).documents[1].text
    assert "@" not in kept
    assert "010" not in kept
    assert "Pay: $120,000-150,000 for 2026." in kept


async def test_the_same_posting_from_two_boards_counts_once() -> None:
    assert len((await fetch(job(via="Indeed"), job(via="LinkedIn"), job(location="Paris"))).documents) == 3


async def test_the_page_of_a_posting_is_one_that_a_human_can_open() -> None:
    shared = job("A", share_link="https://www.google.com/search?ibp=htl;jobs&htidocid=x#f=y")
    applied = job("B", apply_options=[{"title": "Acme", "link": "https://jobs.acme.example/b?utm_source=g"}])
    reply = await fetch(shared, applied, job("C", share_link="javascript:alert(1)"))
    urls = [d.url for d in reply.documents[1:]]
    assert urls[0] == "https://www.google.com/search?ibp=htl;jobs&htidocid=x"
    assert urls[1] == "https://jobs.acme.example/b"
    assert urls[2] == reply.documents[0].url == "https://www.google.com/search?q=%22Acme%22+jobs&udm=8"
    assert reply.documents[2].origin == "acme.example"


async def test_a_reply_without_a_list_of_jobs_is_malformed_unless_it_says_that_it_is_empty() -> None:
    with SerpApiStandin() as server:
        server.replies["google_jobs"] = {**AT, "organic_results": []}
        with pytest.raises(SourceError) as caught:
            await source(server).fetch(JobsArgs(company="Acme"))
        assert (caught.value.kind, caught.value.billed) == (FailureKind.MALFORMED, 15_000)
        server.replies["google_jobs"] = {**AT, "search_information": {"jobs_results_state": "Fully empty"}}
        assert (await source(server).fetch(JobsArgs(company="Acme"))).documents == ()


async def test_one_call_is_suggested_for_both_datasets() -> None:
    kind = SerpApiJobs(SourceEnv())
    subject = SubjectHint(name="Acme", legal_name="Acme, Inc.", aliases=("Roadrunner", "x" * 600, "roadrunner ltd"))
    (hiring,), (technology,) = [kind.suggest(subject, dataset, "") for dataset in ("hiring", "technology")]
    assert hiring == technology == JobsArgs(company="Acme", also_known_as=("Roadrunner",))


keys = "title company_name location via share_link description job_highlights items extensions detected_extensions"
keys += " posted_at salary schedule_type work_from_home apply_options link"
tops = ["jobs_results", "search_information", "search_metadata", "serpapi_pagination", "error"]
scalars = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20)
scalars |= st.sampled_from(["Acme", "3 days ago", "https://a.example/x"])
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(keys.split()), inner, max_size=8),
    max_leaves=30,
)
mangled_job = st.fixed_dictionaries(
    {"title": st.just("Engineer"), "company_name": st.just("Acme")},
    optional=dict.fromkeys(keys.split()[2:], json_values),
)


@given(st.dictionaries(st.sampled_from(tops), json_values), st.lists(mangled_job, max_size=3))
async def test_no_reply_of_whatever_shape_makes_the_reader_raise(reply: Json, jobs: list[Json]) -> None:
    for one in (reply, {**reply, **AT, "jobs_results": jobs}):
        for document in read_jobs(one, ["Acme"], "q").documents:
            assert document.url
            assert all(f.quote in document.text for f in document.fields)
