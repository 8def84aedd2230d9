"""Figures and dates of a sentence against those of its quotes: the same amount, of the same thing, at the same time."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.claims.dates import When, date_from_publication, same_date
from agent.claims.measures import Quantity, same_amount
from agent.claims.quoted import Quoted
from agent.claims.reading import Reading, figure_spans, inside, read
from agent.claims.territory import Place, misplaced, other_end, territory
from agent.claims.wording import DIRECTIONS, METRICS, STOP, word_key

_NARROWING = frozenset("more new other total of its the our their additional different own".split())
_COUNTABLE = frozenset("year years companies company business".split())


def _direct_noun(reading: Reading, q: Quantity) -> list[str]:
    """What a count counts: the words that follow it, as far as they belong to it."""
    out: list[str] = []
    at = q.end
    for t in reading.tokens:
        if t.start < q.end:
            continue
        if reading.text[at : t.start].strip(" -\"'") or inside(t, figure_spans(reading)) or len(out) == 4:
            break
        at = t.end
        if t.low == "of" and out:
            break
        if t.low in _NARROWING:
            continue
        if t.low in STOP and t.low not in _COUNTABLE:
            break
        out.append(t.key)
    return out


def _same_noun(sentence: Reading, s: Quantity, quote: Reading, q: Quantity) -> bool:
    mine, theirs = _direct_noun(sentence, s), _direct_noun(quote, q)
    near = [t.key for t in quote.tokens if t.end <= q.start and q.start - t.end < 60][-4:]
    wide = {t.key for t in quote.tokens if abs(t.start - q.start) < 90}
    if not mine:
        return True
    if theirs:
        before = max((n.end for n in quote.numbers if n.end <= q.start), default=0)
        after = min((n.start for n in quote.numbers if n.start >= q.end), default=len(quote.text))
        own = {t.key for t in quote.tokens if before <= t.start < after}
        shared = [i for i, key in enumerate(mine) if key in theirs]
        narrowing = set(mine[: shared[-1]]) if shared else set()
        if (narrowing - own) & quote.keys:  # `200 roles, 45 in sales` told as 200 sales roles
            return False
        return bool(set(mine) & {*theirs, *near})
    return bool(set(mine) & wide)


_BASELINE = re.compile(
    r"\b(?:from|compared (?:with|to)|versus|against)(?: [^\s,;.]+){0,2}(?: [^\s,;]*\d[^\s,;]*)?(?: (?:million|billion|"
    r"percent|in|for|the)){0,4} $",
    re.I,
)
_FROM = re.compile(r"\b(?:from|compared (?:with|to)|versus|against)(?: the)? $", re.I)
_LOSS = re.compile(
    r"\b(?:loss(?:es)?|lost|negative|decline[sd]?|declining|decrease[sd]?|fell|falls?|fallen|down|dropped|drop|shrank|"
    r"reduced|outflow)\b",
    re.I,
)


def _same_period(sentence: Reading, s: Quantity, quote: Reading, q: Quantity) -> bool:
    """Whether the nearest date of the sentence may belong to the figure in the quote, where both state one."""
    a, b = territory(sentence.text, (s.start, s.end), _of_same_unit(sentence, s))
    mine = [d for d in sentence.dates if a <= d.start < b]
    x, y = territory(quote.text, (q.start, q.end), _of_same_unit(quote, q))
    theirs = [d for d in quote.dates if x <= d.start < y]
    if _FROM.search(quote.text[: q.start][-24:]):
        theirs = [d for d in theirs if q.end <= d.start < q.end + 40] or theirs
    else:
        theirs = [d for d in theirs if not _BASELINE.search(quote.text[: d.start][-60:])] or theirs
        mine = [d for d in mine if not _BASELINE.search(sentence.text[: d.start][-60:])] or mine
    return not mine or not theirs or any(same_date(m, t) or same_date(t, m) for m in mine for t in theirs)


def number_problem(
    sentence: Reading, s: Quantity, quotes: Sequence[Reading], known: frozenset[str], *, place: bool
) -> str:
    """Why no quote supports this quantity; empty when one does."""
    if s.value == 1 and not s.unit and any(t.low in ("a", "an", "single") for r in quotes for t in r.tokens):
        return ""
    pool = [(r, q) for r in quotes for q in r.numbers]
    same = [(r, q) for r, q in pool if same_amount(s, q)]
    if not same:
        like = [q.text for _, q in pool if q.unit == s.unit] or [q.text for _, q in pool]
        return f"{s.text} is not in the quote" + (f"; it has {', '.join(dict.fromkeys(like[:3]))}" if like else "")
    problem = ""
    for r, q in same:
        if q.unit != s.unit:
            problem = problem or f"the quote has {q.text}, not {s.text}"
        elif not _signs_agree(sentence, s, r, q):
            problem = f"{s.text} and {q.text} differ in sign"
        elif not s.unit and not _same_noun(sentence, s, r, q):
            problem = f"{s.text} counts something else in the quote"
        elif place and (why := _out_of_place(sentence, s, r, q, known)):
            problem = f"{s.text} {why}"
        else:
            return ""
    return problem


def _out_of_place(sentence: Reading, s: Quantity, quote: Reading, q: Quantity, known: frozenset[str]) -> str:
    """What the quote's figure is, when it is not what the sentence says it is; empty when it is."""
    if not _same_period(sentence, s, quote, q):
        return "belongs to another period in the quote"
    if other_end(sentence.text, s.start, quote.text, q.start):
        return "is the other end in the quote"
    if _only_a_change(sentence, s, quote, q):
        return "is a change in the quote"
    if _only_compared(sentence, quote, q):
        return "is what the quote compares with"
    others = [
        (n.start, n.end)
        for n in quote.numbers
        if n.unit == q.unit and n.value != q.value and not any(same_amount(m, n) for m in sentence.numbers)
    ]
    said = Place(sentence, (s.start, s.end), _of_same_unit(sentence, s))
    told = Place(quote, (q.start, q.end), others)
    return "belongs to something else in the quote" if misplaced(said, told, known) else ""


