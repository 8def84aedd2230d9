"""Dates, quarters, halves and years, read out of text into values that can be compared.

In: text that went through `clean`. Out: `When` values with their exact place in that text. Every regular expression is
built from disjoint alternatives with bounded repeats, so that hostile text costs linear time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache


@dataclass(frozen=True)
class When:
    """A date, month, quarter, half, year or decade as far as the text states it."""

    start: int
    end: int
    text: str
    year: int | None = None
    month: int | None = None
    day: int | None = None
    quarter: int | None = None
    half: int | None = None
    fiscal: bool = False
    ended: str = ""
    """`year`, `quarter` or `months` when the text says a period ended on this date."""
    decade: bool = False
    swapped: bool = False
    """Whether day and month may be the other way round (03/04/2026)."""
    prep: str = ""
    """before, after, until, since or by, when one of these stands in front."""


_MONTHS = {
    name: i
    for i, full in enumerate(
        "january february march april may june july august september october november december".split(), 1
    )
    for name in (full, full[:3])
} | {"sept": 9}
_MONTH = (
    r"(?P<month>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?"
    r"(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?\b"
_YEAR = r"(?P<year>(?:19|20)\d\d)(?![\d%]|[.,]\d)"
_FY = r"(?P<fiscal>fiscal years?|fiscal|financial year|FY)[ -]?'?(?P<fy>\d{4}|\d\d)(?![\d%]|[.,]\d)"
_QUARTER = (
    r"(?:Q(?P<q>[1-4])|(?P<qword>first|second|third|fourth|1st|2nd|3rd|4th)[ -](?P<unit>quarter|half)|H(?P<h>[12]))"
)
_ENDED = r"(?P<ended>year|quarter|months|period)[ -](?:ended|ending)(?: on)? "
_OF = r"(?:[ ,/-]{0,2}(?:(?:of|in|for) )?(?:the )?(?:calendar (?:year )?)?"
_COUNTED = (
    "employees|customers|people|staff|jobs|clients|users|workers|positions|roles|stores|companies|partners|million|billion"
    "|percent|dollars|euros"
)
_PATTERNS = tuple(
    re.compile(p, flags)
    for p, flags in (
        (rf"\b(?P<fiscal>fiscal )?{_ENDED}(?:{_MONTH} {_DAY},? {_YEAR})", re.I),
        (rf"\b(?P<fiscal>fiscal )?{_ENDED}(?:{_DAY} {_MONTH},? {_YEAR})", re.I),
        (
            r"\b(?P<fiscal>fiscal )?(?P<ended>year|quarter|months|period)[ -](?:ended|ending)(?: on)? "
            r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)\b",
            re.I,
        ),
        (rf"\b(?:{_FY})(?:'s)?,? (?:the )?{_QUARTER}\b", re.I),
        (rf"\b(?P<pre>fiscal )?{_QUARTER}\b{_OF}(?:{_FY}|'?{_YEAR}|'(?P<yy>\d\d)\b))?", re.I),
        (r"\b(?P<q>[1-4])Q[ -]?(?:(?P<fiscal>FY)?'?(?P<fy>\d{4}|\d\d)\b)?", re.I),
        (rf"\b{_FY}", re.I),
        (r"(?<![\w-])(?P<year>(?:19|20)\d\d)[-/](?P<month>0?[1-9]|1[0-2])[-/](?P<day>[0-3]?\d)(?!\d)", 0),
        (r"(?<![\w/])(?P<month>[01]?\d)/(?P<day>[0-3]?\d)/(?P<year>(?:19|20)\d\d)\b(?P<slash>)", 0),
        (rf"\b{_DAY}(?: of)? {_MONTH}(?:,? {_YEAR})?", 0),
        (rf"\b{_MONTH} {_DAY}(?!,\d{{3}})(?! ?%)(?:,? {_YEAR})?", 0),
        (rf"\b{_MONTH},?(?: of)? {_YEAR}", 0),
        (
            r"(?<=[a-z][ -])(?P<month>January|February|March|April|May|June|July|August|September|October"
            r"|November|December)\b",
            0,
        ),
        (r"^(?P<month>January|February|April|June|July|August|September|October|November|December)\b", 0),
        (r"(?<![\w$€£.,])(?P<year>(?:19|20)\d0)(?P<decade>'?s)\b", 0),
        (
            rf"(?<![\w$€£.,])(?P<year>(?:19|20)\d\d)(?![\w%]|[.,]\d)(?! (?:{_COUNTED})\b)",
            0,
        ),
    )
)
_PREP = re.compile(r"\b(before|after|until|till|since|by|prior to)(?: (?:the|early|late|mid|end of))* ?-?$", re.I)
_WHICH = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}


def _when(match: re.Match[str], text: str) -> When | None:
    g = {k: v for k, v in match.groupdict().items() if v is not None}
    raw_year = g.get("year") or g.get("fy") or g.get("yy")
    year = (int(raw_year) + 2000 if len(raw_year) == 2 else int(raw_year)) if raw_year else None
    raw_month = g.get("month", "")
    month = int(raw_month) if raw_month.isdigit() else _MONTHS.get(raw_month.lower().rstrip("."))
    day = int(g["day"]) if "day" in g else None
    swapped = "slash" in g and day is not None and day <= 12
    if "slash" in g and month and month > 12:
        month, day = day, month
    if (day is not None and not 1 <= day <= 31) or (month is not None and not 1 <= month <= 12):
        return None
    nth = _WHICH.get(g.get("qword", "").lower())
    half = int(g["h"]) if "h" in g else (nth if g.get("unit", "").lower() == "half" else None)
    quarter = int(g["q"]) if "q" in g else (nth if half is None else None)
    if quarter is None and half is not None and half > 2:
        return None
    fiscal = "fiscal" in g or "pre" in g or bool(re.search(r"\bFY", match.group()))
    prep = _PREP.search(text[max(0, match.start() - 24) : match.start()])
    before = (prep.group(1).lower().replace("prior to", "before").replace("till", "until")) if prep else ""
    return When(
        match.start(),
        match.end(),
        match.group().strip(),
        year,
        month,
        day,
        quarter,
        half,
        fiscal,
        g.get("ended", "").lower(),
        "decade" in g,
        swapped,
        before,
    )


@lru_cache(maxsize=512)
def dates(text: str) -> tuple[When, ...]:
    """Every date of a cleaned text, in order, the longest reading of each."""
    found: list[When] = []
    taken: set[int] = set()
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if match.start() in taken or match.end() - 1 in taken:
                continue
            if when := _when(match, text):
                found.append(when)
                taken.update(range(match.start(), match.end()))
    return tuple(sorted(found, key=lambda w: w.start))


def same_date(said: When, source: When) -> bool:
    """Whether `source` states everything that `said` states. A fiscal year is not a calendar year."""
    if said.decade != source.decade or (said.prep and source.prep and said.prep != source.prep):
        return False
    if said.day is None and said.month is None and said.year is not None:
        if source.ended in ("year", "period") and said.quarter is None and said.half is None:
            return source.year == said.year and (said.fiscal or source.month == 12)
        if source.ended or said.fiscal != source.fiscal:
            return False
    if said.ended and source.ended and said.ended != source.ended:
        return False
    mine = (said.year, said.month, said.day, said.quarter, said.half)
    for month, day in ((source.month, source.day), *(((source.day, source.month),) if source.swapped else ())):
        theirs = (source.year, month, day, source.quarter, source.half)
        if all(a is None or a == b for a, b in zip(mine, theirs, strict=True)):
            return True
    return False


def date_from_publication(said: When, source: When | None, published: datetime | None) -> bool:
    """Whether a date that the quote leaves implicit follows from the day its document came out.

    With a `source` (a day or month without its year) the year is the one that puts it nearest to publication. Without
    one, only the year, the month or the day of publication itself may be said; never a quarter or a fiscal year.
    """
    if published is None or said.fiscal or said.quarter or said.half or said.decade or said.ended or said.prep:
        return False
    if source is None:
        mine = (said.year, said.month, said.day)
        theirs = (published.year, published.month, published.day)
        return said.year is not None and all(a is None or a == b for a, b in zip(mine, theirs, strict=True))
    if source.year is not None or source.month is None or said.year is None:
        return False
    if (said.month, said.day) not in ((source.month, source.day), (source.month, None)):
        return False
    months = (said.year - published.year) * 12 + source.month - published.month
    return -6 < months < 6
