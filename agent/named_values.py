"""Names and words as typed values, pure: people with roles, companies, technologies, jobs, places, funding rounds.

Everything here is called by `agent.values`, which says what holds for all of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from pydantic import JsonValue

from agent.claims.dates import When
from agent.claims.measures import Quantity
from agent.claims.names import name_runs, name_words, opens_sentences
from agent.claims.reading import Reading, Token
from agent.claims.roles import ROLE
from tools.reading.job_words import function_of, technologies_in

_LOOSE = re.compile(
    r"\b(?:expect\w*|forecast\w*|guidance|guid(?:es|ed|ing)|project(?:s|ed|ions?)|will|would|could|might|may(?! \d)|if|not|"
    r"never|target\w*|aim(?:s|ed|ing)?|plan(?:s|ned|ning)?|estimates?|anticipat\w*|outlook|analysts?|reportedly|rumou?r\w*|"
    r"den(?:y|ies|ied)|potential\w*|possibl[ey]|former(?:ly)?|previous(?:ly)?|ex-|no longer|consider\w*)\b|n't\b|\bex-",
    re.I,
)
"""What makes a sentence less than a plain statement of how things are: plans, guesses, denials, the past."""


def firm(text: str) -> bool:
    """Whether a sentence states how things are, and not a plan, a guess, a denial or something former."""
    return _LOOSE.search(text) is None


def number(value: Decimal) -> int | float:
    """A figure as JSON has it."""
    return int(value) if value == value.to_integral_value() else float(value)


def iso(when: When) -> str:
    """A date as far as it is stated: `2026`, `2026-07` or `2026-07-31`."""
    return "-".join(f"{part:02d}" for part in (when.year, when.month, when.day) if part is not None)


def is_money(q: Quantity) -> bool:
    """Whether a figure is an amount in a currency."""
    return len(q.unit) == 3 and q.unit.isupper()


# --- names --------------------------------------------------------------------------------------------------------------

_LISTING = r"(?:,? (?:include|includes|including|are|such as|like)|:)"
_TRIGGERS = {
    ("competitors", "items"): re.compile(
        rf"\bcompet(?:es?|ed|ing)(?: \w+ly)? (?:with|against)|\b(?:competitors|rivals){_LISTING}", re.I
    ),
    ("customers", "items"): re.compile(rf"\bcustomers{_LISTING}|\b(?:is|are) used by", re.I),
    ("customers", "partners"): re.compile(
        rf"\bpartner(?:ed|s|ing|ships?)? with|\bpartners{_LISTING}|\balliance with", re.I
    ),
    ("funding", "subsidiaries"): re.compile(
        rf"\b(?:acquire[sd]|bought|acquisition of)\b(?! by)|\bsubsidiaries{_LISTING}", re.I
    ),
}
_PASSIVE = re.compile(r"\b(?:was|were|been|being|is|be|got)(?: \w+ly)? $", re.I)
_BETWEEN = re.compile(
    r"(?:,? (?:Inc|Corp|Corporation|Ltd|LLC|plc|AG|SE|GmbH)\b\.?)?[\s,:]*(?:(?:and|or|&|as well as|the) ?)*", re.I
)


def structured(key: tuple[str, str], reading: Reading, names: Sequence[str]) -> JsonValue:
    """The items or the words of a field that needs no figure; None when the sentence does not give them for certain."""
    match key:
        case ("leadership", "people"):
            return _people(reading, names) or None
        case ("technology", "tools" | "languages"):
            return _technologies(reading, names, languages=key[1] == "languages") or None
        case ("news", "events"):
            days = {iso(d) for d in reading.dates if d.year and d.day}
            return {"headline": reading.text, "date": days.pop() if len(days) == 1 else None}
        case ("profile", "hq"):
            return _place(reading, names)
        case ("funding", "parent"):
            owner = re.search(r"\b(?:subsidiary of|owned by)\b", reading.text, re.I)
            found = _listed(reading, owner, names) if owner else []
            return found[0] if len(found) == 1 else None
        case ("funding", "rounds"):
            return _round(reading, names)
        case ("hiring", "key_titles" | "by_function"):
            return _job(reading, by_function=key[1] == "by_function")
    trigger = _TRIGGERS[key].search(reading.text) if key in _TRIGGERS else None
    if trigger is None or (_PASSIVE.search(reading.text[: trigger.start()]) and "used" not in trigger.group()):
        return None
    return [{"name": n} for n in _listed(reading, trigger, names)] or None


def _foreign(reading: Reading, names: Sequence[str], end: int) -> bool:
    """Whether somebody else than the subject is named before `end`, so that it may be said of them."""
    runs = name_runs(reading, name_words(names))
    return any(r[0].start < end and not (len(r) == 1 and r[0].initial and _opener(r[0])) for r in runs)


def _opener(token: Token) -> bool:
    return opens_sentences(token) or token.low in ("customers", "competitors", "rivals", "partners", "subsidiaries")


def _listed(reading: Reading, trigger: re.Match[str], names: Sequence[str]) -> list[str]:
    """The names that follow a trigger in a list, none when it may be about another company."""
    if _foreign(reading, names, trigger.start()):
        return []
    found: list[str] = []
    at = trigger.end()
    for run in name_runs(reading, name_words(names)):
        if run[0].start < at:
            continue
        if not _BETWEEN.fullmatch(reading.text[at : run[0].start]):
            break
        at = run[-1].end
        name = reading.text[run[0].start : at]
        if re.match(r"'| (?=[A-Z\d])(?!(?:Inc|Corp|Corporation|Ltd|LLC|AG|SE|GmbH)\b)", reading.text[at:]):
            break  # `Acme's cloud` is not Acme, and half of `Capital One` is no name
        found.append(name)
    return list(dict.fromkeys(found))


def _place(reading: Reading, names: Sequence[str]) -> str | None:
    word = r"[A-Z][\w.'-]*"
    told = re.search(
        rf"\b(?:headquartered|based|headquarters (?:is|are)(?: located)?|headquarters:?) (?:in|at) "
        rf"((?:{word})(?: {word}){{0,2}}(?:, {word}(?: {word}){{0,2}}){{0,2}})",
        reading.text,
    )
    if told is None or _foreign(reading, names, told.start()) or re.search(r"\bmov(?:e|es|ed|ing)\b", reading.text):
        return None
    return told[1].rstrip(".,")


_RAISED = re.compile(r"\b(?:raised|secured|closed)(?: (?:a|an|about|over|more than|another))* $", re.I)


def _round(reading: Reading, names: Sequence[str]) -> JsonValue:
    kind = re.search(r"\b(?:Series [A-K]\d?|[Ss]eed)\b", reading.text)
    amounts = [
        q
        for q in reading.numbers
        if is_money(q) and _RAISED.search(reading.text[: q.start])
    ]  # fmt: skip
    if kind is None or len(amounts) != 1 or _foreign(reading, names, amounts[0].start):
        return None
    days = {iso(d) for d in reading.dates if d.year is not None and not d.decade}
    return {
        "name": kind.group(),
        "amount": number(amounts[0].value),
        "currency": amounts[0].unit,
        "date": days.pop() if len(days) == 1 else None,
    }


# --- people, technologies, jobs -----------------------------------------------------------------------------------------

_HOLDS = re.compile(
    r",? (?:(?:is|serves as|was (?:named|appointed|promoted to|elected)|has been|became|joined as|as)(?: as)? )?(?:the |its |our |"
    r"their |a |an )?(?:company's )?(?:new )?",
    re.I,
)
_HELD_BY = re.compile(r",? (?:is |named )?")
_OF = re.compile(r" (?:of|for) (?:the )?(?:[A-Z][\w&-]*(?: (?:and |& )?[A-Z][\w&-]*){0,3}|[a-z][\w-]{2,})")


def _people(reading: Reading, names: Sequence[str]) -> list[JsonValue]:
    """Persons with the role that the words right beside their name give them; nobody's former role, no other company's."""
    ours = name_words(names)
    found: dict[str, JsonValue] = {}
    runs = [r for r in name_runs(reading, ours) if _person(r)]
    for m in ROLE.finditer(reading.text):
        if (m["kind"] or "").lower().strip(" -") in ("former", "ex", "previous", "then", "outgoing", "next"):
            continue
        tail = _OF.match(reading.text, m.end("role"))
        if tail and _elsewhere(m["role"], tail.group(), ours):
            continue
        end = tail.end() if tail and not name_words([tail.group().split(" ", 2)[-1]]) & ours else m.end("role")
        own = re.search(r"([\w.&-]+)(?:'s)? $", reading.text[: m.start()])
        before = [r for r in runs if r[-1].end <= m.start() and _holds(reading.text[r[-1].end : m.start()], ours)]
        after = [r for r in runs if r[0].start >= end and _HELD_BY.fullmatch(reading.text[end : r[0].start])]
        holders = before[-1:] if before and not after else after[:1] if not before else []
        if not before and own and own[1][:1].isupper() and own[1].lower() not in ours and not _begins(reading, own):
            continue  # `Datadog CEO Ann Lee` leads Datadog
        for run in holders:
            name = reading.text[run[0].start : run[-1].end]
            role = reading.text[m.start() : end].strip()
            known = found.get(name)
            both = f"{known['role']} and {role}" if isinstance(known, dict) else role
            found[name] = {"name": name, "role": both}
    return list(found.values())


def _holds(between: str, ours: frozenset[str]) -> bool:
    """Whether the words between a person and a role give it to them; the company's own name in them is `the`."""
    own = re.sub(r"\b([\w.&-]+)'s? ", lambda m: "the " if m[1].lower() in ours else m[0], between[:120])
    return _HOLDS.fullmatch(own) is not None


