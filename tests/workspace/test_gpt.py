"""A run of a GPT: trained, played by torch, exported, and with the files that other trainers know."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.workspace.conftest import MANIFEST
from tsws import Workspace
from tsws.errors import UsageError
from tsws.job import Event, Log
from tsws.model.weights import load_weights

OUT = Path("out/small")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace after its first apply. Do not touch: copy it."""
    root = tmp_path_factory.mktemp("gpt")
    (root / "tinystories.toml").write_text(MANIFEST.replace("[model.small]", '[model.small]\narch = "gpt"'))
    apply(root)
    return root


@pytest.fixture
def root(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "workspace"))


def apply(root: Path, **options: Any) -> list[str]:
    """Bring the run up to date, and return the lines that it said."""
    events: list[Event] = []
    report = Workspace.open(root).apply(["run.small"], emit=events.append, **options)
    assert report.ok, [str(result.error) for result in report.failed]
    return [event.message for event in events if isinstance(event, Log) and event.address == "run.small"]


def test_it_is_exported_told_by_torch_and_not_trained_twice(root: Path) -> None:
    assert sorted(path.name for path in (root / OUT).iterdir()) == [
        "checkpoint.pt",
        "metrics.jsonl",
        "model.safetensors",
        "model_best.pt",
        "samples.jsonl",
    ]
    workspace = Workspace.open(root)
    assert not workspace.plan(["run.small"]).changes
    story = "".join(workspace.generate("Once upon a time", temperature=0.0))
    assert story.startswith("Once upon a time")
    assert workspace.engine() == "torch"
    with pytest.raises(UsageError, match=r"^the native program can not play run\.small: it is no llama2\.c model$"):
        list(workspace.generate(engine="native"))
    samples = [json.loads(line) for line in (root / OUT / "samples.jsonl").read_text().splitlines()]
    assert [sample["step"] for sample in samples] == [10, 20]
    assert all(sample["text"].startswith("Once upon a time") for sample in samples)


def test_its_torch_files_hold_nothing_but_weights(root: Path) -> None:
    checkpoint = torch.load(root / OUT / "checkpoint.pt", weights_only=True)
    best = torch.load(root / OUT / "model_best.pt", weights_only=True)
    exported = load_weights(root / OUT / "model.safetensors")
    assert sorted(checkpoint) == ["best_val_loss", "config", "model", "optimizer", "step", "val_loss"]
    assert checkpoint["step"] == 20
    assert checkpoint["config"]["arch"] == "gpt"
    assert sorted(best) == sorted(exported) == sorted(checkpoint["model"])
    assert all(tensor.equal(exported[name]) for name, tensor in best.items())


def test_a_run_without_checkpoints_begins_with_a_persons_file_and_fresh_does_not(trained: Path, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    (root / OUT).mkdir(parents=True)
    for name in ("tinystories.toml", "words.model"):
        shutil.copy(trained / name, root / name)
    theirs = torch.load(trained / OUT / "checkpoint.pt", weights_only=True)
    torch.save({"model_state_dict": theirs["model"], "iter_num": 15}, root / OUT / "checkpoint.pt")
    given = (root / OUT / "checkpoint.pt").read_bytes()
    assert apply(root) == [f"beginning with the weights of {root / OUT / 'checkpoint.pt'}", "continuing at step 15"]
    assert torch.load(root / OUT / "checkpoint.pt", weights_only=True)["step"] == 20
    aside = [path.read_bytes() for path in (root / ".tsws" / "replaced").rglob("checkpoint.pt")]
    assert aside == [given]
    assert apply(root, replace=["run.small"]) == []
    steps = [json.loads(line)["step"] for line in (root / OUT / "metrics.jsonl").read_text().splitlines()]
    assert steps[0] == 1
    fresh = load_weights(root / OUT / "model.safetensors")
    assert all(tensor.equal(fresh[name]) for name, tensor in load_weights(trained / OUT / "model.safetensors").items())


def test_a_file_that_is_more_than_weights_is_passed_over_and_runs_nothing(trained: Path, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    (root / OUT).mkdir(parents=True)
    shutil.copy(trained / "tinystories.toml", root / "tinystories.toml")
    torch.save({"model": Trap(tmp_path / "sprung")}, root / OUT / "checkpoint.pt")
    torch.save({"some": torch.zeros(3)}, root / OUT / "model_best.pt")
    first, second = apply(root)
    assert first.startswith("checkpoint.pt: it can not be read as weights alone: ")
    assert first.endswith("; passing it over")
    assert second == "model_best.pt: it is of another model; passing it over"
    assert not (tmp_path / "sprung").exists()


class Trap:
    """Writes a file when it is unpickled without care."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)
