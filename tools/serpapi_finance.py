"""Google Finance through SerpAPI, over the google-search-results client. Paid: one price per search."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field, field_validator
from typing_extensions import override

from tools.base import Frozen, SourceReply, SubjectHint
from tools.reading.serpapi_finance_reply import STATED, read_finance
from tools.reading.serpapi_names import LONGEST_NAME, MOST_ALIASES, aliases_of
from tools.serpapi_source import SerpApiSource, one_line

_TICKER = re.compile(r"[A-Z][A-Z0-9]{0,5}(?:[.-][A-Z]{1,2})?")
_LISTED = re.compile(rf"{_TICKER.pattern}:[A-Z]{{2,12}}")


class FinanceArgs(Frozen):
    """A page of Google Finance."""

    query: str = Field(
        min_length=1,
        max_length=LONGEST_NAME,
        description="TICKER:EXCHANGE as Google Finance writes it, such as GOOGL:NASDAQ or WMT:NYSE; a name may work.",
    )
    company: str = Field(
        "",
        max_length=LONGEST_NAME,
        description="The company that is meant. An answer about another one is then refused. Empty: any answer counts.",
    )
    also_known_as: tuple[str, ...] = Field(
        (), max_length=MOST_ALIASES, description="Other names that are the company too, such as its legal name."
    )

    @field_validator("query")
    @classmethod
    def _one_spelling(cls, value: str) -> str:
        return one_line(value, "the query has no words")


class SerpApiFinance(SerpApiSource[FinanceArgs]):
    """Google Finance."""

    name = "serpapi_finance"
    title = "Google Finance (SerpAPI)"
    description = (
        "Figures of a listed company's latest quarter and year, with its chief executive, size and headlines. "
        "Paid per search; worth it for a company whose filings are not free, else EDGAR has the same."
    )
    Args = FinanceArgs
    datasets: ClassVar[Mapping[str, float]] = {"financials": 0.75, "profile": 0.5, "leadership": 0.3, "news": 0.3}
    # Licensed figures, better than a snippet; yet third-hand, and their periods have been labelled wrongly before.
    reliability = 0.7
    latency = 2.0
    licence = STATED

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[FinanceArgs]:
        """The ticker at the likelier exchange first; the name when there is no ticker. The same for every dataset."""
        company = " ".join(subject.name.replace('"', " ").split())[:LONGEST_NAME]
        if dataset not in self.datasets or not company:
            return ()
        also = aliases_of(subject)
        return tuple(
            FinanceArgs(query=q, company=company, also_known_as=also)
            for q in _queries(subject.ticker, subject.exchange, company)
        )

    async def fetch(self, args: FinanceArgs) -> SourceReply:
        """One search, once."""
        reply = await self._api.search({"engine": "google_finance", "q": args.query, "hl": "en"})
        names = [args.company, *args.also_known_as] if args.company else []
        return self._reply(reply, read_finance(reply, names))


def _queries(ticker: str, exchange: str, company: str) -> tuple[str, ...]:
    """Each costs money: one where the exchange is known, else two. Tickers of four letters and more are mostly Nasdaq's."""
    symbol = re.sub(r"-([A-Z]{1,2})$", r".\1", ticker.strip().lstrip("$").upper())  # the SEC's BRK-B is BRK.B there
    if _LISTED.fullmatch(symbol):
        return (symbol,)
    if not _TICKER.fullmatch(symbol):
        return (company,)
    if exchange in ("NASDAQ", "NYSE"):
        return (f"{symbol}:{exchange}",)
    exchanges = ("NASDAQ", "NYSE") if len(re.split(r"[.-]", symbol)[0]) >= 4 else ("NYSE", "NASDAQ")
    return tuple(f"{symbol}:{exchange}" for exchange in exchanges)


SOURCES = (SerpApiFinance,)
