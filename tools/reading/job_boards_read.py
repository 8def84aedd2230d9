"""The public job boards: where each is asked, where a person reads it, and what its reply means."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote

from pydantic import JsonValue

from tools.base import FailureKind, SourceError
from tools.reading.dates import parse_date
from tools.reading.jobs import Posting, from_milliseconds, impersonal, one_line, plain_text, text_of
from tools.reading.urls import host_of, normalise_url

Record = Mapping[str, JsonValue]
_HREF = re.compile(r"href\s*=\s*[\"']?(https?://[^\"'\s<>]{1,300})", re.IGNORECASE)
_NO_POSITION = re.compile(
    r"^(?:general|open|spontaneous|speculative|unsolicited|initiativ)[\s-]?(?:application|bewerbung)s?\b|"
    r"\b(?:talent (?:pool|community|network)|future opportunit|expression of interest|don.t see (?:a|your|the|what))",
    re.IGNORECASE,
)
"""Titles of what stands on a board and is no position: an invitation to apply all the same."""


@dataclass(frozen=True)
class Service:
    """A maker of job boards."""

    name: str
    label: str
    api: str
    """Address of the postings; `{token}` is the board's name."""
    page: str
    """Address at which a person reads the board."""
    origin: str
    read: Callable[[JsonValue], Board]
    params: Mapping[str, str | int] = field(default_factory=dict)
    about: str = ""
    """Address at which the board says whose it is."""

    def at(self, template: str, token: str) -> str:
        """One of the addresses, for a board."""
        return template.replace("{token}", quote(token, safe=""))


@dataclass(frozen=True)
class Board:
    """What a board lists, and whose it says that it is; empty when it does not say."""

    postings: tuple[Posting, ...]
    owner: str = ""


def _greenhouse(found: JsonValue) -> Board:
    jobs = _records(found, "jobs", "Greenhouse")
    postings = []
    for job in jobs:
        markup = html.unescape(text_of(job.get("content")))
        when = parse_date(job.get("updated_at")) or parse_date(job.get("first_published"))
        # A post without an internal job is a call for applications at large.
        if "internal_job_id" not in job or job["internal_job_id"] is not None:
            postings.append(
                _posting(
                    job.get("title"), job.get("absolute_url"), _named(job.get("location")), job.get("departments"),
                    markup, when,
                )
            )  # fmt: skip
    return _board(jobs, postings, "company_name", "Greenhouse")


def _lever(found: JsonValue) -> Board:
    jobs = _records(found, "", "Lever")
    postings = []
    for job in jobs:
        kinds = job.get("categories")
        kinds = kinds if isinstance(kinds, dict) else {}
        lists = job.get("lists")
        points = [i for i in lists if isinstance(i, dict)] if isinstance(lists, list) else []
        body = [text_of(job.get("description")) or text_of(job.get("descriptionPlain"))]
        body += [f"<h3>{text_of(i.get('text'))}</h3>{text_of(i.get('content'))}" for i in points]
        body.append(text_of(job.get("additional")) or text_of(job.get("additionalPlain")))
        where = kinds.get("location") or kinds.get("allLocations")
        postings.append(
            _posting(job.get("text"), job.get("hostedUrl"), where, kinds.get("department") or kinds.get("team"),
                     "<br>".join(body), from_milliseconds(job.get("createdAt")))
        )  # fmt: skip
    return _board(jobs, postings, "", "Lever")


def _ashby(found: JsonValue) -> Board:
    jobs = _records(found, "jobs", "Ashby")
    postings = [
        _posting(job.get("title"), job.get("jobUrl"), job.get("location"), job.get("department") or job.get("team"),
                 text_of(job.get("descriptionHtml")) or text_of(job.get("descriptionPlain")), parse_date(job.get("publishedAt")))
        for job in jobs if job.get("isListed") is not False
    ]  # fmt: skip
    return _board(jobs, postings, "", "Ashby")


def _recruitee(found: JsonValue) -> Board:
    jobs = _records(found, "offers", "Recruitee")
    postings = [
        _posting(job.get("title") or job.get("position"), job.get("careers_url"), job.get("location") or job.get("city"),
                 job.get("department"), f"{text_of(job.get('description'))}<br>{text_of(job.get('requirements'))}",
                 parse_date(job.get("published_at")) or parse_date(job.get("created_at")))
        for job in jobs if job.get("status") in (None, "published")
    ]  # fmt: skip
    return _board(jobs, postings, "company_name", "Recruitee")


