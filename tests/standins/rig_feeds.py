"""A company's feed: RSS 2.0 as the RSS Advisory Board specifies it."""

from __future__ import annotations

from tests.standins.http_rig import HttpRig, failing
from tests.standins.web_server import NOT_FOUND, Asked, Told
from tools.feeds import Feeds, FeedsArgs

EMPTY = '<?xml version="1.0"?><rss version="2.0"><channel><title>Acme</title></channel></rss>'
RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Acme newsroom</title><link>https://www.acme.example/news/</link><description>News of Acme</description>
<item>
  <title>Acme &amp;amp; Sons open a plant in Oslo</title>
  <link>https://www.acme.example/news/oslo?utm_source=rss</link>
  <guid isPermaLink="false">acme-31</guid>
  <pubDate>Tue, 03 Nov 2026 10:00:00 +0200</pubDate>
  <description>&lt;p&gt;The plant will make anvils for the north.&lt;/p&gt;&lt;p&gt;It employs 40 people.&lt;/p&gt;</description>
</item>
<item>
  <title>Anvil 3 is out</title>
  <link>https://www.acme.example/news/anvil-3</link>
  <pubDate>Mon, 05 Oct 2026 08:30:00 GMT</pubDate>
  <description>Anvil 3 is lighter.</description>
</item>
</channel></rss>
"""


def feed(xml: str, kind: str = "application/rss+xml; charset=utf-8") -> Told:
    """A feed as it is served."""
    return Told(xml.encode(), kind=kind)


class FeedsRig(HttpRig):
    """A feed with two entries, asked for by its own address. A fetch asks robots.txt too.

    `html` is left out because a page that names no feed is an answer, `truncated` because what came before the break is
    kept (see test_feeds.py), `wrong_types` because it can spoil JSON only.
    """

    failures = failing("html", "truncated", "wrong_types")
    requests_per_fetch = 2

    @staticmethod
    def kind() -> type[Feeds]:
        return Feeds

    @staticmethod
    def arguments() -> FeedsArgs:
        return FeedsArgs(url="https://www.acme.example/feed.xml", about="Acme")

    @staticmethod
    def world(asked: Asked) -> Told:
        assert asked.host == "www.acme.example"
        return feed(RSS) if asked.path == "/feed.xml" else NOT_FOUND

    @staticmethod
    def empty(asked: Asked) -> Told:
        return feed(EMPTY) if asked.path == "/feed.xml" else NOT_FOUND


RIGS = {"feeds": FeedsRig}
