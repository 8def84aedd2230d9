"""Who does what to whom, and whether up or down: opposites and exchanged names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.claims.actors import THE_COMPANY
from agent.claims.names import mentions, name_runs
from agent.claims.reading import Reading, content, read
from agent.claims.territory import other_end
from agent.claims.wording import OPPOSITES, ROLES, word_key

_SYMMETRIC = {
    word_key(w)
    for w in "partner partnership merge merger compete collaborate team agreement joint work integrate deal "
    "talk".split()
}


def opposite(sentence: Reading, clause: str) -> str:
    """A word of the sentence whose opposite stands in the clause it rests on."""
    source = read(clause)
    said, told = _moves(sentence), _moves(source)
    mine, theirs = frozenset(said), frozenset(told)
    if found := _PACE.search(source.text):
        side = next((s for s in OPPOSITES[0] if word_key(found[1]) in s), None)
        if side and found[2].lower() in {t.low for t in sentence.tokens} and not mine & side:
            return f"the quote says {found.group()!r}, not {found[2]!r}"
    for a, b in OPPOSITES:
        for x, y in ((a, b), (b, a)):
            if not (mine & x and theirs & y):
                continue
            counts = [sum(k in side for k in keys) for side in (x, y) for keys in (said, told)]
            if counts[0] > counts[1] and counts[3] > counts[2]:
                word = next((t.text for t in sentence.tokens if t.key in x), "opening")
                against = next((t.text for t in source.tokens if t.key in y), "opening")
                return f"the sentence says {word!r} where the quote says {against!r}"
    if undone := _undone(mine, theirs):
        return f"the quote says {undone[0]!r}, not {undone[1]!r}"
    if undone := _undone(theirs, mine):
        return f"the quote says {undone[1]!r}, not {undone[0]!r}"
    return ""


_PACE = re.compile(r"\b(\w+) (faster|slower|more|less|further|sooner|later) than\b", re.I)


def _moves(reading: Reading) -> list[str]:
    """The words, with `opening` as the verb too: by itself it counts as a vacancy."""
    return [t.key for t in reading.tokens] + [word_key("open") for t in reading.tokens if t.low == "opening"]


def only_opposed(sentence: Reading, clauses: Sequence[str]) -> str:
    """Up told as down, or the reverse, where none of several quotes has the direction told."""
    keys = [read(c).keys for c in clauses]
    up, down = OPPOSITES[0]
    for mine, theirs in ((up, down), (down, up)):
        word = next((t.text for t in sentence.tokens if t.key in mine), "")
        if word and not sentence.keys & theirs and any(k & theirs for k in keys) and not any(k & mine for k in keys):
            return f"the sentence says {word!r}; the quotes say the opposite"
    return ""


def _undone(these: frozenset[str], those: frozenset[str]) -> tuple[str, str] | None:
    """A word of `those` that stands in `these` with un-, non- or dis- before it: (the word, the undone word)."""
    for word in sorted(these - those):
        plain = re.sub(r"^(?:un|non|dis)-?", "", word)
        if plain != word and len(plain) > 4 and plain in those:
            return plain, word
    return None


def _actors(reading: Reading, names: Sequence[str], known: frozenset[str], ours: bool) -> list[tuple[int, int, str]]:
    """Names in order, the subject under any of its names as one; in a quote `we` and `the company` are the subject
    too.
    """
    found = [(m.start, m.end, "\x00") for m in mentions(reading, names) if not m.rival]
    found += [(r[0].start, r[-1].end, r[-1].low) for r in name_runs(reading, known)]
    if ours:
        found += [(t.start, t.end, "\x00") for t in reading.tokens if t.low in ("we", "us")]
        found += [(m.start(), m.end(), "\x00") for m in THE_COMPANY.finditer(reading.text)]
    return sorted(found)[:24]


_BY = re.compile(r"\bby (?:[\w.&'-]+ ){0,3}$")
_PASSIVE = re.compile(r"\b(?:was|were|is|are|been|being|be|get|got) (?:\w+ly )?\w+(?:ed|ght|ld|en|wn)\b")


def _relations(actors: Sequence[tuple[int, int, str]], reading: Reading) -> list[tuple[str, str, frozenset[str], bool]]:
    """(first, second, the words between, whether the second is the doer) for names up to three apart."""
    out = []
    for i, a in enumerate(actors):
        for b in actors[i + 1 : i + 4]:
            if a[2] == b[2] or b[0] - a[1] > 160 or a[1] > b[0]:
                continue
            words = frozenset(t.key for t in content(reading) if a[1] <= t.start < b[0]) - _SYMMETRIC
            words |= {t.key for t in reading.tokens if a[1] <= t.start < b[0] and t.low == "reports"}
            words -= {r.lower() for r in ROLES}
            link = reading.text[a[1] : b[0]]
            doer = bool(_BY.search(link))
            if not doer and _PASSIVE.search(link):
                continue  # `was appointed at`: the text does not say by whom
            out.append((a[2], b[2], words, doer))
    return out


_OWNED = frozenset(word_key(w) for w in "customer supplier vendor subsidiary parent investor owner employer".split())


def _owner_changed(sentence: Reading, quotes: Sequence[Reading], names: Sequence[str], known: frozenset[str]) -> str:
    """`A is B's customer` told as `B is A's customer`."""
    told = [pair for q in quotes for pair in _owned(q, names, known)]
    for owner, noun in _owned(sentence, names, known):
        owners = {o for o, n in told if n == noun}
        if owners and owner not in owners:
            return f"{noun!r} belongs to another in the quote"
    return ""


def _owned(reading: Reading, names: Sequence[str], known: frozenset[str]) -> list[tuple[str, str]]:
    """(owner, noun) of every `B's largest customer`, `customer of B` and `B customer`."""
    out = []
    for start, end, name in _actors(reading, names, known, ours=False):
        if reading.text[end : end + 3] == "'s ":
            near = [t.key for t in reading.tokens if end <= t.start < end + 40][:3]
            out += [(name, key) for key in near if key in _OWNED]
        for t in reading.tokens:
            of_it = reading.text[t.end : start] in (" of ", " of the ") if t.end < start else t.start == end + 1
            if of_it and t.key in _OWNED and not t.capital:
                out.append((name, t.key))
    return out


def swapped(sentence: Reading, quotes: Sequence[Reading], names: Sequence[str], known: frozenset[str]) -> str:
    """Two names whose parts are exchanged (`A bought B` for `B bought A`)."""
    for a, _, name in _actors(sentence, names, known, ours=False):
        places = [(q.text, x) for q in quotes for x, _, n in _actors(q, names, known, ours=True) if n == name]
        if places and all(other_end(sentence.text, a, text, x) for text, x in places):
            return f"the quote has {name.title()} at the other end of the move"
    if owner := _owner_changed(sentence, quotes, names, known):
        return owner
    said = _relations(_actors(sentence, names, known, ours=False), sentence)
    source = [r for q in quotes for r in _relations(_actors(q, names, known, ours=True), q)]
    for first, second, words, doer in said:
        shared = [r for r in source if {r[0], r[1]} == {first, second} and words & r[2]]
        agree = [r for r in shared if (r[0] == first) == (r[3] == doer)]
        if shared and not agree:
            shown = [names[0] if n == "\x00" and names else n.title() for n in (first, second)]
            return f"the quote has {shown[0]} and {shown[1]} the other way round"
    return ""
