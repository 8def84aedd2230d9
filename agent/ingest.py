"""Files and folders into the document store. An unreadable file is named with the reason and never stops the others."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from agent.errors import IngestError
from agent.readers import READERS, Contents, read
from agent.records import Document, content_id
from agent.rows import Reading
from agent.store.documents import DocumentStore, FileRecord
from tools.base import FieldQuote, Frozen

MAX_BYTES = 50_000_000
STARTER = Path(__file__).parent / "catalogue" / "starter" / "facts"
STARTER_PREFIX = "starter/"
STARTER_LICENCE = "fact note; see url"


class FileResult(Frozen):
    """What became of one file."""

    path: str
    status: Literal["ingested", "replaced", "unchanged", "failed", "skipped", "gone"]
    documents: int = 0
    reason: str = ""
    problems: tuple[str, ...] = ()
    """Parts of a file that could not be read although the rest was."""


class IngestReport(Frozen):
    """What became of every file, in the order they were taken."""

    files: tuple[FileResult, ...] = ()

    def having(self, *status: str) -> tuple[FileResult, ...]:
        """The files that ended so."""
        return tuple(f for f in self.files if f.status in status)

    @property
    def documents(self) -> int:
        """Documents that were put in."""
        return sum(f.documents for f in self.having("ingested", "replaced"))

    @property
    def failed(self) -> tuple[FileResult, ...]:
        """The files that could not be read, each with its reason."""
        return self.having("failed")


class Removed(Frozen):
    """What was erased of one path or document id."""

    name: str
    documents: int


Progress = Callable[[FileResult], None]


@dataclass(frozen=True)
class _Look:
    """A file as it was found: its record, and its contents unless they are known already."""

    record: FileRecord
    contents: Contents | None = None


@dataclass(frozen=True)
class _Shelf:
    """Where documents of a load belong."""

    source: str
    licence: str = ""


async def ingest(
    paths: Iterable[Path | str], store: DocumentStore, on_progress: Progress | None = None
) -> IngestReport:
    """Put files, and the files in folders, into the store and its index; unchanged ones are skipped, changed replace.

    What an earlier ingest took from these folders and is no longer there leaves the index; so does the old place of a file
    that was moved here from elsewhere.
    Raises StoreError when the database refuses, and nothing for a file that cannot be read: that is in the report.
    """
    asked = [Path(p) for p in paths]
    targets, results = await asyncio.to_thread(_expand, asked)
    for result in results:
        _tell(on_progress, result)
    known = await store.files()
    for path, key in targets:
        result = await _take(path, key, known, store, _Shelf("documents"))
        results.append(result)
        _tell(on_progress, result)
    folders = [_full(p) for p in asked if p.is_dir()]
    for key in await asyncio.to_thread(_gone, known, await store.files(), folders):
        results.append(FileResult(path=key, status="gone", documents=await store.drop_file(key)))
        _tell(on_progress, results[-1])
    return IngestReport(files=tuple(results))


async def remove(names: Iterable[Path | str], store: DocumentStore) -> list[Removed]:
    """Erase files, all files that came from folders, or single documents by id: texts, passages and evidence.

    A name of which the store knows nothing comes back with no documents and, as the only one, with itself as its name.
    """
    removed: list[Removed] = []
    for name in names:
        known = [*await store.files(), *await store.past_paths()]
        key = await asyncio.to_thread(_full, Path(name))
        mine = sorted({path for path in known if path in (key, str(name)) or _is_under(path, key)})
        for path in mine:
            removed.append(Removed(name=path, documents=await store.remove(path)))
        if not mine:
            removed.append(Removed(name=str(name), documents=await store.remove(str(name))))
    return removed


def _gone(old: dict[str, FileRecord], now: dict[str, FileRecord], folders: Sequence[str]) -> list[str]:
    """Files that are no longer there: those under the folders, and the former places of what is new."""
    arrived = {record.sha256 for path, record in now.items() if path not in old and record.sha256}
    found = []
    for path, record in old.items():
        mine = any(_is_under(path, folder) for folder in folders) or record.sha256 in arrived
        if mine and not path.startswith(STARTER_PREFIX) and _is_missing(path):
            found.append(path)
    return sorted(found)


def _is_under(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _is_missing(path: str) -> bool:
    """Whether there is surely no such file; one that cannot be looked at may be there."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


async def load_starter(store: DocumentStore, on_progress: Progress | None = None) -> IngestReport:
    """Put the fact notes that come with Dossier into the store. Takes milliseconds when they are there already."""
    known = await store.files()
    results = []
    names = set()
    for path in await asyncio.to_thread(lambda: sorted(STARTER.glob("*.jsonl"))):
        # The name, not the path, so that another checkout or an upgrade replaces instead of doubling.
        name = f"{STARTER_PREFIX}{path.name}"
        names.add(name)
        results.append(await _take(path, name, known, store, _Shelf("starter", STARTER_LICENCE)))
        _tell(on_progress, results[-1])
    for name in known:
        if name.startswith(STARTER_PREFIX) and name not in names:
            await store.remove(name)
    return IngestReport(files=tuple(results))


