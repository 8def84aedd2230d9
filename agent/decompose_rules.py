"""Which datasets a question asks for, by its words. The rule-based half of decomposition; no model is needed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

import snowballstemmer

from agent.catalogue import Catalogue
from agent.records import ConsumerType, Dataset
from tools.reading.question_filters import read_filters

_TASK = re.compile(
    r"\b(?:prepare (?:me |us )?for|(?:meeting|call|demo|chat|lunch) with|as an? (?:prospect|customer|lead|target"
    r"|account|vendor)"
    r"|account plan|full picture|everything|due diligence|outreach to|(?:write|reach out|e-?mail) (?:\w+ ){0,2}to"
    r"|e-?mail)\b",
    re.IGNORECASE,
)
"""What the research is for: such a question wants the whole picture, whatever else it mentions."""

_GENERIC = re.compile(
    r"\b(?:research|investigate|profile|dossier|overview|background|tell (?:me|us) (?:more )?about|brief|briefing"
    r"|what do (?:we|you) know about|look into|look up|monitor|summari[sz]e|summary|analy[sz]e|prospect)\b",
    re.IGNORECASE,
)
"""Phrases that ask for the whole picture unless the question goes on to name what it wants."""

_WEAK = frozenset(
    {
        "profile",
        "overview",
        "background",
        "focus",
        "update",
        "updates",
        "people",
        "based",
        "size",
        "what is",
        "what does",
    }
)
"""Cues that also belong to other questions: they count only when nothing stronger is said."""

_WHAT_DOES = re.compile(r"\bwhat (?:does|do) .{1,60}? (?:do|make|sell|offer)\b", re.IGNORECASE)
_NARROWED = re.compile(r"\b(?:only|just|focus(?:ing)? on|in particular|especially|specifically)\b", re.IGNORECASE)
_POSSESSED = re.compile(r"['’]s\b|s['’] |\b(?:their|its|of|at)\b", re.IGNORECASE)
_SHORT = 5
"""Words up to which a question has no room for anything but what it asks: `Research Walmart leadership`."""


def asked_datasets(message: str, catalogue: Catalogue, consumer: ConsumerType) -> tuple[str, ...]:
    """The datasets that `message` asks for, those that weigh most with `consumer` first."""
    return asked_datasets_of(message, catalogue.datasets, consumer)


def asked_datasets_of(message: str, datasets: Mapping[str, Dataset], consumer: ConsumerType) -> tuple[str, ...]:
    """As `asked_datasets`, for a mapping of datasets."""
    weights = {r.dataset: r.weight for r in consumer.requirements}
    everything = tuple(sorted((d for d in weights if d != "vendor"), key=lambda d: -weights[d]))
    narrowed = _NARROWED.search(message) is not None
    if _TASK.search(message) and not narrowed:
        return everything
    said = _stems(message)
    hits = {d: _cues_in(said, dataset.cues) for d, dataset in datasets.items()}
    strong = {d for d, cues in hits.items() if cues - _WEAK}
    if _WHAT_DOES.search(message) and not strong - {"products", "profile"}:
        return _ordered({"profile", "products"} & datasets.keys(), weights)
    names_its_wish = narrowed or _POSSESSED.search(message) is not None or len(message.split()) <= _SHORT
    if _GENERIC.search(message) and not (strong and names_its_wish):
        return everything
    found = strong or {d for d, cues in hits.items() if cues}
    return _ordered(found, weights) if found else everything


def asked_of(message: str, names: Collection[str]) -> str:
    """Whom, of what time and by which author the message wants to hear of the company, to be said after a sub-question.

    Empty for most messages. `names` are the company's own; sources read the words off the sub-question again.
    """
    phrase = read_filters(message, [*names, *(name.split()[0] for name in names if name.strip())]).phrase()
    return f" ({phrase})" if phrase else ""


def _ordered(found: set[str], weights: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(sorted(found, key=lambda d: (-weights.get(d, 0.0), d)))


def _cues_in(said: str, cues: tuple[str, ...]) -> set[str]:
    return {cue for cue in cues if f" {_stems(cue).strip()} " in said}


@lru_cache(maxsize=1)
def _stemmer() -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=1024)
def _stems(text: str) -> str:
    """The stems of the words of `text`, with a space before and after each."""
    found = re.findall(r"[a-z0-9]+", re.sub(r"['’]s?\b", " ", text.lower()))
    return f" {' '.join(_stemmer().stemWords(found))} "