def _begins(reading: Reading, word: re.Match[str]) -> bool:
    """Whether a capitalised word before a role is one only because a sentence begins with it."""
    return any(t.start == word.start(1) and t.initial and opens_sentences(t) for t in reading.tokens)


def _person(run: Sequence[Token]) -> bool:
    return 2 <= len(run) <= 4 and all(
        t.text[0].isupper() and t.text.replace("-", "").replace("'", "").isalpha() for t in run
    )


def _elsewhere(role: str, tail: str, ours: frozenset[str]) -> bool:
    """Whether `of X` after a role that a whole company has names a company, and not ours."""
    functional = role.lower() in ("vp", "svp", "evp", "head", "director")
    words = tail.split()[1:]
    capital = [w for w in words if w[:1].isupper()]
    return not functional and bool(capital) and not {w.lower() for w in capital} & ours


_USES = re.compile(
    r"\b(?:uses?|using|built (?:on|with|in)|runs? (?:on|its)|running on|powered by|relies on|migrated to|moved to|adopted|"
    r"written in|standardi[sz]ed on|hosted on|stack (?:includes|is|consists of))\b",
    re.I,
)
_OTHERS_USE = re.compile(
    r"\b(?:customers?|users?|clients?|partners?|integrat\w+|connect\w*|compatible|supports?|you|lets?)\b", re.I
)


