"""The model's arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from tsws.model.config import LlamaConfig
from tsws.model.llama import Llama

TOKENS = torch.tensor([[1, 5, 9, 3, 23, 0, 7, 7, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9]])


def test_shapes_and_loss(make: Callable[..., Llama]) -> None:
    model = make()
    logits, loss = model(TOKENS, TOKENS)
    assert logits.shape == (2, 9, 24) and loss.shape == ()
    picked = logits.log_softmax(-1).gather(-1, TOKENS[..., None])
    torch.testing.assert_close(loss, -picked.mean())
    assert model(TOKENS)[1] is None


def test_a_target_of_minus_one_counts_for_nothing(make: Callable[..., Llama]) -> None:
    model = make()
    targets = TOKENS.clone()
    targets[:, :4] = -1
    logits, loss = model(TOKENS, targets)
    picked = logits[:, 4:].log_softmax(-1).gather(-1, TOKENS[:, 4:, None])
    torch.testing.assert_close(loss, -picked.mean())


@pytest.mark.parametrize("tie", [True, False])
def test_every_position_sees_the_past_and_never_the_future(make: Callable[..., Llama], tie: bool) -> None:
    model = make(tie_embeddings=tie)
    changed = TOKENS.clone()
    changed[:, 4] = 11
    before, after = model(TOKENS)[0], model(changed)[0]
    assert torch.equal(before[:, :4], after[:, :4])
    assert (before[:, 4:] != after[:, 4:]).any(-1).all()


@pytest.mark.parametrize("heads", [(4, 2), (4, 4), (4, 1), (1, 1)])
def test_attention_is_the_textbooks(make: Callable[..., Llama], heads: tuple[int, int]) -> None:
    model = make(n_heads=heads[0], n_kv_heads=heads[1])
    attention, size = model.layers[0].attention, 16 // heads[0]
    x = torch.randn(1, 5, 16)

    def turned(weight: torch.Tensor, position: int, head: int) -> torch.Tensor:
        pairs = torch.view_as_complex((weight @ x[0, position]).view(-1, size // 2, 2)[head])
        angles = position / 10000 ** (torch.arange(0, size, 2) / size)
        return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten()

    expected = torch.zeros(5, 16)
    for position in range(5):
        for head in range(heads[0]):
            shared = head * heads[1] // heads[0]
            q = turned(attention.wq.weight, position, head)
            scores = torch.stack(
                [q @ turned(attention.wk.weight, at, shared) / math.sqrt(size) for at in range(position + 1)]
            )
            values = torch.stack(
                [(attention.wv.weight @ x[0, at]).view(-1, size)[shared] for at in range(position + 1)]
            )
            expected[position, head * size : (head + 1) * size] = scores.softmax(-1) @ values
    torch.testing.assert_close(attention(x, model.cos[:5], model.sin[:5])[0], expected @ attention.wo.weight.T)


@pytest.mark.parametrize("parts", [[9], [1] * 9, [4, 1, 3, 1]])
def test_the_cache_changes_nothing(make: Callable[..., Llama], parts: list[int]) -> None:
    model = make()
    whole = model(TOKENS)[0]
    cache, start = model.empty_cache(batch=2), 0
    for length in parts:
        logits = model.extend(TOKENS[:, start : start + length], cache)
        start += length
        torch.testing.assert_close(logits, whole[:, start - 1])
    assert cache.length == 9


def test_fresh_weights_are_llama2cs() -> None:
    torch.manual_seed(0)
    fields = {"dim": 256, "n_layers": 8, "n_heads": 8, "vocab_size": 999, "max_seq_len": 8}
    model = Llama(LlamaConfig.from_fields(fields))
    for name, parameter in model.named_parameters():
        if "norm" in name:
            assert (parameter == 1).all()
        else:
            std = 0.02 / 4 if name.endswith(("wo.weight", "w3.weight")) else 0.02
            assert parameter.std().item() == pytest.approx(std, rel=0.05)
    tokens, targets = torch.randint(999, (2, 2, 8))
    assert model(tokens, targets)[1].item() == pytest.approx(math.log(999), abs=0.5)


def test_dropout_works_in_training_alone() -> None:
    fields = {"dim": 16, "n_layers": 1, "n_heads": 2, "vocab_size": 24, "max_seq_len": 12, "dropout": 0.5}
    model = Llama(LlamaConfig.from_fields(fields))
    assert not torch.equal(model(TOKENS)[0], model(TOKENS)[0])
    model.eval()
    assert torch.equal(model(TOKENS)[0], model(TOKENS)[0])
