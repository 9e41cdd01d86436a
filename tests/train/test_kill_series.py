"""Kills at random moments by the clock, over everything that computes a run differently: the same bytes and losses every time.

``TSWS_KILLS=25`` makes a long series of it (that many for each configuration); without it each has two.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

KILLS = int(os.environ.get("TSWS_KILLS", "2"))
"""Of each configuration."""
IN_A_ROW = 3
"""Kills at most before a run is left to end."""

LONGER = {"max_iters": 60, "eval_interval": 10}
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "native": {"engine": "native"},
    "native in bfloat16 on two threads": {"engine": "native", "threads": 2, "given": {"dtype": "bfloat16"}},
    "torch": {"engine": "torch", "compile": "never"},
    "torch, compiled": {"engine": "torch", "compile": "always"},
    "torch in bfloat16": {"engine": "torch", "given": {"dtype": "bfloat16"}},
    "AdamW and cosine": {"recipe": "llama2c"},
    "accumulation and dropout": {"config": {"dropout": 0.2}, "given": {"gradient_accumulation_steps": 3}},
    "gpt": {"config": {"arch": "gpt", "dropout": 0.1, "n_kv_heads": 4}, "torch_files": True},
    "two processes": {"engine": "torch", "processes": 2},
    "two processes, native, accumulation": {
        "engine": "native",
        "processes": 2,
        "given": {"gradient_accumulation_steps": 2},
    },
}
"""Orders for ``trainer.py``."""


@pytest.mark.marathon
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_killed_at_any_time_a_run_ends_with_the_same_bytes_and_losses(
    configuration: str, trainer: Any, results: Callable[[Path], Any], tmp_path: Path
) -> None:
    order = CONFIGURATIONS[configuration]
    order = {**order, "given": {**LONGER, **order.get("given", {})}}
    trainer.run(tmp_path / "first", **order)  # whatever has to be compiled is compiled now
    undisturbed = trainer.run(tmp_path / "undisturbed", **order)
    assert (undisturbed["status"], undisturbed["error"]) == (0, None)
    expected = results(tmp_path / "undisturbed")
    assert results(tmp_path / "first") == expected
    dice = random.Random(configuration)
    kills = number = 0
    while kills < KILLS:
        number += 1
        folder = tmp_path / str(number)
        moments = []
        for _ in range(min(dice.randint(1, IN_A_ROW), KILLS - kills)):
            other = "processes" in order and dice.random() < 0.5
            moments.append(dice.uniform(0.0, undisturbed["seconds"]))
            answer = trainer.run(folder, after=moments[-1], other=other, **order)
            kills += answer["status"] == -9 or answer["error"] is not None
        assert trainer.run(folder, **order)["error"] is None
        assert results(folder) == expected, f"run {number}, killed after seconds {moments}"
