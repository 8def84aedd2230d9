"""Numbers, money, percents and counts, read out of text into values that can be compared.

In: text that went through `clean`. Out: `Quantity` values with their exact place in that text. Nothing here knows what
a claim is. Every regular expression is built from disjoint alternatives with bounded repeats, so that hostile text
costs linear time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from agent.claims.dates import dates


@dataclass(frozen=True)
class Quantity:
    """A number with what it counts. `unit` is an ISO currency code, `%`, `pp`, `bps`, `x`, `ord`, or empty for a
    count.
    """

    value: Decimal
    unit: str
    step: Decimal
    """The size of its last stated digit, scale included: `1.4 billion` has a step of 100 million."""
    start: int
    end: int
    text: str
    mark: str = ""
    """How it is hedged: about, over, under, nearly, upto, or empty."""
    either_sign: bool = False
    """Whether it stands in accounting brackets, which may or may not mean minus."""


_SCALES = {
    "hundred": 2,
    "thousand": 3,
    "k": 3,
    "lakh": 5,
    "million": 6,
    "m": 6,
    "mn": 6,
    "mm": 6,
    "mio": 6,
    "mln": 6,
    "crore": 7,
    "billion": 9,
    "bn": 9,
    "b": 9,
    "bln": 9,
    "trillion": 12,
    "tn": 12,
    "t": 12,
    "trn": 12,
}
_CODES = "USD EUR GBP JPY CNY RMB INR CHF CAD AUD NZD HKD SGD SEK NOK DKK KRW BRL MXN ZAR PLN ILS TWD".split()
_SYMBOLS = {
    "$": "USD",
    "US$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "₩": "KRW",
    "C$": "CAD",
    "CA$": "CAD",
    "A$": "AUD",
    "AU$": "AUD",
    "HK$": "HKD",
    "S$": "SGD",
    "NZ$": "NZD",
    "R$": "BRL",
    "NT$": "TWD",
    "MX$": "MXN",
}
_MONEY_WORDS = {
    "dollar": "USD",
    "euro": "EUR",
    "pound": "GBP",
    "yen": "JPY",
    "rupee": "INR",
    "yuan": "CNY",
    "renminbi": "CNY",
    "franc": "CHF",
    "won": "KRW",
    "krona": "SEK",
}
_UNITS = {"%": "%", "percent": "%", "per cent": "%", "pct": "%", "x": "x", "times": "x", "fold": "x"}
_NUMBER = re.compile(
    r"(?<![A-Za-z]-)(?<![\w.])(?P<sign>(?:(?<![\w)%])-)?)"
    rf"(?P<cur>(?:(?:US|CA?|AU?|HK|S|NZ|NT|MX|R)?\$|[€£¥₹₩]|\b(?:{'|'.join(_CODES)})) ?)?"
    r"(?P<open>\()?(?P<sign2>-?)"
    r"(?P<num>\d{1,3}(?:,\d{2,3}){1,6}(?:\.\d{1,8})?|\d{1,3}(?: \d{3}){1,4}(?!\d)(?:\.\d{1,8})?|\d{1,18}"
    r"(?:\.\d{1,8})?|\.\d{1,8})"
    r"(?P<close>\))?"
    r"(?P<plus>\+)?"
    r"(?P<scale>[ -]?(?:hundred|thousand|million|billion|trillion|lakh|crore|bn|mn|mm|mio|mln|bln|tn"
    r"|trn|[kmbt])(?![A-Za-z]))?"
    r"(?P<plus2>\+)?"
    r"(?P<unit>[ -]?(?:%|percentage[ -]points?|percent|per cent|pct|pp|ppts?|basis[ -]points?|bps|x|times"
    r"|fold|st|nd|rd|th)(?![A-Za-z]))?"
    rf"(?P<after>[ -]?(?:(?:US|Canadian|Australian) )?(?:{'|'.join(_CODES)}|dollars?|euros?|pounds?|yen"
    rf"|rupees?|yuan|renminbi|francs?|won|kronor|krona)(?![A-Za-z]))?",
    re.IGNORECASE,
)
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_WORDS = {w: i for i, w in enumerate(_ONES)} | {
    w: 10 * i for i, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_BIG = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
_ONE_WORD = "|".join([*_WORDS, *_BIG])
_SPELLED = re.compile(
    rf"\b(?:a (?=(?:{'|'.join(_BIG)})\b)|(?=(?:{'|'.join(_WORDS)})\b))(?:(?:{_ONE_WORD})(?:[ -](?:and "
    rf"(?={_ONE_WORD}))?|\b)){{1,8}}",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"[ -]?(?P<unit>%|percentage[ -]points?|percent|per cent|pct|basis[ -]points?|bps|times|fold)?"
    r"(?P<after>[ -]?(?:dollars?|euros?|pounds?|yen|rupees?))?(?![A-Za-z])",
    re.IGNORECASE,
)
_ORDINALS = {w: i for i, w in enumerate("first second third fourth fifth sixth seventh eighth ninth tenth".split(), 1)}
_ORDINAL = re.compile(rf"\b(?:{'|'.join(_ORDINALS)})\b(?!-party|[ -]hand)", re.IGNORECASE)
_MARKS = (
    ("nearly", r"nearly|almost|just (?:under|below)|close to|approaching"),
    ("upto", r"up to|as (?:many|much|high) as|at most|no more than|not more than|a maximum of"),
    ("over", r"over|more than|at least|above|exceed(?:s|ed|ing)?|upwards of|greater than|not less than|no fewer than"),
    ("under", r"under|less than|fewer than|below|lower than"),
    ("about", r"about|around|approximately|approx\.?|roughly|some|circa|ca?\.|estimated|an estimated|~|≈"),
)
_MARK = re.compile(
    r"(?:^|[\s(])(?:" + "|".join(f"(?P<{name}>{words})" for name, words in _MARKS) + r") ?(?:a |the |an )?$", re.I
)
_SCALED = re.compile(r"\d ?-?(?:thousand|million|billion|trillion|bn|mn|[kmb])", re.I)
_FORM = re.compile(r"\b(?:10|8|20|6)-[KQF](?:/A)?\b|\bNo\. ?(?=\d)")


def _mark_before(text: str, start: int) -> str:
    found = _MARK.search(text[max(0, start - 32) : start])
    return (found.lastgroup or "") if found else ""


def _unit_of(symbol: str, unit: str, after: str) -> str:
    """The unit that a symbol before, a unit after, or a currency word after the number gives it."""
    word = unit.strip(" -").lower()
    if word:
        if word.startswith(("percentage", "pp")):
            return "pp"
        if word.startswith(("basis", "bps")):
            return "bps"
        return "ord" if word in ("st", "nd", "rd", "th") else _UNITS[word]
    tail = after.strip(" -").lower()
    if tail:
        national = {"canadian": "CAD", "australian": "AUD"}.get(tail.split()[0])
        name = tail.split()[-1].rstrip("s")
        code = tail.split()[-1].upper()
        return national or ({"RMB": "CNY"}.get(code, code) if code in _CODES else _MONEY_WORDS.get(name, "SEK"))
    sign = symbol.strip().upper()
    return {"RMB": "CNY"}.get(sign, _SYMBOLS.get(sign, sign)) if sign else ""


def _step(digits: str) -> Decimal:
    """The worth of the last digit stated: trailing zeros of a whole number are read as rounding."""
    if "." in digits:
        return Decimal(1).scaleb(-len(digits.split(".")[1]))
    return Decimal(1).scaleb(len(digits) - len(digits.rstrip("0"))) if digits.strip("0") else Decimal(1)


def _figure(match: re.Match[str], text: str) -> Quantity | None:
    g = match.groupdict(default="")
    end = match.end()
    if end < len(text) and text[end].isalpha():
        return None  # part of a name such as 5G or 3D
    scale = g["scale"]
    if scale and scale[0] in " -" and len(scale) == 2 and not g["cur"]:
        scale, end = "", match.end("num")  # `5 m` are metres, `$5 m` are millions
    digits = re.sub(r"[, ]", "", g["num"])
    power = Decimal(1).scaleb(_SCALES[scale.strip(" -").lower()]) if scale else Decimal(1)
    negative = bool(g["sign"] or g["sign2"]) or bool(g["open"] and g["close"] and g["cur"])
    value = Decimal(digits) * power * (-1 if negative else 1)
    unit = _unit_of(g["cur"], g["unit"] if scale == g["scale"] else "", g["after"] if scale == g["scale"] else "")
    mark = "over" if g["plus"] or g["plus2"] else _mark_before(text, match.start())
    brackets = match.start() > 0 and text[match.start() - 1] == "(" and text[end : end + 1] == ")"
    return Quantity(value, unit, _step(digits) * power, match.start(), end, text[match.start() : end], mark, brackets)


def _spelled(match: re.Match[str], text: str) -> Quantity | None:
    words = [w for w in re.split(r"[ -]+", match.group().lower()) if w not in ("and", "")]
    total, part = 0, 0
    for word in words:
        if word in _WORDS:
            part += _WORDS[word]
        elif word in _BIG and _BIG[word] <= 100:
            part = max(part, 1) * _BIG[word]
        elif word in _BIG:
            total, part = total + max(part, 1) * _BIG[word], 0
    start, end = match.start(), match.start() + len(match.group().rstrip(" -"))
    if words == ["one"] and re.match(r" of\b| another\b|-", text[end : end + 9]):
        return None
    tail = _TAIL.match(text, end)
    unit = _unit_of("", tail["unit"] or "", tail["after"] or "") if tail and (tail["unit"] or tail["after"]) else ""
    end = tail.end() if tail and unit else end
    value = Decimal(total + part)
    return Quantity(value, unit, _step(str(value)), start, end, text[start:end], _mark_before(text, start))


@lru_cache(maxsize=512)
def quantities(text: str) -> tuple[Quantity, ...]:
    """Every quantity of a cleaned text, in order; dates, years and names such as GPT-4 are left out."""
    taken = [(w.start, w.end) for w in dates(text)] + [m.span() for m in _FORM.finditer(text)]
    blank = list(text)
    for start, end in taken:
        blank[start:end] = "\x00" * (end - start)
    free = "".join(blank)
    found = [q for m in _NUMBER.finditer(free) if (q := _figure(m, free))]
    spans = {i for q in found for i in range(q.start, q.end)}
    found += [q for m in _SPELLED.finditer(free) if m.start() not in spans and (q := _spelled(m, free))]
    found += [
        Quantity(Decimal(_ORDINALS[m.group().lower()]), "ord", Decimal(1), m.start(), m.end(), m.group())
        for m in _ORDINAL.finditer(free)
    ]
    return _share_ranges(text, sorted(found, key=lambda q: q.start))


def _share_ranges(text: str, found: list[Quantity]) -> tuple[Quantity, ...]:
    """In `$10-12 million` both ends are millions of dollars."""
    for i in range(len(found) - 1):
        a, b = found[i], found[i + 1]
        gap = text[a.end : b.start].strip()
        between = gap == "and" and re.search(r"\bbetween $", text[max(0, a.start - 10) : a.start], re.I)
        if gap not in ("-", "to") and not between:
            continue
        if a.unit and not b.unit and gap != "to":
            found[i + 1] = b = replace(b, unit=a.unit)
        if b.unit and not a.unit:
            found[i] = a = replace(a, unit=b.unit)
        scale = re.search(r"(?:thousand|million|billion|trillion|bn|mn|k|m|b)\b", b.text, re.I)
        if scale and a.unit == b.unit and not _SCALED.search(a.text):
            power = Decimal(1).scaleb(_SCALES[scale.group().lower()])
            if a.value * power < b.value:  # `from 900 to 1.2 million` is not a range of millions
                found[i] = replace(a, value=a.value * power, step=a.step * power)
    return tuple(found)


_ROUNDED = re.compile(r"\d\.\d+ ?(?:million|billion|trillion|bn|mn|[mb])\b", re.I)


def same_amount(said: Quantity, source: Quantity) -> bool:
    """Whether the size and the hedge of `said` follow from `source`. Units and signs are compared elsewhere."""
    a, b = abs(said.value), abs(source.value)
    if a == b:
        if said.mark in ("over", "under", "nearly", "upto") and said.mark != source.mark:
            return {said.mark, source.mark} == {"under", "nearly"}
        # `up to 500` stated as 500 claims more than the source; `more than 500` stated as 500 claims less
        return not (source.mark in ("under", "upto", "nearly") and said.mark not in (source.mark, "about"))
    if said.mark in ("upto", "under") or b == 0 or source.mark not in ("", "about", said.mark):
        return False
    gap, near = b - a, abs(b - a) / b
    if not said.mark:  # `$43,978 million` as `$44.0 billion`: rounded by 1% at most, in a larger scale
        return bool(_ROUNDED.search(said.text)) and abs(gap) <= said.step / 2 and source.step < said.step <= a / 50
    if said.mark == "over":
        return 0 < gap < said.step and near <= Decimal("0.15")
    if said.mark == "nearly":
        return 0 < -gap <= said.step and near <= Decimal("0.05")
    return abs(gap) <= said.step / 2 and source.step < said.step and near <= Decimal("0.05")
