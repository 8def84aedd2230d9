"""The tables of the document store. A change is a new migration at the end, never an edit of an old one."""

from __future__ import annotations

from sqlite_utils import Database as Tables
from sqlite_utils.migrations import Migrations

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
