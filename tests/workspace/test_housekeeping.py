"""What clean and gc remove, and what they leave alone: a person's work, what is wanted, what somebody works with."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.workspace.conftest import MANIFEST
from tsws import Workspace
from tsws.errors import LockedError
from tsws.io.locks import resource_lock, workspace_lock
from tsws.io.process import start_time
from tsws.job import Handle
from tsws.reconcile.action import Change
from tsws.resources.active_jobs import ActiveJob

MODEL = "out/small/model.bin"
THERE = f'{MANIFEST}volume = "box"\n[volume.box]\nkind = "folder"\npath = "../box"\n'


def files(root: Path) -> set[str]:
    found = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return {path for path in found if not path.startswith((".tsws/lock", ".tsws/locks/"))}


def versions(root: Path) -> set[str]:
    return {path.name for path in (root / ".tsws" / "runs" / "small").iterdir()}


def old_version(root: Path) -> Path:
    """A version of the run beside the current one."""
    folder = root / ".tsws" / "runs" / "small" / "0123456789ab"
    folder.mkdir()
    (folder / "checkpoint").write_text("half")
    return folder


@pytest.fixture
def running(root: Path) -> Iterator[Path]:
    """The record of a job of the run that is alive: this very process plays the worker."""
    data = {"pid": os.getpid(), "started": start_time(os.getpid())}
    handle = Handle(backend="fast", job="20990101-000000-run.small-abcdef", data=data)
    job = ActiveJob(address="run.small", handle=handle, wanted="", launched_at=time.time(), kind="local")
    folder = root / ".tsws" / "jobs"
    (folder / handle.job).mkdir(parents=True)
    (folder / "run.small.json").write_bytes(msgspec.json.encode(job))
    return folder / handle.job


def test_clean_removes_what_can_be_made_again_and_makes_nothing_stale(root: Path) -> None:
    before = files(root)
    workspace = Workspace.open(root)
    dry = workspace.clean(dry_run=True)
    assert files(root) == before
    removed = workspace.clean()
    assert removed == dry
    gone = before - files(root)
    assert gone == {
        "data/toy/train.txt",
        "data/toy/valid.txt",
        "data/toy/words/data00.bin",
        "data/toy/words/data01.bin",
    }
    assert {path.as_posix() for path in removed.paths} >= gone
    assert removed.bytes > 0
    assert not (root / "data").exists()
    assert not Workspace.open(root).plan().changes


def test_clean_leaves_an_edited_intermediate(root: Path) -> None:
    (root / "data/toy/train.txt").write_text("my own story")
    Workspace.open(root).clean()
    assert (root / "data/toy/train.txt").read_text() == "my own story"


def test_clean_removes_nothing_while_a_run_is_at_work(root: Path, running: Path) -> None:
    (root / ".tsws/runs/small/.checkpoint.12345678.tsws-tmp").write_text("being written")
    before = files(root)
    assert Workspace.open(root).clean().paths == ()
    assert files(root) == before


def test_a_worker_that_nobody_noted_down_is_respected(root: Path) -> None:
    old, lock = old_version(root), Workspace.open(root).context.store.resource_lock_path("run.small")
    before = files(root)
    with resource_lock(lock):
        assert Workspace.open(root).clean().paths == ()
        Workspace.open(root).gc()
        assert old.exists()
    assert files(root) == before - {path for path in before if path.startswith(".tsws/jobs/")}
    Workspace.open(root).gc()
    assert not old.exists()


def test_gc_keeps_the_current_version_alone(root: Path) -> None:
    current = versions(root)
    old_version(root)
    dry = Workspace.open(root).gc(dry_run=True)
    assert Path(".tsws/runs/small/0123456789ab") in dry.paths
    assert versions(root) == {*current, "0123456789ab"}
    assert Workspace.open(root).gc() == dry
    assert versions(root) == current
    assert not Workspace.open(root).plan().changes


def test_gc_knows_a_job_at_work_although_the_manifest_lost_its_backend(root: Path, running: Path) -> None:
    old_version(root)
    Workspace.open(root).gc()
    assert (root / ".tsws/runs/small/0123456789ab/checkpoint").exists()
    assert running.exists()
    assert (root / ".tsws/jobs/run.small.json").exists()


def test_what_is_no_longer_declared_is_named_and_removed_but_not_what_was_edited(root: Path) -> None:
    (root / "tinystories.toml").write_text('[dataset.toy]\nsource = "builtin:toy-stories"\nstories = 300\n')
    (root / "words.vocab").write_text("my own words")
    plan = Workspace.open(root).plan(everything=True)
    orphans = {action.address for action in plan if action.change is Change.ORPHAN}
    assert orphans == {"export.small", "program.run", "run.small", "tokenizer.words", "tokens.toy.words"}
    assert not plan.changes
    Workspace.open(root).gc()
    left = {path for path in files(root) if not path.startswith(".tsws/cache/")}
    assert left == {
        "tinystories.toml",
        "data/toy/train.txt",
        "data/toy/valid.txt",
        "words.vocab",
        ".tsws/state/dataset.toy.json",
    }
    assert not [one for one in Workspace.open(root).plan(everything=True) if one.change is Change.ORPHAN]


def test_what_counts_in_a_volume_is_no_orphan(root: Path) -> None:
    (root / "tinystories.toml").write_text(THERE)
    before = Workspace.open(root).plan(everything=True)
    assert not [action.address for action in before if action.change is Change.ORPHAN]
    assert before["run.small"].change is Change.KEEP, "what was trained here counts there"
    Workspace.open(root).gc()
    assert (root / MODEL).exists()
    assert Workspace.open(root).plan(everything=True)["run.small"].change is Change.KEEP


def test_nothing_is_removed_while_an_apply_works(root: Path) -> None:
    workspace = Workspace.open(root)
    with workspace_lock(workspace.context.store.lock_path, purpose="tsws apply"):
        for remove in (workspace.clean, workspace.gc):
            with pytest.raises(LockedError, match=f"^process {os.getpid()} works in this workspace: tsws apply, for "):
                remove()
    assert (root / "data/toy/train.txt").exists()
