"""The one scrubber: takes every known secret, and whatever looks like one, out of a text before it leaves our hands."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "[secret]"

_LOOKS_SECRET = re.compile(
    r"""(?ix)
    (?P<before>
        \b (?: api[_-]?key | access[_-]?token | token | secret | password | authorization ) ["']? \s* [=:] \s* ["']?
        (?: (?:bearer|basic) \s+ )?
      | \b bearer \s+
    )
    (?P<value> [^\s"'&,;<>)}\]]{6,} )
    | \b sk-[A-Za-z0-9_-]{16,}
    """
)


class Scrubber:
    """Knows the secrets in force; also hides the value of anything named like a key, whoever it belongs to."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for s in secrets if len(s) >= 4 for form in (s, quote(s, safe=""), quote_plus(s))}
        self._known = sorted(forms, key=len, reverse=True)

    def known(self, text: str) -> str:
        """The text without the secrets in force, otherwise to the letter: for content that quotes are cut from."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return text

    def __call__(self, text: str) -> str:
        """The text without the secrets in force and without anything that looks like one: for messages and logs."""
        text = self.known(text)
        return _LOOKS_SECRET.sub(lambda m: (m["before"] or "") + HIDDEN, text)


class ScrubbingFilter(logging.Filter):
    """Scrubs every log record, its arguments and its traceback, before any handler formats it."""

    def __init__(self, scrub: Scrubber) -> None:
        super().__init__()
        self._scrub = scrub

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the record in place; never drops one."""
        record.msg, record.args = self._scrub(record.getMessage()), None
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
