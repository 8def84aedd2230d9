"""Who holds which role, as two texts state it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agent.claims.names import all_cores, name_runs
from agent.claims.reading import Reading
from agent.claims.wording import word_key

_TITLES = frozenset("president founder director treasurer secretary chair chancellor".split())
ROLE = re.compile(
    r"\b(?P<kind>(?:former|ex|interim|acting|deputy|incoming|outgoing|previous|then|next|assistant|associate|vice|"
    r"co)[ -])?"
    r"(?P<role>CEO|CFO|COO|CTO|CISO|CIO|CMO|CPO|CRO|CHRO|CDO|CLO|CCO|CAO|SVP|EVP|VP|cofounder|founder|president|chair|"
    r"director"
    r"|treasurer|secretary|general counsel|managing director|head|chancellor)s?\b"
    r"(?: (?:of|at|for) (?:the )?(?P<of>[\w&.-]{1,40}))?",
    re.I,
)
_FUNCTIONAL = frozenset("vp svp evp head director managing".split())
_STRONG = re.compile(
    r"\s*[(:-]?\s*|[^.;]{0,40}\b(?:is|are|was|as|became|named|appointed|serves|served|been|promoted|remains|"
    r"elected)\b[^.;]{0,40}"
)
_BESIDE = re.compile(r",?\s*(?:and|&|/|,)?\s*(?:the |its |as )?(?:of [\w ]{0,20}and )?")
_MEDIUM = re.compile(r",[^,.;()]{0,40}")


@dataclass(frozen=True)
class Held:
    """A person (last name) with a role, as a text states it."""

    person: str
    kind: str
    role: str
    of: str


def _gap(text: str) -> int:
    """How firmly the words between two items tie a person to a role."""
    if len(text) > 90 or re.search(r"[;]|\band\s*$|\band (?:the )?$|\.\s", text):
        return 0
    return 3 if _STRONG.fullmatch(text) else 2 if _MEDIUM.fullmatch(text) else 1 if len(text) < 25 else 0


class _Item(NamedTuple):
    """A person (last name) or, with `role`, a role, where a text has it."""

    start: int
    end: int
    person: str
    role: re.Match[str] | None = None


def _people_and_roles(reading: Reading, known: frozenset[str]) -> list[_Item]:
    """Persons and roles in the order of the text."""
    items = [_Item(m.start(), m.end("role"), "", m) for m in list(ROLE.finditer(reading.text))[:40]]
    for run in name_runs(reading, known)[:60]:
        words = [t for t in run if t.low not in _TITLES]
        if len(words) >= 2 and all(t.text[0].isupper() and not any(c.isdigit() for c in t.text) for t in words):
            items.append(_Item(words[0].start, words[-1].end, words[-1].low))
    return sorted(items, key=lambda item: item.start)


def _roles_held(reading: Reading, known: frozenset[str]) -> set[Held]:
    """Which person holds which role, by nearness, apposition and verbs."""
    items = _people_and_roles(reading, known)
    groups = _grouped(reading, items)
    held, i = set[Held](), 0
    while i + 1 < len(groups):
        a, b = groups[i], groups[i + 1]
        here = _between(reading, a, b)
        after = _between(reading, b, groups[i + 2]) if i + 2 < len(groups) else 0
        if here and here >= after:
            held |= _tie(a, b)
            i += 2
        else:
            i += 1
    return held | _succession(reading, items)


def _grouped(reading: Reading, items: Sequence[_Item]) -> list[list[_Item]]:
    """Persons, or roles, that only stand beside each other: `Ann Lee and Bob Ray`, `chair and CEO`."""
    groups: list[list[_Item]] = []
    for item in items:
        if groups and (groups[-1][-1].role is None) == (item.role is None):
            between = reading.text[groups[-1][-1].end : item.start]
            if _BESIDE.fullmatch(between):
                groups[-1].append(item)
                continue
        groups.append([item])
    return groups


def _between(reading: Reading, a: Sequence[_Item], b: Sequence[_Item]) -> int:
    return _gap(reading.text[a[-1].end : b[0].start]) if (a[0].role is None) != (b[0].role is None) else 0


def _tie(a: Sequence[_Item], b: Sequence[_Item]) -> set[Held]:
    people, roles = (a, b) if a[0].role is None else (b, a)
    return {_held_by(p.person, r.role) for p in people for r in roles if r.role is not None}


def _held_by(person: str, m: re.Match[str]) -> Held:
    kind = (m["kind"] or "").lower().strip(" -")
    kind = "former" if kind in ("ex", "previous") else kind
    return Held(person, kind, m["role"].lower(), (m["of"] or "").rstrip("."))


def _succession(reading: Reading, items: Sequence[_Item]) -> set[Held]:
    """`Ann Lee succeeded Bob Ray as CEO`: Lee holds it now."""
    out: set[Held] = set()
    for a, b, c in zip(items, items[1:], items[2:], strict=False):
        link = reading.text[a.end : b.start]
        if a.role is None and b.role is None and c.role is not None and re.search(r"\b(?:succe|replac)\w+", link):
            out.add(_held_by((b if re.search(r"\bby\b", link) else a).person, c.role))
    return out


def role_conflict(sentence: Reading, quotes: Sequence[Reading], known: frozenset[str], names: Sequence[str]) -> str:
    """The first person whose role in the sentence is not the one the quotes give; empty when they agree."""
    said = _roles_held(sentence, known)
    source = {h for q in quotes for h in _roles_held(q, known)}
    ours = {w for c in all_cores(names) for w in c}
    for h in sorted(said, key=repr):
        same = [s for s in source if s.person == h.person]
        match = [s for s in same if s.role == h.role and s.kind == h.kind and _same_function(h, s)]
        if same and not match:
            other = same[0]
            told = " ".join(w for w in (other.kind, other.role) if w)
            wanted = " ".join(w for w in (h.kind, h.role) if w)
            return f"the quote has {h.person.title()} as {told}, not {wanted}"
        others = [s for s in source if s.role == h.role and s.person != h.person]
        if not same and others:
            return f"the quote has {others[0].person.title()} as {h.role}, not {h.person.title()}"
        for s in match:
            of = s.of.lower()
            if s.role not in _FUNCTIONAL and s.of[:1].isupper() and of not in ours and h.of.lower() != of:
                return f"in the quote {h.person.title()} is {s.role} of {s.of}"
    return ""


def _same_function(a: Held, b: Held) -> bool:
    return a.role not in _FUNCTIONAL or not a.of or not b.of or word_key(a.of) == word_key(b.of)
