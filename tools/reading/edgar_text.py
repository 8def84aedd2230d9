"""A filing's HTML as lines of text: what a reader sees, without page furniture, and with what its emphasis tells.

Filings are inline XBRL from a dozen programs: headings are bold paragraphs, table rows or spans, never `h1`; whole documents
sit in layout tables; half of the bytes are a hidden header. The parser is fed once, event by event: no tree is built.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache

from lxml import etree

_SKIPPED = frozenset({"head", "script", "style", "title", "ix:header", "ix:hidden", "noscript"})
_BLOCKS = frozenset(
    "address article blockquote body center dd div dl dt footer form h1 h2 h3 h4 h5 h6 header hr li main ol p pre section "
    "table tbody tfoot thead ul".split()
)
_BOLD, _ITALIC, _UNDERLINED = frozenset({"b", "strong", "th"}), frozenset({"i", "em"}), frozenset({"u", "ins"})
_INVISIBLE = {ord(c): None for c in "\u200b\u200c\u200d\u2060\ufeff\xad"}
_MARK = re.compile(r"[^\w\s$€£¥%]{1,3}|o")
"""What stands in the first cell of a bullet made of a table."""
_PAGE = re.compile(r"(?:page\s*)?[-–—]?\s*(?:[FSA]-)?\d{1,3}\s*[-–—]?|[ivxl]{1,6}", re.IGNORECASE)
_FURNITURE = re.compile(
    r"(?:back to |return to )?table of contents|index to .{0,40}|.{0,60}\bform\s+(?:10-[kq]|20-f|40-f|8-k)\b[\s|\d]{0,12}"
    r"|\d{1,3}\s*\|.{0,60}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Line:
    """A paragraph, a heading or a row of a table."""

    text: str
    style: str = ""
    """How all of it is emphasised; empty for plain text."""
    lead: str = ""
    """The emphasised beginning of a paragraph that goes on plainly."""
    cells: tuple[str, ...] = ()
    """The cells with something in them, of a table's row."""


@dataclass(frozen=True)
class _Look:
    bold: bool = False
    italic: bool = False
    underlined: bool = False
    size: str = ""

    @property
    def stands_out(self) -> bool:
        return self.bold or self.italic or self.underlined


@dataclass
class _Row:
    cells: list[list[Line]] = field(default_factory=lambda: [[]])


def lines_of(body: bytes) -> list[Line]:
    """The visible lines of a document, in order; empty when there is no text in it."""
    reader = _Reader()
    parser = etree.HTMLParser(target=reader, encoding="utf-8", huge_tree=True)
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", decoded(body)).replace("\x00", "")
    if not text.strip():
        return []
    with suppress(etree.LxmlError):  # what was read before the fault counts
        etree.fromstring(text.encode("utf-8", "replace"), parser)
    reader.finish()
    return _without_furniture(reader.lines)


def decoded(body: bytes) -> str:
    """Text of a document that may be in UTF-8 or, in older filings, in Windows' Western encoding."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def plain(text: str) -> str:
    """One space between words, nothing invisible."""
    return " ".join(text.translate(_INVISIBLE).split())


class _Reader:
    """What the parser tells, put together to lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._looks = [_Look()]
        self._rows: list[_Row] = []
        self._runs: list[tuple[str, _Look]] = []
        self._skipping = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        hidden, *style = _styled(attributes.get("style", ""))
        if self._skipping or hidden or tag in _SKIPPED:
            self._skipping += 1
            return
        above = self._looks[-1]
        bold, italic, underlined, size = style
        self._looks.append(
            _Look(
                tag in _BOLD or tag in ("h1", "h2", "h3", "h4") or (above.bold if bold is None else bool(bold)),
                tag in _ITALIC or (above.italic if italic is None else bool(italic)),
                tag in _UNDERLINED or (above.underlined if underlined is None else bool(underlined)),
                str(size or above.size),
            )
        )
        if tag == "br":
            self._break()
        elif tag == "tr":
            self._flush()
            self._rows.append(_Row())
        elif tag in ("td", "th"):
            self._flush()
            if self._rows and self._rows[-1].cells[-1]:
                self._rows[-1].cells.append([])
        elif tag in _BLOCKS:
            self._flush()

    def end(self, tag: str) -> None:
        """An element ends."""
        if self._skipping:
            self._skipping -= 1
            return
        if len(self._looks) > 1:
            self._looks.pop()
        if tag in _BLOCKS or tag in ("td", "th"):
            self._flush()
        elif tag == "tr":
            self._flush()
            if self._rows:
                for line in _row_lines(self._rows.pop()):
                    self._emit(line)

    def data(self, text: str) -> None:
        """Text, in pieces of any length."""
        if not self._skipping:
            self._runs.append((text, self._looks[-1]))

    def comment(self, text: str) -> None:
        """Nothing that is seen."""

    def close(self) -> None:
        """The document ends."""

    def finish(self) -> None:
        """Nothing is left over, whatever was never closed."""
        self._flush()
        while self._rows:
            for line in _row_lines(self._rows.pop()):
                self._emit(line)

    def _break(self) -> None:
        """Two line breaks are a new paragraph, one is a space."""
        if self._runs and self._runs[-1][0] == "\n\n":
            self._flush()
        else:
            self._runs.append(("\n\n", self._looks[-1]))

    def _flush(self) -> None:
        runs, self._runs = self._runs, []
        if runs and (line := _line(runs)) is not None:
            self._emit(line)

    def _emit(self, line: Line) -> None:
        (self._rows[-1].cells[-1] if self._rows else self.lines).append(line)


