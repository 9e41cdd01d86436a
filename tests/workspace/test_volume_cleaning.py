"""``clean_volume``: what goes from a volume, far or near, and what stays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.workspace.test_far_volume import FarBackend, FarVolume
from tests.workspace.test_volume_runs import MODEL, THERE, make
from tsws import Workspace
from tsws.errors import LockedError, UsageError
from tsws.job import Handle, Job
from tsws.plugin import Plugins, RunningJob, Volume, load_plugins
from tsws.reconcile.action import Change

SHARDS = {"data/mine/words/data00.bin", "data/mine/words/data01.bin"}
UNFINISHED = {".tsws/partial/half", ".tsws/work/run.old/abc/file"}


class BusyBackend(FarBackend):
    """One that knows of a job in the volume that somebody else has launched."""

    def running(self, volume: Volume) -> Iterable[RunningJob]:
        job = Job(id="x", address="run.small", targets=("run.small",), fingerprint="", manifest={})
        return [RunningJob(job=job, handle=Handle(backend="far", job="x", data={}), launched_at=0.0)]


@pytest.fixture
def plugins() -> Plugins:
    found = load_plugins()
    return replace(
        found,
        volumes={**found.volumes, "far": FarVolume},
        backends={**found.backends, "far": FarBackend},
    )


@pytest.fixture(params=["far", "near"])
def root(request: pytest.FixtureRequest, tmp_path: Path, plugins: Plugins) -> Path:
    """A workspace whose run has been trained in the volume ``box`` beside it."""
    manifest = THERE
    if request.param == "far":
        manifest = manifest.replace('kind = "folder"', 'kind = "far"')
        manifest = manifest.replace('volume = "box"', 'volume = "box"\nbackend = "far"')
    root = make(tmp_path / "one", manifest)
    report = Workspace.open(root, plugins=plugins).apply()
    assert report.ok, [str(result.error) for result in report.failed]
    for path in UNFINISHED:
        place = root.parent / "box" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("begun")
    return root


def files(root: Path) -> set[str]:
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    return {path for path in found if not path.startswith((".tsws/lock", ".tsws/jobs"))}


def test_what_can_be_made_again_goes_and_nothing_becomes_stale(root: Path, plugins: Plugins) -> None:
    box = root.parent / "box"
    before = files(box)
    workspace = Workspace.open(root, plugins=plugins)
    shown = workspace.clean_volume("box", dry_run=True)
    assert files(box) == before
    assert workspace.clean_volume("box") == shown
    gone = before - files(box)
    assert gone == {path.as_posix() for path in shown.paths}
    assert gone >= SHARDS | UNFINISHED
    assert all(path.endswith((".txt", ".bin")) for path in gone - UNFINISHED)
    assert MODEL not in gone
    assert shown.bytes == sum(shown.sizes.values()) > 0
    assert Workspace.open(root, plugins=plugins).plan(refresh=True)["run.small"].change is Change.KEEP
    assert workspace.clean_volume("box").paths == ()


def test_only_what_was_agreed_to_goes(root: Path, plugins: Plugins) -> None:
    workspace = Workspace.open(root, plugins=plugins)
    agreed = Path("data/mine/words/data00.bin")
    assert workspace.clean_volume("box", only=[agreed, Path(MODEL)]).paths == (agreed,)
    assert (root.parent / "box" / MODEL).exists()
    assert (root.parent / "box/data/mine/words/data01.bin").exists()


def test_a_file_of_another_size_is_somebodys_own(root: Path, plugins: Plugins) -> None:
    mine = root.parent / "box/data/mine/words/data00.bin"
    mine.write_text("my own words")
    assert Path("data/mine/words/data00.bin") not in Workspace.open(root, plugins=plugins).clean_volume("box").paths
    assert mine.read_text() == "my own words"


def test_an_unknown_volume_is_a_wrong_usage(root: Path, plugins: Plugins) -> None:
    with pytest.raises(UsageError) as caught:
        Workspace.open(root, plugins=plugins).clean_volume("bag")
    assert (caught.value.message, caught.value.hint) == ("there is no volume 'bag'", "declared volumes: box")


@pytest.mark.parametrize("root", ["far"], indirect=True)
def test_nothing_goes_while_a_job_works_there(root: Path, plugins: Plugins) -> None:
    before = files(root.parent / "box")
    busy = replace(plugins, backends={**plugins.backends, "far": BusyBackend})
    with pytest.raises(LockedError) as caught:
        Workspace.open(root, plugins=busy).clean_volume("box")
    assert (caught.value.message, caught.value.hint) == (
        "a job works in volume box, and may be reading what would be removed",
        "wait until it has ended, or stop it: `tsws cancel run.small`",
    )
    assert files(root.parent / "box") == before
