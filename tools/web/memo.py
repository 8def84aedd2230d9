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
_VALIDATORS = ("etag", "last-modified")


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
            headers, body = json.loads(head), zlib.decompress(packed)
        except (OSError, ValueError, zlib.error):
            return None
        sound = (
            isinstance(headers, dict) and headers.keys() & set(_VALIDATORS) and all(map(_sendable, headers.values()))
        )
        return Remembered(headers, body) if sound else None

    def put(self, url: str, accept: str, headers: Mapping[str, str], body: bytes) -> None:
        """Keep a page that names a validator, is small enough and may be stored."""
        kept = {k: headers[k] for k in (*_VALIDATORS, "content-type") if _sendable(headers.get(k))}
        if not kept.keys() & set(_VALIDATORS) or len(body) > LARGEST:
            return
        if "no-store" in headers.get("cache-control", "").lower() or self._has_secret(json.dumps(kept), body):
            return
        path = self._path(url, accept)
        with suppress(OSError):  # a full disk costs us the condition, not the page
            self._folder.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}")
            part.write_bytes(json.dumps(kept).encode() + b"\n" + zlib.compress(body, 3))
            part.replace(path)
            self._prune()

    def _has_secret(self, kept: str, body: bytes) -> bool:
        text = kept + body.decode("utf-8", "replace")
        return self._clean(text) != text

    def _prune(self) -> None:
        self._kept = self._kept + 1 if self._kept >= 0 else sum(1 for _ in self._folder.iterdir())
        if self._kept > MOST:
            # Counted anew: what was written over counted twice, and other processes write and prune as well.
            found = sorted(self._folder.iterdir(), key=lambda p: p.stat().st_mtime)
            doomed = found[: MOST // 4] if len(found) > MOST else []
            for path in doomed:
                path.unlink(missing_ok=True)
            self._kept = len(found) - len(doomed)

    def _path(self, url: str, accept: str) -> Path:
        return self._folder / hashlib.sha256(f"{accept} {url}".encode()).hexdigest()


def _sendable(value: object) -> bool:
    """Whether a header's value can be sent back: some servers name validators that are no ASCII."""
    return isinstance(value, str) and value.isascii() and value.isprintable()
