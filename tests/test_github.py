"""GitHub: which organisation is a company's, what is said of it, and how GitHub's refusals are read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.standins.rig_github import MISSING, GitHubRig, found, org, repo
from tests.standins.web_server import Told, told
from tools.base import FailureKind, SourceEnv, SourceError, SourceReply
from tools.github import GitHub, GitHubArgs
from tools.reading.github_read import documents, organisation, repositories

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1"])

Answers = dict[str, Told]
SPENT = {"message": "API rate limit exceeded for 192.0.2.1."}
SEARCH, ORG, REPOS = "/search/users", "/orgs/acme", "/orgs/acme/repos"


@asynccontextmanager
async def github(folder: Path, answers: Answers) -> AsyncIterator[GitHubRig]:
    """The source before a GitHub that gives these answers, and otherwise those of the rig."""
    async with GitHubRig.open(folder) as rig:
        assert isinstance(rig, GitHubRig)
        rig.server.world = lambda asked: answers.get(asked.path) or GitHubRig.world(asked)
        yield rig


async def ask(folder: Path, answers: Answers, args: GitHubArgs | None = None) -> SourceReply:
    """What it makes of these answers."""
    async with github(folder, answers) as rig:
        return await rig.source.fetch(args or GitHubRig.arguments())


def quotes(reply: SourceReply, dataset: str, field: str) -> list[str]:
    """The quotes for a field."""
    return [f.quote for d in reply.documents for f in d.fields if (f.dataset, f.field) == (dataset, field)]


@pytest.mark.asyncio
async def test_an_organisation_is_told_in_sentences_that_stand_alone(tmp_path: Path) -> None:
    reply = await ask(tmp_path, {})
    overview = reply.documents[0]
    assert overview.text.split("\n") == [
        "Acme publishes 42 public repositories on GitHub.",
        "The main languages of Acme's public repositories are Python (2 repositories) and Go (1).",
        "Acme writes 1 of its public repositories mainly in Go.",
        "Acme last changed its public repository hammer on November 18, 2026.",
        "Acme has a verified organisation on GitHub that names acme.example as its website.",
        'Acme describes itself on GitHub with the words "Anvils, and software for them".',
    ]
    assert overview.url == "https://github.com/acme"
    assert overview.published_at == datetime(2026, 11, 18, 9, tzinfo=UTC)
    assert overview.about == "Acme"
    assert {f.value for f in overview.fields if f.field == "domain"} == {"acme.example"}


@pytest.mark.asyncio
async def test_forks_and_archived_repositories_are_not_its_work_of_today(tmp_path: Path) -> None:
    text = "\n".join(d.text for d in (await ask(tmp_path, {})).documents)
    assert "linux" not in text
    assert "Perl" not in text


@pytest.mark.asyncio
async def test_a_starred_repository_is_a_product_and_a_new_one_is_news(tmp_path: Path) -> None:
    reply = await ask(tmp_path, {})
    (product,) = quotes(reply, "products", "items")
    assert product == 'Acme publishes the open-source project anvil on GitHub, described as "The anvil of Acme".'
    (event,) = quotes(reply, "news", "events")
    assert event == "Acme's repository hammer was created on GitHub on September 5, 2026."
    (document,) = [d for d in reply.documents if d.text == event]
    assert document.published_at == datetime(2026, 9, 5, 9, tzinfo=UTC)
    assert "open-source project hammer" not in "\n".join(d.text for d in reply.documents)  # it names no licence


@pytest.mark.asyncio
async def test_no_address_of_a_person_is_taken_over(tmp_path: Path) -> None:
    records = [repo("anvil", description="Ask jane.doe@acme.example about it")]
    assert "@" not in (await ask(tmp_path, {REPOS: told(records)})).model_dump_json()


@pytest.mark.asyncio
async def test_only_the_latest_hundred_repositories_are_called_the_latest(tmp_path: Path) -> None:
    reply = await ask(tmp_path, {REPOS: told([repo(f"r{i}", fork=i >= 90) for i in range(100)])})
    assert (
        "Acme's 90 most recently updated public repositories on GitHub is Python (90 repositories)"
        in reply.documents[0].text
    )


@pytest.mark.parametrize(
    ("record", "domain", "theirs"),
    [
        (org(name="Acme Labs"), "acme.example", True),
        (org(blog="acme.example", is_verified=False, name=None), "acme.example", True),
        (org(blog="", is_verified=False, name="Other"), "acme.example", True),  # its public address is at the domain
        (org(blog="https://acme.test.example.org"), "acme.example", True),
        (org(blog="https://acme.io", email=None), "acme.example", False),
        (org(blog=None, email=None, is_verified=False), "acme.example", True),
        (org(blog=None, email=None, is_verified=True, name="Acme Bikes"), "acme.example", False),
        (org(blog="https://acme.github.io/", email=None), "acme.example", True),
        (org(blog="https://acme.io", is_verified=False), "", True),
    ],
)
@pytest.mark.asyncio
async def test_a_namesake_is_not_taken_for_the_company(
    record: dict[str, Any], domain: str, theirs: bool, tmp_path: Path
) -> None:
    reply = await ask(tmp_path, {ORG: told(record)}, GitHubArgs(company="Acme", domain=domain))
    assert bool(reply.documents) is theirs
    assert theirs or "certainly" in reply.note


@pytest.mark.asyncio
async def test_at_most_two_candidates_are_looked_at_the_likeliest_first(tmp_path: Path) -> None:
    answers = {
        SEARCH: found("aa", "bb", "acme-hq", "acme"),
        ORG: MISSING,
        "/orgs/acme-hq": told(org("acme-hq", name="X", blog="", email="")),
    }
    async with github(tmp_path, answers) as rig:
        assert (await rig.source.fetch(rig.good)).documents == ()
        assert [asked.path for asked in rig.server.requests] == [SEARCH, ORG, "/orgs/acme-hq"]


@pytest.mark.asyncio
async def test_a_candidate_that_could_not_be_read_is_no_answer_that_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        await ask(tmp_path, {ORG: told({"message": "Server error"}, 500)})
    assert caught.value.kind is FailureKind.UNREACHABLE


@pytest.mark.asyncio
async def test_the_name_cannot_steer_the_search(tmp_path: Path) -> None:
    async with github(tmp_path, {}) as rig:
        await rig.source.fetch(GitHubArgs(company='Acme" type:user repos:>1'))
        (search, *_) = rig.server.requests
        assert search.params["q"] == "Acme type user repos 1 type:org"
        assert search.headers["authorization"] == f"Bearer {rig.secret}"
        assert search.headers["x-github-api-version"] == "2022-11-28"


@pytest.mark.asyncio
async def test_a_given_organisation_is_read_without_a_search_and_under_its_own_name(tmp_path: Path) -> None:
    other = {ORG: told(org(name="Acme Bikes", blog="https://bikes.example", email=None))}
    async with github(tmp_path, other) as rig:
        reply = await rig.source.fetch(GitHubArgs(organisation="acme", company="Acme", domain="acme.example"))
        assert [asked.path for asked in rig.server.requests] == [ORG, REPOS]
    assert {d.about for d in reply.documents} == {"Acme Bikes"}
    assert "not Acme" in reply.note


@pytest.mark.asyncio
async def test_an_organisation_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        await ask(tmp_path, {ORG: MISSING}, GitHubArgs(organisation="acme"))
    assert caught.value.kind is FailureKind.NOT_FOUND


@pytest.mark.asyncio
async def test_without_the_repositories_the_organisation_is_still_told_and_the_gap_is_named(tmp_path: Path) -> None:
    reply = await ask(tmp_path, {REPOS: told({"message": "Server error"}, 500)})
    assert [d.url for d in reply.documents] == ["https://github.com/acme"]
    assert reply.documents[0].published_at == datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert "repositories could not be read" in reply.note


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (told(SPENT, 403, x_ratelimit_remaining="0", x_ratelimit_reset="9999999999"), "used up"),
        (told(SPENT, 429, x_ratelimit_remaining="0", retry_after="90"), "used up"),
        (told({"message": "You have exceeded a secondary rate limit."}, 403), "fewer requests"),
    ],
)  # fmt: skip
@pytest.mark.asyncio
async def test_both_of_githubs_limits_are_told_from_a_refusal(answer: Told, words: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        await ask(tmp_path, {SEARCH: answer})
    assert caught.value.kind is FailureKind.RATE_LIMITED
    assert words in caught.value.message
    assert "192.0.2.1" not in caught.value.message
    assert caught.value.retry_after is not None
    assert caught.value.retry_after >= 60


@pytest.mark.asyncio
async def test_a_bad_token_is_named_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="GITHUB_TOKEN") as caught:
        await ask(tmp_path, {SEARCH: told({"message": "Bad credentials"}, 401)})
    assert caught.value.kind is FailureKind.AUTH


@pytest.mark.asyncio
async def test_a_token_buys_a_faster_pace_and_none_is_sent_where_none_is_set(tmp_path: Path) -> None:
    async with github(tmp_path, {}) as rig:
        plain = GitHub(SourceEnv(http=rig.http))
        assert plain.door.paces["github.com"].burst == 60
        assert GitHub(SourceEnv(values={"github_token": "t"}, http=rig.http)).door.paces["github.com"].burst == 100
        await plain.fetch(GitHubRig.arguments())
        assert not any("authorization" in asked.headers for asked in rig.server.requests)


@pytest.mark.asyncio
async def test_nothing_to_look_for_is_an_argument_error_and_asks_nobody(tmp_path: Path) -> None:
    async with github(tmp_path, {}) as rig:
        with pytest.raises(SourceError) as caught:
            await rig.source.fetch(GitHubArgs())
        assert caught.value.kind is FailureKind.INVALID_ARGUMENTS
        assert rig.requests == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["spdx_id", "x"]), inner, max_size=2),
    max_leaves=5,
)


def spoilt(good: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A record of which some values are anything at all."""
    return st.dictionaries(st.sampled_from(sorted(good)), JSON, max_size=6).map(lambda odd: {**good, **odd})


@given(record=spoilt(org()), repos=st.lists(spoilt(repo("anvil")) | JSON, max_size=4), whole=st.booleans())
def test_no_record_however_odd_breaks_the_reading(record: dict[str, Any], repos: list[Any], whole: bool) -> None:
    read: Callable[[Any], Any] = lambda value: json.loads(json.dumps(value))  # noqa: E731  # as it comes over the wire
    if (one := organisation(read(record))) is not None:
        for document in documents("Acme", one, repositories(read(repos)), whole):
            assert all(f.quote in document.text for f in document.fields)
            assert document.url.startswith("http")


def test_half_a_character_in_a_record_does_no_harm() -> None:
    one = organisation(org(description="An\ud800vil", blog="https://\ud800.example"))
    assert one is not None
    assert [d.text for d in documents("Acme", one, repositories([repo("a", description="b\udfffc")]), True)]
