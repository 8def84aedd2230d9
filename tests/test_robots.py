"""robots.txt, as RFC 9309 has it, through the door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.standins.web_server import Asked, Told, WebStandin
from tools.base import FailureKind, Pace, SourceError
from tools.fetching import WEBSITE, Door, Http
from tools.web import robots as module
from tools.web.addresses import check_url
from tools.web.robots import KEEP, KEEP_FAILURE, Robots, Rules

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
PACES = {"example.com": Pace(per_second=1e6, burst=1_000, at_once=8)}


class Site:
    """A site whose robots.txt is told, and whose pages are all there."""

    def __init__(self, folder: Path) -> None:
        self.robots: Callable[[Asked], Told] = lambda asked: Told(status=404)
        self.server = WebStandin(lambda a: self.robots(a) if "robots" in a.path else Told(b"a page")).start()
        self.http = Http(
            folder,
            mirrors={"*": self.server.mirror},
            request_timeout=5.0,
            sharing=0.0,
            backoff=0.0,
            pace_scale=0.000_01,
        )
        self.now = 0.0
        self.http.robots = Robots(now=lambda: self.now)
        self.door: Door = self.http.door("test", 20.0, PACES)

    def says(self, text: str | bytes, status: int = 200, **headers: str) -> None:
        body = text.encode() if isinstance(text, str) else text
        self.robots = lambda asked: Told(body, status, headers, "text/plain")

    async def reads(self, path: str = "/page") -> bool:
        """Whether a page may be read; any other failure passes."""
        try:
            await self.door.get(f"https://example.com{path}", robots=True)
        except SourceError as exc:
            if exc.kind is not FailureKind.BLOCKED_BY_ROBOTS:
                raise
            return False
        return True

    @property
    def paths(self) -> list[str]:
        return [a.path for a in self.server.requests]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path)
    yield made
    made.server.stop()
    await made.http.aclose()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
async def test_a_site_without_rules_allows_everything(site: Site, status: int) -> None:
    site.says("User-agent: *\nDisallow: /", status)
    assert await site.reads()


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_site_whose_rules_fail_forbids_everything_for_a_while(site: Site, status: int) -> None:
    site.says("", status)
    assert not await site.reads()
    assert site.paths == ["/robots.txt"]
    site.says("")
    assert not await site.reads()
    site.now += KEEP_FAILURE
    assert await site.reads()


@pytest.mark.parametrize("behaviour", ["reset", "silent"])
async def test_a_site_that_cannot_be_reached_is_not_read(site: Site, behaviour: str) -> None:
    site.http.request_timeout = 0.3
    site.server.answer = lambda asked: None  # type: ignore[method-assign]  # robots.txt is spoilt as well
    site.server.behaviour = behaviour
    with pytest.raises(SourceError) as caught:
        await site.reads()
    assert caught.value.kind in (FailureKind.UNREACHABLE, FailureKind.TIMEOUT)


@pytest.mark.parametrize(("hops", "readable"), [(1, False), (5, False), (6, True)])
async def test_five_redirects_to_the_rules_are_followed_and_more_mean_that_there_are_none(
    site: Site, hops: int, readable: bool
) -> None:
    def robots(asked: Asked) -> Told:
        n = int(asked.params.get("n", 0))
        if n < hops:
            return Told(status=301, headers={"Location": f"https://www{n}.example.com/robots.txt?n={n + 1}"})
        return Told(b"User-agent: *\nDisallow: /page")

    site.robots = robots
    assert await site.reads() is readable


async def test_rules_behind_a_private_address_are_not_fetched(site: Site) -> None:
    site.says("", 302, Location="http://169.254.169.254/robots.txt")
    with pytest.raises(SourceError) as caught:
        await site.reads()
    assert caught.value.kind is FailureKind.REFUSED_ADDRESS


@pytest.mark.parametrize(
    ("rules", "path", "readable"),
    [
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("User-agent: *\nAllow: /a/b\nDisallow: /a/b/c", "/a/b/c", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z", True),
        ("User-agent: *\nDisallow: /s\u00f8k", "/s%C3%B8k", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Dossier\nDisallow: /private", "/a", True),
        ("User-agent: *\nDisallow:\n\nUser-agent: DOSSIER\nDisallow: /", "/a", False),
        ("user-agent: other\nuser-agent: dossier/2.0 # us\nDisallow: /", "/a", False),
        (
            "User-agent: Dossier\nDisallow: /a\nUser-agent: x\nDisallow: /\nUser-agent: Dossier\nDisallow: /b",
            "/b",
            False,
        ),
        ("User-agent: Doss\nDisallow: /", "/a", True),
        ("User-agent: DossierBot\nDisallow: /", "/a", True),
        ("User-agent: x\nUser-agent: y\nDisallow: /", "/a", True),
        ("\ufeffUser-agent: *\r\nDisallow: /", "/a", False),
        ("<html>not found</html>", "/a", True),
        ("Disallow: /", "/a", True),
    ],
)
async def test_the_longest_rule_of_our_own_group_decides(site: Site, rules: str, path: str, readable: bool) -> None:
    site.says(rules)
    assert await site.reads(path) is readable


async def test_rules_are_kept_for_a_day_and_asked_once_for_pages_side_by_side(site: Site) -> None:
    site.says("")
    assert all(await asyncio.gather(*(site.reads(f"/{n}") for n in range(6))))
    site.now += KEEP - 1
    assert await site.reads()
    assert site.paths.count("/robots.txt") == 1
    site.says("User-agent: *\nDisallow: /")
    site.now += 1
    assert not await site.reads()
    assert site.paths.count("/robots.txt") == 2


async def test_as_much_is_read_as_the_rfc_asks_for(site: Site) -> None:
    filler = "#" * 99 + "\n"
    before = filler * ((500 * 1024 - 40) // 100)
    site.says(before + "User-agent: *\nDisallow: /in\n" + filler * 50 + "Disallow: /out\n")
    assert not await site.reads("/in")
    assert await site.reads("/out")


@pytest.mark.timeout(60)
async def test_a_file_that_names_thousands_of_robots_is_read_at_once(site: Site) -> None:
    site.says("".join(f"User-agent: r{n}\n" for n in range(12_000)) + "User-agent: *\n" + "Disallow: /a\n" * 20_000)
    assert not await site.reads("/a")
    assert await site.reads("/b")


def rules_of(text: str) -> Rules:
    return Robots()._read(200, text.encode())


@pytest.mark.parametrize(("delay", "per_second"), [("4", 0.25), ("0.5", 1.0), ("60", 0.1), ("1e-300", 1.0)])
def test_a_crawl_delay_slows_the_pace_and_never_quickens_it(delay: str, per_second: float) -> None:
    pace = rules_of(f"User-agent: *\nCrawl-delay: {delay}").slower(WEBSITE, "Dossier")
    assert pace == Pace(per_second=per_second, burst=1, at_once=1)


@pytest.mark.parametrize("delay", ["0", "-5", "nan", "inf", "soon", ""])
def test_a_crawl_delay_that_is_none_changes_nothing(delay: str) -> None:
    assert rules_of(f"User-agent: *\nCrawl-delay: {delay}").slower(WEBSITE, "Dossier") == WEBSITE


async def test_sites_that_never_answer_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    robots = Robots()

    async def lost(target: object) -> tuple[int, bytes]:
        raise SourceError(FailureKind.UNREACHABLE, "nobody there")

    for n in range(100):
        with pytest.raises(SourceError):
            await robots.rules(check_url(f"https://s{n}.example.com/"), lost)
    assert len(robots._asking) <= 20


def test_sitemaps_are_named() -> None:
    assert rules_of("Sitemap: https://example.com/s.xml\nUser-agent: x\nDisallow: /").sitemaps() == [
        "https://example.com/s.xml"
    ]
