"""SEC EDGAR: the data services, the archive and the full-text search, as the SEC documents them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.standins import edgar_world as sec
from tests.standins.http_rig import HttpRig
from tests.standins.web_server import NOT_FOUND, Asked, Told, World, page, told
from tools.base import SourceDocument, SourceReply
from tools.edgar import Edgar, EdgarArgs

_MISSING = Told(
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchKey</Code></Error>', 404, kind="application/xml"
)


class EdgarRig(HttpRig):
    """An annual report: the index of Acme's filings, then the report itself."""

    requests_per_fetch = 2

    @staticmethod
    def kind() -> type[Edgar]:
        return Edgar

    @staticmethod
    def arguments() -> EdgarArgs:
        return EdgarArgs(part="annual_report", cik=str(sec.CIK), company="Acme")

    @staticmethod
    def world(asked: Asked) -> Told:
        assert "tests@example.com" in asked.headers["user-agent"]
        match asked.host:
            case "data.sec.gov":
                return _data(asked.path)
            case "efts.sec.gov":
                return told(sec.search_hits())
            case "www.sec.gov":
                return _archive(asked.path)
        raise AssertionError(asked.host)

    @staticmethod
    def empty(asked: Asked) -> Told:
        """A filer that has filed nothing yet."""
        if asked.host == "efts.sec.gov":
            return told({"hits": {"total": {"value": 0, "relation": "eq"}, "hits": []}})
        if asked.path.startswith("/submissions/"):
            return told({**sec.submissions(), "filings": {"recent": {"accessionNumber": []}, "files": []}})
        return _data(asked.path)


def _data(path: str) -> Told:
    if path == f"/submissions/{sec.PADDED}.json":
        return told(sec.submissions())
    return told(sec.company_facts()) if path == f"/api/xbrl/companyfacts/{sec.PADDED}.json" else _MISSING


def _archive(path: str) -> Told:
    results, officers, purchase = sec.EIGHT_KS[:3]
    documents = {
        sec.path(sec.TEN_K, "acme-20260131.htm"): sec.ten_k(),
        sec.path(sec.TEN_Q, "acme-20260731.htm"): sec.ten_q(),
        sec.path(results, "acme-20261103.htm"): sec.eight_k(
            "2.02",
            "Results of Operations and Financial Condition.",
            "On November 3, 2026, Acme Corp. announced its results.",
        ),
        sec.path(results, "a991release.htm"): sec.release(),
        sec.path(officers, "acme-20260930.htm"): sec.eight_k(
            "5.02",
            "Departure of Directors or Certain Officers.",
            "On September 30, 2026, Acme appointed Lee Park as its CFO.",
        ),
        sec.path(purchase, "acme-20260612.htm"): sec.eight_k(
            "2.01",
            "Completion of Acquisition.",
            "On June 12, 2026, Acme acquired all shares of Roadrunner Logistics, Inc.",
        ),
    }
    if path in documents:
        return page(documents[path])
    if path == "/files/company_tickers.json":
        return told(sec.tickers())
    if path.endswith("/index.json"):
        names = (
            ["acme-20261103.htm", "a991release.htm", "R1.htm"]
            if sec.path(results, "index.json") == path
            else ["R1.htm"]
        )
        return told({"directory": {"item": [{"name": n, "type": "text.gif", "size": ""} for n in names], "name": path}})
    return NOT_FOUND


ACME: dict[str, Any] = {"cik": str(sec.CIK), "company": "Acme"}


@asynccontextmanager
async def edgar(folder: Path, world: World | None = None) -> AsyncIterator[EdgarRig]:
    """The source over its stand-in; `world` answers in the place of the good one."""
    async with EdgarRig.open(folder) as rig:
        assert isinstance(rig, EdgarRig)
        rig.server.world = world or rig.server.world
        yield rig


async def read(folder: Path, world: World | None = None, **args: Any) -> SourceReply:
    """One call about Acme."""
    async with edgar(folder, world) as rig:
        return await rig.source.fetch(EdgarArgs(**{**ACME, **args}))


def but(host: str, path: str, answer: Told) -> World:
    """The good world, with another answer at one place."""
    return lambda asked: answer if (asked.host, asked.path) == (host, path) else EdgarRig.world(asked)


def filled(reply: SourceReply, field: str) -> list[tuple[str, Any]]:
    """Quotes and values of a field."""
    return [(f.quote, f.value) for d in reply.documents for f in d.fields if f.field == field]


def titled(reply: SourceReply, words: str) -> SourceDocument:
    """The first document with these words in its title."""
    return next(d for d in reply.documents if words in d.title)


RIGS = {"edgar": EdgarRig}
