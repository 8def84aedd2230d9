"""Whether a name, an address or a text speaks of the same company. A namesake is worse than nothing: when in doubt, no."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from tools.reading.urls import host_of

LEGAL: Final = frozenset(
    "inc incorporated corp corporation co company companies ltd limited plc llc lp llp sa sas sarl ag nv bv se ab asa as oy oyj "
    "spa srl gmbh kg pty kk aps holdings holding group".split()
)
"""Words at the end of a name that people leave out."""
_APART = re.compile(r"[\W_]+")


def name_words(name: str) -> list[str]:
    """The words of a name in lower case, without accents, punctuation and the words of its legal form."""
    text = unicodedata.normalize("NFKD", name)
    text = "".join(c for c in text if not unicodedata.combining(c)).casefold()
    text = text.replace("&", " and ").replace("'", "").replace("’", "").replace(".", "").replace("a/s", " ")
    words = [w for w in _APART.split(text) if w]
    while len(words) > 1 and words[-1] in LEGAL:
        words.pop()
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    return words


def squeezed(name: str) -> str:
    """The words of a name in one piece: `Acme Robotics, Inc.` is `acmerobotics`."""
    return "".join(name_words(name))


def same_name(one: str, other: str) -> bool:
    """Whether two names are spelt alike once legal forms, case, accents and spaces are set aside."""
    return bool(squeezed(one)) and squeezed(one) == squeezed(other)


def site_of(address: str) -> str:
    """The registered host behind an address, with or without `https://`; empty when it is none."""
    plain = address.strip().lower()
    return host_of(plain if "://" in plain else f"https://{plain}") if plain and "." in plain else ""


def label_of(site: str) -> str:
    """The first part of a registered host: of `acme.co.uk` it is `acme`."""
    return site.split(".", 1)[0]


def named_in(text: str, name: str) -> bool:
    """Whether a text holds a name as words of its own; a name of one word in the case in which it is written."""
    words = name.split()
    while len(words) > 1 and _APART.sub("", words[-1]).casefold() in LEGAL:
        words.pop()
    if not words:
        return False
    words[-1] = words[-1].rstrip(",.")
    flags = re.IGNORECASE if len(words) > 1 else re.NOFLAG
    return re.search(r"(?<!\w)" + r"\s+".join(map(re.escape, words)) + r"(?!\w)", text, flags) is not None


def site_in(text: str, site: str) -> bool:
    """Whether a text holds the address of a site or of a part of it."""
    return re.search(rf"(?<![\w-]){re.escape(site)}(?![\w-]|\.\w)", text, re.IGNORECASE) is not None
