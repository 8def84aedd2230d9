"""How the conformance suite drives a source. To add one, write `rig_<source>.py` here, ending in `RIGS = {...}`.

`RIGS` maps a source's name to a subclass of `Rig`, whose `open(folder)` starts whatever stands in for the source.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from tools.base import FailureKind, SourceTool


@dataclass(frozen=True)
class Failing:
    """A behaviour of the stand-in, and what the source must make of it."""

    behaviour: str
    kind: FailureKind
    spent: Literal["nothing", "unknown", "price"]


class Rig(ABC):
    """A source wired to its stand-in."""

    source: SourceTool[Any]
    good: BaseModel
    """Arguments to which the stand-in has an answer, with documents."""
    failures: ClassVar[tuple[Failing, ...]]
    secret: ClassVar[str] = ""
    """A planted key that must never be seen; empty when the source has none."""
    requests_per_fetch: ClassVar[int] = 1
    hangs: ClassVar[str] = ""
    """The behaviour that never answers; empty when a call cannot hang."""

    @classmethod
    @abstractmethod
    def open(cls, folder: Path) -> AbstractAsyncContextManager[Rig]:
        """Start the stand-in and wire the source to it; `folder` is empty and ours."""

    @abstractmethod
    def behave(self, name: str) -> None:
        """Behave so from now on: `ok`, `empty`, or a name of `failures`."""

    @property
    @abstractmethod
    def requests(self) -> int:
        """HTTP requests that came in so far."""

    @property
    def most_requests(self) -> int:
        """Requests that a failing fetch may make at most: one that costs money is never made again."""
        return self.requests_per_fetch

    def wait_for_request(self) -> None:
        """Block until a request is in."""
        raise NotImplementedError

    def let_go(self) -> None:
        """Break off what hangs, and wait until nothing of the source's call runs any more."""
        raise NotImplementedError


def rigs() -> Mapping[str, type[Rig]]:
    """Every rig that a module of this folder lists in `RIGS`."""
    package = importlib.import_module("tests.standins")
    found: dict[str, type[Rig]] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        if module.startswith("rig_"):
            found |= importlib.import_module(f"tests.standins.{module}").RIGS
    return found
