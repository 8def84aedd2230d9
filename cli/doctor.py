"""doctor: is this deployment well, and if not, what is to be done? It looks; it changes and spends nothing."""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import json
import shutil
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.errors import ConfigError, DossierError, UnpricedModel
from agent.scrub import Scrubber, set_up_logging
from agent.services import survey
from agent.settings import Settings, load_settings
from agent.store.ledger import Ledger
from cli.lists import NoIndex
from cli.output import say
from cli.words import micros, plain

DATABASES = ("ledger.db", "runs.db", "documents.db", "checkpoints.db")
TIGHT, FULL = 500_000_000, 50_000_000
"""Bytes of free space under which to worry, and under which to stop."""


@dataclass(frozen=True)
class Check:
    """One thing looked at: well (✓), worth knowing (!), or wrong (✗), with what to do."""

    mark: Literal["✓", "!", "✗"]
    what: str


def doctor() -> int:
    """Look at everything; 1 when anything is wrong."""
    worst = 0
    for check in examine():
        say(f"{check.mark} {check.what}")
        worst = max(worst, check.mark == "✗")
    return int(worst)


def examine() -> Iterator[Check]:
    """Every check in turn."""
    yield from _platform()
    try:
        settings = load_settings()
    except ConfigError as exc:
        yield Check("✗", f"settings: {plain(exc.message)}")
        return
    scrub = Scrubber(settings.secrets())
    set_up_logging("error", scrub)  # what would be a warning elsewhere is a line of ours
    yield from _folder(settings.data_dir)
    sound = True
    for name in DATABASES:
        check = _database(settings.data_dir / name)
        sound = sound and not (name == "ledger.db" and check.mark == "✗")
        yield check
    if sound and (settings.data_dir / "ledger.db").is_file():
        yield _ledger(settings)
    yield _port(settings.host, settings.port)
    yield from _engine(settings, scrub)
    yield from _sources(settings)


def _platform() -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < (3, 11)
    yield Check("✗" if old else "✓", f"python {version}" + (": Dossier needs 3.11 or later" if old else ""))
    with closing(sqlite3.connect(":memory:")) as db:
        lacks = [] if sqlite3.sqlite_version_info >= (3, 38) else ["it must be 3.38 or later (JSON operators)"]
        try:
            db.execute("create virtual table probe using fts5(words)")
        except sqlite3.OperationalError:
            lacks.append("FTS5 is not compiled in")
    advice = f": {'; '.join(lacks)}; use a Python built with a newer SQLite" if lacks else ", FTS5 and JSON compiled in"
    yield Check("✗" if lacks else "✓", f"sqlite {sqlite3.sqlite_version}{advice}")


# --- the data folder -------------------------------------------------------------------------------------------------


def _folder(folder: Path) -> Iterator[Check]:
    shown = plain(str(folder.resolve()))
    if folder.exists() and not folder.is_dir():
        yield Check("✗", f"data folder {shown}: a file is in the way: move it, or set DOSSIER_DATA_DIR")
        return
    place = folder if folder.exists() else next(p for p in folder.resolve().parents if p.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as exc:
        why = (exc.strerror or type(exc).__name__).lower()
        yield Check("✗", f"data folder {shown}: cannot be written ({why}): make it writable, or set DOSSIER_DATA_DIR")
        return
    yield Check(
        "✓", f"data folder {shown}: " + ("writable" if folder.exists() else "not made yet, it is made at first use")
    )
    free = shutil.disk_usage(place).free
    mark: Literal["✓", "!", "✗"] = "✗" if free < FULL else "!" if free < TIGHT else "✓"
    yield Check(
        mark, f"free space {free / 1e9:.1f} GB" + ("" if mark == "✓" else ": make room, runs stop when it is used up")
    )


def _database(path: Path) -> Check:
    """Read-only, so that a look at a damaged file cannot make it worse."""
    if not path.exists():
        return Check("✓", f"{path.name}: not made yet")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=3)) as db:
            found = [str(row[0]) for row in db.execute("pragma quick_check(3)")]
    except sqlite3.Error as exc:
        busy = getattr(exc, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        if busy:
            return Check("!", f"{path.name}: held by another process: try again in a moment")
        return Check(
            "✗", f"{path.name}: cannot be read ({exc}): restore it from a copy, or move it away to start afresh"
        )
    if found != ["ok"]:
        return Check(
            "✗", f"{path.name}: damaged ({plain(found[0])}): restore it from a copy, or move it away to start afresh"
        )
    return Check("✓", f"{path.name}: sound, {path.stat().st_size / 1e6:.1f} MB")


def _ledger(settings: Settings) -> Check:
    try:
        ledger = Ledger(settings.data_dir / "ledger.db", synchronous=settings.synchronous, busy_timeout=3)
        try:
            balances = asyncio.run(ledger.audit())
        finally:
            ledger.close()
    except DossierError as exc:
        return Check("✗", f"ledger: {plain(exc.message)}")
    wrong = [b.budget.id for b in balances if not b.holds]
    if wrong:
        listed = ", ".join(plain(i) for i in wrong[:3])
        return Check(
            "✗", f"ledger: {len(wrong)} of {len(balances)} budgets do not balance ({listed}): restore ledger.db"
        )
    return Check("✓", f"ledger: {len(balances)} budgets, all balance")


# --- the port --------------------------------------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def answers_as_dossier(host: str, port: int) -> bool:
    """Whether a Dossier answers /healthz there."""
    connection = http.client.HTTPConnection(host if host not in ("0.0.0.0", "::") else "127.0.0.1", port, timeout=3)  # noqa: S104
    try:
        connection.request("GET", "/healthz")
        reply = connection.getresponse()
        body = json.loads(reply.read(10_000))
        return reply.status == 200 and isinstance(body, dict) and body.get("status") == "ok" and "sources" in body
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address. Raises ConfigError that says what to do."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise ConfigError(
            f"No address is known for the host {plain(host)!r}: set --host to one of this machine."
        ) from None
    listening = socket.socket(family, kind, proto)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as exc:
        listening.close()
        by = "a Dossier that is running already" if answers_as_dossier(host, port) else (exc.strerror or "").lower()
        raise ConfigError(
            f"Cannot serve on {host}:{port} ({by}): stop what is there, or choose another --port."
        ) from None
    return listening


