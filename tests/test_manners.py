"""Paces over processes, and breakers."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standins.web_server import Asked, Told, WebStandin
from tools.base import FailureKind, Pace, SourceError
from tools.fetching import Http
from tools.web import manners as module
from tools.web.manners import LONGEST_PUSH, Breaker, TooLong, Turnstile

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


class Now:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


# --- pace -------------------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(
    rate=st.sampled_from([0.5, 1.0, 4.0, 10.0]),
    burst=st.integers(1, 5),
    gaps=st.lists(st.floats(0, 3), min_size=2, max_size=25),
)
def test_no_window_holds_more_than_the_pace_allows(
    tmp_path_factory: pytest.TempPathFactory, rate: float, burst: int, gaps: list[float]
) -> None:
    now, folder = Now(), tmp_path_factory.mktemp("paces")
    several = [Turnstile("x", Pace(per_second=rate, burst=burst), folder, now=now) for _ in range(3)]
    through = []
    for n, gap in enumerate(gaps):
        now.at += gap
        through.append(now.at + several[n % 3]._book(10_000))
    assert through == sorted(through)
    for n in range(len(through)):
        for later in range(n, len(through)):
            assert later - n + 1 <= burst + (through[later] - through[n]) * rate + 1e-3


async def test_a_turn_that_would_come_too_late_is_refused_at_once_and_not_used_up(tmp_path: Path) -> None:
    now = Now()
    turnstile = Turnstile("x", Pace(per_second=0.1), tmp_path, now=now)
    async with turnstile.turn(1.0):
        pass
    for _ in range(3):
        with pytest.raises(TooLong) as caught:
            async with turnstile.turn(1.0):
                pass
        assert caught.value.retry_after == pytest.approx(10.0)
        assert caught.value.kind is FailureKind.RATE_LIMITED
    now.at += 10.0
    async with turnstile.turn(1.0):
        pass


@pytest.mark.parametrize("said", ["seconds", "date"])
async def test_retry_after_pushes_every_process_back(tmp_path: Path, said: str) -> None:
    header = "120" if said == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True)
    paces = {"example.com": Pace(per_second=1e6, burst=50)}
    with WebStandin(lambda asked: Told(status=429, headers={"Retry-After": header})) as server:
        one, other = [Http(tmp_path, mirrors={"*": server.mirror}, backoff=0.0) for _ in range(2)]
        for http in (one, other, one):
            with pytest.raises(SourceError) as caught:
                await http.door("test", 20.0, paces).get("https://api.example.com/")
            assert caught.value.kind is FailureKind.RATE_LIMITED
            assert caught.value.retry_after is not None
            assert 60 < caught.value.retry_after <= 121
            await http.aclose()
        assert len(server.requests) == 1


async def test_nobody_is_pushed_back_for_longer_than_an_hour_even_by_a_clock_that_was_set_back(tmp_path: Path) -> None:
    now = Now()
    turnstile = Turnstile("x", Pace(per_second=1.0), tmp_path, now=now)
    await turnstile.push_back(1e12)
    now.at -= 500.0
    assert turnstile._book(1e9) <= LONGEST_PUSH + 1.0


@pytest.mark.parametrize("damage", ["", "nan", "inf", "-inf", "what", "1" * 400])
async def test_a_damaged_state_is_a_fresh_one(tmp_path: Path, damage: str) -> None:
    turnstile = Turnstile("x", Pace(per_second=1.0), tmp_path)
    turnstile._state.write_text(damage)
    async with turnstile.turn(5.0):
        assert turnstile._read() > time.time() - 60


def test_two_services_never_share_a_file(tmp_path: Path) -> None:
    names = ["a.com", "a_com", "A.com", "a/com", "../a.com", "x" * 200, "x" * 201]
    files = {Turnstile(name, Pace(per_second=1.0), tmp_path)._state for name in names}
    assert len(files) == len(names)
    assert {f.parent for f in files} == {tmp_path}


async def test_a_cancelled_turn_frees_its_place(tmp_path: Path) -> None:
    turnstile = Turnstile("x", Pace(per_second=1e6, burst=100, at_once=1), tmp_path)
    inside = asyncio.Event()

    async def hold() -> None:
        async with turnstile.turn(5.0):
            inside.set()
            await asyncio.Event().wait()

    holder = asyncio.create_task(hold())
    await inside.wait()
    waiter = asyncio.create_task(hold())
    await asyncio.sleep(0)
    for task in (waiter, holder):
        task.cancel()
    await asyncio.gather(waiter, holder, return_exceptions=True)
    entered = False
    async with turnstile.turn(5.0):  # raises TooLong while anybody still holds the only place
        entered = True
    assert entered


async def test_a_process_that_was_stopped_while_it_booked_does_not_stop_the_others_for_good(tmp_path: Path) -> None:
    turnstile = Turnstile("x", Pace(per_second=1.0), tmp_path)
    with turnstile._locked(1.0), pytest.raises(TooLong):
        await asyncio.to_thread(turnstile._book, 0.0)
    assert turnstile._book(0.0) == 0.0


# --- over processes ----------------------------------------------------------------------------------------------------

CHILD = """
import asyncio, sys
from pathlib import Path
from tools.base import Pace
from tools.fetching import Http

