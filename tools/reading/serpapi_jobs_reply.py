"""From a google_jobs reply to documents about one employer. Pure. A page of ten postings never says how many there are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote_plus

from pydantic import JsonValue

from tools.base import FieldQuote, SourceDocument
from tools.reading.contacts import without_contacts
from tools.reading.dates import parse_date
from tools.reading.job_words import function_of, is_key_title, technologies_in
from tools.reading.serpapi_names import listed, name_key, same_company
from tools.reading.serpapi_reply import Found, Json, items_in, plain, said_at
from tools.reading.urls import host_of, normalise_url

LICENCE = "Job posting through SerpAPI from Google Jobs: its text belongs to the employer; quote briefly and link."
MOST_TOOLS = 12
MOST_TEXT = 3_000

_ANYWHERE = frozenset({"anywhere", "remote"})
_AGO = re.compile(r"\bago$|^yesterday$|^today$", re.IGNORECASE)
_BY_LETTER = re.compile(r"[AEFHILMNORSX][A-Z]{1,3}\b")
"""An abbreviation whose first letter is spoken with a vowel: an SRE, an HR manager."""


@dataclass(frozen=True)
class Job:
    """A posting of the employer."""

    title: str
    employer: str
    place: str
    via: str
    posted: datetime | None
    url: str
    origin: str
    text: str
    facts: tuple[str, ...]

    @property
    def role(self) -> str:
        """The title with its article."""
        vowel = self.title[:1].casefold() in "aeio" if not self.title[:4].isupper() else False
        return f"{'an' if vowel or _BY_LETTER.match(self.title) else 'a'} {self.title}"


def read_jobs(reply: Json, names: Sequence[str], query: str) -> Found:
    """A summary of the page and one document per posting of the company with one of these names."""
    found, anchor = Found(), said_at(reply)
    information = reply.get("search_information")
    empty = isinstance(information, dict) and information.get("jobs_results_state") == "Fully empty"
    if "jobs_results" not in reply and not empty:
        found.skipped += 1
    page = _page(reply, query)
    jobs: dict[tuple[str, str], Job] = {}
    others = 0
    for item in items_in(reply, "jobs_results", found):
        title, employer = plain(item.get("title")), plain(item.get("company_name"))
        if not title or not employer or max(len(title), len(employer)) > 200:
            found.skipped += 1
        elif not same_company(employer, names):
            others += 1
        else:
            job = _job(item, title, employer, anchor, page)
            jobs.setdefault((title.casefold(), job.place.casefold()), job)
    if others:
        found.notes.append(f"{others} postings of other employers left out")
    if jobs:
        found.add(_summary(list(jobs.values()), page))
    for job in jobs.values():
        found.add(_document(job, names))
    pages = reply.get("serpapi_pagination")
    if jobs and isinstance(pages, dict) and pages.get("next_page_token"):
        found.notes.append("Google Jobs has more pages than this one")
    return found


def _page(reply: Json, query: str) -> str:
    """Google's own page of these results."""
    metadata = reply.get("search_metadata")
    stated = normalise_url(plain(metadata.get("google_jobs_url"))) if isinstance(metadata, dict) else ""
    if host_of(stated) == "google.com":
        return stated
    return f"https://www.google.com/search?q={quote_plus(query)}&udm=8"


def _job(item: Json, title: str, employer: str, anchor: datetime | None, page: str) -> Job:
    options = item.get("apply_options")
    links = (
        [normalise_url(plain(o.get("link"))) for o in options if isinstance(o, dict)]
        if isinstance(options, list)
        else []
    )
    links = [link for link in links if link]
    shared = normalise_url(plain(item.get("share_link")))
    detected = item.get("detected_extensions")
    facts = detected if isinstance(detected, dict) else {}
    said = [
        f"It states the salary as {salary}." if (salary := plain(facts.get("salary"))) else "",
        f"It is {kind.casefold()}." if (kind := plain(facts.get("schedule_type"))) else "",
        "It can be done from home." if facts.get("work_from_home") is True else "",
    ]
    return Job(
        title=title,
        employer=employer,
        place=re.sub(r"\s*\(\+\d+ others?\)$", "", plain(item.get("location"))),
        via=plain(item.get("via")).removeprefix("via ").strip(),
        posted=_posted(item, facts, anchor),
        url=shared or next(iter(links), page),
        origin=host_of(next(iter(links), "")) or "google.com",
        text=_words(item),
        facts=tuple(s for s in said if s),
    )


