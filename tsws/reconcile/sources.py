"""Digests of the files that a person owns, read again only when they change."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from tsws.io.atomic import write_bytes
from tsws.io.digest import sha256_file


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
            found.update({path.relative_to(self._root).as_posix(): self._digest(path) for path in paths})
        return found, tuple(missing)

    def save(self) -> None:
        """Keep what was read for the next process."""
        if self._changed:
            write_bytes(self._cache, msgspec.json.encode(self._seen, order="sorted"))
            self._changed = False

    def _digest(self, path: Path) -> str:
        key = path.relative_to(self._root).as_posix()
        found = path.stat()
        seen = self._seen.get(key)
        if seen is None or (seen.size, seen.mtime_ns) != (found.st_size, found.st_mtime_ns):
            seen = _Seen(found.st_size, found.st_mtime_ns, sha256_file(path))
            self._seen[key] = seen
            self._changed = True
        return seen.sha256


def expand(root: Path, pattern: str) -> tuple[Path, ...]:
    """The files in the workspace that a path or glob names, sorted."""
    if any(character in pattern for character in "*?["):
        return tuple(sorted(path for path in root.glob(pattern) if path.is_file()))
    path = root / pattern
    return (path,) if path.is_file() else ()
