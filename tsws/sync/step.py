"""The values of a sync: what a file is on one side, and what is to become of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Change(enum.Enum):
    """What a sync does with one path."""

    PUSH = "push"
    """The volume gets the file that is here."""
    PULL = "pull"
    """The workspace gets the file that is there."""
    SAME = "same"
    """Nothing to transfer."""
    CONFLICT = "conflict"
    """Either way would lose a change: a person decides."""
    GONE_HERE = "gone-here"
    """Removed here since the last sync; it stays on the volume."""
    GONE_THERE = "gone-there"
    """Removed on the volume since the last sync; it stays here."""
    DELETE_HERE = "delete-here"
    """Removed on the volume, so it is removed here too: only when asked for."""
    DELETE_THERE = "delete-there"
    """Removed here, so it is removed on the volume too: only when asked for."""
    FORGET = "forget"
    """Removed on both sides: only the memory of it goes."""


TRANSFERS = frozenset({Change.PUSH, Change.PULL, Change.DELETE_HERE, Change.DELETE_THERE})
"""The changes that change a file on a side."""


@dataclass(frozen=True)
class Version:
    """A file as it is on one side."""

    size: int
    """In bytes."""
    mtime: float
    """Seconds since the epoch."""
    sha256: str | None
    """None on a volume's side when nobody had to know it: the file then surely differs from here and from the base."""


@dataclass(frozen=True)
class Step:
    """What a sync does with one path, and why."""

    path: str
    """Relative to the workspace and to the volume, with ``/``."""
    change: Change
    reason: str
    local: Version | None
    """The file here when the plan was made."""
    remote: Version | None
    """The file on the volume when the plan was made."""

    @property
    def size(self) -> int:
        """Bytes to transfer; 0 where nothing is."""
        source = {Change.PUSH: self.local, Change.PULL: self.remote}.get(self.change)
        return source.size if source else 0
