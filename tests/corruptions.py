"""Honest claims, and seeded ways to spoil them or to say them otherwise.

In: the triples of `tests/data/honest_claims.toml`. Out: `Case` values, of which the corrupt ones must all be refused
and the honest ones nearly all accepted. All chance comes from `random.Random(seed)`.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.claims import Quoted, check_claim, supported

DATA = Path(__file__).parent / "data" / "honest_claims.toml"


@dataclass(frozen=True)
class Honest:
    """A sentence, the quote that supports it, and the names of the company it is about."""

    sentence: str
    quote: str
    names: tuple[str, ...]
    about: str
    title: str
    dataset: str
    published_at: datetime | None = None

    def quoted(self) -> Quoted:
        """The quote within a stored text."""
        text = f"This page was stored for the tests.\n{self.quote}\nIt ends here."
        return Quoted(
            "e1", self.quote, text, text.index(self.quote), self.title, self.about, self.published_at, self.dataset
        )


@dataclass(frozen=True)
class Case:
    """A sentence to check against a triple's quote; `kind` says what was done to it."""

    kind: str
    text: str
    base: Honest

    def accepted(self) -> bool:
        """Whether the checks let it pass."""
        return supported(check_claim(self.text, [self.base.quoted()], self.base.names))


def honest_claims(*, verbatim: bool = True) -> list[Honest]:
    """Every hand-written triple; `also` lines are triples of their own, and so is each quote said word for word."""
    out = []
    for row in tomllib.loads(DATA.read_text(encoding="utf-8"))["claim"]:
        for sentence in (row["sentence"], *row["also"], *((row["quote"],) if verbatim else ())):
            out.append(
                Honest(
                    sentence,
                    row["quote"],
                    tuple(row["names"]),
                    row["about"],
                    row.get("title", ""),
                    row["dataset"],
                    row.get("published_at"),
                )
            )
    return out


# --- corruptions ------------------------------------------------------------------------------------------------------

Spoil = Callable[[Honest, random.Random], str | None]
_MONTHS = "January February March April May June July August September October November December".split()
_FIGURE = re.compile(r"(?<![\w.,-])(\d[\d,]*(?:\.\d+)?)(?![\w]*[A-Za-z])")
_YEAR = re.compile(r"(?<![\d,.$€£])(?:19|20)\d\d(?![\d,])")
_OTHERS = ("Halcyon Dynamics", "Ravenport", "Quantia Systems", "Bellweather", "Ironleaf Capital")
_PEOPLE = ("Marta Lind", "Tom Okoro", "Yuki Hara", "Elena Petrova")
_ROLES = ("CEO", "CFO", "CTO", "COO", "chief marketing officer", "chief operating officer", "chair", "general counsel")
_ROLE = re.compile(
    r"\b(?:CEO|CFO|CTO|chief executive(?: officer)?|chief financial officer|chief technology officer|senior vice "
    r"president|SVP"
    r"|Senior Vice President|Head of Security)\b",
    re.I,
)
_OPPOSITE = {
    "rose": "fell",
    "fell": "rose",
    "improved": "worsened",
    "widened": "narrowed",
    "declined": "increased",
    "increased": "decreased",
    "up": "down",
    "reduced": "increased",
    "cut": "raised",
    "lower": "higher",
    "ahead of": "behind",
    "behind": "ahead of",
    "larger than": "smaller than",
    "opened": "closed",
    "close": "open",
    "open": "close",
    "profit": "loss",
    "loss": "profit",
    "growth": "decline",
    "reduce": "increase",
    "double": "halve",
    "first": "last",
    "raised": "repaid",
    "joined": "left",
}


def _swap(text: str, pattern: str, new: str) -> str | None:
    changed = re.sub(rf"\b{pattern}\b", new, text, count=1)
    return changed if changed != text else None


def _one(rng: random.Random, text: str, pattern: re.Pattern[str]) -> re.Match[str] | None:
    found = list(pattern.finditer(text))
    return rng.choice(found) if found else None


def _put(text: str, m: re.Match[str], new: str) -> str:
    return text[: m.start()] + new + text[m.end() :]