def _technologies(reading: Reading, names: Sequence[str], *, languages: bool) -> list[JsonValue]:
    """What the company itself is said to use, never what its customers use or its product works with."""
    used = _USES.search(reading.text)
    if used is None or _OTHERS_USE.search(reading.text) or _foreign(reading, names, used.start()):
        return []
    named = technologies_in(reading.text[used.end() :])
    ours = name_words(names)
    return [
        {"name": name, "category": category}
        for name, category in named
        if (category == "language") == languages and not set(name.lower().split()) & ours
    ]


_JOB = re.compile(
    r"\b(?:hiring|seeks|seeking|looking for|recruiting) (?:for )?(?:an? |(?P<n>\d{1,4}) )?"
    r"(?P<title>(?:[\w&+/-]+ ){0,5}?(?:engineer|manager|director|head|lead|analyst|officer|scientist|architect|executive|"
    r"developer|representative|VP|president)(?P<many>s?)\b(?: of [\w&]+(?-i:(?: [A-Z][\w&]*){0,2}))?)",
    re.I,
)


def _job(reading: Reading, *, by_function: bool) -> JsonValue:
    """A job title that is being hired for, and the function it belongs to."""
    job = _JOB.search(reading.text)
    if job is None or ((function := function_of(job["title"])) == "Other" and by_function):
        return None
    if by_function:
        return {"name": function, "count": int(job["n"]) if job["n"] else None}
    return None if job["many"] else {"name": job["title"], "function": function}
