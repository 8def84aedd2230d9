"""The parts of an annual or quarterly report that tell something of the company, found by their headings.

A table of contents repeats every heading: of several places with the same one, the longest is meant. Filers number items
alike but title subsections as they please; a subsection ends where a heading of its own or a higher rank begins, and ranks
show by the emphasis that came first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.reading.contacts import has_contacts, without_contacts
from tools.reading.edgar_text import Line

MOST_CHARS = 20_000
MOST_RISKS = 40
_LONG_ENOUGH = 400
"""Characters below which what stands under a heading is a line of a table of contents or a reference."""

_ITEM = re.compile(
    r"(?:part\s+[ivx]+\s*[,.:;–—-]*\s*)?items?\s*(\d{1,2})\s?([a-k](?![a-z]))?\.?"
    r"(?:\s*(?:and|&)\s*\d{1,2}[a-c]?)?\s*[.:;–—-]*\s*(.*)",
    re.IGNORECASE,
)
_KINDS = (
    (
        "business",
        re.compile(
            r"(?:our |the |general |description of )*business(?:\b(?! combination).{0,60})?|information on the company"
        ),
    ),
    ("risks", re.compile(r"(?:summary of )?risk factors.{0,40}|key information")),
    ("mda", re.compile(r"management.s discussion and analysis.*|operating and financial review.*")),
    (
        "officers",
        re.compile(
            r"(?:information (?:about|on|regarding|concerning) )?(?:our |the )?executive officers.{0,40}"
            r"|directors, (?:senior management|executive officers).*"
        ),
    ),
)
_NUMBERS = {
    "10-K": {"1": "business", "1A": "risks", "7": "mda"},
    "20-F": {"4": "business", "5": "mda", "6": "officers"},
    "10-Q": {"2": "mda", "1A": "risks"},
}
_PARTS = {
    "competition": re.compile(
        r"(?:our )?(?:competition|competitors|competitive (?:landscape|environment|conditions|position|factors))(?: .{0,30})?"
    ),
    "customers": re.compile(
        r"(?:our |significant |major |principal )*(?:customers?|clients|customer base|customer concentration|partners"
        r"|partner ecosystem|strategic partnerships)(?: and .{0,30})?"
    ),
    "strategy": re.compile(
        r"(?:our |key |business |corporate |company |growth |long-term )*(?:strateg(?:y|ies)|strategic priorities"
        r"|growth opportunities|priorities)(?: .{0,30})?"
    ),
}
_PARTS["officers"] = next(pattern for kind, pattern in _KINDS if kind == "officers")
_OVERVIEW = re.compile(r"(?:executive |business |company |financial |general )*(?:overview|summary)(?: .{0,50})?")
_RUNNING = re.compile(r"part\s+[ivx]+|(?:part\s+[ivx]+\W*)?items?\s*\d{1,2}[a-c]?\.?", re.IGNORECASE)
"""What some filers repeat at the top of every page."""
_PEOPLE = r"(?:employees|people|team members|associates|colleagues|teammates)"
_EMPLOYEES = re.compile(
    r"\b(?:we|company|corporation|group|subsidiaries|inc\.?|corp\.?|llc|plc|ltd\.?|workforce|headcount)\b[^.;]{0,90}?"
    r"\b(?:had|have|has|employed|employ|employs|consisted of|comprised|totaled|included|was|were)\b[^.;\d]{0,60}?"
    r"(?<![\d$,.])(\d{1,3}(?:,\d{3})+|\d{1,6})\s+(?:[a-z-]+\s+){0,4}?" + _PEOPLE,
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z“\"])")
_NAME = re.compile(r"[A-Z][\w.'’-]*(?:,? +(?:[A-Z][\w.'’-]*|[a-z]{1,3}|[“\"(][\w.]+[”\")])){1,5}")
_NOTE = re.compile(r"\s*(?:\(\d{1,2}\)|[*†‡]+)\s*")


@dataclass(frozen=True)
class Section:
    """Lines under one heading."""

    kind: str
    heading: str
    lines: tuple[Line, ...]

    @property
    def size(self) -> int:
        """Characters."""
        return sum(len(line.text) for line in self.lines)


@dataclass(frozen=True)
class _Heading:
    at: int
    body: int
    kind: str
    label: str
    title: str


def sections(lines: Sequence[Line], form: str) -> dict[str, Section]:
    """The business, risk factors, discussion and officers of a report, each where it is longest."""
    found: dict[str, Section] = {}
    told = list(_item_headings(lines, form))
    bold = [h for h in told if lines[h.at].style]
    # Where headings stand out, a plain line that begins like one only mentions it.
    headings = _merged(bold if len(bold) >= 3 else told)
    for here, after in zip(headings, [*headings[1:], None], strict=False):
        _keep(found, here.kind, here.title, lines[here.body : after.at if after else len(lines)])
    for kind, pattern in _KINDS:
        if kind not in found:  # a report without item numbers, or a part of an item
            for at, line in enumerate(lines):
                if line.style and len(line.text) <= 90 and pattern.fullmatch(_low(line.text)):
                    end = next((i for i in range(at + 1, len(lines)) if _ends(lines, at, i, headings)), len(lines))
                    _keep(found, kind, line.text, lines[at + 1 : end])
    return found


def _keep(found: dict[str, Section], kind: str, title: str, lines: Sequence[Line]) -> None:
    section = Section(kind, title, tuple(lines))
    if kind and section.size >= _LONG_ENOUGH and (kind not in found or section.size > found[kind].size):
        found[kind] = section


def _ends(lines: Sequence[Line], start: int, at: int, headings: Sequence[_Heading]) -> bool:
    alike = lines[at].style == lines[start].style and len(lines[at].text) <= 150
    return alike or any(h.at == at for h in headings)


def _item_headings(lines: Sequence[Line], form: str) -> Iterator[_Heading]:
    numbers = _NUMBERS.get(form.removesuffix("/A").removesuffix("T"), {})
    for at, line in enumerate(lines):
        told = _ITEM.fullmatch(line.text) if len(line.text) <= 200 else None
        if told is None:
            continue
        label, title, body = f"{told[1]}{(told[2] or '').upper()}", told[3].strip(), at + 1
        if not title and at + 1 < len(lines) and len(lines[at + 1].text) <= 150:
            title, body = lines[at + 1].text, at + 2
        if (title and not title[0].isupper()) or _is_sentence(title):
            continue
        kind = next((k for k, pattern in _KINDS if pattern.fullmatch(_low(title))), "")
        yield _Heading(at, body, kind or ("" if title else numbers.get(label, "")), label, title)


def _is_sentence(title: str) -> bool:
    """Whether what follows an item's number is prose that mentions the item, not its title."""
    return re.search(r"\b(?:of this|in this|above|below|herein|see|refer)\b", title, re.IGNORECASE) is not None


