"""From documents to evidence, pure: which sentences of a document fill which field of a dataset.

A source that knows what its words mean says so (`SourceDocument.fields`), and its word is taken. For all other text, a
sentence counts when it speaks of the subject and carries words of the dataset; the field is the one whose words it carries.

Only statements count, wherever they stand: orders to the reader, markup, links and hidden characters are no evidence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice

from pydantic import JsonValue

from agent.claims import split_sentences, states
from agent.records import Dataset, Document, Evidence, content_id, normalise
from agent.subject import names_match
from tools.base import FieldQuote, SourceDocument

MAX_PER_DOCUMENT = 6
"""Most sentences taken from one document for one dataset: the best ones."""

MIN_CHARS, MAX_CHARS = 25, 600
"""A shorter sentence says nothing checkable; a longer one is a table or a page without punctuation."""

CLOCKS_DIFFER = timedelta(days=1)
"""A publication may seem to lie so far ahead of its fetching, for days begin at different times on earth."""

FIELD_WORDS: dict[tuple[str, str], str] = {
    ("profile", "hq"): r"headquarter|based in",
    ("profile", "founded"): r"founded|established in|incorporated in",
    ("profile", "employees"): r"employees|headcount|workforce",
    ("profile", "industry"): r"industry|sector",
    ("profile", "legal_name"): r"\binc\.|\bcorp|\bplc\b|\bltd\b",
    ("financials", "revenue"): r"revenue|sales of",
    ("financials", "growth"): r"grew|growth|increase|year[- ]over[- ]year",
    ("financials", "operating_income"): r"operating (?:income|loss|profit)",
    ("financials", "cash"): r"\bcash\b",
    ("funding", "parent"): r"parent|subsidiary of|owned by",
    ("funding", "subsidiaries"): r"acqui|subsidiar",
    ("products", "pricing_model"): r"pric|subscription|per (?:user|seat|month)|consumption",
    ("products", "segments"): r"segment",
    ("hiring", "total"): r"\d[\d,]* (?:open )?(?:jobs|positions|roles|openings)",
    ("hiring", "key_titles"): r"hiring (?:a|an|for)|seeks|looking for",
    ("technology", "languages"): r"python|java\b|golang|\bgo\b|rust\b|typescript|c\+\+|scala|kotlin",
    ("technology", "repos"): r"repositor|open[- ]source|github",
    ("strategy", "risks"): r"risk|threat|uncertain",
    ("strategy", "challenges"): r"challenge|headwind|pressure|difficult",
    ("competitors", "positioning"): r"position|leader in|differentiat",
    ("customers", "partners"): r"partner|alliance",
}
"""Words that tell the fields of a dataset apart; a sentence that has none of them fills the dataset's first field."""


def extract(
    documents: Sequence[tuple[SourceDocument, Document]],
    wanted: Mapping[str, Dataset],
    names: Sequence[str],
    *,
    reliability: float,
) -> list[Evidence]:
    """Evidence for the wanted datasets from what a call brought.

    Each pair is the document as the source gave it (for the local index: a passage) and as it is stored; every quote is an
    exact slice of the stored text. `names` are the names of the subject; a document about somebody else gives nothing.
    """
    found: list[Evidence] = []
    for brought, stored in documents:
        if stored.about and not any(names_match(stored.about, n) for n in names):
            continue
        for f in brought.fields:
            if f.dataset in wanted:
                found += _known(brought, stored, f, reliability)
        if not brought.fields:
            found += _by_words(brought, stored, wanted, names, reliability)
    return list({e.id: e for e in found}.values())


def _known(brought: SourceDocument, stored: Document, known: FieldQuote, reliability: float) -> list[Evidence]:
    """A field as its source states it; of a quote that is not all statement, its sentences that are."""
    start, quote = stored.text.find(known.quote, brought.offset), known.quote
    if start < 0 or not quote.strip():
        return []
    spans = [(0, len(quote))] if states(quote) else [s for s in split_sentences(quote) if states(quote[slice(*s)])]
    return [
        _evidence(stored, start + a, quote[a:b], known.dataset, known.field, known.value, reliability, 1.0)
        for a, b in spans
    ]


def _by_words(
    brought: SourceDocument,
    stored: Document,
    wanted: Mapping[str, Dataset],
    names: Sequence[str],
    reliability: float,
) -> list[Evidence]:
    about = bool(stored.about) or mentions(stored.title, names)
    spans = [
        (brought.offset + a, stored.text[brought.offset + a : brought.offset + b])
        for a, b in split_sentences(brought.text)
    ]
    spans = [(start, quote) for start, quote in spans if MIN_CHARS <= len(quote) <= MAX_CHARS]
    spans = [(start, quote) for start, quote in spans if about or mentions(quote, names)]
    found: list[Evidence] = []
    for dataset in wanted.values():
        scored = [(_score(quote, dataset), start, quote) for start, quote in spans]
        ranked = sorted((s for s in scored if s[0] > 0), key=lambda s: (-s[0], s[1]))
        best = islice((s for s in ranked if states(s[2])), MAX_PER_DOCUMENT)
        for score, start, quote in best:
            field = _field(quote, dataset)
            found.append(_evidence(stored, start, quote, dataset.id, field, None, reliability, score))
    return found


def mentions(text: str, names: Sequence[str]) -> bool:
    """Whether a text speaks of one of the names, as whole words."""
    low = f" {_plain(text)} "
    return any(f" {plain} " in low for plain in map(_plain, names) if plain)


def _plain(text: str) -> str:
    """The words of a text in any script, one space between them; nothing where it has no letter or digit."""
    return re.sub(r"[\W_]+", " ", normalise(text)).strip()


def _score(sentence: str, dataset: Dataset) -> float:
    """The share of three signal words that the sentence carries, at most 1."""
    hits = len({m.casefold() for m in _signals(dataset.signals).findall(sentence)})
    return min(hits / 3, 1.0)


@lru_cache(maxsize=64)
def _signals(words: tuple[str, ...]) -> re.Pattern[str]:
    if not words:
        return re.compile(r"(?!)")
    return re.compile(r"\b(?:" + "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True)) + ")", re.I)


def _field(sentence: str, dataset: Dataset) -> str:
    for field in dataset.fields:
        words = FIELD_WORDS.get((dataset.id, field.name))
        if words and re.search(words, sentence, re.I):
            return field.name
    lists = [f.name for f in dataset.fields if f.kind == "list"]
    return lists[0] if lists else dataset.fields[-1].name


def _evidence(
    stored: Document,
    start: int,
    quote: str,
    dataset: str,
    field: str,
    value: JsonValue,
    reliability: float,
    score: float,
) -> Evidence:
    published: datetime | None = stored.published_at
    if published is not None and published > stored.retrieved_at + CLOCKS_DIFFER:
        published = None  # what says it is from the future has no date: it must not count as the newest there is
    return Evidence(
        id=content_id(stored.id, str(start), quote, dataset, field),
        document_id=stored.id,
        start=start,
        quote=quote,
        dataset=dataset,
        field=field,
        value=value,
        about=stored.about,
        url=stored.url,
        title=stored.title,
        source=stored.source,
        origin=stored.origin,
        published_at=published,
        retrieved_at=stored.retrieved_at,
        reliability=reliability,
        score=score,
    )
