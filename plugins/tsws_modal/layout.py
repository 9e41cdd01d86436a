"""Where a job's files lie on its volume, and what is in them.

===============================  ============================================================================
``.tsws/jobs/ID/job.json``       the job; written by the client before it launches anything
``.tsws/jobs/ID/calls/fc-...``   one empty file for every function call that works on the job
``.tsws/jobs/ID/events/``        what the worker said, in segments (``tsws_modal/segments.py``)
``.tsws/jobs/ID/beat.json``      how long its containers have worked, and what that has cost
``.tsws/jobs/ID/stop``           somebody asks the worker to stop after a checkpoint
``.tsws/jobs/ID/log.txt``        the end of what a worker that died had printed
``.tsws/jobs/ID/ended.json``     it is over, and how
``.tsws/leases/ADDRESS/``        who works on a resource (``tsws_modal/lease.py``)
``.tsws/compiled/``              what workers have compiled (``tsws_modal/compiled.py``)
===============================  ============================================================================
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from tsws.job import JobStatus

MOUNT = "/workspace"
"""Where containers have the volume: the workspace that the worker works in."""
JOBS = ".tsws/jobs"
LEASES = ".tsws/leases"
COMPILED = ".tsws/compiled"
JOB, BEAT, STOP, LOG, ENDED = "job.json", "beat.json", "stop", "log.txt", "ended.json"
CALLS, EVENTS = "calls", "events"
_LONGEST_NAME = 60
"""Characters of an app's name; Modal takes 64."""

Stage = Literal["prepare", "work"]
"""Of a job: what needs no accelerator first, on a machine without one; then the rest. Also the names of the functions."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What a function is called with, as JSON: all that a container needs to know beside the job itself."""

    job: str
    address: str
    stage: Stage
    app: str
    volume: str
    volume_environment: str | None = None
    app_environment: str | None = None
    worker: str = "tsws.worker"
    timeout: float
    """Seconds after which a container hands over to the next one."""
    rates: dict[str, float]
    """Dollars an hour, by stage."""
    max_cost: float | None = None
    machine: str = ""
    nodes: int = 1
    """Machines that the second stage works on together."""


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """How a job's containers are."""

    time: float
    """Seconds since the epoch."""
    seconds: float
    """Of all containers together, until now."""
    dollars: float
    rate: float
    """Dollars an hour, of the present container."""
    machine: str


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended."""

    status: JobStatus
    exit: int | None = None
    """Exit status of a worker that ended without a last word; negative: the signal that killed it."""
    instead: str = ""
    """Another job that makes the very same, and was there first: whoever follows this one follows that one."""


def job_folder(job: str) -> str:
    """Of a job, relative to the volume."""
    return f"{JOBS}/{job}"


def lease_folder(address: str) -> str:
    """Where the claims to a resource are."""
    return f"{LEASES}/{address}"


def app_name(job: str) -> str:
    """The app of a job: one each, with a name that everybody can tell. So to launch a job twice deploys one app."""
    name = f"tsws-{job}"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:40].rstrip('-._')}-{hashlib.sha256(job.encode()).hexdigest()[:16]}"
