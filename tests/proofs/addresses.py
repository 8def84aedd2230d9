"""Every form in which an address of the house can be written, against the one HTTP door; and ordinary ones that must pass.

    python -m tests.proofs addresses

A form counts as refused when the door fails with that very kind, nobody dialled anything for it but its public hops, and the
canary that stands for the house got no connection.
"""

from __future__ import annotations

import asyncio
import ipaddress
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.standins.fake_network import PUBLIC, Canary, Names, Network, Request, reply
from tools.base import FailureKind, SourceError
from tools.fetching import Http

PUBLIC6, NAT64 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"


@dataclass(frozen=True)
class Form:
    """An address as somebody may write it."""

    kind: str
    url: str
    names: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    """What names resolve to, in turn; those left out are public."""
    leads: Mapping[str, str] = field(default_factory=dict)
    """Where a URL (`http://host/path`) redirects to."""
    mirrors: Mapping[str, str] = field(default_factory=dict)
    hops: int = 0
    """Public connections that come before the refusal."""


# --- refused -----------------------------------------------------------------------------------------------------------

_INSIDE = "127.0.0.1 169.254.169.254 10.0.0.1 172.16.5.4 192.168.1.1".split()


def _numbers(address: str) -> Iterator[str]:
    """An IPv4 address in every notation that some parser takes."""
    value = int(ipaddress.IPv4Address(address))
    a, b, c, d = value.to_bytes(4)
    yield address
    yield str(value)
    yield hex(value)
    yield oct(value).replace("0o", "0")
    yield f"{a:#x}.{b:#x}.{c:#x}.{d:#x}"
    yield f"0{a:o}.0{b:o}.0{c:o}.0{d:o}"
    yield f"{a:#x}.{b}.0{c:o}.{d}"
    yield f"{a}.{b}.{(c << 8) + d}"
    yield f"{a}.{value & 0xFFFFFF}"
    yield f"{a + 256}.{b}.{c}.{d}"
    yield str(value + 2**32)


def _inside_ipv6(address: str) -> Iterator[str]:
    """An IPv4 address inside an IPv6 one."""
    value = int(ipaddress.IPv4Address(address))
    high, low = f"{value >> 16:x}", f"{value & 0xFFFF:x}"
    yield f"[::ffff:{address}]"
    yield f"[::ffff:{high}:{low}]"
    yield f"[::{address}]"
    yield f"[::ffff:0:{address}]"
    yield f"[64:ff9b::{address}]"
    yield f"[64:ff9b:1::{address}]"
    yield f"[2002:{high}:{low}::1]"
    yield f"[2001:0:4136:e378:8000:63bf:{0xFFFF ^ (value >> 16):x}:{0xFFFF ^ (value & 0xFFFF):x}]"
    yield f"[2606:4700::5efe:{address}]"
    yield f"[2606:4700::200:5efe:{address}]"


