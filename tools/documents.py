"""The local index: what the user ingested, and the dated fact notes that come with Dossier. Free, and works offline."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

from pydantic import Field
from typing_extensions import override

from tools.base import (
    DocumentIndex,
    FailureKind,
    Frozen,
    Passage,
    SourceDocument,
    SourceError,
    SourceReply,
    SourceTool,
    SubjectHint,
)

logger = logging.getLogger(__name__)

SEPARATOR = " | "
WORDS: Mapping[str, str] = {
    "profile": "company profile headquarters founded employees industry legal name summary",
    "products": "products platform pricing segments",
    "financials": "financials revenue growth operating income cash fiscal year",
    "funding": "funding round raised investors acquisition parent subsidiaries",
    "leadership": "leadership executives chief executive officer CEO CFO CTO president people",
    "news": "news events announced launched acquired partnership",
    "hiring": "hiring jobs open roles engineers recruiting",
    "technology": "technology stack tools languages cloud infrastructure open source",
    "strategy": "strategy priorities challenges risks outlook",
    "competitors": "competitors competition rivals positioning market",
    "customers": "customers case study partners users",
    "vendor": "offerings ideal customer differentiators proof",
}
"""Dataset -> the words in which documents speak of it."""


class DocumentsArgs(Frozen):
    """What to look for in the local documents."""

    query: str = Field(min_length=1, max_length=2_000, description="Words to look for; the best passages come first.")
    about: str = Field(
        "",
        max_length=1_000,
        description=f"Only documents that name this company; several names of one company separated by '{SEPARATOR}'.",
    )
    limit: int = Field(8, ge=1, le=50, description="How many passages to bring at most.")


class DocumentsSource(SourceTool[DocumentsArgs]):
    """Full-text search in the documents of this deployment."""

    name = "documents"
    title = "Local documents"
    description = (
        "Searches the files, folders and fact notes stored here. Free and immediate; try it before anything paid."
    )
    Args = DocumentsArgs
    datasets: ClassVar[Mapping[str, float]] = {
        "profile": 0.5,
        "products": 0.5,
        "financials": 0.5,
        "funding": 0.3,
        "leadership": 0.5,
        "news": 0.4,
        "hiring": 0.3,
        "technology": 0.4,
        "strategy": 0.4,
        "competitors": 0.4,
        "customers": 0.4,
        "vendor": 0.3,
    }
    reliability = 0.8
    latency = 0.05
    timeout = 10.0
    licence = "What each stored document says; fact notes name the page that they were taken from."
    repeats_free = timedelta(days=36_500)
    private = True

    @property
    def max_price(self) -> int:
        """Nothing."""
        return 0

    def unavailable(self) -> str | None:
        """Unavailable only where no index was handed in."""
        if self.env.index is None:
            return (
                "No document index is open: run Dossier with a data folder (DOSSIER_DATA_DIR), then `dossier ingest`."
            )
        return None

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[DocumentsArgs]:
        """The company's name and the dataset's words, among documents that name the company."""
        if dataset not in self.datasets or not subject.name.strip():
            return ()
        names = dict.fromkeys(n for n in (subject.name, subject.legal_name, *subject.aliases) if n.strip())
        about = ""
        for name in names:
            wider = f"{about}{SEPARATOR}{name}" if about else name
            about = wider if len(wider) <= 1_000 else about
        return (DocumentsArgs(query=f"{subject.name} {WORDS[dataset]}"[:2_000], about=about),)

    @override
    async def cache_salt(self, args: DocumentsArgs) -> str:
        """The index's revision: a stored reply is good until a document comes or goes."""
        return f"revision {await self._index().revision()}"

    async def fetch(self, args: DocumentsArgs) -> SourceReply:
        """Search once. Raises SourceError."""
        index = self._index()
        about = [name.strip() for name in args.about.split(SEPARATOR.strip()) if name.strip()]
        try:
            passages = await index.search(args.query, about=about, limit=args.limit)
        except Exception as exc:  # what an index may raise is not for a source to know
            logger.warning("The document index failed: %s", type(exc).__name__)
            text = self.env.scrub(str(exc)) or type(exc).__name__
            raise SourceError(FailureKind.INTERNAL, f"The document index failed: {text}") from exc
        return SourceReply(documents=tuple(_document(p) for p in passages))

    def _index(self) -> DocumentIndex:
        if self.env.index is None:
            raise SourceError(FailureKind.INTERNAL, str(self.unavailable()))
        return self.env.index


def _document(passage: Passage) -> SourceDocument:
    return SourceDocument(
        url=passage.url,
        title=passage.title,
        text=passage.text,
        published_at=passage.published_at,
        origin=passage.origin,
        licence=passage.licence,
        about=passage.about,
        fields=passage.fields,
        stored_id=passage.document_id,
        offset=passage.start,
    )


SOURCES = (DocumentsSource,)
