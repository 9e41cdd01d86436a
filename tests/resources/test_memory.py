"""What training takes of a machine's memory: as it was measured, or at most."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workspace.conftest import MANIFEST
from tsws import Workspace
from tsws.model.config import LlamaConfig
from tsws.resources.memory import PROCESS, training_memory

SEED = {"dim": 128, "n_layers": 5, "n_heads": 8, "n_kv_heads": 4, "vocab_size": 105, "max_seq_len": 256}


def test_the_sizes_of_a_model_and_its_rows_say_what_it_takes_at_most() -> None:
    sizes = LlamaConfig.from_fields(SEED)
    one, two = training_memory(sizes, 1), training_memory(sizes, 2)
    assert training_memory(sizes, 32) == one + 31 * (two - one)
    assert PROCESS + 20 * sizes.parameter_count < one
    assert training_memory(sizes, 32) == pytest.approx(932e6, rel=0.05)  # measured


@pytest.fixture
def memory(tmp_path: Path) -> Callable[..., str]:
    """What the plan says of a run's memory."""
    (tmp_path / "tinystories.toml").write_text(MANIFEST)

    def say(*overrides: str) -> str:
        workspace = Workspace.open(tmp_path, overrides=[f"run.small.{one}" for one in overrides])
        estimate = workspace.plan(["run.small"])["run.small"].estimate
        assert estimate is not None
        return estimate.basis.partition("; ")[0]

    return say


def test_a_plan_says_what_was_measured_where_the_steps_were_alike(memory: Callable[..., str], tmp_path: Path) -> None:
    assert re.fullmatch(r"at most 33\d MB of memory", memory())
    assert Workspace.open(tmp_path).apply(["run.small"]).ok
    measured = memory("seed=2")
    assert re.fullmatch(r"[234]\d\d MB of memory", measured)
    assert memory("max_iters=100") == measured
    assert int(memory("seed=2", "processes=2", "gradient_accumulation_steps=2").split()[0]) == pytest.approx(
        2 * int(measured.split()[0]), abs=1
    )
    for other in ("batch_size=64", "dtype=bfloat16"):
        assert memory(other).startswith("at most ")
