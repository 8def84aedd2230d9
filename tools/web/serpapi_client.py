"""The one adapter over the google-search-results client: a thread, a deadline, a size limit, no key in anything said.

The client as it comes waits for 16 hours, follows redirects with the key in the address, and never looks at the status.
What is replaced here is its one method that touches the network; how it builds a request stays its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

import requests
import urllib3
from requests.adapters import HTTPAdapter
from serpapi import SerpApiClient
from typing_extensions import override
from urllib3.connectionpool import HTTPConnectionPool

from tools.base import FailureKind, SourceError
from tools.web.page import seconds_of

T = TypeVar("T")

MAX_BYTES = 8_000_000
"""A full page of Google News is 0.2 MB; whatever is far above is not a reply."""
GRACE = 5.0
"""Seconds beyond the deadline before the thread itself is given up (a name server that hangs, for example)."""
_USED_UP = ("run out", "ran out", "credit", "searches for the month", "quota", "upgrade")
THREAD_NAME = "serpapi-call"

_NEVER_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.NameResolutionError,
    urllib3.exceptions.SSLError,
    urllib3.exceptions.ProxyError,
)


class _KeyFilter(logging.Filter):
    """Takes the key out of urllib3's own log lines, which show the whole address."""

    _key = re.compile(r"(api_key=)[^&\s\"']+")

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if "api_key=" in said:
            record.msg, record.args = self._key.sub(r"\1[secret]", said), ()
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_KeyFilter())


@dataclass(frozen=True)
class Answer:
    """What came back over the wire, before anyone has made sense of it."""

    status: int
    body: bytes = field(repr=False)
    retry_after: float | None = None
    location: bool = False
    """Whether it points elsewhere."""


class _HungUp(OSError):
    """Nobody waits for this search any more."""


