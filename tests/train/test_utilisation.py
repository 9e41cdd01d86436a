"""The share of a machine that training makes use of: operations of the model over those of the quickest product."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from tsws.io.caches import CACHE_VARIABLE
from tsws.model.config import LlamaConfig
from tsws.model.gpt import GPT
from tsws.model.gpt_config import GPTConfig
from tsws.model.llama import Llama
from tsws.train.device import Device
from tsws.train.metrics import read_metrics
from tsws.train.utilisation import PEAKS_FILE, matrix_peak, training_flops

SIZES: dict[str, Any] = {"dim": 16, "n_layers": 2, "n_heads": 4, "vocab_size": 24, "max_seq_len": 8}
ATTENTION = 12 * 2 * 16 * 8
CPU = Device(torch.device("cpu"), torch.float32)


@pytest.mark.parametrize("tied", [None, True, False])
def test_the_operations_of_a_llama_are_those_of_its_config(tied: bool | None) -> None:
    config: Mapping[str, Any] = {**SIZES, "tie_embeddings": tied}
    llama = LlamaConfig.from_fields(config)
    assert training_flops(Llama(llama), config) == llama.flops_per_token(training=True)


def test_a_table_of_positions_is_only_looked_up_in() -> None:
    model = GPT(GPTConfig.from_fields(SIZES))
    weights = sum(parameter.numel() for parameter in model.parameters())
    assert training_flops(model, SIZES) == 6 * (weights - 8 * 16) + ATTENTION


def test_a_peak_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    measured = matrix_peak(CPU)
    assert 1e8 < measured < 1e15
    ((key, kept),) = json.loads((tmp_path / PEAKS_FILE).read_bytes()).items()
    assert (kept, "float32" in key) == (measured, True)
    (tmp_path / PEAKS_FILE).write_text(json.dumps({key: 1.0}))
    assert matrix_peak(CPU) == 1.0
    matrix_peak(Device(CPU.target, torch.bfloat16))
    assert len(json.loads((tmp_path / PEAKS_FILE).read_bytes())) == 2


def test_the_share_stands_in_the_metrics(trainer: Any, tmp_path: Path) -> None:
    trainer.run(tmp_path)
    shares = [line["mfu"] for line in read_metrics(tmp_path / "metrics.jsonl") if "train_loss" in line]
    speeds = [line["tokens_per_second"] for line in read_metrics(tmp_path / "metrics.jsonl") if "train_loss" in line]
    assert [share / shares[0] for share in shares] == pytest.approx([speed / speeds[0] for speed in speeds])
    assert all(0 < share < 1 for share in shares)
