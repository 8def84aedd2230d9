"""From a google_finance reply to documents. Pure. Every figure is a sentence with the digits of the reply.

A reply has a summary (the share), statements by period, a panel about the company, and headlines. It dates neither the
statements nor the panel, so their documents have no date of publication. It does not say in which currency a statement
is: that of the quote is taken only for a company based in the United States, whose filings are in dollars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from pydantic import JsonValue

from tools.base import FieldQuote, SourceDocument
from tools.reading.dates import parse_date
from tools.reading.serpapi_figures import CURRENCIES, Figure, figures, number
from tools.reading.serpapi_names import named_in, same_company, without_shares
from tools.reading.serpapi_reply import LICENCE, Found, Json, items_in, plain, published, said_at
from tools.reading.urls import host_of, normalise_url

STATED = "Figures as Google Finance shows them, through SerpAPI: their providers hold the rights; quote and link."
WIKIPEDIA = "Text of Wikipedia, CC BY-SA 4.0, as Google Finance shows it through SerpAPI."
_ELSEWHERE = ("markets", "discover_more", "futures_chain", "top_news", "news_results")
"""What Google shows when it does not know the ticker, instead of a summary."""
_CODE = re.compile(r"[A-Z]{3}")
_DAY = re.compile(r"(?:Closed: )?([A-Z][a-z]{2}\.? \d{1,2})(?:, (\d{4}))?, \d{1,2}:\d{2}")
_LONGEST_SUMMARY = 600


def read_finance(reply: Json, names: Sequence[str]) -> Found:
    """Documents about the company of the reply; none when `names` are given and it is not one of them."""
    found, anchor = Found(), said_at(reply)
    summary = reply.get("summary")
    title = plain(summary.get("title")) if isinstance(summary, dict) else ""
    if not isinstance(summary, dict) or not title:
        if summary is not None or not any(key in reply for key in _ELSEWHERE):
            found.skipped += 1
        else:
            found.notes.append("Google Finance does not know this ticker or name")
        return found
    company = without_shares(title)
    if names and not same_company(title, names):
        found.notes.append(f"Google Finance answered about {company}, not about {names[0]}")
        return found
    page = _page(reply, summary)
    for document in (
        _statements(reply, summary, company, page, found, anchor),
        *_about(reply, company, page, found),
        _share(reply, summary, company, page, found, anchor),
    ):
        if document is not None:
            found.add(document)
    for item in _headlines(reply, found):
        found.add(_headline(item, [company, *names], anchor))
    return found


def _page(reply: Json, summary: Json) -> str:
    """The page that shows all this to a person."""
    metadata = reply.get("search_metadata")
    stated = normalise_url(plain(metadata.get("google_finance_url"))) if isinstance(metadata, dict) else ""
    if host_of(stated) == "google.com" and "/finance" in stated:
        return stated.partition("?")[0]
    stock, exchange = plain(summary.get("stock")), plain(summary.get("exchange"))
    symbol = stock if ":" in stock or not exchange else f"{stock}:{exchange}"
    return f"https://www.google.com/finance/quote/{quote(symbol, safe=':.-')}"


# --- statements -------------------------------------------------------------------------------------------------------


def _statements(
    reply: Json, summary: Json, company: str, page: str, found: Found, anchor: datetime | None
) -> SourceDocument | None:
    currency = _quote_currency(summary) if _is_american(reply) else ""
    lines: list[str] = []
    fields: list[FieldQuote] = []
    for figure in figures(reply, found, anchor):
        for field, line, value in _sentences(figure, company, currency):
            lines.append(line)
            fields.append(FieldQuote(dataset="financials", field=field, quote=line, value=value))
    if not lines:
        return None
    return _document(page, f"{company}: financial statements, Google Finance", lines, fields, company)


def _sentences(figure: Figure, company: str, currency: str) -> Iterator[tuple[str, str, JsonValue]]:
    """The figure, and how it changed on the year before."""
    own = figure.currency or currency
    unit = f" {own}" if own else " (currency not stated)"
    amount: dict[str, JsonValue] = {"value": figure.value, "period": figure.period}
    if own:
        amount["currency"] = own
    period = f"the {figure.period}" if figure.period.startswith("quarter") else figure.period
    when = f"at the end of {period.removeprefix('the quarter ended ')}" if figure.field == "cash" else f"for {period}"
    yield figure.field, f"Google Finance shows {figure.label} of {figure.shown}{unit} for {company} {when}.", amount
    if figure.field == "revenue" and figure.change is not None:
        change: dict[str, JsonValue] = {"value": figure.change, "unit": "%", "period": figure.period}
        way = "up" if figure.change >= 0 else "down"
        shown = figure.change_shown.lstrip("+-−")
        yield (
            "growth",
            f"Google Finance shows that revenue of {company} for {period} was {way} {shown} on the year before.",
            change,
        )


def _quote_currency(summary: Json) -> str:
    """The code of the currency in which the share is quoted; a `$` alone is many currencies."""
    for text in (plain(summary.get("currency")), *_texts(summary.get("extensions"))):
        if _CODE.fullmatch(text) and text in CURRENCIES:
            return text
    return ""


def _is_american(reply: Json) -> bool:
    """Whether the reply says that the company is based in the United States."""
    panel = reply.get("knowledge_graph")
    stats = panel.get("key_stats") if isinstance(panel, dict) else None
    tags = stats.get("tags") if isinstance(stats, dict) else None
    for tag in tags if isinstance(tags, list) else []:
        if isinstance(tag, dict) and plain(tag.get("text")).casefold() == "us headquartered":
            return True
    return any(
        label == "headquarters" and re.search(r"\b(?:United States|USA)$", value) is not None
        for _, entry in _entries(reply, Found())
        for label, value, _ in entry
    )


# --- the company ------------------------------------------------------------------------------------------------------

_Facts = list[tuple[str, str, str]]


def _entries(reply: Json, found: Found) -> Iterator[tuple[Json, _Facts]]:
    """Each entry of the panel: its description, and its facts as label, value and link."""
    panel = reply.get("knowledge_graph")
    if panel is not None and not isinstance(panel, dict):
        found.skipped += 1
    for entry in items_in(panel, "about", found) if isinstance(panel, dict) else ():
        described = entry.get("description")
        facts = [
            (plain(item.get("label")).casefold(), _lines(item.get("value")), plain(item.get("link")))
            for item in items_in(entry, "info", found)
        ]
        yield (described if isinstance(described, dict) else {"snippet": described}), facts


def _about(reply: Json, company: str, page: str, found: Found) -> Iterator[SourceDocument]:
    lines: list[str] = []
    fields: list[FieldQuote] = []
    for described, facts in _entries(reply, found):
        if (text := _described(described, page, company)) is not None:
            yield text
        for label, value, link in facts:
            if (fact := _fact(label, value, link, company)) is not None:
                dataset, field, line, known = fact
                lines.append(line)
                fields.append(FieldQuote(dataset=dataset, field=field, quote=line, value=known))
    if lines:
        yield _document(page, f"About {company}, Google Finance", lines, fields, company)


def _described(described: Json, page: str, company: str) -> SourceDocument | None:
    """The description's first paragraph, at the address of the page that it was taken from."""
    raw = described.get("snippet")
    text = next((line for part in raw.split("\n") if (line := plain(part))), "") if isinstance(raw, str) else ""
    if len(text) > _LONGEST_SUMMARY:
        text = text[: max(text.rfind(". ", 0, _LONGEST_SUMMARY) + 1, 0)]
    if not text:
        return None
    link = normalise_url(plain(described.get("link")))
    origin = host_of(link) or "google.com"
    return SourceDocument(
        url=link or page,
        title=f"{company}, as described on Google Finance",
        text=text,
        origin=origin,
        licence=WIKIPEDIA if origin == "wikipedia.org" else STATED,
        about=company,
        fields=(FieldQuote(dataset="profile", field="summary", quote=text, value=text),),
    )


