"""From documents to evidence, pure: which sentences of a document fill which field of a dataset.

A source that knows what its words mean says so (`SourceDocument.fields`), and its word is taken. For all other text, a
sentence counts when it speaks of the subject and carries words of the dataset; the field is the one whose words it carries, and
its value is what `agent.values` reads out of it with certainty. A field that needs a figure is not filled by a sentence without
one. What a chat model reads is evidence only after the same checks (`confirmed`).

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
from agent.records import Dataset, DatasetField, Document, Evidence, content_id, normalise
from agent.subject import names_match
from agent.values import SCALARS, Told, confirm, parse
from tools.base import FieldQuote, SourceDocument

MAX_PER_DOCUMENT = 6
"""Most pieces of evidence taken from one document for one dataset: those of the best sentences."""

MIN_CHARS, MAX_CHARS = 25, 600
"""A shorter sentence says nothing checkable; a longer one is a table or a page without punctuation."""

CLOCKS_DIFFER = timedelta(days=1)
"""A publication may seem to lie so far ahead of its fetching, for days begin at different times on earth."""

FIELD_WORDS: dict[tuple[str, str], str] = {
    ("profile", "hq"): r"headquarter|based in",
    ("profile", "founded"): r"founded (?:in|on|by)|established in|incorporated in",
    ("profile", "employees"): r"employees|headcount|workforce",
    ("profile", "industry"): r"industry|sector",
    ("profile", "legal_name"): r"\binc\.|\bcorp|\bplc\b|\bltd\b",
    ("financials", "revenue"): r"revenue|sales of",
    ("financials", "growth"): r"grew|growth|increase|year[- ]over[- ]year",
    ("financials", "operating_income"): r"operating (?:income|loss|profit)",
    ("financials", "cash"): r"\bcash\b(?! flow)",
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
"""Words that tell the fields of a dataset apart; a sentence that has none of them fills the dataset's first list, else its last
field."""


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
        best = (
            _evidence(stored, start, quote, dataset.id, field, value, reliability, score)
            for score, start, quote in ranked
            if states(quote)
            for field, value in _filled(quote, dataset, names)
        )
        found += islice(best, MAX_PER_DOCUMENT)
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


def _filled(quote: str, dataset: Dataset, names: Sequence[str]) -> tuple[tuple[str, JsonValue], ...]:
    """The fields of a dataset that a sentence fills: all whose value it states, else the first that its words speak of."""
    spoken = [f for f in dataset.fields if (w := FIELD_WORDS.get((dataset.id, f.name))) and re.search(w, quote, re.I)]
    read = [(f, parse(dataset.id, f, quote, names)) for f in spoken or [_unnamed(dataset)]]
    fitting = [(f.name, parsed.value) for f, parsed in read if parsed.fits]
    if spoken and not fitting and (rest := _unnamed(dataset)).kind not in SCALARS and rest not in spoken:
        fitting = [(rest.name, parse(dataset.id, rest, quote, names).value)]
    return tuple(f for f in fitting if f[1] is not None) or tuple(fitting[:1])


def _unnamed(dataset: Dataset) -> DatasetField:
    """The field for a sentence of the dataset that has no field's words."""
    return next((f for f in dataset.fields if f.kind == "list"), dataset.fields[-1])


# --- what a model read -----------------------------------------------------------------------------------------------


def prose(document: Document, names: Sequence[str]) -> tuple[str, ...]:
    """The statements of a document about the subject, as they stand in it: all that a model is shown of it."""
    if document.about and not any(names_match(document.about, n) for n in names):
        return ()
    about = bool(document.about) or mentions(document.title, names)
    found = (document.text[a:b] for a, b in split_sentences(document.text))
    return tuple(s for s in found if MIN_CHARS <= len(s) <= MAX_CHARS and (about or mentions(s, names)) and states(s))


def confirmed(
    told: Sequence[Told],
    documents: Mapping[str, Document],
    wanted: Mapping[str, Dataset],
    names: Sequence[str],
    reliability: Mapping[str, float],
) -> tuple[list[Evidence], int]:
    """Evidence of what a model read, and how many of its rows were dropped because something in them does not stand.

    The quote must stand in its document to the letter; it is widened to its sentence, so that no `not` is cut off, and the
    sentence must be one that `prose` would show. `reliability` is that of the source, by document.
    """
    found: dict[str, Evidence] = {}
    dropped = 0
    for row in told:
        document, dataset = documents.get(row.document_id), wanted.get(row.dataset)
        field = next((f for f in dataset.fields if f.name == row.field), None) if dataset else None
        sentence = _sentence_of(row.quote, document, names) if document else ""
        if document is None or dataset is None or field is None or not sentence:
            dropped += 1
            continue
        parsed = confirm(field, row.model_copy(update={"quote": sentence}), names)
        if not parsed.fits:
            dropped += 1
            continue
        start, trust = document.text.find(sentence), reliability.get(document.id, 0.5)
        score = max(_score(sentence, dataset), 0.5)
        one = _evidence(document, start, sentence, dataset.id, field.name, parsed.value, trust, score)
        found[one.id] = one
    return list(found.values()), dropped


def _sentence_of(quote: str, document: Document, names: Sequence[str]) -> str:
    """The statement of the document in which a quote stands; empty when there is none."""
    return next((s for s in prose(document, names) if quote in s), "") if len(quote.strip()) >= MIN_CHARS // 2 else ""


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
