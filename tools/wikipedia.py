"""What Wikipedia tells of a company: its article, section by section. Free."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote, urlsplit

from pydantic import Field, JsonValue
from typing_extensions import override

from tools.base import FailureKind, FieldQuote, Frozen, Pace, SourceDocument, SourceError, SourceReply, SubjectHint
from tools.http_source import HttpSource
from tools.reading.dates import parse_date
from tools.reading.urls import normalise_url
from tools.reading.wikidata_api import (
    CONTACT,
    PACE,
    ask,
    company_like,
    flag,
    items,
    name_words,
    plain_name,
    same_name,
    short_name,
    table,
    text,
    whole,
)
from tools.reading.wikipedia_text import first_sentence, sections

_SITE = "https://en.wikipedia.org"
_API = f"{_SITE}/w/api.php"
_LICENCE = "Wikipedia contributors, CC BY-SA 4.0"
_QUALIFIED = re.compile(r"\s*\(([^()]+)\)$")
_MARKUP = re.compile(r"<[^<>]{0,300}>")
_PLAINLY = re.compile(
    r"\b(?:compan(?:y|ies)|corporation|conglomerate|firm|business|manufacturer|retailer|bank)\b", re.I
)


class WikipediaArgs(Frozen):
    """Whose article to read."""

    title_or_name: str = Field(
        min_length=1, max_length=250, description="The company's name, or the exact title of its English article."
    )
    wikidata_id: str = Field(
        "", pattern=r"^(Q[1-9][0-9]{0,11})?$", description="The company's Wikidata number (Q...), when known."
    )


class Wikipedia(HttpSource[WikipediaArgs]):
    """The English article about a company."""

    name = "wikipedia"
    title = "Wikipedia"
    description = (
        "The English Wikipedia article about a company: what it does, its history, acquisitions, products, people and "
        "disputes, with a link to each section. Free."
    )
    Args = WikipediaArgs
    datasets: ClassVar[Mapping[str, float]] = {
        "profile": 0.7,
        "products": 0.4,
        "funding": 0.35,
        "leadership": 0.3,
        "financials": 0.25,
        "news": 0.1,
        "customers": 0.1,
        "competitors": 0.1,
    }
    reliability = 0.85
    latency = 1.2
    timeout = 30.0
    licence = f"{_LICENCE}; each document names its article."
    homepage = "https://en.wikipedia.org/wiki/Wikipedia:Reusing_Wikipedia_content"
    paces: ClassVar[Mapping[str, Pace]] = {"wikipedia.org": PACE}
    needs = CONTACT

    @override
    def suggest(self, subject: SubjectHint, dataset: str, question: str) -> Sequence[WikipediaArgs]:
        """The company's name; one call serves all datasets."""
        name = plain_name(subject.name)
        return (WikipediaArgs(title_or_name=name),) if dataset in self.datasets and name else ()

    async def fetch(self, args: WikipediaArgs) -> SourceReply:
        """Two requests: find the article, read it. No article that is surely about the company means no documents."""
        name = plain_name(args.title_or_name)
        title = _choose(await ask(self.door, _API, _search(name)), name, args.wikidata_id) if name else ""
        if not title:
            return SourceReply()
        found = await ask(self.door, _API, {
            "action": "query", "titles": title, "redirects": 1, "prop": "extracts|pageprops|info|revisions",
            "explaintext": 1, "exsectionformat": "wiki", "exlimit": 1, "inprop": "url", "rvprop": "timestamp",
            "ppprop": "disambiguation|wikibase_item|wikibase-shortdesc",
        })  # fmt: skip
        page = next((p for p in _pages(found) if p.exists), None)
        if page is None or not page.is_about(name, args.wikidata_id):
            return SourceReply()
        return SourceReply(documents=tuple(_documents(page, name)))


def _search(name: str) -> dict[str, str | int]:
    """One question for both: the articles that the name leads to by title or redirect, and those that a search finds."""
    short = short_name(name) or name
    titles = [name, short] if _QUALIFIED.search(name) else [name, short, f"{short} (company)"]
    words = re.sub(r"[:*?~\\]", " ", _QUALIFIED.sub("", name))
    return {
        "action": "query", "titles": "|".join(dict.fromkeys(titles)), "redirects": 1, "prop": "pageprops",
        "ppprop": "disambiguation|wikibase_item|wikibase-shortdesc",
        "list": "search", "srsearch": f"{words} company", "srlimit": 8, "srprop": "redirecttitle|snippet",
    }  # fmt: skip


