"""When a container has to stop its worker. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass

RESERVE = 60.0
"""Seconds that a worker may need for a last checkpoint, and the volume to take it, before money or time is over."""
SHARE = 0.25
"""...but never more of a container's time than this part."""


class Reason(enum.Enum):
    """Why a worker was asked to stop."""

    ASKED = "asked"
    """By a person."""
    CANCELLED = "cancelled"
    """Its function call was, as somebody cancelled it, or as the time of the container was over."""
    COST = "cost"
    TIME = "time"
    PREEMPTED = "preempted"
    """The machine is wanted by somebody else; Modal delivers the call to another one."""
    SUPERSEDED = "superseded"
    """Another container holds the lease: this one was taken for dead."""


@dataclass(frozen=True)
class Budget:
    """What a container may use up."""

    timeout: float
    """Seconds."""
    rate: float
    """Dollars an hour."""
    spent_before: float
    """Dollars, by the job's containers before it."""
    max_cost: float | None

    def spent(self, elapsed: float) -> float:
        """Dollars of the job until now.

        Args:
            elapsed: seconds since the container started to work.
        """
        return self.spent_before + self.rate * elapsed / 3600.0

    def over(self, elapsed: float) -> Reason | None:
        """What is about to be used up; None: nothing."""
        if self.max_cost is not None and self.spent(elapsed + RESERVE) >= self.max_cost:
            return Reason.COST
        if elapsed >= self.timeout - min(RESERVE, SHARE * self.timeout):
            return Reason.TIME
        return None
