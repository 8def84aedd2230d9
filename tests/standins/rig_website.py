"""The site of Acme: the markup that real sites have, with menus, banners, cards, structured data and things nobody sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tests.standins.http_rig import HttpRig, failing
from tests.standins.registry import Failing
from tests.standins.web_server import NOT_FOUND, Asked, Told, page
from tools.base import FailureKind
from tools.website import Website, WebsiteArgs

ROBOTS = """User-agent: *
Disallow: /internal/
Disallow: /careers/apply
Sitemap: https://acme.example/sitemap_index.xml
"""
CLOSED = "User-agent: *\nDisallow: /\n"

MENU = """
<a class="skip-link" href="#main">Skip to content</a>
<div id="cookie-banner" class="cookie-consent" role="dialog"><p>We use cookies. <button>Accept all</button></p></div>
<header><nav><ul>
 <li><a href="/products/">Products</a><ul><li><a href="/products/anvil-cloud">Anvil Cloud</a></li>
   <li><a href="/products/forge-studio/">Forge Studio</a></li><li><a href="/products/compare">Compare products</a></li></ul></li>
 <li><a href="/customers">Customers</a></li><li><a href="/pricing?ref=nav">Pricing offer</a></li>
 <li><a href="/pricing">Pricing</a></li>
 <li><a href="/company/about">About us</a></li>
 <li><a href="/de/ueber-uns" hreflang="de">Über uns</a></li>
 <li><a href="https://www.linkedin.example/company/acme">Leadership on LinkedIn</a></li>
