"""Batches made ready while the device computes the one before."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from tsws.train.data import Batches

_Pair = tuple[Tensor, Tensor]


class Ahead(Batches):
    """The same batches, the next one always on its way in a thread, in memory that a GPU can read while it computes.

    Args:
        batches: which ones.
    """

    def __init__(self, batches: Batches) -> None:
        super().__init__(
            batches.rows,
            seed=batches.seed,
            batch_size=batches.batch_size,
            micro_steps=batches.micro_steps,
            rank=batches.rank,
            world_size=batches.world_size,
        )
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._next: tuple[tuple[int, int], Future[_Pair]] | None = None

    def batch(self, step: int, micro: int = 0) -> _Pair:
        wanted = (step, micro)
        coming = self._next[1] if self._next is not None and self._next[0] == wanted else self._order(*wanted)
        pair = coming.result()
        following = (step, micro + 1) if micro + 1 < self.micro_steps else (step + 1, 0)
        self._next = following, self._order(*following)
        return pair

    def _order(self, step: int, micro: int) -> Future[_Pair]:
        return self._thread.submit(self._pinned, step, micro)

    def _pinned(self, step: int, micro: int) -> _Pair:
        inputs, targets = super().batch(step, micro)
        return (inputs.pin_memory(), targets.pin_memory()) if torch.cuda.is_available() else (inputs, targets)
