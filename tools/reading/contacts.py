"""How people are reached is nobody's business here: e-mail addresses and telephone numbers are not taken over from any page."""

from __future__ import annotations

import re

# Every repetition has a bound: pages of one endless line must not make a search quadratic.
_MAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}(?:@|\s?[\[(]\s?at\s?[\])]\s?)[\w-]{1,63}(?:\s?(?:\.|[\[(]dot[\])])\s?\w[\w-]{1,62}){1,5}",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\w.,$€£-])(?:\+\d[\d ().\-/]{7,18}\d|(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4})(?!\w)"
)
"""International numbers, and those of North America; sums and dates are written otherwise."""


def has_contacts(text: str) -> bool:
    """Whether a text names an e-mail address or a telephone number."""
    return _MAIL.search(text) is not None or _PHONE.search(text) is not None


def without_contacts(text: str, *, noted: bool = True) -> str:
    """The text without addresses and numbers; a note stands in place of each unless `noted` is False."""
    return _PHONE.sub("[number left out]" if noted else "", _MAIL.sub("[address left out]" if noted else "", text))
