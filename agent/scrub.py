"""The one scrubber: takes every known secret, and whatever looks like one, out of a text before it leaves our hands."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from html import escape
from typing import TypeVar
from urllib.parse import quote, quote_plus

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)

HIDDEN = "[secret]"

_LOOKS_SECRET = re.compile(
    r"""(?ix)
    (?P<before>
        (?<![a-z0-9]) (?: api[_-]?key | token | secret | password | authorization ) ["']? \s* [=:] \s* ["']?
        (?: (?:bearer|basic) \s+ )?
      | \b bearer \s+
    )
    (?! \[secret\] | (?:bearer|basic) \s ) [^\s"'&,;<>)}\]]{6,}
    | (?P<user> :// [^\s/:@]* : ) [^\s/@]+ (?=@)
    | \b sk-[A-Za-z0-9_-]{16,}
    """
)


class Scrubber:
    """Knows the secrets in force; also hides the value of anything named like a key, whoever it belongs to."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known = sorted({form for s in secrets if len(s) >= 4 for form in _forms(s)}, key=len, reverse=True)

    def known(self, text: str) -> str:
        """The text without the secrets in force, otherwise to the letter: for content that quotes are cut from."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return text

    def stored(self, reply: M) -> M:
        """A reply as it may be stored, all its texts `known` to be clean: quotes are cut from this. Halves of characters, which
        no store takes, become `?`, so that everything stays in its place."""
        return type(reply).model_validate(_each_text(reply.model_dump(), self.known))

    def __call__(self, text: str) -> str:
        """The text without the secrets in force and without anything that looks like one: for messages and logs."""
        text = _LOOKS_SECRET.sub(lambda m: (m["before"] or m["user"] or "") + HIDDEN, self.known(text))
        return _whole(text)


def _forms(secret: str) -> Iterator[str]:
    """A secret as it stands, and as it stands in an address, in JSON, in a `repr` and in HTML."""
    yield from (secret, repr(secret)[1:-1], escape(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    for quoted in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield quoted
        yield re.sub(r"%[0-9A-F]{2}", lambda m: m[0].lower(), quoted)


def _whole(text: str) -> str:
    """A text that can be written: half of a surrogate pair becomes `?`."""
    return text.encode("utf-8", "replace").decode()


def _each_text(value: object, clean: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return _whole(clean(value))
    if isinstance(value, dict):
        return {k: _each_text(v, clean) for k, v in value.items()}
    return [_each_text(v, clean) for v in value] if isinstance(value, list | tuple) else value


class ScrubbingFilter(logging.Filter):
    """Scrubs every log record, its arguments and its traceback, before any handler formats it."""

    def __init__(self, scrub: Scrubber) -> None:
        super().__init__()
        self._scrub = scrub

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the record in place; never drops one."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError) as exc:  # a line that does not fit its arguments fails nobody
            message = f"{record.msg!s} {record.args!r} ({type(exc).__name__})"
        record.msg, record.args = self._scrub(message), None
        if record.stack_info:
            record.stack_info = self._scrub(record.stack_info)
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._scrub(record.exc_text)
        return True


def set_up_logging(level: str, scrub: Scrubber) -> None:
    """Log to stderr at `level`, through the scrubber, for our loggers and everybody else's."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    handler.addFilter(ScrubbingFilter(scrub))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore", "httpx2", "httpcore2", "openai", "urllib3", "aiosqlite", "asyncio", "filelock"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
