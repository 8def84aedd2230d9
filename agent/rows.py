"""Tables and JSON records as documents: one per row when a column holds prose, else one readable text for the file.

A JSON record in Dossier's fact-note format (`company_name`, `dataset`, `field`, `text`, ...) carries its field with it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from agent.errors import IngestError
from tools.base import FieldQuote
from tools.reading.dates import parse_date

TEXT_COLUMNS = (
    "text", "content", "body", "article", "description", "snippet", "summary", "transcript", "message", "notes", "note",
    "comment", "comments", "abstract",
)  # fmt: skip
TITLE_COLUMNS = ("title", "headline", "subject", "name")
URL_COLUMNS = ("url", "link", "href")
DATE_COLUMNS = ("published_at", "published", "publication_date", "date", "as_of", "created_at")
ORIGIN_COLUMNS = ("publisher", "origin", "source", "site")
AUTHOR_COLUMNS = ("author", "authors", "byline", "written_by")
ABOUT_COLUMNS = ("company_name", "company", "about", "account", "account_name", "organization", "organisation")
PROSE = 80
"""A column whose values are this long on average holds prose, whatever its name."""

Row = Mapping[str, JsonValue]


@dataclass(frozen=True)
class Reading:
    """One text as it was found in a file."""

    text: str
    title: str = ""
    url: str = ""
    """Where the text says it is from; empty when it does not say."""
    published_at: datetime | None = None
    retrieved_at: datetime | None = None
    origin: str = ""
    about: str = ""
    licence: str = ""
    fields: tuple[FieldQuote, ...] = ()
    author: str = ""
    row: int = 0
    """Number of the record in its file; 0 when the file is one text."""
    page: int = 0
    """Number of the page in its file; 0 when the file has none or only one."""


def clean(text: str) -> str:
    """Text that every part of the house can hold: line ends as one character, no NUL, no half of a surrogate pair."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").lstrip("\ufeff")
    return plain.encode("utf-8", "ignore").decode()


def read_csv(text: str, name: str) -> tuple[list[Reading], list[str]]:
    """The rows of a table with a header line."""
    header = text.lstrip("\n").partition("\n")[0]
    delimiter = max(",;\t|", key=header.count)
    csv.field_size_limit(10_000_000)
    try:
        table = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restkey="more"))
    except csv.Error as exc:
        raise IngestError(f"it is not a table ({exc})") from exc
    rows = [{str(k).strip(): _flat(v) for k, v in row.items() if k is not None} for row in table]
    return _documents(rows, name), []


def read_json_lines(text: str, name: str) -> tuple[list[Reading], list[str]]:
    """One JSON record per line; a broken line is named and left out."""
    rows: list[Row] = []
    problems: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as exc:
            problems.append(f"line {number} is not JSON ({getattr(exc, 'msg', 'nested too deeply')})")
            continue
        if isinstance(record, dict):
            rows.append(record)
        else:
            problems.append(f"line {number} is not a JSON object")
    return _records(rows, name, problems), problems


def read_json(text: str, name: str) -> tuple[list[Reading], list[str]]:
    """An array of JSON objects, or one object."""
    try:
        loaded = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as exc:
        raise IngestError(f"it is not JSON ({getattr(exc, 'msg', 'nested too deeply')})") from exc
    items = loaded if isinstance(loaded, list) else [loaded]
    rows = [item for item in items if isinstance(item, dict)]
    problems = [f"{len(items) - len(rows)} of its items are not objects"] if len(rows) < len(items) else []
    return _records(rows, name, problems), problems


def _records(rows: Sequence[Row], name: str, problems: list[str]) -> list[Reading]:
    """Fact notes as such, everything else like the rows of a table."""
    found: list[Reading] = []
    others: list[Row] = []
    for number, row in enumerate(rows, 1):
        if not {"dataset", "field", "text"} <= set(row):
            others.append(row)
        elif (note := _fact_note(row, number)) is not None:
            found.append(note)
        else:
            problems.append(f"record {number} is not a fact note: text, dataset and field must be filled in")
    return found + (_documents(others, name) if others else [])


def _fact_note(row: Row, number: int) -> Reading | None:
    text, dataset, name = (_text(row.get(k)) for k in ("text", "dataset", "field"))
    if not (text and dataset and name):
        return None
    return Reading(
        text=text,
        title=_text(row.get("title")),
        url=_text(row.get("url")),
        published_at=parse_date(row.get("as_of")),
        retrieved_at=parse_date(row.get("retrieved_at")),
        origin=_text(row.get("publisher")),
        about=_text(row.get("company_name")) or _text(row.get("company")),
        licence="fact note; see url",
        author=_text(row.get("author")),
        fields=(FieldQuote(dataset=dataset, field=name, quote=text, value=_scrubbed(row.get("value"))),),
        row=number,
    )


def _documents(rows: Sequence[Row], name: str) -> list[Reading]:
    column = _prose_column(rows)
    if column is None:
        lines = [_line(row.items()) for row in rows]
        return [Reading(text="\n".join(line for line in lines if line), title=name)]
    readings = [_row_document(row, column, f"{name}, row {number}", number) for number, row in enumerate(rows, 1)]
    return [reading for reading in readings if reading.text]


def _row_document(row: Row, column: str, title: str, number: int) -> Reading:
    used = {column}

    def take(names: Iterable[str]) -> str:
        for key, value in row.items():
            if key.casefold() in names and key not in used and _text(value):
                used.add(key)
                return _text(value)
        return ""

    title = take(TITLE_COLUMNS) or title
    url, said, origin, about = take(URL_COLUMNS), take(DATE_COLUMNS), take(ORIGIN_COLUMNS), take(ABOUT_COLUMNS)
    author = take(AUTHOR_COLUMNS)
    body = _text(row[column]) if column in row else ""
    rest = _line((k, v) for k, v in row.items() if k not in used)
    return Reading(
        text=f"{body}\n\n{rest}" if body and rest else body,
        title=title,
        url=url,
        published_at=parse_date(said),
        origin=origin,
        about=about,
        author=author,
        row=number,
    )


def _prose_column(rows: Sequence[Row]) -> str | None:
    """The column that holds the text: by its name, else by the length of what it holds."""
    columns = list(dict.fromkeys(key for row in rows[:200] for key in row))
    for wanted in TEXT_COLUMNS:
        for column in columns:
            if column.casefold() == wanted and any(_text(row.get(column)) for row in rows):
                return column
    for column in columns:
        values = [v for row in rows[:200] if (v := _text(row.get(column)))]
        if values and sum(map(len, values)) / len(values) >= PROSE and any(" " in v for v in values):
            return column
    return None


def _line(items: Iterable[tuple[str, JsonValue]]) -> str:
    parts = [f"{key}: {value}" for key, raw in items if (value := _text(raw))]
    return "; ".join(parts) + "." if parts else ""


def _text(value: JsonValue) -> str:
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    if isinstance(value, list | dict):
        return clean(json.dumps(value, ensure_ascii=False)) if value else ""
    return clean(str(value)).strip()


def _flat(value: object) -> str:
    """A cell; a row with more cells than the header has them in a list."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _scrubbed(value: JsonValue) -> JsonValue:
    """The same value with strings that can be stored."""
    loaded: JsonValue = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "ignore"))
    return loaded
