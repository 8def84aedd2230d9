"""What GitHub's records of an organisation and of its repositories say, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from tools.base import FieldQuote, SourceDocument
from tools.reading.dates import parse_date
from tools.reading.jobs import in_words, one_line, text_of
from tools.reading.namesakes import site_of
from tools.reading.urls import normalise_url

Record = Mapping[str, JsonValue]

MOST_LANGUAGES: Final = 5
MOST_REPOSITORIES: Final = 6
MOST_NEW: Final = 3
NEW: Final = timedelta(days=365)
"""How long before the organisation's last activity a repository may have begun to be news."""
PRODUCT_STARS: Final = 100
"""Stars from which a repository with a description counts as something that the organisation offers."""
_NO_SITE: Final = frozenset(
    {"github.com", "github.io", "twitter.com", "x.com", "linkedin.com", "facebook.com", "youtube.com"}
)
"""Hosts that say nothing about who somebody is."""


@dataclass(frozen=True)
class Repository:
    """A public repository that the organisation wrote itself."""

    name: str
    url: str
    description: str
    language: str
    stars: int
    licensed: bool
    pushed_at: datetime | None
    created_at: datetime | None
    archived: bool


@dataclass(frozen=True)
class Organisation:
    """An organisation as GitHub knows it."""

    login: str
    name: str
    url: str
    description: str
    site: str
    """Registered host of its website; empty when it names none that tells who it is."""
    mail_host: str
    """Host of its public address; the address itself is not kept."""
    verified: bool
    """Whether GitHub has seen proof that it controls its domain."""
    repositories: int | None
    updated_at: datetime | None


def organisation(record: Record) -> Organisation | None:
    """The organisation of a record; None when it has not even a login."""
    login = one_line(record.get("login"), 100)
    if not login:
        return None
    site = site_of(text_of(record.get("blog"), 500))
    mail = text_of(record.get("email"), 320).rpartition("@")[2]
    return Organisation(
        login=login,
        name=one_line(record.get("name"), 120) or login,
        url=normalise_url(text_of(record.get("html_url"), 500)) or f"https://github.com/{login}",
        description=one_line(record.get("description"), 300).rstrip(" ."),
        site="" if site in _NO_SITE else site,
        mail_host=site_of(mail),
        verified=record.get("is_verified") is True,
        repositories=_count(record.get("public_repos")),
        updated_at=parse_date(record.get("updated_at")),
    )


def repositories(records: Sequence[JsonValue]) -> list[Repository]:
    """The repositories of a list that are the organisation's own work: no forks, nothing private."""
    found = []
    for record in records:
        if not isinstance(record, dict) or record.get("fork") is True or record.get("private") is True:
            continue
        name, url = one_line(record.get("name"), 100), normalise_url(text_of(record.get("html_url"), 500))
        licence = record.get("license")
        spdx = licence.get("spdx_id") if isinstance(licence, dict) else None
        if name and url:
            found.append(
                Repository(
                    name=name,
                    url=url,
                    description=one_line(record.get("description"), 300).rstrip(" ."),
                    language=one_line(record.get("language"), 40),
                    stars=_count(record.get("stargazers_count")) or 0,
                    licensed=isinstance(spdx, str) and spdx != "NOASSERTION",
                    pushed_at=parse_date(record.get("pushed_at")),
                    created_at=parse_date(record.get("created_at")),
                    archived=record.get("archived") is True,
                )
            )
    return found


def documents(company: str, org: Organisation, repos: Sequence[Repository], whole: bool) -> list[SourceDocument]:
    """The organisation, its most starred repositories and its newest ones. `whole`: `repos` are all that there are."""
    active = [r for r in repos if not r.archived]
    starred = sorted((r for r in active if r.description), key=lambda r: (-r.stars, r.name))[:MOST_REPOSITORIES]
    last = max((when for r in active for when in (r.pushed_at, r.created_at) if when is not None), default=None)
    dated = [(r.created_at, r) for r in active if r.created_at and last and last - r.created_at <= NEW]
    newest = sorted(dated, key=lambda pair: (pair[0], pair[1].name), reverse=True)[:MOST_NEW]
    overview = _overview(company, org, active, whole)
    return [
        *([overview] if overview is not None else []),
        *(_repository(company, r) for r in starred),
        *(_beginning(company, r, when) for when, r in newest),
    ]


