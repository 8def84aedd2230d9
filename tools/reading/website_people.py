"""Who leads a company, off the layout of its leadership page: a name, and beside it a role, in one card or one after another.

A word that may be none of a role, or a layout that can be read in two ways, costs the person: a wrong title is worse than none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import JsonValue

from tools.reading.website_pages import address
from tools.reading.website_reading import Fact, Node, Reading, Site, runs

MOST, MOST_SPOTS = 20, 300
_PARTICLES = frozenset("de da di del della der den van von und la le el al bin ibn ben dos du af av ter y e".split())
_NO_NAME = frozenset(
    """
    about academy advisory advisors america americas annual asia award awards bio bios blog board business by careers case
    client clients commercial committee community company compliance contact corporate council culture customer customers data
    department design development director directors diversity download email engineering enterprise europe events executive
    executives experience facebook finance for founders from full general global governance group growth headquarters health
    help high history hiring how human in inc india innovation insights investor investors job jobs join key latest leaders
    leadership learn legal life limited linkedin llc ltd management market marketing media meet member members mission more
    my new news newsletter north of office officers offices on open operations our overview partners people performance
    philosophy platform policy practice president press privacy product products profile profiles programs purpose quality
    read relations report research resources responsibility risk role sales san science search security senior services show
    site social solutions south staff states story strategy subscribe success support sustainability team teams technical
    technology terms the to training twitter united us values video view vision visit watch we welcome west what who why with
    work working world york you your youtube
    """.split()
)
"""Words that headings and buttons have and names do not."""
_ROLE_WORDS = frozenset(
    """
    ceo cfo cto coo cio cmo cro cpo ciso chro cco cdo cso cao evp svp vp avp president founder cofounder chair chairman
    chairwoman chairperson director treasurer controller comptroller principal owner head counsel secretary manager partner
    """.split()
)
_OTHER_WORDS = frozenset(
    """
    chief officer vice senior executive managing general deputy associate assistant-vice lead acting interim co non independent
    board member corporate group global regional worldwide international national of and the for in de emea apac amer
    americas america north south latin europe european asia pacific japan china india uk us usa canada germany france
    australia africa middle east engineering sales marketing product products finance financial legal people human resources
    operations operating technology technical information security data analytics research development science scientific
    medical clinical commercial revenue growth strategy strategic customer success support services service solutions
    partnerships partner alliances channel channels business corporate communications communication public affairs
    policy government relations investor compliance risk audit accounting tax treasury brand design creative content digital
    supply chain manufacturing quality procurement logistics facilities real estate diversity inclusion equity culture talent
    acquisition learning administrative administration innovation transformation architecture infrastructure platform cloud
    software hardware ai it hr pr demand generation field enterprise retail consumer industrial regulatory sustainability
    professional delivery programs program project nonexecutive director operational production experience workplace
    """.split()
)
_FULL_ROLES = re.compile(
    r"(?:co-?)?founder|owner|(?:managing|general|founding|senior) partner|partner|principal|controller|secretary|board member",
    re.IGNORECASE,
)
"""Roles that stand for leadership only where nothing else stands beside them, or only with certain words."""
_CHIEF = re.compile(r"\bchief (?:[\w&-]+ ){1,4}?(?:and [\w&-]+ )?officer\b", re.IGNORECASE)
_PAST = re.compile(r"\b(?:former|ex|emerit\w+|retired|previous|late|incoming|outgoing)\b", re.IGNORECASE)
_CREDENTIALS = re.compile(
    r"(?:,\s*(?:Ph\.?\s?D|M\.?\s?D|J\.?D|MBA|CPA|CFA|CISSP|Esq|M\.?Sc?|P\.?E|Jr|Sr|II|III)\b\.?)+", re.I
)
_HONORIFIC = re.compile(r"^(?:Dr|Mr|Mrs|Ms|Prof|Sir|Dame)\.?\s+", re.IGNORECASE)
_SKIPPED = re.compile(
    r"\W+|\(?(?:she|he|they)\s?/.{2,20}|linkedin|twitter|x|bio|read (?:more|bio|full bio)|view (?:bio|profile)|follow",
    re.I,
)
_OTHERS = re.compile(
    r"testimonial|blockquote|quote|review|customer|case-?stud|speaker|author|byline|podcast|guest", re.I
)
_SPLIT = re.compile(r"\s+[–—|-]\s+|\s*[,|]\s+")


@dataclass(frozen=True)
class _Spot:
    """A text of the page that may be a name or a role."""

    text: str
    node: Node
    at: int
    """Its place among the texts."""


def people(reading: Reading, site: Site, about: str, page: str) -> list[Fact]:
    """The leaders that a page names; `page` is how to call it in a sentence."""
    texts = [(t, n) for t, n in runs(reading.body) if not _SKIPPED.fullmatch(t)]
    own = frozenset(re.findall(r"\w+", about.casefold()))
    names: dict[int, _Spot] = {}
    roles: dict[int, _Spot] = {}
    found: dict[int, tuple[str, str, Node]] = {}
    for at, (text, node) in enumerate(texts[:5_000]):
        if len(names) + len(roles) >= MOST_SPOTS:
            break
        if _quoted(node):
            continue
        if both := _in_one(text, own):
            found[at] = (*both, node)
        elif role := _role(text, own):
            roles[at] = _Spot(role, node, at)
        elif name := _name(text, own):
            names[at] = _Spot(name, node, at)
    for at, name_spot in names.items():
        role_spot = _beside(name_spot, names, roles)
        if role_spot is not None:
            found[at] = (name_spot.text, role_spot.text, _meeting(name_spot.node, role_spot.node))
    facts: dict[str, Fact] = {}
    for at in sorted(found):
        name, role, card = found[at]
        if len(facts) < MOST and name.casefold() not in facts:
            facts[name.casefold()] = _fact(name, role, about, page, _link(card, reading, site))
    return list(facts.values())


def _beside(name: _Spot, names: dict[int, _Spot], roles: dict[int, _Spot]) -> _Spot | None:
    """The role that certainly goes with a name: the next text, or the one before where both are alone in a card."""
    after, before = roles.get(name.at + 1), roles.get(name.at - 1)
    if after is not None:
        card = _meeting(name.node, after.node)
        within = [s for s in names.values() if _holds(card, s.node)]
        first = min(s.at for s in [*within, *(r for r in roles.values() if _holds(card, r.node))])
        # Where a list begins with a role, each role may belong to the name after it.
        if len(within) == 1 or any(s.at == first for s in within):
            return after
    if before is None:
        return None
    card = _meeting(name.node, before.node)
    alone = sum(_holds(card, s.node) for s in [*names.values(), *roles.values()]) == 2
    return before if alone else None


def _name(text: str, own: frozenset[str]) -> str:
    """The text, where it looks like nothing but a person's name."""
    plain = _HONORIFIC.sub("", _CREDENTIALS.sub("", text)).strip(" ,")
    parts = plain.split()
    if not 2 <= len(parts) <= 5 or len(plain) > 45:
        return ""
    for part in parts:
        low = part.strip(".,").casefold()
        if low in _NO_NAME or low in own or not re.fullmatch(r"[^\W\d_][^\W\d_'’.-]*(?:['’-][^\W\d_]+)*\.?", part):
            return ""
        if not part[0].isupper() and low not in _PARTICLES:
            return ""
    whole = [p for p in parts if len(p.strip(".")) > 1 and p[0].isupper()]
    return plain if len(whole) >= 2 and parts[0][0].isupper() else ""


