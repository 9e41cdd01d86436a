"""What a volume holds: names, and the digests of what lies under them. Pure, but for the clock."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, replace

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

BLOCK = 8 << 20
"""Bytes of a block: files go up (version 2) and down (both) in such pieces."""


@dataclass(frozen=True)
class File:
    """One version of a file."""

    size: int
    pieces: tuple[str, ...]
    """SHA-256 (hex) of its bytes: of the whole file in a version 1 volume, of each block without its trailing zeros in
    version 2."""
    mtime: float
    mode: int = 0o644


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str
    mtime: float


@dataclass(frozen=True)
class Folder:
    """A folder; that of a file need not be stated."""

    mtime: float


Entry = File | Link | Folder


def clean(path: str) -> str:
    """A path as the tree has it: relative, without dots; the root is empty text.

    Raises:
        GRPCError: ``INVALID_ARGUMENT``, it leads out of the volume.
    """
    normal = posixpath.normpath("/" + path.lstrip("/"))
    if ".." in path.split("/"):
        raise GRPCError(Status.INVALID_ARGUMENT, f"Path '{path}' leads out of the volume")
    return normal.lstrip("/")


class Tree:
    """The entries by path. Folders around an entry are there by themselves, and stay when it goes."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        return iter(sorted(self._entries.items()))

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(entry.size for entry in self._entries.values() if isinstance(entry, File))

    @property
    def count(self) -> int:
        """Of all entries."""
        return len(self._entries)

    def get(self, path: str) -> Entry | None:
        """The entry of a clean path."""
        return self._entries.get(path)

    def put(self, path: str, entry: Entry) -> None:
        """Add or replace one.

        Raises:
            GRPCError: ``FAILED_PRECONDITION``, a folder or a file is in the way.
        """
        there = self.get(path)
        if there is not None and isinstance(there, Folder) != isinstance(entry, Folder):
            raise GRPCError(
                Status.FAILED_PRECONDITION, f"'{path}' is {'a' if isinstance(there, Folder) else 'not a'} directory"
            )
        parent = posixpath.dirname(path)
        if parent and not isinstance(self.get(parent), Folder):
            self.put(parent, Folder(entry.mtime))
        self._entries[path] = entry

    def remove(self, path: str, *, recursive: bool = False) -> None:
        """Remove one, and with ``recursive`` all that is in it.

        Raises:
            GRPCError: ``NOT_FOUND``; ``FAILED_PRECONDITION``, it is a folder with something in it.
        """
        if self.get(path) is None:
            raise missing(path)
        inside = [other for other in self._entries if other.startswith(f"{path}/")]
        if inside and not recursive:
            raise GRPCError(Status.FAILED_PRECONDITION, f"'{path}' is a directory that is not empty")
        for each in [path, *inside]:
            del self._entries[each]

    def listed(self, path: str, *, recursive: bool) -> Iterator[api_pb2.FileEntry]:
        """What lies in a folder, or the one file of that name.

        Raises:
            GRPCError: ``NOT_FOUND``.
        """
        entry = self.get(path)
        if path and entry is None:
            raise missing(path)
        if entry is not None and not isinstance(entry, Folder):
            yield _listed(path, entry)
            return
        start = f"{path}/" if path else ""
        for other, found in self:
            if other.startswith(start) and other != path and (recursive or "/" not in other[len(start) :]):
                yield _listed(other, found)

    def copy(self, sources: list[str], target: str, *, recursive: bool, now: float) -> None:
        """As ``cp`` does.

        Raises:
            GRPCError: ``NOT_FOUND``; ``FAILED_PRECONDITION``, several files into what is no folder, or a folder without ``recursive``.
        """
        into = target == "" or isinstance(self.get(target), Folder)
        if len(sources) > 1 and not into:
            raise GRPCError(Status.FAILED_PRECONDITION, f"'{target}' is not a directory")
        for source in sources:
            entry = self.get(source)
            if entry is None:
                raise missing(source)
            if isinstance(entry, Folder) and not recursive:
                raise GRPCError(Status.FAILED_PRECONDITION, f"'{source}' is a directory (not copied)")
            name = posixpath.join(target, posixpath.basename(source)) if into else target
            for other, found in list(self):
                if other == source or other.startswith(f"{source}/"):
                    self.put(name + other[len(source) :], replace(found, mtime=now))


def missing(path: str) -> GRPCError:
    """The refusal about a path that is not there."""
    return GRPCError(Status.NOT_FOUND, f"No such file or directory: '{path}'")


def _listed(path: str, entry: Entry) -> api_pb2.FileEntry:
    match entry:
        case File(size=size):
            kind = api_pb2.FileEntry.FILE
        case Link(target=link):
            kind, size = api_pb2.FileEntry.SYMLINK, len(link)
        case Folder():
            kind, size = api_pb2.FileEntry.DIRECTORY, 0
    return api_pb2.FileEntry(path=path, type=kind, mtime=int(entry.mtime), size=size)
