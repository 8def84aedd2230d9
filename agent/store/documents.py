"""Where documents and evidence stay, and the full-text index over the ones the user ingested.

Every fetched document is stored, so that a quote can be held against it; only ingested ones are indexed. The index has
three columns: the title, the tags (company, datasets, publisher, author) and the passage.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from sqlite_utils import Database as Tables

from agent.records import Document, Evidence
from agent.store import documents_files as files
from agent.store import documents_rows as rows
from agent.store.database import Database
from agent.store.documents_files import FileRecord
from agent.store.documents_ranking import TermCounts
from agent.store.documents_rows import Authors, Fields
from agent.store.documents_schema import migrations
from agent.store.documents_search import Wanted, origins_of, search_passages
from agent.store.passages import content_terms, match_names
from tools.base import Frozen, Look, Passage

__all__ = ["Authors", "DocumentStore", "Fields", "FileRecord", "StoreStats"]


class StoreStats(Frozen):
    """How much is stored."""

    documents: int
    indexed: int
    passages: int
    evidence: int
    files: int
    revision: int


class DocumentStore:
    """Documents, evidence, the index and the list of ingested files, in one SQLite file."""

    def __init__(self, path: Path, synchronous: str = "NORMAL", busy_timeout: float = 30.0) -> None:
        """Open or create the database at `path`. Raises StoreError."""
        self.database = Database(path, migrations, synchronous=synchronous, busy_timeout=busy_timeout)
        self._counts = TermCounts()

    def close(self) -> None:
        """Finish what is under way and close the file."""
        self.database.close()

    async def put(
        self,
        documents: Sequence[Document],
        *,
        index: bool = False,
        fields: Fields | None = None,
        authors: Authors | None = None,
    ) -> None:
        """Store documents; what is there already stays. `index` makes them searchable, `fields` is kept with them."""
        await self.database.write(lambda t: rows.put(t, documents, index, fields or {}, authors or {}))

    async def get(self, document_id: str) -> Document | None:
        """One document, or None."""
        return next(iter(await self.get_many([document_id])), None)

    async def get_many(self, ids: Sequence[str]) -> list[Document]:
        """The documents with these ids, in this order; unknown ids are left out."""
        return await self.database.read(lambda t: rows.ordered(rows.load(t, ids), ids))

    async def put_evidence(self, evidence: Sequence[Evidence]) -> None:
        """Store evidence; a row with the same id is replaced."""
        kept = [{**e.model_dump(mode="json"), "value": json.dumps(e.value)} for e in evidence]
        await self.database.write(
            lambda t: t.table("evidence").insert_all(kept, pk="id", replace=True) if kept else None
        )

    async def get_evidence(self, ids: Sequence[str]) -> list[Evidence]:
        """The evidence with these ids, in this order; unknown ids are left out."""
        return await self.database.read(lambda t: rows.ordered(rows.load_evidence(t, ids), ids))

    async def search(
        self,
        query: str,
        *,
        about: Sequence[str] = (),
        limit: int = 10,
        datasets: Sequence[str] = (),
        looks: Sequence[Look] = (),
        tenant: str = "",
    ) -> list[Passage]:
        """Best passages for the words of `query`, the best first. Nothing that can be typed makes it raise.

        `about` narrows to documents that name one of these companies, `datasets` lifts passages known to fill one of
        them, each of `looks` is a narrowed search of its own, and a private document is found by its own `tenant` only.
        """
        wanted = Wanted(
            terms=tuple(content_terms(query)),
            names=match_names(about),
            limit=limit,
            datasets=frozenset(datasets),
            looks=tuple(looks) or (Look(),),
            tenant=tenant,
        )
        if not wanted.terms or limit < 1 or (about and not wanted.names):
            return []
        return await self.database.read(lambda t: search_passages(t, wanted, self._counts))

    async def origins(self, *, tenant: str = "") -> list[str]:
        """Every publisher of a searchable document, as it is spelt there."""
        return await self.database.read(lambda t: origins_of(t, tenant))

    async def revision(self) -> int:
        """A number that grows whenever the content of the index changes."""
        return await self.database.read(rows.revision)

    async def stats(self) -> StoreStats:
        """Counts, for `doctor` and the front page."""
        return await self.database.read(_stats)

    async def remove(self, path_or_id: str | Path) -> int:
        """Erase a document, or all that came from a file and no other, with the evidence. Returns how many went."""
        return await self.database.write(lambda t: files.remove(t, str(path_or_id)))

    async def files(self) -> dict[str, FileRecord]:
        """Every ingested file by its path."""
        return await self.database.read(files.all_files)

    async def past_paths(self) -> list[str]:
        """Files of which an earlier text is kept, unsearchable, because evidence quotes it."""
        return await self.database.read(files.past_paths)

    async def note_file(self, record: FileRecord) -> None:
        """Note a file's state and leave what it gave before as it is."""
        await self.database.write(lambda t: files.note_file(t, record))

    async def put_file(
        self,
        record: FileRecord,
        documents: Sequence[Document] = (),
        fields: Fields | None = None,
        authors: Authors | None = None,
    ) -> None:
        """Note a file and, in the same transaction, replace what it gave before by `documents`, indexed.

        An old document that evidence points to stays, unsearchable, so that an earlier brief keeps its source.
        """
        await self.database.write(lambda t: files.put_file(t, record, documents, fields or {}, authors or {}))

    async def drop_file(self, path: str) -> int:
        """A file is gone: what it gave is no longer found, and stays only where evidence quotes it."""
        return await self.database.write(lambda t: files.drop_file(t, path))


def _stats(tables: Tables) -> StoreStats:
    def count(what: str) -> int:
        return int(tables.conn.execute(f"select count({what}").fetchone()[0])

    return StoreStats(
        documents=count("*) from documents"),
        indexed=count("distinct document_id) from passages"),
        passages=count("*) from passages"),
        evidence=count("*) from evidence"),
        files=count("*) from files"),
        revision=rows.revision(tables),
    )