def _role(text: str, own: frozenset[str]) -> str:
    """The text, where it is nothing but a role in the lead of this company."""
    plain = text.strip(" ,–—|-·:")
    if not 2 < len(plain) <= 90 or not (plain[0].isupper() or plain.lower().startswith("co-")) or _PAST.search(plain):
        return ""
    if re.search(r"[?!;:\"“”]|\.(?=\s)|\.$|['’]s\b", plain):
        return ""
    rest = (
        _CHIEF.sub("ceo", plain).casefold().replace("co-founder", "cofounder").replace("non-executive", "nonexecutive")
    )
    words = re.findall(r"[^\W_]+", rest)
    if len(words) > 14 or (not _ROLE_WORDS & set(words) and not _FULL_ROLES.fullmatch(plain)):
        return ""
    if not all(w in _ROLE_WORDS or w in _OTHER_WORDS or w in own for w in words):
        return ""
    weak = _ROLE_WORDS & set(words) <= {"manager", "partner", "principal", "controller", "secretary", "owner"}
    strong = "general manager" in rest or "country manager" in rest or "corporate secretary" in rest
    return plain if not weak or strong or _FULL_ROLES.fullmatch(plain) else ""


def _in_one(text: str, own: frozenset[str]) -> tuple[str, str] | None:
    """`Jane Doe, Chief Financial Officer` in one text."""
    if len(text) > 120:
        return None
    plain = _CREDENTIALS.sub("", text)
    parts = _SPLIT.split(plain, maxsplit=1)
    if len(parts) != 2:
        return None
    name, role = _name(parts[0], own), _role(parts[1], own)
    return (name, role) if name and role else None


def _fact(name: str, role: str, about: str, page: str, url: str) -> Fact:
    of = f", at {about}" if "," in role else f" of {about}"
    value: JsonValue = [{"name": name, "role": role, "url": url}]
    return Fact(f"{name} is {role}{of}, according to its {page} page.", "leadership", "people", value)


def _link(card: Node, reading: Reading, site: Site) -> str:
    """The person's own page, where the card leads to one of this site; else the page itself."""
    near = [*card.iterancestors("a"), *card.iter("a")]
    urls = {u for a in near if (u := address(reading.base, a.get("href", ""))) and site.holds(u) and u != reading.url}
    return urls.pop() if len(urls) == 1 else reading.url


def _quoted(node: Node) -> bool:
    """Whether a text stands among what others say: there, a title is one in another company."""
    chain = [node, *node.iterancestors()][:7]
    return any(
        n.tag == "blockquote"
        or (n.tag not in ("body", "html", "main") and _OTHERS.search(f"{n.get('class')} {n.get('id')}"))
        for n in chain
    )


def _meeting(a: Node, b: Node) -> Node:
    """The innermost element that holds both."""
    chain = {id(n): n for n in [a, *a.iterancestors()]}
    return next((n for n in [b, *b.iterancestors()] if id(n) in chain), a.getroottree().getroot())


def _holds(card: Node, node: Node) -> bool:
    return node is card or any(n is card for n in node.iterancestors())
