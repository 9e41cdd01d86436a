"""Digests of the files that a person owns, read again only when they change."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from tsws.io.atomic import write_bytes
from tsws.io.digest import sha256_file
from tsws.reconcile.store import FOLDER

_SETTLED_NS = 2_000_000_000
"""A file that was changed this short a time before it was read may change again without getting another time:
clocks of file systems tick between nanoseconds and two seconds (FAT)."""


class _Seen(msgspec.Struct, frozen=True, array_like=True):
    size: int
    mtime_ns: int
    sha256: str


class SourceDigests:
    """SHA-256 of source files, cached by size and modification time.

    Args:
        root: the workspace.
        cache: file that keeps the digests between processes; losing it costs only time.
    """

    def __init__(self, root: Path, cache: Path) -> None:
        self._root = root
        self._cache = cache
        self._seen: dict[str, _Seen] = {}
        self._changed = False
        with suppress(FileNotFoundError, msgspec.DecodeError):
            self._seen = msgspec.json.decode(cache.read_bytes(), type=dict[str, _Seen])

    def digests(self, patterns: Iterable[str]) -> tuple[dict[str, str], tuple[str, ...]]:
        """Digests by path for all files that some paths or globs name, and the patterns that name none."""
        found: dict[str, str] = {}
        missing = []
        for pattern in patterns:
            paths = expand(self._root, pattern)
            if not paths:
                missing.append(pattern)
            found.update({name_in(self._root, path): self._digest(path) for path in paths})
        return found, tuple(missing)

    def save(self) -> None:
        """Keep what was read for the next process."""
        if self._changed:
            self._changed = False
            with suppress(OSError):  # a plan of a workspace that can only be read is as good; it only takes longer
                write_bytes(self._cache, msgspec.json.encode(self._seen, order="sorted"))

    def _digest(self, path: Path) -> str:
        key = name_in(self._root, path)
        now = time.time_ns()
        found = path.stat()
        seen = self._seen.get(key)
        if seen is None or (seen.size, seen.mtime_ns) != (found.st_size, found.st_mtime_ns):
            seen = _Seen(found.st_size, found.st_mtime_ns, sha256_file(path))
            if now - found.st_mtime_ns > _SETTLED_NS:
                self._seen[key] = seen
                self._changed = True
        return seen.sha256


def name_in(root: Path, path: Path) -> str:
    """How records call a file: relative to the workspace where it can be, else as the manifest names it."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def expand(root: Path, pattern: str) -> tuple[Path, ...]:
    """The files that a path or glob names, sorted; what tsws itself keeps in the workspace is not among them.

    Args:
        root: the workspace, which the pattern is relative to unless it is absolute.
        pattern: with ``/`` between folders.
    """
    path = root / pattern
    if not any(character in pattern for character in "*?["):
        return (path,) if path.is_file() else ()
    base = Path(path.anchor) if Path(pattern).is_absolute() else root
    own = root / FOLDER
    found = base.glob(path.relative_to(base).as_posix())
    return tuple(sorted(one for one in found if one.is_file() and not one.is_relative_to(own)))
