"""Small files on a Modal volume, as the server has them now: for clients, and for containers that must not trust their mount.

A container's mount shows the volume as it was when the container started, or last reloaded; what is read here is what was
committed last, by whomever.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import modal


@dataclass(frozen=True)
class Listed:
    """A file in a listing."""

    size: int
    mtime: float
    """Seconds since the epoch."""


class VolumeFiles:
    """The files of a volume, by paths relative to its root. What Modal refuses is raised as its client raises it.

    Args:
        open_volume: gives the volume; asked at first use, so that making one costs nothing.
    """

    def __init__(self, open_volume: Callable[[], modal.Volume]) -> None:
        self._open = open_volume
        self._volume: modal.Volume | None = None

    @property
    def volume(self) -> modal.Volume:
        """As Modal's client has it."""
        if self._volume is None:
            self._volume = self._open()
        return self._volume

    def list(self, folder: str, *, deep: bool = False) -> dict[str, Listed]:
        """The files in a folder (with ``deep`` below it, too), by their paths relative to it. One that is not there is empty."""
        from modal.exception import NotFoundError
        from modal.types import FileEntryType

        try:
            entries = self.volume.listdir(f"/{folder}", recursive=deep)
        except (NotFoundError, FileNotFoundError):
            return {}
        start = f"{folder}/"
        return {
            entry.path.lstrip("/").removeprefix(start): Listed(entry.size, float(entry.mtime))
            for entry in entries
            if entry.type == FileEntryType.FILE
        }

    def read(self, path: str) -> bytes | None:
        """All of a file; None when there is none."""
        from modal.exception import NotFoundError

        try:
            return b"".join(self.volume.read_file(path))
        except (NotFoundError, FileNotFoundError):
            return None

    def put(self, path: str, data: bytes) -> None:
        """Write a file, over whatever is there."""
        with self.volume.batch_upload(force=True) as batch:
            batch.put_file(io.BytesIO(data), f"/{path}")

    def create(self, path: str, data: bytes) -> bool:
        """Write a file that must not be there; False when it is. Of two who try at once, one succeeds."""
        from modal.exception import AlreadyExistsError

        try:
            with self.volume.batch_upload() as batch:
                batch.put_file(io.BytesIO(data), f"/{path}")
        except (FileExistsError, AlreadyExistsError):
            return False
        return True
