"""What was last seen of the files on a volume that does not lie on this machine: enough to say whether a sync has anything to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from tsws.errors import VolumeError
from tsws.io.atomic import write_bytes
from tsws.plugin import FileStat, Volume
from tsws.sync import Base
from tsws.sync.remote_digest import sha256_of_remote


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A volume as it was last seen."""

    exists: bool
    files: list[FileStat]


class SeenVolume(Volume):
    """Stands for a volume while a plan compares: lists what was seen, and can be read by nobody.

    Args:
        volume: the volume itself.
        seen: what was seen of it.
    """

    kind = "seen"

    def __init__(self, volume: Volume, seen: Seen) -> None:
        super().__init__(volume.name, volume.options, volume.base)
        self.kind = volume.kind  # type: ignore[misc]  # what was agreed on with that volume was agreed on with this one
        self._exists = seen.exists
        self._files = {found.path: found for found in seen.files}

    def exists(self) -> bool:
        return self._exists

    def list(self, prefix: str = "") -> Iterator[FileStat]:
        return iter([found for path, found in sorted(self._files.items()) if path.startswith(prefix)])

    def stat(self, path: str) -> FileStat | None:
        return self._files.get(path)

    def read(self, path: str, offset: int = 0) -> Iterator[bytes]:  # noqa: ARG002
        raise VolumeError(f"volume {self.name}: {path} was seen, not read")

    def write(self, path: str, chunks: Iterable[bytes]) -> FileStat:  # noqa: ARG002
        raise VolumeError(f"volume {self.name}: {path} is not for a plan to write")

    def remove(self, path: str) -> None:
        raise VolumeError(f"volume {self.name}: {path} is not for a plan to remove")


def keep_seen(root: Path, volume: Volume, files: Iterable[FileStat], base: Base) -> None:
    """Keep what a volume holds, for the next plans.

    A file of which its time alone does not tell whether it is the one that was agreed on is read once, now.

    Args:
        root: the workspace.
        volume: reachable.
        files: everything on it.
        base: what was agreed on with it last.

    Raises:
        VolumeError: it can not be reached.
    """
    agreed = base.about(volume).files
    seen: list[FileStat] = []
    for found in files:
        known = agreed.get(found.path)
        doubtful = known is not None and known.size == found.size and not known.still_describes(found.size, found.mtime)
        sha256 = sha256_of_remote(volume, found) if doubtful and found.sha256 is None else found.sha256
        seen.append(FileStat(found.path, found.size, found.mtime, sha256))
    exists = bool(seen) or volume.exists()
    write_bytes(_path(root, volume.name), msgspec.json.encode(Seen(exists=exists, files=seen)))


def seen_volume(root: Path, volume: Volume) -> SeenVolume | None:
    """A volume as it was last seen; None when it never was."""
    try:
        seen = msgspec.json.decode(_path(root, volume.name).read_bytes(), type=Seen)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return SeenVolume(volume, seen)


def _path(root: Path, volume: str) -> Path:
    return root / ".tsws" / "volumes" / f"{volume}.seen.json"
