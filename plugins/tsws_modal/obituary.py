"""Why a job is gone: what its calls ended with, and what its last container found."""

from __future__ import annotations

import signal

from tsws.errors import JobError
from tsws_modal.calls import fault_of
from tsws_modal.errors import FROM_CHECKPOINT, explain
from tsws_modal.layout import CALLS
from tsws_modal.place import JobPlace


def obituary(place: JobPlace) -> JobError | None:
    """The error to show for a job that ended without a last word; None when nothing is known of why."""
    ended = place.ended()
    address = place.where.address
    if ended is not None and ended.exit == -signal.SIGKILL:
        words = place.log()
        return JobError(
            f"{address}: the worker was killed, most likely as the container's memory was full"
            + (f":\n{words}" if words else ""),
            hint="ask for more `memory` in the backend's table, or lower `batch_size`; " + FROM_CHECKPOINT,
        )
    if ended is not None:
        return None
    names = {name.removeprefix(f"{CALLS}/") for name in place.look() if name.startswith(f"{CALLS}/")}
    faults = [fault for call in sorted(names | ({place.where.call} - {""})) if (fault := fault_of(call, place.client))]
    found = explain(faults[-1]) if faults else None
    return JobError(f"{address}: {found.what}", hint=found.hint) if found else None
