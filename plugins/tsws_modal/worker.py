"""The worker as a child of the container's process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from tsws.io.caches import CACHE_VARIABLE
from tsws.job import Done, Event, Failed, Job, Log, decode_event, encode_job

LOG_TAIL = 4000
"""Bytes of its output that are kept of a worker that died: a traceback of common size."""


@dataclass(frozen=True)
class News:
    """What a worker has said since it was last asked; without its last word."""

    lines: list[bytes]
    events: list[Event]


class Worker:
    """A context manager: the worker runs while it is entered.

    It says its events into a file of the container's own disk, from where they are brought to the volume: only what was committed
    counts as said.

    Args:
        job: what it is to do.
        module: which program it is.
        place: the workspace.
        cache: where it finds, and keeps, what it compiles.
        variables: more of its environment.
    """

    def __init__(
        self, job: Job, module: str, place: Path, cache: Path, variables: Mapping[str, str] | None = None
    ) -> None:
        self._job = job
        self._module = module
        self._place = place
        self._variables = {**(variables or {}), CACHE_VARIABLE: str(cache)}
        self.last: Done | Failed | None = None
        """Its last word, once it was said and heard."""
        self._offset = 0
        self._deadline: float | None = None

    def __enter__(self) -> Self:
        self._own = tempfile.TemporaryDirectory(prefix="tsws-")
        folder = Path(self._own.name)
        self._events, self._log = folder / "events.jsonl", folder / "worker.log"
        job = folder / "job.json"
        job.write_bytes(encode_job(self._job))
        self._events.touch()
        # -P: what lies in the workspace (a `random.py`, say) is data, and never imported by the worker.
        command = [sys.executable, "-P", "-m", self._module, str(job), "--events", str(self._events)]
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._place,
                env={**os.environ, **self._variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._kill()
        tail = self.log_tail()
        if tail:
            os.write(1, f"{tail}\n".encode())  # what Modal's own log keeps of the container
        self._own.cleanup()

    @property
    def status(self) -> int | None:
        """Its exit status, once it has ended; negative: the signal that killed it."""
        return self._process.returncode

    def wait(self, seconds: float) -> bool:
        """Wait for its end, for so long; whether it has ended. One that was asked to stop and does not is killed."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._kill()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, grace: float) -> None:
        """Ask it to end after a checkpoint. It alone is asked, not what it has started: a compiler that dies is a failure to it.

        Args:
            grace: seconds after which it is killed.
        """
        self._deadline = time.monotonic() + grace
        if grace:
            with suppress(ProcessLookupError):  # it ended just now
                os.kill(self._process.pid, signal.SIGTERM)

    def news(self) -> News:
        """What it has said since, in whole lines."""
        with open(self._events, "rb") as file:
            file.seek(self._offset)
            complete, newline, _rest = file.read().rpartition(b"\n")
        if not newline:
            return News([], [])
        self._offset += len(complete) + 1
        found = News([], [])
        for line in complete.split(b"\n"):
            event = _event(line, self._job.address)
            if isinstance(event, Done | Failed) and event.address == self._job.address:
                self.last = event
            else:
                found.lines.append(line)
                found.events.append(event)
        return found

    def log_tail(self) -> str:
        """The end of what it printed."""
        with open(self._log, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_TAIL))
            return file.read().decode(errors="replace").strip()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _event(line: bytes, address: str) -> Event:
    try:
        return decode_event(line)
    except msgspec.DecodeError:
        return Log(address=address, level="debug", message="something that this version does not know")