class _Line:
    """The one connection of a search, which the event loop can break off while a thread waits on it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._dead = False
        self._socket: socket.socket | None = None

    def opened(self, made: socket.socket) -> None:
        """Called by the thread before anything is sent. Raises when nobody waits any more."""
        with self._lock:
            if self._dead:
                raise _HungUp("given up before the request was sent")
            self._socket = made

    def hang_up(self) -> None:
        """Wake the thread. From here on its connection is at an end, or will be as soon as it is made."""
        with self._lock:
            self._dead = True
            if self._socket is not None:
                with contextlib.suppress(OSError):  # closed already
                    # The plain call, also under TLS: an SSLSocket's own would take its session from under the thread.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """Tells a line which socket its request goes over."""

    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    @override
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        kind, line = pool.ConnectionCls, self._line

        class Connection(kind):  # type: ignore[misc, valid-type]  # plain or TLS, as the pool has it
            def connect(self) -> None:
                super().connect()
                line.opened(self.sock)

        pool.ConnectionCls = Connection
        return pool


class _Client(SerpApiClient):  # type: ignore[misc]
    """The client with an address of its own (the original has one for all) and a bounded, one-request network call."""

    def __init__(self, params: Mapping[str, str], base_url: str, timeout: float, line: _Line) -> None:
        super().__init__(dict(params), timeout=timeout)  # a copy: the client writes into what it is given
        self._line = line
        self.BACKEND = base_url.rstrip("/")

    def get_response(self, path: str = "/search") -> Answer:
        """One GET. No redirect is followed, since the key would go along; the body has a size limit and a deadline."""
        url, params = self.construct_url(path)
        ends = time.monotonic() + self.timeout
        with contextlib.ExitStack() as stack:
            session = stack.enter_context(requests.Session())
            for scheme in ("http://", "https://"):
                session.mount(scheme, _Adapter(self._line))
            response = stack.enter_context(
                session.get(url, params=params, timeout=self.timeout, stream=True, allow_redirects=False)
            )
            body = bytearray()
            # read1 hands over what has arrived; iter_content would wait for a full block from a server that drips.
            while piece := response.raw.read1(65_536, decode_content=True):
                body += piece
                if len(body) > MAX_BYTES:
                    raise _TooLarge
                if time.monotonic() > ends:
                    raise requests.ReadTimeout
            expected = response.headers.get("Content-Length", "")
            if "Content-Encoding" not in response.headers and expected.isdigit() and len(body) < int(expected):
                raise requests.ConnectionError("cut short")
            wait = seconds_of(response.headers.get("Retry-After"))
            return Answer(response.status_code, bytes(body), wait, 300 <= response.status_code < 400)


class _TooLarge(Exception):
    """The body passed the size limit."""


class SerpApi:
    """SerpAPI as the sources use it: parameters in, the reply's JSON out, or a SourceError that says what was spent."""

    def __init__(self, key: str, base_url: str, timeout: float, scrub: Callable[[str], str]) -> None:
        self._key = key
        self._base_url = base_url
        self._timeout = timeout
        self._foreign = scrub

    async def search(self, params: Mapping[str, str]) -> dict[str, object]:
        """One search. Raises SourceError and nothing else.

        When it is cancelled its connection is broken off, so that the thread ends too; whatever that brings is thrown
        away. Only a connection still being made cannot be: its thread ends when it stands, or at the deadline.
        """
        if not self._key:
            raise SourceError(FailureKind.AUTH, "No SerpAPI key is set: set SERPAPI_API_KEY.")
        try:
            async with asyncio.timeout(self._timeout + GRACE):
                line = _Line()
                outcome = await _in_thread(lambda: self._attempt(params, line), line.hang_up)
        except TimeoutError:
            outcome = _unsettled(FailureKind.TIMEOUT, "SerpAPI did not answer in time.")
        # Raised here, outside every `except`, so that no exception with the key in its address hangs in the chain.
        if isinstance(outcome, SourceError):
            raise outcome
        failure = self._failure(outcome)
        if failure is not None:
            raise failure
        loaded = _load(outcome.body)
        if loaded is None:
            raise _unsettled(FailureKind.MALFORMED, "SerpAPI's reply is not a JSON object.")
        return loaded

    def _attempt(self, params: Mapping[str, str], line: _Line) -> Answer | SourceError:
        client = _Client({**params, "output": "json", "api_key": self._key}, self._base_url, self._timeout, line)
        try:
            return client.get_response("/search")
        except _TooLarge:
            return _unsettled(FailureKind.MALFORMED, f"SerpAPI's reply is larger than {MAX_BYTES // 1_000_000} MB.")
        except requests.ConnectTimeout:
            return SourceError(FailureKind.TIMEOUT, "SerpAPI could not be connected to in time.")
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            return _unsettled(FailureKind.TIMEOUT, f"SerpAPI did not answer within {self._timeout:g} s.")
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as exc:
            return _broken(exc)
        except Exception as exc:  # noqa: BLE001  # nothing but a SourceError may leave, and no text of a foreign error either
            return _unsettled(FailureKind.INTERNAL, f"The SerpAPI client failed ({type(exc).__name__}).")

    def _failure(self, answer: Answer) -> SourceError | None:
        """What a status other than 200 means. Only successful searches are billed."""
        status = answer.status
        if status == 200:
            return None
        said = self.quoted(error_text(_load(answer.body) or {}))
        if answer.location:
            text = f"SerpAPI's address redirects elsewhere ({status}); not followed, because the key would go along"
            return SourceError(FailureKind.REFUSED_ADDRESS, f"{text}: check DOSSIER_SERPAPI_BASE_URL.")
        if status in (401, 403):
            return SourceError(FailureKind.AUTH, f"SerpAPI refused the key ({status}){said}: check SERPAPI_API_KEY.")
        if status == 429:
            text = error_text(_load(answer.body) or {})
            if any(word in text.casefold() for word in _USED_UP) and not _slow_down(text):
                return SourceError(FailureKind.QUOTA, f"SerpAPI's searches are used up{said}: see your plan.")
            return SourceError(
                FailureKind.RATE_LIMITED, f"SerpAPI asks to slow down{said}.", retry_after=answer.retry_after
            )
        if status == 404:
            return SourceError(FailureKind.NOT_FOUND, "SerpAPI is not at this address: check DOSSIER_SERPAPI_BASE_URL.")
        if 400 <= status < 500:
            return SourceError(FailureKind.INVALID_ARGUMENTS, f"SerpAPI refused the search ({status}){said}.")
        # A gateway that gives up says nothing of the search behind it, which may have been made and billed.
        billed = None if status in (502, 504) else 0
        return SourceError(
            FailureKind.UNREACHABLE, f"SerpAPI failed ({status}){said}.", billed=billed, retry_after=answer.retry_after
        )

    def refusal(self, text: str, billed: int) -> SourceError:
        """An `error` text inside a 200 as the kind of failure it speaks of."""
        said, low = self.quoted(text), text.casefold()
        if "api key" in low or "api_key" in low:
            return SourceError(
                FailureKind.AUTH, f"SerpAPI refused the key{said}: check SERPAPI_API_KEY.", billed=billed
            )
        if _slow_down(text):
            return SourceError(FailureKind.RATE_LIMITED, f"SerpAPI asks to slow down{said}.", billed=billed)
        if any(word in low for word in _USED_UP):
            return SourceError(
                FailureKind.QUOTA, f"SerpAPI's searches are used up{said}: see your plan.", billed=billed
            )
        return SourceError(FailureKind.MALFORMED, f"SerpAPI answered with an error{said}.", billed=billed)

    def quoted(self, text: str) -> str:
        """Foreign words, fit to be shown: short, on one line, without the key."""
        plain = " ".join(text.split())
        for form in {self._key, quote(self._key, safe=""), quote_plus(self._key)} - {""}:
            plain = plain.replace(form, "[secret]")
        plain = self._foreign(plain)[:200]
        return f' ("{plain}")' if plain else ""


