"""Reading a question at the front door, whichever door it is: the same checks, the same errors."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from agent.catalogue import Catalogue
from agent.errors import EmptyMessage, InvalidDeadline, InvalidMaxCost, MalformedRequest, MessageTooLong
from agent.records import Ask
from agent.settings import Settings


def read_ask(raw: Mapping[str, object], settings: Settings, catalogue: Catalogue) -> Ask:
    """Check a caller's input and give it as a record. Raises InputError of the kind that fits."""
    message = _text(raw, "message", settings)
    if not any(ch.isalnum() for ch in message):
        raise EmptyMessage("The message has no words: ask a question about a company.")
    consumer = catalogue.consumer(str(raw.get("consumer_type") or "quick_chat"))
    return Ask(
        message=message,
        vendor=_text(raw, "vendor", settings) or None,
        persona=_text(raw, "persona", settings) or None,
        consumer_type=consumer.id,
        max_cost=read_max_cost(raw.get("max_cost"), settings),
        deadline=read_deadline(raw.get("deadline")),
        include_unverified=bool(raw.get("include_unverified")),
    )


def read_max_cost(value: object, settings: Settings) -> Decimal | None:
    """USD from 0 to the deployment's ceiling, to the micro-dollar; None stays None."""
    if value is None:
        return None
    ceiling = settings.max_cost_ceiling
    try:
        amount = Decimal(str(value))
        sound = amount.is_finite() and 0 <= amount <= ceiling
    except InvalidOperation:
        sound = False
    if not sound or isinstance(value, bool):
        shown = str(value)[:40]
        raise InvalidMaxCost(f"max_cost is {shown!r}; it must be an amount of USD from 0 to {ceiling}.")
    return amount


def read_deadline(value: object) -> float | None:
    """Seconds, over 0 and at most a day; None stays None."""
    if value is None:
        return None
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 86_400 or isinstance(value, bool):
        raise InvalidDeadline(
            f"deadline is {str(value)[:40]!r}; it must be a number of seconds over 0 and up to 86400."
        )
    return seconds


def _text(raw: Mapping[str, object], name: str, settings: Settings) -> str:
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedRequest(f"{name} must be text.")
    if not _is_unicode(value):
        raise MalformedRequest(f"{name} holds half of a character (a lone surrogate): send it as whole Unicode text.")
    if len(value) > settings.max_message_chars:
        limit = settings.max_message_chars
        raise MessageTooLong(
            f"{name} has {len(value)} characters; the limit is {limit}: shorten it, or ingest the text as a document."
        )
    return _visible(value).strip()


def _visible(text: str) -> str:
    """The text without characters that nobody sees (zero-width, direction marks, tags) and that a program might read."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cf", "Cc"))


def _is_unicode(text: str) -> bool:
    """JSON lets half of a surrogate pair through, which can neither be stored nor sent on."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
