"""Where documents and evidence stay, and the full-text index over the ones the user ingested.

Every fetched document is stored, so that a quote can be held against it; only ingested ones are indexed. The index has
three columns: the title, the tags (the company a document is about, the datasets it is known to fill) and the passage.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database as Tables

from agent.records import Document, Evidence
from agent.store.database import Database
from agent.store.documents_schema import migrations
from agent.store.documents_search import search_passages
from agent.store.passages import cut, match_any, match_names
from tools.base import FieldQuote, Frozen, Passage

T = TypeVar("T")

Fields = Mapping[str, Sequence[FieldQuote]]
"""Document id -> the dataset fields that its text is known to fill."""


class FileRecord(Frozen):
    """What is remembered of an ingested file, so that an unchanged one is not read again."""

    path: str
    size: int
    mtime_ns: int
    sha256: str
    documents: tuple[str, ...] = ()
    ingested_at: datetime
    error: str = ""


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

    def close(self) -> None:
        """Finish what is under way and close the file."""
        self.database.close()

    async def put(self, documents: Sequence[Document], *, index: bool = False, fields: Fields | None = None) -> None:
        """Store documents; what is there already stays. `index` makes them searchable, `fields` is kept with them."""
        await self.database.write(lambda t: _put(t, documents, index, fields or {}))

    async def get(self, document_id: str) -> Document | None:
        """One document, or None."""
        return next(iter(await self.get_many([document_id])), None)

    async def get_many(self, ids: Sequence[str]) -> list[Document]:
        """The documents with these ids, in this order; unknown ids are left out."""
        return await self.database.read(lambda t: _ordered(_load(t, ids), ids))

    async def put_evidence(self, evidence: Sequence[Evidence]) -> None:
        """Store evidence; a row with the same id is replaced."""
        rows = [{**e.model_dump(mode="json"), "value": json.dumps(e.value)} for e in evidence]
        await self.database.write(
            lambda t: t.table("evidence").insert_all(rows, pk="id", replace=True) if rows else None
        )

    async def get_evidence(self, ids: Sequence[str]) -> list[Evidence]:
        """The evidence with these ids, in this order; unknown ids are left out."""
        return await self.database.read(lambda t: _ordered(_load_evidence(t, ids), ids))

    async def search(
        self, query: str, *, about: Sequence[str] = (), limit: int = 10, datasets: Sequence[str] = (), tenant: str = ""
    ) -> list[Passage]:
        """Best passages for the words of `query`, the best first. Nothing that can be typed makes it raise.

        `about` narrows to documents that name one of these companies, `datasets` lifts passages known to fill one of
        them, and a private document is found by its own `tenant` only.
        """
        match, names = match_any(query), match_names(about)
        if not match or limit < 1 or (about and not names):
            return []
        return await self.database.read(lambda t: search_passages(t, match, names, limit, frozenset(datasets), tenant))

    async def revision(self) -> int:
        """A number that grows whenever the content of the index changes."""
        return await self.database.read(_revision)

    async def stats(self) -> StoreStats:
        """Counts, for `doctor` and the front page."""
        return await self.database.read(_stats)

    async def remove(self, path_or_id: str | Path) -> int:
        """Erase a document, or all that came from a file and no other, with the evidence. Returns how many went."""
        return await self.database.write(lambda t: _remove(t, str(path_or_id)))

    async def files(self) -> dict[str, FileRecord]:
        """Every ingested file by its path."""
        return await self.database.read(_files)

    async def note_file(self, record: FileRecord) -> None:
        """Note a file's state and leave what it gave before as it is."""
        await self.database.write(lambda t: _note_file(t, record))

    async def put_file(
        self, record: FileRecord, documents: Sequence[Document] = (), fields: Fields | None = None
    ) -> None:
        """Note a file and, in the same transaction, replace what it gave before by `documents`, indexed.

        An old document that evidence points to stays, unsearchable, so that an earlier brief keeps its source.
        """
        await self.database.write(lambda t: _put_file(t, record, documents, fields or {}))


# --- documents -------------------------------------------------------------------------------------------------------


def _put(tables: Tables, documents: Sequence[Document], index: bool, fields: Fields) -> None:
    conn = tables.conn
    for document in documents:
        known = fields.get(document.id, ())
        looked = document.retrieved_at.astimezone(UTC).isoformat(
            timespec="microseconds"
        )  # one form, so that max() works
        kept = json.dumps([f.model_dump(mode="json") for f in known])
        row = {**document.model_dump(mode="json"), "retrieved_at": looked, "fields": kept}
        # The same content met again: the newer look at it counts, and a date once known is not lost.
        conn.execute(
            "insert into documents"
            " (id, url, title, text, source, origin, licence, about, published_at, retrieved_at, fields) values"
            " (:id, :url, :title, :text, :source, :origin, :licence, :about, :published_at, :retrieved_at, :fields)"
            " on conflict (id) do update set retrieved_at = max(retrieved_at, excluded.retrieved_at),"
            " published_at = coalesce(published_at, excluded.published_at),"
            " fields = case when excluded.fields = '[]' then fields else excluded.fields end",
            row,
        )
        conn.execute("insert or ignore into owners (document_id, tenant) values (?, ?)", (document.id, document.tenant))
        if index:
            _index(tables, document, known)


