"""What each source costs this machine: parsing, memory for an answer of 10 MB, and manners under 200 calls at once.

    python -m tests.bench sources

Everything runs against the source's stand-in. Times and sizes are figures; a broken limit of a host fails the benchmark.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import tempfile
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import tests.standins
from tests.standins import serpapi_server
from tests.standins.http_rig import HttpRig
from tests.standins.registry import Rig
from tests.standins.rig_serpapi import SerpApiRig
from tests.standins.web_server import Asked, Told
from tools.base import Pace, SourceEnv, SourceError
from tools.fetching import Http, _service
from tools.http_source import HttpSource

CALLS, SECONDS, HELD = 200, 3.0, 0.004
"""Calls at once, how long their pace is made to take in all, and how long the stand-in holds each request."""
PARSING = 0.6
"""Seconds for which fetches are counted."""


@dataclass
class Log:
    """What came in at one service."""

    pace: Pace
    at: list[float] = field(default_factory=list)
    inside: int = 0
    most: int = 0


class Gate:
    """Stands before a stand-in's world and writes down who comes when."""

    def __init__(self, world: Callable[[Asked], Told], paces: Mapping[str, Pace], held: float = 0.0) -> None:
        self._world, self._paces, self._held = world, paces, held
        self._lock, self._pause = threading.Lock(), threading.Event()
        self.services: dict[str, Log] = {}
        self.bytes = 0

    def __call__(self, asked: Asked) -> Told:
        name, pace = _service(asked.host, self._paces)
        with self._lock:
            log = self.services.setdefault(name, Log(pace))
            log.at.append(time.monotonic())
            log.inside += 1
            log.most = max(log.most, log.inside)
        try:
            told = self._world(asked)
            self._pause.wait(self._held)
        finally:
            with self._lock:
                log.inside -= 1
        with self._lock:
            self.bytes += len(told.body)
        return told


def found() -> tuple[dict[str, type[Rig]], dict[str, str]]:
    """Rigs that talk HTTP by the names of their sources, and modules that cannot be imported."""
    rigs: dict[str, type[Rig]] = {}
    broken: dict[str, str] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(tests.standins.__path__) if m.name.startswith("rig_")):
        try:
            rigs |= importlib.import_module(f"tests.standins.{module}").RIGS
        except Exception as exc:
            broken[module] = f"{type(exc).__name__}: {exc}"
    return {n: rig for n, rig in rigs.items() if issubclass(rig, HttpRig | SerpApiRig)}, broken


async def parsing(rig: Rig, source: Any) -> str:
    """Documents and megabytes of reply per second, one call after the other."""
    sent = 0
    whole = serpapi_server._Handler._send

    def counted(handler: Any, status: int, body: bytes, *rest: Any, **named: Any) -> None:
        nonlocal sent
        sent += len(body)
        whole(handler, status, body, *rest, **named)

    gate = None
    if isinstance(rig, HttpRig):
        gate = rig.server.world = Gate(rig.server.world, source.paces)
    documents = fetches = 0
    with mock.patch.object(serpapi_server._Handler, "_send", counted):
        began = time.monotonic()
        while time.monotonic() - began < PARSING:
            documents += len((await source.fetch(rig.good)).documents)
            fetches += 1
        took = time.monotonic() - began
    size = gate.bytes if gate is not None else sent
    return f"{fetches / took:7.0f} {documents / took:9.0f} {size / took / 1e6:8.2f}"


async def memory(rig: Rig, source: Any) -> str:
    """The most that one answer of 10 MB keeps in memory at a time."""
    rig.behave("huge")
    tracemalloc.start()
    try:
        await source.fetch(rig.good)
        ended = "read"
    except SourceError as exc:
        ended = exc.kind.value
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        rig.behave("ok")
    return f"{peak / 1e6:7.1f} ({ended})"


