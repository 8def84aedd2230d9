"""Text as people read it, out of what feeds and headlines give: markup, entities and stray characters gone."""

from __future__ import annotations

import html
import re
import unicodedata

_TAG = re.compile(r"(<[^<>]*>)")
_NAME = re.compile(r"</?\s*([a-zA-Z][a-zA-Z0-9]*)|<[!?]")
_HIDDEN = frozenset({"script", "style", "noscript", "template", "iframe"})
_BLOCKS = frozenset(
    "address article blockquote br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre section table td tr ul".split()
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2060\ufeff]+")
_ENDS = re.compile(r"[.!?][\"')\]”’]*(?=\s)")


def one_line(value: object, most: int = 500) -> str:
    """A string as one line without characters that no reader sees; empty for anything but a string."""
    if not isinstance(value, str):
        return ""
    # Half a surrogate pair is a legal JSON escape, but no text: nothing could store it.
    whole = value[: most * 4].encode("utf-8", "ignore").decode()
    return " ".join(_CONTROLS.sub(" ", whole).split())[:most].rstrip()


def plain(markup: str) -> str:
    """The text of a piece of HTML, one line per paragraph. Takes time in proportion to its length, whatever is in it."""
    parts: list[str] = []
    hidden = ""
    for piece in _TAG.split(markup):
        tag = _NAME.match(piece) if piece.startswith("<") and piece.endswith(">") else None
        if tag is None:
            parts.append("" if hidden else piece)
            continue
        name = (tag[1] or "").lower()
        if hidden:
            hidden = "" if name == hidden and piece.startswith("</") else hidden
        elif name in _HIDDEN and not piece.startswith("</"):
            hidden = name
        elif name in _BLOCKS:
            parts.append("\n")
    lines = html.unescape("".join(parts)).split("\n")
    return "\n".join(line for part in lines if (line := one_line(part, len(part))))


def shortened(text: str, most: int) -> str:
    """At most so many characters, up to the end of a sentence where there is one: half a sentence must not be quoted."""
    if len(text) <= most:
        return text
    cut = text[:most]
    ends = [m.end() for m in _ENDS.finditer(cut)] + [i for i, c in enumerate(cut) if c == "\n"]
    return cut[: max(ends)].rstrip() if ends else cut.rsplit(" ", 1)[0].rstrip()


def mentions(text: str, name: str) -> bool:
    """Whether a text names a company, as whole words.

    A name with a capital is not meant by a word in lower case: `police target dealers` says nothing of Target.
    """
    parts = [p for p in re.split(r"[\W_]+", unicodedata.normalize("NFKC", name)) if p]
    if not parts:
        return False
    whole = r"(?<!\w)" + r"[\W_]+".join(map(re.escape, parts)) + r"(?!\w)"
    found = (m[0] for m in re.finditer(whole, unicodedata.normalize("NFKC", text), re.IGNORECASE))
    return any(not parts[0][0].isupper() or words[0].isupper() for words in found)
