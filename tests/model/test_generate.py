"""Telling stories with PyTorch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tsws.errors import FormatError
from tsws.model.generate import generate
from tsws.model.llama import Llama
from tsws.model.llama2c import read_model
from tsws.text.llama2c_tokenizer import Llama2cTokenizer


def test_the_golden_texts_come_out_to_the_letter(real_data: Path) -> None:
    models: dict[str, Llama] = {}
    told, golden = [], []
    for line in (real_data / "golden.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["model"] not in models:
            config, state = read_model(real_data / row["model"])
            models[row["model"]] = Llama(config)
            models[row["model"]].load_state_dict(state)
        model = models[row["model"]]
        options = dict(zip(row["args"][::2], row["args"][1::2], strict=True))
        tokenizer = Llama2cTokenizer.load(real_data / row["tokenizer"], model.config.vocab_size)
        previous, *rest = tokenizer.encode(options.get("-i", ""), bos=True, eos=False)
        text = b""
        for token in generate(
            model,
            [previous, *rest],
            temperature=float(options["-t"]),
            top_p=float(options.get("-p", "0.9")),
            steps=int(options["-n"]),
            seed=int(options.get("-s", "1")),
        ):
            text += tokenizer.decode_piece(previous, token)
            previous = token
        told.append(text.decode() + "\n")
        golden.append(row["text"])
    assert len(golden) == 16
    assert told == golden


def single_minded(make: Callable[..., Llama], token: int) -> Llama:
    """A model that says one token, whatever came before."""
    model = make(tie_embeddings=False)
    assert model.output is not None
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.tok_embeddings.weight.fill_(1)
        model.norm.weight.fill_(1)
        model.output.weight[token] = 1
    return model


def test_the_prompt_comes_first_and_steps_limit_all(make: Callable[..., Llama]) -> None:
    model = single_minded(make, 7)
    assert list(generate(model, [1, 4, 5], temperature=0.0, steps=5)) == [4, 5, 7, 7, 7]
    assert list(generate(model, [1, 4, 5], temperature=0.0, steps=1)) == [4]
    assert list(generate(model, [1, 4, 5], temperature=0.0)) == [4, 5, *[7] * 10]
    assert list(generate(model, [1, *[4] * 20], temperature=0.0)) == [4] * 12
    assert list(generate(model, [1, 4, 1, 5], temperature=0.0)) == [4]


def test_a_story_ends_before_the_next_begins(make: Callable[..., Llama]) -> None:
    model = single_minded(make, 1)
    assert list(generate(model, [1, 4, 5], temperature=0.0)) == [4, 5]


def test_one_seed_one_story(make: Callable[..., Llama]) -> None:
    model = make()
    stories = [tuple(generate(model, [1], temperature=1.0, top_p=0.0, seed=seed)) for seed in (1, 1, 2)]
    assert stories[0] == stories[1] != stories[2]


def test_it_disturbs_neither_the_generators_nor_the_mode(make: Callable[..., Llama]) -> None:
    model = make(dropout=0.5)
    expected = list(generate(model, [1], temperature=1.0))
    model.train()
    before = torch.get_rng_state()
    assert list(generate(model, [1], temperature=1.0)) == expected
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ([], "the prompt has no tokens"),
        ([1, 24], "the prompt holds a token outside the model's vocabulary of 24"),
    ],
)
def test_a_prompt_that_can_not_be_continued_is_refused(
    prompt: list[int], message: str, make: Callable[..., Llama]
) -> None:
    with pytest.raises(FormatError) as caught:
        generate(make(), prompt)
    assert caught.value.message == message