def _merged(headings: Sequence[_Heading]) -> list[_Heading]:
    """One heading for an item that is headed again on each of its pages."""
    kept: list[_Heading] = []
    for one in headings:
        if not kept or kept[-1].label != one.label or one.kind not in ("", kept[-1].kind):
            kept.append(one)
    return kept


def _low(title: str) -> str:
    bare = re.sub(r"\s*\(?continued\)?\.?$", "", title.casefold().replace("’", "'"))
    return re.sub(r"^[a-k1-9]\.\s+|^\d\.[a-d]\.?\s*", "", bare).strip(" .:–—-")


def parts(section: Section) -> tuple[dict[str, Section], Section]:
    """Competition, customers, strategy and officers where a section has them, and the section without them."""
    ranks = list(dict.fromkeys(line.style for line in section.lines if _heads(line)))
    found: dict[str, Section] = {}
    taken: set[int] = set()
    for kind, pattern in _PARTS.items():
        for at, line in enumerate(section.lines):
            if not _heads(line) or not pattern.fullmatch(_low(line.text)):
                continue
            end = _end_of(section.lines, at, ranks)
            if _size(section.lines[at + 1 : end]) > max(_size(found[kind].lines) if kind in found else 0, 200):
                found[kind] = Section(kind, line.text, section.lines[at + 1 : end])
                taken |= set(range(at, end))
    rest = tuple(line for at, line in enumerate(section.lines) if at not in taken)
    return found, Section(section.kind, section.heading, rest)


def overview(section: Section) -> Section:
    """The overview of a discussion where it has one, else its beginning."""
    ranks = list(dict.fromkeys(line.style for line in section.lines if _heads(line)))
    for at, line in enumerate(section.lines):
        if _heads(line) and _OVERVIEW.fullmatch(_low(line.text)):
            inside = section.lines[at + 1 : _end_of(section.lines, at, ranks)]
            if _size(inside) >= _LONG_ENOUGH:
                return Section(section.kind, line.text, inside)
    return section


