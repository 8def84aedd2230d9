"""Job postings, wherever they come from: their plain text, and the sentences that can be said of many of them."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import AwareDatetime, JsonValue

from tools.base import FieldQuote, Frozen, SourceDocument
from tools.reading.contacts import has_contacts, without_contacts
from tools.reading.job_words import function_of, is_key_title, technologies_in
from tools.reading.namesakes import same_name

LONGEST_TEXT: Final = 20_000
"""Characters of a posting that are read."""
SHOWN_TEXT: Final = 3_000
"""Characters of a posting that become a document."""
MOST_KEY_TITLES: Final = 8
MOST_TECHNOLOGIES: Final = 20

_BLOCK = re.compile(r"<(?:/?(?:p|div|li|ul|ol|h[1-6]|tr|table|section)|br)\b[^<>]{0,500}>", re.IGNORECASE)
_HIDDEN = re.compile(r"<(?:script|style)\b[^<>]{0,500}>[^<]*", re.IGNORECASE)
_MARKUP = re.compile(r"<[^<>]{0,2000}>")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'])")
_AWAY = re.compile(r"remote|hybrid|anywhere|flexible|multiple|various|home|[/;|()]", re.IGNORECASE)
_SPOKEN_WITH_A_VOWEL = frozenset("AEFHILMNORSX")


class Posting(Frozen):
    """One open position."""

    title: str
    url: str
    location: str = ""
    department: str = ""
    text: str = ""
    """Plain text without addresses and numbers of people."""
    sites: tuple[str, ...] = ()
    """Hosts that the posting links to."""
    published_at: AwareDatetime | None = None


def text_of(value: object, longest: int = LONGEST_TEXT * 6) -> str:
    """A value as a text that every part of the house can hold; what is no text is empty."""
    if not isinstance(value, str):
        return ""
    return value[:longest].replace("\0", "").encode("utf-8", "ignore").decode()


def plain_text(markup: object) -> str:
    """The words of a piece of HTML, one line per paragraph; what is no text is empty."""
    text = _MARKUP.sub("", _BLOCK.sub("\n", _HIDDEN.sub(" ", text_of(markup))))
    lines = (" ".join(line.split()) for line in text_of(html.unescape(text)).split("\n"))
    return "\n".join(line for line in lines if line)[:LONGEST_TEXT]


def impersonal(text: str) -> str:
    """A text without e-mail addresses and telephone numbers, nor the sentences that hold one: they name people too."""
    lines = []
    for line in text.split("\n"):
        kept = line
        if has_contacts(line):
            kept = " ".join(s for s in _SENTENCE.split(line) if not has_contacts(s))
        if kept:
            lines.append(kept)
    return "\n".join(lines)


def one_line(value: object, longest: int = 160) -> str:
    """A short text on one line, fit to stand in a sentence between quotation marks; what is no text is empty."""
    plain = without_contacts(html.unescape(text_of(value, longest * 4)), noted=False).replace('"', "'")
    return " ".join("".join(c for c in plain if c.isprintable() or c.isspace()).split())[:longest].strip()


def from_milliseconds(value: object) -> datetime | None:
    """A time in milliseconds since 1970, as Lever gives it; None when it is none of this century."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 946_684_800_000 < value < 4_102_444_800_000:
        return None
    return datetime.fromtimestamp(value / 1000, UTC)


def newest(postings: Sequence[Posting]) -> datetime | None:
    """When the last of the postings was published; None when none of them says."""
    return max((p.published_at for p in postings if p.published_at is not None), default=None)


