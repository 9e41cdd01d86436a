"""Stopping a job: asked first, so that it writes a checkpoint, and made to when it does not listen."""

from __future__ import annotations

import time
from collections.abc import Iterable

from tsws_modal.calls import is_unfinished
from tsws_modal.layout import BEAT, CALLS, STOP
from tsws_modal.place import JobPlace

GRACE = 600.0
"""Seconds that a worker gets to stop after a checkpoint, before its calls are cancelled."""
ALIVE = 120.0
"""Seconds within which a container that works has given a sign of it: what waits for a machine hears no request."""


def cancel(place: JobPlace, poll: float) -> None:
    """Stop a job, and return when it has.

    Args:
        place: the job.
        poll: seconds between looks.

    Raises:
        Exception: Modal refuses, as its client raises it.
    """
    import modal

    known = place.look()
    if not place.is_unfinished(known):
        return
    place.files.put(f"{place.folder}/{STOP}", b"")
    deadline = time.monotonic() + (GRACE if _works(place) else 0.0)
    while place.is_unfinished(known):
        if time.monotonic() >= deadline:
            for call in _calls(place, known):
                if is_unfinished(call, place.client):
                    modal.FunctionCall.from_id(call, client=place.client).cancel(terminate_containers=True)
            return
        time.sleep(poll)
        known = place.look()


def _works(place: JobPlace) -> bool:
    beat = place.beat() if BEAT in place.look() else None
    return beat is not None and time.time() - beat.time < ALIVE


def _calls(place: JobPlace, known: Iterable[str]) -> set[str]:
    return {name.removeprefix(f"{CALLS}/") for name in known if name.startswith(f"{CALLS}/")} | (
        {place.where.call} - {""}
    )
