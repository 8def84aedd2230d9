"""ingest: files and folders into the local index, with a bar where somebody watches."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from agent.ingest import FileResult, IngestReport, Removed
from agent.ingest import ingest as put_in
from agent.ingest import remove as take_out
from agent.settings import Settings
from agent.store.documents import DocumentStore
from cli.output import console, on_terminal, say
from cli.words import plain, short


def ingest(settings: Settings, paths: Sequence[str]) -> int:
    """Put them in, name what could not be read, and count."""
    report = asyncio.run(_ingest(settings, paths))
    for file in report.files:
        for problem in file.problems:
            say(f"! {plain(file.path)}: read in part: {plain(problem)}")
    if on_terminal():
        for file in report.having("failed", "gone"):
            say(_line(file))
    say(summary(report))
    return exit_code(report)


async def _ingest(settings: Settings, paths: Sequence[str]) -> IngestReport:
    store = DocumentStore(settings.data_dir / "documents.db", synchronous=settings.synchronous)
    try:
        if not on_terminal():
            return await put_in(paths, store, lambda file: say(_line(file)))
        columns = (
            TextColumn("Ingesting"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[file]}", markup=False),
        )
        with Progress(*columns, console=console(), transient=True) as bar:
            task = bar.add_task("", total=await asyncio.to_thread(count, paths), file="")
            return await put_in(
                paths, store, lambda file: bar.update(task, advance=1, file=short(Path(file.path).name, 40))
            )
    finally:
        store.close()


def remove(settings: Settings, names: Sequence[str]) -> int:
    """Erase them, and say what went. 0 when something of each went, 3 when of some, 1 when of none."""
    removed = asyncio.run(_remove(settings, names))
    for one in removed:
        say(_removed(one))
    gone = [one for one in removed if one.documents]
    files = f" from {len(gone)} places" if len(gone) > 1 else ""
    say(f"{_documents(sum(one.documents for one in gone))} erased{files}, with the evidence made of it.")
    return 0 if len(gone) == len(removed) else 3 if gone else 1


async def _remove(settings: Settings, names: Sequence[str]) -> list[Removed]:
    store = DocumentStore(settings.data_dir / "documents.db", synchronous=settings.synchronous)
    try:
        return await take_out(names, store)
    finally:
        store.close()


def _removed(one: Removed) -> str:
    name = plain(one.name)
    return f"✓ {name}: {_documents(one.documents)} erased" if one.documents else f"✗ {name}: nothing is stored of it"


def _documents(number: int) -> str:
    return f"{number} document{'s' if number != 1 else ''}"


def count(paths: Sequence[str]) -> int:
    """How many files there will be word of; what cannot be walked counts for nothing."""
    total = 0
    for path in paths:
        if not Path(path).is_dir():
            total += 1
            continue
        for _, folders, names in os.walk(path):
            folders[:] = [f for f in folders if not f.startswith(".")]
            total += sum(not n.startswith(".") for n in names)
    return total


def _line(file: FileResult) -> str:
    path = plain(file.path)
    match file.status:
        case "failed":
            return f"✗ {path}: could not be read: {plain(file.reason)}"
        case "skipped":
            return f"· {path}: left out: {plain(file.reason)}"
        case "unchanged":
            return f"· {path}: unchanged"
        case "gone":
            return f"· {path}: is there no longer; {_documents(file.documents)} taken out of the index"
        case _:
            return f"✓ {path}: {file.status}, {_documents(file.documents)}"


def summary(report: IngestReport) -> str:
    """The counts in a line."""
    counts = {
        "ingested": len(report.having("ingested")),
        "replaced": len(report.having("replaced")),
        "unchanged": len(report.having("unchanged")),
        "no longer there": len(report.having("gone")),
        "of a type that is not read": len(report.having("skipped")),
        "could not be read": len(report.failed),
    }
    shown = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
    return (
        f"{len(report.files)} files: {shown}; {report.documents} documents put in."
        if shown
        else "There are no files there."
    )


def exit_code(report: IngestReport) -> int:
    """0 when all went in, 3 when some could not be read, 1 when nothing could."""
    if not report.having("ingested", "replaced", "unchanged", "gone"):
        return 1
    return 3 if report.failed else 0
