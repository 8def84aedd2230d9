"""From the filters of a call to narrowed searches: which of the index's publishers a name means, and where a question
speaks of which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from tools.base import Look
from tools.reading.question_dates import dates_of

MAX_LOOKS = 8
ENOUGH = 3
"""Words from which the part of a question after an outlet's name says what is wanted of that outlet."""

_BRAND = re.compile(r"\s+[|–—-]\s+|:\s|\s+via\s+|\s*\(")
_WORD = re.compile(r"[^\W_]+")
_ENDINGS = ("com", "net", "org", "couk", "io", "ai", "co")
_LONGEST = 9
_META = frozenset(
    """
    according article articles claim claimed claims cover coverage covered covers discussed discusses discussing
    feature featured features indicate indicated indicates mention mentioned mentions news piece pieces post posts
    publication publications publish published publishes report reported reporting reports respectively review reviews
    say says source sources state stated states stories story suggest suggested suggests
    """.split()
)
"""Words in which a question speaks of its sources. They say nothing of what the sources are to say."""

Names = Mapping[str, frozenset[str]]
"""A spelling without spaces and signs -> the publishers it may mean."""


def spellings(origins: Iterable[str]) -> Names:
    """How each publisher may be called: in full, by its brand (`BBC News - Technology`), without `The`, without `.com`."""
    found: dict[str, set[str]] = {}
    for origin in origins:
        for name in {origin, _BRAND.split(origin)[0]}:
            for key in _keys(name):
                found.setdefault(key, set()).add(origin)
    return {key: frozenset(names) for key, names in found.items() if len(key) > 2}


def _keys(name: str) -> set[str]:
    words = [w.casefold() for w in _WORD.findall(name)]
    if len(words) > 1 and words[0] == "www":
        words = words[1:]
    keys = {"".join(words)}
    if len(words) > 1 and words[-1] in _ENDINGS and "." in name:
        keys.add("".join(words[:-1]))
    keys |= {key[3:] for key in keys if words[:1] == ["the"] or (key.startswith("the") and "." in name)}
    return keys


def resolve(name: str, known: Names) -> frozenset[str]:
    """The publishers that a name means, exactly or as the beginning of a longer one; empty for none."""
    for key in sorted(_keys(name), key=len, reverse=True):
        if key in known:
            return known[key]
    words = [w.casefold() for w in _WORD.findall(name)]
    if len(words) < 2:
        return frozenset()
    begins = [origins for key, origins in known.items() if key.startswith("".join(words))]
    return frozenset().union(*begins)


def looks_of(
    query: str,
    outlets: Sequence[frozenset[str]],
    author: str = "",
    since: date | None = None,
    until: date | None = None,
    known: Names | None = None,
) -> list[Look]:
    """One look for each place where the query names one of the outlets, and one for each outlet it does not name.

    A query that names one of them speaks of its sources: whatever else of `known` it names is taken for one of them too.

    What the query says next to an outlet's name counts most in that look, and a day of publication said there is its own.
    """
    wide = Look(author=author, since=_midnight(since), until=_midnight(until, 1))
    if not outlets:
        return [wide] if wide != Look() else []
    places = _places(query, outlets, known)
    looks = [_look(wide, query, places, n) for n in range(len(places))]
    named = {place[2] for place in places}
    looks += [wide.model_copy(update={"origins": tuple(sorted(o))}) for o in outlets if o not in named]
    return list(dict.fromkeys(looks))[:MAX_LOOKS]


def content_words(query: str, outlets: Sequence[frozenset[str]]) -> str:
    """The query without the words in which it speaks of its sources; as it is when none are left or none are named."""
    if not outlets:
        return query
    kept = [w for w in _WORD.findall(query) if w.casefold() not in _META]
    return " ".join(kept) or query


Place = tuple[int, int, frozenset[str]]


def _places(query: str, outlets: Sequence[frozenset[str]], known: Names | None) -> list[Place]:
    """Where the query names an outlet, the longest name first: start, end, the publishers meant."""
    asked = {key: o for o in outlets for origin in o for key in spellings([origin])}
    found = _named(query, asked)
    return _named(query, {**(known or {}), **asked}) if found and known else found


def _named(query: str, names: Names) -> list[Place]:
    words = list(_WORD.finditer(query))
    found: list[Place] = []
    at = 0
    while at < len(words):
        for last in range(min(len(words), at + _LONGEST), at, -1):
            key = "".join(w[0] for w in words[at:last]).casefold()
            if key in names and not words[at][0][0].islower():
                found.append((words[at].start(), words[last - 1].end(), names[key]))
                at = last
                break
        else:
            at += 1
    return found


def _look(wide: Look, query: str, places: Sequence[Place], n: int) -> Look:
    """The look of the n-th place, with the words and the day that belong to it."""
    begin = places[n - 1][1] if n else 0
    end = places[n + 1][0] if n + 1 < len(places) else len(query)
    after = query[places[n][1] : end]
    own = [w for w in _WORD.findall(after) if w.casefold() not in _META]
    if len(own) < ENOUGH:  # names in a row: `X, Y and Z`
        own = [w for w in _WORD.findall(query[begin : places[n][0]]) if w.casefold() not in _META] + own
    since, until = dates_of(query[max(begin, places[n][0] - 20) : end])
    changed: dict[str, object] = {"origins": tuple(sorted(places[n][2])), "stress": " ".join(own)}
    if since or until:
        changed |= {"since": _midnight(since), "until": _midnight(until, 1)}
    return wide.model_copy(update=changed)


def _midnight(day: date | None, later: int = 0) -> datetime | None:
    try:
        return None if day is None else datetime.combine(day, time(), UTC) + timedelta(days=later)
    except OverflowError:  # the last day there is
        return None
