"""A container's private view of a volume: a folder with the volume's files as they were when it was opened or reloaded.

What the container changes there is its own until it is committed.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.modal_plane.contents import CHUNK, Contents
from tests.modal_plane.trees import BLOCK, Entry, File, Folder, Link, Tree

Mark = tuple[int, int, int]
"""Inode, size and time of the last change: a file with the same mark was not written to."""


@dataclass(frozen=True)
class Changes:
    """What a container changed in its view."""

    put: dict[str, Entry]
    gone: list[str]
    """The deepest first."""
    marks: dict[str, Mark]
    """Of what was put, taken before it was read."""


class View:
    """One view. Not safe for several threads at once."""

    def __init__(self, folder: Path, contents: Contents, *, blocks: bool) -> None:
        """
        Args:
            folder: where the container finds the files; made new.
            contents: where the volume's bytes are kept.
            blocks: files are kept in blocks (version 2).
        """
        self.folder = folder
        self._contents = contents
        self._blocks = blocks
        self._seen: dict[str, tuple[Entry, Mark]] = {}
        """What the view was last in step with."""
        folder.mkdir(parents=True)

    def show(self, tree: Tree) -> None:
        """Make the folder as a volume is now; what was not committed is gone."""
        wanted = dict(tree)
        for path in sorted(self._walk(), reverse=True):
            if not self._is_as_seen(path, wanted.get(path)):
                self._unlink(path)
        for path, entry in sorted(wanted.items()):
            if path not in self._seen or not os.path.lexists(self.folder / path):
                self._write(path, entry)
        self._seen = {path: (entry, self._mark(path)) for path, entry in wanted.items()}

    def changes(self, now: float) -> Changes:
        """What the container changed since."""
        put, marks, there = dict[str, Entry](), dict[str, Mark](), set[str]()
        for path in sorted(self._walk()):
            try:
                mark = self._mark(path)
                if self._is_new(path, mark):
                    put[path], marks[path] = self._read(path, now), mark
            except FileNotFoundError:  # the container is at work meanwhile
                continue
            there.add(path)
        return Changes(put, sorted((path for path in self._seen if path not in there), reverse=True), marks)

    def committed(self, changes: Changes) -> None:
        """The changes are in the volume now."""
        for path in changes.gone:
            del self._seen[path]
        for path, entry in changes.put.items():
            self._seen[path] = (entry, changes.marks[path])

    def knows(self, tree: Tree) -> bool:
        """Whether nobody else has changed the volume since this view was in step with it."""
        return dict(tree) == {path: entry for path, (entry, _) in self._seen.items()}

    def open_files(self) -> Iterator[str]:
        """The files (and working folders) in it that some process has open, whatever its mount namespace."""
        inodes = {}
        for path in ["", *self._walk()]:
            with suppress(FileNotFoundError):  # the container is at work meanwhile
                inodes[_inode(self.folder / path)] = path
        for link in _process_links():
            try:
                path = inodes.get(_inode(link, follow=True))
            except OSError:  # ended, or of another user
                continue
            if path is not None:
                yield path

    def _is_as_seen(self, path: str, wanted: Entry | None) -> bool:
        place = self.folder / path
        if isinstance(wanted, Folder):
            return place.is_dir() and not place.is_symlink()
        return wanted is not None and self._seen.get(path) == (wanted, self._mark(path))

    def _is_new(self, path: str, mark: Mark) -> bool:
        seen = self._seen.get(path)
        if seen is None:
            return True
        entry, before = seen
        # The time of a folder changes with what is in it, which is told by itself.
        return mark[0] != before[0] if isinstance(entry, Folder) else mark != before

    def _walk(self) -> Iterator[str]:
        for top, folders, files in os.walk(self.folder):
            for name in (*folders, *files):
                yield (Path(top) / name).relative_to(self.folder).as_posix()

    def _mark(self, path: str) -> Mark:
        status = (self.folder / path).lstat()
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _unlink(self, path: str) -> None:
        place = self.folder / path
        self._seen.pop(path, None)
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)

    def _write(self, path: str, entry: Entry) -> None:
        place = self.folder / path
        match entry:
            case Folder():
                place.mkdir(exist_ok=True)
            case Link(target=target):
                place.symlink_to(target)
            case File():
                with place.open("xb") as file:
                    for number, sha256 in enumerate(entry.pieces):
                        file.seek(number * BLOCK)
                        with self._contents.path(sha256).open("rb") as piece:
                            shutil.copyfileobj(piece, file, CHUNK)
                    file.truncate(entry.size)
                place.chmod(entry.mode)
                os.utime(place, (entry.mtime, entry.mtime))

    def _read(self, path: str, now: float) -> Entry:
        place = self.folder / path
        status = place.lstat()
        if stat.S_ISDIR(status.st_mode):
            return Folder(now)
        if stat.S_ISLNK(status.st_mode):
            return Link(str(place.readlink()), now)
        with place.open("rb") as file:
            if self._blocks:
                blocks = iter(lambda: file.read(BLOCK), b"")
                pieces = tuple(self._contents.add(block.rstrip(b"\0")) for block in blocks)
            else:
                with self._contents.incoming() as incoming:
                    while chunk := file.read(CHUNK):
                        incoming.write(chunk)
                pieces = (incoming.sha256,)
            return File(file.tell(), pieces, status.st_mtime, stat.S_IMODE(status.st_mode))


def _inode(path: Path, *, follow: bool = False) -> tuple[int, int]:
    status = path.stat() if follow else path.lstat()
    return status.st_dev, status.st_ino


def _process_links() -> Iterator[Path]:
    """What every process has open, and where it stands."""
    for process in Path("/proc").glob("[0-9]*"):
        yield process / "cwd"
        try:
            yield from (process / "fd").iterdir()
        except OSError:
            continue
