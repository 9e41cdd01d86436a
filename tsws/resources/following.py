"""Following a job to its end: what it says is heard here, and its end is noted."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from tsws.errors import InterruptedByUser, JobError, TswsError
from tsws.io.sizes import format_dollars
from tsws.job import Done, Emit, Event, Failed, Job, Metric, Started
from tsws.plugin import Backend
from tsws.resources.active_jobs import ActiveJob, active_job, keep_job

POLL = 0.2
"""Seconds between looks at the stop flag while waiting for events."""


class Meter:
    """Adds to the numbers of a job what it has cost so far: the time since its first word, at the price of its machine."""

    def __init__(self, backend: Backend) -> None:
        price = backend.price()
        self._dollars_per_second = price.dollars_per_hour / 3600.0 if price is not None else None
        self._began: float | None = None

    def read(self, event: Event) -> Event:
        """The event; of one with numbers, with ``dollars`` among them where the machine has a price."""
        self._began = event.time if self._began is None else self._began
        if self._dollars_per_second is None or not isinstance(event, Metric):
            return event
        dollars = (event.time - self._began) * self._dollars_per_second
        return msgspec.structs.replace(event, values={**event.values, "dollars": dollars})


def follow(root: Path, backend: Backend, active: ActiveJob, emit: Emit, stop: Callable[[], bool]) -> None:
    """Hear a job until it ends.

    Raises:
        JobError: the worker failed or vanished.
        InterruptedByUser: ``stop`` became true; the job was stopped, or goes on where it outlives its client.
    """
    events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()

    def listen() -> None:
        try:
            for event in backend.attach(active.handle):
                events.put(event)
            events.put(None)
        except BaseException as error:  # noqa: BLE001  handed to the thread that waits, and raised there
            events.put(error)

    threading.Thread(target=listen, name=f"tsws-attach-{active.address}", daemon=True).start()
    meter = Meter(backend)
    cancelled = False
    while True:
        if stop() and not cancelled:
            cancelled = True
            if backend.outlives_client:
                raise _left_behind(backend, active.address)
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
            raise _vanished(root, backend, active, cancelled=cancelled)
        if event_ends(event, active.address):
            note_end(root, active)
            if isinstance(event, Failed):
                raise failure(event)
            return
        if not (isinstance(event, Started) and event.address == active.address):
            emit(meter.read(event))


def note_end(root: Path, active: ActiveJob) -> None:
    """Keep that a job is over. A job that somebody has replaced in the meantime is nobody's any more."""
    known = active_job(root, active.address)
    if known is None or known.handle == active.handle:
        keep_job(root, msgspec.structs.replace(active, ended=True, intent=None))


def launched_words(backend: Backend, job: Job) -> str:
    """``the job 20260504-... is launched on modal (T4)``."""
    price = backend.price()
    machine = f" ({price.machine})" if price is not None and price.machine else ""
    return f"the job {job.id} is launched on {backend.table}{machine}"


def event_ends(event: Event, address: str) -> bool:
    """Whether an event is the last of the job for a resource."""
    return isinstance(event, (Done, Failed)) and event.address == address


def failure(event: Failed) -> TswsError:
    """The error that a worker's last word stands for."""
    kind = InterruptedByUser if event.interrupted else JobError
    return kind(event.message, hint=event.hint)


def _left_behind(backend: Backend, address: str) -> InterruptedByUser:
    """What a person hears who leaves a job running."""
    price = backend.price()
    cost = "" if price is None else f", at {format_dollars(price.dollars_per_hour)} an hour"
    return InterruptedByUser(
        f"{address} goes on without this client{cost}",
        hint=f"`tsws apply` or `tsws logs -f` comes back to it, `tsws cancel {address}` stops it",
    )


def _vanished(root: Path, backend: Backend, active: ActiveJob, *, cancelled: bool) -> TswsError:
    note_end(root, active)
    if cancelled:  # it was not far enough to say so itself, or took too long
        return InterruptedByUser(f"{active.address}: stopped on request", hint="`tsws apply` continues")
    known = backend.obituary(active.handle)
    if known is not None:
        return known
    words = backend.last_words(active.handle).strip()
    return JobError(
        f"the worker of {active.address} died without a last word" + (f":\n{words}" if words else ""),
        hint="`tsws apply` continues from the last checkpoint",
    )
