"""Job boards: how a company's board is found and proven, what each service's postings say, and how failures are told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.standins.rig_job_boards import (
    JobBoardsRig,
    ashby_job,
    greenhouse,
    greenhouse_job,
    lever_job,
    recruitee_offer,
)
from tests.standins.web_server import NOT_FOUND, Told, page, told
from tools.base import FailureKind, SourceDocument, SourceError, SourceReply
from tools.job_boards import JobBoardsArgs
from tools.reading.job_boards_find import MOST_REQUESTS
from tools.reading.job_boards_read import SERVICES, Board, boards_named_in
from tools.reading.jobs import summary, technologies, telling

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1"])

Kind = Literal["auto", "greenhouse", "lever", "ashby", "recruitee"]
GREENHOUSE, LEVER = "boards-api.greenhouse.io/v1/boards/acme/jobs", "api.lever.co/v0/postings/acme"
ASHBY, RECRUITEE = "api.ashbyhq.com/posting-api/job-board/acme", "acme.recruitee.com/api/offers/"
DOWN = told({"message": "Server error"}, 500)


@asynccontextmanager
async def boards(folder: Path, answers: Mapping[str, Told]) -> AsyncIterator[JobBoardsRig]:
    """The source before a web that has these pages, by host and path, and no others."""
    async with JobBoardsRig.open(folder) as rig:
        assert isinstance(rig, JobBoardsRig)
        rig.server.world = lambda asked: answers.get(asked.host + asked.path, NOT_FOUND)
        yield rig


async def ask(folder: Path, answers: Mapping[str, Told], board: Kind = "auto", **args: str) -> SourceReply:
    """What it makes of these pages for Acme."""
    async with boards(folder, answers) as rig:
        return await rig.source.fetch(JobBoardsArgs(**{"board": board, "company": "Acme", **args}))


async def asked_for(folder: Path, answers: Mapping[str, Told], board: Kind = "auto", **args: str) -> list[str]:
    """The pages that are asked for, but robots.txt, when nothing is found."""
    async with boards(folder, answers) as rig:
        with pytest.raises(SourceError) as caught:
            await rig.source.fetch(JobBoardsArgs(**{"board": board, "company": "Acme", **args}))
        assert caught.value.kind is FailureKind.NOT_FOUND
        return [a.host + a.path for a in rig.server.requests if a.path != "/robots.txt"]


def values(documents: tuple[SourceDocument, ...], field: str) -> list[Any]:
    """The values of a field."""
    return [f.value for d in documents for f in d.fields if f.field == field]


# --- what is said -----------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_board_is_told_in_sentences_that_stand_alone(tmp_path: Path) -> None:
    jobs = [
        greenhouse_job(1, "Senior Data Engineer", "<p>We use Snowflake, dbt &amp; Python.</p>", updated_at="2026-11-15T08:00:00Z"),
        greenhouse_job(2, "SVP of Data", "<p>We live in Snowflake.</p>", location={"name": "Remote, US"}),
        greenhouse_job(3, "Head of Sales", location=None, departments=[]),
        greenhouse_job(4, "Anvil Whisperer", departments=[]),
    ]  # fmt: skip
    reply = await ask(tmp_path, {GREENHOUSE: greenhouse(*jobs)}, "greenhouse", token="acme")
    overview, tools, *postings = reply.documents
    assert overview.text.split("\n") == [
        "Acme lists 4 open positions on its Greenhouse board.",
        "Acme has 2 open positions in Data.",
        "Acme has 1 open position in Sales.",
        "Acme is hiring a Head of Sales.",
        "Acme is hiring an SVP of Data (Remote, US).",
    ]
    assert overview.url == "https://job-boards.greenhouse.io/acme"
    assert overview.published_at == datetime(2026, 11, 15, 8, tzinfo=UTC)
    assert overview.origin == "greenhouse.io"
    assert values((overview,), "total") == [4]
    assert tools.text.split("\n")[0] == 'Acme names Snowflake in 2 of its postings, among them "Senior Data Engineer".'
    assert values((tools,), "tools")[1] == {
        "name": "dbt",
        "category": "orchestration",
        "evidence": "https://job-boards.greenhouse.io/acme/jobs/1",
    }
    assert [value["name"] for value in values((tools,), "languages")] == ["Python"]
    assert [d.title for d in postings] == ["Head of Sales", "SVP of Data", "Senior Data Engineer", "Anvil Whisperer"]
    assert all(d.about == "Acme" and d.fields == () for d in postings)


@pytest.mark.parametrize(
    ("board", "where", "answer", "posted", "place", "tool"),
    [
        ("greenhouse", GREENHOUSE, greenhouse(greenhouse_job(1, "Dev", "<p>We run Kafka.</p>")), "2026-11-10", "Berlin", "Kafka"),
        ("lever", LEVER, told([lever_job("Dev")]), "2026-10-26", "Lisbon", "Tableau"),
        ("lever", LEVER.replace("api.", "api.eu."), told([lever_job("Dev")]), "2026-10-26", "Lisbon", "Tableau"),
        ("ashby", ASHBY, told({"apiVersion": "1", "jobs": [ashby_job("Dev")]}), "2026-11-12", "Toronto", "Kubernetes"),
        ("recruitee", RECRUITEE, told({"offers": [recruitee_offer("Dev")]}), "2026-10-03", "Utrecht", "TypeScript"),
    ],
)  # fmt: skip
@pytest.mark.asyncio
async def test_each_service_is_read_in_its_own_shape(
    board: Kind, where: str, answer: Told, posted: str, place: str, tool: str, tmp_path: Path
) -> None:
    reply = await ask(tmp_path, {where: answer}, board, token="acme")
    posting = reply.documents[-1]
    assert posting.published_at is not None
    assert posting.published_at.date().isoformat() == posted
    assert place in posting.text
    assert tool in [value["name"] for value in values(reply.documents, "tools")]
    assert "@" not in reply.model_dump_json()


@pytest.mark.asyncio
async def test_what_is_no_position_is_not_counted(tmp_path: Path) -> None:
    jobs = [
        greenhouse_job(1, "Engineer"),
        greenhouse_job(2, "General Application"),
        greenhouse_job(3, "Join our crew", internal_job_id=None),
    ]
    reply = await ask(tmp_path, {GREENHOUSE: greenhouse(*jobs)}, "greenhouse", token="acme")
    assert values(reply.documents, "total") == [1]
    listed = [ashby_job("Engineer"), ashby_job("Secret", isListed=False)]
    hidden = await ask(tmp_path / "b", {ASHBY: told({"jobs": listed})}, "ashby", token="acme")
    assert values(hidden.documents, "total") == [1]


@pytest.mark.asyncio
async def test_postings_are_bounded_and_hold_no_contact(tmp_path: Path) -> None:
    content = "<p>Ask Jane Doe, jane@acme.example.</p>" + "<p>We forge anvils every day.</p>" * 400
    jobs = [greenhouse_job(i, f"Smith {i}", content) for i in range(40)]
    reply = await ask(tmp_path, {GREENHOUSE: greenhouse(*jobs)}, "greenhouse", token="acme")
    assert values(reply.documents, "total") == [40]
    assert len(reply.documents) == 1 + 15  # no technologies are named
    assert all(len(d.text) <= 3_000 for d in reply.documents)
    assert "Jane" not in reply.model_dump_json()


@pytest.mark.asyncio
async def test_a_board_without_dates_has_none(tmp_path: Path) -> None:
    job = greenhouse_job(1, "Engineer", updated_at=None, first_published="soon")
    reply = await ask(tmp_path, {GREENHOUSE: greenhouse(job)}, "greenhouse", token="acme")
    assert {d.published_at for d in reply.documents} == {None}


@pytest.mark.asyncio
async def test_a_named_board_that_says_it_is_anothers_is_told_of_the_other(tmp_path: Path) -> None:
    answers = {GREENHOUSE: greenhouse(greenhouse_job(1, "Engineer", company_name="Acme Bikes"))}
    reply = await ask(tmp_path, answers, "greenhouse", token="acme")
    assert {d.about for d in reply.documents} == {"Acme Bikes"}
    assert "not Acme's" in reply.note


@pytest.mark.asyncio
async def test_an_empty_board_is_an_answer_that_says_so(tmp_path: Path) -> None:
    reply = await ask(tmp_path, {LEVER: told([])}, "lever", token="acme")
    assert reply.documents == ()
    assert reply.note == "Acme has a Lever board (acme), and it lists no open positions."


# --- how a board is found ---------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_the_companys_own_careers_page_names_its_board(tmp_path: Path) -> None:
    careers = page('<script src="https://boards.greenhouse.io/embed/job_board/js?b=x&amp;for=anvilworks"></script>')
    answers = {
        "acme.example/careers": careers,
        GREENHOUSE.replace("acme", "anvilworks"): greenhouse(
            greenhouse_job(1, "Engineer", "<p>x</p>", company_name=None)
        ),
        GREENHOUSE: greenhouse(greenhouse_job(2, "Namesake", "<p>x</p>")),
    }
    reply = await ask(tmp_path, answers, domain="https://www.acme.example/")
    assert reply.documents[0].url == "https://job-boards.greenhouse.io/anvilworks"


@pytest.mark.asyncio
async def test_a_careers_page_that_forwards_to_the_board_names_it_too(tmp_path: Path) -> None:
    answers = {
        "acme.example/jobs": Told(status=302, headers={"Location": "https://jobs.lever.co/anvilworks"}),
        "jobs.lever.co/anvilworks": page("<html>Jobs</html>"),
        LEVER.replace("acme", "anvilworks"): told([lever_job("Engineer")]),
    }
    reply = await ask(tmp_path, answers, domain="acme.example")
    assert reply.documents[0].url == "https://jobs.lever.co/anvilworks"


@pytest.mark.asyncio
async def test_a_page_that_robots_may_not_read_is_not_read(tmp_path: Path) -> None:
    answers = {
        "acme.example/robots.txt": Told(b"User-agent: *\nDisallow: /", kind="text/plain"),
        "acme.example/careers": page('<a href="https://jobs.lever.co/anvilworks">'),
    }
    paths = await asked_for(tmp_path, answers, domain="acme.example")
    assert "acme.example/careers" not in paths


@pytest.mark.parametrize(
    ("text", "site", "theirs"),
    [
        ("<p>Acme makes anvils.</p>", "", True),
        ("<p>An acme of craft.</p>", "", False),
        ("<p>Acme makes anvils.</p>", "acme.example", True),
        ('<p>We make anvils. <a href="https://www.acme.example/x">More</a></p>', "acme.example", True),
        ("<p>Read acme.example.</p>", "acme.example", True),
        ('<p>Acme makes bikes. <a href="https://acme.test-bikes.com">More</a></p>', "acme.example", True),
        ('<p>Acme makes bikes. <a href="https://acme.bike">More</a></p>', "acme.example", False),
    ],
)
@pytest.mark.asyncio
async def test_a_guessed_board_is_used_only_when_it_is_proven_to_be_the_companys(
    text: str, site: str, theirs: bool, tmp_path: Path
) -> None:
    answers = {ASHBY: told({"jobs": [ashby_job("Engineer", descriptionHtml=text)]})}
    if theirs:
        reply = await ask(tmp_path, answers, domain=site)
        assert reply.documents[0].url == "https://jobs.ashbyhq.com/acme"
    else:
        with pytest.raises(SourceError, match="not certainly Acme's") as caught:
            await ask(tmp_path, answers, domain=site)
        assert caught.value.kind is FailureKind.NOT_FOUND


@pytest.mark.parametrize(("owner", "theirs"), [("ACME, Inc.", True), ("Acme Bikes", False)])
@pytest.mark.asyncio
async def test_a_greenhouse_board_is_asked_whose_it_is(owner: str, theirs: bool, tmp_path: Path) -> None:
    job = greenhouse_job(1, "Engineer", "<p>We forge.</p>")
    del job["company_name"]
    answers = {GREENHOUSE: greenhouse(job), GREENHOUSE.removesuffix("/jobs"): told({"name": owner, "content": ""})}
    if theirs:
        assert (await ask(tmp_path, answers)).documents
    else:
        with pytest.raises(SourceError, match="is Acme Bikes's"):
            await ask(tmp_path, answers)


@pytest.mark.asyncio
async def test_an_empty_board_of_a_guessed_name_counts_only_when_it_says_whose_it_is(tmp_path: Path) -> None:
    owned = {GREENHOUSE: greenhouse(), GREENHOUSE.removesuffix("/jobs"): told({"name": "Acme"})}
    assert "lists no open positions" in (await ask(tmp_path, owned)).note
    with pytest.raises(SourceError, match="No public job board of Acme"):
        await ask(tmp_path / "b", {ASHBY: told({"jobs": []})})


@pytest.mark.asyncio
async def test_a_board_whose_postings_live_on_another_companys_site_is_that_companys(tmp_path: Path) -> None:
    job = greenhouse_job(1, "Engineer", absolute_url="https://acmebikes.example/jobs?gh_jid=1")
    with pytest.raises(SourceError) as caught:
        await ask(tmp_path, {GREENHOUSE: greenhouse(job)}, domain="acme.example")
    assert caught.value.kind is FailureKind.NOT_FOUND


@pytest.mark.asyncio
async def test_no_board_anywhere_is_told_with_what_was_tried_and_is_not_called_no_jobs(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Tried: Greenhouse acme, Lever acme, Ashby acme, Recruitee acme") as caught:
        await ask(tmp_path, {}, domain="acme.example")
    assert caught.value.kind is FailureKind.NOT_FOUND
    assert "not to say that it has no jobs" in caught.value.message


@pytest.mark.asyncio
async def test_a_search_asks_at_most_eight_pages(tmp_path: Path) -> None:
    paths = await asked_for(tmp_path, {}, company="Acme Anvil Works", domain="aaw.example")
    assert len(paths) == MOST_REQUESTS
    assert paths[:2] == ["aaw.example/careers", "aaw.example/jobs"]
    assert "boards-api.greenhouse.io/v1/boards/acmeanvilworks/jobs" in paths


@pytest.mark.asyncio
async def test_a_service_that_failed_leaves_open_whether_there_is_a_board(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        await ask(tmp_path, {LEVER: DOWN})
    assert caught.value.kind is FailureKind.UNREACHABLE
    reply = await ask(tmp_path / "b", {LEVER: DOWN, ASHBY: told({"jobs": [ashby_job("Engineer")]})})
    assert reply.documents[0].url == "https://jobs.ashbyhq.com/acme"


@pytest.mark.asyncio
async def test_a_service_that_sends_us_elsewhere_has_no_such_board(tmp_path: Path) -> None:
    away = {
        RECRUITEE: Told(status=302, headers={"Location": "https://recruitee.com/"}),
        "recruitee.com/": page("<html>"),
    }
    assert await asked_for(tmp_path, away, "recruitee", token="acme") == [RECRUITEE, "recruitee.com/"]


@pytest.mark.asyncio
async def test_a_board_that_is_not_there_is_not_found_by_name(tmp_path: Path) -> None:
    assert await asked_for(tmp_path, {}, "lever", token="acme") == [LEVER, LEVER.replace("api.", "api.eu.")]


def test_links_to_boards_are_seen_in_every_way_they_are_written() -> None:
    text = r"""
    <a href="https://job-boards.greenhouse.io/one/jobs/7"> <a href='//boards.eu.greenhouse.io/two'>
    "https:\/\/jobs.lever.co\/three\/x" https://jobs.eu.lever.co/four https://jobs.ashbyhq.com/Five%20Inc
    https://boards.greenhouse.io/embed/job_board?for=six&b=1 https://seven.recruitee.com/o/x https://www.recruitee.com
    https://api.lever.co/v0/postings/eight?mode=json https://boards-api.greenhouse.io/v1/boards/nine/jobs
    https://jobs.lever.co/three/again
    """
    assert list(boards_named_in(text)) == [
        ("greenhouse", "one"), ("greenhouse", "two"), ("lever", "three"), ("lever", "four"), ("ashby", "Five Inc"),
        ("greenhouse", "six"), ("recruitee", "seven"), ("lever", "eight"), ("greenhouse", "nine"),
    ]  # fmt: skip


# --- odd replies ------------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "text", "content"]), inner, max_size=2),
    max_leaves=5,
)  # fmt: skip
GOOD: dict[str, dict[str, Any]] = {
    "greenhouse": greenhouse_job(1, "Engineer"),
    "lever": lever_job("Engineer"),
    "ashby": ashby_job("Engineer"),
    "recruitee": recruitee_offer("Engineer"),
}


@st.composite
def replies(draw: st.DrawFn) -> tuple[int, Any]:
    """A service, and a reply of it of which some values are anything at all."""
    which = draw(st.integers(0, len(SERVICES) - 1))
    good = GOOD[SERVICES[which].name]
    odd = st.dictionaries(st.sampled_from(sorted(good)), JSON, max_size=6)
    records = draw(st.lists(odd.map(lambda spoilt: {**good, **spoilt}) | JSON, max_size=4))
    shapes = {
        "greenhouse": {"jobs": records},
        "lever": records,
        "ashby": {"jobs": records},
        "recruitee": {"offers": records},
    }
    return which, draw(st.just(shapes[SERVICES[which].name]) | JSON)


@given(reply=replies())
def test_no_reply_however_odd_breaks_the_reading(reply: tuple[int, Any]) -> None:
    service, found = SERVICES[reply[0]], json.loads(json.dumps(reply[1]))
    try:
        board = service.read(found)
    except SourceError:
        board = Board(())
    made = [summary("Acme", "its board", "https://acme.example/", board.postings)]
    made += [d for d in [technologies("Acme", "https://acme.example/", board.postings)] if d is not None]
    assert all(f.quote in d.text for d in made for f in d.fields)
    assert len(telling(board.postings, 2)) <= 2


def test_half_a_character_in_a_posting_does_no_harm() -> None:
    odd = greenhouse_job(
        1, "Engi\ud800neer", "<p>Go\udfff</p><a href='https://\ud800.example'>", absolute_url="https://a.example/\ud800"
    )
    (posting,) = SERVICES[0].read({"jobs": [odd]}).postings
    assert (posting.title, posting.text, posting.url) == ("Engineer", "Go", "https://a.example/")


@pytest.mark.parametrize("label", [s.label for s in SERVICES])
def test_a_list_without_one_posting_of_the_expected_shape_is_malformed(label: str) -> None:
    service = next(s for s in SERVICES if s.label == label)
    records: list[Any] = [{"id": 1}, 7]
    shapes: dict[str, Any] = {
        "greenhouse": {"jobs": records},
        "lever": records,
        "ashby": {"jobs": records},
        "recruitee": {"offers": records},
    }
    with pytest.raises(SourceError) as caught:
        service.read(shapes[service.name])
    assert caught.value.kind is FailureKind.MALFORMED
