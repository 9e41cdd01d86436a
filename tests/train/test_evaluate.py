"""The validation loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tsws.model.config import LlamaConfig
from tsws.model.llama import Llama
from tsws.train.data import Rows
from tsws.train.device import prepare_device
from tsws.train.evaluate import evaluate
from tsws.train.gradients import TorchGradients

FIELDS = {"dim": 16, "n_layers": 1, "n_heads": 2, "vocab_size": 24, "max_seq_len": 8, "dropout": 0.5}


@pytest.mark.parametrize(("tokens", "count"), [(24, 3), (31, 3), (1, 1), (10_000, 7)])
def test_it_is_the_mean_over_the_first_whole_rows(tokens: int, count: int, tmp_path: Path) -> None:
    path = tmp_path / "val.bin"
    np.random.default_rng(1).integers(24, size=60).astype("<u2").tofile(path)
    rows = Rows([path], max_seq_len=8, vocab_size=24)
    torch.manual_seed(1)
    model = Llama(LlamaConfig.from_fields(FIELDS)).eval()
    inputs, targets = rows.take(range(count))
    expected = model(inputs, targets)[1].item()
    model.train()
    generator = torch.get_rng_state()
    gradients = TorchGradients(model, prepare_device("cpu", "float32", None))
    assert evaluate(model, rows, gradients, tokens=tokens, batch_size=2) == pytest.approx(expected, abs=1e-6)
    assert torch.equal(torch.get_rng_state(), generator)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