def _number(h: Honest, rng: random.Random) -> str | None:
    plain = _YEAR.sub(lambda m: "x" * len(m.group()), h.sentence)
    m = _one(rng, plain, _FIGURE)
    if m is None:
        return None
    digits = m.group(1)
    value = float(digits.replace(",", ""))
    choices = [value * rng.choice((2, 10, 0.5, 1.3)) + 1, value + rng.choice((2, 3, 7)), value * 1.07 + 1]
    decimals = len(digits.split(".")[1]) if "." in digits else 0
    new = f"{rng.choice(choices):,.{decimals}f}"
    return None if new in h.quote else _put(h.sentence, m, new)


def _scale(h: Honest, rng: random.Random) -> str | None:
    swaps = [
        ("million", "billion"),
        ("billion", "million"),
        ("million", "thousand"),
        ("(?<=\\d)m", "bn"),
        ("(?<=\\d)M", "B"),
        ("(?<=\\d)B", "M"),
    ]
    made = [t for a, b in swaps if (t := _swap_scale(h.sentence, a, b))]
    return rng.choice(made) if made else None


def _swap_scale(text: str, old: str, new: str) -> str | None:
    changed = re.sub(rf"{old}\b", new, text, count=1)
    return changed if changed != text else None


def _currency(h: Honest, rng: random.Random) -> str | None:
    signs = {"$": "€£", "€": "$£", "£": "$€"}
    for sign, others in signs.items():
        if sign in h.sentence:
            return h.sentence.replace(sign, rng.choice(others))
    for word, other in (("euros", "dollars"), ("USD", "EUR"), ("EUR", "USD")):
        if word in h.sentence:
            return h.sentence.replace(word, other)
    return None


def _percent(h: Honest, rng: random.Random) -> str | None:
    m = re.search(r"(\d[\d.]*)(?:%| percent)", h.sentence)
    if m:
        return _put(h.sentence, m, m[1] + rng.choice((" customers", " million", " points", "x")))
    m = re.search(r"(?<![\d$€£,.])(\d{2,3}) (?=[a-z])", h.sentence)
    return _put(h.sentence, m, m[1] + "% of ") if m else None


def _unit(h: Honest, rng: random.Random) -> str | None:
    swaps = [
        ("employees", "customers"),
        ("people", "customers"),
        ("customers", "employees"),
        ("countries", "cities"),
        ("vessels", "aircraft"),
        ("stores", "factories"),
        ("jobs", "stores"),
        ("developers", "managers"),
        ("months", "years"),
        ("years", "months"),
        ("currencies", "countries"),
        ("days", "weeks"),
        ("users", "employees"),
        ("basis points", "percent"),
        ("bps", "percent"),
        ("households", "businesses"),
        ("repositories", "employees"),
        ("destinations", "aircraft"),
        ("positions", "employees"),
    ]
    made = [t for a, b in swaps if (t := _swap(h.sentence, a, b))]
    return rng.choice(made) if made else None


def _date(h: Honest, rng: random.Random) -> str | None:
    made = []
    for m in _YEAR.finditer(h.sentence):
        made.append(_put(h.sentence, m, str(int(m.group()) + rng.choice((-7, -1, 1, 3)))))
    for m in re.finditer("|".join(_MONTHS), h.sentence):
        made.append(_put(h.sentence, m, rng.choice([x for x in _MONTHS if x not in h.quote])))
    for m in re.finditer(
        r"(?<=May )11|(?<=March )5|5(?= March)|(?<=February )14|(?<=November )3|(?<=December )31", h.sentence
    ):
        made.append(_put(h.sentence, m, str(rng.choice((2, 9, 21, 27)))))
    return rng.choice(made) if made else None


def _period(h: Honest, rng: random.Random) -> str | None:
    swaps = [
        ("third quarter", "first quarter"),
        ("fourth quarter", "second quarter"),
        ("second half", "first half"),
        ("Q3", "Q1"),
        ("Q4", "Q2"),
        ("FY2026", "FY2025"),
        ("FY2027", "FY2026"),
        ("fiscal 2026", "fiscal 2027"),
        ("fiscal 2026", "calendar 2026"),
        ("next year", "last year"),
        ("next year", "this quarter"),
        ("year earlier", "quarter earlier"),
        ("prior quarter", "prior year"),
        ("by the end of", "before"),
        ("fiscal year ended January 31, 2026", "quarter ended January 31, 2026"),
        ("by 2028", "since 2028"),
    ]
    made = [t for a, b in swaps if (t := _swap(h.sentence, a, b))]
    return rng.choice(made) if made else None


