"""The events of a job, read from its volume as they are committed."""

from __future__ import annotations

from tsws.job import Event
from tsws_modal.files import Listed
from tsws_modal.layout import EVENTS
from tsws_modal.place import JobPlace, event_of, segments_of


class Stream:
    """Reads events from some position on; asked again, it goes on where it stopped.

    Args:
        place: the job.
        after: how many events to leave out.
    """

    def __init__(self, place: JobPlace, after: int) -> None:
        self.position = after
        self._place = place
        self._seen: dict[str, int] = {}
        """The size that each segment had when it was read to its end: with the same size there is nothing new in it."""

    def read(self, known: dict[str, Listed]) -> list[Event]:
        """The events that there are and that were not read yet. One that fails half-way has read nothing.

        Args:
            known: the files of the job.
        """
        position, seen = self.position, dict(self._seen)
        events: list[Event] = []
        for stretch in segments_of(known):
            name = stretch.segment.name
            size = known[f"{EVENTS}/{name}"].size
            if (stretch.end is not None and stretch.end <= position) or seen.get(name) == size:
                continue
            data = self._place.files.read(f"{self._place.folder}/{EVENTS}/{name}") or b""
            lines = data.split(b"\n")[:-1]  # what stands behind the last newline was torn off
            last = len(lines) if stretch.end is None else stretch.end - stretch.segment.start
            fresh = lines[max(0, position - stretch.segment.start) : last]
            events += [event_of(line, self._place.where.address) for line in fresh]
            position += len(fresh)
            seen[name] = size
        self.position, self._seen = position, seen
        return events
