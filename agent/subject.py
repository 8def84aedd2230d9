"""Which company a message asks about. Exact names first, then identifiers, then patterns, then misspellings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rapidfuzz import process
from rapidfuzz.distance import OSA

from agent.companies import (
    LEGAL,
    CompanyTable,
    common_words,
    load_companies,
    name_keys,
    names_match,
    normalise,
    words,
)
from agent.records import Company, Subject
from agent.seller import parse_vendor
from agent.subject_roles import (
    GENERIC,
    OBJECT,
    RIVAL,
    SELLER,
    SLOTS,
    STRONG,
    at_sentence_start,
    follows_up,
    role,
    ticker_like,
)

__all__ = ["find_subject", "names_match", "parse_vendor"]

MOST_ALTERNATIVES = 5
LONGEST = 4_000
"""Characters that are read; of a longer message the beginning and the end, where its question stands."""

_TOKEN = re.compile(r"[^\W_](?:[\w&'’.+!-]*[\w+!])?", re.UNICODE)
_POSSESSIVE = re.compile(r"['’]s?(?!\w)", re.IGNORECASE)
_DOMAIN = re.compile(
    r"(?<![\w@.-])(?:https?://)?(?:[\w.+-]+@)?((?:[a-z0-9-]+\.)+(?:com|io|ai|co|net|org|dev|app|xyz|tech|cloud|so"
    r"|inc|co\.uk|de|"
    r"fr|eu|ch|nl))(?![\w-])(?!\.\w)",
    re.IGNORECASE,
)
_GAP = re.compile(r".?[^\s&,-]?\s*[&,-]?\s*|\.[A-Z]\.\s*", re.DOTALL)
"""The last letters of one word of a name and what may stand before the next: a space, `&`, `-` or `,`."""
_CIK = re.compile(r"\bCIK\b[\s:#=(no.]*0*(\d{1,10})\b", re.IGNORECASE)
_CASHTAG = re.compile(r"\$([A-Z]{1,5}(?:\.[A-Z])?)\b")
_LISTED = re.compile(
    r"\b(?:NYSE|NASDAQ|NasdaqGS|AMEX|ticker(?: symbol)?|symbol)\s*[:\s]\s*\$?([A-Z]{1,5}(?:\.[A-Z])?)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class _Token:
    text: str
    start: int
    end: int

    @property
    def capital(self) -> bool:
        return (
            self.text[0].isupper()
            or any(c.isupper() for c in self.text)
            or (self.text[0].isdigit() and len(self.text) > 1)
        )


@dataclass(frozen=True)
class _Candidate:
    """A company the message may be about, and how much speaks for it."""

    subject: Subject
    score: int
    start: int
    end: int


def find_subject(message: str, *, previous: Subject | None = None) -> Subject | None:
    """The company that `message` asks about; `previous` when it names none, or speaks of it by a pronoun."""
    table = load_companies()
    if len(message) > LONGEST:
        message = f"{message[: LONGEST * 3 // 4]}\n{message[-LONGEST // 4 :]}"
    found = [*_identifiers(message, table), *_known_names(message, table)]
    found += [c for c in _tickers(message, table) if not _overlaps(c, found)]
    found += [c for c in _slot_names(message, table) if not _overlaps(c, found)]
    found = [c for c in found if c.score > SELLER // 2]
    if not any(c.score > RIVAL for c in found):
        found += [c for c in _misspelt(message, table) if c.score > RIVAL and not _overlaps(c, found)]
    if not found:
        return previous
    best = max(found, key=lambda c: (c.score, -c.start))
    if previous is not None and best.score < STRONG and follows_up(message, best.start):
        return previous
    return best.subject


def _overlaps(one: _Candidate, others: Sequence[_Candidate]) -> bool:
    return any(one.start < o.end and o.start < one.end for o in others)


# --- names the table knows ------------------------------------------------------------------------------------------


def _tokens(message: str) -> list[_Token]:
    found = []
    for match in _TOKEN.finditer(message):
        text = re.sub(rf"{_POSSESSIVE.pattern}$", "", match.group(0), flags=re.IGNORECASE) or match.group(0)
        found.append(_Token(text, match.start(), match.start() + len(text)))
    return found


def _known_names(message: str, table: CompanyTable) -> list[_Candidate]:
    tokens = _tokens(message)
    shouting = sum(c.isupper() for c in message) > 0.6 * max(1, sum(c.isalpha() for c in message))
    found: list[_Candidate] = []
    i = 0
    while i < len(tokens):
        for n in range(min(table.longest, len(tokens) - i), 0, -1):
            candidate = _known_name(message, tokens, i, n, table, shouting=shouting)
            if candidate is not None:
                found.append(candidate)
                i += n - 1
                break
        i += 1
    return found


def _known_name(
    message: str, tokens: list[_Token], i: int, n: int, table: CompanyTable, *, shouting: bool
) -> _Candidate | None:
    span = tokens[i : i + n]
    start, end = span[0].start, span[-1].end
    surface = message[start:end]
    if span[0].text.lower() in ("the", "a") or (n > 1 and span[-1].text in ("as", "and", "co", "company", "companies")):
        return None
    if any(not _GAP.fullmatch(f"{a.text[-2:]}{message[a.end : b.start]}") for a, b in pairwise(span)):
        return None
    if re.search(r",\s*\S+$", surface) and words(span[-1].text)[-1:] and words(span[-1].text)[-1] not in LEGAL:
        return None
    key = normalise(surface)
    ranks, full = table.named(key)
    own = _POSSESSIVE.match(message[end:])
    if own is not None and table.named(normalise(surface + own.group(0)))[1]:  # Lowe's, McDonald's
        key = normalise(surface + own.group(0))
        ranks, full = table.named(key)
    if not ranks and span[0].capital and (n == 2 or _stands_alone(tokens, i, key)):  # J.P. Morgan is JPMorgan Chase
        ranks = [r for r in table.starting_with(key.replace(" ", "")) if table.well_known(r)]
        full = bool(ranks)
    if not full:
        # "Delta" is short for many: a well-known Delta comes before a small one that is called just so.
        known = [r for r in table.starting_with(key) if table.well_known(r)] if ranks else []
        ranks = [*known, *(r for r in ranks if r not in known)]
    if not ranks:
        return None
    score = role(message, start, end)
    if not _believable(message, tokens, i, n, key, score, full=full, shouting=shouting):
        return None
    matched_by = "name" if normalise(table.name(ranks[0])) == key or not full else "alias"
    return _Candidate(_resolved(table, ranks, key, matched_by), score, start, end)


def _believable(
    message: str, tokens: list[_Token], i: int, n: int, key: str, score: int, *, full: bool, shouting: bool
) -> bool:
    """Whether a word of the table is meant as a name here, and not as the everyday word it also is."""
    span = tokens[i : i + n]
    common = all(w in common_words() or w in GENERIC for w in key.split(" "))
    capital = span[0].capital and not shouting
    if not capital:
        return not common and full and (len(key) > 3 or score >= OBJECT)
    if not common:
        return True
    if n > 1 and words(span[-1].text)[-1] in LEGAL:
        return True
    if span[0].text.isupper() and n == 1 and len(key) < 5:
        return False  # ON, KEY, ALL: a ticker if anything
    if re.match(r"\s*\((?:NYSE|NASDAQ|[A-Z]{1,5}\))", message[span[-1].end :]):
        return True
    after = tokens[i + n] if i + n < len(tokens) else None
    if after is not None and after.text[0].isupper() and message[span[-1].end : after.start] == " ":
        if after.text.lower() not in GENERIC and not after.text.isupper():
            return False  # "Target Market", "Apple Records": part of another name
        if after.text.lower() in ("market", "markets", "account", "accounts", "practices", "plan", "team"):
            return False
    if not at_sentence_start(message, span[0].start):
        before = tokens[i - 1] if i else None
        titled = before is not None and before.text[0].isupper() and not at_sentence_start(message, before.start)
        return not titled or score >= OBJECT
    if key in GENERIC:
        return message[span[-1].end : span[-1].end + 1] in ("'", "’") and score >= OBJECT  # "On earnings", "Now what"
    return score >= OBJECT or len(tokens) == n


def _stands_alone(tokens: list[_Token], i: int, key: str) -> bool:
    """Whether a rare capitalised word is all of a name: `JPMorgan`, but not the `Charles` of `Charles Babbage`."""
    if len(key) < 4 or key in common_words() or key in GENERIC or " " in key:
        return False
    return i + 1 == len(tokens) or not tokens[i + 1].text[0].isupper() or tokens[i + 1].text.isupper()


def _resolved(table: CompanyTable, ranks: Sequence[int], key: str, matched_by: str) -> Subject:
    """The best known of `ranks`; the others, and companies whose names begin alike, are its alternatives."""
    company = table.company(ranks[0])
    others = dict.fromkeys(table.name(r) for r in [*ranks[1:], *table.starting_with(key)] if r != ranks[0])
    others.pop(company.name, None)
    return Subject(
        name=company.name, company=company, matched_by=matched_by, alternatives=tuple(others)[:MOST_ALTERNATIVES]
    )


# --- identifiers ----------------------------------------------------------------------------------------------------


def _identifiers(message: str, table: CompanyTable) -> Iterator[_Candidate]:
    for match in _CIK.finditer(message):
        rank = table.by_cik.get(match[1])
        if rank is not None:
            yield _Candidate(_resolved(table, [rank], "", "cik"), STRONG, match.start(), match.end())
    for pattern in (_CASHTAG, _LISTED):
        for match in pattern.finditer(message):
            rank = table.by_ticker.get(match[1]) if match[1].isupper() else None
            if rank is not None:
                score = role(message, match.start(), match.end())
                yield _Candidate(_resolved(table, [rank], "", "ticker"), score, match.start(), match.end())
    for match in _DOMAIN.finditer(message):
        score = role(message, match.start(), match.end())
        yield _Candidate(_of_domain(match[1].lower(), table), score, match.start(), match.end())


def _of_domain(domain: str, table: CompanyTable) -> Subject:
    """The company of a domain. An unknown one is an identity too: the user gave it."""
    parts = domain.split(".")
    for cut in range(len(parts) - 1):
        rank = table.by_domain.get(".".join(parts[cut:]))
        if rank is not None:
            return _resolved(table, [rank], "", "domain")
    site = ".".join(parts[-3:] if domain.endswith(".co.uk") else parts[-2:])
    label = site.split(".", 1)[0]
    ranks, full = table.named(label)
    if ranks and full and site.endswith(".com"):
        company = table.company(ranks[0])
        return Subject(
            name=company.name,
            company=company.model_copy(update={"domain": company.domain or site}),
            matched_by="domain",
        )
    company = Company(id=label, name=label.replace("-", " ").title(), domain=site, origin="message")
    return Subject(name=company.name, company=company, matched_by="domain")


def _tickers(message: str, table: CompanyTable) -> Iterator[_Candidate]:
    """Words in capitals that are tickers and are used as one."""
    tokens = _tokens(message)
    alone = len(tokens) == 1 and tokens[0].text.lower() not in common_words() | GENERIC
    rank = table.by_ticker.get(tokens[0].text.upper()) if alone else None
    if rank is not None:
        yield _Candidate(_resolved(table, [rank], "", "ticker"), OBJECT, tokens[0].start, tokens[0].end)
    if alone or (message.isupper() and len(tokens) > 2):
        return
    for token in tokens:
        rank = table.by_ticker.get(token.text)
        if rank is None or not ticker_like(token.text):
            continue
        score = role(message, token.start, token.end)
        near = message[max(0, token.start - 20) : token.end + 20].lower()
        named = re.search(r"\b(?:stock|shares?|ticker)\b", near) is not None
        plain = len(token.text) >= 4 and token.text.lower() not in common_words()
        if plain or named or score >= OBJECT:
            yield _Candidate(_resolved(table, [rank], "", "ticker"), score, token.start, token.end)


# --- names that no table knows --------------------------------------------------------------------------------------


def _slot_names(message: str, table: CompanyTable) -> Iterator[_Candidate]:
    """Names where a sentence has room for one: `Research X as a prospect`, `What does X do?`."""
    meant: dict[str, Subject] = {}
    for slot in SLOTS:
        for match in _overlapping(slot, message):
            phrase = _leading_name(match.group("name"))
            if not phrase:
                continue
            start = match.start("name") + match.group("name").index(phrase)
            end = start + len(phrase)
            # In lower case it may be no name at all: any name that stands out goes first.
            doubt = 0 if any(c.isupper() for c in phrase) else 2
            score = role(message, start, end) - doubt
            if phrase not in meant:
                meant[phrase] = _unknown(phrase, table)
            yield _Candidate(meant[phrase], score, start, end)


def _overlapping(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Every match, also those inside the name of another: `prepare for a call with X`."""
    match = pattern.search(text)
    while match is not None:
        yield match
        match = pattern.search(text, max(match.start("name"), match.start() + 1))


