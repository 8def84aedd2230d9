"""The HTTP door: what it dials, sends, reads and repeats."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.standins.fake_network import PUBLIC, Names, Network, Request, reply
from tests.standins.web_server import Asked, Told, WebStandin, told
from tools.base import FailureKind, Pace, SourceError
from tools.fetching import ATTEMPTS, MAX_REDIRECTS, Door, Http

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

FAST = {"example.com": Pace(per_second=1e6, burst=1_000, at_once=8)}
WELL = told({"well": True})


class Bench:
    """A stand-in for the web that can be told what to answer, and doors to it."""

    def __init__(self, folder: Path) -> None:
        self.answers: list[Told] = []
        """Given in turn; the last one for ever."""
        self.folder = folder
        self.server = WebStandin(self._answer).start()
        self.https: list[Http] = []

    def _answer(self, asked: Asked) -> Told:
        return self.answers.pop(0) if len(self.answers) > 1 else (self.answers or [WELL])[0]

    def http(self, **given: Any) -> Http:
        plain: dict[str, Any] = {
            "mirrors": {"*": self.server.mirror},
            "request_timeout": 5.0,
            "backoff": 0.0,
            "sharing": 0.0,
        }
        made = Http(self.folder / "web", **{**plain, **given})
        self.https.append(made)
        return made

    def door(self, *, max_bytes: int = 100_000, timeout: float = 20.0, **given: Any) -> Door:
        return self.http(**given).door("test", timeout, FAST, max_bytes=max_bytes)

    @property
    def asked(self) -> list[Asked]:
        return self.server.requests


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.server.stop()
    for http in made.https:
        await http.aclose()


async def failure(door: Door, url: str = "https://example.com/x", **given: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await door.get(url, **given)
    assert caught.value.__cause__ is None
    assert caught.value.billed == 0
    return caught.value


# --- connections --------------------------------------------------------------------------------------------------------


def over(folder: Path, network: Network, names: Names, **given: Any) -> Door:
    return Http(folder, network=network, resolver=names, backoff=0.0, sharing=0.0, **given).door("test", 20.0, FAST)


async def test_the_address_that_was_checked_is_dialled_and_the_name_stays_in_host_and_sni(tmp_path: Path) -> None:
    network, names = Network(lambda asked: reply()), Names({"example.com": [["8.8.4.4"]]})
    await over(tmp_path, network, names).get("https://example.com./path?q=1")
    (asked,) = network.requests
    assert (asked.dialled, asked.host, asked.sni, asked.path) == (
        "8.8.4.4:443",
        "example.com",
        "example.com",
        "/path?q=1",
    )


async def test_a_connection_looks_its_name_up_once_and_a_later_lie_is_refused(tmp_path: Path) -> None:
    network, names = Network(lambda asked: reply()), Names({"example.com": [[PUBLIC], ["127.0.0.1"]]})
    door = over(tmp_path, network, names)
    await door.get("https://example.com/")
    assert names.asked == ["example.com"]
    assert (await failure(door)).kind is FailureKind.REFUSED_ADDRESS
    assert network.dialled == [(PUBLIC, 443)]


async def test_the_next_address_is_tried_when_one_does_not_answer(tmp_path: Path) -> None:
    network, names = Network(lambda asked: reply()), Names({"example.com": [["2606:4700::1111", PUBLIC]]})
    network.unreachable.add("2606:4700::1111")
    await over(tmp_path, network, names).get("https://example.com/")
    assert network.dialled == [("2606:4700::1111", 443), (PUBLIC, 443)]


async def test_an_internal_host_that_the_operator_allowed_is_asked_at_its_port_only(tmp_path: Path) -> None:
    network, names = Network(lambda asked: reply()), Names({"wiki.internal": [["10.0.0.8"]]})
    door = over(tmp_path, network, names, allowed=["Wiki.internal:8080 ", "[::1]:9000"])
    await door.get("http://wiki.internal:8080/x")
    await door.get("http://[::1]:9000/y")
    assert network.dialled == [("10.0.0.8", 8080), ("::1", 9000)]
    assert (await failure(door, "http://wiki.internal/x")).kind is FailureKind.REFUSED_ADDRESS


@pytest.mark.parametrize(
    ("base", "dialled", "path"),
    [
        ("http://mirror.house/m", "10.0.0.9:80", "/m/a?q=1"),
        ("http://mirror.house/m/{host}/", "10.0.0.9:80", "/m/example.com/a?q=1"),
        ("http://{host}.mirror.house:8081", "10.0.0.9:8081", "/a?q=1"),
    ],
)
async def test_a_mirror_is_asked_in_place_of_a_host(tmp_path: Path, base: str, dialled: str, path: str) -> None:
    inside = [["10.0.0.9"]]
    network = Network(lambda asked: reply())
    names = Names({"mirror.house": inside, "example.com.mirror.house": inside})
    door = over(tmp_path, network, names, mirrors={"example.com": base})
    page = await door.get("https://example.com/a?q=1")
    assert page.url == "https://example.com/a?q=1", "the page's own address, not the mirror's"
    assert [(r.dialled, r.path) for r in network.requests] == [(dialled, path)]
    await door.get("https://example.org/")
    assert network.dialled[-1] == (PUBLIC, 443)


async def test_a_mirrors_connection_is_not_open_to_pages_that_name_its_host(tmp_path: Path) -> None:
    network = Network(lambda asked: reply(b"{}", Connection="keep-alive"))
    names = Names({"mirror.example.net": [["10.0.0.9"]]})
    door = over(tmp_path, network, names, mirrors={"example.com": "http://mirror.example.net/sec"})
    await door.get("https://example.com/a")
    assert (await failure(door, "http://mirror.example.net/admin")).kind is FailureKind.REFUSED_ADDRESS
    assert [r.path for r in network.requests] == ["/sec/a"]


# --- redirects ----------------------------------------------------------------------------------------------------------


def leading(*hops: str) -> Callable[[Request], bytes]:
    """Each request but the last is sent on to the next hop."""
    left = list(hops)
    return lambda asked: reply(status=302, Location=left.pop(0)) if left else reply()


async def test_a_key_is_sent_to_its_own_host_only(tmp_path: Path) -> None:
    network = Network(leading("/moved", "https://example.org/", "http://example.com/", "https://example.com/back"))
    door = over(tmp_path, network, Names())
    await door.get("https://example.com/", headers={"Authorization": "Bearer key"})
    assert [(r.host, r.sni is not None, "authorization" in r.headers) for r in network.requests] == [
        ("example.com", True, True),
        ("example.com", True, True),
        ("example.org", True, False),
        ("example.com", False, False),
        ("example.com", True, True),
    ]


@pytest.mark.parametrize(("hops", "ends"), [(MAX_REDIRECTS, None), (MAX_REDIRECTS + 1, FailureKind.MALFORMED)])
async def test_so_many_redirects_are_followed_and_no_more(tmp_path: Path, hops: int, ends: FailureKind | None) -> None:
    network = Network(leading(*(f"/{n}" for n in range(hops))))
    door = over(tmp_path, network, Names())
    if ends is None:
        assert (await door.get("https://example.com/")).url == f"https://example.com/{hops - 1}"
    else:
        assert (await failure(door)).kind is ends
    assert len(network.requests) == MAX_REDIRECTS + 1


@pytest.mark.parametrize("location", ["http://[", "https://exa mple.com/", "http://a:b/", "https://\xff\xfe/", "//:x/"])
async def test_a_redirect_to_nonsense_is_refused_once(tmp_path: Path, location: str) -> None:
    network = Network(lambda asked: reply(status=301, Location=location))
    assert (await failure(over(tmp_path, network, Names()))).kind is FailureKind.REFUSED_ADDRESS
    assert len(network.requests) == 1


async def test_no_cookie_is_kept(bench: Bench) -> None:
    bench.answers = [Told(b"{}", headers={"Set-Cookie": "who=you; Path=/"})]
    door = bench.door()
    await door.get("https://example.com/")
    await door.get("https://example.com/")
    assert [a.headers.get("cookie") for a in bench.asked] == [None, None]


# --- bodies -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
async def test_a_body_may_be_as_large_as_the_limit_and_not_a_byte_more(bench: Bench, packed: bool) -> None:
    def of(size: int) -> Told:
        body = b"x" * size
        return Told(gzip.compress(body), headers={"Content-Encoding": "gzip"}) if packed else Told(body)

    door = bench.door(max_bytes=70_000)
    bench.answers = [of(70_000)]
    assert len((await door.get("https://example.com/")).body) == 70_000
    bench.answers = [of(70_001)]
    assert (await failure(door)).kind is FailureKind.MALFORMED


@pytest.mark.parametrize("behaviour", ["bomb", "huge"])
async def test_memory_stays_bounded_however_large_the_body_is(bench: Bench, behaviour: str) -> None:
    door = bench.door(max_bytes=1_000_000)
    await door.get("https://example.com/")
    bench.server.behaviour = behaviour
    bench.asked.clear()
    tracemalloc.start()
    try:
        assert (await failure(door)).kind is FailureKind.MALFORMED
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000
    assert len(bench.asked) == 1


async def test_every_member_of_a_packed_body_is_read_and_padding_is_not(bench: Bench) -> None:
    body = gzip.compress(b'{"a":') + gzip.compress(b" 1}") + b"\0" * 100
    bench.answers = [Told(body, headers={"Content-Encoding": "GZIP"})]
    assert await bench.door().get_json("https://example.com/") == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"a long page " * 50)[:-12], b"no gzip at all", gzip.compress(b"a")[:8]],
    ids=["cut off", "no gzip", "cut in the head"],
)
async def test_a_packed_body_that_is_damaged_is_malformed(bench: Bench, body: bytes) -> None:
    bench.answers = [Told(body, headers={"Content-Encoding": "gzip"})]
    assert (await failure(bench.door())).kind is FailureKind.MALFORMED


async def test_a_packing_that_nobody_asked_for_is_malformed(bench: Bench) -> None:
    bench.answers = [Told(b"\x0b\x02\x80{}\x03", headers={"Content-Encoding": "br"})]
    assert (await failure(bench.door())).kind is FailureKind.MALFORMED
    assert bench.asked[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("behaviour", ["drip", "silent"])
async def test_whoever_never_ends_is_given_up_at_the_deadline_and_not_asked_again(bench: Bench, behaviour: str) -> None:
    door = bench.door(request_timeout=0.3)
    bench.answers = [Told(b"x" * 10_000)]
    bench.server.behaviour = behaviour
    assert (await failure(door)).kind is FailureKind.TIMEOUT
    assert len(bench.asked) == 1


# --- what is repeated ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "attempts", "kind"),
    [
        *((s, {}, ATTEMPTS, FailureKind.UNREACHABLE) for s in (500, 502, 503, 504, 520)),
        *((s, {"Retry-After": "60"}, 1, FailureKind.UNREACHABLE) for s in (500, 503)),
        (503, {"Retry-After": "0"}, ATTEMPTS, FailureKind.UNREACHABLE),
        (429, {"Retry-After": "0"}, ATTEMPTS, FailureKind.RATE_LIMITED),
        (429, {"Retry-After": "60"}, 1, FailureKind.RATE_LIMITED),
        (429, {"Retry-After": "²"}, 1, FailureKind.RATE_LIMITED),
        (429, {}, 1, FailureKind.RATE_LIMITED),
        (401, {}, 1, FailureKind.AUTH),
        (402, {}, 1, FailureKind.QUOTA),
        (403, {"Retry-After": "0"}, 1, FailureKind.AUTH),
        (404, {}, 1, FailureKind.NOT_FOUND),
        (410, {}, 1, FailureKind.NOT_FOUND),
        *((s, {}, 1, FailureKind.INVALID_ARGUMENTS) for s in (400, 405, 406, 414, 418, 422, 451)),
    ],
)
async def test_only_what_may_mend_soon_is_asked_again_and_only_so_often(
    bench: Bench, status: int, headers: dict[str, str], attempts: int, kind: FailureKind
) -> None:
    bench.answers = [Told(b"{}", status, headers)]
    assert (await failure(bench.door())).kind is kind
    assert len(bench.asked) == attempts


async def test_a_service_that_comes_back_is_read(bench: Bench) -> None:
    bench.answers = [told({}, 503), told({}, 500), WELL]
    assert await bench.door().get_json("https://example.com/") == {"well": True}


@pytest.mark.parametrize(("behaviour", "attempts"), [("reset", ATTEMPTS), ("cut", ATTEMPTS), ("html", 1), ("bomb", 1)])
async def test_a_broken_connection_is_tried_again_and_a_bad_answer_is_not(
    bench: Bench, behaviour: str, attempts: int
) -> None:
    bench.server.behaviour = behaviour
    with pytest.raises(SourceError):
        await bench.door().get_json("https://example.com/")
    assert len(bench.asked) == attempts


@pytest.mark.parametrize(
    "headers", [{"Content-Encoding": "br"}, {"Content-Encoding": "gzip"}, {"Content-Length": "999"}]
)
async def test_a_refusal_counts_by_its_status_even_when_its_body_cannot_be_read(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    network = Network(lambda asked: f"HTTP/1.1 404 No\r\n{lines}Connection: close\r\n\r\nnonsense".encode())
    assert (await failure(over(tmp_path, network, Names()))).kind is FailureKind.NOT_FOUND
    assert len(network.requests) == 1


async def test_a_service_may_explain_its_own_refusals(bench: Bench) -> None:
    seen: list[object] = []

    def explain(status: int, headers: Any, start: str) -> SourceError | None:
        seen.append((status, headers["x-left"], start))
        return SourceError(FailureKind.RATE_LIMITED, "None left today.", retry_after=3_600)

    bench.answers = [Told(b"none left", 403, {"X-Left": "0"})]
    error = await failure(bench.door(), explain=explain)
    assert (error.kind, error.retry_after) == (FailureKind.RATE_LIMITED, 3_600)
    assert seen == [(403, "0", "none left")]


# --- pages that have not changed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "value", "condition"),
    [("ETag", '"v1"', "if-none-match"), ("Last-Modified", "Mon, 02 Nov 2026 10:00:00 GMT", "if-modified-since")],
)
async def test_a_page_that_has_not_changed_is_not_sent_again(
    bench: Bench, header: str, value: str, condition: str
) -> None:
    door, changed = bench.door(), told({"changed": True})
    bench.answers = [Told(b'{"well": true}', headers={header: value}), Told(b"", 304), changed]
    first, second, third = [await door.get("https://example.com/") for _ in range(3)]
    assert [a.headers.get(condition) for a in bench.asked] == [None, value, value]
    assert second.body == first.body
    assert second.content_type == first.content_type
    assert third.json() == {"changed": True}


async def test_a_validator_that_cannot_be_sent_back_is_not_kept(bench: Bench) -> None:
    bench.answers = [Told(b"{}", headers={"ETag": '"é"'})]
    door = bench.door()
    await door.get("https://example.com/")
    await door.get("https://example.com/")
    assert "if-none-match" not in bench.asked[1].headers


# --- nothing but SourceError -----------------------------------------------------------------------------------------------


async def test_a_contact_of_any_letters_is_named_as_far_as_a_header_can_hold_it(bench: Bench) -> None:
    door = bench.door(contact="Søren (Ops)\r\nX-Evil: 1 <ops@example.com>")
    await door.get("https://example.com/")
    assert bench.asked[0].headers["user-agent"] == "Dossier/0.1 (Sren OpsX-Evil: 1 <ops@example.com>)"
    assert "x-evil" not in bench.asked[0].headers


@pytest.mark.parametrize("key", ["planted-kéy", "planted\r\nX-Evil: 1", "planted\x00"])
async def test_a_key_that_no_header_can_hold_fails_without_being_shown(bench: Bench, key: str) -> None:
    error = await failure(bench.door(), headers={"Authorization": key})
    assert "planted" not in f"{error!r} {error.__context__!r}"
    assert bench.asked == []


@pytest.mark.parametrize(
    "url", ["http://[", "http://a:b/", "nonsense", "http://exa\tmple.com/", "http://" + "a." * 200]
)
async def test_an_address_that_is_none_is_refused_also_with_parameters(bench: Bench, url: str) -> None:
    for params in (None, {"q": "x"}):
        assert (await failure(bench.door(), url, params=params)).kind is FailureKind.REFUSED_ADDRESS


async def test_a_data_folder_that_cannot_be_written_is_our_fault_and_no_traceback(bench: Bench) -> None:
    bench.folder.joinpath("web").write_text("a file where the folder should be")
    assert (await failure(bench.door())).kind is FailureKind.INTERNAL


async def test_messages_are_scrubbed_and_show_no_query(bench: Bench) -> None:
    bench.server.behaviour = "silent"
    door = bench.door(request_timeout=0.2, scrub=lambda text: text.replace("planted", "[secret]"))
    error = await failure(door, "https://example.com/planted", params={"key": "hidden"})
    assert "planted" not in error.message
    assert "hidden" not in error.message
