"""EDGAR's ticker list and full-text search, read."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import JsonValue

from tools.base import FailureKind, SourceDocument, SourceError
from tools.reading.dates import parse_date
from tools.reading.edgar_filings import ARCHIVES, LICENCE, ORIGIN, day, key, short_key, shown_name, text
from tools.reading.urls import normalise_url

MOST_HITS = 20
_DISPLAYED = re.compile(r"(.*?)\s*(?:\(([A-Z0-9][A-Z0-9., -]*)\)\s*)?\(CIK (\d{1,10})\)\s*")


def find_filer(listed: Mapping[str, JsonValue], company: str, ticker: str) -> int:
    """The CIK of a company by its name or ticker.

    A ticker alone is taken at its word; beside a name it must agree with it, for other exchanges use the same letters.
    Raises SourceError: not_found when nobody is called so, invalid_arguments when several are, malformed.
    """
    rows = [row for one in listed.values() if isinstance(one, dict) and (row := _row(one)) is not None]
    if not rows:
        raise SourceError(FailureKind.MALFORMED, "The SEC's list of tickers has not the expected shape.")
    symbol = ticker.strip().upper().replace(".", "-")
    traded = next(((cik, title) for cik, t, title in rows if symbol and t == symbol), None)
    if traded is not None and (
        not company.strip() or set(short_key(company).split()) & set(short_key(traded[1]).split())
    ):
        return traded[0]
    wanted = key(company)
    same = {cik: title for cik, _, title in rows if wanted and key(title) == wanted}
    if len(same) > 1:
        said = f"Several SEC filers are called so: {_named(same)}. Give the CIK."
        raise SourceError(FailureKind.INVALID_ARGUMENTS, said)
    if same:
        return next(iter(same))
    if company.strip() and not ticker:  # one word may have been meant as a ticker
        alone = next((cik for cik, t, _ in rows if company.strip() == t), None)
        if alone is not None:
            return alone
    asked = " / ".join(part for part in (text(company)[:80], text(ticker)) if part)
    near = {cik: title for cik, _, title in rows if wanted and short_key(title) == short_key(company)}
    # Half a name may be anybody's: somebody else's figures are worse than none.
    other = f" Near it is: {_named(near)}; give the CIK if that is meant." if near else ""
    other += f" {symbol} is the ticker of {traded[1]} there." if traded else ""
    raise SourceError(
        FailureKind.NOT_FOUND,
        f"No company with a ticker files with the SEC as {asked}: private and most foreign companies do not.{other}",
    )


def _named(filers: Mapping[int, str]) -> str:
    return "; ".join(f"{title} (CIK {cik})" for cik, title in list(filers.items())[:5])


def _row(one: Mapping[str, JsonValue]) -> tuple[int, str, str] | None:
    cik, ticker, title = one.get("cik_str"), text(one.get("ticker")), text(one.get("title"))
    number = str(cik) if isinstance(cik, int | str) else ""
    return (int(number), ticker.upper(), title) if re.fullmatch(r"[0-9]{1,10}", number) and title else None


def search_documents(found: Mapping[str, JsonValue], cik: int | None, company: str) -> list[SourceDocument]:
    """The hits of a full-text search. Raises SourceError (malformed)."""
    outer = found.get("hits")
    hits = outer.get("hits") if isinstance(outer, dict) else None
    if not isinstance(hits, list):
        raise SourceError(FailureKind.MALFORMED, "EDGAR's full-text search answered without a list of hits.")
    made = [d for hit in hits[:MOST_HITS] if isinstance(hit, dict) and (d := _hit(hit, cik, company)) is not None]
    if hits and not made:
        raise SourceError(FailureKind.MALFORMED, "None of the hits of EDGAR's full-text search has the expected shape.")
    return made


def _hit(hit: Mapping[str, JsonValue], cik: int | None, company: str) -> SourceDocument | None:
    source = hit.get("_source")
    if not isinstance(source, dict):
        return None
    accession, _, file = text(hit.get("_id")).partition(":")
    accession = text(source.get("adsh")) or accession
    filers = [m for shown in _strings(source.get("display_names")) if (m := _DISPLAYED.fullmatch(shown))]
    filer = next((m for m in filers if cik is not None and int(m[3]) == cik), filers[0] if filers else None)
    if filer is None or not re.fullmatch(r"\d{10}-\d{2}-\d{6}", accession):
        return None
    name = (
        shown_name(filer[1].strip(), company if cik is not None and int(filer[3]) == cik else "") or f"CIK {filer[3]}"
    )
    folder = f"{ARCHIVES}/{int(filer[3])}/{accession.replace('-', '')}"
    form, filed = text(source.get("form")) or text(source.get("file_type")), parse_date(text(source.get("file_date")))
    kind, described = text(source.get("file_type")), text(source.get("file_description"))
    when = f" on {day(filed)}" if filed else ""
    what = f"; the words stand in {kind}" if kind and kind != form else ""
    told = f" ({described})" if described and described.casefold() not in (kind.casefold(), form.casefold()) else ""
    return SourceDocument(
        url=normalise_url(f"{folder}/{file}") if re.fullmatch(r"[\w.+-]+", file) else f"{folder}/{accession}-index.htm",
        title=f"{name}: {form or 'filing'}{f', {day(filed)}' if filed else ''}",
        text=f"{name} filed form {form or 'unknown'}{when} (accession number {accession}){what}{told}.",
        published_at=filed,
        origin=ORIGIN,
        licence=LICENCE,
        about=name,
    )


def _strings(value: JsonValue) -> list[str]:
    return [s for one in value if (s := text(one))] if isinstance(value, list) else []
