"""A download that is not finished: its bytes, and a note of what they are a part of."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Self

import msgspec

from tsws.io.atomic import write_bytes
from tsws.io.digest import CHUNK, digest_value
from tsws.sync.step import Version

MARK_BYTES = 8 << 20
"""Bytes between marks. Bytes before a mark were synced to the disk, so they are there even after a loss of power;
a transfer that dies repeats this much at most."""


class _Note(msgspec.Struct, frozen=True, kw_only=True):
    size: int
    mtime: float
    sha256: str | None
    """Size, time and digest of the whole file on the volume, which has to be the same one to go on."""
    done: int
    """Bytes that are surely on the disk."""


class Partial:
    """The unfinished copy of one file of a volume, open to go on. Use it as a context manager.

    Args:
        folder: where unfinished files lie; on the file system of the workspace.
        volume: which place (:func:`tsws.sync.base.identity`).
        path: of the file on the volume.
        remote: the file as it is there now; what was begun of another version is thrown away.
        sha256: of the whole file, when the volume itself says it.
    """

    def __init__(self, folder: Path, volume: str, path: str, remote: Version, sha256: str | None) -> None:
        stem = f"sync-{digest_value([volume, path])[:32]}"
        self.path = folder / f"{stem}.part"
        self._note_path = folder / f"{stem}.json"
        self._remote = remote
        self._sha256 = sha256
        self._digest = hashlib.sha256()
        self.done = 0
        """Bytes received so far."""
        folder.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        self._file = self.path.open("r+b")
        self._resume()
        self._marked = self.done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.path.exists():
            self._mark()
        self._file.close()

    def write(self, chunk: bytes) -> None:
        """Append a piece."""
        self._file.write(chunk)
        self._digest.update(chunk)
        self.done += len(chunk)
        if self.done - self._marked >= MARK_BYTES:
            self._mark()

    def finish(self) -> str:
        """Complete the bytes on the disk; their hex SHA-256."""
        self._mark()
        return self._digest.hexdigest()

    def discard(self) -> None:
        """Remove the copy, or the note about one that was published."""
        self._note_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _resume(self) -> None:
        try:
            note = msgspec.json.decode(self._note_path.read_bytes(), type=_Note)
        except (FileNotFoundError, msgspec.DecodeError):
            note = None
        if note is not None and note == self._note(note.done):
            while self.done < note.done and (chunk := self._file.read(min(CHUNK, note.done - self.done))):
                self._digest.update(chunk)
                self.done += len(chunk)
        self._file.truncate(self.done)
        self._file.seek(self.done)

    def _mark(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        write_bytes(self._note_path, msgspec.json.encode(self._note(self.done)))
        self._marked = self.done

    def _note(self, done: int) -> _Note:
        return _Note(size=self._remote.size, mtime=self._remote.mtime, sha256=self._sha256, done=done)
