"""Carrying out a resource through a backend: launch a worker or find the one that runs already, and follow it.

The handle of a job is in the workspace's state before anything is awaited, so whoever comes after a killed client
attaches to the job instead of starting it twice.
"""

from __future__ import annotations

import queue
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tsws.errors import FormatError, InterruptedByUser, JobError, PluginError, TswsError
from tsws.io.atomic import write_bytes
from tsws.io.digest import digest_value
from tsws.job import Done, Emit, Event, Failed, Handle, Job, JobStatus, Log, Started, VolumeRef
from tsws.plugin import Backend, Plugins
from tsws.resources.volume import open_volume, options_of

POLL = 0.2
"""Seconds between looks at the stop flag while waiting for events."""


@dataclass(frozen=True)
class Assignment:
    """What a dispatched resource asks of a backend."""

    address: str
    targets: tuple[str, ...]
    """Addresses that the worker brings up to date, in its place."""
    backend: str
    """Name of the ``[backend.*]`` table, or of the backend itself."""
    kind: str
    """Which backend."""
    options: dict[str, Any]
    manifest: dict[str, Any]
    """The part of the manifest that the targets need, without backend and volume."""
    volume: VolumeRef | None


class ActiveJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job in flight, as the workspace's state has it."""

    address: str
    handle: Handle
    wanted: str
    """Digest of what the job is to make: another one means that the job is no longer wanted."""
    launched_at: float
    kind: str | None = None
    """Of the backend that runs it; None in records of older versions."""
    options: dict[str, Any] = {}
    """Of that backend. Kept, as the manifest may say something else by the time that somebody comes back."""
    ended: bool = False
    """It is over; kept so that its log can be read."""


def jobs_folder(root: Path) -> Path:
    """Where jobs in flight are recorded."""
    return root / ".tsws" / "jobs"


def active_job(root: Path, address: str) -> ActiveJob | None:
    """The job in flight for a resource, or None.

    Raises:
        FormatError: its record is damaged.
    """
    path = jobs_folder(root) / f"{address}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=ActiveJob)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise FormatError(f"{path} is damaged ({error})", hint="remove the file once no worker runs") from None


def backend_of(job: ActiveJob, plugins: Plugins, root: Path) -> Backend:
    """The backend that a job was launched on, whatever the manifest says by now.

    Raises:
        PluginError: no plugin provides it any more.
    """
    return open_backend(job.handle.backend, job.kind or job.handle.backend, job.options, plugins, root)


def open_backend(name: str, kind: str, options: dict[str, Any], plugins: Plugins, root: Path) -> Backend:
    """The backend of a table.

    Raises:
        PluginError: no plugin provides it, or it needs a key that its table does not have.
    """
    found = plugins.backends.get(kind)
    if found is None:
        message, hint = missing_backend(kind, plugins)
        raise PluginError(message, hint=hint)
    return found(name, options_of(f"backend.{name}", options, found.Options), root)


def missing_backend(kind: str, plugins: Plugins) -> tuple[str, str]:
    """What to say about a backend that nobody provides, and the hint."""
    known = ", ".join(sorted(plugins.backends)) or "none"
    return (
        f"no plugin provides the backend {kind!r}",
        f"install the plugin that has it, or choose another backend (known: {known}); `tsws plugins` lists them",
    )


