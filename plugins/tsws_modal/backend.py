"""Modal as a place where work runs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import ClassVar

import msgspec

from tsws.errors import JobError, TswsError
from tsws.job import Event, Handle, Job, JobStatus
from tsws.plugin import Backend, Finding, Price, RunningJob, Volume
from tsws_modal.errors import refusals
from tsws_modal.files import Listed
from tsws_modal.layout import ENDED
from tsws_modal.options import ModalOptions
from tsws_modal.place import JobPlace, is_last
from tsws_modal.prices import price_of
from tsws_modal.stream import Stream
from tsws_modal.volume import ModalVolume

POLL = 1.0
"""Seconds between looks at the volume while a client follows a job."""
ASK = 5.0
"""Seconds without anything new after which it is asked whether the job's containers still work."""
PATIENCE = 120.0
"""Seconds for which a client that follows a job bears with a line that is broken."""
RETRY = 2.0
"""Seconds between its tries."""
ALIVE = 60.0
"""Seconds since the last sign of a container, at most, for which it is taken to cost what it did before."""


class ModalBackend(Backend):
    """Runs workers in Modal's containers, in a volume of Modal's."""

    name = "modal"
    Options = ModalOptions
    options: ModalOptions
    outlives_client = True
    stops_at_cost = True
    worker: ClassVar[str] = "tsws.worker"
    """The module that is the worker."""
    poll: ClassVar[float] = POLL

    def launch(self, job: Job, volume: Volume | None) -> Handle:
        from tsws_modal.launching import launch

        where = launch(job, _modal_volume(job, volume), self.options, self.base, self.worker)
        return Handle(backend=self.table, job=job.id, data=msgspec.to_builtins(where))

    def attach(self, handle: Handle, after: int = 0) -> Iterator[Event]:
        place = JobPlace.of(handle)
        stream = Stream(place, after)
        heard = time.monotonic()
        over = False
        with self._refusals(place):
            place.require_volume()
        while True:
            with self._refusals(place):
                known, events = _look(place, stream)
            for event in events:
                if is_last(event, place.where.address):
                    self._leave(place)
                    yield event
                    return
                yield event
            if over:
                self._leave(place)
                return
            now = time.monotonic()
            heard = now if events else heard
            if ENDED in known:
                over = True  # one more look, for what was committed since this one
                with self._refusals(place):
                    other = place.followed()
                if other is not place:
                    place, stream, over = other, Stream(other, after), False
            elif now - heard >= ASK:
                with self._refusals(place):
                    over = not place.is_unfinished(known)
                heard = now
            if not over:
                time.sleep(self.poll)

    def cancel(self, handle: Handle) -> None:
        from tsws_modal.cancelling import cancel

        place = JobPlace.of(handle)
        with self._refusals(place):
            cancel(place.followed(), self.poll)

    def status(self, handle: Handle) -> JobStatus:
        place = JobPlace.of(handle)
        with self._refusals(place):
            place = place.followed()
            known = place.look()
            unfinished = place.is_unfinished(known)
            if not unfinished:
                known = place.look()  # what was committed before the last call ended
            said = place.last_word(known)
            if said is not None:
                return said
            return JobStatus.RUNNING if unfinished else JobStatus.GONE

    def last_words(self, handle: Handle) -> str:
        place = JobPlace.of(handle)
        with self._refusals(place):
            return place.log()

    def obituary(self, handle: Handle) -> TswsError | None:
        from tsws_modal.obituary import obituary

        place = JobPlace.of(handle)
        with self._refusals(place):
            return obituary(place)

    def running(self, volume: Volume) -> Iterable[RunningJob]:
        from tsws_modal.jobs import running

        return running(self.table, volume) if isinstance(volume, ModalVolume) else ()

    def price(self) -> Price | None:
        from tsws_modal.rates import known_rates

        rates, day = known_rates(self.base)
        return price_of(self.options, rates, day)

    def cost_limit(self) -> float | None:
        return self.options.max_cost

    def spent(self, handle: Handle) -> float | None:
        place = JobPlace.of(handle)
        with self._refusals(place):
            place = place.followed()
            beat = place.beat()
            if beat is None:
                return 0.0
            since = min(max(0.0, time.time() - beat.time), ALIVE) if place.ended() is None else 0.0
        return beat.dollars + beat.rate * since / 3600.0

    def refresh(self) -> None:
        from tsws_modal.rates import refresh_rates

        refresh_rates(self.base)

    def examine(self) -> Iterator[Finding]:
        from tsws_modal.examining import examine

        return examine(self.table, self.options, self.base)

    def _leave(self, place: JobPlace) -> None:
        """Nothing is left to do for the job's app."""
        from tsws_modal.deploying import stop

        stop(place.where.app, place.where.app_environment, place.client)

    def _refusals(self, place: JobPlace):  # type: ignore[no-untyped-def]
        return refusals(JobError, place.where.address)


def _look(place: JobPlace, stream: Stream) -> tuple[dict[str, Listed], list[Event]]:
    """What there is of a job now. A line that breaks is waited for: the job does not need it."""
    from modal.exception import ConnectionError as Unreachable
    from modal.exception import InternalError, ServiceError

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            known = place.look()
            return known, stream.read(known)
        except (Unreachable, InternalError, ServiceError, OSError):
            if time.monotonic() >= deadline:
                raise
            time.sleep(RETRY)


def _modal_volume(job: Job, volume: Volume | None) -> ModalVolume:
    """
    Raises:
        JobError: the job is to work where Modal can not.
    """
    if isinstance(volume, ModalVolume):
        return volume
    where = f"volume {volume.name} is of kind {volume.kind!r}" if volume is not None else "it has no volume"
    raise JobError(
        f"{job.address}: Modal works in volumes of Modal, and {where}",
        hint='give the run a `volume`, with `kind = "modal"` in its table',
    )