def _port(host: str, port: int) -> Check:
    open_to_all = "" if is_loopback(host) else "; reachable from other machines, and there is no authentication yet"
    try:
        bind(host, port).close()
    except ConfigError as exc:
        if answers_as_dossier(host, port):
            return Check("✓", f"port {host}:{port}: a Dossier answers there already{open_to_all}")
        return Check("✗", f"port {host}:{port}: {plain(exc.message)} (DOSSIER_PORT)")
    return Check("!" if open_to_all else "✓", f"port {host}:{port}: free{open_to_all}")


# --- the engine and the sources --------------------------------------------------------------------------------------


def _engine(settings: Settings, scrub: Scrubber) -> Iterable[Check]:
    if not settings.wants_model:
        why = "as DOSSIER_ENGINE says" if settings.engine == "extractive" else "no key or address of a chat model"
        yield Check("✓", f"engine: extractive, {why}; OPENAI_API_KEY or OPENAI_BASE_URL give it a chat model")
        return
    from agent.models.prices import price_of

    try:
        price = price_of(settings)
        cost = (
            "free" if price.free else f"${price.input}/${price.output} per million tokens in/out, from {price.source}"
        )
        yield Check("✓", f"engine: {plain(settings.model)}, {cost}")
    except UnpricedModel as exc:
        yield Check("✗", f"engine: {plain(exc.message)}")
    if settings.openai_api_key is None and settings.openai_base_url is None:
        yield Check("✗", "model server: no key: set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own")
        return
    yield _model_server(settings, scrub)


def _model_server(settings: Settings, scrub: Scrubber) -> Check:
    """Ask the configured server for its list of models, which costs nothing; the key goes there and nowhere else."""
    import httpx

    base = (settings.openai_base_url or "https://api.openai.com/v1").rstrip("/")
    shown = plain(scrub(base))
    key = settings.openai_api_key
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key is not None else {}
    try:
        status = httpx.get(f"{base}/models", headers=headers, timeout=3.0).status_code
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as exc:
        advice = "start it, or correct OPENAI_BASE_URL" if settings.openai_base_url else "check the network"
        return Check(
            "✗", f"model server {shown}: not reachable ({type(exc).__name__}): {advice}; runs use the extractive engine"
        )
    if status in (401, 403):
        return Check("✗", f"model server {shown}: refuses the key ({status}): check OPENAI_API_KEY")
    if status >= 500:
        return Check(
            "!", f"model server {shown}: answers with {status}: try again later; runs use the extractive engine"
        )
    return Check("✓", f"model server {shown}: reachable")


def _sources(settings: Settings) -> Iterable[Check]:
    try:
        sources, off = survey(settings, NoIndex())
    except ConfigError as exc:
        yield Check("✗", f"sources: {plain(exc.message)}")
        return
    for unknown in sorted(set(settings.sources_off) - set(sources)):
        yield Check("!", f"source {plain(unknown)}: no such source, although DOSSIER_SOURCES_OFF names it")
    for name, source in sources.items():
        if name in off:
            yield Check("!", f"source {name}: off: {plain(off[name])}")
        else:
            yield Check("✓", f"source {name}: on, {micros(source.max_price)} a call")
    if len(off) == len(sources):
        yield Check("✗", "sources: all are off, so nothing can be found: see DOSSIER_SOURCES_OFF")