def _name(h: Honest, rng: random.Random) -> str | None:
    other = rng.choice(_OTHERS)
    for name in sorted(h.names, key=len, reverse=True):
        if re.search(rf"\b{re.escape(name)}\b", h.sentence):
            return re.sub(rf"\b{re.escape(name)}\b", other, h.sentence, count=1)
    m = _one(rng, h.sentence, re.compile(r"(?<=[a-z] )[A-Z][a-z]+(?: [A-Z][a-z]+)*"))
    return _put(h.sentence, m, other) if m and m.group() not in _MONTHS else None


def _namesake(h: Honest, rng: random.Random) -> str | None:
    short = min(h.names, key=len).split()[0]
    m = re.search(rf"\b{re.escape(short)}\b(?: [A-Z]\w+)?", h.sentence)
    return _put(h.sentence, m, f"{short} {rng.choice(('Dental', 'Insurance', 'Pictures', 'Mining'))}") if m else None


def _person(h: Honest, rng: random.Random) -> str | None:
    m = re.search(
        r"Sridhar Ramaswamy|Brian Robins|Ann Lee|Bob Ray|Maria Gonzalez|Priya Natarajan|Lars Vik|Jonas Weber|Wei "
        r"Zhang|Katrin Vogel|Ingrid Solberg",
        h.sentence,
    )
    return _put(h.sentence, m, rng.choice(_PEOPLE)) if m else None


def _role(h: Honest, rng: random.Random) -> str | None:
    m = _ROLE.search(h.sentence)
    if m is None or h.dataset != "leadership":
        return None
    return _put(h.sentence, m, rng.choice([r for r in _ROLES if r[:7].lower() not in _long(m.group()).lower()]))


def _long(role: str) -> str:
    full = {
        "ceo": "chief executive officer CEO",
        "cfo": "chief financial officer CFO",
        "cto": "chief technology officer CTO",
    }
    return next((f for short, f in full.items() if role.lower() in f.lower()), role) if role else role


def _person_role(h: Honest, rng: random.Random) -> str | None:
    pairs = [
        ("Sridhar Ramaswamy", "Brian Robins"),
        ("Ann Lee", "Bob Ray"),
        ("Maria Gonzalez", "David Okafor"),
        ("Jonas Weber", "Katrin Vogel"),
        ("Lars Vik", "Ingrid Solberg"),
    ]
    for a, b in pairs:
        for x, y in ((a, b), (b, a)):
            if x in h.sentence and y not in h.sentence and y in h.quote:
                return h.sentence.replace(x, y)
            if x in h.sentence and y in h.sentence:
                return h.sentence.replace(x, "\0").replace(y, x).replace("\0", y)
    return None


_VERBS = {
    "is": "is not",
    "was": "was not",
    "has": "has no longer",
    "serves": "does not serve",
    "sells": "does not sell",
    "runs": "does not run",
    "uses": "does not use",
    "raised": "did not raise",
    "acquired": "did not acquire",
    "launched": "never launched",
    "supports": "does not support",
    "opened": "did not open",
    "makes": "does not make",
    "employed": "never employed",
    "competes": "does not compete",
    "migrated": "has not migrated",
    "lists": "does not list",
    "appointed": "denied it appointed",
    "reduced": "failed to reduce",
    "renewed": "refused to renew",
    "will": "will not",
    "plans to": "has no plans to",
    "reported": "denied",
    "partners": "never partners",
    "holds": "hardly holds",
    "joined": "never joined",
    "supplies": "cannot supply",
    "operates": "does not operate",
    "held": "never held",
    "connects": "fails to connect",
    "trains": "does not train",
}


def _negation(h: Honest, rng: random.Random) -> str | None:
    if re.search(r"\b(?:not|no|denied)\b", h.sentence):
        return re.sub(
            r"\b(?:did not comment|is not seeking|had no|denied that)\b",
            lambda m: {
                "did not comment": "did comment",
                "is not seeking": "is seeking",
                "had no": "had",
                "denied that": "confirmed that",
            }[m.group()],
            h.sentence,
        )
    made = [t for a, b in _VERBS.items() if (t := _swap(h.sentence, a, b))]
    return rng.choice(made) if made else None


