"""Runs: what makes them stale, how they are extended and restored, and what is kept."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.workspace.conftest import MANIFEST
from tsws import Workspace
from tsws.io.digest import sha256_file
from tsws.job import Event, Metric
from tsws.reconcile.action import Change, Plan

MODEL = "out/small/model.bin"


def changes(plan: Plan) -> dict[str, Change]:
    return {action.address: action.change for action in plan.changes}


def losses(root: Path) -> list[tuple[int, float | None, float | None]]:
    lines = map(json.loads, (root / "out/small/metrics.jsonl").read_text().splitlines())
    return [(line["step"], line.get("train_loss"), line.get("val_loss")) for line in lines]


def apply(root: Path, *overrides: str) -> list[Event]:
    """Apply with overrides and return what was said."""
    events: list[Event] = []
    report = Workspace.open(root, overrides=overrides).apply(emit=events.append)
    assert report.ok, [str(result.error) for result in report.failed]
    return events


def trained_steps(events: Sequence[Event]) -> set[int]:
    return {event.step for event in events if isinstance(event, Metric) and "train_loss" in event.values}


def test_a_second_apply_does_nothing(root: Path) -> None:
    before = {
        path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file() and ".tsws/lock" not in str(path)
    }
    workspace = Workspace.open(root)
    assert not workspace.plan().changes
    assert not workspace.apply().done
    after = {
        path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file() and ".tsws/lock" not in str(path)
    }
    assert after == before


@pytest.mark.parametrize(
    "override",
    ["log_interval=3", "threads=2", "device='cpu'", "checkpoint_interval='5m'", "sample_prompt='The cat'"],
)
def test_an_operational_field_replans_nothing(root: Path, override: str) -> None:
    assert not Workspace.open(root, overrides=[f"run.small.{override}"]).plan().changes


@pytest.mark.parametrize(
    ("override", "stale"),
    [
        ("run.small.seed=1", {"run.small", "export.small"}),
        ("model.small.dim=32", {"run.small", "export.small"}),
        ("run.small.learning_rate=0.001", {"run.small", "export.small"}),
        ("tokenizer.words.vocab_size=350", {"tokenizer.words", "tokens.toy.words", "run.small", "export.small"}),
        (
            "dataset.toy.seed=1",
            {"dataset.toy", "tokenizer.words", "tokens.toy.words", "run.small", "export.small"},
        ),
        ("dataset.toy.val='10%'", {"tokenizer.words", "tokens.toy.words", "run.small", "export.small"}),
    ],
)
def test_an_identity_field_replans_exactly_its_dependants(root: Path, override: str, stale: set[str]) -> None:
    assert set(changes(Workspace.open(root, overrides=[override]).plan())) == stale


def test_a_hand_edited_model_is_drift_and_is_exported_again(root: Path, digest: Callable[[str], str]) -> None:
    good = digest(MODEL)
    with open(root / MODEL, "ab") as file:
        file.write(b"by hand")
    plan = Workspace.open(root).plan()
    assert changes(plan) == {"export.small": Change.REPAIR}
    assert "out/small/model.bin" in plan["export.small"].reason
    apply(root)
    assert digest(MODEL) == good
    kept = list((root / ".tsws" / "replaced").rglob("model.bin"))
    assert [path.read_bytes()[-7:] for path in kept] == [b"by hand"]


def test_a_longer_run_continues_the_shorter_one_and_gives_the_same_bytes_as_from_scratch(
    root: Path, tmp_path: Path
) -> None:
    plan = Workspace.open(root, overrides=["run.small.max_iters=40"]).plan()
    assert plan["run.small"].change is Change.EXTEND
    assert "from step 20 to 40" in plan["run.small"].reason
    events = apply(root, "run.small.max_iters=40", "run.small.log_interval=1")
    assert min(trained_steps(events)) == 21
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "tinystories.toml").write_text(MANIFEST)
    apply(scratch, "run.small.max_iters=40")
    assert sha256_file(root / MODEL) == sha256_file(scratch / MODEL)
    assert [line for line in losses(root) if line[2] is not None] == [
        line for line in losses(scratch) if line[2] is not None
    ]


def test_a_cosine_can_not_be_extended_and_is_trained_anew(root: Path) -> None:
    plan = Workspace.open(root, overrides=["run.small.schedule='cosine'", "run.small.max_iters=40"]).plan()
    assert plan["run.small"].change is Change.UPDATE


def test_going_back_restores_the_earlier_version_without_training(root: Path, digest: Callable[[str], str]) -> None:
    first = digest(MODEL)
    apply(root, "run.small.seed=7")
    assert digest(MODEL) != first
    plan = Workspace.open(root).plan()
    assert plan["run.small"].change is Change.RESTORE
    events = apply(root)
    assert not trained_steps(events)
    assert digest(MODEL) == first


def test_every_version_is_listed_with_its_loss(root: Path) -> None:
    apply(root, "run.small.seed=7")
    versions = Workspace.open(root).runs()
    assert [(version.run, version.current, version.finished, version.step) for version in versions] == [
        ("run.small", False, True, 20),
        ("run.small", True, True, 20),
    ]
    assert all(version.val_loss is not None and 0 < version.val_loss < 6 for version in versions)


def test_gc_removes_every_version_but_the_current(root: Path, digest: Callable[[str], str]) -> None:
    apply(root, "run.small.seed=7")
    workspace = Workspace.open(root, overrides=["run.small.seed=7"])
    current = digest(MODEL)
    removed = workspace.gc()
    assert removed.bytes > 0
    assert [version.current for version in workspace.runs()] == [True]
    assert digest(MODEL) == current
    assert not workspace.plan().changes


def test_gc_keeps_the_interrupted_version_that_is_wanted_now(root: Path) -> None:
    wanted = ["run.small.seed=7", "run.small.max_iters=4000", "run.small.log_interval=1"]
    begun = threading.Event()

    def emit(event: Event) -> None:
        if isinstance(event, Metric):
            begun.set()

    report = Workspace.open(root, overrides=wanted).apply(emit=emit, stop=begun.is_set)
    assert not report.ok
    workspace = Workspace.open(root, overrides=wanted)
    (unfinished,) = [version.fingerprint for version in workspace.runs() if not version.finished]
    workspace.gc()
    assert unfinished in {version.fingerprint for version in workspace.runs()}
    Workspace.open(root).gc()
    assert unfinished not in {version.fingerprint for version in Workspace.open(root).runs()}


def test_clean_removes_intermediates_and_the_run_stays_up_to_date(root: Path) -> None:
    workspace = Workspace.open(root)
    workspace.clean()
    assert not (root / "data").exists()
    assert not workspace.plan().changes


def test_after_clean_what_a_changed_run_needs_is_made_again(root: Path, digest: Callable[[str], str]) -> None:
    Workspace.open(root).clean()
    plan = Workspace.open(root, overrides=["run.small.seed=3"]).plan()
    assert changes(plan) == {
        "dataset.toy": Change.REPAIR,
        "tokens.toy.words": Change.REPAIR,
        "run.small": Change.UPDATE,
        "export.small": Change.PENDING,
    }
    apply(root, "run.small.seed=3")


def test_an_export_is_not_made_again_when_training_comes_out_the_same(root: Path) -> None:
    for path in (root / ".tsws" / "runs" / "small").glob("*/best.safetensors"):
        path.unlink()
    report = Workspace.open(root).apply()
    assert [result.address for result in report.done] == ["run.small"]


def test_replace_trains_from_scratch_to_the_same_bytes(root: Path, digest: Callable[[str], str]) -> None:
    first = digest(MODEL)
    events: list[Event] = []
    report = Workspace.open(root, overrides=["run.small.log_interval=1"]).apply(
        replace=["run.small"], emit=events.append
    )
    assert report.ok
    assert min(trained_steps(events)) == 1
    assert digest(MODEL) == first


def test_the_two_engines_tell_the_same_story(root: Path) -> None:
    workspace = Workspace.open(root)
    for temperature in (0.0, 0.8):
        told = [
            "".join(workspace.generate("The", engine=engine, temperature=temperature, seed=5))
            for engine in ("native", "torch")
        ]
        assert told[0] == told[1]
        assert told[0].startswith("The")


def test_a_workspace_that_moved_is_still_up_to_date(root: Path, tmp_path: Path) -> None:
    moved = Path(shutil.move(root, tmp_path / "elsewhere"))
    assert not Workspace.open(moved).plan().changes
