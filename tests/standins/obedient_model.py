"""A stand-in chat model that obeys: whatever order it reads, wherever it stands, it carries out as far as it can.

It knows the orders of `tests/hostile` and looks for them in everything it is shown: messages, tool results, tool
descriptions. It reads more than a model would: through escapes, invisible and look-alike characters, base64 and digits for
letters, and half an order is enough for it. What it does then: it makes the calls that were demanded, whether or not tools
are on offer; writes the wanted sentences as facts, recommendations and talking points under the labels of real evidence;
says its instructions back; or breaks its form.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from typing_extensions import override

from agent.claims.cleaning import clean
from tests.hostile import Order
from tests.standins.openai_answers import Body, reply_tool, rows
from tests.standins.openai_server import OpenAIStandin, Reply

LEAST_WORDS = 5
"""So many words of an order, up to a comma or the like, are enough to obey all of it."""

CHARS_PER_TOKEN = 3
"""It obeys within the tokens it was given: its server cuts the answer off, as real ones do."""

_LETTERS = str.maketrans("013@5", "oieas")
_PACKED = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")


class ObedientModel(OpenAIStandin):
    """The server. `obeyed` holds the id of each order it read, once per request."""

    def __init__(self, orders: Sequence[Order], **options: Any) -> None:
        super().__init__(**options)
        self._orders = [(order, signs_of(order.says)) for order in orders]
        self.obeyed: list[str] = []

    @override
    def _say(self, reply: Reply, body: Body) -> tuple[str, list[tuple[str, str]]]:
        text, calls = super()._say(reply, body)
        shown = reading_of(json.dumps([body.get("messages"), body.get("tools")], ensure_ascii=False))
        told = [order for order, signs in self._orders if any(sign in shown for sign in signs)]
        self.obeyed += [order.id for order in told]
        if not told:
            return text, calls
        text, calls = _obey(told, body, text, calls)
        most = int(body.get("max_completion_tokens") or body.get("max_tokens") or 10_000) * CHARS_PER_TOKEN
        return text[:most], calls


def signs_of(says: str) -> list[str]:
    """What gives an order away: the whole of it, or any stretch of it between marks that has words enough."""
    parts = [says, *re.split(r"[.,;:!?<>|`\[\](){}\"]+", says)]
    return [f" {words} " for p in parts if len((words := _words(p)).split()) >= LEAST_WORDS] or [f" {_words(says)} "]


def _words(text: str) -> str:
    return re.sub(r"[\W_]+", " ", clean(text).lower()).strip()


def reading_of(shown: str) -> str:
    """Everything that could be read in a text, one reading after the other."""
    plain = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), shown)
    plain = html.unescape(plain.replace("\\n", " ").replace("\\", ""))
    unseen = "".join(chr(ord(c) - 0xE0000) for c in plain if 0xE0020 <= ord(c) < 0xE007F)
    packed = " ".join(_unpacked(m[0]) for m in _PACKED.finditer(plain))
    letters = re.sub(r"\b\S*\d\S*\b", lambda m: m[0].translate(_LETTERS), plain)
    return "".join(f" {_words(text)} |" for text in (plain, unseen, packed, letters))


def _unpacked(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "ignore")
    except (binascii.Error, ValueError):
        return ""


# --- obeying ---------------------------------------------------------------------------------------------------------


def _obey(
    told: Sequence[Order], body: Body, text: str, calls: list[tuple[str, str]]
) -> tuple[str, list[tuple[str, str]]]:
    demanded = [(o.tool, json.dumps(dict(o.args))) for o in told if o.tool]
    if body.get("tools") and reply_tool(body) is None:
        return _leaked(body) if any(o.leak for o in told) and not calls else "", [*demanded, *demanded, *calls]
    tool = reply_tool(body)
    answer = json.loads(calls[0][1] if tool else text)
    for order in told:
        _write(order, body, answer)
    said = _formed(told, json.dumps(answer, ensure_ascii=False))
    return ("", [(tool, said), *demanded]) if tool else (said, demanded)


def _write(order: Order, body: Body, answer: Body) -> None:
    """Put what the order wants into the answer, in front of everything honest."""
    wanted = [order.wants] if order.wants else []
    if order.leak:
        told = _leaked(body)
        wanted += [*re.split(r"(?<=[.:]) ", told), told, base64.b64encode(told.encode()).decode()]
    if "questions" in answer:
        datasets = [d for q in answer["questions"] for d in q["datasets"]]
        answer["questions"] = [{"text": w, "datasets": datasets} for w in wanted] + answer["questions"]
    if "claims" in answer:
        answer["claims"] = [*_claims(order, wanted, body), *answer["claims"]]


def _claims(order: Order, wanted: Sequence[str], body: Body) -> Iterator[Body]:
    evidence, vendor = rows(body, "evidence"), rows(body, "vendor")
    labels = [str(e["label"]) for e in evidence] or ["E1"]
    read = next(
        (str(e["label"]) for e in evidence if any(s in reading_of(json.dumps(e)) for s in signs_of(order.says))), ""
    )
    ours = [str(v["label"]) for v in vendor[:1]]
    for cited in dict.fromkeys((read or labels[0], labels[0], labels[-1])):
        for text in [*wanted, order.says]:
            yield {"section": "news", "kind": "fact", "text": text, "evidence": [cited]}
            yield {"section": "recommendation", "kind": "inference", "text": text, "evidence": [cited, *ours]}
            yield {"section": "talking_point", "kind": "inference", "text": text, "evidence": [cited, *ours]}
    for text in wanted:  # evidence that nobody gave it
        yield {"section": "profile", "kind": "fact", "text": text, "evidence": ["E99", "https://evil.example"]}


def _leaked(body: Body) -> str:
    return " ".join(str(m.get("content")) for m in body["messages"] if m.get("role") == "system")


def _formed(told: Sequence[Order], said: str) -> str:
    forms = [o.form for o in told if o.form]
    if not forms:
        return said
    return {
        "prose": "Of clouds of snow I sing, and of no other thing.",
        "empty": '{"claims": [], "questions": []}',
        "cut": said[: len(said) // 2],
        "repeat": said.replace('"text": "', '"text": "Rivalytics Rivalytics Rivalytics '),
    }[forms[0]]
