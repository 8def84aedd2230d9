"""Text as comparison sees it: one form for dashes, quotes, digits, look-alike letters and white space."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters of other scripts that look like Latin ones: a Cyrillic `о` must not hide the `not` in front of a verb.
CONFUSABLES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеорсухіјѕԁԛԝһΑΒΕΖΗΙΚΜΝΟΡΤΥΧονιаӀɡıο",
    "ABESIJKMHOPCTYXaeopcyxijsdqwhABEZHIKMNOPTYXoviaIgio",
)
_FRACTIONS = {"½": ".5", "¼": ".25", "¾": ".75"}
_QUOTES = str.maketrans({"‘": "'", "’": "'", "‛": "'", "ʼ": "'", "`": "'", "′": "'", "“": '"', "”": '"', "„": '"'})
_BLANK = {"\u115f", "\u1160", "\u2800", "\u3164", "\u034f"}


def _plain(char: str) -> str:
    """One non-ASCII character as comparison sees it."""
    if char in _FRACTIONS:
        return _FRACTIONS[char]
    if char in "—―⸺⸻":
        return " - "
    if char in "‐‑‒–−﹣－⁃﹘":
        return "-"
    category = unicodedata.category(char)
    if category in ("Cf", "Mn", "Me") or char in _BLANK:
        return ""
    if category in ("Zs", "Zl", "Zp", "Cc"):
        return " "
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category == "No":  # footnote marks and exponents: NFKC would glue `10²` into 102
        return " "
    return char


@lru_cache(maxsize=512)
def clean(text: str) -> str:
    """The text as comparison sees it: NFKC, no invisible or combining marks, ASCII dashes, quotes and digits, single
    spaces.
    """
    if text.isascii():
        return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())
    folded = unicodedata.normalize("NFKC", "".join(c if c.isascii() else _plain(c) for c in text))
    marked = unicodedata.normalize("NFD", folded.translate(_QUOTES).translate(CONFUSABLES))
    bare = "".join(c if c.isascii() else _plain(c) for c in marked)
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", unicodedata.normalize("NFC", bare)).split())
