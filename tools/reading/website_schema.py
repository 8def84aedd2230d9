"""The structured data of a page (schema.org as JSON-LD or microdata), whatever shape it was written in."""

from __future__ import annotations

import html
import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from pydantic import JsonValue

Item: TypeAlias = Mapping[str, JsonValue]
"""A thing with its properties, as in JSON-LD."""
logger = logging.getLogger(__name__)

DEEPEST = 6
MOST = 400
_INSIDE = ("@graph", "itemListElement", "item", "mainEntity", "mainEntityOfPage", "blogPost", "hasPart")
"""Properties whose values the page speaks of itself, not in passing."""


def structured(tree: Any, url: str) -> tuple[Item, ...]:
    """Every item of a parsed page; what cannot be read is left out."""
    scripts = [str(s.text_content()) for s in tree.xpath("//script[contains(@type, 'ld+json')]")]
    found: list[JsonValue] = []
    odd = False
    for script in scripts:
        try:
            found.append(json.loads(script, strict=False))
        except (ValueError, RecursionError):
            odd = True
    if odd or tree.xpath("boolean(//*[@itemscope])"):
        found += _by_extruct(tree, url, scripts if odd else [])
    flat = [item for value in found for item in (value if isinstance(value, list) else [value])]
    return tuple(item for item in flat if isinstance(item, dict))[:MOST]


def _by_extruct(tree: Any, url: str, scripts: list[str]) -> list[JsonValue]:
    """Microdata, and JSON-LD with comments in it. Extruct costs 37 MiB, so pages of plain JSON-LD do without."""
    import extruct

    pages = [f"<html><body><script type='application/ld+json'>{s}</script></body></html>" for s in scripts]
    items: list[JsonValue] = []
    for source, syntax in [(tree, "microdata"), *((page, "json-ld") for page in pages)]:
        try:
            read = extruct.extract(source, base_url=url, syntaxes=[syntax], errors="ignore").get(syntax, [])
        except Exception as exc:  # noqa: BLE001  # a page without structured data is a page all the same
            logger.warning("extruct failed on %s: %s", url, type(exc).__name__)
            continue
        items += [_as_json_ld(i, 0) for i in read] if syntax == "microdata" else read
    return items


def _as_json_ld(value: Any, depth: int) -> JsonValue:
    """Microdata in the shape of JSON-LD."""
    if isinstance(value, list):
        return [_as_json_ld(v, depth) for v in value[:MOST]]
    if not isinstance(value, dict):
        return value if isinstance(value, str | int | float | bool) else None
    properties = value.get("properties")
    if depth > DEEPEST or not isinstance(properties, dict):
        return None
    return {"@type": value.get("type"), **{str(k): _as_json_ld(v, depth + 1) for k, v in properties.items()}}


def types(item: Item) -> frozenset[str]:
    """The names of its types, without their vocabulary."""
    stated = item.get("@type")
    names = stated if isinstance(stated, list) else [stated]
    return frozenset(re.split(r"[/#:]", n)[-1] for n in names if isinstance(n, str))


def top(items: tuple[Item, ...]) -> list[Item]:
    """What the page is about: its items, and those of the lists and graphs among them."""
    found: list[Item] = []
    _gather(list(items), found, 0)
    return found


def _gather(value: JsonValue | list[Item], found: list[Item], depth: int) -> None:
    if depth > DEEPEST or len(found) >= MOST:
        return
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict) and len(found) < MOST:
            found.append(one)
            for key in _INSIDE:
                _gather(one.get(key), found, depth + 1)


def things(item: Item, key: str, known: Mapping[str, Item]) -> Iterator[Item]:
    """The items that a property names, references by `@id` followed; a plain text counts as a name."""
    value = item.get(key)
    for one in (value if isinstance(value, list) else [value])[:50]:
        if isinstance(one, str) and one.strip():
            yield {"name": one}
        elif isinstance(one, dict):
            name = one.get("@id")
            yield known.get(name, one) if isinstance(name, str) and len(one) <= 2 else one


def by_id(items: list[Item]) -> dict[str, Item]:
    """Items by the name that the page gives them; the one with the most properties counts."""
    found: dict[str, Item] = {}
    for item in items:
        name = item.get("@id")
        if isinstance(name, str) and len(item) > len(found.get(name, {})):
            found[name] = item
    return found


def word(value: JsonValue, limit: int = 120) -> str:
    """A property's text on one line; empty for what is no text or too long to be what it should be."""
    if isinstance(value, list):
        value = next((v for v in value if isinstance(v, str | dict)), None)
    if isinstance(value, dict):
        value = value.get("@value", value.get("name"))
    if not isinstance(value, str):
        return ""
    plain = " ".join(re.sub(r"<[^>]+>", " ", html.unescape(value)).split())
    return plain if len(plain) <= limit and "@" not in plain else ""


def number(value: JsonValue) -> float | None:
    """A count or an amount, also written as text with thousands separators."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,3}(?:,\d{3})+|\d{1,12}(?:\.\d{1,2})?", value.strip()):
        return float(value.replace(",", ""))
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
    return float(value) if good and isinstance(value, int | float) else None
