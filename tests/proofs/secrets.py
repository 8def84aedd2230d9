"""Two planted keys, and stand-ins that say them back wherever they can: neither may be found anywhere but where it belongs.

    python -m tests.proofs secrets

Searched: the log at debug level, every event, every HTTP answer, every file of the data folder byte by byte, every cell of
every database in it, and what the stand-ins were sent. As it stands, URL-encoded, in base64 and in hexadecimal.
"""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

from tests.serving import PATIENCE, Server
from tests.standins.openai_server import OpenAIStandin, Reply

ECHOES = ("content", "auth", "error_in_200", "bad_request", "server_error", "html", "cut_short", "redirect", "timeout")
"""The ways in which the search stand-in says the key back."""
COMPANIES = ("Snowflake", "Datadog", "MongoDB", "Cloudflare", "Shopify", "Salesforce", "Adobe", "Okta", "Twilio")


class Key(NamedTuple):
    """A planted secret. `core` survives any encoding that leaves letters and digits alone, and any tokeniser."""

    whole: str
    core: str

    @property
    def forms(self) -> tuple[bytes, ...]:
        """Every spelling that is searched for."""
        plain = {self.core, self.core.upper(), self.whole, quote(self.whole, safe=""), quote_plus(self.whole)}
        coded = {form for text in (self.whole, self.core) for form in in_base64(text.encode())}
        return (*(p.encode() for p in plain), *coded, self.core.encode().hex().encode())


def plant(name: str) -> Key:
    """A new key with signs that URLs must encode."""
    core = secrets.token_hex(16)
    return Key(f"sk-{name}+{core}/=", core)


