"""Times of publication as questions state them. A time of what is asked about ("revenue in 2025") is none, and is left."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
           "december")  # fmt: skip
_MONTH = r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"  # noqa: E501
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_WHEN = re.compile(
    rf"\b(?:(?P<iso>\d{{4}}-\d{{2}}-\d{{2}})|(?P<m1>{_MONTH})\s+(?P<d1>{_DAY})(?:,?\s+(?P<y1>(?:19|20)\d\d))?"
    rf"|(?P<d2>{_DAY})\s+(?:of\s+)?(?P<m2>{_MONTH})(?:,?\s+(?P<y2>(?:19|20)\d\d))?"
    rf"|(?P<m3>{_MONTH}),?\s+(?P<y3>(?:19|20)\d\d)|(?P<y4>(?:19|20)\d\d))\b",
    re.IGNORECASE,
)
_PUBLISHED = re.compile(
    r"\b(?:publish\w*|articles?|reports?|reported|reporting|stor(?:y|ies)|coverage|news|posted|wrote|written|posts?"
    r"|dated|pieces?)\b",
    re.IGNORECASE,
)
_YEAR_OF = re.compile(
    r"\b(?:published|articles?|reports|reported|stories|coverage|news|posted|written)\s+(?:back\s+)?(?:in|from|during|of|since"
    r"|after|before|between)\s+$",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\b(between|from)\s+$", re.IGNORECASE)
_JOIN = re.compile(r"^,?\s+(?:and|to|until|till|through|-|–)\s+$", re.IGNORECASE)
_OPEN = re.compile(
    r"\b(since|after|from|before|until|till|by|up to|prior to|as of|starting(?: in)?)\s+(?:the\s+)?$", re.IGNORECASE
)
_SHARED = re.compile(r"\b(?:since|until|till|up to|starting(?: in)?)\s+(?:the\s+)?$", re.IGNORECASE)
"""Before a day that all that is asked about has in common, however many outlets are named."""
_IN = re.compile(r"\b(?:in|during|throughout|for|of|from)\s+$", re.IGNORECASE)
NEAR = 60
"""Characters before a date in which a word of publishing makes it a date of publication; half as many after it."""


@dataclass(frozen=True)
class Period:
    """A day, month or year as a question names it, and where."""

    first: date
    last: date
    start: int
    end: int
    grain: str


def plain_day(day: date) -> str:
    """`March 3, 2026`."""
    return f"{_MONTHS[day.month - 1].capitalize()} {day.day}, {day.year}"


def dates_of(text: str, outlets: int = 1) -> tuple[date | None, date | None]:
    """The first and the last day of publication that a question asks for; None where it leaves that end open.

    Of a question that names more `outlets` than single days, the days are left out: each belongs to one of the outlets.
    A question that dates two reports (`reported on March 3 ... and again on March 9`) asks for all from one to the other.
    """
    found = periods(text)
    ends: list[tuple[date | None, date | None]] = []
    days: list[tuple[date | None, date | None]] = []
    taken: set[int] = set()
    for n, period in enumerate(found):
        following = found[n + 1] if n + 1 < len(found) else None
        if n in taken:
            continue
        if following and _is_range(text, period, following):
            taken.add(n + 1)
            ends.append((period.first, following.last))
        elif (end := _single(text, period)) is not None:
            bound = period.grain == "day" and not _SHARED.search(text[: period.start])
            (days if bound else ends).append(end)
    ends += days if len(days) >= outlets else []
    if not ends:
        return None, None
    since = None if any(a is None for a, _ in ends) else min(a for a, _ in ends if a)
    until = None if any(b is None for _, b in ends) else max(b for _, b in ends if b)
    return since, until


def names_a_time(text: str) -> bool:
    """Whether a capitalised run of words begins with a month, a day or a year."""
    return bool(re.match(rf"(?:{_MONTH}|{_DAY})(?:\W|$)|\d{{4}}\b", text, re.IGNORECASE))


def periods(text: str) -> list[Period]:
    """Every day, month and year that a text names, in order; a day without a year takes that of the next one."""
    found: list[Period] = []
    year: int | None = None
    for match in reversed(list(_WHEN.finditer(text))):
        period = _period(match, year)
        if period is not None:
            found.append(period)
            year = period.last.year
    return found[::-1]


def _period(match: re.Match[str], later_year: int | None) -> Period | None:
    def made(first: date, last: date, grain: str) -> Period:
        return Period(first, last, match.start(), match.end(), grain)

    try:
        if match["iso"]:
            day = date.fromisoformat(match["iso"])
            return made(day, day, "day")
        if match["y4"]:
            year = int(match["y4"])
            return made(date(year, 1, 1), date(year, 12, 31), "year")
        month = _month(match["m1"] or match["m2"] or match["m3"])
        if match["m3"]:
            year = int(match["y3"])
            return made(date(year, month, 1), date(year, month, monthrange(year, month)[1]), "month")
        stated = match["y1"] or match["y2"] or later_year
        if stated is None:
            return None
        number = int(re.sub(r"\D", "", match["d1"] or match["d2"]))
        day = date(int(stated), month, number)
        return made(day, day, "day")
    except ValueError:  # February 30
        return None


def _month(name: str) -> int:
    return next(n for n, month in enumerate(_MONTHS, 1) if month.startswith(name.rstrip(".").casefold()[:3]))


def _is_range(text: str, a: Period, b: Period) -> bool:
    if not _RANGE.search(text[: a.start]) or not _JOIN.match(text[a.end : b.start]) or b.last < a.first:
        return False
    return "year" not in (a.grain, b.grain) or _is_published(text, a)


def _single(text: str, period: Period) -> tuple[date | None, date | None] | None:
    """What one date asks for; None when it is not a date of publication."""
    before = text[: period.start]
    published = _is_published(text, period)
    if opened := _OPEN.search(before):
        word = opened[1].casefold()
        if word in ("since", "starting", "starting in") or (word in ("after", "as of") and published):
            return period.first, None
        if word in ("before", "until", "till", "by", "up to", "prior to"):
            return (None, period.last) if published else None
        if word == "from" and published:
            return period.first, period.last
        return None
    if period.grain == "month" and _IN.search(before):
        return period.first, period.last
    return (period.first, period.last) if published else None


def _is_published(text: str, period: Period) -> bool:
    if period.grain == "year":  # a year alone is mostly one of what is asked about
        return bool(_YEAR_OF.search(text[: period.start]))
    return bool(
        _PUBLISHED.search(text[max(0, period.start - NEAR) : period.start])
        or _PUBLISHED.search(text[period.end : period.end + NEAR // 2])
    )
