"""What SerpAPI would charge: every successful search, unless the very same one was paid for within the hour."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

REPEAT_FREE = 3_600.0
_NOT_COMPARED = ("api_key", "source", "output")


@dataclass(frozen=True)
class Charge:
    """A line of the invoice: one successful search, and what it cost (nothing for an exact repeat within the hour)."""

    at: float
    params: dict[str, str]
    micros: int


class Invoice:
    """What SerpAPI would charge. With a path it outlives this process: a line is on disk before the reply is sent."""

    def __init__(self, path: Path | None, price: int, charge_repeats: bool, clock: Callable[[], float]) -> None:
        self.charges: list[Charge] = []
        self._path = path
        self._price = price
        self._charge_repeats = charge_repeats
        self._clock = clock
        self._lock = threading.Lock()
        if path is not None and path.exists():
            self.charges = [Charge(**json.loads(line)) for line in path.read_text().splitlines() if line]

    def charge(self, params: dict[str, str]) -> Charge:
        """Put a successful search on the invoice."""
        same = {k: v for k, v in params.items() if k not in _NOT_COMPARED}
        with self._lock:
            now = self._clock()
            # A hit in SerpAPI's cache is free; the hour counts from the search that was paid for.
            paid = (c for c in self.charges if c.params == same and c.micros)
            repeated = any(now - c.at < REPEAT_FREE for c in paid) and same.get("no_cache") != "true"
            charge = Charge(now, same, 0 if repeated and not self._charge_repeats else self._price)
            self.charges.append(charge)
            if self._path is not None:
                with self._path.open("a") as file:
                    file.write(json.dumps(charge.__dict__) + "\n")
                    file.flush()
            return charge

    @property
    def total(self) -> int:
        """Micro-dollars."""
        with self._lock:
            return sum(c.micros for c in self.charges)
