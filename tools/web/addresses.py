"""Which addresses may be asked at all. A page, a model or a redirect may name any URL; only public ones are followed.

The check is made twice: on the URL as written, and on every address its host resolves to, just before the connection is made
to that very address. Special-purpose networks are those of the IANA registries (RFC 6890 and its updates).
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx

from tools.base import FailureKind, SourceError

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port in, every address it has out. Raises OSError."""

_REFUSED = tuple(
    map(
        ipaddress.ip_network,
        """
        0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
        192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24
        203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 168.63.129.16/32
        ::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001:db8::/32 2002::/16
        2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8
        """.split(),
    )
)
"""Networks that are not the public internet; 168.63.129.16 is Azure's own service address, public only by its number."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that IANA gives out to the public; the rest is reserved, however global its numbers look."""
_SPECIAL = re.compile(
    r"(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home|corp|private|invalid|test|onion|home\.arpa|arpa)$"
)
"""Names that are never public: reserved ones (RFC 6761, 6762, 8375) and those that private networks use."""
_NAME = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\\\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff]")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Target:
    """A URL that passed the first check."""

    url: httpx.URL
    host: str
    """In lower case, in ASCII, without a trailing dot."""
    port: int
    trusted: bool = False
    """Named by the operator, so that it may be internal."""


class Unresolved(SourceError):
    """A name without an address. The resolver has tried more than once already."""


def refuse(why: str) -> SourceError:
    """The failure for an address that must not be asked."""
    return SourceError(FailureKind.REFUSED_ADDRESS, f"The address was refused: {why}.")


def check_url(url: str, allowed: frozenset[str] = frozenset()) -> Target:
    """Judge a URL as it is written. `allowed` holds hosts (or `host:port`) that the operator named.

    Raises SourceError (refused_address). Userinfo, odd ports, other schemes and numbers in any other notation than the
    usual are refused, not read: what two parsers read differently is how a check is passed.
    """
    if _UNPRINTABLE.search(url) or len(url) > 4_000:
        raise refuse("it has characters that belong in no address" if len(url) <= 4_000 else "it is too long")
    try:
        parsed = httpx.URL(url)
        host = parsed.raw_host.decode("ascii").strip("[]").lower()
    except (httpx.InvalidURL, UnicodeError, ValueError, TypeError) as exc:
        raise refuse("it is not a web address") from exc
    if parsed.scheme not in _PORTS:
        raise refuse("only http and https are asked")
    authority = re.split("[/?]", url.split("://", 1)[-1], maxsplit=1)[0]
    if parsed.userinfo or "@" in authority:
        raise refuse("it carries a user name")
    written = authority.split("#", 1)[0].rsplit("]", 1)[-1].rpartition(":")
    if written[1] and not re.fullmatch("[0-9]*", written[2]):
        raise refuse("its port is no plain number")
    if host.endswith("."):  # asked without it: certificates and SNI know no trailing dot
        host = host[:-1]
        parsed = parsed.copy_with(host=host)
    port = _PORTS[parsed.scheme] if parsed.port is None else parsed.port
    trusted = host in allowed or f"{host}:{port}" in allowed
    if not 0 < port < 65_536:
        raise refuse(f"there is no port {port}")
    if not trusted:
        if port not in _PORTS.values():
            raise refuse(f"port {port} is none of the web's")
        _check_host(host)
    return Target(parsed.copy_with(fragment=None), host, port, trusted)


def _check_host(host: str) -> None:
    if not host:
        raise refuse("it has no host")
    if ":" in host:
        if not is_public(host) or ipaddress.IPv6Address(host) in _NAT64:
            raise refuse("it is not on the public internet")
        return
    if not _NAME.fullmatch(host):
        raise refuse("its host is no name")
    last = host.rsplit(".", 1)[-1]
    if last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last):
        if not is_public(host):  # also false for every notation but four plain decimal numbers
            raise refuse("it is not on the public internet")
    elif "." not in host or _SPECIAL.search(host):
        raise refuse("its name belongs to private networks")


def is_public(address: str) -> bool:
    """Whether an address, in its usual notation, is on the public internet. An IPv6 one counts by the IPv4 one inside it."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if any(ip.version == network.version and ip in network for network in _REFUSED):
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is None and ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        isatap = (int(ip) >> 32) & 0xFFFFFFFF in (0x00005EFE, 0x02005EFE)
        return ip in _UNICAST and ip.is_global and ip.scope_id is None and not isatap
    return ip.is_global


async def resolve(host: str, port: int) -> Sequence[str]:
    """The system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def addresses_of(host: str, port: int, resolver: Resolver, *, trusted: bool) -> Sequence[str]:
    """Every address of a host, all of them public unless it is trusted. Raises SourceError.

    One private address among public ones refuses the host: which of them is dialled would be chance.
    """
    try:
        found = await resolver(host, port)
    except (OSError, UnicodeError) as exc:
        raise Unresolved(FailureKind.UNREACHABLE, f"The name {host} could not be looked up.") from exc
    if not found:
        raise Unresolved(FailureKind.UNREACHABLE, f"The name {host} has no address.")
    if not trusted and not all(is_public(address) for address in found):
        raise refuse(f"{host} leads to an address that is not on the public internet")
    return found
