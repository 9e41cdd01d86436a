"""The training step in C: the same losses and gradients as torch's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tsws.errors import TrainError
from tsws.model.config import LlamaConfig
from tsws.model.llama import Llama
from tsws.train.choosing import choose_gradients, training_library
from tsws.train.device import Device, prepare_device
from tsws.train.gradients import Gradients, TorchGradients
from tsws.train.native import NativeGradients

SIZES: dict[str, dict[str, Any]] = {
    "the usual": {"dim": 64, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "vocab_size": 105, "max_seq_len": 96},
    "one layer, one position": {"dim": 8, "n_layers": 1, "n_heads": 1, "vocab_size": 3, "max_seq_len": 1},
    "odd everywhere": {
        "dim": 42,
        "n_layers": 3,
        "n_heads": 7,
        "n_kv_heads": 7,
        "hidden_dim": 37,
        "vocab_size": 77,
        "max_seq_len": 71,
        "norm_eps": 1e-3,
        "rope_theta": 500.0,
    },
    "wide heads": {"dim": 96, "n_layers": 1, "n_heads": 1, "vocab_size": 130, "max_seq_len": 130},
    "a classifier of its own": {
        "dim": 48,
        "n_layers": 2,
        "n_heads": 3,
        "n_kv_heads": 1,
        "vocab_size": 512,
        "max_seq_len": 33,
        "tie_embeddings": False,
    },
}


@pytest.fixture(scope="module")
def library() -> Path:
    return training_library()


def fresh_model(sizes: dict[str, Any]) -> Llama:
    """Weights large enough for every part to matter."""
    torch.manual_seed(3)
    model = Llama(LlamaConfig.from_fields(sizes))
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model


def fresh_batch(sizes: dict[str, Any], rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(4)
    shape = (rows, sizes["max_seq_len"])
    targets = torch.randint(-1, sizes["vocab_size"], shape)  # a few count for nothing
    targets[0, 0] = 0  # but not all
    return torch.randint(sizes["vocab_size"], shape), targets


def cpu(dtype: str = "float32") -> Device:
    return prepare_device("cpu", dtype, None)


def one_step(gradients: Gradients, model: Llama, batches: list[tuple[torch.Tensor, torch.Tensor]]) -> dict[str, Any]:
    gradients.begin()
    losses = [gradients.add(*batch, 1 / len(batches)).item() for batch in batches]
    gradients.end()
    named = {name: parameter.grad for name, parameter in model.named_parameters()}
    return {"losses": losses} | {name: grad.clone() for name, grad in named.items() if grad is not None}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
def test_losses_and_gradients_are_torchs(sizes: dict[str, Any], threads: int, library: Path) -> None:
    batches = [fresh_batch(sizes, 5), fresh_batch(sizes, 2)]
    model = fresh_model(sizes)
    expected = one_step(TorchGradients(model, cpu()), model, batches)
    model = fresh_model(sizes)
    got = one_step(NativeGradients(model, library, threads=threads, bfloat16=False), model, batches)
    assert got.pop("losses") == pytest.approx(expected.pop("losses"), abs=2e-6)
    assert got.keys() == expected.keys()
    for name, gradient in expected.items():
        assert (got[name] - gradient).abs().max() <= 2e-5 * gradient.abs().max() + 1e-9, name


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
def test_in_bfloat16_they_are_nearly_those_of_float32(sizes: dict[str, Any], library: Path) -> None:
    batch = [fresh_batch(sizes, 4)]
    model = fresh_model(sizes)
    expected = one_step(TorchGradients(model, cpu()), model, batch)
    model = fresh_model(sizes)
    got = one_step(NativeGradients(model, library, threads=2, bfloat16=True), model, batch)
    assert got.pop("losses") == pytest.approx(expected.pop("losses"), rel=2e-3)
    for name, gradient in expected.items():
        cosine = torch.cosine_similarity(got[name].flatten(), gradient.flatten(), dim=0)
        assert cosine > 0.999 or gradient.abs().max() < 1e-6, name


def test_the_loss_alone_is_that_of_the_weights_as_they_now_are(library: Path) -> None:
    sizes = SIZES["the usual"]
    model = fresh_model(sizes)
    gradients = NativeGradients(model, library, threads=2, bfloat16=False)
    inputs, targets = fresh_batch(sizes, 3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(0.5)
    gradients.prepare()
    expected = TorchGradients(model, cpu()).loss(inputs, targets).item()
    assert gradients.loss(inputs, targets).item() == pytest.approx(expected, abs=2e-6)


def test_a_step_is_the_same_to_the_bit_each_time(library: Path) -> None:
    sizes = SIZES["odd everywhere"]
    batches = [fresh_batch(sizes, 5)]
    first, second = (
        one_step(NativeGradients(model, library, threads=2, bfloat16=False), model, batches)
        for model in (fresh_model(sizes), fresh_model(sizes))
    )
    assert first.pop("losses") == second.pop("losses")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_weights_can_be_loaded_and_saved_as_before(library: Path) -> None:
    sizes = SIZES["a classifier of its own"]
    model, other = fresh_model(sizes), Llama(LlamaConfig.from_fields(sizes))
    gradients = NativeGradients(model, library, threads=1, bfloat16=False)
    model.load_state_dict(other.state_dict())
    gradients.prepare()
    inputs, targets = fresh_batch(sizes, 2)
    expected = TorchGradients(other, cpu()).loss(inputs, targets).item()
    assert gradients.loss(inputs, targets).item() == pytest.approx(expected, abs=2e-6)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in other.state_dict().items())


def test_auto_takes_it_for_what_it_can_train_and_torch_for_all_else() -> None:
    said: list[str] = []
    sizes = SIZES["the usual"]
    assert choose_gradients(fresh_model(sizes), cpu(), "auto", said.append).name == "native"
    assert choose_gradients(fresh_model(sizes), cpu(), "torch", said.append).name == "torch"
    with_dropout = fresh_model({**sizes, "dropout": 0.1})
    assert choose_gradients(with_dropout, cpu(), "auto", said.append).name == "torch"
    with pytest.raises(TrainError) as raised:
        choose_gradients(with_dropout, cpu(), "native", said.append)
    assert str(raised.value) == "the native engine trains Llamas without dropout on the CPU, and this run is none"
    assert raised.value.hint == 'choose `engine = "auto"` or "torch"'
    assert said == []


def test_without_a_compiler_torch_trains_and_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    said: list[str] = []
    assert choose_gradients(fresh_model(SIZES["the usual"]), cpu(), "auto", said.append).name == "torch"
    assert said == [
        "training with torch, which is slower here: no C compiler was found: tried cc, gcc, clang, and $CC is not set"
    ]