def _overview(company: str, org: Organisation, active: Sequence[Repository], whole: bool) -> SourceDocument | None:
    lines: list[str] = []
    fields: list[FieldQuote] = []

    def say(sentence: str, dataset: str, field: str, value: JsonValue) -> None:
        lines.append(sentence)
        fields.append(FieldQuote(dataset=dataset, field=field, quote=sentence, value=value))

    if org.repositories:
        number = f"{org.repositories:,} public repositor{'ies' if org.repositories != 1 else 'y'}"
        value: JsonValue = {"name": "public repositories", "count": org.repositories, "url": org.url}
        say(f"{company} publishes {number} on GitHub.", "technology", "repos", value)
    languages = Counter(r.language for r in active if r.language)
    told = sorted(languages.items(), key=lambda item: (-item[1], item[0]))[:MOST_LANGUAGES]
    which = "public repositories" if whole else f"{len(active)} most recently updated public repositories on GitHub"
    if told:
        counted = [f"{name} ({n}{_repositories(n) if i == 0 else ''})" for i, (name, n) in enumerate(told)]
        said = (
            f"The main languages of {company}'s {which} are {in_words(counted)}."
            if len(told) > 1
            else f"The main language of {company}'s {which} is {counted[0]}."
        )
        say(said, "technology", "languages", {"name": told[0][0], "repositories": told[0][1]})
    for name, n in told[1:]:
        said = f"{company} writes {n} of its {which} mainly in {name}."
        say(said, "technology", "languages", {"name": name, "repositories": n})
    pushed = max((r for r in active if r.pushed_at), key=lambda r: (r.pushed_at, r.name), default=None)
    if pushed is not None and pushed.pushed_at is not None:
        said = f"{company} last changed its public repository {pushed.name} on {_day(pushed.pushed_at)}."
        say(said, "technology", "repos", {"name": pushed.name, "url": pushed.url})
    if org.verified and org.site:
        said = f"{company} has a verified organisation on GitHub that names {org.site} as its website."
        say(said, "profile", "domain", org.site)
    if org.description:
        said = f'{company} describes itself on GitHub with the words "{org.description}".'
        say(said, "profile", "summary", org.description)
    if not lines:
        return None
    return SourceDocument(
        url=org.url,
        title=f"{company} on GitHub",
        text="\n".join(lines),
        published_at=max(
            filter(None, (pushed.pushed_at if pushed is not None else None, org.updated_at)), default=None
        ),
        about=company,
        fields=tuple(fields),
    )


def _repository(company: str, repo: Repository) -> SourceDocument:
    kind = "the open-source project" if repo.licensed else "the repository"
    what = f'{company} publishes {kind} {repo.name} on GitHub, described as "{repo.description}".'
    value: JsonValue = {"name": repo.name, "url": repo.url, "stars": repo.stars, "language": repo.language}
    fields = [FieldQuote(dataset="technology", field="repos", quote=what, value=value)]
    if repo.stars >= PRODUCT_STARS:
        product: JsonValue = {"name": repo.name, "category": "public repository", "url": repo.url}
        fields.append(FieldQuote(dataset="products", field="items", quote=what, value=product))
    lines = [what]
    if repo.language:
        said = f"{company}'s repository {repo.name} is written mainly in {repo.language}."
        lines.append(said)
        language: JsonValue = {"name": repo.language, "url": repo.url}
        fields.append(FieldQuote(dataset="technology", field="languages", quote=said, value=language))
    if repo.stars:
        said = f"{company}'s repository {repo.name} has {repo.stars:,} star{'s' if repo.stars != 1 else ''} on GitHub."
        lines.append(said)
        fields.append(FieldQuote(dataset="technology", field="repos", quote=said, value=value))
    return SourceDocument(
        url=repo.url,
        title=f"{repo.name}: a repository of {company}",
        text="\n".join(lines),
        published_at=repo.pushed_at or repo.created_at,
        about=company,
        fields=tuple(fields),
    )


def _beginning(company: str, repo: Repository, when: datetime) -> SourceDocument:
    said = f"{company}'s repository {repo.name} was created on GitHub on {_day(when)}."
    event: JsonValue = {
        "headline": said,
        "type": "repository",
        "date": when.date().isoformat(),
        "url": repo.url,
    }
    return SourceDocument(
        url=repo.url,
        title=f"{repo.name}: when {company} began it",
        text=said,
        published_at=when,
        about=company,
        fields=(FieldQuote(dataset="news", field="events", quote=said, value=event),),
    )


def _repositories(count: int) -> str:
    return " repositories" if count != 1 else " repository"


def _day(when: datetime) -> str:
    return f"{when:%B} {when.day}, {when.year}"


def _count(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None