def in_words(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else ""


class _Page:
    """A text that grows by a sentence at a time, and the fields that its sentences fill."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.fields: list[FieldQuote] = []

    def say(self, sentence: str, dataset: str, field: str, value: JsonValue) -> None:
        if sentence not in self.lines:
            self.lines.append(sentence)
        self.fields.append(FieldQuote(dataset=dataset, field=field, quote=sentence, value=value))


def summary(company: str, board: str, url: str, postings: Sequence[Posting]) -> SourceDocument:
    """How many positions a board lists, in which functions, and the key ones among them. `board`: `its Greenhouse board`."""
    page, count = _Page(), len(postings)
    page.say(f"{company} lists {_positions(count)} on {board}.", "hiring", "total", count)
    functions = Counter(function_of(p.title, p.department) for p in postings)
    for name, number in sorted(functions.items(), key=lambda item: (-item[1], item[0])):
        if name != "Other":
            said = f"{company} has {_positions(number)} in {name}."
            page.say(said, "hiring", "by_function", {"name": name, "count": number})
    key = sorted((p for p in postings if is_key_title(p.title)), key=_latest_first)
    by_title: dict[str, Posting] = {}
    for posting in key:
        by_title.setdefault(posting.title.casefold(), posting)
    for posting in list(by_title.values())[:MOST_KEY_TITLES]:
        value: JsonValue = {"name": posting.title, "location": posting.location, "url": posting.url}
        said = f"{company} is hiring {_article(posting.title)} {posting.title}{_place(posting.location)}."
        page.say(said, "hiring", "key_titles", value)
    return SourceDocument(
        url=url,
        title=f"{company}: open positions",
        text="\n".join(page.lines),
        published_at=newest(postings),
        about=company,
        fields=tuple(page.fields),
    )


def technologies(company: str, url: str, postings: Sequence[Posting]) -> SourceDocument | None:
    """The technologies that postings name, each with a posting that names it; None when they name none."""
    naming: dict[tuple[str, str], list[Posting]] = {}
    for posting in sorted(postings, key=_latest_first):
        for found in technologies_in(f"{posting.title}\n{posting.text}"):
            if not same_name(found[0], company):
                naming.setdefault(found, []).append(posting)
    page, told = _Page(), sorted(naming.items(), key=lambda item: -len(item[1]))[:MOST_TECHNOLOGIES]
    for (name, category), where in told:
        value: JsonValue = {"name": name, "category": category, "evidence": where[0].url}
        said = (
            f'{company} names {name} in its posting "{where[0].title}".'
            if len(where) == 1
            else f'{company} names {name} in {len(where)} of its postings, among them "{where[0].title}".'
        )
        page.say(said, "technology", "tools", value)
        if category == "language":
            page.say(said, "technology", "languages", value)
    if not page.lines:
        return None
    return SourceDocument(
        url=url,
        title=f"{company}: technologies named in open positions",
        text="\n".join(page.lines),
        published_at=newest([p for _, where in told for p in where]),
        about=company,
        fields=tuple(page.fields),
    )


def as_document(company: str, posting: Posting) -> SourceDocument:
    """A posting in its own words."""
    head = "\n".join(filter(None, (posting.title, posting.location, posting.department)))
    text = f"{head}\n\n{posting.text}".strip()
    if len(text) > SHOWN_TEXT:
        text = text[:SHOWN_TEXT].rsplit(None, 1)[0]
    return SourceDocument(
        url=posting.url, title=posting.title, text=text, published_at=posting.published_at, about=company
    )


def telling(postings: Sequence[Posting], most: int) -> list[Posting]:
    """The postings that tell most about a company: key titles first, then the latest."""
    return sorted((p for p in postings if p.text), key=lambda p: (not is_key_title(p.title), *_latest_first(p)))[:most]


def _latest_first(posting: Posting) -> tuple[float, str]:
    when = posting.published_at
    return (-when.timestamp() if when is not None else 0.0, posting.title)


def _positions(count: int) -> str:
    return f"{count:,} open position{'s' if count != 1 else ''}"


def _article(title: str) -> str:
    first = title.split(" ", 1)[0].strip("(,")
    if len(first) > 1 and first.isupper():  # letters are spelt out: an SVP, a VP
        return "an" if first[0] in _SPOKEN_WITH_A_VOWEL else "a"
    return "an" if first[:1].lower() in "aeio" or first[:2].lower() in ("un", "up") else "a"


def _place(location: str) -> str:
    if not location:
        return ""
    return f" ({location})" if _AWAY.search(location) else f" in {location}"
