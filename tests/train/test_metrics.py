"""``metrics.jsonl`` after a kill."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsws.train.metrics import Metrics, read_metrics, rewind_metrics

LINES = [
    {"step": 1, "train_loss": 3.0},
    {"step": 2, "train_loss": 2.9},
    {"step": 2, "val_loss": 2.95},
    {"step": 3, "train_loss": 2.8},
    {"step": 3, "val_loss": 2.85},
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "run" / "metrics.jsonl"
    with Metrics(path) as metrics:
        for line in LINES:
            metrics.write(int(line["step"]), {key: value for key, value in line.items() if key != "step"})
    return path


def test_lines_come_back(path: Path) -> None:
    assert read_metrics(path) == LINES
    assert read_metrics(path.with_name("absent.jsonl")) == []


@pytest.mark.parametrize("rest", [b'{"step": 4', b'{"step": 4, "train\n', b"\0\0\0\n", b"[]\n"])
def test_what_is_torn_is_left_out(path: Path, rest: bytes) -> None:
    path.write_bytes(path.read_bytes() + rest)
    assert read_metrics(path) == LINES


@pytest.mark.parametrize(("step", "count"), [(0, 0), (1, 1), (2, 3), (3, 4), (9, 4)])
def test_rewinding_keeps_what_a_run_at_that_step_had_written(path: Path, step: int, count: int) -> None:
    rewind_metrics(path, path.with_name("new.jsonl"), step=step, eval_interval=2)
    assert read_metrics(path.with_name("new.jsonl")) == LINES[:count]
