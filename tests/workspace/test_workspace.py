"""The face of tsws: what addresses mean, what is refused and how, and what is never done."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.workspace.conftest import MANIFEST
from tsws import Workspace
from tsws.errors import LockedError, ManifestError, PlanError, TswsError
from tsws.io.sizes import format_dollars
from tsws.plugin import Plugins, Price, load_plugins
from tsws.reconcile.action import Change
from tsws.workspace.spending import spending
from tsws_local import LocalBackend

MORE = """
[export.weights]
run = "small"
format = "safetensors"

[volume.box]
kind = "folder"
path = "../box"

[run.there]
model = "small"
dataset = "toy"
tokenizer = "words"
max_iters = 5
volume = "box"
"""
TEXT = '[dataset.mine]\nsource = "stories.txt"\n'


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A workspace in which nothing was made yet."""
    root = tmp_path / "fresh"
    root.mkdir()
    (root / "tinystories.toml").write_text(MANIFEST + MORE)
    return root


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """A workspace with one text."""
    root = tmp_path / "text"
    root.mkdir()
    (root / "tinystories.toml").write_text(TEXT)
    (root / "stories.txt").write_text("One day.\n")
    return root


def test_a_run_comes_with_its_exports_its_volume_and_the_program(fresh: Path) -> None:
    workspace = Workspace.open(fresh)
    assert set(workspace.targets(None)) == {"run.small", "export.weights", "export.small", "program.run"}
    assert set(workspace.targets(["run.there"])) == {"run.there", "volume.box", "program.run"}
    assert workspace.targets(["export.there"]) == workspace.targets(["run.there"]), "it is made where the run works"
    assert workspace.targets(["tokenizer.words"]) == ("tokenizer.words",)
    assert set(workspace.targets(None, everything=True)) == {
        "export.weights",
        "export.small",
        "program.run",
        "volume.box",
    }


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("run.smal", "did you mean run.small?"),
        ("small", "did you mean run.small?"),
        ("zzz", "`tsws graph` lists the addresses"),
    ],
)
def test_an_unknown_address_is_refused_with_the_nearest(fresh: Path, address: str, hint: str) -> None:
    workspace = Workspace.open(fresh)
    calls: list[Any] = [
        lambda: workspace.plan([address]),
        lambda: workspace.apply([address]),
        lambda: workspace.plan(replace=[address]),
    ]
    for call in calls:
        with pytest.raises(PlanError) as raised:
            call()
        assert (raised.value.message, raised.value.hint) == (f"there is no resource {address!r}", hint)


def test_a_workspace_is_found_from_below(text: Path) -> None:
    (text / "deep" / "er").mkdir(parents=True)
    assert Workspace.open(text / "deep" / "er").root == text
    assert Workspace.open(text / "tinystories.toml").root == text


def test_a_folder_without_a_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as raised:
        Workspace.open(tmp_path)
    assert raised.value.message == f"there is no tinystories.toml in {tmp_path} or any folder above it"
    assert raised.value.hint == "`tsws init` makes a workspace here; `tsws -C FOLDER` looks elsewhere"


def test_overrides_count(fresh: Path) -> None:
    workspace = Workspace.open(fresh, overrides=["run.small.max_iters=7", "workspace.default=['tokenizer.words']"])
    assert workspace.manifest.run["small"].max_iters == 7
    assert workspace.targets(None) == ("tokenizer.words",)


def test_a_plan_changes_nothing_on_the_disk(fresh: Path, text: Path) -> None:
    for root in (fresh, text):
        before = contents(root)
        Workspace.open(root).plan(everything=True)
        Workspace.open(root).status()
        Workspace.open(root).runs()
        assert contents(root) == before


def test_nothing_is_printed(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (root / "out/small/model.bin").unlink()
    workspace = Workspace.open(root)
    workspace.plan()
    assert workspace.apply().ok
    assert "".join(workspace.generate("The", steps=8, seed=1)).startswith("The")
    workspace.status()
    workspace.runs()
    workspace.clean()
    workspace.gc()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["a folder with spaces", "größe 🐈", "[brackets] & 'quotes' $HOME"])
def test_any_name_of_the_folder_will_do(root: Path, name: str) -> None:
    there = Path(shutil.move(root, root.with_name(name)))
    assert not Workspace.open(there).plan().changes, "nothing that was recorded depends on where it lies"
    for path in ("run", "words.bin", "out/small/model.bin", "data/toy/words/data00.bin"):
        (there / path).unlink()
    report = Workspace.open(there).apply()
    assert report.ok, [str(result.error) for result in report.failed]
    assert "".join(Workspace.open(there).generate("The", steps=8, seed=1)).startswith("The")