def _fact(label: str, value: str, link: str, company: str) -> tuple[str, str, str, JsonValue] | None:
    """A fact of the panel as dataset, field, sentence and value."""
    if not value or len(value) > 200:
        return None
    if label == "ceo":
        return "leadership", "people", f"Google Finance names {value} as CEO of {company}.", [
            {"name": value, "role": "CEO"}
        ]  # fmt: skip
    if label == "founded":
        return "profile", "founded", f"Google Finance gives {value} as the founding date of {company}.", value
    if label == "headquarters":
        return "profile", "hq", f"Google Finance gives {value} as the headquarters of {company}.", value
    if label == "employees" and (count := number(value)) is not None and count == int(count):
        line = f"Google Finance gives {value} as the number of employees of {company}."
        return "profile", "employees", line, {"n": int(count), "as_of": None}
    if label == "website":
        host = host_of(normalise_url(link) or normalise_url(f"https://{value}"))
        if host and "." in host:
            return "profile", "domain", f"Google Finance gives {value} as the website of {company}.", host
    return None


# --- the share and the headlines --------------------------------------------------------------------------------------


def _share(
    reply: Json, summary: Json, company: str, page: str, found: Found, anchor: datetime | None
) -> SourceDocument | None:
    """The quote; it fills no field, but says how large the company is held to be."""
    price, when = plain(summary.get("price")), _quoted_at(summary, anchor)
    stock, exchange = plain(summary.get("stock")), plain(summary.get("exchange"))
    if not price:
        return None
    currency = _quote_currency(summary)
    share = f"{company} ({exchange}: {stock})" if exchange and stock else company
    day = f" on {when:%B} {when.day}, {when.year}" if when is not None else ""
    lines = [f"Google Finance quoted {share} at {price}{f' ({currency})' if currency else ''}{day}."]
    panel = reply.get("knowledge_graph")
    stats = panel.get("key_stats") if isinstance(panel, dict) else None
    for item in items_in(stats, "stats", found) if isinstance(stats, dict) else ():
        if plain(item.get("label")).casefold() == "market cap" and (value := plain(item.get("value"))):
            lines.append(f"Google Finance gives the market capitalisation of {company} as {value}.")
    document = _document(page, f"{company}: share price, Google Finance", lines, [], company)
    return document.model_copy(update={"published_at": when})


