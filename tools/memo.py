"""Pages that can be asked for again by condition: their validators (ETag, Last-Modified) and bodies, on disk.

A page that has not changed costs its owner a line instead of a page, and with some services nothing of a quota.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MOST = 2_000
"""Pages kept; beyond that the oldest quarter goes."""
LARGEST = 2_000_000


@dataclass(frozen=True)
class Remembered:
    """A page as it was last read."""

    headers: Mapping[str, str]
    body: bytes

    def conditions(self) -> dict[str, str]:
        """The request headers that ask for it only if it has changed (RFC 9110, 13.1)."""
        if tag := self.headers.get("etag"):
            return {"If-None-Match": tag}
        return {"If-Modified-Since": self.headers["last-modified"]}


class Memo:
    """One file per page. Anything wrong with a file means that the page is not remembered, no more."""

    def __init__(self, folder: Path, known: Callable[[str], str] = str) -> None:
        """A page in which `known`, which takes secrets out of a text, finds one is not kept."""
        self._folder, self._clean = folder, known
        self._kept = -1

    def get(self, url: str, accept: str) -> Remembered | None:
        """The page as last read, if it can be asked for by condition."""
        try:
            head, _, packed = self._path(url, accept).read_bytes().partition(b"\n")
            return Remembered(json.loads(head), zlib.decompress(packed))
        except (OSError, ValueError, zlib.error):
            return None

    def put(self, url: str, accept: str, headers: Mapping[str, str], body: bytes) -> None:
        """Keep a page that names a validator, is small enough and may be stored."""
        kept = {k: headers[k] for k in ("etag", "last-modified", "content-type") if k in headers}
        if not kept.keys() & {"etag", "last-modified"} or len(body) > LARGEST:
            return
        if "no-store" in headers.get("cache-control", "") or self._has_secret(body):
            return
        path = self._path(url, accept)
        with suppress(OSError):  # a full disk costs us the condition, not the page
            self._folder.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}")
            part.write_bytes(json.dumps(kept).encode() + b"\n" + zlib.compress(body, 3))
            part.replace(path)
            self._prune()

    def _has_secret(self, body: bytes) -> bool:
        text = body.decode("utf-8", "replace")
        return self._clean(text) != text

    def _prune(self) -> None:
        self._kept = self._kept + 1 if self._kept >= 0 else sum(1 for _ in self._folder.iterdir())
        if self._kept > MOST:
            oldest = sorted(self._folder.iterdir(), key=lambda p: p.stat().st_mtime)
            for path in oldest[: MOST // 4]:
                path.unlink(missing_ok=True)
            self._kept = -1

    def _path(self, url: str, accept: str) -> Path:
        return self._folder / hashlib.sha256(f"{accept} {url}".encode()).hexdigest()
