"""Takes the plain text of a Wikipedia article apart: lead, first sentence, sections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

MOST_SECTIONS = 12
MOST_CHARS = 8_000
"""Characters of a section that are kept, up to the end of a paragraph or sentence."""
LEAST_CHARS = 60
"""What is shorter is a heading whose table or list the plain text leaves out."""

_TOP = re.compile(r"^==(?!=)(.{1,200}?)(?<!=)==[ \t]*$", re.MULTILINE)
_SUB = re.compile(r"^(={3,6}) ?([^=].{0,200}?) ?\1$")
_NO_PROSE = frozenset(
    "references|external links|see also|notes|further reading|bibliography|sources|citations|footnotes|gallery|explanatory "
    "notes|works cited|notes and references|references and notes|general references|literature|publications|discography|"
    "filmography".split("|")
)
_EMPTY_BRACKETS = re.compile(r" ?\([ ;,]*\)")
_STOP = re.compile(r"[.!?][\"'”’)\]]*(?=\s|$)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Inc|Corp|Co|Ltd|Bros|Dr|Mr|Mrs|Ms|St|No|Jr|Sr|vs|etc|approx|ca?|est|pronounced|lit|Mt|Gen|Prof)|\b[A-Za-z])\.$",
    re.IGNORECASE,
)
_VERB = re.compile(r"\b(?:is|was|are|were|operates|provides|develops|makes|owns)\b")


@dataclass(frozen=True)
class Section:
    """A top section with its heading; the lead has none."""

    heading: str
    text: str
    anchor: str = ""
    """As it stands behind the `#` of the article's address."""


def sections(extract: str) -> Iterator[Section]:
    """The lead and the top sections that hold prose, in their order."""
    marks = list(_TOP.finditer(extract))
    lead = _prose(extract[: marks[0].start()] if marks else extract)
    if lead:
        yield Section("", lead)
    seen: dict[str, int] = {}
    kept = 0
    for mark, following in zip(marks, [*marks[1:], None], strict=False):
        end = following.start() if following else len(extract)
        heading = " ".join(mark[1].split())
        seen[heading] = seen.get(heading, 0) + 1
        text = _prose(extract[mark.end() : end])
        if heading.casefold() in _NO_PROSE or len(text) < LEAST_CHARS or kept == MOST_SECTIONS:
            continue
        kept += 1
        # The second section of one name has `_2` behind it.
        again = f"_{seen[heading]}" if seen[heading] > 1 else ""
        yield Section(heading, text, quote(heading.replace(" ", "_") + again, safe="-._~!$&'()*+,;=:@/"))


def first_sentence(lead: str) -> str:
    """The sentence that says what the subject is; empty when the lead has none."""
    paragraph = lead.split("\n", 1)[0]
    for stop in _STOP.finditer(paragraph):
        so_far, rest = paragraph[: stop.end()], paragraph[stop.end() :].lstrip()
        if _ABBREVIATION.search(so_far) and rest and not _VERB.search(so_far):
            continue
        if _ABBREVIATION.search(so_far) and rest[:1].islower():
            continue
        if so_far.count("(") > so_far.count(")") or not _VERB.search(so_far):
            continue
        return so_far.strip()
    return ""


def _prose(text: str) -> str:
    """Paragraphs, one to a line, with the headings inside as lines of their own; cut where it is too long."""
    lines = (" ".join(line.split()) for line in text.split("\n"))
    found = "\n".join(plain for line in lines if (plain := _EMPTY_BRACKETS.sub("", _SUB.sub(r"\2", line)).strip()))
    if len(found) <= MOST_CHARS:
        return found
    cut = found[:MOST_CHARS]
    stops = [m.end() for m in _STOP.finditer(cut)]
    return cut[: max(stops[-1] if stops else 0, cut.rfind("\n"))].rstrip() or cut
