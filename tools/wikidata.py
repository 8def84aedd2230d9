"""What Wikidata knows of a company: who it is, where it sits, who leads and owns it, each fact with its date. Free."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import Field, JsonValue
from typing_extensions import override

from tools.base import FailureKind, Frozen, Pace, SourceError, SourceReply, SubjectHint
from tools.http_source import HttpSource
from tools.reading.wikidata_api import (
    CONTACT,
    PACE,
    ask,
    company_like,
    items,
    plain_name,
    same_name,
    short_name,
    table,
    text,
)
from tools.reading.wikidata_claims import LANGUAGES, Entity
from tools.reading.wikidata_facts import LICENCE, Writer, as_documents, cik, identity, tickers

_API = "https://www.wikidata.org/w/api.php"
_MOST_CANDIDATES = 7
_MOST_LABELS = 50
"""Items that one `wbgetentities` may name."""
_MOST_IDENTITIES = 5

_COMPANIES = frozenset(
    {
        "Q4830453": "business",
        "Q6881511": "enterprise",
        "Q783794": "company",
        "Q891723": "public company",
        "Q1589009": "privately held company",
        "Q167037": "corporation",
        "Q161726": "multinational corporation",
        "Q778575": "conglomerate",
        "Q219577": "holding company",
        "Q658255": "subsidiary",
        "Q270791": "state-owned enterprise",
        "Q1058914": "software company",
        "Q18388277": "technology company",
        "Q210167": "video game developer",
        "Q786820": "automobile manufacturer",
        "Q936518": "aerospace manufacturer",
        "Q507619": "retail chain",
        "Q46970": "airline",
        "Q22687": "bank",
        "Q2085381": "publisher",
        "Q1331793": "media company",
    }
)
_ORGANISATIONS = _COMPANIES | {"Q43229", "Q163740"}  # organization, nonprofit organization
_OTHER_THINGS = frozenset(
    {
        "Q5": "human",
        "Q4167410": "disambiguation page",
        "Q4167836": "category",
        "Q13406463": "list",
        "Q101352": "family name",
        "Q202444": "given name",
        "Q7397": "software",
        "Q7889": "video game",
        "Q11424": "film",
        "Q5398426": "television series",
        "Q482994": "album",
        "Q134556": "single",
        "Q215380": "musical group",
        "Q9143": "programming language",
        "Q515": "city",
        "Q6256": "country",
        "Q16521": "taxon",
    }
)
"""What bears companies' names without being one; an item that is both counts as a company."""
_OF_COMPANIES = ("P5531", "P414", "P249", "P452", "P169", "P159", "P749", "P355")
"""CIK, exchange, ticker, industry, chief executive, seat, parent, subsidiary: only organisations have them."""
_OF_MANY = ("P856", "P571", "P1128")
"""Website, inception, employees: enough only where the description speaks of a company as well."""


class WikidataArgs(Frozen):
    """Which company is meant; an identifier is surer than a name."""

    query: str = Field(min_length=1, max_length=200, description="The company's name.")
    cik: str = Field("", pattern=r"^[0-9]{0,10}$", description="Its SEC number (CIK), digits only, when known.")
    ticker: str = Field("", max_length=12, description="Its ticker symbol, when known: tells namesakes apart.")
    id: str = Field("", pattern=r"^(Q[1-9][0-9]{0,11})?$", description="Its Wikidata number (Q...), when known.")