def _heads(line: Line) -> bool:
    return bool(line.style) and not line.cells and 3 <= len(line.text) <= 100 and not line.text.endswith((",", ";"))


def _end_of(lines: Sequence[Line], at: int, ranks: Sequence[str]) -> int:
    own = ranks.index(lines[at].style)
    return next(
        (i for i in range(at + 1, len(lines)) if _heads(lines[i]) and ranks.index(lines[i].style) <= own), len(lines)
    )


def _size(lines: Sequence[Line]) -> int:
    return sum(len(line.text) for line in lines)


def prose(lines: Sequence[Line], most: int = MOST_CHARS) -> str:
    """The paragraphs as text, cut at a paragraph: no rows of figures, and nobody's address or number."""
    kept: list[str] = []
    room = most
    for line in lines:
        if _is_figures(line) or (len(line.text) <= 200 and has_contacts(line.text)):
            continue
        if _RUNNING.fullmatch(line.text):
            continue
        clean = without_contacts(line.text)
        if len(clean) > room:
            # A whole section in one paragraph is cut at a sentence.
            kept += [] if kept else [clean[: max(clean.rfind(". ", 0, room) + 1, 0)]]
            break
        room -= len(clean) + 2
        kept.append(clean)
    return "\n\n".join(kept).strip()


def _is_figures(line: Line) -> bool:
    numbers = sum(not any(c.isalpha() for c in cell) for cell in line.cells)
    return len(line.cells) >= 2 and numbers * 2 >= len(line.cells)


def risks(section: Section) -> list[str]:
    """The risks as their headings state them: whole sentences that stand out."""
    found: dict[str, None] = {}
    for line in section.lines:
        said = line.text if line.style else line.lead
        whole = said.endswith((".", ".”", '."', ".’")) or (bool(line.style) and len(said.split()) >= 12)
        if whole and not line.cells and 40 <= len(said) <= 600 and said[0].isupper() and len(said.split()) >= 6:
            found[said] = None
    return list(found)[:MOST_RISKS]


def employees(lines: Sequence[Line]) -> tuple[str, int] | None:
    """The sentence that says how many people the company employs, and the number."""
    best: tuple[str, int] | None = None
    for line in lines:
        if line.cells or not re.search(r"employ|workforce|headcount|team members", line.text, re.IGNORECASE):
            continue
        for sentence in _SENTENCE.split(line.text):
            told = _EMPLOYEES.search(sentence)
            if told is None or len(sentence) > 500 or re.search(r"\b(?:if|customers with)\b", told[0], re.IGNORECASE):
                continue
            dated = re.match(r"(?:as of|at|on) ", sentence, re.IGNORECASE) or re.search(r"as of [A-Z]", sentence)
            if dated:
                return sentence, int(told[1].replace(",", ""))
            best = best or (sentence, int(told[1].replace(",", "")))
    return best


def officers(lines: Sequence[Line]) -> list[tuple[str, str]]:
    """Names and titles from tables headed name, age and position."""
    found: dict[str, str] = {}
    columns: tuple[int, int, int] | None = None
    for line in lines:
        cells = [_NOTE.sub(" ", cell).strip() for cell in line.cells]
        columns = _columns(cells) or (columns if len(cells) >= 2 else None)
        if columns is None or len(cells) != 3 or not re.fullmatch(r"\d{2}", cells[columns[1]]):
            continue
        name, role = cells[columns[0]], cells[columns[2]].rstrip(".;, ")
        if _NAME.fullmatch(name) and 2 < len(role) <= 200 and role[0].isupper() and not any(c.isdigit() for c in role):
            found.setdefault(name, role)
    return list(found.items())


def _columns(cells: Sequence[str]) -> tuple[int, int, int] | None:
    """Where name, age and position stand in a table with this head."""
    if len(cells) != 3:
        return None
    low = [cell.casefold() for cell in cells]
    name = next(
        (i for i, c in enumerate(low) if c.startswith("name") or c in ("executive officer", "executive officers")), -1
    )
    age = next((i for i, c in enumerate(low) if c == "age" or c.startswith("age ")), -1)
    role = next(
        (i for i, c in enumerate(low) if re.search(r"position|title|office\b|role|capacit", c) and i != name), -1
    )
    return (name, age, role) if min(name, age, role) >= 0 else None
