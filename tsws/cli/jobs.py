"""What jobs say: the events of a resource's last or running job."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tsws.cli.tracks import Tracks, Training
from tsws.errors import TswsError
from tsws.job import Event, JobStatus

if TYPE_CHECKING:
    from tsws.plugin import Backend
    from tsws.resources.active_jobs import ActiveJob
    from tsws.workspace.context import Context

SILENCE = 0.5
"""Seconds without an event after which a running job has said all that it has said until now: several times what a
backend needs between two events that lie ready. A job that says more than that has reached now when its events have."""
LONGEST = 10.0
"""Seconds to listen at most, should the clock of the job's machine be late."""


def backend_of(context: Context, job: ActiveJob) -> Backend:
    """The backend that a job runs on.

    Raises:
        PluginError: no plugin provides it any more.
    """
    from tsws.resources import active_jobs

    return active_jobs.backend_of(job, context.plugins, context.root)


def events_of(backend: Backend, job: ActiveJob, *, follow: bool) -> Iterator[Event]:
    """What a job has said.

    Args:
        backend: the job's.
        job: running or ended.
        follow: stay until the job ends; False ends with what there is now.
    """
    if follow or job.ended or backend.status(job.handle) is not JobStatus.RUNNING:
        yield from backend.attach(job.handle)
        return
    heard: queue.SimpleQueue[Event | TswsError | None] = queue.SimpleQueue()

    def listen() -> None:
        try:
            for event in backend.attach(job.handle):
                heard.put(event)
            heard.put(None)
        except TswsError as error:
            heard.put(error)

    began = time.time()
    threading.Thread(target=listen, name=f"tsws-listen-{job.address}", daemon=True).start()
    while time.time() < began + LONGEST:
        try:
            event = heard.get(timeout=SILENCE)
        except queue.Empty:
            return
        if isinstance(event, TswsError):
            raise event
        if event is None or event.time > began:
            return
        yield event


def training_of(context: Context, job: ActiveJob) -> Training | None:
    """How far the run of a job is, from what it has said until now; None before its first step."""
    tracks = Tracks()
    training = None
    for event in events_of(backend_of(context, job), job, follow=False):
        track = tracks.take(event)
        if event.address == job.address:
            training = track.training
    return training
