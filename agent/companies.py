"""The table of companies, and what makes two company names the same. Loaded once, indexed by normalised name."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from agent.records import Company

STARTER = Path(__file__).parent / "catalogue" / "starter"
COLUMNS = (
    "id", "name", "legal_name", "aliases", "ticker", "exchange", "cik", "domain", "industry", "hq", "founded", "origin",
)  # fmt: skip

LEGAL = frozenset(
    "inc incorporated corp corporation co company companies ltd limited plc llc lp llp sa sas ag nv bv se ab asa as "
    "spa gmbh oyj pty kk sab cv".split()
)
"""Words at the end of a name that say how it is incorporated, not who it is."""

DESCRIPTORS = frozenset("holdings holding group technologies technology platforms software communications".split())
"""Words at the end of a name that people leave out when they speak of the company."""

_TYPOGRAPHIC = str.maketrans({"’": "'", "‘": "'", "–": "-", "—": "-", "‐": "-"})
_APART = re.compile(r"[^a-z0-9]+")
_TICKER = re.compile(r"[A-Z]{1,5}([.-][A-Z]{1,2})?$")


def words(name: str) -> list[str]:
    """The words of a name: lower case, without accents and punctuation; `&` reads as `and`."""
    text = name
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_TYPOGRAPHIC))
        text = "".join(c for c in text if not unicodedata.combining(c))
    text = text.lower().replace("'", "").replace(".", "").replace("&", " and ")
    return [w for w in _APART.split(text) if w]


def _without_tail(parts: Sequence[str], tail: frozenset[str]) -> list[str]:
    """`parts` without the words of `tail` at its end, but never empty."""
    end = len(parts)
    while end > 1 and parts[end - 1] in tail:
        end -= 1
        while end > 1 and parts[end - 1] == "and":
            end -= 1
    return list(parts[:end])


def normalise(name: str) -> str:
    """The key under which a name is looked up: legal suffixes and a leading `the` are left out."""
    return _key(words(name))


def _key(parts: Sequence[str]) -> str:
    if len(parts) > 1 and parts[-1] == "the":
        parts = parts[:-1]
    if len(parts) > 1 and parts[0] == "the":
        parts = parts[1:]
    return " ".join(_without_tail(parts, LEGAL))


def short_key(key: str) -> str:
    """A key without the descriptors at its end: `uber technologies` gives `uber`."""
    return " ".join(_without_tail(key.split(" "), DESCRIPTORS | LEGAL))


def names_match(a: str, b: str) -> bool:
    """Whether two names are one company's: the same words once suffixes, accents and punctuation are set aside."""
    left, right = normalise(_without_share_class(a)), normalise(_without_share_class(b))
    if not left or not right:
        return False
    return left == right or left.replace(" ", "") == right.replace(" ", "") or short_key(left) == short_key(right)


def _without_share_class(name: str) -> str:
    return re.sub(r"\s*\((?:the|class [a-z]|[A-Z]{1,10}:\s*[A-Z.]+)\)\s*$", "", name, flags=re.IGNORECASE)


Row = tuple[str, ...]


@dataclass(frozen=True)
class CompanyTable:
    """The rows, the best known company first, and the ways to find them. Positions are ranks: lower is better known."""

    rows: tuple[Row, ...]
    by_name: dict[str, list[int]] = field(default_factory=dict)
    """Normalised name or alias to ranks."""
    by_short: dict[str, list[int]] = field(default_factory=dict)
    """Name without descriptors to ranks; weaker than `by_name`."""
    by_ticker: dict[str, int] = field(default_factory=dict)
    by_cik: dict[str, int] = field(default_factory=dict)
    by_domain: dict[str, int] = field(default_factory=dict)
    by_first: dict[str, list[int]] = field(default_factory=dict)
    """First word of a name to ranks."""
    by_word: dict[str, list[int]] = field(default_factory=dict)
    """Any word of the name of a well-known company to ranks."""

    def company(self, rank: int) -> Company:
        """The company at `rank`."""
        return as_company(self.rows[rank])

    def name(self, rank: int) -> str:
        """Its usual name, without building the record."""
        return self.rows[rank][1]

    def named(self, key: str) -> tuple[list[int], bool]:
        """The ranks under a normalised name, and whether the name is full (not short of a descriptor)."""
        found = self.by_name.get(key)
        return (found, True) if found else (self.by_short.get(key, []), False)

    def well_known(self, rank: int) -> bool:
        """Whether the company is in the S&P 500 list or was added by hand."""
        origin = self.rows[rank][11]
        return "sp5" in origin or "add" in origin

    def starting_with(self, key: str) -> list[int]:
        """Ranks of the companies whose name begins with the words of `key`, the best known first."""
        return [
            r
            for r in self.by_first.get(key.split(" ", 1)[0], ())
            if f"{normalise(self.rows[r][1])} ".startswith(f"{key} ")
        ]

    @property
    def longest(self) -> int:
        """How many words a name may have; longer ones are not looked for."""
        return 8


def as_company(row: Row) -> Company:
    """A row of the file as the record it is."""
    values = dict(zip(COLUMNS, row, strict=True))
    aliases = tuple(a for a in row[3].split("|") if a)
    return Company.model_validate({**values, "aliases": aliases})


def build_table(rows: Iterable[Row]) -> CompanyTable:
    """Index `rows`, which come the best known first."""
    table = CompanyTable(tuple(rows))
    for rank, row in enumerate(table.rows):
        keys = dict.fromkeys(_names_of(row))
        for key in keys:
            table.by_name.setdefault(key, []).append(rank)
            short = short_key(key) if key.rsplit(" ", 1)[-1] in DESCRIPTORS else key
            if short != key:
                table.by_short.setdefault(short, []).append(rank)
        first = next(iter(keys), "").split(" ", 1)[0]
        table.by_first.setdefault(first, []).append(rank)
        if table.well_known(rank):
            for word in next(iter(keys), "").split(" "):
                table.by_word.setdefault(word, []).append(rank)
        for ticker in _tickers_of(row):
            table.by_ticker.setdefault(ticker, rank)
        if row[6]:
            table.by_cik.setdefault(row[6].lstrip("0"), rank)
        if row[7]:
            table.by_domain.setdefault(row[7], rank)
    return table


def _names_of(row: Row) -> Iterator[str]:
    yield normalise(row[1])
    legal = row[2]
    # Most legal names are the usual one and a suffix, which have the same key: seeing that spares half the loading.
    if legal and not (legal.startswith(row[1]) and legal[len(row[1]) :].strip(" ,.").lower() in LEGAL):
        yield normalise(legal)
    if row[3]:
        for alias in row[3].split("|"):
            if not looks_like_ticker(alias):
                yield normalise(alias)


def _tickers_of(row: Row) -> Iterator[str]:
    if row[4]:
        yield row[4]
    if row[3]:
        yield from (a for a in row[3].split("|") if looks_like_ticker(a))


def looks_like_ticker(alias: str) -> bool:
    """Whether an alias is a further ticker (`GOOG`, `BRK.A`) and not a name."""
    return _TICKER.match(alias) is not None


@lru_cache(maxsize=4)
def load_companies(path: Path = STARTER / "companies.csv") -> CompanyTable:
    """The table of a file, read once per process."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        return build_table(tuple(row) for row in reader)


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """Everyday words that are also names of companies."""
    lines = (STARTER / "common_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@lru_cache(maxsize=1)
def name_keys() -> tuple[str, ...]:
    """Every key a misspelt name may have meant."""
    return tuple(k for k in load_companies().by_name if len(k) >= 5)
