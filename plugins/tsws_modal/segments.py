"""The events of a job on its volume: numbered segments that only grow, each written by one container.

A segment's name is ``START-TURN.jsonl``: the position of its first event, and the number of the lease under which it was written.
A container that takes over begins where the complete lines of those before it end. Whatever one of them may still
write after that (one that was taken for dead, and was not) does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROLL = 1 << 18
"""Bytes after which a new segment begins: what a reader has to read again at most to find its place."""
_NAME = re.compile(r"(?P<start>\d{9})-(?P<turn>\d{6})\.jsonl")


@dataclass(frozen=True, order=True)
class Segment:
    """One file."""

    turn: int
    start: int

    @property
    def name(self) -> str:
        """Of the file."""
        return f"{self.start:09}-{self.turn:06}.jsonl"


@dataclass(frozen=True)
class Stretch:
    """The part of a segment that counts."""

    segment: Segment
    end: int | None
    """The position behind its last event; None: as far as it goes."""


def parse_name(name: str) -> Segment | None:
    """The segment of a file's name; None when it is no segment."""
    found = _NAME.fullmatch(name)
    return Segment(int(found["turn"]), int(found["start"])) if found else None


def stretches(names: Iterable[str]) -> list[Stretch]:
    """What counts of the segments in a folder, in the order of positions."""
    segments = sorted(segment for name in names if (segment := parse_name(name)) is not None)
    counted: list[Stretch] = []
    limit: int | None = None
    for segment in reversed(segments):  # the latest turn decides where those before it end
        if limit is None or segment.start < limit:
            counted.append(Stretch(segment, limit))
            limit = segment.start
    return counted[::-1]


def count(folder: Path) -> int:
    """The position behind the last complete event in a folder of segments on this disk."""
    found = stretches(path.name for path in folder.glob("*.jsonl"))
    if not found:
        return 0
    last = found[-1].segment
    return last.start + (folder / last.name).read_bytes().count(b"\n")


class Writer:
    """Appends complete lines to the segments of one turn.

    Args:
        folder: of the segments, on the mounted volume.
        position: of the next event.
        turn: the number of the lease.
    """

    def __init__(self, folder: Path, position: int, turn: int) -> None:
        self.position = position
        self._folder = folder
        self._segment = Segment(turn, position)
        self._size = 0

    def write(self, lines: list[bytes]) -> None:
        """Append lines, given without their newlines. No file stays open: a volume with open files can not be reloaded."""
        if not lines:
            return
        if self._size >= ROLL:
            self._segment, self._size = Segment(self._segment.turn, self.position), 0
        data = b"".join(line + b"\n" for line in lines)
        self._folder.mkdir(parents=True, exist_ok=True)
        with open(self._folder / self._segment.name, "ab") as file:
            file.write(data)
        self._size += len(data)
        self.position += len(lines)
