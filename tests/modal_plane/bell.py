"""Waking whoever waits for something to change: coroutines in the plane's loop, and threads outside it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable


class Bell:
    """Rung after every change. Nobody sleeps to wait: everybody looks again when it rings."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Let everybody look again. Called in the plane's loop only."""
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)
        with self._condition:
            self._condition.notify_all()

    def next(self) -> asyncio.Future[None]:
        """What is done when the bell rings the next time. Called in the plane's loop only."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        return future

    async def until(self, holds: Callable[[], bool], *, timeout: float | None = None) -> bool:
        """Wait in the plane's loop until a condition holds; false if it does not within ``timeout`` seconds."""
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        while not holds():
            future = self.next()
            left = None if deadline is None else deadline - loop.time()
            if left is not None and left <= 0:
                return False
            await asyncio.wait([future], timeout=left)
            self._waiting.discard(future)
        return True

    def wait(self, holds: Callable[[], bool], *, timeout: float) -> bool:
        """As :meth:`until`, for a thread outside the loop."""
        deadline = time.monotonic() + timeout
        with self._condition:
            while not holds():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._condition.wait(left)
        return True
