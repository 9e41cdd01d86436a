"""The GPT: what it computes, what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tsws.errors import FormatError
from tsws.model.generate import generate
from tsws.model.gpt import GPT
from tsws.model.gpt_config import GPTConfig

FIELDS = {"arch": "gpt", "dim": 16, "n_layers": 2, "n_heads": 2, "vocab_size": 24, "max_seq_len": 8}


@pytest.fixture
def model() -> GPT:
    torch.manual_seed(3)
    model = GPT(GPTConfig.from_fields(FIELDS))
    for parameter in model.parameters():  # larger than fresh ones, so that every part counts
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def test_a_cache_changes_no_logits(model: GPT) -> None:
    tokens = torch.randint(24, (3, 8))
    whole, loss = model(tokens)
    assert loss is None
    cache = model.empty_cache(batch=3)
    parts = [model.extend(tokens[:, :3], cache), *(model.extend(tokens[:, i : i + 1], cache) for i in range(3, 8))]
    torch.testing.assert_close(torch.stack(parts, 1), whole[:, 2:])


def test_a_position_sees_nothing_that_follows(model: GPT) -> None:
    tokens = torch.randint(24, (1, 8))
    changed = tokens.clone()
    changed[:, 5:] = (changed[:, 5:] + 1) % 24
    torch.testing.assert_close(model(tokens)[0][:, :5], model(changed)[0][:, :5])


def test_order_counts(model: GPT) -> None:
    there, back = torch.tensor([[1, 2, 3, 4]]), torch.tensor([[3, 2, 1, 4]])
    assert not torch.allclose(model(there)[0][:, -1], model(back)[0][:, -1])


def test_the_loss_is_that_of_the_targets_that_count(model: GPT) -> None:
    tokens, targets = torch.randint(24, (2, 8)), torch.randint(24, (2, 8))
    targets[:, 4:] = -1
    logits, loss = model(tokens, targets)
    chances = logits.log_softmax(-1)[:, :4].gather(-1, targets[:, :4, None])
    torch.testing.assert_close(loss, -chances.mean())


def test_dropout_is_a_tenth_where_none_is_given_and_only_in_training(model: GPT) -> None:
    assert model.config.dropout == 0.1
    tokens = torch.randint(24, (1, 8))
    torch.testing.assert_close(model(tokens)[0], model(tokens)[0])
    model.train()
    assert not torch.allclose(model(tokens)[0], model(tokens)[0])


def test_it_tells_a_story_to_the_end_of_its_context(model: GPT) -> None:
    told = list(generate(model, [1, 5], temperature=0.0))
    assert told[0] == 5 and len(told) <= 8
    assert told == list(generate(model, [1, 5], temperature=0.0))
    assert not model.training


def test_without_shared_embeddings_the_classifier_is_its_own() -> None:
    model = GPT(GPTConfig.from_fields({**FIELDS, "tie_embeddings": False}))
    assert {"output.weight", "output.bias"} <= set(model.state_dict())


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "heads": ({"n_heads": 3}, "model: dim 16 can not be divided among 3 heads"),
    "groups": ({"n_kv_heads": 1}, "model: 2 heads are to share 1 keys and values, and a GPT's do not"),
    "missing": ({"dim": None}, "model: dim is missing"),
    "nothing": ({"n_layers": 0}, "model: n_layers is 0; it has to be a whole number of at least 1"),
    "dropout": ({"dropout": 1.0}, "model: dropout is 1.0; it has to be at least 0 and below 1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_sizes_that_do_not_fit_together_are_refused(case: str) -> None:
    given, message = REFUSED[case]
    with pytest.raises(FormatError) as caught:
        GPTConfig.from_fields({**FIELDS, **given})
    assert caught.value.message == message
