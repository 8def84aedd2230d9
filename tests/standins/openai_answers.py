"""What the stand-in model says when no script tells it: an answer worked out from the request, nothing random."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

Body = dict[str, Any]

_BLOCK = re.compile(r'<data kind="(?P<kind>\w+)">\n(?P<lines>.*?)\n?</data>', re.DOTALL)


def rows(body: Body, kind: str) -> list[Body]:
    """The JSON lines of one kind of data block, over all messages."""
    text = "\n".join(str(m.get("content") or "") for m in body.get("messages", ()))
    found: list[Body] = []
    for block in _BLOCK.finditer(text):
        if block["kind"] == kind:
            found += [json.loads(line) for line in block["lines"].splitlines() if line.strip()]
    return found


def reply_tool(body: Body) -> str | None:
    """The one tool that is the reply's own form (structured output by function calling), if that is what was asked."""
    choice = body.get("tool_choice")
    return str(choice["function"]["name"]) if isinstance(choice, dict) else None


def answer(body: Body) -> tuple[str, list[tuple[str, str]]]:
    """Text and tool calls (name, arguments as JSON) for a request."""
    if body.get("tools") and reply_tool(body) is None:
        return "", list(_tool_calls(body))
    wanted = _claims(body) if rows(body, "evidence") or _is_write(body) else _questions(body)
    text = json.dumps(wanted, ensure_ascii=False)
    tool = reply_tool(body)
    return ("", [(tool, text)]) if tool else (text, [])


def _is_write(body: Body) -> bool:
    return any('<data kind="evidence">' in str(m.get("content")) for m in body.get("messages", ()))


def _questions(body: Body) -> Body:
    return {
        "questions": [
            {"text": str(row.get("asks") or f"What is known about {row['id']}?"), "datasets": [row["id"]]}
            for row in rows(body, "datasets")[:6]
        ]
    }


def _claims(body: Body) -> Body:
    """Findings that restate quotes word for word, then one recommendation and one talking point."""
    evidence, vendor = rows(body, "evidence"), rows(body, "vendor")
    claims: list[Body] = [
        {"section": e.get("section", ""), "kind": "fact", "text": e["quote"], "evidence": [e["label"]]}
        for e in evidence
    ]
    if evidence and vendor:
        cited = [evidence[0]["label"], vendor[0]["label"]]
        why = f"{evidence[0]['quote']} {vendor[0]['quote']}"
        claims.append(
            {"section": "recommendation", "kind": "inference", "text": f"Lead with this: {why}", "evidence": cited}
        )
        claims.append(
            {"section": "talking_point", "kind": "inference", "text": f"You may know: {why}", "evidence": cited}
        )
    return {"claims": claims}


def _tool_calls(body: Body) -> Iterator[tuple[str, str]]:
    """One call of every offered tool, serving every sub-question."""
    asked = rows(body, "question")
    company = str(asked[0].get("company", "Acme")) if asked else "Acme"
    questions = [str(row["id"]) for row in rows(body, "sub_questions")]
    for tool in body["tools"]:
        function = tool["function"]
        schema = function.get("parameters", {})
        args: Body = {}
        for name, field in schema.get("properties", {}).items():
            if name == "questions" and questions:
                args[name] = questions
            elif name in schema.get("required", ()):
                args[name] = _plausible(field, company)
        yield function["name"], json.dumps(args, ensure_ascii=False)


def _plausible(field: Body, company: str) -> Any:
    """A value of the field's type."""
    options = [*field.get("anyOf", ()), field]
    kind = next((o.get("type") for o in options if o.get("type") not in (None, "null")), "string")
    if "enum" in field:
        return field["enum"][0]
    if "default" in field:
        return field["default"]
    low = field.get("minimum", 1)
    values: Body = {"integer": low, "number": low, "boolean": True, "array": [company], "object": {}}
    return values.get(str(kind), company)
