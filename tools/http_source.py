"""What the free sources share that are asked over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel
from typing_extensions import override

from tools.base import FailureKind, Pace, SourceEnv, SourceError, SourceTool
from tools.fetching import MAX_BYTES, Door

A = TypeVar("A", bound=BaseModel)


class HttpSource(SourceTool[A]):
    """A free source that is asked over HTTP."""

    max_bytes = MAX_BYTES
    slowness = 1.0
    """How much longer than others its service may take for an answer."""

    def __init__(self, env: SourceEnv) -> None:
        super().__init__(env)
        self._door = None
        if env.http is not None:
            self._door = env.http.door(
                self.name, self.timeout, self.own_paces, max_bytes=self.max_bytes, slowness=self.slowness
            )

    @property
    def own_paces(self) -> Mapping[str, Pace]:
        """The paces in force, which a key may quicken."""
        return self.paces

    @property
    @override
    def max_price(self) -> int:
        """Nothing."""
        return 0

    @override
    def unavailable(self) -> str | None:
        """Off where the deployment stays offline."""
        return None if self.env.http is not None else "The web is not to be asked: set DOSSIER_OFFLINE=false."

    @property
    def door(self) -> Door:
        """The way to the web. Raises SourceError (unreachable) when there is none."""
        why = self.unavailable()
        if self._door is None or why is not None:
            raise SourceError(FailureKind.UNREACHABLE, why or "")
        return self._door
