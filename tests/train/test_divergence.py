"""When training counts as lost."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tsws.train.divergence import has_diverged


@pytest.mark.parametrize(
    ("train_loss", "val_loss", "best_loss", "verdict"),
    [
        (9.0, 9.0, None, False),  # nothing to compare with
        (2.0, 2.1, 1.5, False),
        (4.0, 1.6, 1.5, False),  # a hard batch
        (0.1, 4.0, 1.5, False),  # known by heart
        (4.0, 4.0, 1.5, True),
    ],
)
def test_both_losses_have_to_be_far_above_the_best(
    train_loss: float, val_loss: float, best_loss: float | None, verdict: bool
) -> None:
    assert has_diverged(train_loss, val_loss, best_loss) is verdict


def test_a_diverged_run_ends_with_a_hint_and_keeps_its_checkpoints(trainer: Any, tmp_path: Path) -> None:
    given = {"learning_rate": 3.0, "warmup_iters": 20, "eval_interval": 2}
    answer = trainer.run(tmp_path, given=given, checkpoint_interval=1)
    assert re.fullmatch(
        r"TrainError: run\.tiny: training has diverged at step \d+: the validation loss is [\d.]+, after [\d.]+ at step \d+",
        answer["error"],
    )
    assert answer["hint"] == "lower learning_rate, or lengthen warmup_iters; the last good checkpoint is kept"
    best = [path for path in (tmp_path / "checkpoints").iterdir() if (path / "best.safetensors").exists()]
    assert len(best) == 2
    assert not (tmp_path / "last.safetensors").exists()
