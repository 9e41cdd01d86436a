"""Bringing what a worker does to where everybody sees it: in small steps, each of which holds together."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tsws_modal.segments import Writer

if TYPE_CHECKING:
    import modal

INTERVAL = 2.0
"""Seconds between two commits while there is something to say: what a client waits for at most."""
HEARTBEAT = 30.0
"""The same while there is nothing to say."""
TRIES = 5
"""Of a commit that must not fail: the last one of a turn."""
_OPEN_FILES = "open files"
"""A commit ends with a reload, which Modal refuses while the worker has a file open. The commit itself is done then."""


class Committer:
    """Writes events to the volume and commits them together with whatever else has changed there.

    Args:
        volume: as the container has it.
        writer: of the events.
        beat: writes down how the container is; called before each commit.
    """

    def __init__(self, volume: modal.Volume, writer: Writer, beat: Callable[[], None]) -> None:
        self._volume = volume
        self._writer = writer
        self._beat = beat
        self._waiting: list[bytes] = []
        self._hurry = False
        self._last = time.monotonic() - INTERVAL

    def add(self, lines: list[bytes], *, now: bool = False) -> None:
        """Take events.

        Args:
            lines: encoded, without newlines.
            now: they are to be seen as soon as can be.
        """
        self._waiting += lines
        self._hurry |= now

    def commit_when_due(self) -> None:
        """Commit when there is something to see, or somebody may wonder whether this container lives.

        A failure is no end: the next commit brings what this one did not.
        """
        since = time.monotonic() - self._last
        if self._hurry or since >= HEARTBEAT or (self._waiting and since >= INTERVAL):
            self._commit(tries=1)

    def commit(self) -> None:
        """Commit, whatever there is.

        Raises:
            Exception: Modal refuses, again and again.
        """
        self._commit(tries=TRIES)

    def _commit(self, *, tries: int) -> None:
        from modal.exception import Error as ModalError

        waiting, self._waiting = self._waiting, []
        self._writer.write(waiting)
        self._beat()
        self._hurry = False
        for left in reversed(range(tries)):
            try:
                self._volume.commit()
                break
            except (RuntimeError, OSError, ModalError) as error:
                if _OPEN_FILES in str(error):
                    break
                if tries > 1 and not left:
                    raise
                if left:
                    time.sleep(INTERVAL)
        self._last = time.monotonic()
