"""A download that is not finished: its bytes, and a note of what they are.

Bytes count only up to the last *mark*: there they were synced to the disk, and their digest was noted. So what
a later process continues from is what was received, also when the machine lost its power in between.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Self

import msgspec

from tsws.io.atomic import write_bytes
from tsws.io.digest import CHUNK, sha256_bytes
from tsws.plugin import Origin

MARK_BYTES = 8 << 20
"""Bytes between marks: a killed download repeats this much at most."""
MARK_SECONDS = 5.0
"""Seconds between marks, for slow lines."""


class _Note(msgspec.Struct, frozen=True, kw_only=True):
    uri: str
    url: str
    version: str | None
    size: int | None
    done: int
    """How many bytes are proven."""
    sha256: str
    """Of the proven bytes."""


class Partial:
    """The unfinished file of one URI, open for going on. Use it as a context manager.

    Args:
        folder: where unfinished files lie.
        uri: whose file it is.
    """

    def __init__(self, folder: Path, uri: str) -> None:
        stem = _stem(uri)
        self.path = folder / f"{stem}.part"
        self._note_path = folder / f"{stem}.json"
        self.done = 0
        """Bytes received so far."""
        self.resumed = False
        """Whether some of the bytes are from an earlier transfer."""
        self._origin: Origin | None = None
        self._digest = hashlib.sha256()
        self._marked = 0
        self._marked_at = time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        # Unbuffered: what could not be written must not be tried again when the file is closed.
        self._file = self.path.open("r+b", buffering=0)

    @staticmethod
    def lock_path(folder: Path, uri: str) -> Path:
        """The file to lock while one process (or thread) works on a URI."""
        return folder / f"{_stem(uri)}.lock"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        """Hex digest of the bytes received so far."""
        return self._digest.hexdigest()

    def continue_from(self, origin: Origin) -> None:
        """Keep what is proven to be a beginning of ``origin``, and drop the rest."""
        # Without a version nothing but the digest at the end tells whether the two parts fit together.
        provable = origin.version is not None or origin.sha256 is not None
        if provable and self._origin == origin and self.done == self._marked:
            self.resumed = self.done > 0
            return  # this process has just marked these very bytes: no need to read them again
        self._origin = origin
        note = self._read_note()
        same = note is not None and (note.version, note.size) == (origin.version, origin.size)
        if note is None or not same or not provable or not self._rehash(note):
            self.restart()

    def restart(self) -> None:
        """Drop everything."""
        self._cut_to(0, hashlib.sha256())
        self.resumed = False

    def write(self, chunk: bytes) -> None:
        """Append bytes.

        Raises:
            OSError: the disk is full...
        """
        rest = memoryview(chunk)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._digest.update(chunk)
        self.done += len(chunk)

    def is_mark_due(self) -> bool:
        """Whether enough bytes or time have passed since the last mark."""
        new = self.done - self._marked
        return new >= MARK_BYTES or (new > 0 and time.monotonic() - self._marked_at >= MARK_SECONDS)

    def mark(self, origin: Origin) -> None:
        """Make everything received so far count.

        Raises:
            OSError: the disk is full...
        """
        os.fsync(self._file.fileno())
        note = _Note(
            uri=origin.uri,
            url=origin.url,
            version=origin.version,
            size=origin.size,
            done=self.done,
            sha256=self.sha256,
        )
        write_bytes(self._note_path, msgspec.json.encode(note))
        self._marked = self.done
        self._marked_at = time.monotonic()

    def remove(self) -> None:
        """Forget the download: what was received, and the note."""
        self._note_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _read_note(self) -> _Note | None:
        try:
            return msgspec.json.decode(self._note_path.read_bytes(), type=_Note)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _rehash(self, note: _Note) -> bool:
        """Take up the bytes that a note speaks of; False when they are not what it says."""
        digest = hashlib.sha256()
        left = note.done
        self._file.seek(0)
        while left > 0 and (chunk := self._file.read(min(CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
        if left or digest.hexdigest() != note.sha256:
            return False
        self._cut_to(note.done, digest)
        self.resumed = note.done > 0
        return True

    def _cut_to(self, size: int, digest: hashlib._Hash) -> None:
        self._file.seek(size)
        self._file.truncate()
        self._digest = digest
        self.done = self._marked = size
        self._marked_at = time.monotonic()


def _stem(uri: str) -> str:
    return sha256_bytes(uri.encode())[:32]
