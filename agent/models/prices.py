"""What a chat model costs: a dated table, the operator's own figures before it, and integer micro-dollar arithmetic.

An unknown model is never priced at a guess: `price_of` raises UnpricedModel, and says which settings name the price.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal
from functools import cache
from importlib.resources import files

from pydantic import Field, JsonValue, ValidationError

from agent.errors import ConfigError, UnpricedModel
from agent.settings import Settings
from tools.base import Frozen

MESSAGE_OVERHEAD = 16
"""Tokens added per message: role, delimiters. Servers document 3 or 4; templates of local models use more."""
REQUEST_OVERHEAD = 64
"""Tokens added per request: the start of the reply, and a template's preamble."""
SCHEMA_OVERHEAD = 128
"""Tokens added per tool or reply schema: the words in which a server tells the model about it."""

_DATED = re.compile(r"(?P<base>.+)-(?P<day>\d{4}-\d{2}-\d{2})")


class Snapshot(Frozen):
    """The price of one dated version, where it differs from its base's."""

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)


class Row(Frozen):
    """A row of `catalogue/models.toml`; the file explains every key."""

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)
    cache_write: Decimal | None = Field(None, ge=0)
    prompt_limit: int | None = None
    snapshots: dict[str, Snapshot] = Field(default_factory=dict)
    reasoning: bool = False
    effort: str | None = None
    chat_tools: bool = True
    source: str
    read: date


class ModelPrice(Frozen):
    """What tokens of one model cost. USD per million tokens is the same number as micro-dollars per token."""

    model: str
    input: Decimal
    """USD per million prompt tokens, at the dearest rate that a prompt token can be billed at."""
    output: Decimal
    """USD per million completion tokens."""
    prompt_limit: int | None = None
    reasoning: bool = False
    effort: str | None = None
    chat_tools: bool = True
    source: str = ""
    """Where the price was read, or `settings`."""

    @property
    def free(self) -> bool:
        """Whether no call can cost anything."""
        return not self.input and not self.output

    def worst_case(self, prompt_bytes: int, max_tokens: int) -> int:
        """Micro-dollars to hold: every byte of the prompt a token (`prompt_bound`), and the longest reply allowed."""
        if self.prompt_limit is not None and prompt_bytes > self.prompt_limit:
            raise UnpricedModel(
                f"The price of {self.model} is known for prompts up to {self.prompt_limit} tokens, and this one "
                f"may have {prompt_bytes}: lower DOSSIER_MODEL_CONTEXT_CHARS."
            )
        return self.actual(prompt_bytes, max_tokens)

    def actual(self, prompt_tokens: int, completion_tokens: int) -> int:
        """Micro-dollars for these tokens, rounded up: never less than what is owed."""
        exact = self.input * max(0, prompt_tokens) + self.output * max(0, completion_tokens)
        return int(exact.to_integral_value(rounding=ROUND_CEILING))


def prompt_bound(messages: Sequence[tuple[str, str]], schemas: Sequence[Mapping[str, JsonValue]] = ()) -> int:
    """The most tokens a prompt can have, without a tokenizer.

    A byte-level BPE starts from one token per UTF-8 byte and only ever merges, so it never makes more tokens than
    bytes. What a server adds of its own (roles, delimiters, a template, its rendering of the tool and reply schemas)
    is covered by fixed allowances and by the schemas' JSON, which is longer than any rendering of it known to us.
    """
    text = sum(len(role.encode()) + len(content.encode()) + MESSAGE_OVERHEAD for role, content in messages)
    schema = sum(len(json.dumps(s, ensure_ascii=False).encode()) + SCHEMA_OVERHEAD for s in schemas)
    return text + schema + REQUEST_OVERHEAD


@cache
def price_table() -> Mapping[str, Row]:
    """The table as shipped, by model name."""
    raw = tomllib.loads(files("agent").joinpath("catalogue/models.toml").read_text(encoding="utf-8"))
    try:
        return {name: Row.model_validate(row) for name, row in raw["models"].items()}
    except (KeyError, ValidationError) as exc:
        raise ConfigError(f"agent/catalogue/models.toml is wrong: {exc}") from None


def _row_of(model: str) -> Row | None:
    """The row of exactly this name, or of the name without a date suffix; a snapshot with its own price gets that."""
    table = price_table()
    if model in table:
        return table[model]
    dated = _DATED.fullmatch(model)
    row = table.get(dated["base"]) if dated else None
    if dated is None or row is None:
        return None
    own = row.snapshots.get(dated["day"])
    return row if own is None else row.model_copy(update={"input": own.input, "output": own.output})


def price_of(settings: Settings) -> ModelPrice:
    """The price of the model in the settings. What the operator states goes before the table."""
    row = _row_of(settings.model)
    prompt, completion = settings.model_price_input, settings.model_price_output
    if row is not None:
        # A stated prompt price is the operator's word for all of the prompt, cache writes included.
        prompt = max(row.input, row.cache_write or row.input) if prompt is None else prompt
        completion = row.output if completion is None else completion
    if prompt is None or completion is None:
        raise UnpricedModel(
            f"No price is known for the model {settings.model!r}: set DOSSIER_MODEL_PRICE_INPUT and "
            "DOSSIER_MODEL_PRICE_OUTPUT (USD per million tokens; 0 for a model of your own)."
        )
    stated = settings.model_price_input is not None and settings.model_price_output is not None
    if row is None:
        return ModelPrice(model=settings.model, input=prompt, output=completion, source="settings")
    return ModelPrice(
        model=settings.model,
        input=prompt,
        output=completion,
        prompt_limit=None if stated else row.prompt_limit,
        reasoning=row.reasoning,
        effort=row.effort,
        chat_tools=row.chat_tools,
        source="settings" if stated else f"{row.source} ({row.read.isoformat()})",
    )
