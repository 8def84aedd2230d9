"""What companies must tell the US Securities and Exchange Commission: EDGAR, read at the source. Free; it wants a contact.

Parts: the filer's profile and its dated filings; figures from XBRL; the sections of annual and quarterly reports; the text of
current reports (8-K); full-text search. A company is named by its CIK, or found in the SEC's list of tickers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from tools.base import FailureKind, Frozen, Pace, SourceDocument, SourceError, SourceReply, SubjectHint
from tools.fetching import AGENT
from tools.http_source import HttpSource
from tools.reading.edgar_facts import facts_documents
from tools.reading.edgar_filings import ANNUAL, LICENCE, QUARTERLY, Filer, Filing, filings_documents, read_filer
from tools.reading.edgar_reports import RELEASING, event_documents, release_document, release_name, report_documents
from tools.reading.edgar_search import find_filer, search_documents
from tools.reading.edgar_text import lines_of
from tools.web.page import Page

Part = Literal["filings", "facts", "annual_report", "quarterly_report", "events", "search"]

_DATA = "https://data.sec.gov"
_TICKERS = "https://www.sec.gov/files/company_tickers.json"
_SEARCH = "https://efts.sec.gov/LATEST/search-index"
_TIME_OUT = 600.0
"""Seconds for which the SEC shuts out who asked too fast."""
MOST_EVENTS = 3
_RECENT = timedelta(days=400)
_TELLING = ("2.01", "5.02", "1.01")
"""Items of which the latest is worth reading, even where newer reports are about something else."""
_PARTS: Mapping[str, tuple[Part, ...]] = {
    "profile": ("filings", "annual_report"),
    "financials": ("facts",),
    "funding": ("events",),
    "leadership": ("annual_report", "events"),
    "news": ("filings", "events"),
    # An annual report is older than most freshness floors for most of its year; the quarterly one repeats what has changed.
    "strategy": ("quarterly_report", "annual_report"),
    "competitors": ("annual_report", "quarterly_report"),
    "products": ("annual_report",),
    "customers": ("annual_report",),
}


class EdgarArgs(Frozen):
    """What to read of a company's filings."""

    part: Part = Field(
        description="filings: profile and dated list of filings; facts: revenue, growth, operating income and cash as filed; "
        "annual_report or quarterly_report: its sections (business, competition, risks, discussion, officers); events: the "
        "text of recent current reports (8-K); search: which filings hold some words."
    )
    cik: str = Field(
        "", pattern=r"^[0-9]{0,10}$", description="The company's number at the SEC; empty to find it by name or ticker."
    )
    company: str = Field("", max_length=200, description="The company's name, as precisely as it is known.")
    ticker: str = Field("", max_length=12, description="Its ticker on a US exchange.")
    query: str = Field(
        "", max_length=200, description="Words to search for; quotes keep words together. For search only."
    )
    forms: str = Field(
        "",
        max_length=60,
        pattern=r"^[A-Za-z0-9 ,/-]*$",
        description="Forms to search, such as 10-K,8-K; empty for all.",
    )

    @model_validator(mode="after")
    def _is_enough(self) -> Self:
        named = self.cik.strip("0") or self.company.strip() or self.ticker.strip()
        if self.part == "search" and not self.query.strip():
            raise ValueError("search needs a query")
        if self.part != "search" and not named:
            raise ValueError("give a cik, a company or a ticker")
        return self


