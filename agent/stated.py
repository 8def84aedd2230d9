"""What a text or a file's name says of itself in so many words: its day of publication, its author, its title. Pure.

Only what is certain: two different days among the first lines are none, and a day in the middle of a sentence is a day
of something else.
"""

from __future__ import annotations

import re
from datetime import datetime

from tools.reading.dates import parse_date

LINES = 15
"""How many lines from the top are a text's own head."""

_LABEL = re.compile(
    r"(?:(?:first )?published|publication date|date of publication|date published|release date|released|posted|issued"
    r"|date|dated)(?:\s+on)?\s*:?\s+(?P<rest>\S.*)",
    re.IGNORECASE,
)
_MARKS = "#*_> \t"
_PIECES = re.compile(r"\s+[|·•–—]\s+")
_NAME_DATE = re.compile(r"(?<!\d)((?:19|20)\d{2})([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")
_BYLINE = re.compile(r"(?:by|written by|author:?)\s+(?P<names>\S.*)", re.IGNORECASE)
_PERSON = re.compile(r"[^\W\d_][\w.'’-]*(?: (?:[^\W\d_][\w.'’-]*)){1,3}")
_JUNK = re.compile(
    r"untitled.*|(?:microsoft )?(?:word|powerpoint|excel)(?: presentation| document)? - .*|(?:slide|document|presentation"
    r"|title|page)\s*\d*|.*\.(?:docx?|pptx?|xlsx?|pdf|indd|tex|dvi|html?|odt|qxd)|[\W\d_]*",
    re.IGNORECASE,
)


def stated_date(text: str) -> datetime | None:
    """The day that the first lines give: `Published: March 3, 2026`, or `March 3, 2026` with a line to itself."""
    labelled: set[datetime] = set()
    alone: set[datetime] = set()
    for line in _head(text):
        for piece in _PIECES.split(line):
            if (label := _LABEL.fullmatch(piece)) and (day := parse_date(_plain(label["rest"]))) is not None:
                labelled.add(day)
            elif (day := parse_date(piece)) is not None:
                alone.add(day)
    found = labelled or alone
    return found.pop() if len(found) == 1 else None


def date_in_name(name: str) -> datetime | None:
    """The day in a file's name, `2026-03-03-report.md`; eight digits in a row count too, when they are a day."""
    days = {parse_date(f"{y}-{m}-{d}") for y, _, m, d in _NAME_DATE.findall(name)} - {None}
    return days.pop() if len(days) == 1 else None


def stated_author(text: str) -> str:
    """Who a byline among the first lines names: `By Jane Doe`."""
    for line in _head(text)[:6]:
        for piece in _PIECES.split(line):
            byline = _BYLINE.fullmatch(piece)
            if byline and (names := _people(byline["names"])):
                return names
    return ""


def _people(text: str) -> str:
    """The names, where the whole text is names of people in capitals."""
    names = [n.strip() for n in re.split(r",\s*|\s+and\s+|\s*&\s*", text.strip()) if n.strip()]
    good = all(_PERSON.fullmatch(n) and all(w[0].isupper() for w in (n.split()[0], n.split()[-1])) for n in names)
    return ", ".join(names) if names and good else ""


def is_title(text: str) -> bool:
    """Whether a title in a file's metadata is one, and not what the program that wrote it put there."""
    return len(text.strip()) > 2 and not _JUNK.fullmatch(text.strip())


def first_line(text: str) -> str:
    """The first line that may be a title; empty when there is none among the first few."""
    for line in _head(text)[:5]:
        if 4 <= len(line) <= 150 and re.search(r"[^\W\d_]{2}", line) and parse_date(line) is None:
            return line
    return ""


def _head(text: str) -> list[str]:
    """The first lines that are not blank, without Markdown's marks."""
    lines = (_plain(line) for line in text[:6_000].splitlines())
    return [line for line in lines if line][:LINES]


def _plain(line: str) -> str:
    return re.sub(r"[*_]{1,3}", "", line.strip(_MARKS)).strip()
