"""Muon against torch's own, and its orthogonal updates in C against those of torch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tsws.model.config import LlamaConfig
from tsws.model.gpt import GPT
from tsws.model.gpt_config import GPTConfig
from tsws.model.llama import Llama
from tsws.train.choosing import training_library
from tsws.train.muon import Muon, Polar, orthogonalise
from tsws.train.native_polar import NativePolar
from tsws.train.optimizer import block_matrices

SHAPES = [(16, 16), (8, 16), (44, 16), (16, 44), (16, 16), (1, 7), (33, 65)]


@pytest.fixture(scope="session")
def library() -> Path:
    return training_library()


def matrices(seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for shape in SHAPES]


def singular_values(matrix: Tensor) -> Tensor:
    return torch.linalg.svdvals(matrix.double())


def test_updates_have_the_singular_vectors_of_what_they_came_from_and_values_near_one() -> None:
    for before, after in zip(matrices(1), orthogonalise(matrices(1)), strict=True):
        assert after.shape == before.shape
        values = singular_values(after)
        assert float(values.min()) > 0.3 and float(values.max()) < 1.3
        u, _, v = torch.linalg.svd(before.double(), full_matrices=False)
        turned = u.T @ after.double() @ v.T  # diagonal where the singular vectors are the same
        assert float((turned - torch.diag(turned.diagonal())).abs().max()) < 1e-4


@pytest.mark.parametrize("threads", [1, 3])
def test_c_and_torch_agree(library: Path, threads: int) -> None:
    expected = orthogonalise(matrices(2))
    for found, wanted in zip(NativePolar(library, threads)(matrices(2)), expected, strict=True):
        torch.testing.assert_close(found, wanted, atol=2e-5, rtol=1e-4)


def test_the_number_of_threads_does_not_change_a_bit(library: Path) -> None:
    one, many = NativePolar(library, 1)(matrices(3)), NativePolar(library, 4)(matrices(3))
    assert all(a.equal(b) for a, b in zip(one, many, strict=True))


def test_a_matrix_of_zeros_stays_one(library: Path) -> None:
    for polar in (orthogonalise, NativePolar(library, 1)):
        assert polar([torch.zeros(3, 5)])[0].count_nonzero() == 0


@pytest.mark.parametrize("way", ["torch", "native"])
def test_steps_are_those_of_torchs_own_muon(way: str, library: Path) -> None:
    polar: Polar = NativePolar(library, 2) if way == "native" else orthogonalise
    ours, theirs = ([nn.Parameter(matrix) for matrix in matrices(4)] for _ in range(2))
    numbers = {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}
    own = Muon(ours, **numbers, polar=polar)
    reference = torch.optim.Muon(theirs, **numbers, adjust_lr_fn="match_rms_adamw")
    for step in range(4):
        for one, other, gradient in zip(ours, theirs, matrices(10 + step), strict=True):
            one.grad, other.grad = gradient, gradient.clone()
        own.step()
        reference.step()
    for one, other, begin in zip(ours, theirs, matrices(4), strict=True):
        moved = (other - begin).norm()
        assert float(((one - other).norm() / moved).detach()) < 0.02  # torch's own rounds to bfloat16


def test_muon_gets_the_matrices_of_the_blocks_alone() -> None:
    llama = Llama(LlamaConfig(dim=16, n_layers=2, n_heads=4, n_kv_heads=2, hidden_dim=32, vocab_size=24, max_seq_len=8))
    names = {id(parameter): name for name, parameter in llama.named_parameters()}
    found = [names[id(parameter)] for parameter in block_matrices(llama)]
    assert len(found) == 2 * 7 and all(name.startswith("layers.") for name in found)
    gpt = GPT(GPTConfig.from_fields({"dim": 16, "n_layers": 2, "n_heads": 2, "vocab_size": 24, "max_seq_len": 8}))
    of_gpt = {id(parameter): name for name, parameter in gpt.named_parameters()}
    assert block_matrices(gpt) and not [
        name for name in map(of_gpt.get, map(id, block_matrices(gpt))) if "emb" in str(name)
    ]
