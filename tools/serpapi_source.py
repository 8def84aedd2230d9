"""What the sources behind SerpAPI share: the settings, the price, and how a reply ends. One price per search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel, Field, field_validator

from tools.base import FailureKind, Frozen, SourceEnv, SourceError, SourceReply, SourceTool, SubjectHint
from tools.reading.serpapi_reply import LICENCE, Found
from tools.web.serpapi_client import SerpApi, error_text

S = TypeVar("S", bound=BaseModel)

DEFAULT_PRICE = "15000"
NO_RESULTS = ("hasn't returned any results", "has not returned any results", "no results")


class Query(Frozen):
    """A search as it is typed into Google."""

    query: str = Field(
        min_length=1,
        max_length=400,
        description="What to type into Google: the company's name in double quotes and a few words. `site:` works.",
    )

    @field_validator("query")
    @classmethod
    def _one_spelling(cls, value: str) -> str:
        return one_line(value, "the query has no words")


def one_line(value: str, complaint: str) -> str:
    """White space collapsed, so that the same search is an exact repeat, which is free."""
    plain = " ".join(value.split())
    if not plain:
        raise ValueError(complaint)
    return plain


class SerpApiSource(SourceTool[S]):
    """A search on one of SerpAPI's engines."""

    reliability = 0.6
    latency = 1.5
    timeout = 20.0
    licence = LICENCE
    homepage = "https://serpapi.com"
    needs = "a key (SERPAPI_API_KEY)"
    repeats_free = timedelta(hours=1)

    def __init__(self, env: SourceEnv) -> None:
        super().__init__(env)
        values = env.values
        self._price = int(values.get("serpapi_price_micros", DEFAULT_PRICE))
        self.timeout = float(values.get("serpapi_timeout", self.timeout))  # type: ignore[misc]  # set by the operator
        self._api = SerpApi(
            key=values.get("serpapi_api_key", ""),
            base_url=values.get("serpapi_base_url", self.homepage),
            timeout=self.timeout,
            scrub=env.scrub,
        )

    @property
    def max_price(self) -> int:
        """One search under the operator's plan."""
        return self._price

    def unavailable(self) -> str | None:
        """A key is needed."""
        if self.env.values.get("serpapi_api_key"):
            return None
        return f"No key: set SERPAPI_API_KEY (one search costs about ${self._price / 1_000_000:.3f})."

    def _reply(self, reply: Mapping[str, object], found: Found) -> SourceReply:
        """Documents, or a search that found nothing (billed all the same), or the failure that the reply speaks of."""
        metadata = reply.get("search_metadata")
        status = metadata.get("status") if isinstance(metadata, dict) else None
        said = error_text(reply)
        billed = self._price if status == "Success" else 0
        if said and any(phrase in said.casefold() for phrase in NO_RESULTS):
            return SourceReply(
                billed=self._price if status in ("Success", None) else 0, note=self.env.scrub(said)[:200]
            )
        if said or status == "Error":
            raise self._api.refusal(said or "the search ended in an error", billed=billed)
        if status not in ("Success", None) or (status is None and not found.documents):
            raise SourceError(FailureKind.MALFORMED, "SerpAPI's reply has no finished search in it.", billed=None)
        if not found.documents and found.skipped:
            text = f"SerpAPI's reply has none of the expected shapes ({found.skipped} items could not be read)."
            raise SourceError(FailureKind.MALFORMED, text, billed=self._price)
        notes = [*found.notes, f"{found.skipped} items could not be read"] if found.skipped else found.notes
        return SourceReply(
            documents=tuple(found.documents), billed=self._price, note=self.env.scrub("; ".join(notes))[:400]
        )


def filled(templates: Sequence[str], subject: SubjectHint) -> list[str]:
    """Queries with the company's name (as a phrase) and domain; those that need a domain go when there is none."""
    plain = " ".join(subject.name.replace('"', " ").split())[:200]
    if not plain:
        return []
    usable = [t for t in templates if subject.domain or "{domain}" not in t]
    return [t.replace("{name}", f'"{plain}"').replace("{domain}", subject.domain)[:400] for t in usable]