def _posted(item: Json, facts: Json, anchor: datetime | None) -> datetime | None:
    """The day of posting where it is certain: `3 days ago` is, `2 weeks ago` and `30+ days ago` are not."""
    listed_too = item.get("extensions")
    said = [plain(facts.get("posted_at"))]
    said += [plain(e) for e in listed_too if _AGO.search(plain(e))] if isinstance(listed_too, list) else []
    for text in said:
        when = parse_date(text, anchor)
        if when is not None and (anchor is None or when <= anchor + timedelta(days=1)):
            return when
    return None


def _words(item: Json) -> str:
    """Description and highlights without anybody's address or telephone number."""
    raw = item.get("description")
    lines = raw.split("\n") if isinstance(raw, str) else []
    highlights = item.get("job_highlights")
    for group in highlights if isinstance(highlights, list) else []:
        items = group.get("items") if isinstance(group, dict) else None
        lines += [one for one in items if isinstance(one, str)] if isinstance(items, list) else []
    text = "\n".join(dict.fromkeys(line for part in lines if (line := plain(part))))
    return without_contacts(text)


def _summary(jobs: Sequence[Job], page: str) -> SourceDocument:
    """What the page shows of the employer, by function."""
    company = jobs[0].employer
    count = len(jobs)
    lines = [f"Google Jobs lists {count} open position{'s' * (count > 1)} at {company} on this page of results."]
    fields = []
    functions = Counter(function_of(job.title) for job in jobs)
    for function, n in functions.most_common():
        titles = list(dict.fromkeys(job.title for job in jobs if function_of(job.title) == function))
        shown = listed(titles[:4]) if len(titles) <= 4 else f"{', '.join(titles[:4])} and others"
        line = f"Of the positions at {company} on this page of Google Jobs, {n} {'is' if n == 1 else 'are'} in {function}: {shown}."
        value: JsonValue = [{"function": function, "seen": n}]
        lines.append(line)
        fields.append(FieldQuote(dataset="hiring", field="by_function", quote=line, value=value))
    return SourceDocument(
        url=page,
        title=f"{company} on Google Jobs",
        text="\n".join(lines),
        # The page was so at least when the newest of its postings had appeared.
        published_at=max((job.posted for job in jobs if job.posted is not None), default=None),
        origin="google.com",
        licence=LICENCE,
        about=company,
        fields=tuple(fields),
    )


def _document(job: Job, names: Sequence[str]) -> SourceDocument:
    where = "to work from anywhere" if job.place.casefold() in _ANYWHERE else f"in {job.place}" if job.place else ""
    day = f"posted on {job.posted:%B} {job.posted.day}, {job.posted.year}" if job.posted is not None else ""
    source = (
        f"{'' if day else 'seen on Google Jobs '}via {job.via}" if job.via else "" if day else "seen on Google Jobs"
    )
    line = f"{job.employer} is hiring {job.role}{f' {where}' if where else ''}, {f'{day} {source}'.strip()}."
    key = is_key_title(job.title)
    value: JsonValue = [job.title] if key else [{"function": function_of(job.title), "title": job.title}]
    fields = [FieldQuote(dataset="hiring", field="key_titles" if key else "by_function", quote=line, value=value)]
    lines = [line, *job.facts]
    for field, quote, named in _technologies(job, names):
        lines.append(quote)
        fields.append(FieldQuote(dataset="technology", field=field, quote=quote, value=named))
    return SourceDocument(
        url=job.url,
        title=f"{job.title} at {job.employer}",
        text="\n".join([*lines, job.text])[:MOST_TEXT].strip(),
        published_at=job.posted,
        origin=job.origin,
        licence=LICENCE,
        about=job.employer,
        fields=tuple(fields),
    )


def _technologies(job: Job, names: Sequence[str]) -> list[tuple[str, str, JsonValue]]:
    """Languages and other technologies that the posting names; a product of the employer is not one that it uses."""
    own = {name_key(name) for name in (job.employer, *names)}
    named = [(name, kind) for name, kind in technologies_in(f"{job.title}\n{job.text}") if name_key(name) not in own]
    languages = [name for name, kind in named if kind == "language"][:MOST_TOOLS]
    tools = [(name, kind) for name, kind in named if kind != "language"][:MOST_TOOLS]
    found: list[tuple[str, str, JsonValue]] = []
    if tools:
        line = f"{job.employer}'s posting for {job.role} names {listed([name for name, _ in tools])}."
        value: JsonValue = [{"name": name, "category": kind, "evidence": "job posting"} for name, kind in tools]
        found.append(("tools", line, value))
    if languages:
        spoken: JsonValue = list[JsonValue](languages)
        line = f"{job.employer}'s posting for {job.role} names the languages {listed(languages)}."
        found.append(("languages", line, spoken))
    return found
