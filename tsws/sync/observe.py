"""What both sides hold now."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tsws.errors import FormatError, VolumeError
from tsws.io.digest import sha256_file
from tsws.io.paths import inside, is_relative_inside
from tsws.plugin import FileStat, Volume
from tsws.sync.base import Agreed, Base
from tsws.sync.patterns import Selection
from tsws.sync.remote_digest import sha256_of_remote
from tsws.sync.step import Version

WORKERS = 4
"""Files that are read at once: enough to keep a disk or a line busy."""


def observe_local(root: Path, selection: Selection) -> dict[str, Version]:
    """The selected files of a workspace, each read for its digest.

    Links that lead out of the workspace are not followed.
    """
    paths = local_paths(root, selection)
    with ThreadPoolExecutor(WORKERS) as pool:
        versions = pool.map(lambda path: local_version(root, path), paths)
        return {path: version for path, version in zip(paths, versions, strict=True) if version is not None}


def local_paths(root: Path, selection: Selection) -> list[str]:
    """The names that a selection may find in a workspace; a name without globs need not exist."""
    return [path for path in dict.fromkeys(_paths(root, selection)) if path in selection]


def local_version(root: Path, path: str) -> Version | None:
    """One file of a workspace; None when there is no regular file inside it."""
    try:
        target = inside(root, path)
        status = target.stat()
        if not stat.S_ISREG(status.st_mode):
            return None
        return Version(status.st_size, status.st_mtime, sha256_file(target))
    except (FormatError, FileNotFoundError, NotADirectoryError):
        return None


def observe_remote(volume: Volume, selection: Selection, local: dict[str, Version], base: Base) -> dict[str, Version]:
    """The selected files of a volume. They are read only where nothing else tells whether they changed.

    Raises:
        VolumeError: it can not be reached, or it names a file that no folder can hold safely.
    """
    stats = {found.path: found for found in _stats(volume, selection) if found.path in selection}

    def version(found: FileStat) -> Version:
        sha256 = found.sha256 or _known_or_read(volume, found, local.get(found.path), base.files.get(found.path))
        return Version(found.size, found.mtime, sha256)

    with ThreadPoolExecutor(WORKERS) as pool:
        return dict(zip(stats, pool.map(version, stats.values()), strict=True))


def _known_or_read(volume: Volume, found: FileStat, local: Version | None, agreed: Agreed | None) -> str | None:
    if agreed is not None and agreed.still_describes(found.size, found.mtime):
        return agreed.sha256
    sizes = {known.size for known in (local, agreed) if known is not None}
    return sha256_of_remote(volume, found) if found.size in sizes else None


def _paths(root: Path, selection: Selection) -> Iterator[str]:
    for start in selection.starts():
        top = root / start
        if start and not top.is_dir():
            yield start
            continue
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                yield (Path(folder) / name).relative_to(root).as_posix()


def _stats(volume: Volume, selection: Selection) -> Iterator[FileStat]:
    for start in selection.starts():
        found = volume.stat(start) if start else None
        if found is not None:
            yield found
            continue
        for listed in volume.list(f"{start}/" if start else ""):
            if not is_relative_inside(listed.path):
                raise VolumeError(
                    f"volume {volume.name} names a file {listed.path!r}, which leads out of every folder",
                    hint="nothing was transferred; look at who writes to this volume",
                )
            yield listed
