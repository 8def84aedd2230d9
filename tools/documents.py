"""The local index: what the user ingested, and the dated fact notes that come with Dossier. Free, and works offline."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field
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
from tools.reading.documents_looks import Names, content_words, looks_of, resolve, spellings
from tools.reading.question_filters import MAX_NAME, MAX_OUTLETS, read_filters

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


Day = Annotated[date | None, BeforeValidator(lambda value: value or None)]
"""A day, or nothing; a model that has none to give may send an empty text."""


class DocumentsArgs(Frozen):
    """What to look for in the local documents."""

    query: str = Field(min_length=1, max_length=2_000, description="Words to look for; the best passages come first.")
    about: str = Field(
        "",
        max_length=1_000,
        description=f"Only documents that name this company; several names of one company separated by '{SEPARATOR}'.",
    )
    limit: int = Field(8, ge=1, le=50, description="How many passages to bring at most.")
    outlets: tuple[Annotated[str, Field(max_length=MAX_NAME)], ...] = Field(
        (),
        max_length=MAX_OUTLETS,
        description="Only documents of these publishers, by name or domain, each with its share of the passages. "
        "Names that the index does not know are left out of account.",
    )
    author: str = Field("", max_length=MAX_NAME, description="Only documents by this author; empty for any.")
    since: Day = Field(None, description="Only documents published on this day (YYYY-MM-DD) or later.")
    until: Day = Field(None, description="Only documents published on this day (YYYY-MM-DD) or earlier.")


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
        said = read_filters(question, [*names, *(_first_word(n) for n in names)])
        return (
            DocumentsArgs(
                query=f"{subject.name} {WORDS[dataset]}"[:2_000],
                about=about,
                outlets=said.outlets,
                author=said.author,
                since=said.since,
                until=said.until,
            ),
        )

    @override
    async def cache_salt(self, args: DocumentsArgs) -> str:
        """The index's revision: a stored reply is good until a document comes or goes."""
        return f"revision {await self._index().revision()}"

    async def fetch(self, args: DocumentsArgs) -> SourceReply:
        """Search once. Raises SourceError."""
        index = self._index()
        about = [name.strip() for name in args.about.split(SEPARATOR.strip()) if name.strip()]
        try:
            known = spellings(await index.origins()) if args.outlets else {}
            looked, unknown = _outlets(args, known)
            others = {key: o for key, o in known.items() if key not in spellings(about)}
            looks = looks_of(args.query, looked, args.author, args.since, args.until, others)
            words = content_words(args.query, looked)
            passages = await index.search(words, about=about, limit=args.limit, looks=looks)
        except Exception as exc:  # what an index may raise is not for a source to know
            logger.warning("The document index failed: %s", type(exc).__name__)
            text = self.env.scrub(str(exc)) or type(exc).__name__
            raise SourceError(FailureKind.INTERNAL, f"The document index failed: {text}") from exc
        note = f"The index holds nothing published by {', '.join(unknown)}." if unknown else ""
        return SourceReply(documents=tuple(_document(p) for p in passages), note=note)

    def _index(self) -> DocumentIndex:
        if self.env.index is None:
            raise SourceError(FailureKind.INTERNAL, str(self.unavailable()))
        return self.env.index


def question_args(question: str, limit: int = 10) -> DocumentsArgs:
    """Arguments for a question in a person's own words: the question, narrowed as it says itself."""
    said = read_filters(question)
    return DocumentsArgs(
        query=question, limit=limit, outlets=said.outlets, author=said.author, since=said.since, until=said.until
    )


def _outlets(args: DocumentsArgs, known: Names) -> tuple[list[frozenset[str]], list[str]]:
    """The publishers that the outlets mean, and the outlets that mean none."""
    meant = {name: resolve(name, known) for name in args.outlets}
    return list(dict.fromkeys(o for o in meant.values() if o)), [name for name, o in meant.items() if not o]


def _first_word(name: str) -> str:
    return name.split()[0]


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
