"""Unpacking archives from strangers.

Only folders and regular files come out, with ordinary permissions, under names that stay inside. A link becomes a
copy of the file it points at, so nothing that was unpacked can later lead anywhere else.
"""

from __future__ import annotations

import io
import lzma
import os
import shutil
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

from tsws.errors import FormatError
from tsws.io.archive_formats import CountingFile, Progress, decompressed, unpack_tar, unpack_zip
from tsws.io.archive_staging import Staging
from tsws.io.atomic import TEMPORARY_SUFFIX, sync_folder
from tsws.io.digest import CHUNK
from tsws.io.paths import inside

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst")
SINGLE_SUFFIXES = (".gz", ".xz", ".bz2")
SUFFIXES = (*TAR_SUFFIXES, ".zip", *SINGLE_SUFFIXES)
"""What the name of an archive ends with: longer endings come before the shorter ones that they end with."""

_DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
    # What the standard library's readers let slip when headers are nonsense:
    *(ValueError, LookupError, ArithmeticError, RuntimeError, struct.error),
)


def is_archive(name: str) -> bool:
    """Whether :func:`unpack` knows what to do with a file of this name."""
    return name.lower().endswith(SUFFIXES)


def unpack(archive: Path, folder: Path, *, progress: Progress | None = None) -> list[Path]:
    """Unpack an archive into a folder, in constant memory.

    Everything is unpacked beside ``folder`` first and appears in it only when the whole archive proved sound; a kill leaves
    a folder that ends in ``.tsws-tmp``, which the next call replaces. Files that stand in ``folder`` and are not in the
    archive stay.

    Args:
        archive: a file whose name ends with one of :data:`SUFFIXES`; one that is compressed but no tar gives one file,
            called as the archive without the ending.
        folder: where to; made when missing.
        progress: hears how many bytes of the archive were read, of how many.

    Returns:
        The files' absolute paths, sorted.

    Raises:
        FormatError: the archive is damaged, or a member is hostile (leaves the folder, is a device, stands
            there twice...); archive and member are named. Nothing was unpacked.
        OSError: the disk is full...
    """
    if not is_archive(archive.name):
        raise FormatError(f"{archive} is no archive that can be unpacked", hint=f"known endings: {', '.join(SUFFIXES)}")
    target = folder.absolute()
    staging = target.with_name(f".{target.name}.unpack{TEMPORARY_SUFFIX}")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        names = sorted(_unpack_members(archive, Staging(archive, staging), progress or _silent))
        return _publish(archive, staging, target, names)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _unpack_members(archive: Path, staging: Staging, progress: Progress) -> set[str]:
    name = archive.name.lower()
    try:
        with archive.open("rb", buffering=0) as raw:
            size = os.fstat(raw.fileno()).st_size
            if size == 0:  # which gzip would take for an empty stream
                raise EOFError("it is empty")
            file = io.BufferedReader(CountingFile(raw, size, progress), CHUNK)
            if name.endswith(".zip"):
                unpack_zip(file, staging)
            elif name.endswith(TAR_SUFFIXES):
                with decompressed(file, archive) as stream:
                    unpack_tar(stream, staging)
            else:
                with decompressed(file, archive) as stream:
                    staging.add_file(archive.name.rpartition(".")[0], stream)
    except _DAMAGE as error:
        raise _damaged(archive, error) from error
    except OSError as error:
        if error.errno is None:  # gzip and bz2 say so that the data is bad; the system's own errors have a number
            raise _damaged(archive, error) from error
        raise
    return staging.names


def _publish(archive: Path, staging: Path, target: Path, names: list[str]) -> list[Path]:
    """Move what was unpacked to where it belongs, at once where the folder is new."""
    if not target.exists() and not target.is_symlink():
        for folder in (staging, *(path for path in staging.rglob("*") if path.is_dir())):
            sync_folder(folder)
        staging.rename(target)
        sync_folder(target.parent)
        return [target / name for name in names]
    paths = [inside(target, name) for name in names]
    for name, path in zip(names, paths, strict=True):
        if path.is_dir() or not _make_folder(path.parent):
            raise FormatError(
                f"{archive}: the member {name!r} can not be unpacked: something else stands at or above {path}",
                hint="move it away, or unpack to another place",
            )
    for name, path in zip(names, paths, strict=True):
        (staging / name).replace(path)
    for folder in {path.parent for path in paths}:
        sync_folder(folder)
    return paths


def _make_folder(folder: Path) -> bool:
    """Make a folder; False when a file stands in its way."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        return False
    return True


def _damaged(archive: Path, error: Exception) -> FormatError:
    return FormatError(
        f"{archive} is damaged or cut off: {error or type(error).__name__}",
        hint="fetch it again; nothing of it was unpacked",
    )


def _silent(done: float, total: float | None) -> None:
    """The progress callback of callers that do not listen."""
