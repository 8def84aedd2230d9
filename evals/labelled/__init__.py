"""Sentences with their quotes, labelled by hand: does what is quoted support what is said? How: see the README here.

    for claim in labelled_claims(): ...

In: `claims.jsonl`, one claim a line. Out: `Labelled` values, each of which can be put to the checks of `agent.claims` and
scored by `agent.confidence` as if a run had written it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

from pydantic import TypeAdapter

from agent.catalogue import load_catalogue
from agent.claims import Quoted, check_claim, supported
from agent.confidence import Signals, signals
from agent.records import Check, Claim, ClaimStatus, Evidence
from tools.base import Frozen

CLAIMS = Path(__file__).parent / "claims.jsonl"
BLIND = 3
"""The first batch that was written after the checks were last changed. To be raised when they are mended on a later one."""
RELIABILITY = 0.8
"""What the source of the starter library, `tools/documents.py`, gives its quotes."""
NOW = datetime(2026, 11, 22, tzinfo=UTC)
"""The day on which the library was read; ages are counted from it, so that a score never changes by itself."""


class Source(Frozen):
    """A quote, and where it was cut from."""

    quote: str
    title: str = ""
    publisher: str = ""
    published: date | None = None
    dataset: str = ""
    field: str = ""


class Labelled(Frozen):
    """A claim with its label."""

    id: str
    """Hexadecimal; made of the sentence and its quotes."""
    kind: str
    company: str
    """Whom the quotes' documents are about."""
    names: tuple[str, ...]
    sentence: str
    supported: bool
    """Whether the quotes, and nothing else, say all of the sentence."""
    reason: str = ""
    batch: int
    """In the order of writing; see `known`."""
    quotes: tuple[Source, ...]

    @property
    def held_out(self) -> bool:
        """Whether it is kept for measuring and never used in fitting: 4 in 10, by the id alone."""
        return int(self.id, 16) % 10 < 4

    @property
    def known(self) -> bool:
        """Whether the checks were mended after its batch was read, but for what was held out of it."""
        return self.batch < BLIND and not self.held_out

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """What the checks say of it."""
        return check_claim(self.sentence, [_quoted(n, q, self.company) for n, q in enumerate(self.quotes)], self.names)

    @property
    def accepted(self) -> bool:
        """Whether the checks let it pass."""
        return supported(self.checks)

    @cached_property
    def signals(self) -> Signals:
        """What its confidence is made of."""
        status = ClaimStatus.SUPPORTED if self.accepted else ClaimStatus.UNVERIFIED
        claim = Claim(id=self.id, text=self.sentence, checks=self.checks, status=status)
        return signals(claim, [_evidence(n, q) for n, q in enumerate(self.quotes)], (), self.names, _DATASETS, NOW)


def labelled_claims(path: Path = CLAIMS) -> list[Labelled]:
    """Every claim of the file, in its order. Raises ValueError for a line that is none, or an id that comes twice."""
    claims = [_CLAIM.validate_json(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if len({c.id for c in claims}) < len(claims):
        raise ValueError(f"{path}: an id comes twice")
    return claims


def held_out(claims: Sequence[Labelled]) -> list[Labelled]:
    """Those that are kept for measuring."""
    return [c for c in claims if c.held_out]


_CLAIM = TypeAdapter(Labelled)
_DATASETS = load_catalogue().datasets


def _quoted(number: int, source: Source, about: str) -> Quoted:
    text = f"{source.title}\n{source.quote}\n"
    return Quoted(
        evidence_id=f"e{number}",
        quote=source.quote,
        document_text=text,
        start=text.index(source.quote),
        title=source.title,
        about=about,
        published_at=_noon(source.published),
        dataset=source.dataset,
        field=source.field,
    )


def _evidence(number: int, source: Source) -> Evidence:
    return Evidence(
        id=f"e{number}",
        document_id=f"d{number}",
        start=0,
        quote=source.quote,
        dataset=source.dataset,
        field=source.field,
        origin=source.publisher,
        published_at=_noon(source.published),
        retrieved_at=NOW,
        reliability=RELIABILITY,
    )


def _noon(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC) if day else None
