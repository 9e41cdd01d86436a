"""A worker as a process of its own on this machine.

The worker is detached: it lives in its own session, reads nothing, and writes to files only. So a client that
is killed takes nothing with it, and the next client picks the job up by its handle.

Files of a job, under ``.tsws/jobs/<job id>/`` of the workspace:

===============  ====================================================================
``job.json``     the job, for the worker to read
``worker.json``  its process, for a client that launches the same job again
``events.jsonl`` the events, one a line, appended by the worker
``worker.log``   its standard output and error: where a crash leaves its last words
===============  ====================================================================
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from tsws.errors import JobError
from tsws.io.atomic import write_bytes
from tsws.io.follow import follow_lines
from tsws.io.paths import is_relative_inside
from tsws.io.process import is_alive, start_time, terminate
from tsws.job import Event, Handle, Job, JobStatus, encode_job
from tsws.plugin import Backend, Volume
from tsws_local import records

GRACE = 600.0
"""Seconds that a cancelled worker gets to write its checkpoint: a large one on a slow disk takes minutes."""
_PRIVATE = 0o600
"""Permission bits of a job: the options of its volume may hold secrets."""
_ENDED_ALREADY = -1.0
"""Start time of a worker that ended before we could look: no living process has it."""
_NOBODY = {"pid": 0, "started": _ENDED_ALREADY}
"""Of a job whose client died in the moment between the worker's start and its note. Should that worker live, the next one waits
for what it makes."""


class LocalBackend(Backend):
    """Runs workers on this machine, in place or in a volume that lies on this machine."""

    name = "local"
    worker: ClassVar[tuple[str, ...]] = ("-m", "tsws.worker")
    """The arguments that make this Python the worker: which program runs is nothing that a manifest decides."""

    def launch(self, job: Job, volume: Volume | None) -> Handle:
        folder = self._folder(job.id)
        if (folder / records.EVENTS).exists():  # by a client that may have died before it could note the handle
            return Handle(backend=self.table, job=job.id, data=records.process_of(folder) or _NOBODY)
        place = _place(job, volume)
        try:
            write_bytes(folder / records.JOB, encode_job(job), mode=_PRIVATE)
            write_bytes(folder / records.EVENTS, b"")
            process = self._start(folder, place)
        except OSError as error:
            raise JobError(
                f"{job.address}: the worker could not be started: {error}",
                hint="check that the workspace can be written, and that the Python that tsws runs in is still installed",
            ) from error
        started = start_time(process.pid)
        # Nobody waits for a detached worker, but its parent has to take note of its end.
        threading.Thread(target=process.wait, name=f"reap {job.id}", daemon=True).start()
        data = {"pid": process.pid, "started": _ENDED_ALREADY if started is None else started}
        records.keep_process(folder, data)
        return Handle(backend=self.table, job=job.id, data=data)

    def attach(self, handle: Handle, after: int = 0) -> Iterator[Event]:
        folder = self._folder(handle.job)
        address = records.address_of(folder)
        lines = follow_lines(folder / records.EVENTS, after, ended=lambda: self.status(handle) is not JobStatus.RUNNING)
        for line in lines:
            event = records.event_of(line, address)
            yield event
            if records.is_last(event, address):
                return

    def cancel(self, handle: Handle) -> None:
        pid, started = _process(handle)
        try:
            terminate(pid, started, grace=GRACE)
        except PermissionError as error:
            raise JobError(
                f"the job {handle.job} belongs to another user: its process {pid} can not be stopped",
                hint="stop it as that user",
            ) from error

    def status(self, handle: Handle) -> JobStatus:
        # The process first: what a worker that has ended did not say by then, it never will.
        alive = is_alive(*_process(handle))
        verdict = records.verdict(self._folder(handle.job))
        if verdict is not None:
            return verdict
        return JobStatus.RUNNING if alive else JobStatus.GONE

    def last_words(self, handle: Handle) -> str:
        return records.log_tail(self._folder(handle.job))

    def _folder(self, job: str) -> Path:
        # A handle comes from a file, which may be anybody's: it must not lead to another folder.
        if "/" in job or job == "." or not is_relative_inside(job):
            raise JobError(
                f"{job!r} is not the name of a job",
                hint="remove the job's file in .tsws/jobs, and run `tsws apply` again",
            )
        return self.base.absolute() / ".tsws" / "jobs" / job

    def _start(self, folder: Path, place: Path) -> subprocess.Popen[bytes]:
        # -P: what lies in the workspace (a `random.py`, say) is data, and never imported by the worker.
        job, events = str(folder / records.JOB), str(folder / records.EVENTS)
        command = [sys.executable, "-P", *self.worker, job, "--events", events]
        with open(folder / records.LOG, "ab") as log:
            return subprocess.Popen(
                command, cwd=place, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )


def _process(handle: Handle) -> tuple[int, float]:
    return handle.data["pid"], handle.data["started"]


def _place(job: Job, volume: Volume | None) -> Path:
    """The folder that the worker works in.

    Raises:
        JobError: there is none on this machine.
    """
    if volume is None:
        if job.root is None:
            raise JobError(
                f"{job.address}: the job names neither a folder nor a volume to work in",
                hint="give the job the root of its workspace, or a volume",
            )
        return Path(job.root)
    place = volume.local_path()
    if place is None:
        raise JobError(
            f"{job.address}: volume {volume.name} does not lie on this machine, and the local backend works only here",
            hint="choose a backend that reaches the volume, or leave `volume` out to work in the workspace itself",
        )
    try:
        place.mkdir(exist_ok=True)
    except OSError as error:
        raise JobError(
            f"{job.address}: volume {volume.name} can not be worked in: {place}: {error.strerror}",
            hint="mount the disk that it is on, or make the folder around it, or correct the volume's path",
        ) from error
    return place