_MODAL = {
    "is": ("may be", "is expected to be", "is no longer"),
    "was": ("may have been", "would be"),
    "has": ("may have", "expects to have"),
    "raised": ("plans to raise", "reportedly raised", "may raise"),
    "acquired": ("agreed to acquire", "is in talks to acquire", "may acquire"),
    "launched": ("plans to launch", "will launch"),
    "opened": ("plans to open", "may open"),
    "plans to close": ("closed", "may close", "has closed"),
    "plans to cut": ("cut", "will cut"),
    "intends to close": ("closed",),
    "may approve": ("approved", "will approve"),
    "will open": ("opened", "may open"),
    "will hire": ("hired", "may hire"),
    "aims to double": ("doubled", "will double"),
    "intends to double": ("doubled",),
    "could reduce": ("reduced", "will reduce"),
    "expects": ("reported", "had"),
    "migrated": ("plans to migrate", "may migrate"),
    "appointed": ("plans to appoint", "may appoint"),
    "will return": ("returned", "may return"),
    "the former CEO": ("the CEO",),
    "interim CEO": ("CEO",),
    "employed": ("formerly employed",),
    "uses": ("formerly used", "could use"),
    "sells": ("plans to sell", "once planned to sell"),
    "runs": ("will run", "formerly ran"),
    "renewed": ("may renew",),
    "supplies": ("would supply",),
    "joined": ("may have joined",),
    "the CEO": ("the former CEO", "acting CEO"),
    "competes": ("may compete",),
    "serves": ("formerly served",),
    "one of the fastest": ("the fastest",),
    "up to ": ("",),
}


def _modality(h: Honest, rng: random.Random) -> str | None:
    made = [
        t
        for a, bs in _MODAL.items()
        for b in bs
        if (t := re.sub(rf"\b{a}" + ("" if a.endswith(" ") else r"\b"), b, h.sentence, count=1)) != h.sentence
    ]
    return rng.choice(made) if made else None


def _direction(h: Honest, rng: random.Random) -> str | None:
    made = [t for a, b in _OPPOSITE.items() if (t := _swap(h.sentence, a, b))]
    m = re.match(
        r"((?:[A-Z]\w+ ?)+?) (acquired|bought|competes with|was acquired by|partners with|place) ((?:[A-Z]\w+ ?)+)",
        h.sentence,
    )
    if m and m[2] in ("acquired", "bought", "was acquired by"):
        made.append(m[3].strip() + f" {m[2]} " + m[1] + " " + h.sentence[m.end() :])
    m = re.match(r"(.*)\bfrom (\w+) to (\w+)\b(.*)", h.sentence)
    if m:
        made.append(f"{m[1]}from {m[3]} to {m[2]}{m[4]}")
    return rng.choice(made) if made else None


def _metric(h: Honest, rng: random.Random) -> str | None:
    swaps = [
        ("revenue", "profit"),
        ("operating loss", "operating income"),
        ("net loss", "operating loss"),
        ("net income", "gross income"),
        ("product revenue", "subscription revenue"),
        ("gross margin", "operating margin"),
        ("cash", "debt"),
        ("adjusted operating profit", "net profit"),
        ("software", "hardware"),
        ("hospitals", "schools"),
        ("Series B", "Series C"),
        ("seed", "bridge"),
        ("engineering", "marketing"),
        ("warehouse", "factory"),
        ("backup", "payroll"),
        ("board", "works council"),
    ]
    made = [t for a, b in swaps if (t := _swap(h.sentence, a, b))]
    return rng.choice(made) if made else None


CORRUPTIONS: dict[str, Spoil] = {
    "number": _number,
    "scale": _scale,
    "currency": _currency,
    "percent vs count": _percent,
    "unit": _unit,
    "date": _date,
    "period": _period,
    "name": _name,
    "namesake": _namesake,
    "person": _person,
    "role swap": _role,
    "person-role swap": _person_role,
    "negation": _negation,
    "modality": _modality,
    "direction": _direction,
    "metric": _metric,
}


def corruptions(seed: int, rounds: int = 6) -> list[Case]:
    """Planted corruptions, each sentence spoilt in every way that applies, without repeats."""
    rng = random.Random(seed)
    made: dict[tuple[str, str], Case] = {}
    for base in honest_claims():
        for _ in range(rounds):
            for kind, spoil in CORRUPTIONS.items():
                text = spoil(base, rng)
                if text and text != base.sentence and " ".join(text.split()) not in base.quote:
                    made.setdefault((text, base.quote), Case(kind, text, base))
    return list(made.values())


