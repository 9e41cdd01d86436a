"""A backend that runs the worker through nice(1)."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from tsws.errors import JobError
from tsws.io.atomic import write_bytes
from tsws.io.follow import follow_lines
from tsws.io.process import is_alive, start_time, terminate
from tsws.job import Done, Event, Failed, Handle, Job, JobStatus, decode_event, encode_job
from tsws.plugin import Backend, Volume


class NiceOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of ``[backend.nice]``."""

    level: Annotated[int, msgspec.Meta(ge=0, le=19, description="How much to step back: 19 is furthest.")] = 10


class NiceBackend(Backend):
    """Runs workers on this machine with a low priority."""

    name = "nice"
    Options = NiceOptions
    options: NiceOptions
    worker: ClassVar[str] = "tsws.worker"
    """The module that is the worker; the tests put another one here."""

    def launch(self, job: Job, volume: Volume | None) -> Handle:
        place = job.root if volume is None else volume.local_path()
        if place is None:
            raise JobError(
                f"{job.address}: the backend {self.table} works only in folders of this machine",
                hint="leave `volume` out, or choose one that lies here",
            )
        folder = self._folder(job.id)
        if (folder / "handle.json").exists():  # launched by a client that died before it could note that down
            return msgspec.json.decode((folder / "handle.json").read_bytes(), type=Handle)
        command = ["nice", "-n", str(self.options.level), sys.executable, "-P", "-m", self.worker]
        files = [str(folder / "job.json"), "--events", str(folder / "events.jsonl")]
        try:
            write_bytes(folder / "job.json", encode_job(job))
            Path(place).mkdir(exist_ok=True)
            with open(folder / "worker.log", "ab") as log:
                # A session of its own: the job outlives the program that launched it.
                process = subprocess.Popen(
                    [*command, *files],
                    cwd=place,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise JobError(f"{job.address}: {command[0]} could not be started: {error}") from error
        started = start_time(process.pid)
        threading.Thread(target=process.wait, daemon=True).start()
        # All that another process needs to find the job again. No process started before the machine did.
        data = {"address": job.address, "pid": process.pid, "started": -1.0 if started is None else started}
        handle = Handle(backend=self.table, job=job.id, data=data)
        write_bytes(folder / "handle.json", msgspec.json.encode(handle))
        return handle

    def attach(self, handle: Handle, after: int = 0) -> Iterator[Event]:
        path = self._folder(handle.job) / "events.jsonl"
        for line in follow_lines(path, after, ended=lambda: self.status(handle) is not JobStatus.RUNNING):
            yield decode_event(line)

    def cancel(self, handle: Handle) -> None:
        terminate(handle.data["pid"], handle.data["started"], grace=600)

    def status(self, handle: Handle) -> JobStatus:
        alive = is_alive(handle.data["pid"], handle.data["started"])  # asked first: then the events are complete
        last = None
        for line in follow_lines(self._folder(handle.job) / "events.jsonl", 0, ended=lambda: True):
            last = decode_event(line)
        if isinstance(last, Done | Failed) and last.address == handle.data["address"]:
            return JobStatus.DONE if isinstance(last, Done) else JobStatus.FAILED
        return JobStatus.RUNNING if alive else JobStatus.GONE

    def last_words(self, handle: Handle) -> str:
        return (self._folder(handle.job) / "worker.log").read_text(errors="replace")[-4000:].strip()

    def _folder(self, job: str) -> Path:
        return self.base.absolute() / ".tsws" / "jobs" / job
