"""How values read on a terminal: money, dates, times, and foreign text with its control characters taken out."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from agent.records import Citation, Company, Costs, StopReason, Subject, to_usd

_UNSEEN = re.compile("[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
"""Control characters and marks that turn the direction of writing: a source must not steer the reader's terminal."""

STOPPED: dict[StopReason, str] = {
    StopReason.ANSWERED: "answered: everything required reached its minimum",
    StopReason.BUDGET_EXHAUSTED: "the budget has no room for the next call; raise --max-cost for more",
    StopReason.NO_WORTHWHILE_CALL: "no call is left whose expected gain is worth its price",
    StopReason.ROUND_LIMIT: "all rounds were used (DOSSIER_MAX_ROUNDS)",
    StopReason.DEADLINE: "the time was up; raise --deadline for more",
    StopReason.SOURCES_DOWN: "every source failed, so nobody looked; try again later",
    StopReason.NOTHING_FOUND: "the sources looked and found nothing",
    StopReason.NO_SUBJECT: "no company was recognised; name one, for example “Research Snowflake as a prospect for us”",
    StopReason.CANCELLED: "cancelled; this is what had been found",
    StopReason.ERROR: "a fault of ours; the log has the details",
}

SOURCES = {"starter": "starter library", "documents": "your documents", "vendor": "your own words"}


def plain(text: str) -> str:
    """Foreign text on one line, safe to print: no control characters, white space collapsed."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def short(text: str, limit: int) -> str:
    """`plain`, cut at `limit` characters."""
    line = plain(text)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def usd(amount: Decimal) -> str:
    """`$0.50`, `$0.015`, and under a cent always four decimals; never zero for an amount that is not."""
    if amount == 0:
        return "$0.00"
    if abs(amount) < Decimal("0.0001"):
        return "<$0.0001"
    rounded = amount.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    if abs(rounded) < Decimal("0.01"):
        return f"${rounded:.4f}"
    whole = f"{rounded:.4f}".rstrip("0")
    return f"${whole}{'0' * (2 - len(whole.partition('.')[2]))}"


def micros(amount: int) -> str:
    """Micro-dollars as USD."""
    return usd(to_usd(amount))


def seconds(value: float) -> str:
    """`0.05 s`, `12 s`."""
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def as_of(moment: datetime | None) -> str:
    """When something was published; an unknown date is said to be unknown."""
    return "date unknown" if moment is None else f"as of {moment.date().isoformat()}"


def source_name(source: str) -> str:
    """A source as readers know it."""
    return SOURCES.get(source, plain(source))


def provenance(citation: Citation) -> str:
    """Publisher and source, each once."""
    source = source_name(citation.source)
    origin = plain(citation.origin)
    return f"{origin} ({source})" if origin and origin.casefold() not in (source.casefold(), "local file") else source


def identity(subject: Subject) -> str:
    """What a company was resolved to: legal name, ticker, CIK, domain."""
    c = subject.company
    if c is None:
        return "not in the table of known companies: looked for by this name"
    parts = (
        c.legal_name if c.legal_name != subject.name else "",
        _listed(c),
        f"CIK {c.cik}" if c.cik else "",
        c.domain,
    )
    return " · ".join(plain(p) for p in parts if p)


def _listed(company: Company) -> str:
    return ": ".join(p for p in (company.exchange, company.ticker) if p) if company.ticker else ""


def costs_line(costs: Costs) -> str:
    """What a run cost, and what it did not have to."""
    parts = [f"{usd(costs.spent)} of {usd(costs.budget)} spent"]
    if costs.unknown:
        parts.append(f"{usd(costs.unknown)} of it for calls whose end nobody knows")
    parts.append(f"{costs.new_api_calls} new calls")
    parts.append(
        f"{costs.cache_hits} from the cache"
        + (f", {usd(costs.total_cache_savings)} saved" if costs.total_cache_savings else "")
    )
    return "; ".join(parts)