def in_base64(text: bytes) -> Iterator[bytes]:
    """The part of `text` that is the same whatever stands around it, for each of the three ways it may be aligned."""
    for before in range(3):
        usable = text[(3 - before) % 3 :]
        yield base64.b64encode(usable[: len(usable) // 3 * 3])


class EchoSerpApi:
    """A search server that knows the key of whoever asks, and says it in everything it says."""

    def __init__(self) -> None:
        self.echo = "content"
        self.seen: list[tuple[str, dict[str, str], str]] = []
        """Path and query without the key, headers, and the key."""
        self.said: Counter[str] = Counter()
        self.stopping = threading.Event()
        standin = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

            def do_GET(self) -> None:
                standin.answer(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """As `echo` has it."""
        parts = urlsplit(request.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        key = query.pop("api_key", "")
        self.seen.append((f"{parts.path}?{json.dumps(query)}", dict(request.headers.items()), key))
        self.said[self.echo] += 1
        failed = {"error": f"Invalid API key {key}, as in ?api_key={quote(key, safe='')}&engine=google"}
        match self.echo:
            case "auth":
                self._send(request, 401, failed)
            case "error_in_200":
                self._send(request, 200, failed)
            case "bad_request":
                self._send(request, 400, failed)
            case "server_error":
                self._send(request, 500, failed)
            case "html":
                self._send(request, 200, f"<html><title>{key}</title>{quote(key)}</html>")
            case "cut_short":
                self._send(request, 200, json.dumps({"organic_results": [{"title": key}]})[:-4])
            case "redirect":
                self._send(request, 302, {}, {"Location": f"{self.base_url}/search?api_key={quote(key, safe='')}"})
            case "timeout":
                self.stopping.wait(PATIENCE)
            case _:
                self._send(request, 200, _content(query.get("q", ""), key))

    def _send(
        self, request: BaseHTTPRequestHandler, status: int, body: object, headers: dict[str, str] | None = None
    ) -> None:
        raw = (body if isinstance(body, str) else json.dumps(body)).encode()
        request.send_response(status)
        for name, value in {"Content-Length": str(len(raw)), **(headers or {})}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(raw)


def _content(query: str, key: str) -> dict[str, Any]:
    """A good answer about the company of the query, with the key in each of its texts."""
    company = next((c for c in COMPANIES if c in query), "Acme")
    told = f"{company} had revenue of $120 million in fiscal 2026; its chief executive officer is Ada Park."
    row = {
        "position": 1,
        "title": f"{company} news, account {key}",
        "link": f"https://news.example.com/{company}?api_key={quote(key, safe='')}",
        "source": f"Wire {key}",
        "snippet": f"{told} The key {key} was used for this search of {company}.",
        "date": "Nov 2, 2026",
    }
    return {
        "search_metadata": {"id": key, "status": "Success", "json_endpoint": f"https://serpapi.com/x?api_key={key}"},
        "search_parameters": {"q": query, "api_key": key},
        "organic_results": [row],
        "news_results": [row],
        "knowledge_graph": {"title": company, "type": f"Software company {key}", "description": f"{told} {key}"},
    }


class EchoOpenAI(OpenAIStandin):
    """A model that works its own key into whatever it writes, the arguments of its tool calls too."""

    def _say(self, reply: Reply, body: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
        text, calls = super()._say(reply, body)
        assert self.key is not None
        said = json.dumps(self.key)[1:-1]
        return text.replace('"text": "', f'"text": "{said} '), [
            (name, args.replace('": "', f'": "{said} ')) for name, args in calls
        ]


class Search(NamedTuple):
    """What was found, where, and how many places were looked at."""

    found: list[str]
    places: int
    kinds: Counter[str]


class Seeker:
    """Looks for the keys and keeps count."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self._forms = tuple({form for key in keys for form in key.forms})
        self.kinds: Counter[str] = Counter()
        self.found: list[str] = []

    def look(self, kind: str, where: str, content: bytes | str) -> None:
        """One place."""
        raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        self.kinds[kind] += 1
        if any(form in raw for form in self._forms):
            self.found.append(f"{kind} {where}")

    def folder(self, data: Path) -> None:
        """Every file, and every cell of every database: a value that spans two pages is in no file in one piece."""
        for path in sorted(p for p in data.rglob("*") if p.is_file()):
            self.look("file", path.name, path.read_bytes())
        for path in sorted(data.glob("*.db")):
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
                tables = [r[0] for r in store.execute("select name from sqlite_master where type = 'table'")]
                for table in tables:
                    for row in store.execute(f'select * from "{table}"'):
                        for cell in row:
                            if isinstance(cell, bytes | str):
                                self.look("cell", f"{path.name} {table}", cell)


def search(folder: Path) -> Search:
    """Ask questions while the search stand-in says its key in every way, then while the model refuses; look everywhere."""
    serp, model = plant("serp"), plant("model")
    seeker = Seeker((serp, model))
    with EchoSerpApi() as echo, OpenAIStandin(key=model.whole) as writer:
        server = Server(folder / "data", env=_env(echo, writer, serp, model), log=folder / "log")
        with server:
            for kind, company in zip(ECHOES, COMPANIES, strict=True):
                echo.echo = kind
                _ask(server, seeker, f"Research {company} as a prospect for us")
            for path in ("/v1/sources", "/v1/consumers", "/v1/usage", "/readyz", "/openapi.json", "/docs", "/nothing"):
                answer = server.get(path)
                seeker.look("answer", path, answer.text + str(answer.headers))
            seeker.folder(server.data)  # with its write-ahead logs
            server.terminate()
        echo.echo = "content"
        for refusal in (
            Reply(status=401, error="Incorrect API key provided: {key}."),
            Reply(status=400, error="Bad request with Authorization: Bearer {key}"),
            Reply(status=500, error="Internal error at key {key}"),
            Reply(body=f"{model.whole} is no JSON"),
        ):
            # A process of its own each, because one that has seen the model fail leaves it alone for a while.
            writer.script.extend([refusal] * 12)
            with server:
                _ask(server, seeker, "Research Workday as a prospect for us")
                server.terminate()
            writer.script.clear()
        _look_back(seeker, server, echo, writer)
        _assert_planted(echo, writer, serp, model)
        assert set(ECHOES) <= set(echo.said), f"never asked: {set(ECHOES) - set(echo.said)}"
    return Search(seeker.found, seeker.kinds.total(), seeker.kinds)


def search_of_a_talkative_model(folder: Path) -> Search:
    """The same while the model's server writes its own key into each answer and into the arguments of each tool call."""
    serp, model = plant("serp"), plant("model")
    seeker = Seeker((serp, model))
    with EchoSerpApi() as echo, EchoOpenAI(key=model.whole) as writer:
        server = Server(folder / "data", env=_env(echo, writer, serp, model), log=folder / "log")
        with server:
            _ask(server, seeker, "Research Snowflake as a prospect for us")
            seeker.folder(server.data)
            server.terminate()
        _look_back(seeker, server, echo, writer)
        _assert_planted(echo, writer, serp, model)
    return Search(seeker.found, seeker.kinds.total(), seeker.kinds)


def _env(echo: EchoSerpApi, writer: OpenAIStandin, serp: Key, model: Key) -> dict[str, str]:
    return {
        "SERPAPI_API_KEY": serp.whole,
        "DOSSIER_SERPAPI_BASE_URL": echo.base_url,
        "DOSSIER_SERPAPI_TIMEOUT": "1",
        "OPENAI_API_KEY": model.whole,
        "OPENAI_BASE_URL": writer.base_url,
        "DOSSIER_LOG_LEVEL": "debug",
    }


def _ask(server: Server, seeker: Seeker, question: str) -> None:
    """One question; every answer on the way is looked at."""
    began = server.post("/v1/threads", {"vendor": "Monte Carlo: data observability"})
    thread = began.json()["id"]
    asked = server.post(f"/v1/threads/{thread}/runs", {"message": question, "max_cost": "1.00"})
    run = asked.json()["id"]
    for frame in server.events(run):
        seeker.look("event", f"{frame.event} of {question}", json.dumps(frame.data, ensure_ascii=False))
    ended, whole = server.get(f"/v1/runs/{run}"), server.get(f"/v1/threads/{thread}")
    for answer in (began, asked, ended, whole):
        seeker.look("answer", str(answer.url.path), answer.text + str(answer.headers))
    assert ended.json()["status"] == "success", ended.text


def _look_back(seeker: Seeker, server: Server, echo: EchoSerpApi, writer: OpenAIStandin) -> None:
    """What is left once the server has gone: its files, its log, and what the stand-ins were sent."""
    seeker.folder(server.data)
    seeker.look("log", "stdout and stderr", server.output)
    for asked, headers, _ in echo.seen:
        seeker.look("sent to the search", asked, asked + str(headers))
    for request in writer.requests:
        sent = {name: value for name, value in request.headers.items() if name != "authorization"}
        seeker.look("sent to the model", "", json.dumps(request.body, ensure_ascii=False) + str(sent))


def _assert_planted(echo: EchoSerpApi, writer: OpenAIStandin, serp: Key, model: Key) -> None:
    """Nothing found means something only if the keys were there to be leaked."""
    assert {key for *_, key in echo.seen} == {serp.whole}
    assert {r.headers["authorization"] for r in writer.requests} == {f"Bearer {model.whole}"}


def main() -> int:
    """0 when neither key was found anywhere."""
    finds = 0
    for name, look in (("keys said back", search), ("a model that writes its key", search_of_a_talkative_model)):
        with tempfile.TemporaryDirectory() as folder:
            result = look(Path(folder))
        finds += len(result.found)
        for where, times in Counter(result.found).most_common(12):
            print(f"secrets: FOUND {times} times in {where}")
        kinds = ", ".join(f"{count} {kind}" for kind, count in result.kinds.most_common())
        print(f"secrets: {name}: searched {result.places} places ({kinds}): {len(result.found)} finds")
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main())
