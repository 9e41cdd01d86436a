"""Files of JSON lines that a run writes while it goes on: appended to, read up to a torn line, and taken back to a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tsws.io.atomic import sync_file, write_bytes


class LineFile:
    """A file, open to append to. A line is in the system's hands when :meth:`write` returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - closed by __exit__

    def write(self, step: int, values: Mapping[str, Any]) -> None:
        """Add a line."""
        self._file.write(_line({"step": step, **values}))

    def sync(self) -> None:
        """Make all lines so far durable."""
        sync_file(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def decode_lines(data: bytes) -> list[dict[str, Any]]:
    """The lines of such a file up to the first torn one.

    Only a loss of power tears anything but the last line, and nothing of what it may tear is older than the newest checkpoint.
    """
    lines = []
    for line in data.splitlines(keepends=True):
        try:
            values = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            values = None
        if not isinstance(values, dict):
            break
        lines.append(values)
    return lines


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a file up to the first torn one; a file that is not there has none.

    Raises:
        OSError: the file can not be read.
    """
    return decode_lines(path.read_bytes()) if path.exists() else []


def keep_lines(source: Path, path: Path, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Write to ``path`` the lines of ``source`` that are wanted; the two may be the same file."""
    write_bytes(path, b"".join(_line(line) for line in read_lines(source) if wanted(line)))


def _line(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values).encode() + b"\n"
