"""What a URL gave, and what its bytes mean."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pydantic import JsonValue

from tools.base import FailureKind, SourceError


@dataclass(frozen=True)
class Page:
    """What a URL gave, with a status of 200."""

    url: str
    """Where it was in the end, after redirects."""
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)

    @property
    def content_type(self) -> str:
        """Media type without parameters, in lower case."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    def text(self) -> str:
        """The body as text: the charset that the header states, then UTF-8."""
        stated = re.search(r"charset=[\"']?([\w.:-]+)", self.headers.get("content-type", ""), re.IGNORECASE)
        try:
            name = codecs.lookup(stated[1]).name if stated else "utf-8"
            return self.body.decode(name, "replace")
        except (LookupError, UnicodeError):
            return self.body.decode("utf-8", "replace")

    def json(self) -> JsonValue:
        """The body as JSON. Raises SourceError (malformed)."""
        try:
            found: JsonValue = json.loads(self.body)
        except (ValueError, RecursionError) as exc:
            what = "a web page" if self.body.lstrip()[:1] == b"<" else "no JSON"
            raise SourceError(FailureKind.MALFORMED, f"The answer is {what} where JSON was expected.") from exc
        return found

    def json_object(self) -> dict[str, JsonValue]:
        """The body as a JSON object. Raises SourceError (malformed)."""
        found = self.json()
        if not isinstance(found, dict):
            raise SourceError(FailureKind.MALFORMED, "The answer is no JSON object.")
        return found


def seconds_of(value: str | None, now: datetime | None = None) -> float | None:
    """A Retry-After header as seconds: a count or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max((when - (now or datetime.now(UTC))).total_seconds(), 0.0)