@dataclass(frozen=True)
class _Page:
    """A page as `prop=` gives it."""

    raw: Mapping[str, JsonValue]

    @property
    def title(self) -> str:
        return text(self.raw.get("title"))

    @property
    def exists(self) -> bool:
        return bool(self.title) and not any(flag(self.raw.get(k)) for k in ("missing", "invalid", "interwiki"))

    @property
    def props(self) -> Mapping[str, JsonValue]:
        return table(self.raw.get("pageprops"))

    @property
    def item(self) -> str:
        return text(self.props.get("wikibase_item"))

    @property
    def described(self) -> str:
        return text(self.props.get("wikibase-shortdesc"))

    @property
    def usable(self) -> bool:
        """Not a list of namesakes, and an article: a page of another namespace is about Wikipedia itself."""
        return self.exists and "disambiguation" not in self.props and self.raw.get("ns", 0) == 0

    @property
    def company(self) -> bool:
        """Whether its short description, or the words in brackets behind its title, say that it is a company."""
        bracketed = _QUALIFIED.search(self.title)
        if self.described:
            return company_like(self.described)
        return bracketed is not None and company_like(bracketed[1])

    @property
    def extract(self) -> str:
        found = self.raw.get("extract")
        return whole(found) if isinstance(found, str) else ""

    @property
    def url(self) -> str:
        """Its address for people, on Wikipedia and nowhere else."""
        for key in ("canonicalurl", "fullurl"):
            url = normalise_url(text(self.raw.get(key)))
            if (urlsplit(url).hostname or "").endswith("wikipedia.org"):
                return url
        return f"{_SITE}/wiki/{quote(self.title.replace(' ', '_'), safe='/:@!$,;~*()-._')}"

    @property
    def revised(self) -> datetime | None:
        """When the article was last edited."""
        stamps = (parse_date(r.get("timestamp")) for r in items(self.raw.get("revisions")))
        return next((s for s in stamps if s is not None), None)

    def is_about(self, name: str, item: str) -> bool:
        """Whether the article, now that it is read, is about the company that is meant."""
        if not self.usable or (item and self.item and item != self.item):
            return False
        sentence = first_sentence(next((s.text for s in sections(self.extract)), ""))
        if item and item == self.item:
            return True
        named = same_name(_bare(self.title), _bare(name)) or _holds(sentence, short_name(_bare(name)))
        return named and (self.company or company_like(_predicate(sentence)))


def _choose(found: Mapping[str, JsonValue], name: str, item: str) -> str:
    """The title of the article that is most likely about the company; empty when none is. Raises SourceError."""
    query = found.get("query")
    if query is None and "batchcomplete" in found:
        return ""  # nothing at all was found
    hits = table(query).get("search")
    pages = [p for p in _pages(found, strict=not isinstance(hits, list)) if p.usable]
    # What leads into a section of an article is not what the article is about.
    inside = {text(r.get("to")) for r in items(table(query).get("redirects")) if r.get("tofragment")}
    pages = [p for p in pages if p.title not in inside]
    # Of two that fit, what calls itself a company comes before what is a service, and the plain title before one in brackets.
    pages.sort(key=lambda p: (not _PLAINLY.search(p.described), _QUALIFIED.search(p.title) is not None))
    ranked = [p.title for p in pages if item and p.item == item]
    ranked += [p.title for p in pages if p.company and not (item and p.item and p.item != item)]
    ranked += [title for title in _hits(hits, name) if title not in inside]
    # Without a description nothing is known yet: the article's first sentence will tell.
    ranked += [p.title for p in pages if not p.described]
    return next(iter(ranked), "")


def _hits(hits: JsonValue, name: str) -> Iterator[str]:
    """Titles that a search found and that bear the name, those that speak of a company first."""
    fitting: list[tuple[bool, str]] = []
    for hit in items(hits):
        title = text(hit.get("title"))
        names = [_bare(title), _bare(text(hit.get("redirecttitle")))]
        if title and hit.get("ns", 0) == 0 and any(same_name(n, _bare(name)) for n in names):
            fitting.append((company_like(f"{title} {_MARKUP.sub('', text(hit.get('snippet')))}"), title))
    yield from (title for speaks, title in sorted(fitting, key=lambda pair: not pair[0]))


def _pages(found: Mapping[str, JsonValue], *, strict: bool = True) -> list[_Page]:
    """The pages of a reply, as a list or by their numbers. Raises SourceError (malformed) when there are none at all."""
    pages = table(found.get("query")).get("pages")
    if not isinstance(pages, dict | list):
        if strict:
            raise SourceError(FailureKind.MALFORMED, "Wikipedia answered without pages.")
        return []
    return [_Page(one) for one in items(pages)]


def _bare(title: str) -> str:
    return _QUALIFIED.sub("", title)


def _holds(sentence: str, name: str) -> bool:
    """Whether a sentence names a company: a redirect may lead to the article of its buyer."""
    words = " ".join(name_words(name))
    return bool(words) and f" {words} " in f" {' '.join(name_words(sentence))} "


def _predicate(sentence: str) -> str:
    """What a sentence says that its subject is: `an American company`, without what follows about it."""
    said = re.split(r"\b(?:is|was|are|were)\b", sentence, maxsplit=1)[-1]
    return re.split(r",| (?:that|which|who|whose|based|headquartered|founded|in|by|for|with)\b", said, maxsplit=1)[0]


def _documents(page: _Page, name: str) -> Iterator[SourceDocument]:
    """The first sentence as the profile's summary, then the prose, one document for each section."""
    bare = _bare(page.title)
    about = bare if same_name(bare, _bare(name)) else _bare(name)
    for section in sections(page.extract):
        if section.heading:
            url, title = f"{page.url}#{section.anchor}", f"{page.title}: {section.heading} (Wikipedia)"
        else:
            url, title = page.url, f"{page.title} (Wikipedia)"
            if sentence := first_sentence(section.text):
                # By itself: a document with fields gives evidence for these only, and the prose has more to say.
                summary = FieldQuote(dataset="profile", field="summary", quote=sentence, value=sentence)
                yield _document(page, about, url, title, sentence, (summary,))
        yield _document(page, about, url, title, section.text)


def _document(
    page: _Page, about: str, url: str, title: str, prose: str, fields: tuple[FieldQuote, ...] = ()
) -> SourceDocument:
    return SourceDocument(
        url=url,
        title=title,
        text=prose,
        published_at=page.revised,
        origin="wikipedia.org",
        licence=f'{_LICENCE}: "{page.title}", {page.url}',
        about=about,
        fields=fields,
    )


SOURCES = (Wikipedia,)