async def unload_starter(store: DocumentStore) -> int:
    """Take the fact notes out again (DOSSIER_STARTER_LIBRARY=false). Returns how many documents went."""
    names = [name for name in await store.files() if name.startswith(STARTER_PREFIX)]
    return sum([await store.remove(name) for name in names])


def _tell(on_progress: Progress | None, result: FileResult) -> None:
    if on_progress is not None:
        on_progress(result)


def _expand(paths: Sequence[Path]) -> tuple[list[tuple[Path, str]], list[FileResult]]:
    """The files to read, sorted, each once, with their full paths; what cannot be walked or read comes as a result."""
    files: dict[Path, None] = {}
    results: list[FileResult] = []
    for path in paths:
        if not path.is_dir():
            files[path] = None
            continue

        def refused(error: OSError) -> None:
            results.append(FileResult(path=str(error.filename), status="failed", reason=_why(error)))

        for folder, folders, names in os.walk(path, onerror=refused):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            for found in (Path(folder, name) for name in sorted(names) if not name.startswith(".")):
                if found.suffix.casefold() in READERS:
                    files[found] = None
                else:
                    reason = f"files of type {found.suffix or '(none)'} are not read"
                    results.append(FileResult(path=str(found), status="skipped", reason=reason))
    return [(path, _full(path)) for path in files], results


def _full(path: Path) -> str:
    try:
        return str(path.resolve())
    except (OSError, ValueError, RuntimeError):  # a loop of links, a NUL: reading it will say so
        return str(path)


async def _take(path: Path, key: str, known: dict[str, FileRecord], store: DocumentStore, shelf: _Shelf) -> FileResult:
    old = known.get(key)
    try:
        look = await asyncio.to_thread(_look, path, key, old)
    except IngestError as exc:
        kept = " (its earlier text is kept)" if old and old.documents else ""
        if await asyncio.to_thread(os.path.lexists, path):
            record = FileRecord(path=key, size=0, mtime_ns=0, sha256="", ingested_at=_now(), error=exc.message)
            await store.note_file(record)
        return FileResult(path=str(path), status="failed", reason=exc.message + kept)
    if look.contents is None:
        if old is not None and look.record != old:
            await store.note_file(look.record)
        return FileResult(path=str(path), status="unchanged", documents=len(old.documents) if old else 0)
    documents, fields, authors = await asyncio.to_thread(_documents, look, path, shelf)
    await store.put_file(look.record, documents, fields, authors)
    status: Literal["ingested", "replaced"] = "replaced" if old and old.documents else "ingested"
    return FileResult(path=str(path), status=status, documents=len(documents), problems=tuple(look.contents.problems))


def _look(path: Path, key: str, old: FileRecord | None) -> _Look:
    """Stat, then hash, then read: each step only when the one before could not tell."""
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise IngestError("it is not a regular file")
        if info.st_size > MAX_BYTES:
            raise IngestError(f"it is larger than {MAX_BYTES // 1_000_000} MB; split it")
        if info.st_size == 0:
            raise IngestError("it is empty")
        good = old if old is not None and not old.error else None
        if good is not None and (good.size, good.mtime_ns) == (info.st_size, info.st_mtime_ns):
            return _Look(good)
        data = path.read_bytes()
    except OSError as exc:
        raise IngestError(_why(exc)) from exc
    except ValueError as exc:  # a path with a NUL in it
        raise IngestError("its path is not a path") from exc
    digest = hashlib.sha256(data).hexdigest()
    record = FileRecord(
        path=key, size=len(data), mtime_ns=info.st_mtime_ns, sha256=digest, ingested_at=_now(),
        documents=good.documents if good else (),
    )  # fmt: skip
    return _Look(record, None if good is not None and good.sha256 == digest else read(path, data))


def _documents(
    look: _Look, path: Path, shelf: _Shelf
) -> tuple[list[Document], dict[str, list[FieldQuote]], dict[str, str]]:
    """Readings as documents; notes with the same words and address become one document that fills several fields."""
    documents: dict[str, Document] = {}
    fields: dict[str, list[FieldQuote]] = {}
    authors: dict[str, str] = {}
    for reading in look.contents.readings if look.contents else ():
        document = _document(reading, path, shelf, look.record.ingested_at)
        if document.text.strip():
            documents.setdefault(document.id, document)
            fields.setdefault(document.id, []).extend(reading.fields)
            authors.setdefault(document.id, reading.author)
    return list(documents.values()), fields, authors


def _document(reading: Reading, path: Path, shelf: _Shelf, moment: datetime) -> Document:
    place = f"#page={reading.page}" if reading.page else f"#row={reading.row}" if reading.row else ""
    url = reading.url or path.resolve().as_uri() + place
    return Document(
        id=content_id(shelf.source, url, reading.text),
        url=url,
        title=reading.title or path.stem,
        text=reading.text,
        source=shelf.source,
        origin=reading.origin or "local file",
        licence=shelf.licence or reading.licence or "supplied by the user of this deployment",
        about=reading.about,
        published_at=reading.published_at,
        retrieved_at=reading.retrieved_at or moment,
    )


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, PermissionError):
        return "permission denied"
    return (error.strerror or type(error).__name__).lower()


def _now() -> datetime:
    return datetime.now(UTC)
