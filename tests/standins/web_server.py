"""Stands in for the web: one server for every host, reached through the mirror setting (`*=http://127.0.0.1:PORT/{host}`).

What a host answers is a `World`, a function from the request to the answer. A behaviour other than `ok` and `empty` spoils the
answers to all requests but those for robots.txt.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

HUGE = 10_000_000
SECRET_ECHO = "The token planted-TOKEN-0123456789abcdef is not known."


@dataclass(frozen=True)
class Asked:
    """A request."""

    host: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""


@dataclass(frozen=True)
class Told:
    """An answer."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = "application/json; charset=utf-8"


World = Callable[[Asked], Told]


def told(value: Any, status: int = 200, **headers: str) -> Told:
    """JSON."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Told(json.dumps(value).encode(), status, named)


def page(html: str, status: int = 200, **headers: str) -> Told:
    """A web page."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Told(html.encode(), status, named, "text/html; charset=utf-8")


NOT_FOUND = page("<html><body>Not found</body></html>", 404)

REFUSALS: Mapping[str, Told] = {
    "auth": told({"message": "Bad credentials"}, 401),
    "forbidden": told({"message": "Forbidden"}, 403),
    "quota": told({"message": "Payment required"}, 402),
    "not_found": told({"message": "Not Found"}, 404),
    "bad_request": told({"message": "Bad request"}, 400),
    "rate_limited": told({"message": "Slow down"}, 429, Retry_After="7"),
    "server_error": told({"message": "Server error"}, 500),
    "overloaded": told({"message": "Overloaded"}, 503, Retry_After="60"),
    "html": page("<!doctype html><html><body>Please log in to the proxy.</body></html>"),
    "key_in_error": told({"message": SECRET_ECHO}, 401),
    "huge": told({"filler": ["x" * 1_000] * (HUGE // 1_000)}),
    "bomb": Told(gzip.compress(b"[" + b" " * 100_000_000), headers={"Content-Encoding": "gzip"}),
    "redirect_private": Told(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"}),
    "redirect_loop": Told(status=302, headers={"Location": "/again"}),
}
"""Behaviours that are one fixed answer."""


class WebStandin:
    """The server; `behaviour` is how it answers from now on."""

    def __init__(self, world: World, *, empty: World | None = None, latency: float = 0.0, port: int = 0) -> None:
        self.world, self.empty_world = world, empty or (lambda asked: NOT_FOUND)
        self.latency = latency
        self.behaviour = "ok"
        self.error_in_200: Told = told({"error": "Something went wrong."})
        self.requests: list[Asked] = []
        self.stopping = threading.Event()
        self.arrived = threading.Semaphore(0)
        """Released once per request: wait for it instead of sleeping."""
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="web", daemon=True)

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def mirror(self) -> str:
        """The base address of the mirror that stands in for every host."""
        return f"{self.base_url}/{{host}}"

    def answer(self, asked: Asked) -> Told | None:
        """The answer, or None for a behaviour that is more than an answer."""
        self.requests.append(asked)
        self.arrived.release()
        self.stopping.wait(self.latency)
        name = self.behaviour
        if name == "ok" or (asked.path == "/robots.txt" and name != "empty"):
            return self.world(asked)
        if name == "empty":
            return self.empty_world(asked)
        if name in REFUSALS:
            return REFUSALS[name]
        good = self.world(asked)
        match name:
            case "error_in_200":
                return self.error_in_200
            case "truncated":
                return Told(good.body[: len(good.body) // 2], 200, good.headers, good.kind)
            case "wrong_types":
                return Told(json.dumps(_mangled(json.loads(good.body))).encode(), 200, good.headers, good.kind)
        return None

    def start(self) -> Self:
        """Serve in a thread."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Let go of every connection and stop."""
        self.stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _mangled(value: Any) -> Any:
    """The same shape one level deep, with every value of another type than it should have."""
    if isinstance(value, dict):
        return {k: _other_type(v) for k, v in value.items()}
    return [_other_type(v) for v in value] if isinstance(value, list) else [value]


def _other_type(value: Any) -> Any:
    return {"unexpected": [1]} if isinstance(value, str | int | float | list) else 7


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], standin: WebStandin) -> None:
        self.standin = standin
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news here."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the test reads `requests`."""

    def do_GET(self) -> None:
        """Answer as the behaviour says."""
        parts = urlsplit(self.path)
        _, host, *rest = parts.path.split("/", 2)
        headers = {name.lower(): value for name, value in self.headers.items()}
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        asked = Asked(host, "/" + (rest[0] if rest else ""), params, headers)
        answer = self.server.standin.answer(asked)
        if answer is not None:
            self._send(answer)
        else:
            getattr(self, f"_{self.server.standin.behaviour}")(self.server.standin.world(asked))

    def _drip(self, good: Told) -> None:
        self._start(good, len(good.body))
        for byte in good.body:
            self.wfile.write(bytes([byte]))
            if self.server.standin.stopping.wait(0.05):
                break
        self.close_connection = True

    def _cut(self, good: Told) -> None:
        """Promises more than it sends."""
        self._start(good, len(good.body) + 1_000)
        self.wfile.write(good.body)
        self.close_connection = True

    def _reset(self, good: Told) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _silent(self, good: Told) -> None:
        self.server.standin.stopping.wait()
        self.close_connection = True

    def _send(self, answer: Told) -> None:
        if answer.status == 304:
            self._start(answer, None)
            return
        self._start(answer, len(answer.body))
        self.wfile.write(answer.body)

    def _start(self, answer: Told, length: int | None) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
