"""``samples.jsonl``: what a run told, kept as its losses are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tsws.train.lines import read_lines
from tsws.train.samples import Samples, rewind_samples

LINES = [{"step": step, "prompt": "Once", "text": f"Once “{step}”"} for step in (5, 10, 12)]


@pytest.mark.parametrize(("step", "count"), [(0, 0), (4, 0), (5, 1), (9, 1), (10, 2), (12, 2)])
def test_rewinding_keeps_what_a_run_at_that_step_had_told(tmp_path: Path, step: int, count: int) -> None:
    path = tmp_path / "samples.jsonl"
    with Samples(path) as samples:
        for line in LINES:
            samples.write(line["step"], {"prompt": line["prompt"], "text": line["text"]})
    assert read_lines(path) == LINES
    rewind_samples(path, path, step=step, eval_interval=5)
    assert read_lines(path) == LINES[:count]


def test_a_run_keeps_the_story_of_every_evaluation(trainer: Any, tmp_path: Path) -> None:
    answer = trainer.run(tmp_path)
    said = [event for event in answer["events"] if event["event"] == "sample"]
    lines = read_lines(tmp_path / "samples.jsonl")
    assert [line["step"] for line in lines] == [5, 10, 15, 20, 24]
    assert lines == [{"step": event["step"], "prompt": event["prompt"], "text": event["text"]} for event in said]
    assert len({line["text"] for line in lines}) == 5


def test_a_longer_run_takes_over_what_the_shorter_one_told(trainer: Any, tmp_path: Path) -> None:
    given = {"schedule": "constant", "warmup_iters": 2}
    trainer.run(tmp_path / "short", given={**given, "max_iters": 12}, checkpoint_interval=12)
    start = tmp_path / "short" / "checkpoints" / "12"
    trainer.run(tmp_path / "longer", given=given, start_from=str(start))
    trainer.run(tmp_path / "at once", given=given)
    assert read_lines(tmp_path / "longer" / "samples.jsonl") == read_lines(tmp_path / "at once" / "samples.jsonl")
