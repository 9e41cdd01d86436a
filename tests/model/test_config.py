"""The sizes of a Llama."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tsws.errors import FormatError
from tsws.model.config import LlamaConfig, default_hidden_dim
from tsws.model.llama import Llama

SIZES = {"dim": 64, "n_layers": 5, "n_heads": 8, "n_kv_heads": 4, "vocab_size": 512, "max_seq_len": 256}


def test_a_models_table_gives_a_config() -> None:
    table = {**SIZES, "n_kv_heads": None, "hidden_dim": None, "arch": "llama", "source": None, "multiple_of": 4}
    config = LlamaConfig.from_fields(table)
    assert config == LlamaConfig(
        dim=64, n_layers=5, n_heads=8, n_kv_heads=8, hidden_dim=172, vocab_size=512, max_seq_len=256
    )


def test_fields_and_back() -> None:
    config = LlamaConfig.from_fields({**SIZES, "dropout": 0.1, "tie_embeddings": False, "norm_eps": 1e-6})
    assert LlamaConfig.from_fields(config.to_fields()) == config


@pytest.mark.parametrize(
    ("dim", "multiple_of", "hidden_dim"), [(128, 32, 352), (64, 4, 172), (288, 32, 768), (4096, 256, 11008)]
)
def test_default_hidden_dim_is_that_of_published_models(dim: int, multiple_of: int, hidden_dim: int) -> None:
    assert default_hidden_dim(dim, multiple_of) == hidden_dim


@pytest.mark.parametrize("tie", [True, False])
def test_parameter_count_is_the_modules(tie: bool) -> None:
    config = LlamaConfig.from_fields({**SIZES, "tie_embeddings": tie})
    assert config.parameter_count == sum(parameter.numel() for parameter in Llama(config).parameters())


def test_training_costs_six_operations_a_parameter_and_twelve_a_layer_position_and_channel() -> None:
    config = LlamaConfig.from_fields(SIZES)
    assert config.flops_per_token(training=True) == 6 * config.parameter_count + 12 * 5 * 64 * 256
    assert config.flops_per_token(training=False) == 2 * config.parameter_count + 4 * 5 * 64 * 256
    untied = LlamaConfig.from_fields({**SIZES, "tie_embeddings": False})
    assert untied.flops_per_token(training=True) == config.flops_per_token(training=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dim": None}, "model: dim is missing"),
        ({"dim": 0}, "model: dim is 0; it has to be a whole number of at least 1"),
        ({"dim": 60}, "model: dim 60 can not be divided among 8 heads"),
        ({"n_kv_heads": 3}, "model: 8 query heads can not share 3 key/value heads evenly"),
        (
            {"dim": 72},
            "model: dim 72 over 8 heads gives a head size of 9, which is odd; rotary positions turn pairs",
        ),
        ({"norm_eps": 0.0}, "model: norm_eps (0.0) and rope_theta (10000.0) have to be above 0"),
        ({"dropout": 1.0}, "model: dropout is 1.0; it has to be at least 0 and below 1"),
    ],
)
def test_sizes_that_do_not_fit_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError) as caught:
        LlamaConfig.from_fields({**SIZES, **change})
    assert caught.value.message == message
    assert caught.value.hint


def test_planning_needs_neither_torch_nor_numpy() -> None:
    modules = "tsws.model.config, tsws.model.llama2c, tsws.model.weights, tsws.model.sampler, tsws_llama"
    modules += ", tsws.train.recipe, tsws.train.schedule, tsws.train.settings"
    code = f"import sys, {modules}; print([name for name in ('torch', 'numpy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
