"""A run that is killed, stopped or damaged ends with the bytes of one that was left alone."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "dropout and accumulation": {"config": {"dropout": 0.2}, "given": {"gradient_accumulation_steps": 2}},
    "bfloat16": {"given": {"dtype": "bfloat16"}},
    "two threads": {"threads": 2},
    "checkpoints between lines": {"checkpoint_interval": 3, "log_interval": 7},
    "last step evaluated anyway": {"given": {"max_iters": 20}},
    "llama2c": {"recipe": "llama2c", "config": {"tie_embeddings": False}},
}


def messages(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"] if event["event"] == "log"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_killed_again_and_again_ends_with_the_same_bytes(
    variant: str, trainer: Any, results: Callable[[Path], Any], tmp_path: Path
) -> None:
    order = VARIANTS[variant]
    undisturbed = trainer.run(tmp_path / "a", **order)
    assert undisturbed["status"] == 0
    dice = random.Random(variant)
    kills = 0
    # Each attempt dies somewhere: at first early, then ever later, until one gets to the end.
    for attempt in range(6):
        moment = dice.randrange(undisturbed["moments"])
        answer = trainer.run(tmp_path / "b", moment=moment, outside=attempt % 2 == 1, **order)
        kills += answer["status"] == -9
        if answer["status"] == 0:
            break
    assert kills
    assert trainer.run(tmp_path / "b", **order)["status"] == 0
    assert results(tmp_path / "b") == results(tmp_path / "a")


def test_a_kill_at_any_moment_of_a_checkpoint_loses_nothing(
    trainer: Any, results: Callable[[Path], Any], tmp_path: Path
) -> None:
    order = {"given": {"max_iters": 4, "eval_interval": 3}, "checkpoint_interval": 2}
    moments = trainer.run(tmp_path / "whole", **order)["moments"]
    expected = results(tmp_path / "whole")
    for moment in range(moments):
        folder = tmp_path / str(moment)
        assert trainer.run(folder, moment=moment, **order)["status"] == -9
        assert trainer.run(folder, **order)["status"] == 0
        assert results(folder) == expected, f"killed at moment {moment}"


def test_asked_to_stop_it_writes_a_checkpoint_and_goes_on_from_there(
    trainer: Any, results: Callable[[Path], Any], tmp_path: Path
) -> None:
    trainer.run(tmp_path / "a")
    stopped = trainer.run(tmp_path / "b", stop_at=7)
    assert stopped["error"] == "InterruptedByUser: run.tiny: stopped at step 7 of 24, the checkpoint is written"
    assert stopped["events"][-1]["event"] == "checkpoint" and stopped["events"][-1]["step"] == 7
    resumed = trainer.run(tmp_path / "b")
    assert messages(resumed) == ["continuing at step 7"]
    assert results(tmp_path / "b") == results(tmp_path / "a")


def test_a_finished_run_gives_its_results_again_without_training(
    trainer: Any, results: Callable[[Path], Any], tmp_path: Path
) -> None:
    trainer.run(tmp_path)
    first = results(tmp_path)
    (tmp_path / "best.safetensors").unlink()
    again = trainer.run(tmp_path)
    assert messages(again) == ["continuing at step 24"]
    assert [event["step"] for event in again["events"] if event["event"] == "metric"] == [24]  # the last evaluation
    assert results(tmp_path) == first


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


DAMAGE: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "cut": ("model.safetensors", cut, "16: model.safetensors has {less} bytes, expected {size}"),
    "flipped": (
        "optimizer.safetensors",
        flip,
        "16: the bytes of optimizer.safetensors are not those that were written",
    ),
    "missing manifest": ("manifest.json", Path.unlink, "16: it was never finished"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_falls_back_by_one_and_says_so(
    damage: str, trainer: Any, results: Callable[[Path], Any], tmp_path: Path
) -> None:
    trainer.run(tmp_path / "a")
    trainer.run(tmp_path / "b", stop_at=16)
    name, spoil, complaint = DAMAGE[damage]
    file = tmp_path / "b" / "checkpoints" / "16" / name
    size = file.stat().st_size
    spoil(file)
    resumed = trainer.run(tmp_path / "b")
    assert messages(resumed) == [
        f"checkpoint {complaint.format(less=size - 1, size=size)}; going back to the one before",
        "continuing at step 14",  # where the decay begins: a pinned one
    ]
    assert results(tmp_path / "b") == results(tmp_path / "a")


FOREIGN: dict[str, tuple[dict[str, Any], str]] = {
    "settings": ({"given": {"seed": 6}}, "it is of a run with other settings"),
    "data": ({"train": ["val"]}, "it is of a run on other data (12 rows, not 49)"),
    "model": ({"config": {"hidden_dim": 48}}, "it is of another model"),
}


@pytest.mark.parametrize("foreign", FOREIGN)
def test_a_folder_of_another_run_is_refused_with_a_way_out_and_left_as_it_is(
    foreign: str, trainer: Any, shards: dict[str, list[str]], results: Callable[[Path], Any], tmp_path: Path
) -> None:
    order, complaint = FOREIGN[foreign]
    if "train" in order:
        order = {"train": shards["val"]}
    trainer.run(tmp_path / "b", stop_at=6, **order)
    before = sorted(tmp_path.rglob("*"))
    answer = trainer.run(tmp_path / "b")
    assert answer["error"] == f"FormatError: run.tiny: checkpoint 6: {complaint}"
    assert answer["hint"] == (
        "`tsws apply --replace run.tiny` puts that run's folder aside and trains from the beginning"
    )
    assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "b").rename(tmp_path / "aside")  # what --replace does
    trainer.run(tmp_path / "b")
    trainer.run(tmp_path / "a")
    assert results(tmp_path / "b") == results(tmp_path / "a")


@pytest.mark.parametrize(
    ("order", "longer", "pinned"),
    [
        ({}, 40, 14),
        ({"given": {"schedule": "constant"}}, 40, 24),
        ({"recipe": "llama2c", "given": {"lr_decay_iters": 60, "warmup_iters": 3}}, 40, 24),
    ],
    ids=["wsd", "constant", "cosine"],
)
def test_an_extended_run_is_the_longer_run(
    order: dict[str, Any], longer: int, pinned: int, trainer: Any, results: Callable[[Path], Any], tmp_path: Path
) -> None:
    # The same warm-up: a default one may hang on max_iters.
    given = {"warmup_iters": 2, **order.get("given", {})}
    trainer.run(tmp_path / "short", **{**order, "given": given})
    order = {**order, "given": {**given, "max_iters": longer}}
    trainer.run(tmp_path / "long", **order)
    checkpoint = tmp_path / "short" / "checkpoints" / str(pinned)
    extended = trainer.run(tmp_path / "extended", start_from=str(checkpoint), **order)
    assert messages(extended) == [f"continuing at step {pinned}"]
    assert results(tmp_path / "extended") == results(tmp_path / "long")


def test_a_checkpoint_that_the_longer_run_would_not_have_is_not_used(
    trainer: Any, results: Callable[[Path], Any], tmp_path: Path
) -> None:
    trainer.run(tmp_path / "short", given={"warmup_iters": 2})
    order = {"given": {"warmup_iters": 2, "max_iters": 40}}
    trainer.run(tmp_path / "long", **order)
    late = tmp_path / "short" / "checkpoints" / "24"
    extended = trainer.run(tmp_path / "extended", start_from=str(late), **order)
    assert messages(extended) == ["checkpoint 24: it is of a run with other settings; training from the beginning"]
    shutil.rmtree(tmp_path / "short")
    assert results(tmp_path / "extended") == results(tmp_path / "long")


def test_the_last_two_checkpoints_and_the_pinned_one_stay(trainer: Any, tmp_path: Path) -> None:
    trainer.run(tmp_path, checkpoint_interval=2)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["14", "22", "24"]


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_last_good_checkpoint(trainer: Any, tmp_path: Path) -> None:
    answer = trainer.run(tmp_path, given={"learning_rate": 1e30, "grad_clip": 0.0, "warmup_iters": 12})
    assert answer["status"] == 0
    assert answer["error"].startswith("TrainError: run.tiny: training broke down at step ")
    assert not (tmp_path / "last.safetensors").exists()