def error_text(reply: Mapping[str, object]) -> str:
    """The reply's `error`; empty when it has none."""
    said = reply.get("error")
    return "" if said is None else said if isinstance(said, str) else json.dumps(said)[:500]


def _slow_down(text: str) -> bool:
    return any(word in text.casefold() for word in ("throughput", "too many", "rate limit", "per hour", "hourly"))


async def _in_thread(work: Callable[[], T], hang_up: Callable[[], None]) -> T:
    """Run `work` in a thread of its own and wait for it; `hang_up` ends it when the waiting is cancelled.

    Not `asyncio.to_thread`: its pool has six threads on two cores, which would serialise a plan of eight searches, and
    the end of the process waits for every one of them, up to the timeout.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T) -> None:
        if not done.done():
            done.set_result(result)

    def run() -> None:
        result = work()
        try:
            loop.call_soon_threadsafe(settle, result)
        except RuntimeError:  # the loop is closed: nobody waits any more
            logging.getLogger(__name__).debug("A search ended after the loop had closed.")

    threading.Thread(target=run, name=THREAD_NAME, daemon=True).start()
    try:
        return await done
    except asyncio.CancelledError:
        hang_up()
        raise


def _broken(error: BaseException) -> SourceError:
    """A connection that failed: before anything was sent nothing can be billed, afterwards nobody can know."""
    seen: BaseException | None = error
    for _ in range(8):
        if isinstance(seen, (ConnectionRefusedError, *_NEVER_SENT)):
            return SourceError(FailureKind.UNREACHABLE, "SerpAPI cannot be reached: the connection was not made.")
        inner = getattr(seen, "reason", None) or next((a for a in getattr(seen, "args", ()) if _is_error(a)), None)
        seen = inner if _is_error(inner) else getattr(seen, "__context__", None)
    return _unsettled(FailureKind.UNREACHABLE, "SerpAPI broke the connection off.")


def _is_error(value: object) -> bool:
    return isinstance(value, BaseException)


def _unsettled(kind: FailureKind, text: str) -> SourceError:
    """A failure after the request had gone out: it may have been billed."""
    return SourceError(kind, text, billed=None)


def _load(body: bytes) -> dict[str, object] | None:
    """The body as a JSON object whose texts can be stored, or None."""
    try:
        loaded = json.loads(body)
        # Half of a surrogate pair (`"\\ud800"`) is legal JSON and nothing that can be stored or sent on.
        loaded = (
            json.loads(json.dumps(loaded, ensure_ascii=False).encode("utf-8", "ignore")) if b"\\ud" in body else loaded
        )
    except (ValueError, RecursionError):
        return None
    return loaded if isinstance(loaded, dict) else None