_PLAIN = {
    "IPv6": """[::1] [::] [0:0:0:0:0:0:0:1] [0000::0001] [fe80::1] [fe80::1%25eth0] [febf::1] [fec0::1] [fc00::1]
        [fd12:3456::1] [ff02::1] [ff0e::1] [100::1] [2001:db8::1] [2001:20::1] [3fff::1] [5f00::1] [4000::1] [::7f00:1:0:0]
        [2606:4700::1111%25lo] [::1%25lo] [2620:4f:8000::1] [::1]. [::ffff:8.8.8.8] [64:ff9b::8.8.8.8]""",
    "special networks": """0.0.0.0 0 0.1.2.3 255.255.255.255 100.64.0.1 100.127.255.254 192.0.0.8 192.0.2.1 198.18.0.1
        198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 192.88.99.1 127.255.255.254 127.1 127.0.1
        10.255.255.255 172.31.255.255 192.168.255.255 169.254.0.1""",
    "metadata": """169.254.170.2 169.254.170.23 168.63.129.16 100.100.100.200 192.0.0.192 [fd00:ec2::254] [fd00:ec2::23]
        [fd20:ce::254] metadata.google.internal metadata.google.internal. METADATA.GOOGLE.INTERNAL metadata instance-data
        instance-data.ec2.internal""",
    "names of the house": """localhost LOCALHOST localhost. a.localhost localhost.localdomain ip6-localhost printer.local
        wiki.internal db.corp nas.lan router.home gw.home.arpa wiki.intranet host.docker.internal
        kubernetes.default.svc.cluster.local intranet db x.test x.invalid x.onion 1.0.0.127.in-addr.arpa a.private""",
    "other writings": """127.0.0.1. 127.0.0.1.. 127..0.1 %31%32%37.0.0.1 127%2e0%2e0%2e1 %6c%6f%63alhost 127.0.0.1%00.example.com
        localhost%2eexample.com １２７.０.０.１ ①②⑦.⓪.⓪.① 127。0。0。1 127．0．0．1 127｡0｡0｡1
        ⓛⓞⓒⓐⓛⓗⓞⓢⓣ ｌｏｃａｌｈｏｓｔ localhost。 ₁₂₇.₀.₀.₁ 𝟏𝟐𝟕.𝟎.𝟎.𝟏
        0x7f.0x0.0x0.0x1. 127.0.0.0x1 0x7f000001. 127.0.0.1:80:80 [127.0.0.1] [::1 ::1 1.2.3.4.5 256.256.256.256
        0x 0x.0x.0x.0x 0xffffffffff 00000177.0.0.1 example.com.. -example.com exa_mple.c_m""",
}
_LITERAL = {
    "user names": """http://example.com@127.0.0.1/ http://example.com:80@127.0.0.1/ http://@127.0.0.1/
        http://:@127.0.0.1/ http://user:pass@example.com/ http://127.0.0.1#@example.com/ http://127.0.0.1?@example.com/
        http://example.com#@127.0.0.1/ http://127.0.0.1/@example.com http://example.com%40@127.0.0.1/
        http://a@b@127.0.0.1/ http://example.com%23@127.0.0.1/
        http://127.0.0.1%23@example.com/ http://[::1]@example.com/ http://example.com@[::1]/""",
    "schemes": """file:///etc/passwd file://localhost/etc/passwd ftp://example.com/ gopher://127.0.0.1:70/_x dict://127.0.0.1:11211/
        data:text/html,x javascript:alert(1) ws://example.com/ wss://example.com/ ldap://127.0.0.1/ jar:http://example.com!/
        about:blank mailto:a@example.com unix:/var/run/docker.sock http+unix://x/ blob:https://example.com/1 //127.0.0.1/
        127.0.0.1 /etc/passwd httpx://example.com/ view-source:http://127.0.0.1/ http: http:// http:/// https:127.0.0.1
        http:/127.0.0.1/ http:///127.0.0.1/ http:example.com""",
    "ports": """http://example.com:8_0/ http://example.com:８０/ http://[2606:4700::1111]x/
        http://example.com:22/ http://example.com:6379/ http://example.com:8080/
        https://example.com:8443/ http://example.com:0/ http://example.com:65536/
        http://example.com:4295032912/ http://example.com:-80/ http://example.com:+80/
        http://example.com:80a/ http://example.com:0x50/ http://93.184.215.14:25/ https://[2606:4700::1111]:9200/""",
}
_CRAFTED = [
    *(
        "http://127.0.0.1\\@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http:\\\\127.0.0.1\\",
        "\\\\127.0.0.1\\share",
    ),
    *(
        "http://exam\tple.com/",
        "http://127.0.0.1\t/",
        "http://example.com\r\nHost: 127.0.0.1/",
        "http://example.com\n/",
    ),
    *("http://example.com/\r\nX-Evil: 1", "http://127.0.0.1\x00.example.com/", "http://example.com\x00@127.0.0.1/"),
    *(
        " http://127.0.0.1/",
        "http://127.0.0.1 /",
        "http:// 127.0.0.1/",
        "http://127.0.0.1\u3000/",
        "http://\u00a0localhost/",
    ),
    *("http://local\u00adhost/", "http://127.0.0\u00ad.1/", "http://local\u200bhost/", "http://\u202e1.0.0.721/"),
    *(
        "http://loc\u2060alhost/",
        "\ufeffhttp://localhost/",
        "http://example.com/" + "a" * 4_000,
        "http://" + "a" * 300 + ".com/",
    ),
    *(
        "http://local\u034fhost/",
        "http://127.0.0.1\u2028/",
        "http://example.com\x7f/",
        "http://example\x1b[0m.com/",
        "",
    ),
]
_HOUSE = [
    "10.0.0.5",
    "127.0.0.1",
    "169.254.169.254",
    "192.168.0.9",
    "::1",
    "fd00::5",
    "fe80::1",
    "::ffff:10.0.0.5",
    "0.0.0.0",
]
_HOUSE += ["100.100.100.200", "168.63.129.16", "64:ff9b::a00:5", "2002:7f00:1::", "fe80::1%eth0", "no address at all"]


