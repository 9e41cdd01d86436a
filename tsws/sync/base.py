"""What both sides last agreed on: the third way of a three-way comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import msgspec

from tsws.errors import FormatError
from tsws.io.atomic import write_bytes
from tsws.io.digest import digest_value
from tsws.plugin import Volume
from tsws.sync.step import Version

SCHEMA = 1
RACY_SECONDS = 2.0
"""The coarsest clock of a common file system (FAT: 2 s): a file that was written twice within it
may have two contents under one time, so the time of a file that young proves nothing."""


class Agreed(msgspec.Struct, frozen=True, kw_only=True):
    """One file when both sides agreed on it."""

    sha256: str
    size: int
    """In bytes."""
    mtime: float
    """Of the volume's file, in seconds since the epoch."""
    seen: float
    """When the volume was looked at, in seconds since the epoch."""

    def still_describes(self, size: int, mtime: float) -> bool:
        """Whether a file of the volume with this size and time surely has the digest that was agreed on."""
        return (size, mtime) == (self.size, self.mtime) and self._is_old_enough

    def says_no_less_than(self, other: Agreed) -> bool:
        """Whether learning ``other`` would tell nothing new."""
        same = (self.sha256, self.size, self.mtime) == (other.sha256, other.size, other.mtime)
        return same and (self._is_old_enough or not other._is_old_enough)

    @property
    def _is_old_enough(self) -> bool:
        return self.mtime + RACY_SECONDS < self.seen


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a workspace and one volume last agreed on; lives in ``.tsws/sync/<volume>.json``."""

    schema: int = SCHEMA
    volume: str = ""
    """Which place this is about (see :func:`identity`): after the volume moved, nothing was agreed on yet."""
    files: dict[str, Agreed] = {}

    @classmethod
    def load(cls, path: Path) -> Self:
        """The base in a file; an empty one when there is no file.

        Raises:
            FormatError: the file is damaged or from a newer version.
        """
        try:
            base = msgspec.json.decode(path.read_bytes(), type=cls)
        except FileNotFoundError:
            return cls()
        except msgspec.DecodeError as error:
            raise _unreadable(path, str(error)) from error
        if base.schema != SCHEMA:
            raise _unreadable(path, f"its schema is {base.schema}, and this version of tsws knows {SCHEMA}")
        return base

    def save(self, path: Path) -> None:
        """Write the file atomically."""
        write_bytes(path, msgspec.json.format(msgspec.json.encode(self, order="deterministic"), indent=1))

    def about(self, volume: Volume) -> Base:
        """This base when it is about ``volume``, else an empty one that is."""
        place = identity(volume)
        return self if self.volume == place else Base(volume=place)


def identity(volume: Volume) -> str:
    """A digest of what leads to a volume: its kind and its options."""
    return digest_value([volume.kind, msgspec.to_builtins(volume.options)])


def agreed_on(remote: Version, sha256: str, *, seen: float) -> Agreed:
    """A record that both sides now have the content ``sha256``.

    Args:
        remote: the volume's file.
        sha256: of the content.
        seen: when the volume was looked at, in seconds since the epoch.
    """
    return Agreed(sha256=sha256, size=remote.size, mtime=remote.mtime, seen=seen)


def _unreadable(path: Path, why: str) -> FormatError:
    return FormatError(
        f"the record of the last sync, {path}, can not be read: {why}",
        hint="remove the file: the next sync then compares both sides as if for the first time, and loses nothing",
    )
