"""PDFs as pages: each page is a text with an address of its own, so that a quote leads to the page it stands on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from agent import pdf_pages
from agent.errors import IngestError
from agent.rows import Reading, clean
from agent.stated import date_in_name, first_line, is_title, stated_author, stated_date
from tools.reading.dates import parse_date

DEADLINE = 60.0
"""Seconds that one PDF may take."""
CARRY = 400
"""Up to so many characters of the next page end a sentence that a page leaves open."""

_END = re.compile(r"[.!?:;][\"'”’)\]]*$|[。！？]$")
_SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]*(?=\s|$)|[。！？]|\n\s*\n")


def read_pdf(path: Path, data: bytes) -> tuple[list[Reading], list[str]]:
    """The pages that have text, and what of the file could not be read. Raises IngestError."""
    lines, stopped = _lines(data)
    about = next((line for line in lines if "pages" in line), {})
    pages = {int(str(line["page"])): clean(str(line["text"])).strip() for line in lines if "page" in line}
    error = next((str(line["error"]) for line in lines if "error" in line), "")
    total = int(str(about.get("pages") or 0))
    if not any(pages.values()):
        raise IngestError(error or stopped or "its pages hold pictures and no text; run it through OCR first")
    problem = error or stopped or ("only its first pages" if len(pages) < total else "")
    large = next((str(line["large"]) for line in lines if line.get("large")), "")
    problems = [f"{problem}; {len(pages)} of {total} pages were read"] if problem else []
    return _readings(path, about, pages, large, total), problems


def _lines(data: bytes) -> tuple[list[dict[str, object]], str]:
    """What the reading process wrote, and why it was stopped, if it was."""
    # -I: neither the working folder nor the environment decides what is imported.
    command = [sys.executable, "-I", str(Path(pdf_pages.__file__))]
    stopped = ""
    with subprocess.Popen(  # noqa: S603  # our own file
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            out, err = process.communicate(data, timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            stopped = f"it took longer than {DEADLINE:.0f} seconds"
    if process.returncode and not stopped:
        last = err.decode(errors="replace").strip().rpartition("\n")[2]
        stopped = f"it is a damaged PDF ({last[:120] or 'it broke the reader'})"
    return _parsed(out), stopped


def _parsed(out: bytes) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for line in out.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:  # the line that was being written when the time was up
            break
    return found


def _readings(path: Path, about: dict[str, object], pages: dict[int, str], large: str, total: int) -> list[Reading]:
    first = pages.get(1, "")
    said = clean(str(about.get("title") or "")).strip()
    big = clean(large).strip()
    title = said if is_title(said) else big if is_title(big) and len(big) <= 150 else first_line(first)
    title = title or path.stem
    author = clean(str(about.get("author") or "")).strip()
    when = stated_date(first) or date_in_name(path.name) or parse_date(str(about.get("created") or ""))
    author = stated_author(first) or (author if is_title(author) else "")
    whole = Reading(text=first, title=title, published_at=when, author=author)
    if total <= 1:
        return [whole]
    return [
        replace(whole, text=_whole(text, pages.get(n + 1, "")), title=f"{title}, page {n}", page=n)
        for n, text in sorted(pages.items())
        if text
    ]


def _whole(text: str, following: str) -> str:
    """A page's text with the end of its last sentence, which may stand on the next page."""
    if not following or _END.search(text):
        return text
    end = _SENTENCE_END.search(following[:CARRY])
    return f"{text} {following[: end.end()].strip()}" if end else text
