"""Which engine a process uses, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Callable

from agent.models.base import Engine
from agent.models.extractive import ExtractiveEngine
from agent.settings import Settings


def choose_engine(settings: Settings, scrub: Callable[[str], str]) -> tuple[Engine, str]:
    """The configured engine and a note for people. Raises ConfigError or UnpricedModel when a model is wanted but cannot be."""
    if not settings.wants_model:
        why = (
            "set by DOSSIER_ENGINE"
            if settings.engine == "extractive"
            else "set OPENAI_API_KEY or OPENAI_BASE_URL for a chat model"
        )
        return ExtractiveEngine(), f"extractive ({why})"
    from agent.models.chat import engine_from  # the client takes 40 MB and half a second: only who uses it pays

    where = settings.openai_base_url or "OpenAI"
    return engine_from(settings, scrub), f"{settings.model} at {scrub(where)}, the extractive engine when it fails"
