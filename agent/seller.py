"""Who asks: the seller and the offer, read from free text."""

from __future__ import annotations

import re

from agent.records import Vendor
from agent.subject_roles import GENERIC

_NAMED_OFFER = re.compile(r"^\s*(?P<name>[^\n:]{1,60}?)\s*(?::(?!//)\s+|:$|\s+[-–—]\s+)(?P<offer>.*)$", re.DOTALL)
_SELLS = re.compile(
    r"^\s*(?:[Ww]e(?:'re| are)\s+|[Ii](?:'m| am)\s+(?:from|at|with)\s+|[Ii] work (?:at|for)\s+)?"
    r"(?P<name>[A-Z0-9][\w&.'-]*(?:\s+[A-Z0-9&][\w&.'-]*){0,4})"
    r"(?:\s*,)?\s+(?:and\s+)?(?:(?:we|which|who)\s+)?(?:sells?|offers?|provides?|makes?|builds?)\s+(?P<offer>.+)$",
    re.DOTALL,
)
_WE_SELL = re.compile(r"^\s*we\s+(?:sell|offer|provide|make|build)\s+(?P<offer>.+)$", re.DOTALL | re.IGNORECASE)


def parse_vendor(text: str) -> Vendor:
    """Who sells what: `Name: offer`, a sentence such as `We are Name and sell offer`, or any words as the offer."""
    text = text.strip()
    if not text:
        return Vendor()
    named = _NAMED_OFFER.match(text) or _SELLS.match(text)
    if named and named["name"].split(" ", 1)[0].lower() not in GENERIC | {"we", "i", "our"}:
        return Vendor(name=named["name"].strip(), offer=named["offer"].strip().rstrip("."))
    ours = _WE_SELL.match(text)
    if ours:
        return Vendor(offer=ours["offer"].strip().rstrip("."))
    if len(text.split()) <= 4 and all(w[0].isupper() or w[0].isdigit() for w in text.split()):
        return Vendor(name=text.rstrip("."))
    return Vendor(offer=text)