class Edgar(HttpSource[EdgarArgs]):
    """Filings with the SEC."""

    name = "edgar"
    title = "SEC EDGAR"
    description = (
        "Filings of companies listed in the US, at the source: audited figures, risks, competitors, officers, strategy and "
        "dated events. Free. Private companies do not file."
    )
    Args = EdgarArgs
    datasets: ClassVar[Mapping[str, float]] = {
        "financials": 0.85,
        "profile": 0.8,
        "news": 0.6,
        "strategy": 0.6,
        "leadership": 0.5,
        "competitors": 0.45,
        "products": 0.35,
        "funding": 0.2,
        "customers": 0.2,
    }
    reliability = 0.98
    latency = 2.0
    timeout = 60.0
    licence = LICENCE
    homepage = "https://www.sec.gov/search-filings/edgar-application-programming-interfaces"
    # Ten a second is the limit over all of sec.gov; one less, so that the network's unevenness never makes eleven.
    paces: ClassVar[Mapping[str, Pace]] = {"sec.gov": Pace(per_second=9.0, burst=1, at_once=4)}
    needs = "a contact (DOSSIER_CONTACT)"
    max_bytes = 32_000_000

    @override
    def unavailable(self) -> str | None:
        """Off without a contact: the SEC turns such requests away."""
        off = super().unavailable()
        if off is None and self.env.http is not None and not self.env.http.contact.strip():
            return "The SEC answers 403 to programs that name no contact: set DOSSIER_CONTACT to your e-mail address."
        return off

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[EdgarArgs]:
        """One part or two for each dataset; the CIK where it is known."""
        cik = subject.cik.strip()
        known = {
            "cik": cik if cik.isascii() and cik.isdigit() and len(cik) <= 10 and cik.strip("0") else "",
            "company": " ".join(subject.name.split())[:200].strip(),
            "ticker": ticker if len(ticker := subject.ticker.strip()) <= 12 else "",
        }
        if dataset not in self.datasets or not any(known.values()):
            return ()
        return tuple(EdgarArgs(part=part, **known) for part in _PARTS[dataset])

    async def fetch(self, args: EdgarArgs) -> SourceReply:
        """Make one call: one request, or a few where a report has to be found first."""
        if args.part == "search":
            return await self._search(args)
        cik = await self._cik(args)
        if args.part == "facts":
            page = await self._get(f"{_DATA}/api/xbrl/companyfacts/CIK{cik:010d}.json", missing=_no_facts(cik))
            documents = await asyncio.to_thread(lambda: facts_documents(page.json_object(), cik, args.company))
            return SourceReply(documents=tuple(documents))
        filer = await self._submissions(cik, args.company)
        match args.part:
            case "filings":
                return SourceReply(documents=tuple(filings_documents(filer)))
            case "annual_report":
                return await self._report(filer, ANNUAL)
            case "quarterly_report":
                return await self._report(filer, QUARTERLY)
        return await self._events(filer)

    async def _cik(self, args: EdgarArgs) -> int:
        if args.cik.strip("0"):
            return int(args.cik)
        page = await self._get(_TICKERS)
        return find_filer(page.json_object(), args.company, args.ticker)

    async def _submissions(self, cik: int, asked: str) -> Filer:
        missing = f"The SEC knows no filer with the CIK {cik}."
        page = await self._get(f"{_DATA}/submissions/CIK{cik:010d}.json", missing=missing)
        return read_filer(page.json_object(), asked)

    async def _search(self, args: EdgarArgs) -> SourceReply:
        named = args.cik.strip("0") or args.company.strip() or args.ticker.strip()
        cik = await self._cik(args) if named else None
        params: dict[str, str | int] = {"q": args.query}
        if forms := ",".join(f for part in args.forms.upper().split(",") if (f := part.strip())):
            params["forms"] = forms
        if cik is not None:
            params["ciks"] = f"{cik:010d}"
        page = await self._get(_SEARCH, params=params)
        return SourceReply(documents=tuple(search_documents(page.json_object(), cik, args.company)))

    async def _report(self, filer: Filer, forms: Sequence[str]) -> SourceReply:
        filing = filer.latest(forms)
        if filing is None:
            return SourceReply(note=f"{filer.name} has filed no {' or '.join(forms[:2])} lately.")
        page = await self._get(filing.url, accept="text/html")
        # Some megabytes of HTML take a second or two: not on the loop.
        documents = await asyncio.to_thread(lambda: report_documents(filer, filing, lines_of(page.body)))
        note = "" if documents else f"The {filing.form} has no section that is known by its heading: {filing.url}"
        return SourceReply(documents=tuple(documents), note=note)

    async def _events(self, filer: Filer) -> SourceReply:
        """The text of some current reports; one that cannot be had is named in the note."""
        chosen = telling(filer)
        if not chosen:
            return SourceReply(note=f"{filer.name} has filed no 8-K lately.")
        made: list[SourceDocument] = []
        errors: list[SourceError] = []
        for filing in chosen:
            for get in (self._event, self._release) if set(filing.items) & set(RELEASING) else (self._event,):
                try:
                    made += await get(filer, filing)
                except SourceError as exc:
                    errors.append(exc)
        if errors and not made:
            raise errors[0]
        note = f"{len(errors)} of the documents could not be read: {errors[0].message}" if errors else ""
        return SourceReply(documents=tuple(made), note=note)

    async def _event(self, filer: Filer, filing: Filing) -> list[SourceDocument]:
        page = await self._get(filing.url, accept="text/html")
        return await asyncio.to_thread(lambda: event_documents(filer, filing, lines_of(page.body)))

    async def _release(self, filer: Filer, filing: Filing) -> list[SourceDocument]:
        """The press release that is attached, where one can be told from its file's name."""
        listed = await self._get(f"{filing.folder}/index.json")
        name = release_name(listed.json())
        if not name:
            return []
        url = f"{filing.folder}/{name}"
        page = await self._get(url, accept="text/html")
        found = await asyncio.to_thread(lambda: release_document(filer, filing, url, lines_of(page.body)))
        return [found] if found is not None else []

    async def _get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        accept: str = "application/json",
        missing: str = "",
    ) -> Page:
        """A page of the SEC. Its refusals come with a status of 403, now and then of 200."""
        door = self.door
        headers = {"User-Agent": f"{AGENT} {door.http.contact}"}  # the form that the SEC's guidance shows
        page = await door.get(url, params, headers=headers, accept=accept, explain=_explainer(missing))
        refusal = refused(page.body[:4_000].decode("utf-8", "replace")) if page.body.lstrip()[:1] == b"<" else None
        if refusal is not None:
            raise refusal
        return page


