"""Runs as values: a few lines of metrics, samples, settings."""

from __future__ import annotations

from typing import Any

import pytest

from tsws.report.run_view import RunView


def lines(losses: dict[int, float], *, speed: float = 100.0) -> list[dict[str, Any]]:
    """A training and an evaluation line for each step; 10 tokens a step."""
    found: list[dict[str, Any]] = []
    for step, loss in losses.items():
        reached = {"tokens": step * 10, "seconds": step * 10 / speed}
        found.append(
            {
                "step": step,
                "train_loss": loss + 0.0625,
                "lr": 1e-3,
                "grad_norm": 0.5,
                **reached,
                "tokens_per_second": speed,
            }
        )
        found.append({"step": step, "val_loss": loss, **reached})
    return found


@pytest.fixture
def slow() -> RunView:
    """Evaluated at 10, 20 and 40."""
    samples = [{"step": 10, "prompt": "Once", "text": "Once a <b>cat</b> & a dog"}]
    settings = {"train.lr": 0.001, "model.dim": 16, "model.bias": None}
    return RunView("slow", lines({10: 4.0, 20: 3.0, 40: 2.0}), samples, settings, {"host": "here"})


@pytest.fixture
def quick() -> RunView:
    """Twice as fast, and evaluated more often."""
    losses = {10: 3.5, 20: 2.5, 30: 1.75, 40: 1.5}
    return RunView(
        "quick", lines(losses, speed=200.0), [], {"train.lr": 0.003, "model.dim": 16, "extra": True}, {"host": "there"}
    )
