"""Where a step's arithmetic happens: losses of micro-batches and their gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from tsws.train.device import Device


class Gradients(ABC):
    """Computes for one model. Everything else of a step (clipping, the optimizer) works on ``parameter.grad``."""

    name: str
    """Which arithmetic this is, for people and for the checkpoint: ``torch``, ``native``."""

    @abstractmethod
    def prepare(self) -> None:
        """Take in the weights as they now are: before :meth:`loss`, whenever they have changed."""

    @abstractmethod
    def begin(self) -> None:
        """Begin a step: take in the weights, forget all gradients."""

    @abstractmethod
    def add(self, inputs: Tensor, targets: Tensor, share: float) -> Tensor:
        """Add ``share`` times the gradient of a micro-batch's mean loss.

        Args:
            inputs: int64 ``(rows, seq)``.
            targets: int64 ``(rows, seq)``; -1 counts for nothing.
            share: of this micro-batch in the step's loss.

        Returns:
            the mean loss in nats a token, a scalar without a graph.
        """

    @abstractmethod
    def end(self) -> None:
        """Make every parameter's ``grad`` the sum of what was added."""

    @abstractmethod
    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """The mean loss alone, without gradients."""


class TorchGradients(Gradients):
    """torch's own, on any device and for any model.

    Args:
        model: ``forward(tokens, targets)`` returns ``(logits, loss)``.
        device: where it lives.
    """

    name = "torch"

    def __init__(self, model: nn.Module, device: Device) -> None:
        self._model = model
        self._device = device

    def prepare(self) -> None:
        """Nothing to do: torch works on the weights themselves."""

    def begin(self) -> None:
        self._model.zero_grad(set_to_none=True)

    def add(self, inputs: Tensor, targets: Tensor, share: float) -> Tensor:
        loss = self._forward(inputs, targets)
        (loss * share).backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def end(self) -> None:
        """Nothing to do: torch adds where the gradients stay."""

    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        with torch.no_grad():
            return self._forward(inputs, targets)

    def _forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        target = self._device.target
        with self._device.autocast():
            _, loss = self._model(inputs.to(target, non_blocking=True), targets.to(target, non_blocking=True))
        if not isinstance(loss, Tensor):
            raise AssertionError("a model that is given targets returns a loss")
        return loss
