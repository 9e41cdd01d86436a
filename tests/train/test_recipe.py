"""From a recipe to all the numbers of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tsws.errors import TrainError
from tsws.train.recipe import Hyperparameters, resolve

GIVEN = {
    "max_iters": 5000,
    "batch_size": 32,
    "gradient_accumulation_steps": 4,
    "dtype": "float32",
    "seed": 1337,
    "eval_tokens": 131072,
}


def numbers_of(recipe: str, *, dim: int = 64, max_seq_len: int = 256, **given: Any) -> Hyperparameters:
    return resolve(recipe, GIVEN | given, dim=dim, max_seq_len=max_seq_len)


def test_llama2c_has_the_numbers_of_its_train_py() -> None:
    assert numbers_of("llama2c", dim=288) == Hyperparameters(
        max_iters=5000,
        batch_size=32,
        gradient_accumulation_steps=4,
        learning_rate=5e-4,
        min_lr=0.0,
        warmup_iters=1000,
        schedule="cosine",
        decay_fraction=0.0,
        lr_decay_iters=5000,
        optimizer="adamw",
        momentum=0.0,
        weight_decay=0.1,
        beta1=0.9,
        beta2=0.95,
        grad_clip=1.0,
        dtype="float32",
        seed=1337,
        eval_interval=100,
        eval_tokens=131072,
    )


@pytest.mark.parametrize(
    ("batch_size", "max_seq_len", "eval_tokens", "interval"),
    [(32, 256, 65536, 200), (8, 256, 65536, 770), (32, 512, 65536, 100), (512, 1024, 65536, 100), (32, 256, 64, 100)],
)
def test_a_run_that_says_nothing_learns_from_24_tokens_for_each_that_it_is_evaluated_on(
    batch_size: int, max_seq_len: int, eval_tokens: int, interval: int
) -> None:
    numbers = {"batch_size": batch_size, "gradient_accumulation_steps": 1, "eval_tokens": eval_tokens}
    for max_iters in (50, 5000):
        h = numbers_of("fast", max_seq_len=max_seq_len, max_iters=max_iters, **numbers)
        assert h.eval_interval == interval


def test_a_short_run_warms_up_for_a_part_of_it() -> None:
    assert numbers_of("llama2c", max_iters=500).warmup_iters == 50
    assert numbers_of("fast", max_iters=60).warmup_iters == 30


def test_runs_of_different_length_warm_up_alike_so_that_one_can_continue_the_other() -> None:
    assert {numbers_of("fast", max_iters=n).warmup_iters for n in (80, 400, 100_000)} == {40}


@pytest.mark.parametrize("recipe", ["fast", "llama2c"])
def test_what_is_given_wins_and_none_is_not_given(recipe: str) -> None:
    plain = numbers_of(recipe)
    assert numbers_of(recipe, learning_rate=None, model="tiny", out=None) == plain
    given = {"learning_rate": 0.01, "warmup_iters": 0, "schedule": "constant", "eval_interval": 7}
    unused = {"lr_decay_iters": 0}  # only a cosine has one
    assert numbers_of(recipe, **given) == replace(plain, **given, **unused)


def test_wsd_always_has_a_decay() -> None:
    assert numbers_of("llama2c", schedule="wsd").decay_fraction > 0
    assert numbers_of("llama2c", schedule="wsd", decay_fraction=0.0).decay_fraction == 0


def test_only_muon_has_a_momentum_of_its_own() -> None:
    assert numbers_of("fast").momentum == 0.9
    assert numbers_of("fast", optimizer="adamw", momentum=0.5).momentum == 0
    assert numbers_of("llama2c", optimizer="muon").momentum == 0.9
    assert numbers_of("llama2c", optimizer="muon", momentum=0.0).momentum == 0


def test_fast_learns_slower_the_wider() -> None:
    rates = [numbers_of("fast", dim=dim).learning_rate for dim in (32, 64, 128, 288, 768)]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < rates[0]


@pytest.mark.parametrize(
    ("recipe", "change", "message"),
    [
        ("quick", {}, "there is no recipe 'quick'"),
        ("fast", {"max_iters": None}, "max_iters is missing"),
        ("fast", {"batch_size": None, "seed": None}, "training settings are missing: batch_size, seed"),
        ("fast", {"warmup_iters": 5000}, "warmup_iters (5000) leaves nothing of the 5000 steps"),
        ("llama2c", {"lr_decay_iters": 900}, "warmup_iters (1000) reaches lr_decay_iters (900)"),
        ("fast", {"batch_size": 0}, "batch_size is 0; it has to be at least 1"),
        ("fast", {"optimizer": "lion"}, "there is no optimizer 'lion'"),
        ("fast", {"schedule": "linear"}, "there is no schedule 'linear'"),
        ("fast", {"dtype": "float16"}, "dtype 'float16' is unknown"),
        ("fast", {"learning_rate": 1e-4, "min_lr": 1e-3}, "min_lr (0.001) is above learning_rate (0.0001)"),
    ],
)
def test_numbers_that_do_not_fit_are_named(recipe: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainError) as caught:
        numbers_of(recipe, **change)
    assert caught.value.message == message
    assert caught.value.hint