# --- honest variants --------------------------------------------------------------------------------------------------


def _forms(text: str) -> Iterator[str]:
    """The same figures and dates in other forms."""
    changes = (
        (r"(\d)%", r"\1 percent"),
        (r"\$(\d+(?:\.\d+)?) billion", r"$\1bn"),
        (r"\$(\d+(?:\.\d+)?) million", r"USD \1 million"),
        (r"\$(\d+(?:\.\d+)?) million", r"$\1M"),
        (r"€(\d+(?:\.\d+)?) million", r"EUR \1 million"),
        (r"€(\d+(?:\.\d+)?) million", r"\1 million euros"),
        (r"(\d),(\d{3})", r"\1 \2"),
        (r"\bfiscal (20\d\d)", r"FY\1"),
        (r"\btwelve\b", "12"),
        (r"\bthree\b", "3"),
        (r"\bfive\b", "5"),
        (r"more than", "over"),
        (r"-", "\u2011"),
        (r" (?=\d)", "\u00a0"),
    )
    for old, new in changes:
        changed = re.sub(old, new, text)
        if changed != text:
            yield changed
    m = re.search(r"\$(\d+\.\d+) billion", text)
    if m:
        yield text.replace(m.group(), f"${float(m[1]) * 1000:,.0f} million")


def _clauses(text: str) -> Iterator[str]:
    """The sentence without its last clause."""
    cut = re.split(r"(?:, and|, while|, which|; | while |, representing|, compared) ", text)[0]
    if cut != text and len(cut.split()) > 5 and not re.search(r"\b(?:products|with|of)\b.{0,12}$", cut):
        yield cut.rstrip(".") + "."


def _roles(text: str) -> Iterator[str]:
    pairs = (
        ("CEO", "chief executive officer"),
        ("CFO", "chief financial officer"),
        ("CTO", "chief technology officer"),
        ("SVP", "senior vice president"),
    )
    for short, full in pairs:
        if re.search(rf"\b{short}\b", text):
            yield re.sub(rf"\b{short}\b", full, text)
        if re.search(full, text, re.I):
            yield re.sub(full, short, text, flags=re.I)


def _voice(text: str) -> Iterator[str]:
    """Light changes that keep every content word."""
    m = re.match(
        r"((?:[A-Z]\w+ ?){1,3}) (acquired|opened|launched|ordered|appointed) ((?:[A-Z]\w+ ?){1,2})\b(.*)", text
    )
    if m and "," not in m[4]:
        yield f"{m[3].strip()} was {m[2]} by {m[1]} {m[4].strip()}".replace(" .", ".")
    m = re.match(r"(.*) ((?:in|on|for|as of) (?:fiscal )?(?:\w+ )?(?:\d{1,2}, )?20\d\d)\.$", text)
    if m:
        first = (
            m[1]
            if m[1].split()[0] not in ("Total", "Net", "Gross", "Open", "The", "Product")
            else m[1][0].lower() + m[1][1:]
        )
        yield f"{m[2][0].upper()}{m[2][1:]}, {first}."


def variants() -> list[Case]:
    """Honest sentences that must still pass, by kind."""
    made: dict[tuple[str, str], Case] = {}
    grouped: dict[str, list[str]] = defaultdict(list)
    for h in honest_claims():
        verbatim = h.sentence == h.quote
        ways = [("verbatim" if verbatim else "written by hand", h.sentence)]
        ways += [("verbatim, other spaces", "  " + h.sentence.replace(" ", "\n", 1) + " ")] if verbatim else []
        ways += [("unit forms", t) for t in _forms(h.sentence)] + [
            ("trimmed to a clause", t) for t in _clauses(h.sentence)
        ]
        ways += [("role forms", t) for t in _roles(h.sentence)] + [("voice and order", t) for t in _voice(h.sentence)]
        for kind, text in ways:
            made.setdefault((text, h.quote), Case(kind, text, h))
            grouped[kind].append(text)
    return list(made.values())


def tally(cases: list[Case]) -> dict[str, tuple[int, list[Case]]]:
    """For each kind: how many cases, and those that were accepted."""
    out: dict[str, tuple[int, list[Case]]] = {}
    for case in cases:
        count, accepted = out.get(case.kind, (0, []))
        out[case.kind] = (count + 1, [*accepted, case] if case.accepted() else accepted)
    return out
