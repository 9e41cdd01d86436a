"""A job on its volume, as a client sees it: by its handle, from any machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import msgspec

from tsws.errors import JobError
from tsws.job import Done, Event, Failed, Handle, JobStatus, Log, decode_event
from tsws_modal.calls import any_unfinished
from tsws_modal.client import connect
from tsws_modal.files import Listed, VolumeFiles
from tsws_modal.layout import BEAT, CALLS, ENDED, EVENTS, LOG, Beat, Ended, job_folder
from tsws_modal.segments import Stretch, stretches

if TYPE_CHECKING:
    import modal


Record = TypeVar("Record", bound=msgspec.Struct)


class Whereabouts(msgspec.Struct, frozen=True, kw_only=True):
    """``Handle.data``: where a job is."""

    address: str
    app: str
    volume: str
    """Its name on Modal."""
    volume_environment: str | None = None
    app_environment: str | None = None
    call: str = ""
    """The function call that was made first; those that followed are on the volume."""


@dataclass(frozen=True)
class JobPlace:
    """A launched job."""

    job: str
    where: Whereabouts

    @classmethod
    def of(cls, handle: Handle) -> JobPlace:
        """The job of a handle.

        Raises:
            JobError: the handle is not one of this backend.
        """
        try:
            return cls(handle.job, msgspec.convert(handle.data, Whereabouts))
        except msgspec.ValidationError as error:
            raise JobError(
                f"the handle of the job {handle.job} is none of Modal's: {error}",
                hint="remove the job's file in .tsws/jobs, and run `tsws apply` again",
            ) from error

    def followed(self) -> JobPlace:
        """The job that makes the same and was there first, when this one stood back for it; else this one."""
        ended = self.ended()
        if ended is None or not ended.instead:
            return self
        return JobPlace(ended.instead, msgspec.structs.replace(self.where, call="")).followed()

    @property
    def folder(self) -> str:
        """On the volume."""
        return job_folder(self.job)

    @cached_property
    def client(self) -> modal.Client:
        """Connected."""
        return connect(JobError, self.where.address)

    @cached_property
    def files(self) -> VolumeFiles:
        """Of the volume."""

        def volume() -> modal.Volume:
            import modal

            name, environment = self.where.volume, self.where.volume_environment
            return modal.Volume.from_name(name, environment_name=environment, client=self.client)

        return VolumeFiles(volume)

    def require_volume(self) -> None:
        """
        Raises:
            Exception: the volume is not there any more, as Modal's client raises it.
        """
        self.files.volume.hydrate(self.client)

    def look(self) -> dict[str, Listed]:
        """All files of the job, by their paths in its folder."""
        return self.files.list(self.folder, deep=True)

    def is_unfinished(self, known: Iterable[str]) -> bool:
        """Whether a container works on it, or is to.

        Args:
            known: as :meth:`look` gives it.
        """
        if ENDED in known:
            return False
        calls = {name.removeprefix(f"{CALLS}/") for name in known if name.startswith(f"{CALLS}/")}
        return any_unfinished(calls | ({self.where.call} - {""}), self.client)

    def ended(self) -> Ended | None:
        """How it ended by its last container's words; None while there are none."""
        return self._decoded(ENDED, Ended)

    def beat(self) -> Beat | None:
        """How its containers were when they were seen last."""
        return self._decoded(BEAT, Beat)

    def log(self) -> str:
        """The end of what a worker that died had printed."""
        return (self.files.read(f"{self.folder}/{LOG}") or b"").decode(errors="replace").strip()

    def last_word(self, known: Iterable[str]) -> JobStatus | None:
        """How it ended by the worker's own words; None while it has not said."""
        found = segments_of(known)
        data = self.files.read(f"{self.folder}/{EVENTS}/{found[-1].segment.name}") if found else None
        complete = (data or b"").rpartition(b"\n")[0]
        if not complete:
            return None
        event = event_of(complete.rpartition(b"\n")[2], self.where.address)
        if not is_last(event, self.where.address):
            return None
        return JobStatus.DONE if isinstance(event, Done) else JobStatus.FAILED

    def _decoded(self, name: str, form: type[Record]) -> Record | None:
        data = self.files.read(f"{self.folder}/{name}")
        return msgspec.json.decode(data, type=form) if data else None


def segments_of(known: Iterable[str]) -> list[Stretch]:
    """What counts of the events among the files of a job."""
    start = f"{EVENTS}/"
    return stretches(name.removeprefix(start) for name in known if name.startswith(start))


def event_of(line: bytes, address: str) -> Event:
    """The event of a line. One of a newer version still counts as one, so that positions stay true."""
    try:
        return decode_event(line)
    except msgspec.DecodeError as error:
        return Log(address=address, level="warning", message=f"the worker said something unknown here: {error}")


def is_last(event: Event, address: str) -> bool:
    """Whether the worker says nothing more after this event."""
    return isinstance(event, Done | Failed) and event.address == address
