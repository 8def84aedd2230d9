"""A stand-in for SerpAPI: a real HTTP server on loopback that speaks the documented format and keeps an invoice.

    with SerpApiStandin(latency=0.3, invoice=path) as server:
        ...  # server.base_url, server.requests, server.invoice_total

Every successful search is charged; the exact same search again within an hour is free, as SerpAPI has it. In a process
of its own, `python -m tests.standins.serpapi_server --port 9001 --latency 0.3 --invoice FILE` prints its address on one
line (the invoice is also at /standin/invoice).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.standins.serpapi_answers import google, google_finance, google_jobs, google_news
from tests.standins.serpapi_invoice import Invoice

PRICE = 15_000
ENGINES = {"google": google, "google_news": google_news, "google_jobs": google_jobs, "google_finance": google_finance}
_UNSUPPORTED = "Unsupported `{}` search engine."


@dataclass(frozen=True)
class Behaviour:
    """How a request is answered, and whether SerpAPI would charge for it."""

    status: int = 200
    charged: bool = False
    error: str = ""
    headers: tuple[tuple[str, str], ...] = ()


BEHAVIOURS: dict[str, Behaviour] = {
    "ok": Behaviour(charged=True),
    "empty": Behaviour(charged=True, error="Google hasn't returned any results for this query."),
    "error_in_200": Behaviour(error="We couldn't get valid results for this search. Please try again later."),
    "no_credit_in_200": Behaviour(error="Your account credit is too low, please add more credits."),
    "auth": Behaviour(
        401, error="Invalid API key {key}. Your API key should be here: https://serpapi.com/manage-api-key"
    ),
    "rate_limited": Behaviour(
        429, error="You exceeded the hourly throughput limit of your plan.", headers=(("Retry-After", "7"),)
    ),
    "quota": Behaviour(429, error="Your account has run out of searches."),
    "bad_request": Behaviour(400, error="Missing query `q` parameter."),
    "server_error": Behaviour(500, error="Internal error."),
    "gateway_timeout": Behaviour(504),
    "html": Behaviour(),
    "truncated": Behaviour(charged=True),
    "wrong_types": Behaviour(charged=True),
    "huge": Behaviour(charged=True),
    "drip": Behaviour(charged=True),
    "redirect": Behaviour(302),
    "reset": Behaviour(charged=True),
    "silent": Behaviour(),
}


@dataclass(frozen=True)
class Seen:
    """A request as it came in; the key is kept apart from what is shown."""

    path: str
    params: dict[str, str]
    key: str


class SerpApiStandin:
    """The server. `script` holds behaviours for the next requests, `behaviour` is for all others."""

    def __init__(
        self,
        *,
        latency: float = 0.0,
        invoice: Path | None = None,
        price: int = PRICE,
        charge_repeats: bool = False,
        behaviour: str = "ok",
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.latency = latency
        self.behaviour = behaviour
        self.clock = clock
        self.requests: list[Seen] = []
        self.invoice = Invoice(invoice, price, charge_repeats, clock)
        self.replies: dict[str, dict[str, Any]] = {}
        """Engine -> what it answers from now on, after the head, in place of what is made up."""
        self.stopping = threading.Event()
        self.arrived = threading.Semaphore(0)
        """Released once per request: wait for it instead of sleeping."""
        self._script: deque[str] = deque()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="serpapi-standin", daemon=True
        )

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def invoice_total(self) -> int:
        """What was charged so far, micro-dollars."""
        return self.invoice.total

    def script(self, behaviours: Iterable[str]) -> None:
        """Behave so on the next requests, one each."""
        with self._lock:
            self._script.extend(behaviours)

    def take(self, seen: Seen) -> str:
        """Note a request and say how to answer it."""
        with self._lock:
            self.requests.append(seen)
            name = self._script.popleft() if self._script else self.behaviour
        self.arrived.release()
        return name

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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], standin: SerpApiStandin) -> None:
        self.standin = standin
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news here."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True  # else the body waits 40 ms for the acknowledgement of the headers
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the test reads `requests`."""

    def do_GET(self) -> None:
        """Answer as scripted."""
        standin = self.server.standin
        parts = urlsplit(self.path)
        if parts.path == "/standin/invoice":
            rows = [c.__dict__ for c in standin.invoice.charges]
            self._json(200, {"total_micros": standin.invoice_total, "charges": rows})
            return
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        key = params.pop("api_key", "")
        name = standin.take(Seen(parts.path, params, key))
        standin.stopping.wait(standin.latency)
        if parts.path not in ("/search", "/search.json"):
            self._json(404, {"error": "Not found."})
        elif not key:
            self._json(
                401, {"error": "Invalid API key. Your API key should be here: https://serpapi.com/manage-api-key"}
            )
        elif not params.get("q"):
            self._json(400, {"error": "Missing query `q` parameter."})
        elif params.setdefault("engine", "google") not in ENGINES:
            self._json(400, {"error": _UNSUPPORTED.format(params["engine"])})
        else:
            self._behave(name, params, key)

    def _behave(self, name: str, params: dict[str, str], key: str) -> None:
        how = BEHAVIOURS[name]
        # On the invoice first: a client that is killed while it waits has spent the money all the same.
        if how.charged:
            self.server.standin.invoice.charge(params)
        special = getattr(self, f"_{name}", None)
        if special is not None:
            special(params)
        elif how.error and how.status != 200:
            self._json(how.status, {"error": how.error.replace("{key}", key)}, how.headers)
        elif how.error:
            status = "Success" if how.charged else "Error"
            self._json(200, {**self._head(params, status), "error": how.error})
        elif how.status != 200:
            self._send(how.status, b"<html><body>Gateway</body></html>", "text/html")
        else:
            self._json(200, self._answer(params))

    def _answer(self, params: dict[str, str]) -> dict[str, Any]:
        now = datetime.fromtimestamp(self.server.standin.clock(), UTC)
        engine = params["engine"]
        set_reply = self.server.standin.replies.get(engine)
        made = set_reply if set_reply is not None else ENGINES[engine](params["q"], now)
        return {**self._head(params, "Success"), **made}

    def _head(self, params: dict[str, str], status: str) -> dict[str, Any]:
        moment = datetime.fromtimestamp(self.server.standin.clock(), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        name = hashlib.sha256(urlencode(sorted(params.items())).encode()).hexdigest()[:24]
        metadata = {"id": name, "status": status, "created_at": moment, "processed_at": moment, "total_time_taken": 0.3}
        return {"search_metadata": metadata, "search_parameters": params}

    # --- behaviours that are more than a status and a body ------------------------------------------------------------

    def _html(self, params: dict[str, str]) -> None:
        self._send(200, b"<!doctype html><html><body>Please log in to the proxy.</body></html>", "text/html")

    def _truncated(self, params: dict[str, str]) -> None:
        body = json.dumps(self._answer(params)).encode()
        self._send(200, body[: len(body) // 2])

    def _wrong_types(self, params: dict[str, str]) -> None:
        shapes: list[Any] = [
            7,
            None,
            {"title": ["x"], "link": 3},
            {"title": {}, "link": None, "snippet": [1], "date": 5},
        ]
        reply = {**self._head(params, "Success"), "knowledge_graph": "text", "answer_box": [1]}
        self._json(
            200,
            {
                **reply,
                "organic_results": shapes,
                "news_results": [*shapes, {"stories": {}, "highlight": 1}],
                "jobs_results": [*shapes, {"title": "Engineer", "company_name": ["Acme"]}],
                "summary": shapes,
                "financials": {"title": 1, "results": shapes},
            },
        )

    def _huge(self, params: dict[str, str]) -> None:
        filler = [{"title": "x" * 1_000, "link": f"https://www.example.com/{i}"} for i in range(10_000)]
        self._json(200, {**self._head(params, "Success"), "organic_results": filler})

    def _drip(self, params: dict[str, str]) -> None:
        body = json.dumps(self._answer(params)).encode()
        self._start(200, len(body))
        for byte in body:
            self.wfile.write(bytes([byte]))
            if self.server.standin.stopping.wait(0.05):
                break
        self.close_connection = True

    def _redirect(self, params: dict[str, str]) -> None:
        port = self.server.server_address[1]
        self._send(302, b"", extra=(("Location", f"http://127.0.0.2:{port}{self.path}"),))

    def _reset(self, params: dict[str, str]) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _silent(self, params: dict[str, str]) -> None:
        self.server.standin.stopping.wait()
        self.close_connection = True

    def _json(self, status: int, reply: dict[str, Any], extra: tuple[tuple[str, str], ...] = ()) -> None:
        self._send(status, json.dumps(reply).encode(), extra=extra)

    def _send(
        self, status: int, body: bytes, kind: str = "application/json", extra: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self._start(status, len(body), kind, extra)
        self.wfile.write(body)

    def _start(
        self, status: int, length: int, kind: str = "application/json", extra: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(length))
        for name, value in extra:
            self.send_header(name, value)
        self.end_headers()


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each reply")
    parser.add_argument("--invoice", type=Path, help="JSON Lines file, one line per successful search")
    parser.add_argument("--price", type=int, default=PRICE, help="micro-dollars per search")
    parser.add_argument("--charge-repeats", action="store_true", help="charge exact repeats too")
    parser.add_argument("--behaviour", choices=sorted(BEHAVIOURS), default="ok")
    given = parser.parse_args()
    server = SerpApiStandin(
        latency=given.latency,
        invoice=given.invoice,
        price=given.price,
        charge_repeats=given.charge_repeats,
        behaviour=given.behaviour,
        port=given.port,
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with server:
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
