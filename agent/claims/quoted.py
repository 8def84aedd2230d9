"""A quote and the stored text that it stands in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from agent.claims.reading import MAX_QUOTE

WINDOW = 1500
"""Characters around a quote in which the document may name the subject."""


@dataclass(frozen=True)
class Quoted:
    """One piece of evidence with the text it stands in."""

    evidence_id: str
    quote: str
    document_text: str
    start: int
    title: str = ""
    about: str = ""
    published_at: datetime | None = None
    dataset: str = ""
    field: str = ""

    @property
    def place(self) -> int:
        """Where the quote begins in its document: as stated if it stands there, else its first place; -1 if none."""
        stated = self.document_text.startswith(self.quote, max(0, self.start))
        return self.start if stated else self.document_text.find(self.quote)


def around(quoted: Quoted) -> str:
    """The quote with the rest of the sentence that it was cut from."""
    text, quote = quoted.document_text, quoted.quote[:MAX_QUOTE]
    start = quoted.place
    if start < 0:
        return quote
    left = re.split(r"[.!?]\s|\n", text[max(0, start - 200) : start])[-1]
    right = re.split(r"[.!?](?:\s|$)|\n", text[start + len(quoted.quote) : start + len(quoted.quote) + 200])[0]
    return left + quote + (right if not re.search(r"[.!?\n]\s*$", quote) else "")
