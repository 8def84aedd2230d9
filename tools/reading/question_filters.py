"""What a question says about where its answer is to come from: outlets, an author, a time of publication. Pure, by rule.

Outlet names are candidates only: whether there is such an outlet, the index knows (tools/reading/documents_looks.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

from tools.base import Frozen
from tools.reading.question_dates import dates_of, names_a_time, plain_day

MAX_OUTLETS = 8
MAX_NAME = 80

_PART = r"[A-Z0-9][\w.&]*(?:-\w+)*"
_NAME = rf"{_PART}(?:(?:\s+(?:[|&–-]\s+)?|:\s+)(?:(?:of|the|for)\s+)?{_PART}){{0,8}}"
_QUOTED = rf"[\"'‘“]?(?:the\s+)?{_NAME}[\"'’”]?"
_LIST = rf"{_QUOTED}(?:(?:\s*,\s*(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+)(?:by\s+|in\s+|from\s+)?{_QUOTED}){{0,7}}"
_THINGS = r"(?:articles?|reports?|stor(?:y|ies)|pieces?|posts?|coverage|columns?|reviews?|interviews?|reporting)"
_SAID = (
    r"(?:reported|covered|published|featured|discussed|mentioned|highlighted|noted|quoted|cited|described|portrayed)"
)
_BEFORE = re.compile(
    rf"\b(?:(?i:according to|as per)|{_THINGS} (?:from|by|in)|{_SAID} (?:by|in)|news from|(?:sources|outlets|publications)"
    r" (?:like|such as|including))\s+(?:(?:both|an?|two|three|news|outlets|sources|articles|reports|from|by|in)\s+)*"
    rf"(?P<names>{_LIST})"
)
_NOT_OWNED = r"(?<!['’]s )(?<!s['’] )\b"
"""`Acme's CEO wrote` speaks of no outlet."""
_AFTER = re.compile(rf"{_NOT_OWNED}(?P<names>{_LIST})(?:['’]s?)?\s+(?:\w+\s+)?{_THINGS}\b")
_VERB = re.compile(
    rf"{_NOT_OWNED}(?P<names>{_LIST})\s+(?:has\s+|have\s+)?(?:(?:reported|reports|wrote|writes)|sa(?:y|ys|id)\s+(?:about|on))\b"
)
_SAID_BY = re.compile(rf"\b{_SAID} by\b")
_ALSO_BY = re.compile(rf"(?:\band|\bbut|,)\s+(?:also\s+|as\s+|{_SAID}\s+)*by\s+(?P<names>{_LIST})")
_SPLIT = re.compile(r"\s*,\s*(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+")
_LEADING = frozenset(
    """
    a according after an and as at before between by compare considering describe did do does explain find for from
    give given had has have how if in is it list on read regarding research show since summarise summarize tell the to
    was were what when where which while who why with would
    """.split()
)
_AUTHOR = re.compile(
    r"\b(?:(?:written|authored|penned) by|by (?:the )?(?:journalist|reporter|author|columnist|writer|editor))\s+"
    r"(?P<name>[A-Z][\w.'’-]*(?:\s+(?:de|van|von|del|la|bin|al)?\s*[A-Z][\w.'’-]*){0,3})"
)


class QuestionFilters(Frozen):
    """What documents may answer; nothing that is empty narrows anything."""

    outlets: tuple[str, ...] = ()
    author: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def any(self) -> bool:
        """Whether the question narrows at all."""
        return bool(self.outlets or self.author or self.since or self.until)

    def phrase(self) -> str:
        """The same in words that `read_filters` reads back, to carry it on in a sub-question; empty for none."""
        parts = []
        if self.outlets:
            parts.append(f"according to {_listed(self.outlets)}")
        if self.author:
            parts.append(f"written by {self.author}")
        if self.since and self.until:
            parts.append(f"published between {plain_day(self.since)} and {plain_day(self.until)}")
        elif self.since:
            parts.append(f"published since {plain_day(self.since)}")
        elif self.until:
            parts.append(f"published until {plain_day(self.until)}")
        return "; ".join(parts)


def read_filters(question: str, not_outlets: Collection[str] = ()) -> QuestionFilters:
    """The filters that a question states; `not_outlets` are names that mean the company, not who writes about it."""
    text = " ".join(question.split())[:4_000]
    author = _author(text)
    own = {_key(name) for name in (*not_outlets, author)}
    found: dict[str, str] = {}
    patterns = (_BEFORE, _AFTER, _VERB, *([_ALSO_BY] if _SAID_BY.search(text) else []))
    for pattern in patterns:
        for match in pattern.finditer(text):
            for name in _names(match["names"]):
                if _key(name) not in own and not any(k and _key(name).startswith(k) for k in own):
                    found.setdefault(_key(name), name)
    names = sorted(found.values(), key=text.find)
    since, until = dates_of(text, len(names))
    return QuestionFilters(outlets=tuple(names[:MAX_OUTLETS]), author=author, since=since, until=until)


def _author(text: str) -> str:
    match = _AUTHOR.search(text)
    return re.sub(r"['’]s?$|[.,'’]+$", "", match["name"])[:MAX_NAME] if match else ""


def _names(listed: str) -> list[str]:
    found = []
    for part in _SPLIT.split(listed):
        words = part.strip(" \"'‘’“”.,").split()
        while words and words[0].casefold() in _LEADING and not (words[0] == "The" and len(words) > 1):
            words = words[1:]
        while len(words) > 1 and (names_a_time(words[0]) or not re.search(r"[A-Za-z]", words[0])):
            words = words[1:]
        name = " ".join(words)[:MAX_NAME]
        if len(_key(name)) > 2 and re.search(r"[A-Za-z]{2}", name) and not names_a_time(name):
            found.append(name)
    return found


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"