def _line(runs: Sequence[tuple[str, _Look]]) -> Line | None:
    text = plain("".join(t for t, _ in runs))
    if not text:
        return None
    told = [(t, look) for t, look in runs if any(c.isalnum() for c in t)]
    first = next((i for i, (_, look) in enumerate(told) if not look.stands_out), len(told))
    if told and first == len(told):
        look = told[0][1]
        return Line(text, "".join(c for c, on in zip("biu", _marks(look), strict=True) if on) + _caps(text) + look.size)
    if not told or first == 0:
        return Line(text, "caps" if _caps(text) and len(text) <= 100 else "")
    lead = ""
    for t, look in runs:
        if not look.stands_out and any(c.isalnum() for c in t):
            break
        lead += t
    shown = plain(lead)
    return Line(text, lead=shown if text.startswith(shown) else "")


def _marks(look: _Look) -> tuple[bool, bool, bool]:
    return look.bold, look.italic, look.underlined


def _caps(text: str) -> str:
    letters = [c for c in text if c.isalpha()]
    return "C" if len(letters) > 3 and all(c.isupper() for c in letters) else ""


def _row_lines(row: _Row) -> list[Line]:
    """A row of data as one line with its cells; a row that only lays out its page as the lines in it."""
    cells = [cell for cell in row.cells if cell]
    if len(cells) > 1 and len(cells[0]) == 1 and _MARK.fullmatch(cells[0][0].text):
        cells = cells[1:]
    flat = [line for cell in cells for line in cell]
    prose = any(len(cell) > 1 and sum(len(p.text) for p in cell) > 250 for cell in cells)
    if len(cells) <= 1 or prose or any(line.cells for line in flat):
        return flat
    texts = tuple(" ".join(line.text for line in cell) for cell in cells)
    style = flat[0].style if all(line.style for line in flat) else ""
    return [Line(_amounts(" ".join(texts)), style, cells=texts)]


def _amounts(text: str) -> str:
    """Amounts whose sign, currency and percent stand in cells of their own, put together."""
    text = re.sub(r"([$€£¥(])\s+(?=[\d(])", r"\1", text)
    return re.sub(r"(?<=\d)\s+([)%])", r"\1", text)


def _without_furniture(lines: Sequence[Line]) -> list[Line]:
    """Page numbers and running heads go, and a paragraph that they cut is one again."""
    kept: list[Line] = []
    cut = False
    for line in lines:
        if len(line.cells) < 2 and len(line.text) <= 90 and (_is_page(line.text) or _FURNITURE.fullmatch(line.text)):
            cut = True
            continue
        if cut and kept and _goes_on(kept[-1], line):
            kept[-1] = replace(kept[-1], text=f"{kept[-1].text} {line.text}")
        else:
            kept.append(line)
        cut = False
    return kept


def _is_page(text: str) -> bool:
    return len(text) <= 10 and _PAGE.fullmatch(text) is not None


def _goes_on(before: Line, after: Line) -> bool:
    return (
        not before.cells and not after.cells and before.text[-1] not in ".!?:;”\"')" and after.text[:1].islower()
    )  # fmt: skip


@lru_cache(maxsize=4_096)
def _styled(style: str) -> tuple[bool, bool | None, bool | None, bool | None, str]:
    """Hidden, bold, italic, underlined and size as a style attribute says; None where it says nothing."""
    said: dict[str, str] = {}
    for part in style.lower().split(";"):
        name, _, value = part.partition(":")
        said[name.strip()] = value.strip()
    font = said.get("font", "")
    weight, slant = said.get("font-weight", ""), said.get("font-style", "")
    bold = _heavy(weight) if weight else (True if "bold" in font else None)
    italic = slant in ("italic", "oblique") if slant else (True if "italic" in font else None)
    line = said.get("text-decoration", said.get("text-decoration-line", ""))
    size = said.get("font-size", "")
    return said.get("display") == "none", bold, italic, "underline" in line if line else None, size


def _heavy(weight: str) -> bool:
    return int(weight) >= 600 if weight.isdigit() and len(weight) < 5 else weight.startswith("bold")