def _index(tables: Tables, document: Document, known: Sequence[FieldQuote]) -> None:
    conn = tables.conn
    if conn.execute("select 1 from passages where document_id = ?", (document.id,)).fetchone():
        return
    # Stored before, but not searchable: what is said of it now is what the index and `_unindex` must agree on.
    conn.execute(
        "update documents set title = :title, about = :about, origin = :origin, licence = :licence,"
        " published_at = coalesce(:published_at, published_at) where id = :id",
        document.model_dump(mode="json"),
    )
    tags = " ".join([document.about, *dict.fromkeys(word for f in known for word in (f.dataset, f.field))])
    conn.execute("update documents set tags = ? where id = ?", (tags, document.id))
    for span in cut(document.text):
        cursor = conn.execute(
            "insert into passages (document_id, start, length) values (?, ?, ?)", (document.id, span.start, span.length)
        )
        words = document.text[span.start : span.start + span.length]
        conn.execute(
            "insert into passages_fts (rowid, title, tags, text) values (?, ?, ?, ?)",
            (cursor.lastrowid, document.title, tags, words),
        )
    _changed(tables)


def _unindex(tables: Tables, document_id: str) -> None:
    """Take a document's passages out. A contentless index wants the very text that was put in."""
    conn = tables.conn
    row = conn.execute("select title, tags, text from documents where id = ?", (document_id,)).fetchone()
    spans = conn.execute("select id, start, length from passages where document_id = ?", (document_id,)).fetchall()
    for span in spans:
        words = row["text"][span["start"] : span["start"] + span["length"]]
        conn.execute(
            "insert into passages_fts (passages_fts, rowid, title, tags, text) values ('delete', ?, ?, ?, ?)",
            (span["id"], row["title"], row["tags"], words),
        )
    if spans:
        conn.execute("delete from passages where document_id = ?", (document_id,))
        _changed(tables)


def _changed(tables: Tables) -> None:
    tables.conn.execute("update revision set value = value + 1")


def _revision(tables: Tables) -> int:
    return int(tables.conn.execute("select value from revision").fetchone()[0])


# Shared (the empty tenant, the smallest) as soon as one owner shares it.
_LOAD = """
select id, url, title, text, source, origin, licence, about, published_at, retrieved_at,
       (select min(o.tenant) from owners o where o.document_id = d.id) as tenant
from documents d where id in (select value from json_each(?))
"""


def _load(tables: Tables, ids: Iterable[str]) -> dict[str, Document]:
    rows = tables.conn.execute(_LOAD, (json.dumps(list(ids)),)).fetchall()
    return {row["id"]: Document.model_validate(dict(row)) for row in rows}


def _load_evidence(tables: Tables, ids: Iterable[str]) -> dict[str, Evidence]:
    sql = "select * from evidence where id in (select value from json_each(?))"
    rows = tables.conn.execute(sql, (json.dumps(list(ids)),)).fetchall()
    return {row["id"]: Evidence.model_validate({**dict(row), "value": json.loads(row["value"])}) for row in rows}


def _ordered(found: Mapping[str, T], ids: Sequence[str]) -> list[T]:
    return [found[i] for i in dict.fromkeys(ids) if i in found]


# --- files, erasure, counts ------------------------------------------------------------------------------------------


def _files(tables: Tables) -> dict[str, FileRecord]:
    owned: dict[str, list[str]] = {}
    for row in tables.conn.execute("select path, document_id from file_documents order by rowid"):
        owned.setdefault(row["path"], []).append(row["document_id"])
    rows = tables.conn.execute("select * from files").fetchall()
    return {r["path"]: FileRecord.model_validate({**dict(r), "documents": owned.get(r["path"], [])}) for r in rows}


def _note_file(tables: Tables, record: FileRecord) -> None:
    tables.table("files").upsert(record.model_dump(mode="json", exclude={"documents"}), pk="path")


def _put_file(tables: Tables, record: FileRecord, documents: Sequence[Document], fields: Fields) -> None:
    conn = tables.conn
    _forget_documents_of(tables, record.path)
    _note_file(tables, record)
    _put(tables, documents, True, fields)
    conn.executemany(
        "insert or ignore into file_documents (path, document_id) values (?, ?)",
        [(record.path, d.id) for d in documents],
    )


def _forget_documents_of(tables: Tables, path: str) -> None:
    """Unindex and drop what only this file gave; keep the text of what evidence still quotes."""
    conn = tables.conn
    gone = _only_from(tables, path)
    conn.execute("delete from file_documents where path = ?", (path,))
    for document_id in gone:
        _unindex(tables, document_id)
        if not conn.execute("select 1 from evidence where document_id = ?", (document_id,)).fetchone():
            conn.execute("delete from documents where id = ?", (document_id,))


def _only_from(tables: Tables, path: str) -> list[str]:
    """Documents that this file gave and no other did."""
    mine = "select document_id from file_documents where path = ?1"
    others = "select document_id from file_documents where path <> ?1"
    rows = tables.conn.execute(f"{mine} and document_id not in ({others})", (path,))
    return [row[0] for row in rows.fetchall()]


def _remove(tables: Tables, path_or_id: str) -> int:
    conn = tables.conn
    gone = [path_or_id, *_only_from(tables, path_or_id)]
    conn.execute("delete from files where path = ?", (path_or_id,))
    count = 0
    for document_id in gone:
        _unindex(tables, document_id)
        conn.execute("delete from evidence where document_id = ?", (document_id,))
        count += conn.execute("delete from documents where id = ?", (document_id,)).rowcount
    return count


def _stats(tables: Tables) -> StoreStats:
    def count(what: str) -> int:
        return int(tables.conn.execute(f"select count({what}").fetchone()[0])

    return StoreStats(
        documents=count("*) from documents"),
        indexed=count("distinct document_id) from passages"),
        passages=count("*) from passages"),
        evidence=count("*) from evidence"),
        files=count("*) from files"),
        revision=_revision(tables),
    )
