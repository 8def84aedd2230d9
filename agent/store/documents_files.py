"""Ingested files: which documents came from them, what goes when they change or go, and erasure for good."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import AwareDatetime
from sqlite_utils import Database as Tables

from agent.records import Document
from agent.store.documents_rows import Authors, Fields, put, unindex
from tools.base import Frozen


class FileRecord(Frozen):
    """What is remembered of an ingested file, so that an unchanged one is not read again."""

    path: str
    size: int
    mtime_ns: int
    sha256: str
    documents: tuple[str, ...] = ()
    ingested_at: AwareDatetime
    error: str = ""


def all_files(tables: Tables) -> dict[str, FileRecord]:
    """Every ingested file by its path."""
    owned: dict[str, list[str]] = {}
    for row in tables.conn.execute("select path, document_id from file_documents order by rowid"):
        owned.setdefault(row["path"], []).append(row["document_id"])
    rows = tables.conn.execute("select * from files").fetchall()
    return {r["path"]: FileRecord.model_validate({**dict(r), "documents": owned.get(r["path"], [])}) for r in rows}


def note_file(tables: Tables, record: FileRecord) -> None:
    """Note a file's state and leave what it gave before as it is."""
    tables.table("files").upsert(record.model_dump(mode="json", exclude={"documents"}), pk="path")


def put_file(
    tables: Tables, record: FileRecord, documents: Sequence[Document], fields: Fields, authors: Authors
) -> None:
    """Note a file and replace what it gave before by `documents`, indexed."""
    conn = tables.conn
    _forget_documents_of(tables, record.path)
    note_file(tables, record)
    put(tables, documents, True, fields, authors)
    mine = [(record.path, d.id) for d in documents]
    conn.executemany("insert or ignore into file_documents (path, document_id) values (?, ?)", mine)
    conn.executemany("delete from past_documents where path = ? and document_id = ?", mine)


def drop_file(tables: Tables, path: str) -> int:
    """A file is gone: nothing of it is found any more. Returns how many documents left the index."""
    gone = _forget_documents_of(tables, path)
    tables.conn.execute("delete from files where path = ?", (path,))
    return gone


def _forget_documents_of(tables: Tables, path: str) -> int:
    """Unindex and drop what only this file gave; keep the text of what evidence still quotes."""
    conn = tables.conn
    gone = _only_from(tables, path)
    conn.execute("delete from file_documents where path = ?", (path,))
    for document_id in gone:
        unindex(tables, document_id)
        if conn.execute("select 1 from evidence where document_id = ?", (document_id,)).fetchone():
            conn.execute("insert or ignore into past_documents (path, document_id) values (?, ?)", (path, document_id))
        else:
            conn.execute("delete from documents where id = ?", (document_id,))
    return len(gone)


def _only_from(tables: Tables, path: str) -> list[str]:
    """Documents that this file gives and no other does."""
    mine = "select document_id from file_documents where path = ?1"
    others = "select document_id from file_documents where path <> ?1"
    rows = tables.conn.execute(f"{mine} and document_id not in ({others})", (path,))
    return [row[0] for row in rows.fetchall()]


def _once_from(tables: Tables, path: str) -> list[str]:
    """Documents that this file gave before it changed or went, and that no file gives now."""
    sql = (
        "select document_id from past_documents where path = ?"
        " and document_id not in (select document_id from file_documents)"
    )
    return [row[0] for row in tables.conn.execute(sql, (path,)).fetchall()]


def past_paths(tables: Tables) -> list[str]:
    """Files of which earlier texts are kept because evidence quotes them."""
    return [row[0] for row in tables.conn.execute("select distinct path from past_documents order by path")]


def remove(tables: Tables, path_or_id: str) -> int:
    """Erase a document, or all that came from a file and no other, early texts too. Returns how many went."""
    conn = tables.conn
    gone = dict.fromkeys([path_or_id, *_only_from(tables, path_or_id), *_once_from(tables, path_or_id)])
    conn.execute("delete from files where path = ?", (path_or_id,))
    conn.execute("delete from past_documents where path = ?", (path_or_id,))
    count = 0
    for document_id in gone:
        unindex(tables, document_id)
        conn.execute("delete from evidence where document_id = ?", (document_id,))
        count += conn.execute("delete from documents where id = ?", (document_id,)).rowcount
    return count
