"""Where a step's arithmetic happens: losses of micro-batches and their gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from tsws.errors import TrainError
from tsws.model.llama import IGNORED_TARGET
from tsws.train.device import Device
from tsws.train.recompute import recompute_blocks


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

    Where memory is short for the rows of a micro-batch, they are computed in two parts from then on, in four and so on, and where
    it is short for a single row with recomputed activations: the step stays the same but for rounding, and for which numbers
    dropout hits.

    Args:
        model: ``forward(tokens, targets)`` returns ``(logits, loss)``.
        device: where it lives.
        say: hears that memory is short.
    """

    name = "torch"

    def __init__(self, model: nn.Module, device: Device, say: Callable[[str], None] = lambda _line: None) -> None:
        self._model = model
        self._device = device
        self._say = say
        self._training: Callable[..., Any] = model
        """What computes with gradients: the model, or what torch has compiled of it."""
        self._parts = 1
        self._added: list[tuple[Tensor, Tensor, float]] = []
        """The step's micro-batches so far: what fails half-way is begun again."""

    def compile(self, inputs: Tensor, targets: Tensor) -> bool:
        """Let torch compile the model for micro-batches such as this one; gradients are forgotten.

        On a GPU the kernels of a step are launched as one graph, too.

        Returns:
            whether it could: where it can not, one line says so, and all goes on without.
        """
        mode = "reduce-overhead" if self._device.target.type == "cuda" else "default"
        self._training = torch.compile(self._model, dynamic=False, mode=mode)
        try:
            self.begin()
            self.add(inputs, targets, 1.0)
        except RuntimeError as error:  # torch's ways to say that there is no compiler, or that it failed
            self.forget_compiled()
            self._say(f"training without torch.compile, which failed here: {str(error).splitlines()[0]}")
            return False
        finally:
            self.begin()
        return True

    def forget_compiled(self) -> None:
        """Compute with the model itself again."""
        self._training = self._model

    def prepare(self) -> None:
        """Nothing to do: torch works on the weights themselves."""

    def begin(self) -> None:
        self._added = []
        self._clear()

    def add(self, inputs: Tensor, targets: Tensor, share: float) -> Tensor:
        self._added.append((inputs, targets, share))
        try:
            return self._add(inputs, targets, share)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
        return self._begin_again()

    def end(self) -> None:
        """Nothing to do: torch adds where the gradients stay."""
        self._added = []

    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        with torch.no_grad():
            losses = [self._forward(self._model, *part) * weight for *part, weight in self._split(inputs, targets)]
            return torch.stack(losses).sum()

    def _add(self, inputs: Tensor, targets: Tensor, share: float) -> Tensor:
        losses = []
        for part_inputs, part_targets, weight in self._split(inputs, targets):
            loss = self._forward(self._training, part_inputs, part_targets)
            (loss * (share * weight)).backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach() * weight)
        return torch.stack(losses).sum()

    def _begin_again(self) -> Tensor:
        """All of the step so far once more, in smaller parts: a part of the last one's gradients may be in the sums."""
        rows = max(len(inputs) for inputs, *_rest in self._added)
        while self._parts < rows or recompute_blocks(self._model):
            self._parts = min(rows, 2 * self._parts)
            self._clear()
            if self._device.target.type == "cuda":
                torch.cuda.empty_cache()
            torch.manual_seed(torch.initial_seed())
            try:
                losses = [self._add(*one) for one in self._added]
            except RuntimeError as error:
                if not _is_out_of_memory(error):
                    raise
            else:
                self._say(
                    f"memory is short: micro-batches are computed in {self._parts} parts, the step stays the same"
                )
                return losses[-1]
        raise TrainError(
            "memory is short for the activations of a single row",
            hint="choose a smaller model or max_seq_len, or a machine with more memory",
        )

    def _clear(self) -> None:
        """Forget all gradients. What is compiled adds to gradients that stay where they are: a graph's own memory is not theirs."""
        is_compiled = self._training is not self._model
        if is_compiled:
            for parameter in self._model.parameters():
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
        self._model.zero_grad(set_to_none=not is_compiled)

    def _split(self, inputs: Tensor, targets: Tensor) -> Iterator[tuple[Tensor, Tensor, float]]:
        """The rows in parts, each with its share of the mean."""
        parts = min(self._parts, len(inputs))
        if parts == 1:
            yield inputs, targets, 1.0
            return
        count = int((targets != IGNORED_TARGET).sum())
        for part_inputs, part_targets in zip(inputs.tensor_split(parts), targets.tensor_split(parts), strict=True):
            if own := int((part_targets != IGNORED_TARGET).sum()):
                yield part_inputs, part_targets, own / count

    def _forward(self, model: Callable[..., Any], inputs: Tensor, targets: Tensor) -> Tensor:
        target = self._device.target
        with self._device.autocast():
            _, loss = model(inputs.to(target, non_blocking=True), targets.to(target, non_blocking=True))
        if not isinstance(loss, Tensor):
            raise AssertionError("a model that is given targets returns a loss")
        return loss


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch says that memory is short; for the CPU it has no error of its own."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
