"""Containers that train together: which of them this one is, and what those do that do not lead.

Modal calls all of them with the same orders. The one with rank 0 leads: it has its turn like a container that is alone. The others compute for
it, and say and write nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tsws.job import decode_job
from tsws_modal.calls import is_unfinished
from tsws_modal.compiled import Compiled
from tsws_modal.files import VolumeFiles
from tsws_modal.layout import JOB, Orders, job_folder
from tsws_modal.stops import Reason
from tsws_modal.turn import Outcome
from tsws_modal.worker import Worker

PORT = 29500
"""Where the leading container listens: the port that torchrun takes, too."""
TICK = 0.5
"""Seconds between looks at the worker."""
LOOK = 5.0
"""Seconds between looks whether the leading container still works."""


@dataclass(frozen=True)
class Seat:
    """One container among those that train together."""

    rank: int = 0
    leader: str = ""
    """Address of the one with rank 0; empty for a container that is alone."""

    @property
    def variables(self) -> dict[str, str]:
        """By which the worker finds the others."""
        if not self.leader:
            return {}
        return {"NODE_RANK": str(self.rank), "MASTER_ADDR": self.leader, "MASTER_PORT": str(PORT)}


def find_seat(orders: Orders) -> Seat:
    """Where this container sits."""
    if orders.nodes == 1 or orders.stage == "prepare":
        return Seat()
    import modal

    cluster = modal.Cluster.from_context()
    return Seat(cluster.container_rank(), cluster.container_ips()[0])


def help_out(
    orders: Orders, seat: Seat, files: VolumeFiles, place: Path, call: str, asked: Callable[[], Reason | None]
) -> Outcome:
    """Compute for the leading container until it has ended, or the machine is wanted.

    Args:
        orders: what all were called with.
        seat: of this container.
        files: of the volume, as the server has them.
        place: where the volume is mounted.
        call: the function call that all work on.
        asked: what the machine asks for; None: nothing.
    """
    files.volume.reload()  # what earlier containers committed since this one started
    job = decode_job((place / job_folder(orders.job) / JOB).read_bytes())
    job = msgspec.structs.replace(job, root=None)
    with Compiled(place) as compiled, Worker(job, orders.worker, place, compiled.folder, seat.variables) as worker:
        looked = time.monotonic()
        while not worker.wait(TICK):
            if asked():
                return Outcome("the machine was taken away", final=False)
            if time.monotonic() - looked >= LOOK:
                looked = time.monotonic()
                if not is_unfinished(call):
                    break
    return Outcome(f"helped as number {seat.rank}", final=True)
