"""The learning rate, and until where two runs are the same."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.train.recipe import Hyperparameters, resolve
from tsws.train.schedule import agree_until, decay_start, learning_rate

WSD = resolve(
    "fast",
    {
        "max_iters": 100,
        "batch_size": 2,
        "gradient_accumulation_steps": 1,
        "dtype": "float32",
        "seed": 1,
        "eval_tokens": 64,
        "learning_rate": 1.0,
        "warmup_iters": 10,
        "decay_fraction": 0.4,
        "min_lr": 0.0,
        "eval_interval": 10,
    },
    dim=64,
    max_seq_len=256,
)
COSINE = replace(WSD, schedule="cosine", decay_fraction=0.0, min_lr=0.1, lr_decay_iters=100)
CONSTANT = replace(WSD, schedule="constant", decay_fraction=0.0)


def test_every_schedule_rises_in_a_line_from_nothing() -> None:
    for h in (WSD, COSINE, CONSTANT):
        assert [learning_rate(h, step) for step in (0, 1, 5, 9, 10)] == [0.0, 0.1, 0.5, 0.9, 1.0]


def test_wsd_is_flat_and_then_falls_in_a_line_to_the_end() -> None:
    assert decay_start(WSD) == 60
    assert {learning_rate(WSD, step) for step in range(10, 61)} == {1.0}
    assert [learning_rate(WSD, step) for step in (70, 80, 99)] == [0.75, 0.5, 0.025]
    assert learning_rate(replace(WSD, min_lr=0.5), 80) == 0.75


def test_cosine_is_llama2cs() -> None:
    assert learning_rate(COSINE, 55) == pytest.approx(0.1 + 0.5 * 0.9)
    assert learning_rate(COSINE, 32) == pytest.approx(0.1 + 0.5 * (1 + math.cos(math.pi * 22 / 90)) * 0.9)
    assert learning_rate(COSINE, 100) == learning_rate(COSINE, 1000) == 0.1


def test_constant_is_constant() -> None:
    assert {learning_rate(CONSTANT, step) for step in range(10, 200)} == {1.0}


def longer(h: Hyperparameters, max_iters: int, lr_decay_iters: int | None = None) -> Hyperparameters:
    return replace(h, max_iters=max_iters, lr_decay_iters=lr_decay_iters or h.lr_decay_iters)


def test_runs_agree_until_their_schedules_part() -> None:
    assert agree_until(WSD, WSD) == 100
    assert agree_until(WSD, longer(WSD, 200, 200)) == 60
    assert agree_until(longer(WSD, 200), WSD) == 60
    assert agree_until(CONSTANT, longer(CONSTANT, 150, 150)) == 100
    assert agree_until(COSINE, longer(COSINE, 150)) == 100
    assert agree_until(COSINE, longer(COSINE, 150, 150)) == 0


@pytest.mark.parametrize("change", [{"seed": 2}, {"eval_interval": 20}, {"warmup_iters": 11}, {"beta2": 0.9}])
def test_runs_that_differ_in_anything_else_do_not_agree(change: dict[str, float]) -> None:
    assert agree_until(WSD, replace(WSD, max_iters=200, **change)) == 0


def test_a_default_recipe_can_be_extended() -> None:
    given = {"batch_size": 2, "gradient_accumulation_steps": 1, "dtype": "float32", "seed": 1, "eval_tokens": 64}
    old, longer = (resolve("fast", {**given, "max_iters": n}, dim=64, max_seq_len=256) for n in (400, 4000))
    assert agree_until(old, longer) == decay_start(old) > 0


@given(
    h=st.sampled_from([WSD, COSINE, CONSTANT]),
    old_iters=st.integers(12, 120),
    new_iters=st.integers(12, 120),
    fixed=st.booleans(),
)
def test_before_agree_until_the_rates_are_equal(
    h: Hyperparameters, old_iters: int, new_iters: int, fixed: bool
) -> None:
    old = longer(h, old_iters, 60 if fixed else old_iters)
    new = longer(h, new_iters, 60 if fixed else new_iters)
    agreed = agree_until(old, new)
    assert agreed == agree_until(new, old) <= min(old_iters, new_iters)
    assert [learning_rate(old, step) for step in range(agreed)] == [learning_rate(new, step) for step in range(agreed)]
