"""GDELT's DOC 2.0 API in ArtList mode, as it is announced on its blog and as it answers."""

from __future__ import annotations

from typing import Any

from tests.standins.http_rig import HttpRig, failing
from tests.standins.web_server import Asked, Told, told
from tools.base import FailureKind
from tools.gdelt import Gdelt, GdeltArgs

HURRIED = "Please limit requests to one every 5 seconds or write to somebody@gdelt.example for larger queries.\n"


def text(said: str, status: int = 200) -> Told:
    """A refusal: a line of text that calls itself a web page."""
    return Told(said.encode(), status, kind="text/html; charset=utf-8")


def article(title: str, url: str, seen: str = "20261103T091500Z", **more: Any) -> dict[str, Any]:
    """An article of the list."""
    return {
        "url": url,
        "url_mobile": "",
        "title": title,
        "seendate": seen,
        "socialimage": f"{url}/lead.jpg",
        "domain": url.split("/")[2],
        "language": "English",
        "sourcecountry": "United States",
        **more,
    }


class GdeltRig(HttpRig):
    """Two stories, one of them in two papers."""

    failures = failing(error_in_200=FailureKind.RATE_LIMITED)
    error_in_200 = text(HURRIED)

    @staticmethod
    def kind() -> type[Gdelt]:
        return Gdelt

    @staticmethod
    def arguments() -> GdeltArgs:
        return GdeltArgs(query="Acme")

    @staticmethod
    def world(asked: Asked) -> Told:
        assert asked.host == "api.gdeltproject.org"
        assert asked.path == "/api/v2/doc/doc"
        assert (asked.params["mode"], asked.params["format"]) == ("ArtList", "json")
        articles = [
            article("Acme 's anvils reach Norway , at last", "https://paper.example/anvils", "20261103T091500Z"),
            article("Acme 's anvils reach Norway , at last", "https://gazette.example/a/1", "20261102T220000Z"),
            article("Anvil makers gather in Oslo", "https://www.trade.example/oslo", "20261101T120000Z"),
        ]
        return told({"articles": articles})

    @staticmethod
    def empty(asked: Asked) -> Told:
        return told({})


RIGS = {"gdelt": GdeltRig}
