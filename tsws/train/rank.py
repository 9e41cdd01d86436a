"""Which of several processes this is, and its part of every step. Works without torch.

The rows of a step are those of one process with the same numbers, in the same order: they are only shared out. Processes
take whole micro-batches where these go round, and otherwise equal parts of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tsws.errors import TrainError
from tsws.train.recipe import Hyperparameters


@dataclass(frozen=True)
class Rank:
    """One of the processes that train together."""

    number: int = 0
    """Counts through all machines; 0 leads: it alone evaluates and writes."""
    size: int = 1
    """Processes on all machines."""
    local: int = 0
    """Number among those of its own machine: the GPU that it takes."""
    local_size: int = 1
    """Processes on its own machine."""

    @property
    def is_alone(self) -> bool:
        """Whether there is nobody to share with."""
        return self.size == 1


def of_one_rank(h: Hyperparameters, size: int) -> Hyperparameters:
    """A run's numbers as one of ``size`` equal processes has them: a part of the micro-batches, or of their rows.

    Raises:
        TrainError: the rows of a step can not be shared evenly.
    """
    turns = math.gcd(h.gradient_accumulation_steps, size)
    parts = size // turns  # of each micro-batch
    if h.batch_size % parts:
        rows = h.batch_size * h.gradient_accumulation_steps
        raise TrainError(
            f"the {rows} rows of a step (batch_size {h.batch_size}, gradient_accumulation_steps"
            f" {h.gradient_accumulation_steps}) can not be shared evenly among {size} processes",
            hint=f"choose gradient_accumulation_steps or batch_size as a multiple of {size}",
        )
    return replace(
        h,
        batch_size=h.batch_size // parts,
        gradient_accumulation_steps=h.gradient_accumulation_steps // turns,
    )
