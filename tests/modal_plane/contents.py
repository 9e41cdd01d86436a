"""The plane's bytes: files named by their SHA-256, never changed and never removed while the plane lives.

So whoever began to read a version of a file reads that version to its end, and nothing that arrived once has to be sent again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO, Self

from tests.modal_plane.state import State

CHUNK = 1 << 18


class Contents:
    """Pieces of files, and whole ones."""

    def __init__(self, plane: State) -> None:
        self._folder = plane.folder / "contents"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._arriving = plane.new_id
        self.empty = self.add(b"")

    def __contains__(self, sha256: str) -> bool:
        return self.path(sha256).exists()

    def path(self, sha256: str) -> Path:
        """Where the bytes with a digest (hex) lie."""
        return self._folder / sha256

    def add(self, data: bytes) -> str:
        """Keep some bytes; their digest."""
        with self.incoming() as incoming:
            incoming.write(data)
        return incoming.sha256

    def incoming(self) -> Incoming:
        """Bytes that arrive one after another."""
        return Incoming(self._folder, self._arriving("arriving"))


class Incoming:
    """A context manager: what was written to it is kept if the block ends without an error, else forgotten."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._temporary = folder / name
        self._file: BinaryIO
        self._sha256, self._md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        self.size = 0

    @property
    def sha256(self) -> str:
        """In hex, of what came so far."""
        return self._sha256.hexdigest()

    @property
    def md5(self) -> str:
        """In hex, of what came so far."""
        return self._md5.hexdigest()

    def write(self, data: bytes) -> None:
        """Append."""
        self._file.write(data)
        self._sha256.update(data)
        self._md5.update(data)
        self.size += len(data)

    def __enter__(self) -> Self:
        self._file = self._temporary.open("xb")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._temporary.replace(self._folder / self.sha256)
        else:
            self._temporary.unlink()
