"""What a URL gave, and what its bytes mean."""

from __future__ import annotations

import codecs
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pydantic import JsonValue

from tools.base import FailureKind, SourceError

_NO_CHARSET = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "utf-7"})
"""Codecs of Python that are no page's charset; some of them take hours for a page that was made for it."""
_LONGEST_WAIT = 366 * 86_400.0
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")


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
        """The body as text: the charset that the header states, then UTF-8; never with a byte order mark."""
        stated = re.search(r"charset=[\"']?([\w.:-]+)", self.headers.get("content-type", ""), re.IGNORECASE)
        try:
            name = codecs.lookup(stated[1]).name if stated else "utf-8"
            text = self.body.decode("utf-8" if name in _NO_CHARSET else name, "replace")
        except (LookupError, UnicodeError):
            text = self.body.decode("utf-8", "replace")
        return text.removeprefix("\ufeff")

    def json(self) -> JsonValue:
        """The body as JSON, of which every text can be stored and sent. Raises SourceError (malformed)."""
        try:
            found: JsonValue = json.loads(self.body, parse_constant=_no_constant)
            if _SURROGATE.search(self.body):
                found = _whole(found)
        except (ValueError, RecursionError) as exc:
            what = "a web page" if self.body.lstrip()[:1] == b"<" else "no JSON"
            raise SourceError(FailureKind.MALFORMED, f"The answer is {what} where JSON was expected.") from exc
        return _whole(found) if b"\\ud" in self.body.lower() else found

    def json_object(self) -> dict[str, JsonValue]:
        """The body as a JSON object. Raises SourceError (malformed)."""
        found = self.json()
        if not isinstance(found, dict):
            raise SourceError(FailureKind.MALFORMED, "The answer is no JSON object.")
        return found


class Unpacker:
    """A body as it comes in, unpacked up to one byte over a limit, however much is packed into a piece."""

    def __init__(self, encoding: str, limit: int) -> None:
        """Raises SourceError (malformed) for a packing that nobody asked for."""
        packed = encoding.strip().lower()
        if packed not in ("identity", "gzip", "x-gzip", ""):
            raise SourceError(FailureKind.MALFORMED, f"The answer is packed in a way nobody asked for ({packed[:20]}).")
        self._zip = zlib.decompressobj(47) if "gzip" in packed else None
        self._limit, self.body, self._begun = limit, bytearray(), False

    @property
    def over(self) -> bool:
        """Whether there is more than the limit."""
        return len(self.body) > self._limit

    def add(self, piece: bytes) -> None:
        """Take the next piece. Raises SourceError (malformed)."""
        if self._zip is None:
            self.body += piece
            return
        try:
            while piece and not self.over:
                if self._zip.eof:  # another member follows (RFC 1952, 2.2), or padding, which is nothing
                    if not piece.startswith(b"\x1f"):
                        return
                    self._zip = zlib.decompressobj(47)
                self._begun = True
                self.body += self._zip.decompress(piece, self._limit + 1 - len(self.body))
                piece = self._zip.unused_data
        except zlib.error as exc:
            raise SourceError(FailureKind.MALFORMED, "The answer's packing is damaged.") from exc

    def end(self) -> None:
        """The last piece is in. Raises SourceError (malformed) when some of the packed body is missing."""
        if self._zip is not None and self._begun and not self._zip.eof:
            raise SourceError(FailureKind.MALFORMED, "The answer's packing ends too early.")


def _no_constant(name: str) -> None:
    """NaN and Infinity are no JSON; who sends them means that there is no value."""


def _whole(value: JsonValue) -> JsonValue:
    """Without halves of surrogate pairs, which can be neither stored nor sent."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return {str(_whole(k)): _whole(v) for k, v in value.items()} if isinstance(value, dict) else value


def seconds_of(value: str | None, now: datetime | None = None) -> float | None:
    """A Retry-After header as seconds: a count or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if re.fullmatch(r"[0-9]+", value.strip()):
        return min(float(value), _LONGEST_WAIT)
    try:
        when = parsedate_to_datetime(value)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        left = (when - (now or datetime.now(UTC))).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(left, 0.0), _LONGEST_WAIT)