def refused() -> list[Form]:
    """Every form that must be refused."""
    found = [Form("numbers", f"http://{n}/") for address in _INSIDE for n in _numbers(address)]
    found += [Form("IPv4 in IPv6", f"http://{n}/") for address in _INSIDE[:3] for n in _inside_ipv6(address)]
    found += [Form(kind, f"http://{host}/") for kind, hosts in _PLAIN.items() for host in hosts.split()]
    found += [Form(kind, url) for kind, urls in _LITERAL.items() for url in urls.split()]
    found += [Form("crafted", url) for url in _CRAFTED]
    name, url = "innocent.example.com", "https://innocent.example.com/"
    found += [Form("DNS: private only", url, {name: [[a]]}) for a in _HOUSE]
    found += [Form("DNS: public and private", url, {name: [[PUBLIC, a]]}) for a in _HOUSE]
    found += [Form("DNS: private first", url, {name: [[a, PUBLIC]]}) for a in _HOUSE[:3]]
    rebound = {name: [[PUBLIC], ["127.0.0.1"]]}
    again = {url + "0": url + "1"}  # each answer ends its connection, so that the second request looks up anew
    found.append(Form("DNS: rebinding between connections", url + "0", rebound, again, hops=1))
    return found + _redirects() + _mirrored()


def _redirects() -> list[Form]:
    start, second = "https://start.example.com/", "http://second.example.org/x"
    bad = """http://127.0.0.1/ //127.0.0.1/ https://169.254.169.254/latest/ http://localhost/ http://[::1]/ http://2130706433/
        file:///etc/passwd ftp://example.com/ gopher://127.0.0.1/ data:text/html,x javascript:alert(1) http://user@example.com/
        http://example.com@127.0.0.1/ http://example.com:6379/ //example.com:22/ http://metadata.google.internal/ http://0/
        https://start.example.com:8443/ http://start.example.com.:81/ http:///127.0.0.1/ http://127.1/ http://[::ffff:7f00:1]/""".split()
    found = [Form("redirect", start, leads={start: b}, hops=1) for b in [*bad, "//start.example.com\\@127.0.0.1/"]]
    found += [Form("redirect twice", start, leads={start: second, second: b}, hops=2) for b in bad[:8]]
    inner = {"inner.example.net": [["10.1.2.3"]]}
    return [*found, Form("redirect to a private name", start, inner, {start: "//inner.example.net/"}, hops=1)]


def _mirrored() -> list[Form]:
    """What a page names must not profit from a mirror: neither from its trust nor from its connections."""
    every = {"*": "http://mirror.house/{host}"}
    names = {"mirror.house": [["10.9.9.9"]], "mirror.example.net": [["10.9.9.9"]], "evil.example.com": [["10.0.0.7"]]}
    urls = "http://10.9.9.9/ http://127.0.0.1/ http://[::1]/ http://2130706433/ http://localhost/ http://mirror.house:8080/"
    found = [Form("mirror of all", u, names, mirrors=every) for u in [*urls.split(), "http://169.254.169.254/"]]
    one = {"data.example.com": "http://mirror.example.net/sec"}
    found.append(Form("a mirror's own host", "http://mirror.example.net/admin", names, mirrors=one))
    found.append(Form("another name at a mirror's address", "http://evil.example.com/", names, mirrors=one))
    return [
        *found,
        Form("a mirror that is any host", "http://evil.example.com/", names, mirrors={"*": "http://{host}/m"}),
    ]


# --- allowed -----------------------------------------------------------------------------------------------------------


