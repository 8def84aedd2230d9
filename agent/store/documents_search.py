"""Searching the index: one SQL statement for each look, and the chosen rows as passages."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlite_utils import Database as Tables

from agent.store.documents_ranking import (
    TAGS_WEIGHT,
    TEXT_WEIGHT,
    TITLE_WEIGHT,
    Candidate,
    TermCounts,
    counted,
    in_turn,
    stem_of,
    worth,
)
from agent.store.passages import content_terms, match_any, words
from tools.base import FieldQuote, Look, Passage

DATASET_BOOST = 1.5
"""A passage known to fill a wanted dataset beats a like one that is not."""
COMMON = math.log(10)
"""Inverse document frequency of a term that is in every tenth passage."""
ENOUGH = 4
"""Rare terms that will do for a search."""
CANDIDATES = 3
"""How many times as many passages as are wanted the index is asked for; more changed nothing. Several looks share them."""

_WEIGHTS = f"{TITLE_WEIGHT}, {TAGS_WEIGHT}, {TEXT_WEIGHT}"

_EVERYWHERE = f"""
select p.id, p.document_id, p.start, p.length
from (select rowid as id, rank from passages_fts where passages_fts match :match and rank match 'bm25({_WEIGHTS})'
      order by rank limit :limit) h join passages p on p.id = h.id
order by h.rank, p.id
"""  # noqa: S608  # the weights are constants; what is asked for is bound

_NARROWED = f"""
select p.id, p.document_id, p.start, p.length
from passages_fts join passages p on p.id = passages_fts.rowid
where passages_fts match :match and {{conditions}}
order by bm25(passages_fts, {_WEIGHTS}), p.id limit :limit
"""  # noqa: S608

_NAMED = """p.document_id in (select named.document_id from passages_fts n join passages named on named.id = n.rowid
        where n."passages_fts" match :names)"""
_HIDDEN = """select o.document_id from owners o where o.tenant <> '' and o.tenant <> :tenant and not exists
        (select 1 from owners s where s.document_id = o.document_id and s.tenant in ('', :tenant))"""
_ORIGINS = f"""
select distinct d.origin from documents d
where d.origin <> '' and exists (select 1 from passages p where p.document_id = d.id) and d.id not in ({_HIDDEN})
order by d.origin
"""  # noqa: S608


@dataclass(frozen=True)
class Wanted:
    """A search as the database takes it."""

    terms: tuple[str, ...]
    names: str
    limit: int
    datasets: frozenset[str]
    looks: tuple[Look, ...]
    tenant: str

    @property
    def candidates(self) -> int:
        """How many rows a look brings."""
        return self.limit + self.limit * (CANDIDATES if self.datasets else CANDIDATES - 1) // len(self.looks)


Row = Mapping[str, object]


@dataclass(frozen=True)
class Hit:
    """A passage that was found, as a slice of its document's row."""

    row: Row
    start: int
    text: str

    @property
    def fields(self) -> tuple[FieldQuote, ...]:
        """The dataset fields that it is known to fill."""
        if self.row["fields"] == "[]":
            return ()
        quotes = (FieldQuote.model_validate(f) for f in json.loads(str(self.row["fields"])))
        return tuple(f for f in quotes if f.quote in self.text)

    def passage(self, score: float) -> Passage:
        """It as sources know it."""
        kept = {
            name: self.row[name] for name in ("url", "title", "published_at", "origin", "author", "licence", "about")
        }
        own = {"document_id": self.row["id"], "start": self.start, "text": self.text, "fields": self.fields}
        return Passage.model_validate({**kept, **own, "score": score})


def search_passages(tables: Tables, wanted: Wanted, counts: TermCounts) -> list[Passage]:
    """The best passages, those of several looks in turn."""
    queries = [_weights(wanted, look) for look in wanted.looks]
    idf = counts.idf(tables, sorted({stem_of(term) for term in wanted.terms}))
    rare = _rare(wanted.terms, idf)
    rows = [
        _rows(tables, wanted, look, [t for t in query.elements() if t in rare])
        for look, query in zip(wanted.looks, queries, strict=True)
    ]
    hits = _hits(tables, {key: of for found in rows for key, of in found.items()})
    lists = [
        _candidates({key: hits[key] for key in found}, query, idf, wanted.datasets)
        for found, query in zip(rows, queries, strict=True)
    ]
    return [hits[c.key].passage(c.score) for c in in_turn(lists, wanted.limit)]


