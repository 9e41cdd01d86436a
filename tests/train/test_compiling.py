"""Whether compiling pays: measured once, remembered, decided once for a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tsws.model.config import LlamaConfig
from tsws.model.llama import Llama
from tsws.train import compiling
from tsws.train.compiling import DECISION_FILE, Rates, keep_decision, measure_and_decide, pays, read_decision
from tsws.train.device import Device
from tsws.train.gradients import TorchGradients
from tsws.train.recompute import recompute_blocks

CONFIG = LlamaConfig(dim=16, n_layers=2, n_heads=4, n_kv_heads=2, hidden_dim=32, vocab_size=24, max_seq_len=16)
DEVICE = Device(torch.device("cpu"), torch.float32)


class Watched(TorchGradients):
    """Counts compilations instead of waiting for them."""

    def __init__(self, model: Llama, *, works: bool = True) -> None:
        super().__init__(model, DEVICE)
        self.compilations = 0
        self.is_compiled = False
        self.works = works

    def compile(self, inputs: Tensor, targets: Tensor) -> bool:
        self.compilations += 1
        self.is_compiled = self.works
        return self.works

    def forget_compiled(self) -> None:
        self.is_compiled = False


@pytest.fixture
def model() -> Llama:
    torch.manual_seed(1)
    return Llama(CONFIG)


def batch() -> tuple[Tensor, Tensor]:
    tokens = torch.randint(24, (2, 3, 16), generator=torch.Generator().manual_seed(2))
    return tokens[0], tokens[1]


def test_it_pays_when_what_is_saved_is_more_than_what_compiling_takes() -> None:
    rates = Rates(eager=0.2, compiled=0.1, compiling=30.0)
    assert not pays(rates, 300) and pays(rates, 301)
    assert not pays(Rates(eager=0.1, compiled=0.2, compiling=1.0), 10**6)
    assert not pays(Rates(eager=0.2, compiled=None, compiling=1.0), 10**6)


def test_a_short_run_does_not_try(model: Llama, tmp_path: Path) -> None:
    gradients = Watched(model)
    assert not measure_and_decide(gradients, *batch(), 10, "key", tmp_path)
    assert gradients.compilations == 0 and not list(tmp_path.iterdir())


def test_a_long_run_tries_and_the_next_one_knows(model: Llama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.2, 0.1])
    monkeypatch.setattr(compiling, "_seconds", lambda *_: next(times))
    gradients = Watched(model)
    assert measure_and_decide(gradients, *batch(), 10**4, "key", tmp_path) and gradients.is_compiled
    known = json.loads((tmp_path / "key.json").read_text())
    assert (known["eager"], known["compiled"]) == (0.2, 0.1)
    again = Watched(model)
    assert measure_and_decide(again, *batch(), 10**4, "key", tmp_path) and again.compilations == 1
    short = Watched(model)
    assert not measure_and_decide(short, *batch(), 0, "key", tmp_path) and short.compilations == 0


@pytest.mark.parametrize("works", [True, False])
def test_what_does_not_pay_is_undone(
    works: bool, model: Llama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "_seconds", lambda *_: 0.2)
    gradients = Watched(model, works=works)
    assert not measure_and_decide(gradients, *batch(), 10**4, "key", tmp_path)
    assert gradients.compilations == 1 and not gradients.is_compiled


def test_measuring_leaves_the_weights_alone_and_no_gradients(model: Llama, tmp_path: Path) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    gradients = TorchGradients(model, DEVICE)
    measure_and_decide(gradients, *batch(), 10, "key", tmp_path)
    assert all(before[name].equal(tensor) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_decision_is_found_in_the_first_folder_that_has_one(tmp_path: Path) -> None:
    assert read_decision(tmp_path, None) is None
    keep_decision(tmp_path, True)
    (tmp_path / "next").mkdir()
    assert read_decision(tmp_path / "next", tmp_path) is True
    keep_decision(tmp_path / "next", False)
    assert read_decision(tmp_path / "next", tmp_path) is False
    (tmp_path / "next" / DECISION_FILE).write_bytes(b"")
    assert read_decision(tmp_path / "next", tmp_path) is True, "a file that can not be read decides nothing"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # of torch about itself
def test_a_compiled_step_is_the_step(model: Llama) -> None:
    expected = gradients_of(TorchGradients(model, DEVICE), model)
    compiled = TorchGradients(model, DEVICE)
    assert compiled.compile(*batch())
    for _ in range(2):
        for name, gradient in gradients_of(compiled, model).items():
            torch.testing.assert_close(gradient, expected[name], atol=1e-5, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # of torch about itself
def test_without_a_compiler_it_trains_on_and_says_so_in_a_line(
    model: Llama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch._inductor.config as inductor

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(inductor.cpp, "cxx", ("/nowhere/c++",))
    said: list[str] = []
    gradients = TorchGradients(model, DEVICE, said.append)
    torch._dynamo.reset()
    assert not gradients.compile(*batch())
    assert len(said) == 1 and said[0].startswith("training without torch.compile, which failed here: ")
    assert "\n" not in said[0]
    assert gradients_of(gradients, model)


def test_recomputed_activations_give_the_same_bits(model: Llama) -> None:
    expected = gradients_of(TorchGradients(model, DEVICE), model)
    assert recompute_blocks(model) and not recompute_blocks(model)
    found = gradients_of(TorchGradients(model, DEVICE), model)
    assert all(found[name].equal(gradient) for name, gradient in expected.items())


def gradients_of(gradients: TorchGradients, model: Llama) -> dict[str, Any]:
    gradients.begin()
    gradients.add(*batch(), 1.0)
    gradients.end()
    return {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}
