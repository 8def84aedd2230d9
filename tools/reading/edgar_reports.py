"""Reports and current reports as documents: prose by section, and what is certain as sentences of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pydantic import JsonValue

from tools.base import FieldQuote, SourceDocument
from tools.reading.edgar_filings import ITEMS, LICENCE, ORIGIN, Filer, Filing, day
from tools.reading.edgar_sections import Section, employees, officers, overview, parts, prose, risks, sections
from tools.reading.edgar_text import Line

_EVENT_ITEM = re.compile(r"item\s*(\d\.\d{2})\s*[.:;–—-]*\s*(.*)", re.IGNORECASE)
_SIGNED = re.compile(r"signatures?", re.IGNORECASE)
_LEGALESE = re.compile(
    r"(?:cautionary (?:note|statement|language).*|(?:safe harbor|note).*forward[- ]looking.*|forward[- ]looking statements?.*"
    r"|(?:investor|media|press)(?: relations)?(?: contacts?)?:?|contacts?:?)",
    re.IGNORECASE,
)
_RELEASE = re.compile(
    r"(?<![a-z])ex(?:hibit)?[-_.]?99[-_.]?(?:d|x)?0?1(?!\d)[^/]*\.html?$|99-?0?1(?!\d)[^/]*\.html?$", re.IGNORECASE
)
_PLAIN = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
RELEASING = ("2.02", "7.01", "8.01")
"""Items whose news stands in a press release that is attached."""
_TITLES = {
    "business": "business",
    "competition": "competition",
    "customers": "customers",
    "strategy": "strategy",
    "mda": "management's discussion",
    "officers": "executive officers",
    "risks": "risk factors",
}


def report_documents(filer: Filer, filing: Filing, lines: Sequence[Line]) -> list[SourceDocument]:
    """The useful parts of an annual or quarterly report."""
    found = sections(lines, filing.form)
    made: list[SourceDocument] = []
    annual = filing.kind not in ("10-Q", "10-QT")
    # A 20-F counts its people under item 6, beside the directors.
    counted = [employees(found[kind].lines) for kind in ("business", "officers") if kind in found] if annual else []
    if stated := next((one for one in counted if one is not None), None):
        made.append(_headcount(filer, filing, *stated))
    if annual and (people := officers(lines)):
        made.append(_people(filer, filing, people))
    told: dict[str, Section] = {}
    if "business" in found:
        inner, rest = parts(found["business"])
        told = {"business": rest, **inner}
    if "mda" in found:
        told["mda"] = overview(found["mda"])
        if "strategy" not in told:
            told |= {kind: part for kind, part in parts(found["mda"])[0].items() if kind == "strategy"}
    if "officers" in found and "officers" not in told:
        told["officers"] = found["officers"]
    if "officers" in told:  # the lives, without the table of names and ages
        told["officers"] = replace(told["officers"], lines=tuple(x for x in told["officers"].lines if not x.cells))
    if "risks" in found:
        headings = risks(found["risks"])
        if headings:
            made.append(_risks(filer, filing, headings))
        else:
            told["risks"] = found["risks"]
    made += [_prose(filer, filing, kind, section) for kind, section in told.items() if prose(section.lines)]
    return made


def _named(filer: Filer, filing: Filing, what: str) -> str:
    period = f" for the period ended {day(filing.report_date)}" if filing.report_date else ""
    return f"{filer.name}: {what} ({filing.form}{period})"


def _document(filer: Filer, filing: Filing, title: str, text: str, fields: Sequence[FieldQuote] = ()) -> SourceDocument:
    return SourceDocument(
        url=filing.url,
        title=title,
        text=text,
        published_at=filing.filed,
        origin=ORIGIN,
        licence=LICENCE,
        about=filer.name,
        fields=tuple(fields),
    )


def _prose(filer: Filer, filing: Filing, kind: str, section: Section) -> SourceDocument:
    return _document(filer, filing, _named(filer, filing, _TITLES[kind]), prose(section.lines))


def _headcount(filer: Filer, filing: Filing, sentence: str, number: int) -> SourceDocument:
    value: dict[str, JsonValue] = {"n": number}
    if filing.report_date and day(filing.report_date) in sentence:
        value["as_of"] = filing.report_date.date().isoformat()
    quote = FieldQuote(dataset="profile", field="employees", quote=sentence, value=value)
    return _document(filer, filing, _named(filer, filing, "employees"), sentence, [quote])


def _people(filer: Filer, filing: Filing, people: Sequence[tuple[str, str]]) -> SourceDocument:
    end = "" if filer.name.endswith(".") else "."
    said = [(f"{name} is {role} of {filer.name}{end}", name, role) for name, role in people]
    fields = [
        FieldQuote(dataset="leadership", field="people", quote=sentence, value={"name": name, "role": role})
        for sentence, name, role in said
    ]
    text = "\n".join(sentence for sentence, _, _ in said)
    return _document(filer, filing, _named(filer, filing, "executive officers named"), text, fields)


def _risks(filer: Filer, filing: Filing, headings: Sequence[str]) -> SourceDocument:
    fields = [FieldQuote(dataset="strategy", field="risks", quote=one, value=one) for one in headings]
    return _document(filer, filing, _named(filer, filing, "risks as headed"), "\n\n".join(headings), fields)


def event_documents(filer: Filer, filing: Filing, lines: Sequence[Line]) -> list[SourceDocument]:
    """The items of a current report, one document each; exhibits and signatures left out."""
    made: list[SourceDocument] = []
    for item, section in _items(lines):
        text = prose(section.lines)
        if item in ITEMS and text:
            when = f", {day(filing.filed)}" if filing.filed else ""
            title = f"{filer.name}: {ITEMS[item]} ({filing.form} item {item}{when})"
            made.append(_document(filer, filing, title, text))
    return made


def _items(lines: Sequence[Line]) -> Iterator[tuple[str, Section]]:
    marks = [
        (at, m) for at, line in enumerate(lines) if len(line.text) <= 400 and (m := _EVENT_ITEM.fullmatch(line.text))
    ]
    end = next((i for i in range(len(lines) - 1, -1, -1) if _SIGNED.fullmatch(lines[i].text)), len(lines))
    for here, after in zip(marks, [*marks[1:], None], strict=False):
        at, told = here
        body = lines[at + 1 : min(after[0] if after else len(lines), max(end, at + 1))]
        # An item may go on in the line of its heading.
        first = (Line(told[2]),) if len(told[2]) > 200 else ()
        yield told[1], Section("item", told[2], (*first, *body))


def release_document(filer: Filer, filing: Filing, url: str, lines: Sequence[Line]) -> SourceDocument | None:
    """A press release attached to a current report, up to its legal notices."""
    end = next((i for i, line in enumerate(lines) if i > 3 and _LEGALESE.fullmatch(line.text)), len(lines))
    text = prose(
        [line for line in lines[:end] if not re.fullmatch(r"ex(?:hibit)?[ -]?99\.?\d*", line.text, re.IGNORECASE)]
    )
    if len(text) < 200:
        return None
    when = f", {day(filing.filed)}" if filing.filed else ""
    title = f"{filer.name}: press release attached to its {filing.form}{when}"
    return _document(filer, filing, title, text).model_copy(update={"url": url})


def release_name(listed: JsonValue) -> str:
    """The file of exhibit 99.1 in the listing of a filing's folder; empty when none is called so."""
    directory = listed.get("directory") if isinstance(listed, dict) else None
    items = directory.get("item") if isinstance(directory, dict) else None
    names = [one.get("name") for one in items if isinstance(one, dict)] if isinstance(items, list) else []
    return next((n for n in names if isinstance(n, str) and _PLAIN.fullmatch(n) and _RELEASE.search(n)), "")