</ul></nav></header>
"""
FOOT = """
<footer><p>© Acme Corporation. <a href="/company/newsroom">Newsroom</a> <a href="/careers">Careers</a>
<a href="/legal/privacy">Privacy</a> <a href="/brochure.pdf">About Acme (PDF)</a> <a href="mailto:hi@acme.example">Mail</a></p>
</footer><script>window.dataLayer = [];</script>
"""


def html(title: str, main: str, head: str = "") -> str:
    """A page of the site."""
    return (
        f'<!DOCTYPE html><html lang="en-US"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta property="og:site_name" content="Acme">{head}</head>'
        f'<body class="page has-cookie-banner">{MENU}<main id="main">{main}</main>{FOOT}</body></html>'
    )


HOME_DATA = """<script type="application/ld+json">
{"@context": "https://schema.org", "@graph": [
 {"@type": "WebSite", "@id": "https://acme.example/#site", "url": "https://acme.example/", "name": "Acme",
  "publisher": {"@id": "https://acme.example/#org"}},
 {"@type": ["Organization", "Corporation"], "@id": "https://acme.example/#org", "name": "Acme",
  "url": "https://acme.example/", "legalName": "Acme Corporation", "foundingDate": "1999-01-01",
  "numberOfEmployees": {"@type": "QuantitativeValue", "value": 1250},
  "address": {"@type": "PostalAddress", "streetAddress": "1 Anvil Way", "addressLocality": "Springfield",
   "addressRegion": "IL", "postalCode": "62701", "addressCountry": "US"},
  "founder": {"@id": "#wile"}, "parentOrganization": {"@type": "Organization", "name": "Roadrunner Holdings"},
  "email": "mailto:hi@acme.example", "sameAs": ["https://www.linkedin.example/company/acme", 7, null]},
 {"@type": "Person", "@id": "#wile", "name": "Wile Coyote", "knows": [[]]},
 {"@type": "Organization", "name": "Initech", "url": "https://initech.example/", "legalName": "Initech GmbH"}
]}</script>
<script type="application/ld+json">{"@type": "WebPage", "datePublished": </script>"""

HOME = html(
    "Acme | Anvils as a service",
    """<h1>Anvils as a service</h1>
<p>Acme builds and rents industrial anvils to film studios and railways. The company delivers in more than forty countries
from its own foundries, and its cloud service tracks every anvil that it has ever made.</p>
<p style="display: none">Acme was acquired by Globex in secret.</p>
<div hidden>Acme has ten thousand employees.</div><noscript>Please enable scripts.</noscript>
<!-- Acme is bankrupt. -->
<section><h2>Why studios choose us</h2><p>Our engineers work with each studio for a whole season, which keeps the number of
accidents on set low. Call +1 (217) 555-0134 or write to jane@acme.example for a visit.</p></section>""",
    f'<link rel="canonical" href="https://acme.example/?utm_source=self">{HOME_DATA}'
    '<meta name="description" content="Acme makes anvils for film studios and railways, by the hour or for life.">',
)

ABOUT = html(
    "About us | Acme",
    """<article><h1>About us</h1>
<p>Acme is a maker of industrial anvils, headquartered in Springfield, Illinois. It was founded by a coyote who found every
anvil on the market too light for its purpose. Today the company serves film studios and railways on four continents.</p>
<p>Our strategy is to rent anvils out rather than to sell them, because a rented anvil comes back.
Read about <a href="/company/leadership">our leadership team</a>.</p>
<blockquote class="testimonial"><p>Nothing falls like an Acme anvil.</p><cite>Ralph Wolf</cite>
<span>Chief Executive Officer</span></blockquote></article>""",
    '<meta property="article:published_time" content="2026-06-01T08:00:00+00:00">',
)

LEADERSHIP = html(
    "Leadership | Acme",
    """<h1>Leadership team</h1>
<div class="grid">
 <div class="card"><a href="/company/leadership/jane-doe"><img src="jd.jpg" alt="Jane Doe"></a>
  <h3>Jane Doe</h3><p class="t">Chief Financial Officer</p><p>Jane joined Acme in 2019 and keeps its books.</p>
  <a href="https://www.linkedin.example/in/jane">LinkedIn</a></div>
 <div class="card"><h3>Dr. José García-Márquez, Ph.D.</h3><p>Vice President, Product &amp; Engineering</p></div>
 <div class="card"><p>General Counsel</p><h3>Ludwig van der Berg</h3></div>
 <div class="card"><h3>Old Timer</h3><p>Former Chief Executive Officer</p></div>
 <div class="card"><h3>Sam Smith</h3><p>Software Engineer</p></div>
</div>
<h2>Board of Directors</h2>
<ul><li><strong>Ann Lee</strong>, Chair of the Board</li><li><strong>Bo Chen</strong>, CEO, Globex</li></ul>
<h2>Executive Team</h2><p>Contact Sales</p><p>Vice President</p>""",
)

PRODUCTS = html(
    "Products | Acme",
    """<h1>Products</h1><p>Acme sells two products, both of which are made in Springfield and sold all over the world.</p>
<div itemscope itemtype="https://schema.org/Product"><h2 itemprop="name">Anvil Cloud</h2>
 <p itemprop="description">Tracks anvils.</p><a href="/products/anvil-cloud">Learn more</a>
 <div itemprop="offers" itemscope itemtype="https://schema.org/Offer"><meta itemprop="price" content="49.00">
 <meta itemprop="priceCurrency" content="USD"></div></div>
<div><h2>Forge Studio</h2><a href="/products/forge-studio/">Learn more</a></div>
<div><a href="/products/security">Security</a> <a href="/products/globex-migration">Move from Globex today</a></div>""",
)

PRICING = html(
    "Pricing | Acme",
    """<h1>Plans for every height</h1><div class="plans">
<div><h3>Team</h3><p><span>$49</span><span> per anvil / month</span></p><p>Up to ten anvils</p></div>
<div><h3>Studio</h3><p>Contact sales for a quote</p></div></div>
<p>Acme charges by the anvil and by the month, and there is no fee for anvils that are returned within a week.</p>""",
)

CUSTOMERS = html(
    "Customers | Acme",
    """<h1>Customer stories</h1><ul>
<li><a href="/customers/globex-corp"><img alt="Globex Corp. logo" src="g.svg">
 <h3>How Globex Corp. halves its waste</h3></a></li>
<li><a href="/customers/hooli-case-study">Hooli</a></li>
<li><a href="/customers/healthcare">Healthcare</a></li>
<li><a href="/customers/story-17">Saving a railway from ruin</a></li></ul>
<section><h2>Trusted by</h2><img alt="Initech logo" src="i.svg"><img alt="a happy team" src="t.jpg"></section>
<p>More than four hundred studios rent their anvils from Acme, and most of them come back for a second season.</p>""",
)

NEWSROOM = html(
    "Newsroom | Acme",
    """<h1>Newsroom</h1><div class="list">
<article class="item"><time datetime="2026-11-03T13:00:00Z">Nov 3, 2026</time>
 <h3><a href="/company/newsroom/anvil-3">Acme launches the third generation of its anvil</a></h3>
 <a href="/company/newsroom/category/products">Products</a><a href="/company/newsroom/anvil-3">Read more</a></article>
<div class="item"><span>October 12, 2026</span><p><a href="/company/newsroom/ohio">A second foundry opens in Ohio</a></p></div>
<div class="item"><span>10/07/2026</span><p><a href="/company/newsroom/odd">A date that can be read in two ways</a></p></div>
<div class="item"><p>Sep 1, 2026</p><p><a href="/company/newsroom/a">The first of two stories</a></p>
 <p><a href="/company/newsroom/b">The second of these two stories</a></p></div></div>
<p>For questions write to press@acme.example.</p>""",
)

CAREERS = html(
    "Careers | Acme",
    """<h1>Work at Acme</h1><p>We have 42 open positions in four countries.</p><p>Our teams value gravity.</p>""",
    """<script type="application/ld+json">[{"@type": "JobPosting", "title": "Senior Forger"},
    {"@type": "JobPosting", "title": "Junior Forger", "validThrough": "2020-01-01"}, {"@type": 5}, "x"]</script>""",
)

EMPTY = '<!DOCTYPE html><html><head><title>Acme</title></head><body><div id="root"></div><script src="/a.js"></script>'

SITEMAP_INDEX = """<?xml version="1.0" encoding="UTF-8"?>
<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>https://acme.example/post-sitemap.xml</loc></sitemap>
<sitemap><loc>https://acme.example/page-sitemap.xml</loc></sitemap></sitemapindex>"""
SITEMAP = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>https://acme.example/company/leadership</loc></url>
<url><loc>https://acme.example/company/leadership/jane-doe</loc></url>
<url><loc>https://elsewhere.example/leadership</loc></url></urlset>"""

PAGES: Mapping[str, str] = {
    "/": HOME,
    "/company/about": ABOUT,
    "/company/leadership": LEADERSHIP,
    "/products/": PRODUCTS,
    "/pricing": PRICING,
    "/customers": CUSTOMERS,
    "/company/newsroom": NEWSROOM,
    "/careers": CAREERS,
}


def plain(text: str, kind: str = "text/plain") -> Told:
    """A text that is no web page."""
    return Told(text.encode(), kind=kind)


class WebsiteRig(HttpRig):
    """A site of nine pages, of which one is to be found through another."""

    # robots.txt, home, about, and leadership, to which only the about page leads.
    requests_per_fetch = 4
    # Left out: `html` and `error_in_200` with status 200 are pages like any other, as far as a visitor of unknown sites can
    # tell (of JSON, see test_website.py); `truncated` HTML is read as far as it goes, as browsers do; `wrong_types` is JSON's.
    failures = (
        *failing("html", "truncated", "wrong_types"),
        Failing("blocked_by_robots", FailureKind.BLOCKED_BY_ROBOTS, "nothing"),
        Failing("robots_failing", FailureKind.BLOCKED_BY_ROBOTS, "nothing"),
    )
    robots: ClassVar[Mapping[str, Told]] = {
        "blocked_by_robots": plain(CLOSED),
        "robots_failing": Told(b"", 500),
    }

    @staticmethod
    def kind() -> type[Website]:
        return Website

    @staticmethod
    def arguments() -> WebsiteArgs:
        return WebsiteArgs(domain="acme.example", pages=("home", "about", "leadership"), about="Acme")

    @staticmethod
    def world(asked: Asked) -> Told:
        if asked.host != "acme.example":
            return NOT_FOUND
        if asked.path == "/robots.txt":
            return plain(ROBOTS)
        if asked.path == "/sitemap_index.xml":
            return plain(SITEMAP_INDEX, "application/xml")
        if asked.path == "/page-sitemap.xml":
            return plain(SITEMAP, "application/xml")
        return page(PAGES[asked.path]) if asked.path in PAGES else NOT_FOUND

    @staticmethod
    def empty(asked: Asked) -> Told:
        """A site that scripts fill."""
        return page(EMPTY) if asked.path == "/" else NOT_FOUND

    def behave(self, name: str) -> None:
        if name in self.robots:
            told = self.robots[name]
            self.server.world = lambda asked: told if asked.path == "/robots.txt" else self.world(asked)
            name = "ok"
        super().behave(name)


RIGS = {"website": WebsiteRig}
