"""Token shards as rows, in an order that depends on the seed alone.

A shard is a file of little-endian uint16 tokens, as llama2.c's ``tinystories.py`` writes them. Row ``i`` of a shard
begins at token ``i * max_seq_len`` and has ``max_seq_len + 1`` tokens: inputs, and targets one further. Rows of all
shards count through, shard after shard. Each epoch takes every row once, in an order of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch
from numpy.typing import NDArray

from tsws.errors import FormatError

_TOKEN = np.dtype("<u2")


class Rows:
    """The rows of some shards, mapped into memory.

    Args:
        paths: the shards, in the order that counts.
        max_seq_len: tokens of a row, its last target apart.
        vocab_size: tokens must be below it.

    Raises:
        FormatError: a shard is not made of uint16, or all together have not one row.
        OSError: a shard can not be read.
    """

    def __init__(self, paths: Sequence[Path], *, max_seq_len: int, vocab_size: int) -> None:
        self.paths = tuple(paths)
        self.max_seq_len = max_seq_len
        self.vocab_size = vocab_size
        self._shards = [_open(path) for path in self.paths]
        counts = [max(0, (len(shard) - 1) // max_seq_len) for shard in self._shards]
        self._starts = [0, *accumulate(counts)]  # number of the first row of each shard, and of all rows
        if not len(self):
            names = ", ".join(path.name for path in self.paths) or "no file"
            raise FormatError(
                f"too few tokens: {names} together hold {sum(map(len, self._shards))}, one row needs {max_seq_len + 1}",
                hint="use more text, or a model with a smaller max_seq_len",
            )

    def __len__(self) -> int:
        return self._starts[-1]

    def take(self, numbers: Sequence[int] | NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Some rows as inputs and targets, each int64 ``(len(numbers), max_seq_len)``.

        Raises:
            FormatError: a token is outside the vocabulary.
        """
        width = self.max_seq_len
        tokens = np.empty((len(numbers), width + 1), dtype=_TOKEN)
        for place, number in enumerate(numbers):
            shard, start = self._find(int(number))
            tokens[place] = self._shards[shard][start : start + width + 1]
        if tokens.size and int(tokens.max()) >= self.vocab_size:
            self._refuse(numbers, tokens)
        rows = torch.from_numpy(tokens.astype(np.int64))
        return rows[:, :-1].contiguous(), rows[:, 1:].contiguous()

    def _find(self, number: int) -> tuple[int, int]:
        """Which shard a row lies in, and at which token it begins."""
        shard = bisect_right(self._starts, number) - 1
        return shard, (number - self._starts[shard]) * self.max_seq_len

    def _refuse(self, numbers: Sequence[int] | NDArray[np.int64], tokens: NDArray[np.uint16]) -> NoReturn:
        place = int((tokens >= self.vocab_size).any(1).argmax())
        shard, start = self._find(int(numbers[place]))
        raise FormatError(
            f"{self.paths[shard]}: token {tokens[place].max()} near place {start}, but the vocabulary has {self.vocab_size}",
            hint="the shards were made with another tokenizer than the model's: make them again",
        )


class Batches:
    """Training batches: which rows one holds is a pure function of seed, step, micro-step and batch size.

    Args:
        rows: of the training data.
        seed: of the order.
        batch_size: rows of a micro-batch.
        micro_steps: micro-batches a step.
        rank, world_size: with several processes, each of which has so many of these micro-batches, this one's number: the rows
            of a step go to one process after the other.
    """

    def __init__(
        self, rows: Rows, *, seed: int, batch_size: int, micro_steps: int, rank: int = 0, world_size: int = 1
    ) -> None:
        self.rows = rows
        self.seed = seed
        self.batch_size = batch_size
        self.micro_steps = micro_steps
        self.rank = rank
        self.world_size = world_size

    def batch(self, step: int, micro: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets of one micro-batch, each int64 ``(batch_size, max_seq_len)``; both counts from 0.

        Raises:
            FormatError: a token is outside the vocabulary.
        """
        return self.rows.take(self.row_numbers(step, micro))

    def row_numbers(self, step: int, micro: int = 0) -> list[int]:
        """The rows of one micro-batch: the next ones of the endless sequence of epochs."""
        first = ((step * self.world_size + self.rank) * self.micro_steps + micro) * self.batch_size
        count = len(self.rows)
        return [
            int(permutation(self.seed, place // count, count)[place % count])
            for place in range(first, first + self.batch_size)
        ]


@lru_cache(maxsize=2)
def permutation(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """The order of ``count`` rows in one epoch.

    Sorts the raw output of the counter-based generator Philox (Salmon et al., SC 2011) keyed by seed and epoch: numpy keeps
    that stream the same for all its versions, which it does not promise for its own shuffling.
    """
    generator = np.random.Philox(key=np.array([seed, epoch], dtype=np.uint64))
    return np.argsort(generator.random_raw(count), kind="stable")


def _open(path: Path) -> NDArray[np.uint16]:
    size = path.stat().st_size
    if size % _TOKEN.itemsize:
        raise FormatError(f"{path}: {size} bytes are not a whole number of uint16 tokens", hint="make the shard again")
    if size == 0:
        return np.empty(0, dtype=_TOKEN)  # an empty file can not be mapped
    return np.memmap(path, dtype=_TOKEN, mode="r")
