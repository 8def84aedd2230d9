"""The tables of the document store. A change is a new migration at the end, never an edit of an old one."""

from __future__ import annotations

from sqlite_utils import Database as Tables
from sqlite_utils.migrations import Migrations

from agent.store.passages import cut, spaced

migrations = Migrations("documents")

_TABLES = (
    "create table documents (id text primary key, url text not null, title text not null, text text not null,"
    " source text not null, origin text not null, licence text not null, about text not null, published_at text,"
    " retrieved_at text not null, fields text not null default '[]', tags text not null default '')",
    # Two sellers may type the very same words: one document, two owners. An empty tenant means that it is shared.
    "create table owners (document_id text not null references documents (id) on delete cascade, tenant text not null,"
    " primary key (document_id, tenant)) without rowid",
    "create table passages (id integer primary key, document_id text not null references documents (id),"
    " start integer not null, length integer not null)",
    "create index passages_of on passages (document_id)",
    "create table evidence (id text primary key, document_id text not null, start integer not null,"
    " quote text not null, dataset text not null, field text not null, value text not null,"
    " about text not null, url text not null, title text not null, source text not null, origin text not null,"
    " published_at text, retrieved_at text not null,"
    " reliability real not null, score real not null)",
    "create index evidence_of on evidence (document_id)",
    "create table files (path text primary key, size integer not null, mtime_ns integer not null, sha256 text not null,"
    " ingested_at text not null, error text not null)",
    "create table file_documents (path text not null references files (path) on delete cascade,"
    " document_id text not null references documents (id) on delete cascade, unique (path, document_id))",
    "create index file_documents_of on file_documents (document_id)",
    "create table revision (value integer not null)",
    "insert into revision values (0)",
    # Contentless: the words are in `documents` already, and a passage is a slice of them.
    "create virtual table passages_fts using fts5 (title, tags, text, content='', tokenize='porter unicode61')",
)


@migrations()
def m001_initial(tables: Tables) -> None:
    """Documents with their owners and passages, evidence, ingested files, the index and its revision."""
    for statement in _TABLES:
        tables.conn.execute(statement)


_FINDABLE = (
    "alter table documents add column author text not null default ''",
    "create index documents_origin on documents (origin)",
    "create index documents_author on documents (author) where author <> ''",
    "create index owners_private on owners (document_id, tenant) where tenant <> ''",
    # What a file gave before it changed or went, kept because evidence quotes it: removing the file finds it here.
    "create table past_documents (path text not null, document_id text not null references documents (id)"
    " on delete cascade, primary key (path, document_id)) without rowid",
    "create index past_documents_of on past_documents (document_id)",
    "drop table passages_fts",
    "create virtual table passages_fts using fts5 (title, tags, text, content='', tokenize='porter unicode61')",
    # In how many passages a term is: what makes a rare word worth more than a common one.
    "create virtual table passages_vocab using fts5vocab ('passages_fts', 'row')",
    "update documents set tags = trim(tags || ' ' || origin) where id in (select document_id from passages)",
    "update revision set value = value + 1",
)


@migrations()
def m002_findable(tables: Tables) -> None:
    """Authors, publishers among the tags, larger passages, and characters of CJK scripts as words: all is indexed anew."""
    for statement in _FINDABLE:
        tables.conn.execute(statement)
    ids = [row[0] for row in tables.conn.execute("select distinct document_id from passages")]
    tables.conn.execute("delete from passages")
    for document_id in ids:
        row = tables.conn.execute("select title, tags, text from documents where id = ?", (document_id,)).fetchone()
        put_passages(tables, document_id, row["title"], row["tags"], row["text"])


def put_passages(tables: Tables, document_id: str, title: str, tags: str, text: str) -> None:
    """Cut a text into passages and index them. `take_passages` must be given the very same words."""
    for span in cut(text):
        cursor = tables.conn.execute(
            "insert into passages (document_id, start, length) values (?, ?, ?)", (document_id, span.start, span.length)
        )
        words = text[span.start : span.start + span.length]
        tables.conn.execute(
            "insert into passages_fts (rowid, title, tags, text) values (?, ?, ?, ?)",
            (cursor.lastrowid, spaced(title), spaced(tags), spaced(words)),
        )


def take_passages(tables: Tables, document_id: str, title: str, tags: str, text: str) -> int:
    """Take a document's passages out; a contentless index wants the very text that was put in. Returns how many went."""
    sql = "select id, start, length from passages where document_id = ?"
    spans = tables.conn.execute(sql, (document_id,)).fetchall()
    for span in spans:
        words = text[span["start"] : span["start"] + span["length"]]
        tables.conn.execute(
            "insert into passages_fts (passages_fts, rowid, title, tags, text) values ('delete', ?, ?, ?, ?)",
            (span["id"], spaced(title), spaced(tags), spaced(words)),
        )
    tables.conn.execute("delete from passages where document_id = ?", (document_id,))
    return len(spans)
