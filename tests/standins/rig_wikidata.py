"""Wikidata's Action API (`formatversion=2`), as it is documented, with a few invented companies."""

from __future__ import annotations

from typing import Any

from tests.standins.http_rig import HttpRig, failing
from tests.standins.web_server import Asked, Told, told
from tools.base import FailureKind
from tools.wikidata import Wikidata, WikidataArgs

LAGGED = told(
    {"error": {"code": "maxlag", "info": "Waiting for db1: 7.2 seconds lagged.", "lag": 7.2}, "servedby": "mw1"},
    Retry_After="5",
)

Json = dict[str, Any]


def item(q: str) -> Json:
    """The value of a statement that points to an item."""
    return {"value": {"entity-type": "item", "numeric-id": int(q[1:]), "id": q}, "type": "wikibase-entityid"}


def string(value: str) -> Json:
    """A string, an address or an external identifier."""
    return {"value": value, "type": "string"}


def mono(value: str, language: str = "en") -> Json:
    """A text in one language."""
    return {"value": {"text": value, "language": language}, "type": "monolingualtext"}


def day(written: str, precision: int = 11, calendar: str = "Q1985727") -> Json:
    """A time: 11 is a day, 10 a month, 9 a year, 8 a decade."""
    value = {"time": f"+{written}T00:00:00Z", "timezone": 0, "before": 0, "after": 0, "precision": precision}
    return {"value": {**value, "calendarmodel": f"http://www.wikidata.org/entity/{calendar}"}, "type": "time"}


def amount(written: str, unit: str = "1") -> Json:
    """A quantity; its unit is `1` or an item."""
    return {"value": {"amount": written, "unit": unit if unit == "1" else f"http://www.wikidata.org/entity/{unit}"},
            "type": "quantity"}  # fmt: skip


def snak(prop: str, value: Json | str) -> Json:
    """A value, or `somevalue` or `novalue`."""
    if isinstance(value, str):
        return {"snaktype": value, "property": prop, "hash": "0" * 40}
    return {"snaktype": "value", "property": prop, "hash": "0" * 40, "datavalue": value}


def claim(prop: str, value: Json | str, rank: str = "normal", **qualifiers: Json | str) -> Json:
    """A statement."""
    found: Json = {"mainsnak": snak(prop, value), "type": "statement", "id": f"Q1${prop}", "rank": rank}
    if qualifiers:
        found["qualifiers"] = {p: [snak(p, v)] for p, v in qualifiers.items()}
        found["qualifiers-order"] = list(qualifiers)
    return {**found, "references": [{"hash": "1" * 40, "snaks": {}, "snaks-order": []}]}


def entity(
    q: str, label: str, *claims: Json, description: str = "", aliases: tuple[str, ...] = (), wikis: int = 3
) -> Json:
    """An item with everything that `wbgetentities` was asked for."""
    by_property: dict[str, list[Json]] = {}
    for one in claims:
        by_property.setdefault(one["mainsnak"]["property"], []).append(one)
    return {
        "pageid": int(q[1:]),
        "ns": 0,
        "title": q,
        "lastrevid": 99,
        "modified": "2026-09-30T08:15:00Z",
        "type": "item",
        "id": q,
        "labels": {"en": {"language": "en", "value": label}},
        "descriptions": {"en": {"language": "en", "value": description}} if description else {},
        "aliases": {"en": [{"language": "en", "value": a} for a in aliases]} if aliases else {},
        "claims": by_property,
        "sitelinks": {f"w{n}wiki": {"site": f"w{n}wiki", "title": label, "badges": []} for n in range(wikis)},
    }