def _of_same_unit(reading: Reading, q: Quantity) -> list[tuple[int, int]]:
    return [(n.start, n.end) for n in reading.numbers if n is not q and n.unit == q.unit]


_CHANGES = {
    word_key(w)
    for w in "cut reduce raise lift boost trim miss exceed beat outpace change lead extend shorten differ".split()
}


def _only_a_change(sentence: Reading, s: Quantity, quote: Reading, q: Quantity) -> bool:
    """Whether the quote gives the figure as a change (`cut by 4,000`) and the sentence gives it as the level."""
    changed = [(r.text[: n.start][-16:], r) for r, n in ((quote, q), (sentence, s))]
    by = [bool(re.search(r"\bby (?:about |nearly |some )?$", before)) for before, _ in changed]
    if not by[0] or by[1]:
        return False
    moves = _CHANGES | DIRECTIONS
    told = {t.key for t in quote.tokens if t.end <= q.start and q.start - t.end < 60} & moves
    return bool(told) and not sentence.keys & moves


_EARLIER = re.compile(r"\b(?:earlier|previous|prior|last|ago|before|from|compared|versus|against|than)\b", re.I)


def _only_compared(sentence: Reading, quote: Reading, q: Quantity) -> bool:
    """Whether the quote gives the figure as the one before (`up from`), while the sentence gives it as the one now."""
    if not _FROM.search(quote.text[: q.start][-24:]) or _EARLIER.search(sentence.text):
        return False
    after = [d for d in quote.dates if q.end <= d.start < q.end + 30]
    return not any(same_date(m, d) for m in sentence.dates for d in after)


def _signs_agree(sentence: Reading, s: Quantity, quote: Reading, q: Quantity) -> bool:
    if (s.value < 0) == (q.value < 0) or q.either_sign or s.either_sign:
        return True
    reading, n = (sentence, s) if s.value >= 0 else (quote, q)
    return bool(_LOSS.search(reading.text[max(0, n.start - 60) : n.end + 30]))


_RELATIVE = re.compile(
    r"\b(last|past|previous|prior|next|this|coming|current) (?:fiscal )?(year|quarter|month|week|decade)\b", re.I
)
_SAME_TURN = {"past": "last", "previous": "last", "prior": "last", "coming": "next", "current": "this"}
_RATE = re.compile(
    r"\b(?:a|per|each|every) (year|quarter|month|week|day|hour)\b(?! (?:earlier|ago|before|later))", re.I
)