async def main(folder, mirror, rate, burst, at_once, count):
    pace = Pace(per_second=float(rate), burst=int(burst), at_once=int(at_once))
    http = Http(Path(folder), mirrors={"*": mirror}, request_timeout=60)
    door = http.door("test", 60, {"example.com": pace})
    print("ready", flush=True)
    sys.stdin.readline()
    await asyncio.gather(*(door.get(f"https://example.com/{n}") for n in range(int(count))))

asyncio.run(main(*sys.argv[1:]))
"""


def child(folder: Path, server: WebStandin, pace: Pace, count: int) -> subprocess.Popen[str]:
    """A process that asks so often, as soon as it is told to."""
    plain = [str(folder), server.mirror, *map(str, (pace.per_second, pace.burst, pace.at_once, count))]
    command = [sys.executable, "-c", CHILD, *plain]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def test_three_processes_together_keep_the_pace_and_the_places_of_one(tmp_path: Path) -> None:
    pace = Pace(per_second=16.0, burst=2, at_once=2)
    count, lock, pause = 8, threading.Lock(), threading.Event()
    arrived: list[float] = []
    inside, most = 0, 0

    def world(asked: Asked) -> Told:
        nonlocal inside, most
        with lock:
            arrived.append(time.monotonic())
            inside += 1
            most = max(most, inside)
        pause.wait(0.02)  # so that requests can meet; what is asserted does not depend on it
        with lock:
            inside -= 1
        return Told(b"{}")

    with WebStandin(world) as server:
        children = [child(tmp_path, server, pace, count) for _ in range(3)]
        began = time.monotonic()
        for process in children:
            go(process)
        for process in children:
            process.communicate(timeout=60)
            assert process.returncode == 0
    assert len(arrived) == 3 * count
    # However late a request comes in: none comes before its moment, so none of these counts can be exceeded by chance.
    for n, at in enumerate(sorted(arrived), 1):
        assert n <= pace.burst + (at - began) * pace.per_second + 1e-3
    assert most <= pace.at_once


async def test_a_killed_process_leaves_its_place_free(tmp_path: Path) -> None:
    pace = Pace(per_second=1e6, burst=100, at_once=1)
    with WebStandin(lambda asked: Told(b"{}")) as server:
        server.behaviour = "silent"
        process = child(tmp_path, server, pace, 1)
        go(process)
        assert await asyncio.to_thread(server.arrived.acquire, timeout=30)
        http = Http(tmp_path, mirrors={"*": server.mirror})
        with pytest.raises(TooLong):
            async with http.turnstile("example.com", pace).turn(0.05):
                pass
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        server.behaviour = "ok"
        assert (await http.door("test", 20.0, {"example.com": pace}).get("https://example.com/")).body == b"{}"
        await http.aclose()


# --- breakers -----------------------------------------------------------------------------------------------------------


async def fail(breaker: Breaker, kind: FailureKind = FailureKind.UNREACHABLE) -> None:
    with pytest.raises(SourceError) as caught:
        async with breaker.guard():
            raise SourceError(kind, "said by the body")
    assert caught.value.message == "said by the body"


async def refused(breaker: Breaker) -> bool:
    """Whether the breaker lets nobody through."""
    ran = False
    try:
        async with breaker.guard():
            ran = True
            raise asyncio.CancelledError
    except SourceError:
        return True
    except asyncio.CancelledError:
        pass
    return not ran


async def opened() -> tuple[Breaker, Now]:
    now = Now()
    breaker = Breaker("x", now=now)
    for _ in range(5):
        await fail(breaker)
    return breaker, now


@pytest.mark.parametrize("kind", [FailureKind.UNREACHABLE, FailureKind.TIMEOUT])
async def test_a_service_is_left_alone_after_five_failures_in_a_row(kind: FailureKind) -> None:
    breaker = Breaker("x", now=Now())
    for _ in range(4):
        await fail(breaker, kind)
    async with breaker.guard():
        pass
    for _ in range(5):
        assert breaker.state == "closed"
        await fail(breaker, kind)
    assert breaker.state == "open"
    assert await refused(breaker)


async def test_exactly_one_caller_tries_after_the_rest_and_its_success_counts_for_all() -> None:
    breaker, now = await opened()
    now.at += 29.9
    assert await refused(breaker)
    now.at += 0.1
    assert breaker.state == "half-open"
    async with breaker.guard():
        assert await refused(breaker)
        assert await refused(breaker)
    assert breaker.state == "closed"
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(breaker.guard())


async def test_a_failed_try_opens_it_again_for_another_rest() -> None:
    breaker, now = await opened()
    now.at += 30.0
    await fail(breaker)
    assert await refused(breaker)
    now.at += 30.0
    assert breaker.state == "half-open"


async def test_a_try_that_is_cancelled_lets_the_next_one_try() -> None:
    breaker, now = await opened()
    now.at += 30.0
    with pytest.raises(asyncio.CancelledError):
        async with breaker.guard():
            raise asyncio.CancelledError
    assert breaker.state == "half-open"
    async with breaker.guard():
        pass
    assert breaker.state == "closed"


@pytest.mark.parametrize("kind", [FailureKind.REFUSED_ADDRESS, FailureKind.BLOCKED_BY_ROBOTS, None])
async def test_what_is_our_own_refusal_neither_opens_nor_closes_it(kind: FailureKind | None) -> None:
    async def ours() -> None:
        with pytest.raises(SourceError):
            async with breaker.guard():
                raise SourceError(kind, "ours") if kind else TooLong(FailureKind.RATE_LIMITED, "our own pace")

    breaker, now = await opened()
    now.at += 30.0
    await ours()
    assert breaker.state == "half-open"
    breaker = Breaker("x", now=now)
    for _ in range(4):
        await fail(breaker)
    await ours()
    assert breaker.state == "closed"
    await fail(breaker)
    assert breaker.state == "open"


@pytest.mark.parametrize(
    "kind", [FailureKind.NOT_FOUND, FailureKind.AUTH, FailureKind.RATE_LIMITED, FailureKind.MALFORMED]
)
async def test_an_answer_of_any_kind_shows_that_the_service_is_there(kind: FailureKind) -> None:
    breaker, now = await opened()
    now.at += 30.0
    await fail(breaker, kind)
    assert breaker.state == "closed"


async def test_a_call_from_before_cannot_close_what_opened_meanwhile() -> None:
    breaker = Breaker("x", now=Now())
    async with breaker.guard():
        for _ in range(5):
            await fail(breaker)
    assert breaker.state == "open"


async def test_the_door_asks_a_dead_service_no_more_and_another_one_as_before(tmp_path: Path) -> None:
    def world(asked: Asked) -> Told:
        return Told(status=500 if asked.host == "dead.example.com" else 200)

    with WebStandin(world) as server:
        http = Http(tmp_path, mirrors={"*": server.mirror}, backoff=0.0, pace_scale=0.0)
        door = http.door("test", 20.0, {})
        for _ in range(4):
            with pytest.raises(SourceError) as caught:
                await door.get("https://dead.example.com/")
            assert caught.value.kind is FailureKind.UNREACHABLE
        assert len(server.requests) == 5
        assert (await door.get("https://live.example.com/")).body == b""
        await http.aclose()


def test_the_longest_push_is_an_hour() -> None:
    assert module.LONGEST_PUSH == 3_600.0
