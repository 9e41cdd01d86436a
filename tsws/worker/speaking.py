"""Saying events: one JSON line each, whole or not at all."""

from __future__ import annotations

import os
import threading

from tsws.job import Done, Event, Failed, Started, encode_event


class Speaker:
    """Appends events to an open file.

    ``Done`` or ``Failed`` of the job's own address ends the stream, so the ones that the engine says about that
    resource on the way are held back, and :meth:`close` says the last word.

    Args:
        descriptor: open for appending.
        address: of the job.
    """

    def __init__(self, descriptor: int, address: str) -> None:
        self._descriptor = descriptor
        self._address = address
        self._lock = threading.Lock()

    def say(self, event: Event) -> None:
        """Say an event of the work. Safe from several threads."""
        if event.address == self._address and isinstance(event, (Started, Done, Failed)):
            return
        self._write(event)

    def close(self, last: Done | Failed) -> None:
        """Say the last word."""
        self._write(last)

    def _write(self, event: Event) -> None:
        line = encode_event(event) + b"\n"
        with self._lock:
            while line:
                line = line[os.write(self._descriptor, line) :]