def date_problem(
    sentence: Reading, quotes: Sequence[Reading], quoted: Sequence[Quoted], known: frozenset[str], *, place: bool
) -> str:
    """The first date of the sentence that neither the quotes nor, where they leave it open, their documents state."""
    pool = [(r, d) for r in quotes for d in r.dates]
    stated = [d for _, d in pool]
    for s in sentence.dates:
        hits = [(r, d) for r, d in pool if same_date(s, d)]
        if place and _part_for_whole(sentence, s, hits):
            return f"{s.text} is only {hits[0][1].text} in the quote"
        if hits and place and all(_date_misplaced(sentence, s, r, d, known) for r, d in hits):
            return f"{s.text} belongs to something else in the quote"
        if not hits and not _implied(s, sentence, stated, quoted):
            have = ", ".join(dict.fromkeys(d.text for d in stated[:3]))
            return f"{s.text} is not in the quote" + (f"; it has {have}" if have else "")
    return _relative_problem(sentence, quotes)


def _date_misplaced(sentence: Reading, s: When, quote: Reading, d: When, known: frozenset[str]) -> bool:
    own = [(o.start, o.end) for o in sentence.dates if o is not s]
    free = [o for o in quote.dates if o is not d and not any(same_date(m, o) for m in sentence.dates)]
    others = [(o.start, o.end) for o in free if not _same_time(quote.text, o, d) and not _of_the_source(quote.text, o)]
    return misplaced(
        Place(sentence, (s.start, s.end), own, heir=False), Place(quote, (d.start, d.end), others, heir=False), known
    )


def _same_time(text: str, a: When, b: When) -> bool:
    """Whether one date only says the other once more: `Q1 FY2027 (quarter ended April 30, 2026)`."""
    first, second = sorted((a, b), key=lambda w: w.start)
    return not re.sub(r"[\s,(]|\b(?:the|which|its|to)\b", "", text[first.end : second.start])


_SOURCE = re.compile(
    r"\b(?:article|report|note|release|entry|profile|analysis|piece|guide|digest|commentary|comparison|reported|dated|"
    r"updated|reviewed)(?: (?:of|on|from|dated|updated|reviewed|says|in|by))* $",
    re.I,
)


def _of_the_source(text: str, date: When) -> bool:
    """Whether a date is the day of the text that is quoted, and so claims no words: `in an article of May 4, 2026`."""
    return bool(_SOURCE.search(text[max(0, date.start - 48) : date.start]))


def _part_for_whole(sentence: Reading, s: When, hits: Sequence[tuple[Reading, When]]) -> bool:
    """Whether a result of a quarter is told as one of its year."""
    whole = s.year is not None and not (s.month or s.quarter or s.half or s.ended)
    results = any(n.unit for n in sentence.numbers) and sentence.keys & (METRICS | DIRECTIONS)
    return bool(whole and results and hits) and all(d.quarter or d.half or d.ended in _PARTS for _, d in hits)


_PARTS = ("quarter", "months")


def _implied(s: When, sentence: Reading, stated: Sequence[When], quoted: Sequence[Quoted]) -> bool:
    """Whether a date that no quote states follows from a document's title or day of publication."""
    if stated:
        return any(date_from_publication(s, d, q.published_at) for q in quoted for d in stated)
    if any(same_date(s, d) for q in quoted for d in read(q.title).dates):
        return True
    money = any(n.unit for n in sentence.numbers)
    return not money and any(date_from_publication(s, None, q.published_at) for q in quoted)


def _relative_problem(sentence: Reading, quotes: Sequence[Reading]) -> str:
    """`last year` or `a month` that the quotes do not say."""
    said = {_relative(m) for m in _RELATIVE.finditer(sentence.text)}
    missing = said - {_relative(m) for r in quotes for m in _RELATIVE.finditer(r.text)}
    rates = {("per", m[1].lower()) for r in quotes for m in _RATE.finditer(r.text)}
    if rates:
        missing |= {("per", m[1].lower()) for m in _RATE.finditer(sentence.text)} - rates
    return f"{' '.join(min(missing))} is not in the quote" if missing else ""


def _relative(m: re.Match[str]) -> tuple[str, str]:
    word = m[1].lower()
    return _SAME_TURN.get(word, word), m[2].lower()
