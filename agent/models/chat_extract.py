"""How the chat model is asked to read documents into fields, and how its rows are read back. Pure, like `chat_prompts`.

The documents go in as data (see there); no tool is bound, the reply has one schema, and no row of it is believed here.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue, ValidationError

from agent.models.base import ExtractTask
from agent.models.chat_prompts import (
    DATA_RULE,
    EXTRACT_RULE,
    Message,
    Unreadable,
    data_block,
    data_line,
    json_of,
    strict_object,
)
from agent.values import Told

MAX_ROWS = 60
"""Most rows of one extraction that are looked at."""


def extract_schema(task: ExtractTask) -> dict[str, JsonValue]:
    """The reply's schema: rows of datasets and fields that exist."""
    texts: dict[str, JsonValue] = {"type": ["string", "null"]}
    items: JsonValue = {"type": "array", "items": strict_object({"name": {"type": "string"}, "role": texts})}
    each = strict_object(
        {
            "document": {"type": "string"},
            "dataset": {"type": "string", "enum": [*task.datasets]},
            "field": {
                "type": "string",
                "enum": [*dict.fromkeys(f.name for d in task.datasets.values() for f in d.fields)],
            },
            "quote": {"type": "string"},
            "number": {"type": ["number", "null"]},
            "unit": texts,
            "date": texts,
            "items": items,
        }
    )
    return {"name": "field_values", "schema": strict_object({"values": {"type": "array", "items": each}})}


def extract_prompt(task: ExtractTask, room: int) -> tuple[list[Message], dict[str, str]]:
    """The passages that fit the room, each under a label, and the id of the document that each label stands for."""
    fields: list[dict[str, JsonValue]] = [
        {
            "dataset": d.id,
            "asks": d.question.replace("{subject}", task.subject.name),
            "fields": {f.name: f.kind for f in d.fields},
        }
        for d in task.datasets.values()
    ]
    shown: list[dict[str, JsonValue]] = []
    labels: dict[str, str] = {}
    for passage in task.passages:
        row: dict[str, JsonValue] = {
            "label": f"D{len(labels) + 1}",
            "about": passage.about,
            "published": passage.published,
        }
        kept: list[JsonValue] = []
        for sentence in passage.sentences:
            if len(data_line({**row, "sentences": [*kept, sentence]})) > room:
                break
            kept.append(sentence)
        if kept:
            row["sentences"] = kept
            room -= len(data_line(row)) + 1
            labels[f"D{len(labels) + 1}"] = passage.document_id
            shown.append(row)
    company = data_block("company", [{"company": task.subject.name}])
    told = f"{company}\n{data_block('fields', fields)}\n{data_block('documents', shown)}"
    return [("system", f"{EXTRACT_RULE}\n{DATA_RULE}"), ("user", told)], labels


def read_told(text: str, labels: Mapping[str, str]) -> tuple[Told, ...]:
    """The rows of the model's answer, at most MAX_ROWS; one that cannot be read is empty, so that its drop is counted."""
    value = json_of(text)
    rows = value.get("values") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        raise Unreadable('The answer must be an object with a list "values".')
    return tuple(_told(row, labels) for row in rows[:MAX_ROWS])


def _told(row: JsonValue, labels: Mapping[str, str]) -> Told:
    if not isinstance(row, dict):
        return Told()
    given = {k: v for k, v in row.items() if v is not None and k != "document"}
    items = given.get("items")
    if isinstance(items, list):
        given["items"] = [{k: v for k, v in i.items() if v is not None} if isinstance(i, dict) else i for i in items]
    try:
        return Told.model_validate({**given, "document_id": labels.get(str(row.get("document")).strip("[]() "), "")})
    except ValidationError:
        return Told()
