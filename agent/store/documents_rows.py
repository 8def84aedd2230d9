"""Documents and evidence as rows, and a document's way into the index and out of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import TypeVar

from sqlite_utils import Database as Tables

from agent.records import Document, Evidence
from agent.store.documents_schema import put_passages, take_passages
from tools.base import FieldQuote

T = TypeVar("T")

Fields = Mapping[str, Sequence[FieldQuote]]
"""Document id -> the dataset fields that its text is known to fill."""
Authors = Mapping[str, str]
"""Document id -> who wrote it, as the document says."""


def put(tables: Tables, documents: Sequence[Document], index: bool, fields: Fields, authors: Authors) -> None:
    """Store documents, and make them searchable when `index` says so."""
    conn = tables.conn
    for document in documents:
        known, author = fields.get(document.id, ()), authors.get(document.id, "")
        looked = document.retrieved_at.astimezone(UTC).isoformat(
            timespec="microseconds"
        )  # one form, so that max() works
        kept = json.dumps([f.model_dump(mode="json") for f in known])
        row = {**document.model_dump(mode="json"), "retrieved_at": looked, "fields": kept, "author": author}
        # The same content met again: the newer look at it counts, and a date once known is not lost.
        conn.execute(
            "insert into documents"
            " (id, url, title, text, source, origin, licence, about, published_at, retrieved_at, fields, author) values"
            " (:id, :url, :title, :text, :source, :origin, :licence, :about, :published_at, :retrieved_at, :fields,"
            " :author)"
            " on conflict (id) do update set retrieved_at = max(retrieved_at, excluded.retrieved_at),"
            " published_at = coalesce(published_at, excluded.published_at),"
            " fields = case when excluded.fields = '[]' then fields else excluded.fields end",
            row,
        )
        conn.execute("insert or ignore into owners (document_id, tenant) values (?, ?)", (document.id, document.tenant))
        if index:
            _index(tables, document, known, author)


def _index(tables: Tables, document: Document, known: Sequence[FieldQuote], author: str) -> None:
    conn = tables.conn
    if conn.execute("select 1 from passages where document_id = ?", (document.id,)).fetchone():
        return
    words = (document.about, *(word for f in known for word in (f.dataset, f.field)), document.origin, author)
    tags = " ".join(dict.fromkeys(word for word in words if word))
    # Stored before, but not searchable: what is said of it now is what the index and `unindex` must agree on.
    conn.execute(
        "update documents set title = :title, about = :about, origin = :origin, licence = :licence, author = :author,"
        " tags = :tags, published_at = coalesce(:published_at, published_at) where id = :id",
        {**document.model_dump(mode="json"), "author": author, "tags": tags},
    )
    put_passages(tables, document.id, document.title, tags, document.text)
    _changed(tables)


def unindex(tables: Tables, document_id: str) -> None:
    """Make a document unsearchable."""
    sql = "select title, tags, text from documents where id = ?"
    row = tables.conn.execute(sql, (document_id,)).fetchone()
    if row is not None and take_passages(tables, document_id, row["title"], row["tags"], row["text"]):
        _changed(tables)


def _changed(tables: Tables) -> None:
    tables.conn.execute("update revision set value = value + 1")


def revision(tables: Tables) -> int:
    """A number that grows whenever the content of the index changes."""
    return int(tables.conn.execute("select value from revision").fetchone()[0])


# Shared (the empty tenant, the smallest) as soon as one owner shares it.
_LOAD = """
select id, url, title, text, source, origin, licence, about, published_at, retrieved_at,
       (select min(o.tenant) from owners o where o.document_id = d.id) as tenant
from documents d where id in (select value from json_each(?))
"""


def load(tables: Tables, ids: Iterable[str]) -> dict[str, Document]:
    """Documents by id; unknown ids are left out."""
    rows = tables.conn.execute(_LOAD, (json.dumps(list(ids)),)).fetchall()
    return {row["id"]: Document.model_validate(dict(row)) for row in rows}


def load_evidence(tables: Tables, ids: Iterable[str]) -> dict[str, Evidence]:
    """Evidence by id; unknown ids are left out."""
    sql = "select * from evidence where id in (select value from json_each(?))"
    rows = tables.conn.execute(sql, (json.dumps(list(ids)),)).fetchall()
    return {row["id"]: Evidence.model_validate({**dict(row), "value": json.loads(row["value"])}) for row in rows}


def ordered(found: Mapping[str, T], ids: Sequence[str]) -> list[T]:
    """What was found, in the order asked for, each once."""
    return [found[i] for i in dict.fromkeys(ids) if i in found]
