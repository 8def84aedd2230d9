"""Dates as publishers write them. Only what is certain is read: a wrong date is worse than none."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:$|[T ])")
_RELATIVE = re.compile(r"(\d{1,4}|an?|one) (second|sec|minute|min|hour|hr|day)s? ago", re.IGNORECASE)
_UNITS = {"sec": "seconds", "min": "minutes", "hou": "hours", "hr": "hours", "day": "days"}
_FORMATS = (
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d %B %Y",
    "%Y/%m/%d",
    "%Y%m%d",
    "%a, %b %d, %Y",
    "%A, %B %d, %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %Z",
    "%Y-%m-%d %H:%M:%S UTC",
    # Google News through SerpAPI; the month comes first there, as its `hl=en` says.
    "%m/%d/%Y, %I:%M %p, %z UTC",
)


def parse_date(text: object, anchor: datetime | None = None) -> datetime | None:
    """`text` as an aware UTC time, or None when it does not name a day for certain.

    A day without a time is its midnight, UTC. `3 days ago` needs `anchor`, the time at which it was said; weeks, months
    and years ago name no day, nor do `10/07/2024` (two readings) and a month or a year alone.
    """
    if isinstance(text, datetime):
        return _aware(text)
    if not isinstance(text, str) or not 6 <= len(clean := " ".join(text.split())) <= 60:
        return None
    if _ISO.match(clean):
        return _iso(clean)
    if anchor is not None and (relative := _relative(clean, anchor)) is not None:
        return relative
    plain = re.sub(r"\b(\d{1,2})(?:st|nd|rd|th)\b", r"\1", clean.replace("Sept ", "Sep ").replace(". ", " "))
    for form in _FORMATS:
        try:
            return _aware(datetime.strptime(plain, form))  # noqa: DTZ007  # made aware here
        except (ValueError, OverflowError):
            continue
    return None


def _iso(text: str) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(text.replace(" UTC", "+00:00")))
    except (ValueError, OverflowError):
        return None


def _relative(text: str, anchor: datetime) -> datetime | None:
    if text.casefold() == "yesterday":
        return _aware(anchor) - timedelta(days=1)
    found = _RELATIVE.fullmatch(text)
    if found is None:
        return None
    count = int(found[1]) if found[1].isdigit() else 1
    unit = _UNITS[found[2].casefold()[:3]]
    return _aware(anchor) - timedelta(**{unit: count})


def _aware(when: datetime) -> datetime:
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