@dataclass(frozen=True)
class Dispatcher:
    """Runs assignments for one workspace."""

    root: Path
    plugins: Plugins
    pins: Callable[[], dict[str, Any]]
    """The lock file's content, for the worker."""

    def run(
        self,
        assignment: Assignment,
        *,
        fingerprint: str,
        emit: Emit,
        stop: Callable[[], bool],
        replace: tuple[str, ...] = (),
    ) -> None:
        """Bring the job to its end: attach to the one in flight when it is the wanted one, else launch one.

        Raises:
            JobError: the worker failed or vanished.
            InterruptedByUser: ``stop`` became true; the job was stopped, or goes on where it outlives its client.
        """
        # A known fingerprint says it all; without one the manifest does, what is operational included.
        wanted = digest_value([fingerprint or assignment.manifest, assignment.targets, assignment.kind, replace])
        active = self._in_flight(assignment.address, wanted, emit)
        if active is None:
            active = self._launch(assignment, fingerprint, replace, wanted)
        self._follow(backend_of(active, self.plugins, self.root), active, emit, stop)

    def _in_flight(self, address: str, wanted: str, emit: Emit) -> ActiveJob | None:
        """The job that makes what is wanted; one that makes something else is stopped first."""
        active = active_job(self.root, address)
        if active is None or active.ended:
            return None
        backend = backend_of(active, self.plugins, self.root)
        status = backend.status(active.handle)
        if status is JobStatus.RUNNING and active.wanted == wanted:
            return active
        if status is JobStatus.RUNNING:
            emit(Log(address=address, message=f"stopping the job {active.handle.job}, which is no longer wanted"))
            backend.cancel(active.handle)
        self._note_end(active)
        return None

    def _launch(self, assignment: Assignment, fingerprint: str, replace: tuple[str, ...], wanted: str) -> ActiveJob:
        backend = open_backend(assignment.backend, assignment.kind, assignment.options, self.plugins, self.root)
        volume = open_volume(assignment.volume, self.plugins, self.root) if assignment.volume else None
        job = Job(
            id=f"{time.strftime('%Y%m%d-%H%M%S')}-{assignment.address}-{secrets.token_hex(3)}",
            address=assignment.address,
            targets=assignment.targets,
            fingerprint=fingerprint,
            manifest=assignment.manifest,
            replace=replace,
            pins=self.pins(),
            root=None if volume else str(self.root),
            volume=assignment.volume,
            options=assignment.options,
        )
        handle = backend.launch(job, volume)
        active = ActiveJob(
            address=assignment.address,
            handle=handle,
            wanted=wanted,
            launched_at=time.time(),
            kind=assignment.kind,
            options=assignment.options,
        )
        self._keep(active)
        return active

    def _follow(self, backend: Backend, active: ActiveJob, emit: Emit, stop: Callable[[], bool]) -> None:
        events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()

        def listen() -> None:
            try:
                for event in backend.attach(active.handle):
                    events.put(event)
                events.put(None)
            except BaseException as error:  # noqa: BLE001  handed to the thread that waits, and raised there
                events.put(error)

        threading.Thread(target=listen, name=f"tsws-attach-{active.address}", daemon=True).start()
        cancelled = False
        while True:
            if stop() and not cancelled:
                cancelled = True
                if backend.outlives_client:
                    raise InterruptedByUser(
                        f"{active.address} goes on without this client",
                        hint=f"`tsws apply` comes back to it, `tsws cancel {active.address}` stops it",
                    )
                # In a thread of its own: what the worker says while it stops is heard meanwhile.
                threading.Thread(
                    target=backend.cancel, args=(active.handle,), name=f"tsws-cancel-{active.address}", daemon=True
                ).start()
            try:
                event = events.get(timeout=POLL)
            except queue.Empty:
                continue
            if isinstance(event, BaseException):
                raise event
            if event is None:
                raise self._vanished(backend, active, cancelled=cancelled)
            if event_ends(event, active.address):
                self._note_end(active)
                if isinstance(event, Failed):
                    raise failure(event)
                return
            if not (isinstance(event, Started) and event.address == active.address):
                emit(event)

    def _vanished(self, backend: Backend, active: ActiveJob, *, cancelled: bool) -> TswsError:
        self._note_end(active)
        if cancelled:  # it was not far enough to say so itself, or took too long
            return InterruptedByUser(f"{active.address}: stopped on request", hint="`tsws apply` continues")
        words = backend.last_words(active.handle).strip()
        return JobError(
            f"the worker of {active.address} died without a last word" + (f":\n{words}" if words else ""),
            hint="`tsws apply` continues from the last checkpoint",
        )

    def _note_end(self, active: ActiveJob) -> None:
        """A job that somebody has replaced in the meantime is nobody's any more."""
        known = active_job(self.root, active.address)
        if known is None or known.handle == active.handle:
            self._keep(msgspec.structs.replace(active, ended=True))

    def _keep(self, active: ActiveJob) -> None:
        path = jobs_folder(self.root) / f"{active.address}.json"
        write_bytes(path, msgspec.json.format(msgspec.json.encode(active), indent=1))


def event_ends(event: Event, address: str) -> bool:
    """Whether an event is the last of the job for a resource."""
    return isinstance(event, (Done, Failed)) and event.address == address


def failure(event: Failed) -> TswsError:
    """The error that a worker's last word stands for."""
    kind = InterruptedByUser if event.interrupted else JobError
    return kind(event.message, hint=event.hint)
