"""The catalogue: datasets and consumer types, read from TOML. A mistake in a file is reported with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from agent.errors import ConfigError, UnknownConsumerType
from agent.records import ConsumerType, Dataset, DatasetField, Requirement

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Catalogue:
    """What may be known about a company, and who needs how much of it."""

    datasets: Mapping[str, Dataset]
    consumers: Mapping[str, ConsumerType]

    def consumer(self, name: str) -> ConsumerType:
        """The consumer type called `name`; raises UnknownConsumerType that lists those there are, the nearest first."""
        found = self.consumers.get(name)
        if found is None:
            listed = ", ".join(nearest(name, self.consumers))
            raise UnknownConsumerType(f"No consumer type is called {name[:60]!r}. There are: {listed}.")
        return found


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """`names`, the most alike to `name` first."""
    return sorted(names, key=lambda n: (-SequenceMatcher(None, name.lower(), n).ratio(), n))


# --- the files' own shape -------------------------------------------------------------------------------------------


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _DatasetEntry(_Strict):
    title: str
    question: str = Field(pattern=r"\{subject\}|seller")
    half_life_days: float = Field(gt=0)
    fields: tuple[DatasetField, ...] = Field(min_length=1)
    cues: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()


class _RequirementEntry(_Strict):
    weight: float = Field(gt=0, le=100)
    required: bool = False


class _ConsumerFile(_Strict):
    title: str
    max_cost: str = Field(pattern=r"^\d{1,5}(\.\d{1,6})?$")
    min_quality: float = Field(ge=0, le=1)
    freshness_floor: float = Field(gt=0, lt=1)
    requirements: dict[str, _RequirementEntry] = Field(min_length=1)


# --- reading --------------------------------------------------------------------------------------------------------


def load_catalogue(extra: Path | None = None) -> Catalogue:
    """Read the catalogue, and the consumer types of the folder `extra` on top (one of the same name replaces ours)."""
    datasets = _read_datasets(HERE / "datasets.toml")
    files = sorted((HERE / "consumers").glob("*.toml"))
    if extra is not None:
        if not extra.is_dir():
            raise ConfigError(f"DOSSIER_CONSUMERS_DIR is {extra}, which is not a folder.")
        files += sorted(extra.glob("*.toml"))
    consumers = {file.stem: _read_consumer(file, datasets) for file in files}
    return Catalogue(MappingProxyType(datasets), MappingProxyType(consumers))


def _read_datasets(path: Path) -> dict[str, Dataset]:
    text, raw = _parse(path)
    found = {}
    for name, entry in raw.items():
        try:
            checked = _DatasetEntry.model_validate(entry)
        except ValidationError as exc:
            _refuse(path, text, _worst(exc), _DatasetEntry, (name,))
        found[name] = Dataset(id=name, **checked.model_dump())
    return found


def _read_consumer(path: Path, datasets: Mapping[str, Dataset]) -> ConsumerType:
    text, raw = _parse(path)
    try:
        checked = _ConsumerFile.model_validate(raw)
    except ValidationError as exc:
        _refuse(path, text, _worst(exc), _ConsumerFile, ())
    for name in checked.requirements:
        if name not in datasets:
            where = _place(path, text, ("requirements", name))
            raise ConfigError(f"{where}: no dataset is called {name!r}; did you mean {nearest(name, datasets)[0]!r}?")
    total = sum(r.weight for r in checked.requirements.values())
    if abs(total - 100) > 1e-9:
        where = _place(path, text, ("requirements",))
        raise ConfigError(f"{where}: the weights of requirements sum to {total:g}; they must sum to 100.")
    ordered = sorted(checked.requirements.items(), key=lambda item: -item[1].weight)
    requirements = tuple(Requirement(dataset=n, required=r.required, weight=r.weight / 100) for n, r in ordered)
    return ConsumerType.model_validate(
        {**checked.model_dump(exclude={"requirements"}), "id": path.stem, "requirements": requirements}
    )


def _parse(path: Path) -> tuple[str, dict[str, object]]:
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read ({exc.strerror}).") from None
    except ValueError as exc:  # not UTF-8, or not TOML; the message of tomllib names line and column
        raise ConfigError(f"{path}: is not valid TOML: {exc}.") from None


# --- saying what is wrong -------------------------------------------------------------------------------------------


def _worst(exc: ValidationError) -> ErrorDetails:
    """A misspelt key also makes the right one missing: the misspelling is what to report."""
    errors = exc.errors(include_input=False)
    return next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])


def _refuse(path: Path, text: str, error: ErrorDetails, model: type[BaseModel], within: tuple[str, ...]) -> NoReturn:
    inner = error["loc"]
    where = _place(path, text, (*within, *inner))
    name = str(inner[-1]) if inner else path.stem
    if error["type"] == "extra_forbidden":
        guess = nearest(name, _keys_at(model, inner))[0]
        raise ConfigError(f"{where}: unknown key {name!r}; did you mean {guess!r}?")
    if error["type"] == "missing":
        where = _place(path, text, (*within, *inner[:-1]))
        raise ConfigError(f"{where}: the key {name!r} is missing.")
    raise ConfigError(f"{where}: {'.'.join(map(str, (*within, *inner)))}: {error['msg']}.")


def _keys_at(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """The keys that may stand where `loc` points."""
    if len(loc) > 1 and loc[0] == "fields":
        return list(DatasetField.model_fields)
    if len(loc) > 1 and loc[0] == "requirements":
        return list(_RequirementEntry.model_fields)
    return list(model.model_fields)


def _place(path: Path, text: str, loc: Sequence[int | str]) -> str:
    """`file:line` of the key that `loc` leads to; tomllib keeps no positions, so the lines are searched."""
    lines = text.splitlines()
    at = 0
    for n, part in enumerate(loc):
        if isinstance(part, int):
            entries = [i for i in range(at, len(lines)) if re.match(r"\s*\{", lines[i])]
            at = entries[part] if part < len(entries) else at
            continue
        key = re.escape(part)
        found = next(
            (i for i in range(at, len(lines)) if re.match(rf"\s*\[(?:[\w.]+\.)?[\"']?{key}[\"']?\]", lines[i])), None
        )
        if found is None or n:
            plain = re.compile(rf"""(?:^\s*|[{{,]\s*)["']?{key}["']?\s*=""")
            found = next((i for i in range(at, len(lines)) if plain.search(lines[i])), found)
        at = at if found is None else found
    return f"{path}:{at + 1}"
