"""Weights as int8 codes."""

from __future__ import annotations

import pytest
import torch

from tsws.errors import FormatError
from tsws.model.config import LlamaConfig
from tsws.model.int8 import dequantize, fitting_group_size, quantize


def test_the_largest_of_a_group_is_127_and_halves_go_to_the_even_neighbour() -> None:
    weights = torch.tensor([[0.0, 1.0, -2.0, 0.5], [30.0, -15.0, 0.25, 30.0]])
    codes, scales = quantize(weights, 4)
    assert codes.tolist() == [[0, 64, -127, 32], [127, -64, 1, 127]]
    assert scales.tolist() == [torch.tensor(2.0).div(127).item(), torch.tensor(30.0).div(127).item()]
    assert dequantize(codes, scales)[0, 2].item() == -2.0


def test_a_group_of_zeros_has_scale_0() -> None:
    codes, scales = quantize(torch.zeros(2, 4), 2)
    assert (codes.tolist(), scales.tolist()) == ([[0, 0]] * 4, [0.0] * 4)


def test_codes_stay_within_127_where_scales_underflow() -> None:
    tiny = torch.arange(1, 2000, dtype=torch.int32).view(torch.float32)  # the smallest floats
    codes, _ = quantize(torch.stack([tiny, -tiny], 1), 2)
    assert int(codes.max()) <= 127
    assert int(codes.min()) >= -127


@pytest.mark.parametrize("weight", [float("inf"), float("-inf"), float("nan")])
def test_what_is_not_finite_is_refused(weight: float) -> None:
    with pytest.raises(FormatError) as caught:
        quantize(torch.tensor([[1.0, weight]]), 2)
    assert caught.value.message == "a weight is infinite or no number, and has no int8 code"


@pytest.mark.parametrize(
    ("dim", "hidden_dim", "size"),
    [(288, 768, 32), (128, 352, 32), (64, 172, 4), (512, 1376, 32), (128, 512, 64), (6, 7, 1)],
)
def test_the_largest_group_that_divides_every_row_fits(dim: int, hidden_dim: int, size: int) -> None:
    config = LlamaConfig(dim, 1, 1, 1, hidden_dim, vocab_size=3, max_seq_len=4)
    assert fitting_group_size(config) == size