ACME = entity(
    "Q901", "Acme",
    claim("P31", item("Q4830453")),
    claim("P1448", mono("Acme Corporation")),
    claim("P856", string("https://www.acme.example/")),
    claim("P452", item("Q911")), claim("P452", item("Q912")),
    claim("P159", item("Q913"), P17=item("Q914")),
    claim("P159", item("Q915"), P582=day("2019-01-01", 9)),
    claim("P571", day("2012-00-00", 9)),
    claim("P1128", amount("+4800"), P585=day("2023-12-31")),
    claim("P1128", amount("+5200"), "preferred", P585=day("2025-01-31")),
    claim("P749", item("Q916"), P580=day("2020-03-00", 10)),
    claim("P355", item("Q917")),
    claim("P169", item("Q918"), P580=day("2015-01-01", 9), P582=day("2021-06-30")),
    claim("P169", item("Q919"), P580=day("2021-07-01")),
    claim("P112", item("Q918")),
    claim("P1056", item("Q920")),
    claim("P2139", amount("+1200000000", "Q4917"), P585=day("2023-00-00", 9)),
    claim("P2139", amount("+1500000000.50", "Q4917"), P585=day("2024-00-00", 9)),
    claim("P414", item("Q921"), P249=string("ACME")),
    claim("P5531", string("0000123456")),
    description="American maker of anvils", aliases=("Acme Corp.", "Acme Anvils"), wikis=30,
)  # fmt: skip

NAMES = {
    "Q911": "metalworking industry", "Q912": "cloud computing", "Q913": "Boston", "Q914": "United States",
    "Q915": "Tucson", "Q916": "Globex", "Q917": "Acme Rockets", "Q918": "Wile Coyote", "Q919": "Ada Runner",
    "Q920": "anvil", "Q921": "New York Stock Exchange",
}  # fmt: skip


def named(hits: list[tuple[str, str, str]]) -> Told:
    """What `wbsearchentities` finds: number, label, and the text that matched."""
    found = [
        {"id": q, "title": q, "pageid": 1, "repository": "wikidata", "label": label, "description": "something",
         "display": {"label": {"value": label, "language": "en"}}, "aliases": [matched] if matched != label else [],
         "match": {"type": "label" if matched == label else "alias", "language": "en", "text": matched}}
        for q, label, matched in hits
    ]  # fmt: skip
    return told({"searchinfo": {"search": "acme"}, "search": found, "success": 1})


def entities(*found: Json) -> Told:
    """What `wbgetentities` answers."""
    return told({"entities": {e["id"]: e for e in found}, "success": 1})


def labels(names: dict[str, str], asked: Asked) -> Told:
    """The names of the items that were asked for; one that nobody knows has no label."""
    assert asked.params["props"] == "labels"
    ids = asked.params["ids"].split("|")
    assert len(ids) <= 50
    return told({
        "entities": {
            q: {"type": "item", "id": q,
                "labels": {"en": {"language": "en", "value": names[q]}} if q in names else {}} for q in ids
        },
        "success": 1,
    })  # fmt: skip


class WikidataRig(HttpRig):
    """One company, found by its SEC number: a search, the item, and the names it refers to."""

    requests_per_fetch = 3
    error_in_200 = LAGGED
    failures = failing(error_in_200=FailureKind.RATE_LIMITED)

    @staticmethod
    def kind() -> type[Wikidata]:
        return Wikidata

    @staticmethod
    def arguments() -> WikidataArgs:
        return WikidataArgs(query="Acme", cik="123456", ticker="ACME")

    @staticmethod
    def world(asked: Asked) -> Told:
        assert (asked.host, asked.path) == ("www.wikidata.org", "/w/api.php")
        assert (asked.params["format"], asked.params["formatversion"], asked.params["maxlag"]) == ("json", "2", "5")
        match asked.params["action"]:
            case "query":
                assert asked.params["srsearch"] == "haswbstatement:P5531=0000123456|P5531=123456"
                hits = [{"ns": 0, "title": "Q901", "pageid": 901, "size": 1, "wordcount": 0, "snippet": ""}]
                return told({"batchcomplete": True, "query": {"searchinfo": {"totalhits": 1}, "search": hits}})
            case "wbsearchentities":
                return named([("Q901", "Acme", "Acme")])
        return entities(ACME) if "claims" in asked.params["props"] else labels(NAMES, asked)

    @staticmethod
    def empty(asked: Asked) -> Told:
        if asked.params["action"] == "query":
            return told({"batchcomplete": True, "query": {"searchinfo": {"totalhits": 0}, "search": []}})
        return told({"searchinfo": {"search": "acme"}, "search": [], "success": 1})


RIGS = {"wikidata": WikidataRig}
