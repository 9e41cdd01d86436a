"""What a run says and leaves behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tsws.errors import TrainError
from tsws.model.weights import load_weights, read_config
from tsws.train.device import prepare_device
from tsws.train.metrics import read_metrics


def test_a_run_learns_and_says_so(trainer: Any, tmp_path: Path) -> None:
    order = {"given": {"max_iters": 60, "eval_interval": 25}, "log_interval": 20, "checkpoint_interval": 25}
    answer = trainer.run(tmp_path, **order)
    assert answer["status"] == 0 and answer["error"] is None
    said = [(event["event"], event.get("step")) for event in answer["events"]]
    assert said == [
        ("metric", 1),
        ("metric", 20),
        ("metric", 25),
        ("sample", 25),
        ("checkpoint", 25),
        ("checkpoint", 36),
        ("metric", 40),
        ("metric", 50),
        ("sample", 50),
        ("checkpoint", 50),
        ("metric", 60),
        ("checkpoint", 60),
        ("metric", 60),
        ("sample", 60),
    ]
    metrics = [event for event in answer["events"] if event["event"] == "metric"]
    assert {event["total"] for event in metrics} == {60}
    assert {event["address"] for event in answer["events"]} == {"run.tiny"}
    lines = read_metrics(tmp_path / "metrics.jsonl")
    assert lines == [{"step": event["step"], **event["values"]} for event in metrics]
    trained = [line for line in lines if "train_loss" in line]
    assert list(trained[0]) == [
        "step",
        "train_loss",
        "lr",
        "grad_norm",
        "tokens",
        "tokens_per_second",
        "mfu",
        "seconds",
    ]
    assert [line["tokens"] for line in trained] == [64 * step for step in (1, 20, 40, 60)]
    losses = [line["val_loss"] for line in lines if "val_loss" in line]
    assert losses[-1] < losses[0] < 3.2 and losses[-1] < 2.5  # ln 24 is 3.18


def test_the_best_weights_are_those_of_the_best_evaluation(trainer: Any, tmp_path: Path) -> None:
    # Validation tokens fall where training tokens rise: the better it learns the one, the worse it does the other.
    falling = tmp_path / "falling.bin"
    (np.arange(200)[::-1] % 24).astype("<u2").tofile(falling)
    adamw = {"optimizer": "adamw"}  # Muon is still better at both after so few steps
    trainer.run(tmp_path / "run", val=[str(falling)], given=adamw)
    lines = read_metrics(tmp_path / "run" / "metrics.jsonl")
    losses = {line["step"]: line["val_loss"] for line in lines if "val_loss" in line}
    best = min(losses, key=losses.__getitem__)
    assert best < 24
    trainer.run(tmp_path / "stopped", val=[str(falling)], stop_at=best, given=adamw)
    wanted = load_weights(tmp_path / "stopped" / "checkpoints" / str(best) / "model.safetensors")
    found = load_weights(tmp_path / "run" / "best.safetensors")
    assert all(wanted[name].equal(tensor) for name, tensor in found.items())
    assert not load_weights(tmp_path / "run" / "last.safetensors")["norm.weight"].equal(found["norm.weight"])


def test_the_weights_carry_their_config(trainer: Any, tmp_path: Path) -> None:
    trainer.run(tmp_path, given={"max_iters": 2})
    config = read_config(tmp_path / "last.safetensors")
    assert config["arch"] == "llama" and config["vocab_size"] == 24 and config["max_seq_len"] == 16
    assert json.loads((tmp_path / "checkpoints" / "2" / "state.json").read_text())["tokens"] == 2 * 64
    assert not list(tmp_path.rglob("*.tsws-tmp"))


def test_seeds_lead_to_different_weights_and_operational_settings_do_not(trainer: Any, tmp_path: Path) -> None:
    orders: dict[str, dict[str, Any]] = {
        "a": {},
        "b": {"log_interval": 3, "checkpoint_interval": 0.0},
        "c": {"given": {"seed": 6}},
    }
    for name, order in orders.items():
        trainer.run(tmp_path / name, **order)
    weights = {name: (tmp_path / name / "last.safetensors").read_bytes() for name in orders}
    assert weights["a"] == weights["b"] != weights["c"]


def test_data_that_do_not_fit_are_refused_before_training(trainer: Any, shards: Any, tmp_path: Path) -> None:
    short = tmp_path / "short.bin"
    short.write_bytes(bytes(20))
    answer = trainer.run(tmp_path / "run", val=[str(short)])
    assert answer["error"] == "FormatError: too few tokens: short.bin together hold 10, one row needs 17"
    answer = trainer.run(tmp_path / "run", config={"vocab_size": 8})
    assert answer["error"].startswith(f"FormatError: {shards['train'][0].rsplit('/', 1)[0]}")
    assert answer["error"].endswith("but the vocabulary has 8")


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(TrainError) as caught:
        prepare_device("quantum", "float32", None)
    assert caught.value.message.startswith("device 'quantum' can not be used here: ")
    assert caught.value.hint == 'choose `device = "auto"` or "cpu"'
