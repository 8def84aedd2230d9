"""Whom a company is hiring: its own postings, from the public boards of Greenhouse, Lever, Ashby and Recruitee. Free."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from tools.base import Frozen, Pace, SourceDocument, SourceReply, SubjectHint
from tools.http_source import HttpSource
from tools.reading.job_boards_find import Finder, Found, services_for
from tools.reading.jobs import as_document, summary, technologies, telling
from tools.reading.namesakes import same_name, site_of

MOST_POSTINGS = 15
_POLITE = Pace(per_second=4.0, burst=4, at_once=2)
"""None of the services documents a limit for its public boards."""


class JobBoardsArgs(Frozen):
    """A company, and its board where that is known."""

    board: Literal["auto", "greenhouse", "lever", "ashby", "recruitee"] = Field(
        "auto", description="The service that hosts the company's job board; `auto` looks for it."
    )
    token: str = Field(
        "",
        max_length=100,
        pattern=r"^[\w.%+ -]*$",
        description="The board's name in its address, if known; else empty.",
    )
    company: str = Field(min_length=1, max_length=200, description="The company's name.")
    domain: str = Field("", max_length=253, description="The company's web domain, for example acme.com, if known.")


class JobBoards(HttpSource[JobBoardsArgs]):
    """Public job boards."""

    name = "job_boards"
    title = "Job boards"
    description = (
        "A company's open positions from its own public board (Greenhouse, Lever, Ashby, Recruitee): how many, in which "
        "functions, key roles, and the technologies that the postings name. Free."
    )
    Args = JobBoardsArgs
    datasets: ClassVar[Mapping[str, float]] = {"hiring": 0.6, "technology": 0.5, "strategy": 0.1}
    reliability = 0.95
    latency = 2.5
    timeout = 60.0
    max_bytes = 24_000_000  # a large company's board with all its texts
    licence = "Postings by the company, published on its public job board; quoted and linked to the original."
    homepage = "https://developers.greenhouse.io/job-board.html"
    paces: ClassVar[Mapping[str, Pace]] = {
        "greenhouse.io": _POLITE,
        "lever.co": _POLITE,
        "ashbyhq.com": _POLITE,
        "recruitee.com": _POLITE,
    }

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[JobBoardsArgs]:
        """The company by its name and domain: one call serves every dataset."""
        name = " ".join(subject.name.split())[:200]
        if dataset not in self.datasets or not name:
            return ()
        return (JobBoardsArgs(board="auto", token="", company=name, domain=subject.domain.strip()[:253]),)

    async def fetch(self, args: JobBoardsArgs) -> SourceReply:
        """Find the board and read it whole."""
        company = " ".join(args.company.split()) or args.company
        finder = Finder(self.door, company, site_of(args.domain), services_for(args.board))
        named = bool(args.token.strip()) and args.board != "auto"
        found = await (finder.named(args.token.strip()) if named else finder.search(args.token.strip()))
        if not found.board.postings:
            note = f"{company} has a {found.service.label} board ({found.token}), and it lists no open positions."
            return SourceReply(note=note)
        return await asyncio.to_thread(_reply, company, found)


def _reply(company: str, found: Found) -> SourceReply:
    board, service = found.board, found.service
    note = ""
    if board.owner and not same_name(board.owner, company):
        # The caller named the board. What it says of another company must not be told of this one.
        note = f"The board {found.token} says that it is {board.owner}'s, not {company}'s."
        company = board.owner
    url = service.at(service.page, found.token)
    documents: list[SourceDocument | None] = [
        summary(company, f"its {service.label} board", url, board.postings),
        technologies(company, url, board.postings),
        *(as_document(company, posting) for posting in telling(board.postings, MOST_POSTINGS)),
    ]
    own = {"origin": service.origin, "licence": JobBoards.licence}
    return SourceReply(documents=tuple(d.model_copy(update=own) for d in documents if d is not None), note=note)


SOURCES = (JobBoards,)