async def manners(rig: HttpRig, folder: Path) -> tuple[list[str], list[str]]:
    """A line per service of the source, and the limits that were broken."""
    source, world = rig.source, rig.world
    assert isinstance(source, HttpSource)
    probe = rig.server.world = Gate(world, source.own_paces)
    await source.fetch(rig.good)
    per_call = {name: (len(log.at), log.pace) for name, log in probe.services.items()}
    full = max(max(CALLS * n - pace.burst, 1) / pace.per_second for n, pace in per_call.values())
    scale = SECONDS / full
    mirrors = {"*": rig.server.mirror}
    http = Http(folder, contact=rig.http.contact, mirrors=mirrors, request_timeout=300, pace_scale=scale, sharing=0)
    patient = type("Patient", (type(source),), {"timeout": 600.0})
    gate = rig.server.world = Gate(world, source.own_paces, HELD)
    calls = patient(SourceEnv(values=rig.values, http=http))
    before = time.monotonic()
    results = await asyncio.gather(*(calls.fetch(rig.good) for _ in range(CALLS)), return_exceptions=True)
    await http.aclose()
    failed = Counter(str(r)[:90] for r in results if isinstance(r, BaseException))
    lines, broken = [], [f"{n} of {CALLS} calls failed: {why}" for why, n in failed.items()]
    for name, log in sorted(gate.services.items()):
        allowed = log.pace.per_second / scale
        # The n-th request may come no sooner than its moment, counted from before the first: what is late is never unfair.
        ahead = max(n - log.pace.burst - (at - before) * allowed for n, at in enumerate(sorted(log.at), 1))
        rate = max(len(log.at) - log.pace.burst, 0) / max(max(log.at) - before, 1e-9)
        lines.append(
            f"{name[:30]:30} {len(log.at):6} {log.most:3} / {log.pace.at_once:<3} {rate * scale:8.2f} /"
            f" {log.pace.per_second:<8.4g} {rate / allowed:6.2f}  x{1 / scale:.0f}"
        )
        if log.most > log.pace.at_once:
            broken.append(f"{name}: {log.most} requests under way, {log.pace.at_once} are allowed")
        if ahead > 0.01:
            broken.append(f"{name}: {ahead:.1f} requests more than the pace allows")
    return lines, broken


def main() -> int:
    """Print the tables; 1 when a host's limit was broken or a source could not be measured."""
    return asyncio.run(_main())


async def _main() -> int:
    rigs, unreadable = found()
    wrong = [f"{module} cannot be imported: {why}" for module, why in unreadable.items()]
    paced: dict[str, list[str]] = {}
    print(f"sources: {'':18} {'fetch/s':>7} {'docs/s':>9} {'MB/s':>8}   peak MB for a 10 MB answer")
    for name, rig_type in rigs.items():
        try:
            with tempfile.TemporaryDirectory() as folder:
                async with rig_type.open(Path(folder)) as rig:
                    await rig.source.fetch(rig.good)  # imports and connections are warm after this
                    print(f"sources: {name:18} {await parsing(rig, rig.source)}   {await memory(rig, rig.source)}")
                    if isinstance(rig, HttpRig):
                        paced[name], broken = await manners(rig, Path(folder) / "paced")
                        wrong += [f"{name}: {line}" for line in broken]
        except Exception as exc:
            wrong.append(f"{name} could not be measured: {type(exc).__name__}: {exc}")
    print(
        f"sources: {CALLS} calls at once, paces quickened so that they end in about {SECONDS:.0f} s; rates as unquickened"
    )
    print(
        f"sources: {'':18} {'service':30} {'asked':>6} {'most/at once':9} {'rate':>7} / {'pace':8} {'ratio':>6}  quickened"
    )
    for name, lines in paced.items():
        for line in lines:
            print(f"sources: {name:18} {line}")
    for line in wrong:
        print(f"sources: WRONG {line}")
    print(f"sources: {len(rigs)} measured, {len(wrong)} wrong")
    return 1 if wrong else 0
