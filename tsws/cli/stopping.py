"""Ctrl-C: the first one asks to stop after a checkpoint, the second one ends at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from tsws.cli.boundary import INTERRUPTED

ASKED = "\nstopping after a checkpoint; Ctrl-C again ends at once\n"
ASKED_FAR = "\nleaving; what runs elsewhere goes on, what runs here stops after a checkpoint\n"
_SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def stoppable(asked_text: str = ASKED) -> Iterator[Callable[[], bool]]:
    """A question, for the time of some long work: was it asked to stop (SIGINT, SIGTERM)?

    Args:
        asked_text: what is said at the first signal.

    The second signal ends the process with status 130, whatever its threads are at. What the disk holds then is what any kill leaves, and
    the next apply continues from it.
    """
    asked = threading.Event()

    def hear(_number: int, _frame: FrameType | None) -> None:
        # Straight to the descriptor: what the signal interrupted may hold the locks of the streams.
        if asked.is_set():
            _write(f"{_SHOW_CURSOR if sys.stderr.isatty() else ''}\n")
            os._exit(INTERRUPTED)
        asked.set()
        _write(asked_text)

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _write(text: str) -> None:
    os.write(2, text.encode())