class Wikidata(HttpSource[WikidataArgs]):
    """Statements of Wikidata about a company."""

    name = "wikidata"
    title = "Wikidata"
    description = (
        "Who a company is: official name, website, industry, seat, founding, employees, chief executive, board, owners, "
        "subsidiaries, products, revenue, each as of its date. Also tells companies of one name apart. Free."
    )
    Args = WikidataArgs
    datasets: ClassVar[Mapping[str, float]] = {
        "profile": 0.85,
        "leadership": 0.6,
        "funding": 0.5,
        "products": 0.3,
        "financials": 0.3,
    }
    reliability = 0.85
    latency = 1.5
    timeout = 30.0
    licence = LICENCE
    homepage = "https://www.wikidata.org/wiki/Wikidata:Data_access"
    paces: ClassVar[Mapping[str, Pace]] = {"wikidata.org": PACE}
    needs = CONTACT

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[WikidataArgs]:
        """The name with every identifier that is known; one call serves all datasets."""
        found = self.identify(subject) if dataset in self.datasets else None
        return () if found is None else (found,)

    @override
    def identify(self, subject: SubjectHint) -> WikidataArgs | None:
        """The very call that is suggested, so that it is made once."""
        query = plain_name(subject.name)
        if not query:
            return None
        number = subject.cik.strip().lstrip("0")
        known = number if re.fullmatch(r"[0-9]{1,10}", number) else ""
        return WikidataArgs(query=query, cik=known, ticker=subject.ticker.strip().upper()[:12])

    async def fetch(self, args: WikidataArgs) -> SourceReply:
        """Two to four requests: find, read, and name what the statements point to."""
        now = datetime.now(UTC)
        ids, sure = ([args.id], True) if args.id else await self._find(args)
        if not ids:
            return SourceReply()
        found = await self._entities(ids, "info|labels|descriptions|aliases|claims|sitelinks")
        fitting = [e for e in found if e.id and e.label and _is_company(e) and (sure or _is_meant(e, args, now))]
        if not fitting:
            return SourceReply()
        ranked = sorted(fitting, key=lambda e: _weight(e, args, now), reverse=True)
        first, about = ranked[0], _about(ranked[0], args.query)
        labels, trouble = await self._labels(first, now)
        facts = Writer(first, first.label, lambda q: labels.get(q, ""), now).facts()
        notes = [trouble, "" if sure else _doubt(ranked, args, now), _end(first)]
        return SourceReply(
            documents=as_documents(first, first.label, about, facts),
            identities=tuple(identity(e, now) for e in ranked[:_MOST_IDENTITIES]),
            note=" ".join(n for n in notes if n),
        )

    async def _find(self, args: WikidataArgs) -> tuple[list[str], bool]:
        """The Q-numbers of candidates, and whether an identifier has found them. Raises SourceError."""
        if number := args.cik.lstrip("0"):
            # Most items hold the number in ten digits, a few without the zeros.
            search = f"haswbstatement:P5531={number.zfill(10)}|P5531={number}"
            params: dict[str, str | int] = {"action": "query", "list": "search", "srsearch": search, "srlimit": 3}
            found = await ask(self.door, _API, params)
            titles = [text(one.get("title")) for one in _list_of(table(found.get("query")).get("search"))]
            if ids := [t for t in titles if re.fullmatch(r"Q[1-9][0-9]*", t)]:
                return ids, True
        found = await ask(
            self.door, _API,
            {"action": "wbsearchentities", "search": short_name(args.query), "language": "en", "uselang": "en",
             "type": "item", "limit": _MOST_CANDIDATES},
        )  # fmt: skip
        hits = _list_of(found.get("search"))
        return [q for hit in hits if _named_so(hit, args.query) and (q := text(hit.get("id")))], False

    async def _entities(self, ids: Sequence[str], props: str) -> list[Entity]:
        params = {"action": "wbgetentities", "ids": "|".join(ids), "props": props, "languages": "|".join(LANGUAGES)}
        found = (await ask(self.door, _API, params)).get("entities")
        if not isinstance(found, dict | list) or (found and not any(True for _ in items(found))):
            raise SourceError(FailureKind.MALFORMED, "Wikidata answered without entities.")
        return [Entity(one) for one in items(found)]

    async def _labels(self, entity: Entity, now: datetime) -> tuple[dict[str, str], str]:
        """The names of the items that the facts mention; without them a few facts can still be told, and a note says so."""
        wanted: dict[str, str] = {}

        def remember(q: str) -> str:
            return wanted.setdefault(q, q)

        Writer(entity, entity.label, remember, now).facts()
        if not wanted:
            return {}, ""
        try:
            found = await self._entities(list(wanted)[:_MOST_LABELS], "labels")
        except SourceError as exc:
            return {}, f"Facts that name other items are left out: {exc.message}"
        # A merged item answers under its new number and says which one was asked for.
        merged = {text(table(e.raw.get("redirects")).get("from")): e.label for e in found}
        return {**merged, **{e.id: e.label for e in found if e.id}}, ""


def _list_of(value: JsonValue) -> Iterable[dict[str, JsonValue]]:
    """The hits of a search. Raises SourceError (malformed) when there is no list of them."""
    if not isinstance(value, list):
        raise SourceError(FailureKind.MALFORMED, "Wikidata's search answered without a list of hits.")
    return items(value)


def _named_so(hit: Mapping[str, JsonValue], query: str) -> bool:
    """Whether a hit bears the name, and does not merely begin with it."""
    aliases = hit.get("aliases")
    names = [text(hit.get("label")), text(table(hit.get("match")).get("text"))]
    names += [text(a) for a in aliases] if isinstance(aliases, list) else []
    return any(same_name(name, query) for name in names)


def _is_company(entity: Entity) -> bool:
    kinds = {s.item for s in entity.all("P31")}
    if kinds & _ORGANISATIONS:
        return "Q5" not in kinds
    if kinds & _OTHER_THINGS:
        return False
    return entity.has(*_OF_COMPANIES) or (entity.has(*_OF_MANY) and company_like(entity.description))


def _is_meant(entity: Entity, args: WikidataArgs, now: datetime) -> bool:
    """Whether a company found by name bears that name and has no other identifier than the one that was given."""
    wanted, own = args.cik.lstrip("0"), cik(entity)
    if wanted and own and wanted != own and args.ticker.upper() not in tickers(entity, now):
        return False
    return any(same_name(name, args.query) for name in (entity.label, *entity.aliases))


def _weight(entity: Entity, args: WikidataArgs, now: datetime) -> float:
    """How likely the company is meant: an identifier, then how well known it is, its name to the letter, its state."""
    return (
        20.0 * (bool(args.cik) and cik(entity) == args.cik.lstrip("0"))
        + 10.0 * (bool(args.ticker) and args.ticker.upper() in tickers(entity, now))
        + math.log2(entity.sitelinks + 1)
        + 2.0 * same_name(entity.label, args.query)
        + 1.0 * any(s.item in _COMPANIES for s in entity.all("P31"))
        - 3.0 * entity.has("P576")
    )


def _doubt(ranked: Sequence[Entity], args: WikidataArgs, now: datetime) -> str:
    """What to say where another company may be meant."""
    first, others = ranked[0], ranked[1:]
    sure = bool(args.ticker) and args.ticker.upper() in tickers(first, now)
    clear = same_name(first.label, args.query) and all(first.sitelinks > e.sitelinks for e in others)
    if not others or sure or clear:
        return ""
    named = "; ".join(f"{e.label} ({e.description or 'no description'}, {e.id})" for e in others[:_MOST_IDENTITIES])
    return f"The documents are about {first.label} ({first.id}); the name may also mean: {named}."


def _end(entity: Entity) -> str:
    return f"Wikidata has {entity.label} as dissolved." if entity.has("P576") else ""


def _about(entity: Entity, query: str) -> str:
    """The company by the name it was asked for, where that is one of its names."""
    other = any(same_name(alias, query) for alias in entity.aliases) and not same_name(entity.label, query)
    return query if other else entity.label


SOURCES = (Wikidata,)
