"""The real server in a process of its own, started as a user starts it, and a reader of its event streams.

with Server(folder) as server:
    run = server.ask("Research Snowflake as a prospect for us")
    for frame in sse(f"{server.url}{run['events_url']}"):
        ...
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import httpx

from tests.standins.serpapi_server import Seen, SerpApiStandin

ROOT = Path(__file__).parent.parent
POLL = 0.02
"""Seconds between two looks at something that has no signal to wait for."""
PATIENCE = 60.0
"""Nothing that is waited for here takes this long; when it does, the test fails instead of hanging."""
CLIENT = httpx.Client(timeout=PATIENCE)
"""Made once: loading the certificates that a client may need takes longer than a first event."""
_ADDRESS = re.compile(r"^Dossier serves (http://\S+:\d+)", re.MULTILINE)

ONLY = {"DOSSIER_SOURCES_ONLY": "documents,serpapi_search,serpapi_news"}
"""What a process of the tests may ask unless it is told otherwise: nothing that a stand-in does not stand in for."""

Json = dict[str, Any]
T = TypeVar("T")


class NotStarted(Exception):
    """The process ended before it answered; `output` is what it said."""

    def __init__(self, status: int, output: str) -> None:
        super().__init__(f"exit status {status}: {output[-2_000:]}")
        self.status = status
        self.output = output


class Server:
    """One process over one data folder. The environment is clean: no keys and no settings but those given."""

    def __init__(
        self,
        data: Path,
        *,
        env: Mapping[str, str] | None = None,
        args: Sequence[str] = ("-m", "cli", "serve"),
        log: Path | None = None,
        file_limit: int | None = None,
    ) -> None:
        """`args` follow the interpreter; `file_limit` is the largest file the process may write, bytes."""
        self.data = data
        self.log = log or data.parent / f"{data.name}.log"
        self.url = ""
        self._args = [sys.executable, *args]
        self._file_limit = file_limit
        self._env = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(data.parent),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "DOSSIER_DATA_DIR": str(data),
            "DOSSIER_PORT": "0",
            **ONLY,
            **(env or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start, and return once it answers. Raises NotStarted."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        offset = self.log.stat().st_size if self.log.exists() else 0
        limited = ["prlimit", f"--fsize={self._file_limit}"] if self._file_limit is not None else []
        with self.log.open("ab") as out:
            # In a folder of its own, so that nobody's .env is read.
            self.process = subprocess.Popen(
                [*limited, *self._args], env=self._env, cwd=self.log.parent, stdout=out, stderr=out
            )
        try:
            self.url = until(lambda: self._address(offset), f"{self._args} to say where it listens")
            until(self._is_ready, "/readyz")
        except BaseException:
            self.kill()
            raise
        return self

    def _address(self, offset: int) -> str | None:
        assert self.process is not None
        status = self.process.poll()
        said = self.output[offset:] if self.log.exists() else ""
        if status is not None:
            raise NotStarted(status, said)
        found = _ADDRESS.search(said)
        return found[1] if found else None

    def _is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise NotStarted(self.process.returncode, self.output)
        return httpx.get(f"{self.url}/readyz", timeout=PATIENCE).status_code == 200

    @property
    def output(self) -> str:
        """Everything it has said on stdout and stderr, over all its starts."""
        return self.log.read_bytes().decode("utf-8", "replace")

    @property
    def pid(self) -> int:
        """Of the process under way."""
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """SIGKILL, as a crash would have it. Harmless when it is dead already."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE)

    def terminate(self, patience: float = PATIENCE) -> int:
        """SIGTERM; gives the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.kill()

    # --- asking -----------------------------------------------------------------------------------------------------

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET a path."""
        return httpx.get(self.url + path, timeout=PATIENCE, **options)

    def post(self, path: str, body: object = None, **options: Any) -> httpx.Response:
        """POST JSON to a path."""
        given: Json = {} if body is None else {"json": body}
        return httpx.post(self.url + path, timeout=PATIENCE, **given, **options)

    def thread(self, **given: object) -> str:
        """A new thread's id."""
        answer = self.post("/v1/threads", given)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def ask(self, message: str, *, thread: str | None = None, **given: object) -> Json:
        """A new run, just accepted, on a thread of its own unless one is named."""
        answer = self.post(f"/v1/threads/{thread or self.thread()}/runs", {"message": message, **given})
        assert answer.status_code == 202, answer.text
        run: Json = answer.json()
        return run

    def run(self, run_id: str) -> Json:
        """A run as it stands."""
        run: Json = self.get(f"/v1/runs/{run_id}").json()
        return run

    def events(self, run_id: str, *, after: int | None = None) -> list[Frame]:
        """A run's events up to its last one; waits for the end of a run that is under way."""
        return list(sse(f"{self.url}/v1/runs/{run_id}/events", after))

    def finished(self, run_id: str) -> Json:
        """A run once it has ended."""
        self.events(run_id)
        return self.run(run_id)


# --- event streams -----------------------------------------------------------------------------------------------


class Frame(NamedTuple):
    """One server-sent event."""

    id: int
    event: str
    data: Json


def sse(url: str, last_event_id: int | None = None) -> Iterator[Frame]:
    """The events of a run, to the end of the stream."""
    with sse_stream("GET", url, last_event_id=last_event_id) as (_, frames):
        yield from frames


@contextmanager
def sse_stream(
    method: str, url: str, *, last_event_id: int | None = None, body: object = None
) -> Iterator[tuple[httpx.Response, Iterator[Frame]]]:
    """The response and its events as they come; leaving the block closes the connection."""
    headers = {"Accept": "text/event-stream"}
    if last_event_id is not None:
        headers["Last-Event-ID"] = str(last_event_id)
    with CLIENT.stream(method, url, headers=headers, json=body) as response:
        if response.status_code != 200:
            response.read()
            raise AssertionError(f"{response.status_code} {response.text}")
        yield response, parse(response.iter_lines())


def parse(lines: Iterator[str]) -> Iterator[Frame]:
    """Server-sent events out of lines; comments are left out, and a frame that was cut short too."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line and fields:
            yield Frame(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")


def until(look: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
    """Look again and again until there is something to see. For what gives no signal that could be awaited."""
    ends = time.monotonic() + patience
    while time.monotonic() < ends:
        if found := look():
            return found
        time.sleep(POLL)
    raise TimeoutError(f"waited {patience:g} s for {what}")


# --- a source that waits -----------------------------------------------------------------------------------------


class HeldSerpApi(SerpApiStandin):
    """The paid stand-in with a door before its answers, so that a test decides how long a run lasts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._open = threading.Event()
        self._open.set()

    def take(self, seen: Seen) -> str:
        """Notes the request, which tells whoever waits for it, and answers once the door is open."""
        name = super().take(seen)
        if not self._open.wait(PATIENCE):
            raise TimeoutError("nobody opened the door")
        return name

    @contextmanager
    def held(self) -> Iterator[None]:
        """No search is answered in this block."""
        while self.arrived.acquire(blocking=False):
            pass
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def until_asked(self) -> None:
        """Wait until a search has come in."""
        assert self.arrived.acquire(timeout=PATIENCE), "no search came in"

    def env(self, key: str = "planted-key-5d1c") -> dict[str, str]:
        """What a server needs to buy here."""
        return {"SERPAPI_API_KEY": key, "DOSSIER_SERPAPI_BASE_URL": self.base_url, "DOSSIER_SERPAPI_TIMEOUT": "60"}
