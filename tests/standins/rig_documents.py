"""Drives the `documents` source: a real store, and an index that fails on demand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from agent.records import Document, content_id
from agent.store.documents import DocumentStore
from tests.standins.registry import Failing, Rig
from tools.base import FailureKind, FieldQuote, Look, Passage, SourceEnv
from tools.documents import DocumentsArgs, DocumentsSource

TEXT = "Acme Corp. appointed Wei Zhang as Chief Technology Officer on March 3, 2026. The company sells anvils."


class _Index:
    """The store's index, unless it is told to fail."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self.behaviour = "ok"

    async def search(
        self,
        query: str,
        *,
        about: Sequence[str] = (),
        limit: int = 10,
        datasets: Sequence[str] = (),
        looks: Sequence[Look] = (),
    ) -> Sequence[Passage]:
        if self.behaviour == "refuses":
            raise RuntimeError("the disk is full")
        words = "zebra quagga" if self.behaviour == "empty" else query
        return await self._store.search(words, about=about, limit=limit, datasets=datasets, looks=looks)

    async def origins(self) -> Sequence[str]:
        return await self._store.origins()

    async def revision(self) -> int:
        return await self._store.revision()


class DocumentsRig(Rig):
    """No HTTP at all, and nothing to hang on."""

    failures = (Failing("refuses", FailureKind.INTERNAL, "nothing"),)
    requests_per_fetch = 0

    def __init__(self, index: _Index) -> None:
        self._index = index
        self.source = DocumentsSource(SourceEnv(index=index))
        self.good = DocumentsArgs(query="Acme chief technology officer", about="Acme")

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path) -> AsyncIterator[Rig]:
        """A store with one fact note."""
        store = DocumentStore(folder / "documents.db")
        note = Document(
            id=content_id("documents", "https://acme.example/news", TEXT),
            url="https://acme.example/news",
            title="Acme news",
            text=TEXT,
            source="documents",
            about="Acme Corp.",
            licence="for tests",
            retrieved_at=datetime(2026, 11, 1, tzinfo=UTC),
        )
        who = FieldQuote(
            dataset="leadership", field="people", quote=TEXT.split(". The")[0], value=[{"name": "Wei Zhang"}]
        )
        await store.put([note], index=True, fields={note.id: [who]})
        try:
            yield cls(_Index(store))
        finally:
            store.close()

    def behave(self, name: str) -> None:
        self._index.behaviour = name

    @property
    def requests(self) -> int:
        return 0


RIGS = {"documents": DocumentsRig}
