"""A company's own site: which pages are found, what of them is believed, and what is left alone."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.standins.rig_website import ABOUT, HOME, LEADERSHIP, PAGES, SITEMAP, WebsiteRig, html, plain
from tests.standins.web_server import NOT_FOUND, Asked, Told, page, told
from tools.base import FailureKind, SourceDocument, SourceEnv, SourceError, SourceReply, SubjectHint
from tools.reading.website_pages import Kind, best_sitemap
from tools.website import MOST_REQUESTS, Website, WebsiteArgs

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1"])
WORDS = "<p>Acme builds and rents industrial anvils to film studios and railways in forty countries of the world.</p>"


def site(pages: Mapping[str, str | Told], host: str = "acme.example") -> Callable[[Asked], Told]:
    """A world of one host."""

    def world(asked: Asked) -> Told:
        found = pages.get(asked.path) if asked.host == host else None
        return NOT_FOUND if found is None else found if isinstance(found, Told) else page(found)

    return world


async def visit(
    folder: Path,
    pages: tuple[Kind, ...],
    world: Callable[[Asked], Told] = WebsiteRig.world,
    *,
    domain: str = "acme.example",
    about: str = "Acme",
) -> tuple[SourceReply, list[Asked]]:
    """A fetch, and what was asked for it."""
    async with WebsiteRig.open(folder) as rig:
        assert isinstance(rig, WebsiteRig)
        rig.server.world = world
        reply = await rig.source.fetch(WebsiteArgs(domain=domain, pages=pages, about=about))
        return reply, list(rig.server.requests)


def said(reply: SourceReply, dataset: str, field: str) -> list[str]:
    """The quotes for a field."""
    return [f.quote for d in reply.documents for f in d.fields if (f.dataset, f.field) == (dataset, field)]


def everything(documents: tuple[SourceDocument, ...]) -> str:
    return "\n".join(d.text for d in documents)


# --- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["Acme.example", "https://acme.example/x?y=1", " http://user@acme.example:8080/#a "])
def test_any_address_on_the_site_is_taken_as_its_host(given: str) -> None:
    assert WebsiteArgs(domain=given).domain == "acme.example"


@pytest.mark.parametrize("given", ["acme", "...", "ftp://acme.example", "http://"])
def test_what_is_no_host_is_refused_as_an_argument(given: str) -> None:
    with pytest.raises(ValidationError):
        WebsiteArgs(domain=given)


def test_nothing_is_suggested_without_a_domain_and_one_call_with_it() -> None:
    source = Website(SourceEnv())
    assert source.suggest(SubjectHint(name="Acme"), "profile", "?") == ()
    assert source.suggest(SubjectHint(name="Acme", domain="none"), "profile", "?") == ()
    (args,) = source.suggest(SubjectHint(name="Acme", domain="https://www.acme.example/"), "profile", "?")
    assert (args.domain, args.pages, args.about) == ("www.acme.example", ("home", "about"), "Acme")


# --- finding pages ----------------------------------------------------------------------------------------------------


async def test_pages_are_found_by_links_and_never_asked_for_off_the_site(tmp_path: Path) -> None:
    _, asked = await visit(tmp_path, ("about", "products", "pricing", "newsroom"))
    paths = [a.path for a in asked]
    assert paths[:2] == ["/robots.txt", "/"]
    assert set(paths[2:]) == {"/company/about", "/products/", "/pricing", "/company/newsroom"}
    assert {a.host for a in asked} == {"acme.example"}
    assert all(not a.params for a in asked)


async def test_a_page_that_nothing_links_to_is_found_in_the_sitemap_that_robots_txt_names(tmp_path: Path) -> None:
    reply, asked = await visit(tmp_path, ("leadership",))
    assert [a.path for a in asked][2:] == ["/sitemap_index.xml", "/page-sitemap.xml", "/company/leadership"]
    assert said(reply, "leadership", "people")


@pytest.mark.parametrize("packed", [False, True])
async def test_a_sitemap_is_read_without_its_entities_also_when_packed(tmp_path: Path, packed: bool) -> None:
    hostile = SITEMAP.replace(
        "?>", '?><!DOCTYPE u [<!ENTITY x SYSTEM "file:///etc/hostname"><!ENTITY y "/company/none">]>', 1
    )
    body = hostile.replace("</urlset>", "<url><loc>https://acme.example/&x;leadership</loc></url></urlset>").encode()
    world = site(
        {
            "/": html("Acme", WORDS),
            "/sitemap.xml": Told(gzip.compress(body) if packed else body, kind="application/xml"),
            "/company/leadership": LEADERSHIP,
        }
    )
    reply, asked = await visit(tmp_path, ("leadership",), world)
    assert said(reply, "leadership", "people")
    assert asked[-1].path == "/company/leadership"


def test_of_an_index_the_sitemap_of_standing_pages_is_taken() -> None:
    names = ["post-sitemap.xml", "sitemap-de.xml", "page-sitemap.xml", "product-sitemap.xml"]
    assert best_sitemap(f"https://acme.example/{n}" for n in names).endswith("/page-sitemap.xml")
    assert best_sitemap([]) == ""


async def test_one_call_makes_few_requests_however_much_there_is_to_follow(tmp_path: Path) -> None:
    index = "".join(f"<sitemap><loc>https://acme.example/s{i}.xml</loc></sitemap>" for i in range(50))
    world = site(
        {
            "/": html("Acme", WORDS).replace("/company/about", "/nothing"),
            **{f"/s{i}.xml": plain(f"<sitemapindex>{index}</sitemapindex>", "text/xml") for i in range(50)},
            "/sitemap.xml": plain(f"<sitemapindex>{index}</sitemapindex>", "text/xml"),
        }
    )
    _, asked = await visit(tmp_path, ("home", "about", "leadership", "careers"), world)
    assert len([a for a in asked if a.path != "/robots.txt"]) <= MOST_REQUESTS


async def test_the_english_edition_of_a_home_page_is_taken(tmp_path: Path) -> None:
    german = '<html lang="de"><head><title>Acme</title><link rel="alternate" hreflang="en" href="/en/"></head></html>'
    reply, _ = await visit(tmp_path, ("home",), site({"/": german, "/en/": HOME.replace("?utm_source=self", "en/")}))
    assert {d.url for d in reply.documents} == {"https://acme.example/en/"}


async def test_www_is_tried_once_where_the_bare_domain_cannot_be_reached(tmp_path: Path) -> None:
    def world(asked: Asked) -> Told:
        return site({"/": HOME}, "www.acme.example")(asked) if asked.host.startswith("www.") else Told(status=503)

    reply, asked = await visit(tmp_path, ("home",), lambda a: NOT_FOUND if a.path == "/robots.txt" else world(a))
    assert reply.documents
    assert reply.documents[0].origin == "acme.example"
    assert [a.path for a in asked if a.host == "www.acme.example"] == ["/robots.txt", "/"]


# --- what is believed -------------------------------------------------------------------------------------------------


async def test_what_a_visitor_cannot_see_is_not_read(tmp_path: Path) -> None:
    reply, _ = await visit(tmp_path, ("home",))
    text = everything(reply.documents)
    assert "rents industrial anvils" in text
    for unseen in ("Globex", "ten thousand", "bankrupt", "cookies", "enable scripts", "jane@", "555-0134"):
        assert unseen not in text


async def test_structured_data_speaks_for_the_sites_own_company_only(tmp_path: Path) -> None:
    reply, _ = await visit(tmp_path, ("home",))
    assert said(reply, "profile", "legal_name") == ["Acme's legal name is Acme Corporation, according to its website."]
    assert said(reply, "profile", "founded") == ["Acme was founded in 1999, according to its website."]
    assert said(reply, "profile", "employees") == ["Acme has 1,250 employees, according to its website."]
    assert said(reply, "leadership", "people") == ["Wile Coyote is Founder of Acme, according to its website."]
    assert "Initech" not in everything(reply.documents)


async def test_leaders_are_read_off_cards_and_the_uncertain_ones_are_dropped(tmp_path: Path) -> None:
    reply, _ = await visit(tmp_path, ("leadership", "about"))
    assert said(reply, "leadership", "people") == [
        "Jane Doe is Chief Financial Officer of Acme, according to its leadership page.",
        "José García-Márquez is Vice President, Product & Engineering, at Acme, according to its leadership page.",
        "Ludwig van der Berg is General Counsel of Acme, according to its leadership page.",
        "Ann Lee is Chair of the Board of Acme, according to its leadership page.",
    ]
    assert "Ralph Wolf" not in everything(reply.documents)
    assert "linkedin" not in str(reply.model_dump()).casefold()


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<h3>Jane Doe</h3><p>CEO</p><h3>Bo Chen</h3><p>CFO</p>", {"Jane Doe": "CEO", "Bo Chen": "CFO"}),
        # Roles first and no cards: each role could belong to the name before it.
        ("<p>CEO</p><h3>Jane Doe</h3><p>CFO</p><h3>Bo Chen</h3>", {}),
        (
            "<div><p>CEO</p><h3>Jane Doe</h3></div><div><p>CFO</p><h3>Bo Chen</h3></div>",
            {"Jane Doe": "CEO", "Bo Chen": "CFO"},
        ),
        ("<p>Jane Doe, Co-Founder &amp; CEO</p>", {"Jane Doe": "Co-Founder & CEO"}),
        ("<div><b>Jane Doe</b><i>CTO at Globex</i></div><div><b>Bo Chen</b><i>CEO of Initech</i></div>", {}),
        ("<h3>Our Leadership</h3><p>Chief Executive Officer</p>", {}),
    ],
)
async def test_a_layout_gives_the_pairs_it_certainly_means(
    tmp_path: Path, markup: str, expected: dict[str, str]
) -> None:
    world = site({"/": HOME, "/company/about": html("About", f"{WORDS}<section>{markup}</section>")})
    reply, _ = await visit(tmp_path, ("about",), world)
    found = {
        f.value[0]["name"]: f.value[0]["role"]  # type: ignore[index,call-overload]
        for d in reply.documents
        for f in d.fields
        if f.field == "people"
    }
    assert found == expected


async def test_a_headline_needs_one_certain_date_of_its_own(tmp_path: Path) -> None:
    reply, _ = await visit(tmp_path, ("newsroom",))
    dated = {(d.title, d.published_at.date().isoformat()) for d in reply.documents if d.published_at is not None}
    assert dated == {
        ("Acme launches the third generation of its anvil", "2026-11-03"),
        ("A second foundry opens in Ohio", "2026-10-12"),
    }
    assert len(reply.documents) == 2
    assert said(reply, "news", "events")[1] == 'Acme published on 2026-10-12: "A second foundry opens in Ohio"'


async def test_customers_products_prices_and_openings_are_named_only_where_the_page_is_plain(tmp_path: Path) -> None:
    reply, _ = await visit(tmp_path, ("customers", "products", "pricing", "careers"))
    assert [q.split(" page ")[1] for q in said(reply, "customers", "items")] == [
        "names Globex Corp as a case study.",
        "names Hooli as a case study.",
        "shows the logo of Initech among its customers.",
    ]
    assert [q.split(" lists ")[1].split(" among")[0] for q in said(reply, "products", "items")] == [
        "Anvil Cloud",
        "Forge Studio",
    ]
    assert 'Acme\'s pricing page says, under "Team": "$49 per anvil / month"' in said(
        reply, "products", "pricing_model"
    )
    assert said(reply, "hiring", "total") == ["Acme's careers page states 42 open positions."]
    assert said(reply, "hiring", "key_titles") == ["Acme's careers page lists an opening: Senior Forger."]


async def test_a_date_is_taken_as_stated_and_not_where_the_page_was_rewritten_since(tmp_path: Path) -> None:
    reply, _ = await visit(tmp_path / "a", ("about",))
    assert {d.published_at.isoformat() for d in reply.documents if d.published_at} == {"2026-06-01T08:00:00+00:00"}
    changed = ABOUT.replace("<head>", '<head><meta property="article:modified_time" content="2026-10-01">')
    last = page(changed, Last_Modified="Sun, 01 Nov 2026 10:00:00 GMT")
    reply, _ = await visit(tmp_path / "b", ("about",), site({"/": HOME, "/company/about": last}))
    assert [d.published_at for d in reply.documents] == [None]


async def test_two_numbers_of_openings_are_none(tmp_path: Path) -> None:
    careers = html("Careers", "<p>We have 42 open positions.</p><p>Sales has 7 open roles.</p>")
    reply, _ = await visit(tmp_path, ("careers",), site({"/": HOME, "/careers": careers}))
    assert reply.documents == ()
    assert "nothing that is certain" in reply.note


# --- whose site it is -------------------------------------------------------------------------------------------------


async def test_a_domain_that_leads_to_another_company_is_about_that_company(tmp_path: Path) -> None:
    def world(asked: Asked) -> Told:
        if asked.host == "globex.example":
            return NOT_FOUND if asked.path == "/robots.txt" else Told(b"", 301, {"Location": "https://acme.example/"})
        return WebsiteRig.world(asked)

    reply, _ = await visit(tmp_path, ("home",), world, domain="globex.example", about="Globex")
    assert {(d.about, d.origin) for d in reply.documents} == {("Acme", "acme.example")}
    assert "globex.example leads to acme.example." in reply.note


async def test_the_name_is_the_one_that_the_site_states_where_none_is_given(tmp_path: Path) -> None:
    reply, _ = await visit(tmp_path, ("home",), about="")
    assert {d.about for d in reply.documents} == {"Acme"}


# --- failures ---------------------------------------------------------------------------------------------------------


async def test_a_page_that_fails_is_noted_and_the_others_are_kept(tmp_path: Path) -> None:
    world = site({"/": HOME, "/company/about": ABOUT, "/products/": told({}, 403)})
    reply, _ = await visit(tmp_path, ("about", "products"), world)
    assert [d.url for d in reply.documents] == ["https://acme.example/company/about"]
    assert "The products page could not be read: acme.example answered 403." in reply.note


async def test_a_failure_of_all_that_was_wanted_is_never_an_empty_answer(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        await visit(tmp_path, ("newsroom",), site({"/": HOME, "/company/newsroom": told({}, 403)}))
    assert caught.value.kind is FailureKind.AUTH


async def test_a_page_that_robots_txt_closes_is_left_alone(tmp_path: Path) -> None:
    closed = plain("User-agent: *\nDisallow: /company/\n")
    with pytest.raises(SourceError) as caught:
        await visit(tmp_path, ("about",), site({"/robots.txt": closed, "/": HOME, "/company/about": ABOUT}))
    assert caught.value.kind is FailureKind.BLOCKED_BY_ROBOTS


async def test_a_site_that_only_scripts_can_fill_says_so(tmp_path: Path) -> None:
    reply, _ = await visit(tmp_path, ("home",), WebsiteRig.empty)
    assert reply.documents == ()
    assert "no text without its scripts" in reply.note


@pytest.mark.parametrize("kind", ["application/json", "application/pdf", "image/png"])
async def test_a_home_page_that_is_no_page_is_malformed(tmp_path: Path, kind: str) -> None:
    with pytest.raises(SourceError) as caught:
        await visit(tmp_path, ("home",), site({"/": Told(b"{}", kind=kind)}))
    assert caught.value.kind is FailureKind.MALFORMED


async def test_a_page_that_redirects_off_the_site_is_not_used(tmp_path: Path) -> None:
    def world(asked: Asked) -> Told:
        if asked.path == "/careers":
            return Told(b"", 302, {"Location": "https://elsewhere.example/acme"})
        return page(PAGES["/careers"]) if asked.host == "elsewhere.example" else WebsiteRig.world(asked)

    reply, _ = await visit(tmp_path, ("careers",), world)
    assert reply.documents == ()
    assert reply.note == "The careers page leads elsewhere."


async def test_mangled_pages_never_raise_anything_but_a_source_error(tmp_path: Path) -> None:
    chance = random.Random(7)
    oddities = [
        "<",
        ">",
        '"',
        "&#0;",
        "\x00",
        "[",
        "{",
        "null",
        "]]>",
        "<!--",
        "</p>",
        "é",
        "\ud7ff",
        '{"@graph":[[1]]}',
        "7",
    ]

    def mangled(source: str) -> Told:
        text = source
        for _ in range(chance.randrange(1, 12)):
            at, length = chance.randrange(len(text)), chance.randrange(0, 60)
            text = text[:at] + chance.choice(oddities) + text[at + length :]
        return page(text)

    for _ in range(12):
        world = site({path: mangled(source) for path, source in PAGES.items()})
        for wanted in (("home", "about", "leadership", "products"), ("customers", "newsroom", "pricing", "careers")):
            try:
                reply, _ = await visit(tmp_path, wanted, world)
            except SourceError:
                continue
            assert all(f.quote in d.text for d in reply.documents for f in d.fields)


@pytest.mark.parametrize("odd", ["[]", "7", '{"@graph": {"@type": ["Organization", 3], "name": {"@value": ["x"]}}}',
    '[{"@type": "Organization", "name": "Acme", "founder": [[]], "address": 7, "numberOfEmployees": {"value": {}}, '
    '"foundingDate": [], "parentOrganization": {"name": []}, "makesOffer": {"itemOffered": 3}, "url": {}}]',
    '{"@type": {"a": 1}, "@id": [], "itemListElement": "x", "item": {"item": {"item": null}}}'])  # fmt: skip
async def test_structured_data_of_the_wrong_shape_costs_itself_only(tmp_path: Path, odd: str) -> None:
    script = f'<script type="application/ld+json">{odd}</script>'
    reply, _ = await visit(tmp_path, ("home",), site({"/": html("Acme", WORDS, script)}))
    assert "rents industrial anvils" in everything(reply.documents)
    assert said(reply, "profile", "founded") == []
