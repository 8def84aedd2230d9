"""English Wikipedia's Action API (`formatversion=2`), as it is documented, with an invented company."""

from __future__ import annotations

from typing import Any

from tests.standins.http_rig import HttpRig, failing
from tests.standins.web_server import Asked, Told, told
from tools.base import FailureKind
from tools.wikipedia import Wikipedia, WikipediaArgs

Json = dict[str, Any]

BUSY = told(
    {"error": {"code": "ratelimited", "info": "You have exceeded your rate limit.", "docref": "See the API's page."}}
)

ARTICLE = """Acme Inc. (  ) is an American company that makes anvils and is headquartered in Boston, U.S. It was founded in 2012.
The company has 5,200 employees.


== History ==

Wile Coyote founded Acme in 2012 with two engineers from Tucson.


=== 2020s ===
In March 2020 Globex acquired the company for $900 million.


== Products & services ==
Acme sells anvils, rockets and Acme Cloud, a subscription service for roadrunner detection.


== See also ==
List of companies that make anvils and that have never been acquired by anybody else


== References ==
"Acme buys itself", The Example Times, 2020, a long enough line to be taken for prose by mistake."""


def search_reply(pages: list[Json], *hits: Json, redirects: tuple[Json, ...] = ()) -> Told:
    """What titles and a search find in one question."""
    query: Json = {"pages": pages, "searchinfo": {"totalhits": len(hits)}, "search": list(hits)}
    if redirects:
        query["redirects"] = list(redirects)
    return told({"batchcomplete": True, "query": query})


def missing(title: str) -> Json:
    """A title without an article."""
    return {"ns": 0, "title": title, "missing": True}


def page(title: str, description: str = "", item: str = "Q901", **more: Any) -> Json:
    """An article as it is described."""
    props = {"wikibase_item": item} | ({"wikibase-shortdesc": description} if description else {})
    return {"pageid": 7, "ns": 0, "title": title, "pageprops": props, **more}


def hit(title: str, snippet: str = "", **more: Any) -> Json:
    """An article as a search finds it."""
    return {"ns": 0, "title": title, "pageid": 8, "snippet": snippet, **more}


def read(title: str, extract: str, description: str = "", item: str = "Q901") -> Told:
    """An article with its text."""
    address = f"https://en.wikipedia.org/wiki/{title.replace(' ', '_')}"
    found = page(
        title, description, item, extract=extract, fullurl=address, canonicalurl=address,
        revisions=[{"timestamp": "2026-10-02T11:00:00Z"}],
    )  # fmt: skip
    return told({"batchcomplete": True, "query": {"pages": [found]}})


class WikipediaRig(HttpRig):
    """A list of namesakes under the plain title, and the company's article with a word in brackets."""

    requests_per_fetch = 2
    error_in_200 = BUSY
    failures = failing(error_in_200=FailureKind.RATE_LIMITED)

    @staticmethod
    def kind() -> type[Wikipedia]:
        return Wikipedia

    @staticmethod
    def arguments() -> WikipediaArgs:
        return WikipediaArgs(title_or_name="Acme")

    @staticmethod
    def world(asked: Asked) -> Told:
        assert (asked.host, asked.path) == ("en.wikipedia.org", "/w/api.php")
        assert (asked.params["format"], asked.params["formatversion"], asked.params["maxlag"]) == ("json", "2", "5")
        if "srsearch" in asked.params:
            assert asked.params["titles"] == "Acme|Acme (company)"
            namesakes = page("Acme", item="Q902")
            namesakes["pageprops"]["disambiguation"] = ""
            return search_reply([namesakes, page("Acme (company)", "American maker of anvils")], hit("Acme Records"))
        assert asked.params["titles"] == "Acme (company)"
        return read("Acme (company)", ARTICLE, "American maker of anvils")

    @staticmethod
    def empty(asked: Asked) -> Told:
        return search_reply([missing("Acme"), missing("Acme (company)")])


RIGS = {"wikipedia": WikipediaRig}
