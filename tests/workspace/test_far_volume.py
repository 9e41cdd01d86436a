"""A volume that does not lie on this machine is planned from its shadow; a plan asks nothing of it until told to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.workspace.test_volume_runs import MODEL, THERE, make
from tsws import Workspace
from tsws.io.digest import sha256_file
from tsws.job import Handle, Job
from tsws.plugin import FileStat, Plugins, Volume, load_plugins
from tsws.reconcile.action import Change
from tsws_folder import FolderVolume
from tsws_local import LocalBackend


class FarVolume(FolderVolume):
    """A folder that says that it is far away, and counts how often it is asked for anything."""

    kind = "far"
    asked = 0

    def local_path(self) -> Path | None:
        return None

    def list(self, prefix: str = "") -> Iterator[FileStat]:
        FarVolume.asked += 1
        return super().list(prefix)

    def stat(self, path: str) -> FileStat | None:
        FarVolume.asked += 1
        return super().stat(path)

    def read(self, path: str, offset: int = 0) -> Iterator[bytes]:
        FarVolume.asked += 1
        return super().read(path, offset)

    def write(self, path: str, chunks: Iterable[bytes]) -> FileStat:
        FarVolume.asked += 1
        return super().write(path, chunks)


class FarBackend(LocalBackend):
    """Runs the worker where the far volume really is."""

    name = "far"

    def launch(self, job: Job, volume: Volume | None) -> Handle:
        assert isinstance(volume, FarVolume)
        return super().launch(job, FolderVolume(volume.name, volume.options, volume.base))


@pytest.fixture
def plugins() -> Plugins:
    found = load_plugins()
    return replace(
        found,
        volumes={**found.volumes, "far": FarVolume},
        backends={**found.backends, "far": FarBackend},
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    manifest = THERE.replace('kind = "folder"', 'kind = "far"').replace(
        'volume = "box"', 'volume = "box"\nbackend = "far"'
    )
    return make(tmp_path / "one", manifest)


def test_a_far_run_is_planned_from_what_was_last_seen(root: Path, plugins: Plugins) -> None:
    FarVolume.asked = 0
    plan = Workspace.open(root, plugins=plugins).plan()
    assert plan["run.small"].change is Change.CREATE
    assert FarVolume.asked == 0, "a plan goes nowhere unless it is told to"

    report = Workspace.open(root, plugins=plugins).apply()
    assert report.ok, [str(result.error) for result in report.failed]
    assert sha256_file(root / MODEL) == sha256_file(root.parent / "box" / MODEL)

    FarVolume.asked = 0
    plan = Workspace.open(root, plugins=plugins).plan()
    assert plan["run.small"].change is Change.KEEP, "what the job did was seen"
    assert FarVolume.asked == 0


def test_a_second_apply_trains_nothing(root: Path, plugins: Plugins) -> None:
    assert Workspace.open(root, plugins=plugins).apply().ok
    jobs = sorted(path.name for path in (root / ".tsws" / "jobs").iterdir())
    report = Workspace.open(root, plugins=plugins).apply()
    assert report.ok
    assert sorted(path.name for path in (root / ".tsws" / "jobs").iterdir()) == jobs, "another job was launched"


def test_what_someone_else_trained_there_is_seen_after_a_refresh(root: Path, plugins: Plugins) -> None:
    other = make(root.parent / "two", (root / "tinystories.toml").read_text())
    assert Workspace.open(other, plugins=plugins).apply().ok
    workspace = Workspace.open(root, plugins=plugins)
    assert workspace.plan()["run.small"].change is Change.CREATE
    assert workspace.plan(refresh=True)["run.small"].change is Change.KEEP
    assert workspace.apply().ok
    assert (root / MODEL).exists()
    assert not list((root / ".tsws" / "jobs").glob("*/job.json"))
