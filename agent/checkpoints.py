"""The checkpoint saver: LangGraph's SQLite saver on a connection of ours, reading back only types of ours."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import aiosqlite
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from pydantic import BaseModel
from typing_extensions import override

from agent import records
from agent.settings import load_settings
from agent.store.database import translated
from tools import base

NAME = Path("checkpoints.db")


def serializer() -> JsonPlusSerializer:
    """Strict msgpack: a checkpoint can bring back the records of this project and plain values, and can run nothing."""
    allowed = [
        (module.__name__, name)
        for module in (records, base)
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__ and issubclass(kind, BaseModel | Enum)
    ]
    return JsonPlusSerializer(allowed_msgpack_modules=allowed)


class Saver(AsyncSqliteSaver):
    """LangGraph's saver, whose refusals are ours: a run waits out a full disk, where any other exception would end it."""

    @override
    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        with translated(NAME):
            return await super().aget_tuple(config)

    @override
    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        with translated(NAME):
            return await super().aput(config, checkpoint, metadata, new_versions)

    @override
    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        with translated(NAME):
            await super().aput_writes(config, writes, task_id, task_path)


@asynccontextmanager
async def open_saver(
    path: Path, *, synchronous: str = "NORMAL", busy_timeout: float = 30.0
) -> AsyncIterator[AsyncSqliteSaver]:
    """The saver on `path`, closed at the end. Raises StoreError."""
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = await aiosqlite.connect(path, timeout=busy_timeout)
    try:
        with translated(path):
            await connection.execute("pragma journal_mode = wal")
            await connection.execute(f"pragma synchronous = {synchronous}")
            saver = Saver(connection, serde=serializer())
            await saver.setup()
        yield saver
    finally:
        await connection.close()


@asynccontextmanager
async def saver() -> AsyncIterator[AsyncSqliteSaver]:
    """The saver for LangGraph Studio, named in langgraph.json: the same file and rules as the server's."""
    settings = load_settings()
    path, busy = settings.data_dir / NAME, settings.busy_timeout
    async with open_saver(path, synchronous=settings.synchronous, busy_timeout=busy) as opened:
        yield opened


async def prune(saver: AsyncSqliteSaver, thread_id: str, keep: int) -> None:
    """Drop all but the newest `keep` checkpoints of a thread; the saver itself never forgets anything."""
    kept = "(select checkpoint_id from checkpoints where thread_id = ? order by checkpoint_id desc limit ?)"
    with translated(NAME):
        for table in ("writes", "checkpoints"):
            sql = f"delete from {table} where thread_id = ? and checkpoint_id not in {kept}"  # noqa: S608 - two fixed names
            await saver.conn.execute(sql, (thread_id, thread_id, keep))
        await saver.conn.commit()
