"""What the world's news says about a company: headlines of the last three months, through GDELT's DOC 2.0 API. Free."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Literal

from pydantic import Field, JsonValue
from typing_extensions import override

from tools.base import FailureKind, FieldQuote, Frozen, Pace, SourceDocument, SourceError, SourceReply, SubjectHint
from tools.http_source import HttpSource
from tools.reading.texts import mentions, one_line
from tools.reading.urls import host_of, normalise_url
from tools.web.page import seconds_of

_API = "https://api.gdeltproject.org/api/v2/doc/doc"
_PAUSE = 5.0
"""Seconds between requests, as the service's own refusal names them."""
_SHORTEST_PHRASE = 5
"""GDELT refuses a shorter phrase in quotes, but takes the same word without them."""
_ESCAPE = re.compile(r'\\(["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
_HURRIED = re.compile(r"limit requests|too many requests|rate limit", re.IGNORECASE)
_WRONG_QUERY = re.compile(
    r"too short|too long|too common|parenthes|surrounded by \(|illegal character|unsupported (?:country|language)"
    r"|invalid\W+(?:unsupported\W+)?(?:country|language|query|timespan)",
    re.IGNORECASE,
)
_SEEN = re.compile(r"(?:19|20)\d{6}T\d{6}Z")


class GdeltArgs(Frozen):
    """A search for articles, the newest first."""

    query: str = Field(min_length=2, max_length=150, description="The company's name, looked for as one phrase.")
    timespan: Literal["1d", "1w", "1m", "3m"] = Field(
        "3m", description="How far back to look: a day, a week, a month, or three months, which is all there is."
    )
    language: str = Field(
        "english",
        pattern=r"^[a-z]{0,30}$",
        description="Language of the articles by its English name, such as english or german; empty for all of them.",
    )
    limit: int = Field(75, ge=1, le=250, description="How many articles to look at; the newest come first.")


class Gdelt(HttpSource[GdeltArgs]):
    """Headlines that GDELT saw."""

    name = "gdelt"
    title = "GDELT world news"
    description = (
        "Headlines of the last three months from news sites in most countries, with the time they came up. Free."
    )
    Args = GdeltArgs
    datasets: ClassVar[Mapping[str, float]] = {"news": 0.7, "funding": 0.15, "leadership": 0.15, "strategy": 0.1}
    reliability = 0.70
    latency = 6.0
    timeout = 60.0
    slowness = 2.5  # reported to take 13 to 38 seconds at times
    licence = (
        "GDELT's index is free for any use that names and links gdeltproject.org; headlines are their outlets' own."
    )
    homepage = "https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/"
    paces: ClassVar[Mapping[str, Pace]] = {"gdeltproject.org": Pace(per_second=0.18, burst=1, at_once=1)}

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[GdeltArgs]:
        """One search, the same for every dataset: by the first of the company's names that GDELT can look for."""
        if dataset not in self.datasets:
            return ()
        names = [n for n in map(_unquoted, (subject.name, subject.legal_name, *subject.aliases)) if len(n) > 1]
        best = next((n for n in names if _askable(n)), names[0] if names else "")
        return (GdeltArgs(query=best),) if best else ()

    async def fetch(self, args: GdeltArgs) -> SourceReply:
        """One search."""
        name = _unquoted(args.query)
        if not any(c.isalnum() for c in name):
            raise SourceError(FailureKind.INVALID_ARGUMENTS, "The query has no letter or digit to look for.")
        params: dict[str, str | int] = {
            "query": _query(name, args.language),
            "mode": "ArtList",
            "format": "json",
            "maxrecords": args.limit,
            "sort": "DateDesc",
            "timespan": args.timespan,
        }
        page = await self.door.get(_API, params, explain=_explain)
        return read(page.text(), name, self.env.scrub)


def read(text: str, name: str, scrub: Callable[[str], str] = str) -> SourceReply:
    """What an answer says of a company. Raises SourceError; `scrub` cleans what of the answer ends in its message."""
    articles = _articles(_parsed(text, scrub))
    documents = [d for a in articles if isinstance(a, dict) and (d := _document(a, name)) is not None]
    if articles and not documents:
        raise SourceError(FailureKind.MALFORMED, "None of GDELT's articles has the expected shape.")
    kept = _first_of_each(documents)
    copies = len(documents) - len(kept)
    note = f"Copies of these headlines at other outlets or addresses, left out: {copies}." if copies else ""
    return SourceReply(documents=tuple(kept), note=note)


def _parsed(text: str, scrub: Callable[[str], str]) -> JsonValue:
    """The JSON of an answer. Raises SourceError: a refusal comes as a line of text, with a status of 200."""
    body = text.strip().removeprefix("\ufeff")
    if not body.startswith(("{", "[")):
        raise _refusal(body, scrub)
    # Titles hold raw control characters and lone backslashes. Neither hides where a string ends, so that both can be
    # read past; a body that is cut short stays unreadable.
    for attempt in (body, _ESCAPE.sub(lambda m: m[0] if m[1] else r"\\", body)):
        try:
            found: JsonValue = json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
        return found
    raise SourceError(FailureKind.MALFORMED, "GDELT's answer is damaged JSON.")


def _refusal(body: str, scrub: Callable[[str], str]) -> SourceError:
    said = " ".join(word for word in one_line(body, 200).split() if "@" not in word)[:120]
    if body.startswith("<") or not said:
        what = "a web page" if body else "nothing"
        return SourceError(FailureKind.MALFORMED, f"GDELT answered with {what} where JSON was expected.")
    if _HURRIED.search(said):
        return _too_fast(_PAUSE)
    kind = FailureKind.INVALID_ARGUMENTS if _WRONG_QUERY.search(said) else FailureKind.MALFORMED
    return SourceError(kind, scrub(f"GDELT refused the search: {said}"))


def _too_fast(seconds: float) -> SourceError:
    return SourceError(FailureKind.RATE_LIMITED, "GDELT takes one request per 5 seconds.", retry_after=seconds)


def _explain(status: int, headers: Mapping[str, str], _: str) -> SourceError | None:
    """A 429 of GDELT names no time in its headers, only in its text."""
    return _too_fast(seconds_of(headers.get("retry-after")) or _PAUSE) if status == 429 else None


def _unquoted(name: str) -> str:
    return one_line(re.sub(r'["“”]', " ", name), 100)


def _askable(name: str) -> bool:
    """Whether GDELT looks for it: a phrase of some length, or a word of three letters."""
    return len(name) >= _SHORTEST_PHRASE or (len(name) > 2 and name.isalnum())


def _query(name: str, language: str) -> str:
    # A short word goes bare; one with an `&` or a dash cannot, whatever its length.
    phrase = name if len(name) < _SHORTEST_PHRASE and name.isalnum() else f'"{name}"'
    return f"{phrase} sourcelang:{language}" if language else phrase


def _articles(found: JsonValue) -> list[JsonValue]:
    """The articles of an answer; `{}` is what GDELT says when there are none. Raises SourceError."""
    if not isinstance(found, dict):
        raise SourceError(FailureKind.MALFORMED, "GDELT's answer is no JSON object.")
    articles = found.get("articles")
    if articles is None and not found.keys() & {"error", "errors", "message", "status"}:
        return []
    if not isinstance(articles, list):
        raise SourceError(FailureKind.MALFORMED, "GDELT answered without a list of articles.")
    return articles


def _document(article: Mapping[str, JsonValue], name: str) -> SourceDocument | None:
    title, url = _tidied(one_line(article.get("title"))), normalise_url(one_line(article.get("url"), 2_000))
    if not title or not url:
        return None
    seen = _seen(article.get("seendate"))
    headline: dict[str, JsonValue] = {"headline": title, "url": url}
    if seen is not None:
        headline["date"] = seen.date().isoformat()
    # The search reads whole articles; only a headline that names the company is taken for an event of that company.
    fields = (
        (FieldQuote(dataset="news", field="events", quote=title, value=[headline]),) if mentions(title, name) else ()
    )
    return SourceDocument(
        url=url,
        title=title,
        text=title,
        published_at=seen,
        origin=host_of(url),
        licence=Gdelt.licence,
        fields=fields,
    )


def _seen(value: JsonValue) -> datetime | None:
    """When GDELT came upon the article. It looks every 15 minutes, so that nothing better is known of its publication."""
    if not isinstance(value, str) or not _SEEN.fullmatch(value):
        return None
    try:
        return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _tidied(title: str) -> str:
    """GDELT sets spaces around punctuation (`Acme Inc . ( NYSE : ACM )`): they go, and nothing else changes."""
    title = re.sub(r"(?<![\w.,])(\d{1,3}) \. (\d{1,2})(?!\d)", r"\1.\2", title)
    title = re.sub(r" +([,.;:!?%)\]])", r"\1", title)
    title = re.sub(r"([(\[$€£]) +", r"\1", title)
    return re.sub(r" +(['’](?:s|re|ve|ll|d|m|t)\b)", r"\1", title, flags=re.IGNORECASE)


def _first_of_each(documents: Iterable[SourceDocument]) -> list[SourceDocument]:
    """One document per headline, the earliest: a story that many outlets print is one story."""
    never = datetime.max.replace(tzinfo=UTC)
    first: dict[str, SourceDocument] = {}
    for document in documents:
        key = document.title.casefold()
        if key not in first or (document.published_at or never) < (first[key].published_at or never):
            first[key] = document
    return list(first.values())


SOURCES = (Gdelt,)
