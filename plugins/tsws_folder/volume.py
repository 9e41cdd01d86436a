"""Five verbs over a plain folder."""

from __future__ import annotations

import errno
import os
import stat as modes
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import msgspec

from tsws.errors import FormatError, VolumeError
from tsws.io.atomic import TEMPORARY_SUFFIX, atomic_writer
from tsws.io.paths import inside
from tsws.plugin import FileStat, Volume

CHUNK = 1 << 20
"""Bytes a read: large enough for a network share, small beside any machine's memory."""


class FolderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of a ``[volume.NAME]`` table with ``kind = "folder"``."""

    path: Annotated[
        str,
        msgspec.Meta(
            min_length=1, description="The folder: relative to the workspace, or absolute; `~` is your home folder."
        ),
    ]


class FolderVolume(Volume):
    """A folder that this machine can reach.

    The folder itself is made by the first write; the folder around it must exist, because one that is
    missing is more often a disk that is not mounted than a wish for a new tree of folders.
    """

    kind = "folder"
    Options = FolderOptions
    options: FolderOptions

    @property
    def folder(self) -> Path:
        """Where the files lie; need not exist yet."""
        return self.base.absolute() / Path(self.options.path).expanduser()

    def local_path(self) -> Path:
        return self.folder

    def list(self, prefix: str = "") -> Iterator[FileStat]:
        """As the interface says. Left out: half-written files, links that lead out of the folder,
        and names that are not text (no manifest could name them)."""
        with self._refusals("list", prefix or "its files"):
            if self._exists():
                yield from self._walk(self.folder, "", prefix)

    def stat(self, path: str) -> FileStat | None:
        target = self._target(path)
        with self._refusals("look at", path):
            return _file_stat(target, path) if self._exists() else None

    def read(self, path: str, offset: int = 0) -> Iterator[bytes]:
        target = self._target(path)
        return self._chunks(target, path, offset)

    def write(self, path: str, chunks: Iterable[bytes]) -> FileStat:
        target = self._target(path)
        with ExitStack() as stack:
            # An error of `chunks` is its maker's and passes through as it is; only our own become VolumeError.
            with self._refusals("write", path):
                self._exists()
                file = stack.enter_context(atomic_writer(target))
            for chunk in chunks:
                with self._refusals("write", path):
                    file.write(chunk)
            with self._refusals("write", path):
                stack.close()
                status = target.stat()
                return FileStat(path, status.st_size, status.st_mtime)

    def remove(self, path: str) -> None:
        target = self._target(path)
        with self._refusals("remove", path):
            if self._exists():
                target.unlink(missing_ok=True)

    def _target(self, path: str) -> Path:
        try:
            target = inside(self.folder, path)
        except FormatError as error:
            raise VolumeError(f"volume {self.name}: {error.message}", hint=error.hint) from error
        if target == self.folder or _is_temporary(target.name):
            raise VolumeError(
                f"volume {self.name}: {path!r} can not be the name of a file",
                hint=f"name a file below the volume's folder, not one that ends with {TEMPORARY_SUFFIX}",
            )
        return target

    def _exists(self) -> bool:
        """Whether the folder is there.

        Raises:
            VolumeError: it is no folder, or the place for it is not there either.
        """
        folder = self.folder
        try:
            if modes.S_ISDIR(folder.stat().st_mode):
                return True
        except FileNotFoundError:
            if folder.parent.is_dir():
                return False
            raise VolumeError(
                f"volume {self.name} can not be reached: there is no folder {folder.parent}",
                hint="mount the disk that it is on, or make the folder, or correct the volume's path",
            ) from None
        raise VolumeError(
            f"volume {self.name} can not be reached: {folder} is a file",
            hint="give the volume a path of its own",
        )

    def _walk(self, folder: Path, above: str, prefix: str) -> Iterator[FileStat]:
        try:
            with os.scandir(folder) as entries:
                # A folder sorts as "name/", which puts whole paths in order: "a.txt" comes before "a/b".
                found = {entry.name + "/" * entry.is_dir(follow_symlinks=False): entry for entry in entries}
        except FileNotFoundError:  # removed since it was listed
            return
        for name, entry in sorted(found.items()):
            path = above + name
            if _is_temporary(entry.name) or not _is_text(name):
                continue
            if name.endswith("/"):
                if path.startswith(prefix) or prefix.startswith(path):
                    yield from self._walk(Path(entry.path), path, prefix)
            elif path.startswith(prefix) and (not entry.is_symlink() or self._leads_inside(path)):
                status = _file_stat(Path(entry.path), path)
                if status is not None:  # None: removed since it was listed, or a pipe, a socket, a link to a folder
                    yield status

    def _leads_inside(self, path: str) -> bool:
        try:
            inside(self.folder, path)
        except FormatError:
            return False
        return True

    def _chunks(self, target: Path, path: str, offset: int) -> Iterator[bytes]:
        with self._refusals("read", path):
            is_there = self._exists() and target.is_file()
        if not is_there:
            raise FileNotFoundError(errno.ENOENT, f"no such file on volume {self.name}", path)
        with self._refusals("read", path), open(target, "rb") as file:
            file.seek(offset)
            while chunk := file.read(CHUNK):
                yield chunk

    @contextmanager
    def _refusals(self, verb: str, path: str) -> Iterator[None]:
        """Turn what the operating system refuses into a VolumeError."""
        try:
            yield
        except OSError as error:
            hint = "check the folder's permissions and that its disk is mounted"
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                hint = "free some space there, then run the same command again"
            raise VolumeError(f"volume {self.name}: can not {verb} {path}: {error.strerror}", hint=hint) from error


def _file_stat(target: Path, path: str) -> FileStat | None:
    """A regular file's figures; None for anything else, and for what is not there."""
    try:
        status = target.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return FileStat(path, status.st_size, status.st_mtime) if modes.S_ISREG(status.st_mode) else None


def _is_temporary(name: str) -> bool:
    return name.endswith(TEMPORARY_SUFFIX)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