def test_a_folder_behind_a_link_is_the_same_workspace(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    workspace = Workspace.open(tmp_path / "link")
    assert not workspace.plan().changes
    (root / "out/small/model.bin").unlink()
    assert workspace.apply().ok
    assert not Workspace.open(root).plan().changes


def test_two_applies_do_not_work_at_once(text: Path) -> None:
    locked: list[TswsError] = []

    def meanwhile(_event: object) -> None:
        with pytest.raises(
            LockedError, match=r"works in this workspace: tsws apply the first, for .* \(it holds "
        ) as other:
            Workspace.open(text).apply()
        locked.append(other.value)

    assert Workspace.open(text).apply(emit=meanwhile, purpose="tsws apply the first").ok
    assert locked
    assert all("what it has done is kept" in (error.hint or "") for error in locked)


@pytest.fixture
def small_files_only() -> Iterator[None]:
    """A disk that takes no file above 40 kB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files_only")
def test_a_disk_that_refuses_is_a_clear_error_and_leaves_no_part(fresh: Path) -> None:
    (failed,) = Workspace.open(fresh).apply(["dataset.toy"]).failed
    assert failed.error is not None
    assert failed.error.message.startswith("dataset.toy: the disk refused: File too large")
    assert failed.error.hint == "make room or mend the permissions; `tsws apply` goes on from where it stopped"
    assert not (fresh / "data").exists()


def test_a_folder_that_can_not_be_written_is_named(text: Path) -> None:
    (text / ".tsws").write_text("in the way")
    workspace = Workspace.open(text)
    for call in (workspace.apply, workspace.clean, workspace.gc):
        with pytest.raises(TswsError, match=r"\.tsws(/lock)?: the disk refused: ") as raised:
            call()
        assert raised.value.hint == "make room or mend the permissions there"


def test_unfinished_versions_are_listed(root: Path) -> None:
    (current,) = Workspace.open(root).runs()
    assert (current.run, current.current, current.finished, current.step) == ("run.small", True, True, 20)
    folder = root / ".tsws/runs/small"
    (finished,) = folder.iterdir()
    half = Path(shutil.copytree(finished, folder / "0123456789ab"))
    (half / "record.json").unlink()
    shutil.rmtree(folder / "empty", ignore_errors=True)
    (folder / "empty").mkdir()
    runs = {version.fingerprint: version for version in Workspace.open(root).runs()}
    assert runs.keys() == {current.fingerprint, "0123456789ab"}
    unfinished = runs["0123456789ab"]
    assert (unfinished.current, unfinished.finished, unfinished.step, unfinished.max_iters) == (False, False, 20, 20)
    assert (unfinished.val_loss, unfinished.made_at) == (None, None)


class Priced(LocalBackend):
    """A machine that costs 3600 dollars an hour."""

    name = "priced"

    def price(self) -> Price:
        return Price(3600.0, "the test")


@pytest.fixture
def priced() -> Plugins:
    found = load_plugins()
    return replace(found, backends={**found.backends, "priced": Priced})


@pytest.mark.parametrize("target", ["run.small", "run.there"])
def test_what_would_cost_too_much_is_refused(fresh: Path, priced: Plugins, target: str) -> None:
    for folder, backend in ((fresh, "priced"), (fresh.parent / "box", "local")):  # how fast training was there
        (folder / ".tsws/cache").mkdir(parents=True)
        (folder / ".tsws/cache/rates.json").write_bytes(msgspec.json.encode({backend: 1e6}))
    overrides = [f"{target}.backend='priced'"]
    estimate = Workspace.open(fresh, overrides=overrides, plugins=priced).plan([target])[target].estimate
    assert estimate is not None
    assert estimate.seconds is not None
    assert estimate.dollars == pytest.approx(estimate.seconds)
    assert estimate.basis.endswith("3600.00 $/h (the test)")
    before = contents(fresh)
    with pytest.raises(PlanError) as raised:
        Workspace.open(fresh, overrides=overrides, plugins=priced).apply([target], max_cost=0.5)
    assert raised.value.message == (
        f"the plan is estimated to cost {format_dollars(estimate.dollars)}, more than the $0.50 that are allowed"
    )
    assert raised.value.hint == "raise --max-cost, or choose fewer iterations or a cheaper machine"
    assert {path: data for path, data in contents(fresh).items() if not path.startswith(".tsws/lock")} == before


@pytest.mark.parametrize("target", ["run.small", "run.there"])
def test_what_nobody_can_bound_is_refused_by_a_limit(fresh: Path, priced: Plugins, target: str) -> None:
    workspace = Workspace.open(fresh, overrides=[f"{target}.backend='priced'"], plugins=priced)
    assert spending(workspace.plan([target])).unbounded == (target,)
    with pytest.raises(PlanError) as raised:
        workspace.apply([target], max_cost=0.01)
    assert raised.value.message == (
        f"{target} would cost $3600.00 an hour for a time that was never measured, so $0.01 can not be promised"
    )


def test_a_run_in_a_volume_can_not_read_from_outside_of_the_workspace(fresh: Path) -> None:
    (fresh.parent / "stories.txt").write_text("One day.\n")
    outside = (fresh / "tinystories.toml").read_text().replace("stories = 300\n", "")
    (fresh / "tinystories.toml").write_text(outside.replace("builtin:toy-stories", "../stories.txt"))
    workspace = Workspace.open(fresh)
    action = workspace.plan(["run.there"])["run.there"]
    assert action.change is Change.BLOCKED
    assert action.reason == "it works in a volume, and ../stories.txt lies outside of the workspace"