def allowed() -> list[Form]:
    """Ordinary addresses, which must all pass."""
    plain = """https://example.com/ http://example.com/ https://example.com/a/b?q=1&r=a%20b https://example.com/?q=http://127.0.0.1/
        https://example.com:443/ http://example.com:80/ http://example.com:443/ https://example.com:80/ http://example.com:/
        https://münchen.de/ https://xn--mnchen-3ya.de/ https://例え.jp/ https://bücher.example.com/straße?ü=ö https://example。com/
        http://93.184.215.14/ https://8.8.8.8/ https://[2606:4700:4700::1111]/ https://[2606:4700:4700::1111]:443/x http://1.1.1.1/
        https://shop.photography/ https://a.international/ https://EXAMPLE.COM/Path HTTPS://Example.Com/ https://example.com./x
        https://3m.com/ https://1password.com/ https://7-eleven.com/ https://163.com/ https://0x.org/ https://2130706433.com/
        https://my_shop.example.com/ https://_dmarc.example.com/ https://a-b--c.example.com/ https://medium.com/@acme/post-1
        https://example.com/#top https://example.com/a?x=@y https://localhost.com/ https://internal.example.com/
        https://local.fr/ https://corporate.com/ https://testing.com/ https://homedepot.com/ https://lantern.com/
        https://en.wikipedia.org/wiki/Acme_(company) https://example.com/a;b=c,d/~user/'x'! https://a.b.c.d.e.f.example.co.uk/""".split()
    found = [Form("plain", url) for url in plain]
    name, url = "site.example.com", "https://site.example.com/"
    answers = {
        "IPv6": [PUBLIC6],
        "both": [PUBLIC6, PUBLIC],
        "DNS64": [NAT64],
        "several": [PUBLIC, "8.8.8.8", "1.1.1.1"],
    }
    found += [Form(f"DNS: {kind}", url, {name: [a]}) for kind, a in answers.items()]
    leads = ["https://site.example.com/", "//www.example.org/y", "/elsewhere", "https://www.example.org/a b", "?page=2"]
    start = "http://site.example.com/"
    return found + [Form("redirect", start, leads={start: to}) for to in leads]


# --- the proof ---------------------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What became of a form."""

    form: Form
    said: str
    """`page`, or the kind of the failure."""
    dialled: Sequence[tuple[str, int]]


async def ask(form: Form, folder: Path, canary: Canary) -> Outcome:
    """Ask the door for a form, as a source would."""

    def world(asked: Request) -> bytes:
        scheme = "http" if asked.sni is None else "https"
        to = form.leads.get(f"{scheme}://{asked.host}{asked.path}")
        return reply(b"{}") if to is None else reply(status=302, Location=to)

    network = Network(world, canary)
    http = Http(
        folder, mirrors=form.mirrors, backoff=0.0, pace_scale=0.0, resolver=Names(form.names), network=network,
    )  # fmt: skip
    try:
        await http.door("proof", 20.0, {}).get(form.url)
        said = "page"
    except SourceError as exc:
        said = exc.kind.value
    except Exception as exc:
        said = f"a leak: {exc!r}"
    finally:
        await http.aclose()
    return Outcome(form, said, network.dialled)


async def misses(folder: Path, canary: Canary) -> list[str]:
    """Forms that went wrong, in words."""
    wrong = []
    for form in refused():
        before = canary.connections
        got = await ask(form, folder, canary)
        if got.said != FailureKind.REFUSED_ADDRESS or len(got.dialled) != form.hops or canary.connections != before:
            wrong.append(
                f"{form.kind}: {form.url[:80]!r} {dict(form.names)} {dict(form.leads)} ended in {got.said}, dialled {got.dialled}"
            )
    for form in allowed():
        got = await ask(form, folder, canary)
        if got.said != "page" or not got.dialled:
            wrong.append(f"not allowed: {form.kind}: {form.url!r} ended in {got.said}")
    return wrong + ([f"the canary got {canary.connections} connections"] if canary.connections else [])


def main() -> int:
    """Print the table by kind; 1 on any miss."""
    with tempfile.TemporaryDirectory() as folder, Canary() as canary:
        wrong = asyncio.run(misses(Path(folder), canary))
        connections = canary.connections
    forms = refused()
    for kind in dict.fromkeys(f.kind for f in forms):
        print(f"addresses: {kind}: {sum(f.kind == kind for f in forms)}")
    for line in wrong:
        print(f"addresses: MISS {line}")
    print(
        f"addresses: {len(forms)} forms to refuse, {len(allowed())} to allow, {len(wrong)} misses,"
        f" {connections} connections at the canary"
    )
    return 1 if wrong else 0
