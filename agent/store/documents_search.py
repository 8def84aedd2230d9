"""Searching the index: one SQL statement, and its rows as passages."""

from __future__ import annotations

import json

from sqlite_utils import Database as Tables

from tools.base import FieldQuote, Passage

TITLE_WEIGHT, TAGS_WEIGHT, TEXT_WEIGHT = 1.5, 1.0, 1.0
"""BM25 weights of the index's columns."""
DATASET_BOOST = 1.5
"""A passage known to fill a wanted dataset beats a like one that is not."""

_SQL = f"""
select p.document_id, p.start, p.length,
       -bm25(passages_fts, {TITLE_WEIGHT}, {TAGS_WEIGHT}, {TEXT_WEIGHT}) as score
from passages_fts join passages p on p.id = passages_fts.rowid
where passages_fts match :match
  and exists (select 1 from owners o where o.document_id = p.document_id and o.tenant in ('', :tenant))
  and (:names = '' or p.document_id in (
        select named.document_id from passages_fts n join passages named on named.id = n.rowid
        where n."passages_fts" match nullif(:names, '')))
order by score desc, p.id limit :limit
"""  # noqa: S608  # the weights are constants; what is asked for is bound


def search_passages(
    tables: Tables, match: str, names: str, limit: int, datasets: frozenset[str], tenant: str
) -> list[Passage]:
    """The best passages for an FTS5 expression, among documents that hold one of `names` (another one, or empty)."""
    wide = limit * 4 if datasets else limit
    values = {"match": match, "names": names, "tenant": tenant, "limit": wide}
    hits = tables.conn.execute(_SQL, values).fetchall()
    sql = "select * from documents where id in (select value from json_each(?))"
    ids = json.dumps(list({hit["document_id"] for hit in hits}))
    rows = {row["id"]: dict(row) for row in tables.conn.execute(sql, (ids,))}
    found = [_passage(dict(hit), rows[hit["document_id"]], datasets) for hit in hits]
    found.sort(key=lambda p: -p.score)
    return found[:limit]


def _passage(hit: dict[str, object], row: dict[str, object], datasets: frozenset[str]) -> Passage:
    start, length, whole = int(str(hit["start"])), int(str(hit["length"])), str(row["text"])
    text = whole[start : start + length]
    quotes = (FieldQuote.model_validate(f) for f in json.loads(str(row["fields"])))
    fields = tuple(f for f in quotes if f.quote in text)
    wanted = any(f.dataset in datasets for f in fields)
    kept = {name: row[name] for name in ("url", "title", "published_at", "origin", "licence", "about")}
    return Passage.model_validate(
        {
            **kept,
            "document_id": row["id"],
            "start": start,
            "text": text,
            "score": float(str(hit["score"])) * (DATASET_BOOST if wanted else 1.0),
            "fields": fields,
        }
    )
