"""An optional model that judges whether quotes entail a sentence, behind one small interface. None comes with Dossier."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from agent.errors import ConfigError

ENTAILED = 0.5
"""Probability from which a sentence counts as entailed."""


class Entailment(Protocol):
    """Comes on top of the checks of a claim, never in their place: it can only take a sentence away."""

    def entails(self, quotes: Sequence[str], sentence: str) -> float:
        """The probability, in [0, 1], that the quotes together say the sentence. Called in a thread, one claim at a time."""
        ...


def load_entailment(name: str) -> Entailment | None:
    """The model that `package.module:factory` makes; None for an empty name. Raises ConfigError."""
    if not name.strip():
        return None
    module, _, factory = name.strip().partition(":")
    try:
        made = getattr(import_module(module), factory)()
    except (ImportError, AttributeError, TypeError, ValueError) as exc:
        raise ConfigError(
            f"DOSSIER_ENTAILMENT: {name!r} gives no model ({type(exc).__name__}): name it as package.module:factory."
        ) from exc
    if not callable(getattr(made, "entails", None)):
        raise ConfigError(f"DOSSIER_ENTAILMENT: what {name!r} makes has no method `entails(quotes, sentence)`.")
    return cast(Entailment, made)
