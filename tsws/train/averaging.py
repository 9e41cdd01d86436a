"""Gradients of several processes, averaged: what DDP does, for whatever computes them.

torch's ``DistributedDataParallel`` hooks into torch's own backward pass, which the step in C does not have. One all-reduce of
all gradients at the end of a step serves both, and adds in the same order every time.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor, nn

from tsws.errors import TrainError
from tsws.train.gradients import Gradients
from tsws.train.rank import Rank


class AveragedGradients(Gradients):
    """The mean of all processes' gradients and losses; every process gets the same bits.

    Args:
        own: computes this process's part.
        model: whose gradients they are.
        rank: of this process, in the default process group.
        lost: says why others can not be reached any more.
    """

    def __init__(
        self, own: Gradients, model: nn.Module, rank: Rank, lost: Callable[[RuntimeError], TrainError]
    ) -> None:
        self.name = own.name
        self._own = own
        self._model = model
        self._rank = rank
        self._lost = lost
        self._losses: list[Tensor] = []

    def prepare(self) -> None:
        self._own.prepare()

    def begin(self) -> None:
        # Every process has begun the step with the same seed, but other rows want other dropout.
        torch.manual_seed(torch.initial_seed() + self._rank.number)
        self._losses = []
        self._own.begin()

    def add(self, inputs: Tensor, targets: Tensor, share: float) -> Tensor:
        """See :meth:`Gradients.add`; the loss becomes the mean of all processes at :meth:`end`."""
        loss = self._own.add(inputs, targets, share)
        self._losses.append(loss)
        return loss

    def end(self) -> None:
        self._own.end()
        gradients = [parameter.grad for parameter in self._model.parameters() if parameter.grad is not None]
        parts = [*gradients, *self._losses]
        flat = torch.cat([part.flatten().float() for part in parts])
        flat = self._mean(flat) if dist.get_backend() == "nccl" else self._mean(flat.cpu()).to(flat.device)
        place = 0
        for part in parts:
            part.copy_(flat[place : place + part.numel()].view_as(part))
            place += part.numel()

    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        return self._own.loss(inputs, targets)

    def _mean(self, flat: Tensor) -> Tensor:
        try:
            dist.all_reduce(flat)
        except RuntimeError as error:  # torch's way to say that a connection broke
            raise self._lost(error) from error
        return flat.div_(self._rank.size)
