"""Micro-batches that memory is short for: the same step in smaller parts."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from tsws.errors import TrainError
from tsws.model.config import LlamaConfig
from tsws.model.llama import Llama
from tsws.train.device import Device
from tsws.train.gradients import TorchGradients

CONFIG = LlamaConfig(dim=16, n_layers=2, n_heads=4, n_kv_heads=2, hidden_dim=32, vocab_size=24, max_seq_len=16)
DEVICE = Device(torch.device("cpu"), torch.float32)


class Tight(nn.Module):
    """A model on a machine with memory for so many rows; it runs out in the middle of the backward pass."""

    def __init__(self, model: Llama, rows: int) -> None:
        super().__init__()
        self.model = model
        self.rows = rows

    def forward(self, tokens: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        logits, loss = self.model(tokens, targets)
        if len(tokens) > self.rows and loss.requires_grad:
            self.handle = self.model.get_parameter("layers.0.attention.wq.weight").register_hook(self._run_out)
        return logits, loss

    def _run_out(self, _gradient: Tensor) -> None:
        self.handle.remove()
        raise torch.OutOfMemoryError("out of memory")


@pytest.fixture
def model() -> Llama:
    torch.manual_seed(1)
    return Llama(CONFIG)


def batches(rows: int) -> list[tuple[Tensor, Tensor, float]]:
    generator = torch.Generator().manual_seed(2)
    tokens = torch.randint(24, (2, 2, rows, 16), generator=generator)
    tokens[1, 1, 0, 5:] = -1  # targets that count for nothing, so that parts weigh differently
    return [(tokens[0, 0], tokens[1, 0], 0.5), (tokens[0, 1], tokens[1, 1], 0.5)]


def step(gradients: TorchGradients, model: Llama, rows: int) -> tuple[list[float], dict[str, Tensor]]:
    gradients.begin()
    losses = [gradients.add(*batch).item() for batch in batches(rows)]
    gradients.end()
    return losses, {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}


@pytest.mark.parametrize(("room", "said"), [(6, []), (3, [2]), (2, [4]), (1, [6])])
def test_a_step_in_parts_is_the_same_step(room: int, said: list[int], model: Llama) -> None:
    losses, expected = step(TorchGradients(model, DEVICE), model, 6)
    lines: list[str] = []
    tight = TorchGradients(Tight(model, room), DEVICE, lines.append)
    for _ in range(2):  # the second time it knows
        found_losses, found = step(tight, model, 6)
        assert found_losses == pytest.approx(losses, abs=1e-6)
        assert found.keys() == expected.keys()
        for name, gradient in found.items():
            torch.testing.assert_close(gradient, expected[name], atol=1e-6, rtol=1e-4)
    assert lines == [
        f"memory is short: micro-batches are computed in {parts} parts, the step stays the same" for parts in said
    ]


def test_memory_that_is_short_for_a_row_ends_the_run(model: Llama) -> None:
    with pytest.raises(TrainError) as caught:
        step(TorchGradients(Tight(model, 0), DEVICE), model, 3)
    assert caught.value.message == "memory is short for the activations of a single row"


class Narrow(nn.Module):
    """On a machine with memory for a row only where no block keeps its activations."""

    def __init__(self, model: Llama) -> None:
        super().__init__()
        self.tok_embeddings, self.layers, self.norm = model.tok_embeddings, model.layers, model.norm
        self.run = model.forward

    def forward(self, tokens: Tensor, targets: Tensor) -> tuple[Tensor, Tensor | None]:
        if len(tokens) > 1 or not isinstance(self.layers[0].forward, partial):
            raise torch.OutOfMemoryError("out of memory")
        return self.run(tokens, targets)


def test_where_a_row_is_too_much_its_activations_are_computed_again(model: Llama) -> None:
    losses, expected = step(TorchGradients(model, DEVICE), model, 3)
    found_losses, found = step(TorchGradients(Narrow(model), DEVICE), model, 3)
    assert found_losses == pytest.approx(losses, abs=1e-6)
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], atol=1e-6, rtol=1e-4)


def test_other_failures_of_torch_are_what_they_are(model: Llama) -> None:
    gradients = TorchGradients(model, DEVICE)
    gradients.begin()
    with pytest.raises(RuntimeError, match="must match"):
        gradients.add(torch.zeros(2, 17, dtype=torch.int64), torch.zeros(2, 17, dtype=torch.int64), 1.0)