def _records(found: JsonValue, key: str, label: str) -> list[dict[str, JsonValue]]:
    """The postings of a reply as it gives them. Raises SourceError (malformed)."""
    listed = found if not key else found.get(key) if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise SourceError(FailureKind.MALFORMED, f"{label} answered without a list of postings.")
    records = [r for r in listed if isinstance(r, dict)]
    if listed and not records:
        raise SourceError(FailureKind.MALFORMED, f"None of {label}'s postings has the expected shape.")
    return records


def _board(jobs: list[dict[str, JsonValue]], postings: list[Posting | None], owner: str, label: str) -> Board:
    read = [p for p in postings if p is not None]
    if postings and not read:
        raise SourceError(FailureKind.MALFORMED, f"None of {label}'s postings has a title and an address.")
    owners = (one_line(job.get(owner)) for job in jobs) if owner else iter(())
    return Board(tuple(p for p in read if not _NO_POSITION.search(p.title)), next((o for o in owners if o), ""))


def _posting(
    title: JsonValue, url: JsonValue, location: JsonValue, department: JsonValue, markup: str, when: object
) -> Posting | None:
    name, link = one_line(title), normalise_url(text_of(url, 4_000))
    if not name or not link:
        return None
    return Posting(
        title=name,
        url=link,
        location=one_line(_first(location), 80),
        department=one_line(_first(department), 80),
        text=impersonal(plain_text(markup)),
        sites=tuple(dict.fromkeys(host for found in _HREF.findall(markup)[:50] if (host := host_of(found)))),
        published_at=parse_date(when),
    )


def _first(value: JsonValue) -> JsonValue:
    """The value, or the first of a list, by its name where it has one."""
    one = value[0] if isinstance(value, list) and value else value
    return _named(one) if isinstance(one, dict) else one


def _named(value: JsonValue) -> JsonValue:
    return value.get("name") if isinstance(value, dict) else None


SERVICES: Final = (
    Service(
        "greenhouse", "Greenhouse", "https://boards-api.greenhouse.io/v1/boards/{token}/jobs",
        "https://job-boards.greenhouse.io/{token}", "greenhouse.io", _greenhouse, {"content": "true"},
        "https://boards-api.greenhouse.io/v1/boards/{token}",
    ),
    Service(
        "lever", "Lever", "https://api.lever.co/v0/postings/{token}", "https://jobs.lever.co/{token}", "lever.co", _lever,
        {"mode": "json"},
    ),
    Service(
        "ashby", "Ashby", "https://api.ashbyhq.com/posting-api/job-board/{token}", "https://jobs.ashbyhq.com/{token}",
        "ashbyhq.com", _ashby, {"includeCompensation": "true"},
    ),
    Service(
        "recruitee", "Recruitee", "https://{token}.recruitee.com/api/offers/", "https://{token}.recruitee.com/",
        "recruitee.com", _recruitee,
    ),
    Service(
        "lever", "Lever", "https://api.eu.lever.co/v0/postings/{token}", "https://jobs.eu.lever.co/{token}", "lever.co",
        _lever, {"mode": "json"},
    ),
)  # fmt: skip
"""In the order in which they are tried; Lever's European boards, which are few, come last."""

HOSTS: Final = frozenset(s.origin for s in SERVICES)

_NO_BOARD: Final = "www|api|app|docs|help|support|blog|cdn|static|careers"
_SEEN: Final = (
    ("greenhouse", re.compile(r"boards(?:\.eu)?\.greenhouse\.io/embed/job_board(?:/js)?\?[^\"'\s<>]{0,200}?\bfor=([\w-]{1,80})")),
    ("greenhouse", re.compile(r"boards(?:\.eu)?\.greenhouse\.io/(?!embed\b)([\w-]{1,80})")),
    ("greenhouse", re.compile(r"boards-api\.greenhouse\.io/v1/boards/([\w-]{1,80})")),
    ("lever", re.compile(r"(?:jobs|api)(?:\.eu)?\.lever\.co/(?:v0/postings/)?(?!v0\b)([\w.-]{1,80})")),
    ("ashby", re.compile(r"jobs\.ashbyhq\.com/([\w.%-]{1,80})")),
    ("ashby", re.compile(r"api\.ashbyhq\.com/posting-api/job-board/([\w.%-]{1,80})")),
    ("recruitee", re.compile(rf"(?<![\w-])(?!(?:{_NO_BOARD})\.)([\w-]{{1,63}})\.recruitee\.com\b")),
)  # fmt: skip


def boards_named_in(page: str) -> Iterator[tuple[str, str]]:
    """Service and name of each board that a web page links to or embeds, each once."""
    plain = html.unescape(page[:3_000_000].replace("\\/", "/").replace("\\u002F", "/"))
    found = ((hit.start(), service, hit[1]) for service, pattern in _SEEN for hit in pattern.finditer(plain))
    yield from dict.fromkeys((service, unquote(token)) for _, service, token in sorted(found))
