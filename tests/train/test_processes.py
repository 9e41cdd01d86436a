"""Several processes train as one would, and end together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tsws.errors import TrainError
from tsws.train.rank import of_one_rank
from tsws.train.recipe import resolve

SHORT = {"max_iters": 8, "eval_interval": 4, "warmup_iters": 2, "gradient_accumulation_steps": 2}


QUICK = {"checkpoint_interval": 2}


def losses(folder: Path, results: Callable[[Path], Any]) -> list[float]:
    return [line.get("train_loss", line.get("val_loss")) for line in results(folder)["lines"]]


@pytest.mark.parametrize("engine", ["torch", "native"])
def test_two_processes_have_the_losses_of_one_with_accumulation(
    engine: str, trainer: Any, results: Callable[[Path], Any], tmp_path: Path
) -> None:
    order = {"given": SHORT, "engine": engine}
    assert trainer.run(tmp_path / "one", **order)["error"] is None
    assert trainer.run(tmp_path / "two", processes=2, **order)["error"] is None
    alone = losses(tmp_path / "one", results)
    assert len(alone) == 10
    assert losses(tmp_path / "two", results) == pytest.approx(alone, abs=1e-5)


def test_processes_share_the_rows_of_a_micro_batch_where_there_is_only_one(
    trainer: Any, results: Callable[[Path], Any], tmp_path: Path
) -> None:
    order = {"given": {**SHORT, "gradient_accumulation_steps": 1}}
    trainer.run(tmp_path / "one", **order)
    assert trainer.run(tmp_path / "two", processes=2, **order)["error"] is None
    assert losses(tmp_path / "two", results) == pytest.approx(losses(tmp_path / "one", results), abs=1e-5)


def test_whichever_process_is_killed_all_end_and_the_next_try_gives_the_same_bytes(
    trainer: Any, results: Callable[[Path], Any], tmp_path: Path
) -> None:
    order = {"given": SHORT, "config": {"dropout": 0.1}, "processes": 2, **QUICK}
    whole = trainer.run(tmp_path / "a", **order)
    assert whole["status"] == 0
    first = trainer.run(tmp_path / "b", moment=whole["moments"] // 3, **order)
    assert first["status"] == -9
    second = trainer.run(tmp_path / "b", moment=whole["moments"] // 4, other=True, **order)
    assert second["error"] == (
        "TrainError: run.tiny: the processes that train together are not complete any more:"
        " process 1 was killed by signal 9"
    )
    assert second["hint"] == "run `tsws apply` again: it continues from the last checkpoint"
    stopped = trainer.run(tmp_path / "b", stop_at=1, **order)
    assert stopped["error"].startswith("InterruptedByUser: run.tiny: stopped at step ")
    assert trainer.run(tmp_path / "b", **order)["error"] is None
    assert results(tmp_path / "b") == results(tmp_path / "a")


def test_what_keeps_another_process_from_taking_part_is_told(trainer: Any, tmp_path: Path) -> None:
    order = {"given": SHORT, "processes": 2, "config": {"arch": "unheard-of"}}
    answer = trainer.run(tmp_path, **order)
    assert answer["error"] == (
        "TrainError: run.tiny: the processes that train together are not complete any more:"
        " process 1: no plugin provides the architecture 'unheard-of' here"
    )


@pytest.mark.parametrize(
    ("batch_size", "accumulation", "size", "share"),
    [
        (32, 4, 1, (32, 4)),
        (32, 4, 2, (32, 2)),
        (32, 1, 2, (16, 1)),
        (6, 4, 8, (3, 1)),
        (6, 2, 4, (3, 1)),
        (4, 3, 3, (4, 1)),
    ],
)
def test_every_process_has_an_equal_part_of_the_rows(
    batch_size: int, accumulation: int, size: int, share: tuple[int, int]
) -> None:
    h = resolve("fast", numbers(batch_size, accumulation), dim=64, max_seq_len=256)
    part = of_one_rank(h, size)
    assert (part.batch_size, part.gradient_accumulation_steps) == share


def test_rows_that_can_not_be_shared_evenly_are_refused() -> None:
    h = resolve("fast", numbers(6, 1), dim=64, max_seq_len=256)
    with pytest.raises(TrainError) as caught:
        of_one_rank(h, 4)
    assert caught.value.message == (
        "the 6 rows of a step (batch_size 6, gradient_accumulation_steps 1) can not be shared evenly among 4 processes"
    )
    assert caught.value.hint == "choose gradient_accumulation_steps or batch_size as a multiple of 4"


def numbers(batch_size: int, accumulation: int) -> dict[str, Any]:
    given = {"max_iters": 8, "dtype": "float32", "seed": 1, "eval_tokens": 64}
    return {**given, "batch_size": batch_size, "gradient_accumulation_steps": accumulation}