def _leading_name(text: str) -> str:
    """The name at the head of `text`, or nothing when it starts with an everyday word."""
    span: list[_Token] = []
    tokens = _tokens(text)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if span and not re.fullmatch(r"\s*&?\s*|, (?=(?:Inc|LLC|Ltd|Corp))", text[span[-1].end : token.start]):
            break
        word = token.text.lower()
        if not span and word in ("the", "a", "an", "company", "our", "called"):
            continue
        if word in GENERIC and not (span and word in ("of", "and")) and not _opens_a_name(token, following):
            break
        if span and not token.capital and word not in ("of", "and") and span[0].capital:
            break
        if span and not span[0].capital and len(span) >= 3:
            break
        span.append(token)
    while span and span[-1].text.lower() in ("of", "and"):
        span.pop()
    if not span:
        return ""
    lower = not any(t.capital for t in span)
    if all(w in common_words() or w in GENERIC for t in span for w in words(t.text)) and (lower or len(span) == 1):
        return ""
    return text[span[0].start : span[-1].end]


def _opens_a_name(token: _Token, following: _Token | None) -> bool:
    """Whether an everyday word with a capital is the first word of a name: `New Relic`."""
    return token.capital and following is not None and following.capital and following.text.lower() not in GENERIC


def _unknown(phrase: str, table: CompanyTable) -> Subject:
    """What an unlisted name may mean: part of a well-known name, a misspelt one, or a company no table has."""
    key = normalise(phrase)
    near = table.starting_with(key)
    known = [r for r in near if table.well_known(r)]
    if " " not in key and not known and key not in common_words():
        known = [r for r in table.by_word.get(key, ()) if table.well_known(r)]
    if known and key not in common_words():
        return _resolved(table, known[:1] + [r for r in [*known[1:], *near] if r != known[0]], key, "partial")
    fuzzy = _nearest(key, table)
    if fuzzy is not None:
        return fuzzy
    name = phrase if any(c.isupper() for c in phrase) else phrase.title()
    return Subject(name=name, matched_by="pattern", alternatives=tuple(table.name(r) for r in near[:MOST_ALTERNATIVES]))


# --- misspelt names -------------------------------------------------------------------------------------------------


def _misspelt(message: str, table: CompanyTable) -> Iterator[_Candidate]:
    """Capitalised words that are one slip away from a name of the table."""
    for token in _tokens(message):
        word = token.text.lower()
        if not token.capital or token.text.isupper() or len(word) < 6 or word in GENERIC or word in common_words():
            continue
        subject = _nearest(normalise(token.text), table)
        if subject is not None:
            yield _Candidate(subject, role(message, token.start, token.end), token.start, token.end)


def _nearest(key: str, table: CompanyTable) -> Subject | None:
    """The company whose name is one slip away (two in a long name), if the first letter agrees."""
    if len(key) < 5:
        return None
    slips = 2 if len(key) >= 10 else 1
    hits = process.extract(key, name_keys(), scorer=OSA.distance, score_cutoff=slips, limit=10)
    ranked = sorted(
        (distance, table.by_name[name][0], name)
        for name, distance, _ in hits
        if name[0] == key[0] and ((len(key) >= 7 and distance == 1) or table.well_known(table.by_name[name][0]))
    )
    if not ranked:
        return None
    return _resolved(table, [rank for _, rank, _ in ranked], ranked[0][2], "fuzzy")
