"""Hostile documents: hand-written orders (`orders.toml`) crossed with the carriers that bring them (`carriers`).

for case in cases():
    ...  # case.name, case.family, case.hostile and its harmless twin, case.twin
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.hostile.carriers import CARRIERS, Parcel

SUBJECT = "Snowflake"


@dataclass(frozen=True)
class Order:
    """What a hostile document says, and what whoever obeys it does."""

    id: str
    family: str
    says: str
    wants: str = ""
    tool: str = ""
    """Name of a tool to call; empty for none."""
    args: tuple[tuple[str, Any], ...] = ()
    leak: bool = False
    form: str = ""


@dataclass(frozen=True)
class Case:
    """One hostile document and the same world without its order."""

    order: Order
    carrier: str
    hostile: Parcel
    twin: Parcel

    @property
    def name(self) -> str:
        return f"{self.order.id}/{self.carrier}"

    @property
    def family(self) -> str:
        return self.order.family


@cache
def orders() -> tuple[Order, ...]:
    """Every order, with the company's name put in."""
    return tuple(order for order, _ in _read())


@cache
def cases() -> tuple[Case, ...]:
    """Every order in every way it arrives."""
    found = []
    for order, carriers in _read():
        for carrier in carriers:
            hostile, twin = CARRIERS[carrier](order.says)
            found.append(Case(order, carrier, hostile, twin))
    return tuple(found)


@cache
def unseen() -> tuple[str, ...]:
    """Orders in words that the filter of evidence was not written with: they measure it. Mend nothing by them."""
    return tuple((Path(__file__).parent / "unseen.txt").read_text().splitlines())


def _read() -> list[tuple[Order, tuple[str, ...]]]:
    text = (Path(__file__).parent / "orders.toml").read_text().replace("{subject}", SUBJECT)
    table = tomllib.loads(text)
    found = []
    for row in table["order"]:
        carriers = row.pop("carriers", None) or table["families"][row["family"]]
        tool = row.pop("tool", {"name": "", "args": {}})
        found.append((Order(**row, tool=tool["name"], args=tuple(tool["args"].items())), tuple(carriers)))
    return found
