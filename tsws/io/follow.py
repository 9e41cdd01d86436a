"""Following a file of lines while another process writes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tsws.io.digest import CHUNK

POLL_INTERVAL = 0.1
"""Seconds between looks at a file that has nothing new: quick to a person, free to a processor."""


def follow_lines(
    path: Path, after: int, *, ended: Callable[[], bool], interval: float = POLL_INTERVAL
) -> Iterator[bytes]:
    """The complete lines of an append-only file, as they come.

    Ends when ``ended()`` says that the writer has ended and everything complete was delivered. What stands after the
    last newline then was torn off by the writer's death, and is not delivered. A file that does not exist
    yet is empty.

    Args:
        path: the file.
        after: how many lines at its beginning to leave out.
        ended: whether nothing more will be written; asked before each look, so that a last line is never missed.
        interval: seconds between looks while nothing comes.

    Yields:
        Lines without their newline.
    """
    offset = 0
    rest = b""
    skip = after
    while True:
        last_look = ended()
        grew = False
        for chunk in _read_from(path, offset):
            grew = True
            offset += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            skipped = min(skip, len(lines))
            skip -= skipped
            yield from lines[skipped:]
        if last_look:
            return
        if not grew:
            time.sleep(interval)


def _read_from(path: Path, offset: int) -> Iterator[bytes]:
    """What stands in a file from ``offset`` to its present end."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        file.seek(offset)
        while chunk := file.read(CHUNK):
            yield chunk