def _quoted_at(summary: Json, anchor: datetime | None) -> datetime | None:
    """The day of the price: stated, or a day of the year before the search."""
    if (stated := parse_date(summary.get("date"), anchor)) is not None:
        return stated
    for text in _texts(summary.get("extensions")):
        if (hit := _DAY.match(text)) is None:
            continue
        year = hit[2] or (str(anchor.year) if anchor is not None else "")
        when = parse_date(f"{hit[1]}, {year}")
        if when is not None and anchor is not None and not hit[2] and when > anchor + timedelta(days=1):
            when = parse_date(f"{hit[1]}, {anchor.year - 1}")
        return when
    return None


def _headlines(reply: Json, found: Found) -> Iterator[Json]:
    """The news, whether they come one by one or in groups."""
    for item in items_in(reply, "news_results", found):
        grouped = next((key for key in ("items", "stories") if isinstance(item.get(key), list)), "")
        yield from items_in(item, grouped, found) if grouped else (item,)


def _headline(item: Json, names: Sequence[str], anchor: datetime | None) -> SourceDocument | None:
    """A headline; an event of the company only when it names the company, since tickers collect others' news too."""
    title, url = plain(item.get("snippet")) or plain(item.get("title")), normalise_url(plain(item.get("link")))
    if not title or not url:
        return None
    value: JsonValue = [{"headline": title, "url": url}]
    event = FieldQuote(dataset="news", field="events", quote=title, value=value)
    return SourceDocument(
        url=url,
        title=title,
        text=title,
        published_at=published(item, anchor),
        origin=host_of(url),
        licence=LICENCE,
        fields=(event,) if named_in(title, names) else (),
    )


def _document(url: str, title: str, lines: list[str], fields: list[FieldQuote], company: str) -> SourceDocument:
    return SourceDocument(
        url=url,
        title=title,
        text="\n".join(lines),
        origin="google.com",
        licence=STATED,
        about=company,
        fields=tuple(fields),
    )


def _texts(value: object) -> list[str]:
    return [plain(v) for v in value if plain(v)] if isinstance(value, list) else []


def _lines(value: object) -> str:
    """A value of several lines (an address) on one."""
    if not isinstance(value, str):
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
    return ", ".join(line.rstrip(",") for part in value.split("\n") if (line := plain(part)))
