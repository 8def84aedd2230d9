"""Whether a reply speaks of the company that was asked for. Strict: `Acme` is `ACME, Inc.`, never `Acme Staffing Partners`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from tools.base import SubjectHint

MOST_ALIASES = 8
LONGEST_NAME = 200

_LEGAL = frozenset(
    "inc incorporated corp corporation co company cos ltd limited plc llc llp lp sa sas sarl ag nv bv se ab asa as "
    "spa srl gmbh mbh kg oyj oy pty kk pte pvt".split()
)
_SHARES = re.compile(
    r"[\s,-]*(?:\((?:[^()]*)\)|\b(?:class|series) [a-z]\b|\b(?:common|ordinary|preferred) (?:stock|shares?)\b"
    r"|\b(?:adr|ads|american depositary (?:receipts?|shares?))\b)\s*$",
    re.IGNORECASE,
)
_INNER = str.maketrans("", "", "'’‘`./")
"""Signs inside a word: `S.A.` is `SA`, `A/S` is `AS`."""


def without_shares(title: str) -> str:
    """A company's name from the title of its share: `Acme Inc Class A` is `Acme Inc`."""
    name = " ".join(title.split())
    while (shorter := _SHARES.sub("", name)) != name and shorter:
        name = shorter
    return name


def name_key(name: str) -> str:
    """What makes two spellings one company: its words without accents, punctuation, `the` and legal form."""
    text = unicodedata.normalize("NFKD", without_shares(name)).translate(_INNER)
    text = "".join(c for c in text if not unicodedata.combining(c)).casefold().replace("&", " and ")
    words = re.findall(r"[^\W_]+", text)
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    while len(words) > 1 and words[-1] in _LEGAL:
        words.pop()
        if len(words) > 1 and words[-1] == "and":
            words.pop()
    return "".join(words)


def same_company(name: str, names: Iterable[str]) -> bool:
    """Whether `name` is one of the names, legal forms and spelling aside."""
    key = name_key(name)
    return bool(key) and any(key == name_key(n) for n in names)


def named_in(text: str, names: Iterable[str]) -> bool:
    """Whether a text has one of the names in it, as whole words and in the same case."""
    return any(
        re.search(rf"(?<!\w){re.escape(short)}(?!\w)", text) is not None
        for n in names
        if (short := _spoken(without_shares(n)))
    )


def _spoken(name: str) -> str:
    """A name as headlines have it: without its legal form."""
    words = name.replace(",", " ").split()
    while len(words) > 1 and words[-1].translate(_INNER).casefold() in _LEGAL:
        words.pop()
    return " ".join(words)


def aliases_of(subject: SubjectHint) -> tuple[str, ...]:
    """The other names under which replies may speak of the subject, each once."""
    found: dict[str, str] = {}
    for name in (subject.legal_name, *subject.aliases):
        clean = " ".join(name.replace('"', " ").split())
        key = name_key(clean)
        if key and len(clean) <= LONGEST_NAME and key != name_key(subject.name):
            found.setdefault(key, clean)
    return tuple(found.values())[:MOST_ALIASES]


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
