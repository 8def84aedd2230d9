"""Reads a PDF in a process of its own: bytes come in on standard input, one JSON object a line goes out.

pypdf is Python all through, and a hostile or merely huge file can keep it busy for hours or fill the memory; a thread
cannot be stopped, a process can. It is started afresh for each file, so that nothing of one file reaches the next, and it
writes page by page, so that what was read before the deadline is not lost. Run by path: it imports nothing of ours.
"""

from __future__ import annotations

import json
import sys
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

MAX_MEMORY = 2_000_000_000
"""Bytes of address space; beyond it the file is given up, and this process only."""
MAX_PAGES = 5_000
MAX_TEXT = 20_000_000
"""Characters of text that one file may give."""


def main() -> None:
    """One line of metadata, then one line a page; a line with `error` when it cannot be read.

    A damaged file can end in any error inside pypdf: that ends the process, and its last words tell the reason.
    """
    _limit_memory()
    data = sys.stdin.buffer.read()
    from pypdf import PdfReader
    from pypdf.errors import PdfReadError

    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            _say({"error": "it is an encrypted PDF; save a copy without a password"})
            return
        count = len(reader.pages)
        _say(_about(reader, count))
        given = 0
        for number, page in enumerate(reader.pages, 1):
            text, large = _text(page, number == 1)
            given += len(text)
            if number > MAX_PAGES or given > MAX_TEXT:
                break
            _say({"page": number, "text": text, "large": large})
    except PdfReadError as exc:
        _say({"error": f"it is a damaged PDF ({_short(exc)})"})
    except MemoryError:
        _say({"error": "it is a PDF that takes too much memory to read"})


def _limit_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    except (ImportError, ValueError, OSError):  # not on this system; the deadline still holds
        pass


def _about(reader: PdfReader, count: int) -> dict[str, object]:
    meta = reader.metadata
    try:
        created = meta.creation_date if meta else None
    except ValueError:  # a date that is none, which says nothing about the rest of the file
        created = None
    return {
        "pages": count,
        "title": str(meta.title or "") if meta else "",
        "author": str(meta.author or "") if meta else "",
        "created": created.isoformat() if created else "",
    }


def _text(page: PageObject, wants_title: bool) -> tuple[str, str]:
    """The text of a page, and of the first one the line in the largest letters."""
    if not wants_title:
        return page.extract_text(), ""
    sizes: list[tuple[float, str]] = []

    def visit(text: str, cm: list[float], tm: list[float], _font: object, size: float) -> None:
        if text.strip():
            sizes.append((round(abs(size * (tm[3] or 1.0) * (cm[3] or 1.0)), 1), text))

    whole = page.extract_text(visitor_text=visit)
    largest = max((size for size, _ in sizes), default=0.0)
    smallest = min((size for size, _ in sizes), default=0.0)
    lines = [text for size, text in sizes if size == largest] if largest > smallest else []
    return whole, " ".join(" ".join(lines).split())[:200]


def _short(exc: Exception) -> str:
    return " ".join(str(exc).split())[:120] or type(exc).__name__


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