def origins_of(tables: Tables, tenant: str) -> list[str]:
    """The publishers of what this tenant can find."""
    return [row[0] for row in tables.conn.execute(_ORIGINS, {"tenant": tenant}).fetchall()]


def _rare(terms: Sequence[str], idf: Mapping[str, float]) -> frozenset[str]:
    """The terms that candidates are sought by: without those in every tenth passage, if enough others are left.

    A common word decides little and costs most; in the final order it counts all the same.
    """
    rare = frozenset(term for term in terms if idf[stem_of(term)] > COMMON)
    return rare if len(rare) >= ENOUGH else frozenset(terms)


def _weights(wanted: Wanted, look: Look) -> Counter[str]:
    """How often each term counts."""
    stressed = Counter(t for t in content_terms(look.stress) if t in wanted.terms)
    return Counter({term: 1 + stressed[term] for term in wanted.terms})


def _rows(tables: Tables, wanted: Wanted, look: Look, terms: Sequence[str]) -> dict[int, Row]:
    """What the index brings for one look, by the number of the passage."""
    values: dict[str, object] = {
        "match": match_any(terms),
        "names": wanted.names,
        "tenant": wanted.tenant,
        "limit": wanted.candidates,
    }
    conditions = [_NAMED] if wanted.names else []
    if tables.conn.execute(f"{_HIDDEN} limit 1", values).fetchone():
        conditions.append(f"p.document_id not in ({_HIDDEN})")
    said = []
    if look.origins:
        said.append("origin in (select value from json_each(:origins))")
        values["origins"] = json.dumps(look.origins)
    if look.author:
        said.append("author in (select value from json_each(:authors))")
        values["authors"] = json.dumps(_authors(tables, look.author))
    for name, sign, moment in (("since", ">=", look.since), ("until", "<", look.until)):
        if moment is not None:
            said.append(f"julianday(published_at) {sign} julianday(:{name})")
            values[name] = moment.isoformat()
    if said:
        # What is put together is ours; what was asked for is bound.
        conditions.append(f"p.document_id in (select id from documents where {' and '.join(said)})")  # noqa: S608
    sql = _NARROWED.format(conditions=" and ".join(conditions)) if conditions else _EVERYWHERE
    return {row["id"]: dict(row) for row in tables.conn.execute(sql, values).fetchall()}


def _authors(tables: Tables, name: str) -> list[str]:
    """The authors, as documents give them, in whom the name stands word by word."""
    asked = f" {' '.join(words(name)).casefold()} "
    rows = tables.conn.execute("select distinct author from documents where author <> ''").fetchall()
    return [row[0] for row in rows if asked.strip() and asked in f" {' '.join(words(row[0])).casefold()} "]


def _hits(tables: Tables, rows: Mapping[int, Row]) -> dict[int, Hit]:
    sql = "select * from documents where id in (select value from json_each(?))"
    ids = json.dumps(sorted({str(row["document_id"]) for row in rows.values()}))
    documents = {row["id"]: dict(row) for row in tables.conn.execute(sql, (ids,))}
    found: dict[int, Hit] = {}
    for key, row in rows.items():
        document = documents[row["document_id"]]
        start, length = int(str(row["start"])), int(str(row["length"]))
        found[key] = Hit(document, start, str(document["text"])[start : start + length])
    return found


def _candidates(
    hits: Mapping[int, Hit], query: Mapping[str, int], idf: Mapping[str, float], datasets: frozenset[str]
) -> list[Candidate]:
    wanted: dict[str, float] = {}
    for term, times in query.items():
        stem = stem_of(term)
        wanted[stem] = wanted.get(stem, 0.0) + times * idf[stem]
    counts = {key: counted(str(hit.row["title"]), str(hit.row["tags"]), hit.text, wanted) for key, hit in hits.items()}
    mean = max(1.0, sum(length for _, length in counts.values()) / max(1, len(counts)))
    found: list[Candidate] = []
    for key, (times_of, length) in counts.items():
        known = bool(datasets) and any(f.dataset in datasets for f in hits[key].fields)
        found.append(Candidate(key, DATASET_BOOST if known else 1.0, worth(times_of, length, mean, wanted)))
    return found
