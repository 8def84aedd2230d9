"""Hacker News's search, as Algolia documents it."""

from __future__ import annotations

from tests.standins.http_rig import HttpRig
from tests.standins.web_server import Asked, Told, told
from tools.hacker_news import HackerNews, HackerNewsArgs


class HackerNewsRig(HttpRig):
    """Two stories: one that links elsewhere, one with a text of its own."""

    @staticmethod
    def kind() -> type[HackerNews]:
        return HackerNews

    @staticmethod
    def arguments() -> HackerNewsArgs:
        return HackerNewsArgs(query="Acme")

    @staticmethod
    def world(asked: Asked) -> Told:
        assert asked.host == "hn.algolia.com"
        hits = [
            {
                "objectID": "41000001",
                "title": "Acme opens its anvil API &amp; SDK",
                "url": "https://blog.acme.example/anvil-api?utm_source=hn",
                "author": "wei",
                "points": 120,
                "num_comments": 44,
                "created_at": "2026-11-01T09:30:00Z",
                "created_at_i": 1793525400,
                "story_id": 41000001,
                "_tags": ["story"],
            },
            {
                "objectID": "41000002",
                "title": "Ask HN: Anyone using Acme in production?",
                "story_text": "We run <i>Acme</i> on Kubernetes.<p>It&#x27;s fine.",
                "author": "sam",
                "points": 12,
                "num_comments": 9,
                "created_at": "2026-10-20T10:00:00Z",
                "created_at_i": 1792490400,
                "story_id": 41000002,
                "_tags": ["story", "ask_hn"],
            },
        ]
        return told({"hits": hits, "nbHits": 2, "page": 0, "nbPages": 1, "hitsPerPage": 10, "query": '"Acme"'})

    @staticmethod
    def empty(asked: Asked) -> Told:
        return told({"hits": [], "nbHits": 0, "page": 0, "nbPages": 0, "hitsPerPage": 10, "query": '"Acme"'})


RIGS = {"hacker_news": HackerNewsRig}
