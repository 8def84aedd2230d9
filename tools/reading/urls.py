"""Addresses: one spelling per page, and who stands behind a host."""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

TRACKING = frozenset(
    "gclid gclsrc dclid gbraid wbraid fbclid msclkid yclid igshid mc_cid mc_eid _hsenc _hsmi mkt_tok srsltid".split()
)
"""Parameters that say how a reader came, never which page it is. Everything else in a query string is kept: two filers
of one form differ in nothing but their query."""
_PORTS = {"http": 80, "https": 443}
_SECOND_LEVEL = frozenset("ac co com edu gob gov go mil ne net or org".split())


def normalise_url(url: str) -> str:
    """The same page under one spelling: host in lower case, no default port, no fragment, no tracking parameters.

    Empty when it is not an http or https address with a host.
    """
    parts = _split(url.encode("utf-8", "replace").decode())  # half of a surrogate pair stands in no address
    if parts is None:
        return ""
    host = str(parts.hostname)
    try:
        host = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        return ""
    port = parts.port
    shown = f"[{host}]" if ":" in host else host
    netloc = shown if port is None or port == _PORTS[parts.scheme] else f"{shown}:{port}"
    return urlunsplit(
        (parts.scheme, netloc, quote(parts.path, safe="/%:@!$&'()*+,;=~-._") or "/", _query(parts.query), "")
    )


def host_of(url: str) -> str:
    """The host that stands behind an address, near enough to what is registered: `news.bbc.co.uk` is `bbc.co.uk`."""
    parts = _split(url)
    if parts is None:
        return ""
    host = str(parts.hostname).rstrip(".")
    labels = host.split(".")
    if ":" in host or all(label.isdigit() for label in labels):
        return host
    keep = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL else 2
    return ".".join(labels[-keep:])


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _query(query: str) -> str:
    """The query string without tracking parameters; left to the letter when it has none."""
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [(k, v) for k, v in pairs if not (k.casefold() in TRACKING or k.casefold().startswith("utm_"))]
    return query if len(kept) == len(pairs) else urlencode(kept)
