"""Who may work on a resource in a volume. Pure: what the volume says in, a verdict out.

Modal's volumes know no locks, and the last writer wins. But an upload that must not replace anything is refused when
the file is there, and that is decided in one place. So whoever wants to work on a resource creates the next numbered claim in its
folder; of two, one succeeds. The holder of the highest number holds the lease, until it gives it back (``NUMBER.free``) or
its function call has ended: Modal knows that. The number counts every container that took over, so it also names the
part of the events that a container may write.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable

import msgspec

PATIENCE = 60.0
"""Seconds that a container waits for another job to give a resource back: one that is just ending."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One claim to a resource."""

    job: str
    call: str
    """The function call of the container that holds it."""
    time: float
    """Seconds since the epoch."""


class Verdict(enum.Enum):
    """What a container that wants to work on a resource has to do."""

    TAKE = "take"
    """Claim it."""
    STAND_BACK = "stand back"
    """Another container works on the same job."""
    BUSY = "busy"
    """Another job works on the resource."""


def latest(names: Iterable[str]) -> tuple[int, bool]:
    """The highest claim among the names of a folder, and whether it was given back; 0 when there is none."""
    known = set(names)
    numbers = [int(name.removesuffix(".json")) for name in known if name.endswith(".json") and name[:-5].isdigit()]
    number = max(numbers, default=0)
    return number, free_name(number) in known


def claim_name(number: int) -> str:
    """File of a claim."""
    return f"{number:06}.json"


def free_name(number: int) -> str:
    """File that says that a claim was given back."""
    return f"{number:06}.free"


def verdict(held: Claim | None, job: str, call: str, has_ended: Callable[[Claim], bool]) -> Verdict:
    """What a container that wants to work on a resource has to do.

    Args:
        held: the claim that holds; None: nobody's, or given back.
        job: what is to be worked on.
        call: the container's own function call.
        has_ended: whether all calls of a claim's job, but for the container's own, have ended; asked only when it decides.
    """
    # The same call in another container: Modal has delivered it again, so the first container is gone.
    if held is None or (held.job, held.call) == (job, call) or has_ended(held):
        return Verdict.TAKE
    return Verdict.STAND_BACK if held.job == job else Verdict.BUSY