def telling(filer: Filer) -> list[Filing]:
    """The current reports to read: the latest on acquisitions, officers and agreements, and the newest besides."""
    reports = [f for f in filer.filings if f.form == "8-K" and f.primary and set(f.items) != {"9.01"}]
    newest = reports[0].filed if reports else None
    recent = [f for f in reports if newest is None or (f.filed is not None and newest - f.filed <= _RECENT)]
    firsts = [next((f for f in recent if item in f.items), None) for item in _TELLING]
    chosen = list(dict.fromkeys(f for f in (*recent[:1], *firsts, *recent) if f is not None))[:MOST_EVENTS]
    return sorted(chosen, key=recent.index)


def refused(start: str) -> SourceError | None:
    """What the SEC's block pages mean, or None for any other page."""
    low = start.casefold()
    if "request rate threshold exceeded" in low or "exceeded the sec" in low:
        said = "The SEC shuts this address out for ten minutes: too many requests, or a contact it does not accept."
        return SourceError(FailureKind.RATE_LIMITED, f"{said} Check DOSSIER_CONTACT.", retry_after=_TIME_OUT)
    if "undeclared automated tool" in low or "declare your traffic" in low:
        said = "The SEC wants to know who asks: set DOSSIER_CONTACT to an e-mail address that is read."
        return SourceError(FailureKind.AUTH, said)
    return None


def _explainer(missing: str) -> Callable[[int, Mapping[str, str], str], SourceError | None]:
    def explain(status: int, _: Mapping[str, str], start: str) -> SourceError | None:
        if status == 404 and missing:
            return SourceError(FailureKind.NOT_FOUND, missing)
        return refused(start) if status in (403, 429) else None

    return explain


def _no_facts(cik: int) -> str:
    return f"The SEC has no XBRL figures of a filer with the CIK {cik}."


SOURCES = (Edgar,)
