"""Carrying out a resource through a backend: launch a worker or find the one that runs already, and follow it.

What is about to be launched is in the workspace's state before it is, and the handle of a job before anything is awaited. So
whoever comes after a killed client launches the very same job again, or attaches to it, and never starts it twice.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tsws.errors import JobError
from tsws.io.digest import digest_value
from tsws.job import Emit, Handle, Job, JobStatus, Log, VolumeRef
from tsws.plugin import Backend, Plugins, RunningJob, Volume
from tsws.resources.active_jobs import ActiveJob, active_job, backend_of, forget_job, keep_job, open_backend
from tsws.resources.following import follow, launched_words, note_end
from tsws.resources.volume import open_volume


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


@dataclass(frozen=True)
class Dispatcher:
    """Runs assignments for one workspace."""

    root: Path
    plugins: Plugins
    pins: Callable[[], dict[str, Any]]
    """The lock file's content, for the worker."""
    max_cost: float | None = None
    """Dollars that a job may cost at most, whatever its backend's table allows."""

    def run(
        self,
        assignment: Assignment,
        *,
        fingerprint: str,
        emit: Emit,
        stop: Callable[[], bool],
        replace: tuple[str, ...] = (),
        prepare: tuple[str, ...] = (),
    ) -> None:
        """Bring the job to its end: attach to the one in flight when it is the wanted one, else launch one.

        Args:
            assignment: what is to be made, and where.
            fingerprint: of what is wanted; empty when it depends on what only exists afterwards.
            emit: hears what the worker says.
            stop: asked now and then; true ends it.
            replace: addresses to make anew.
            prepare: addresses that a machine without accelerator can make first.

        Raises:
            JobError: the worker failed or vanished, or somebody else's makes something else there.
            InterruptedByUser: ``stop`` became true; the job was stopped, or goes on where it outlives its client.
        """
        wanted = _wanted(fingerprint, assignment.manifest, assignment.targets, assignment.kind, replace)
        backend = open_backend(assignment.backend, assignment.kind, assignment.options, self.plugins, self.root)
        volume = self._open(assignment.volume)
        job = self._job(assignment, backend, fingerprint, replace, prepare)
        active = self._in_flight(assignment.address, wanted, emit)
        if active is not None and active.intent is not None:
            job = msgspec.structs.replace(job, id=active.intent.id)
            active = self._begun(assignment, backend, volume, job, active)
        active = active or self._of_somebody_else(assignment, backend, volume, wanted, emit)
        if active is None:
            job = self._job(assignment, backend, fingerprint, replace, prepare)
            active = self._launch(assignment, backend, volume, job, wanted, emit)
        follow(self.root, backend_of(active, self.plugins, self.root), active, emit, stop)

    def _open(self, ref: VolumeRef | None) -> Volume | None:
        return open_volume(ref, self.plugins, self.root) if ref else None

    def _in_flight(self, address: str, wanted: str, emit: Emit) -> ActiveJob | None:
        """The job that makes what is wanted, or that a client had begun to launch; one that makes something else is stopped first."""
        active = active_job(self.root, address)
        if active is None or active.ended:
            return None
        backend = backend_of(active, self.plugins, self.root)
        if active.intent is not None:
            if active.wanted == wanted:
                return active
            self._drop(active, active.intent, backend, emit)
            return None
        status = backend.status(active.handle)
        # Done: it has ended since the plan was made, and nobody has heard it.
        if status in {JobStatus.RUNNING, JobStatus.DONE} and active.wanted == wanted:
            return active
        if status is JobStatus.RUNNING:
            emit(Log(address=address, message=f"stopping the job {active.handle.job}, which is no longer wanted"))
            backend.cancel(active.handle)
        note_end(self.root, active)
        return None

    def _begun(
        self, assignment: Assignment, backend: Backend, volume: Volume | None, job: Job, active: ActiveJob
    ) -> ActiveJob | None:
        """The job that a client, which is gone, had begun to launch: to launch it again gives its handle and starts nothing twice.

        What is only about how it is launched (the backend's table, say, which was corrected) is as it is wanted now.
        """
        record = self._record(assignment, job, active.wanted, active.launched_at)
        launched = self._keep(record, backend.launch(job, volume))
        if backend.status(launched.handle) in {JobStatus.RUNNING, JobStatus.DONE}:
            return launched
        note_end(self.root, launched)
        return None

    def _drop(self, active: ActiveJob, job: Job, backend: Backend, emit: Emit) -> None:
        """Stop what a client, which is gone, may have launched, as it is no longer wanted."""
        volume = self._open(job.volume)
        for other in backend.running(volume) if volume is not None else ():
            if other.job.id == job.id:
                emit(Log(address=active.address, message=f"stopping the job {job.id}, which is no longer wanted"))
                backend.cancel(other.handle)
        forget_job(self.root, active.address)

    def _of_somebody_else(
        self, assignment: Assignment, backend: Backend, volume: Volume | None, wanted: str, emit: Emit
    ) -> ActiveJob | None:
        """A job that another machine, or a workspace that is lost, has launched in the same volume.

        Raises:
            JobError: it makes something else than what is wanted here.
        """
        found = find_running(backend, volume, assignment.address)
        if found is None:
            return None
        job = found.job
        if wanted != _wanted(job.fingerprint, job.manifest, job.targets, assignment.kind, job.replace):
            where = f"volume {volume.name}" if volume is not None else assignment.backend
            raise JobError(
                f"{assignment.address}: the job {job.id}, launched from elsewhere, makes another version of it in {where}",
                hint=f"wait until it has ended, or stop it: `tsws cancel {assignment.address}`",
            )
        emit(
            Log(
                address=assignment.address, message=f"the job {job.id}, launched from elsewhere, makes it: following it"
            )
        )
        return self._keep(self._record(assignment, job, wanted, found.launched_at), found.handle)

    def _job(
        self,
        assignment: Assignment,
        backend: Backend,
        fingerprint: str,
        replace: tuple[str, ...],
        prepare: tuple[str, ...],
    ) -> Job:
        limits = [limit for limit in (self.max_cost, backend.cost_limit()) if limit is not None]
        return Job(
            id=new_job_id(assignment.address),
            address=assignment.address,
            targets=assignment.targets,
            fingerprint=fingerprint,
            manifest=assignment.manifest,
            replace=replace,
            pins=self.pins(),
            root=None if assignment.volume else str(self.root),
            volume=assignment.volume,
            options=assignment.options,
            prepare=prepare,
            max_cost=min(limits, default=None),
        )

    def _launch(
        self, assignment: Assignment, backend: Backend, volume: Volume | None, job: Job, wanted: str, emit: Emit
    ) -> ActiveJob:
        record = self._record(assignment, job, wanted, time.time())
        keep_job(self.root, record)
        try:
            handle = backend.launch(job, volume)
        except JobError:  # perhaps as somebody else was quicker
            found = self._of_somebody_else(assignment, backend, volume, wanted, emit)
            if found is None:
                raise
            return found
        if backend.outlives_client:
            emit(Log(address=assignment.address, message=launched_words(backend, job)))
        return self._keep(record, handle)

    def _record(self, assignment: Assignment, job: Job, wanted: str, launched_at: float) -> ActiveJob:
        return ActiveJob(
            address=assignment.address,
            handle=Handle(backend=assignment.backend, job=job.id),
            wanted=wanted,
            launched_at=launched_at,
            kind=assignment.kind,
            options=assignment.options,
            intent=job,
        )

    def _keep(self, record: ActiveJob, handle: Handle) -> ActiveJob:
        active = msgspec.structs.replace(record, handle=handle, intent=None)
        keep_job(self.root, active)
        return active


def find_running(backend: Backend, volume: Volume | None, address: str) -> RunningJob | None:
    """The job that works on a resource in a volume, whoever launched it; the oldest, should there be several.

    Raises:
        TswsError: nobody answers.
    """
    if volume is None:
        return None
    found = [one for one in backend.running(volume) if one.job.address == address]
    return min(found, key=lambda one: one.launched_at, default=None)


def new_job_id(address: str) -> str:
    """A name that no job had before; they sort by time."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{address}-{secrets.token_hex(3)}"


def _wanted(
    fingerprint: str, manifest: dict[str, Any], targets: tuple[str, ...], kind: str, replace: tuple[str, ...]
) -> str:
    """A known fingerprint says it all; without one the manifest does, what is operational included."""
    return digest_value([fingerprint or manifest, targets, kind, replace])
