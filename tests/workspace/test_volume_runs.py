"""A run that works in a volume: the same worker, the same rules, the same bytes, in a workspace elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tsws import Workspace
from tsws.io.digest import sha256_file
from tsws.job import Event, Metric
from tsws.reconcile.action import Change, Plan
from tsws.text.toy_stories import story

MANIFEST = """
[workspace]
default = ["run.small"]

[dataset.mine]
source = "stories/*.txt"

[tokenizer.words]
train = "mine"
vocab_size = 340

[model.small]
dim = 16
n_layers = 2
n_heads = 2
max_seq_len = 32

[run.small]
model = "small"
dataset = "mine"
tokenizer = "words"
max_iters = 20
batch_size = 4
eval_interval = 10
eval_tokens = 512
threads = 1
{place}

[volume.box]
kind = "folder"
path = "../box"
"""

THERE, HERE = MANIFEST.format(place='volume = "box"'), MANIFEST.format(place="")
MODEL = "out/small/model.bin"


def make(root: Path, manifest: str) -> Path:
    (root / "stories").mkdir(parents=True)
    text = "".join(f"{story(0, index).text}\n<|endoftext|>\n" for index in range(300))
    (root / "stories" / "some.txt").write_text(text)
    (root / "tinystories.toml").write_text(manifest)
    return root


def apply(root: Path) -> list[Event]:
    events: list[Event] = []
    report = Workspace.open(root).apply(emit=events.append)
    assert report.ok, [str(result.error) for result in report.failed]
    return events


def changes(plan: Plan) -> dict[str, Change]:
    return {action.address: action.change for action in plan.changes}


def trained(events: Sequence[Event]) -> bool:
    return any(isinstance(event, Metric) for event in events)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an applied workspace ``one`` and its volume ``box``. Do not touch: copy it."""
    folder = tmp_path_factory.mktemp("volumes")
    root = make(folder / "one", THERE)
    plan = Workspace.open(root).plan()
    assert changes(plan) == {
        "run.small": Change.CREATE,
        "volume.box": Change.PENDING,
        "program.run": Change.CREATE,
    }
    assert {part.address for part in plan["run.small"].parts} == {
        "dataset.mine",
        "tokenizer.words",
        "tokens.mine.words",
        "run.small",
        "export.small",
    }
    events = apply(root)
    assert {"tokenizer.words", "tokens.mine.words"} <= {event.address for event in events}, "the worker is heard"
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_the_work_is_done_in_the_volume_and_the_results_come_home(folder: Path) -> None:
    assert (folder / "box" / "stories" / "some.txt").exists(), "what existed only here was pushed first"
    assert (folder / "box" / ".tsws" / "state" / "run.small.json").exists()
    assert not (folder / "one" / "data").exists(), "tokens are made where the run works"
    for path in (MODEL, "words.model", "words.bin"):
        assert sha256_file(folder / "one" / path) == sha256_file(folder / "box" / path)
    assert "".join(Workspace.open(folder / "one").generate("The", seed=1)).startswith("The")


def test_a_second_apply_does_nothing(folder: Path) -> None:
    assert not Workspace.open(folder / "one").plan().changes
    assert not trained(apply(folder / "one"))


def test_the_volume_is_a_workspace_that_can_be_opened(folder: Path) -> None:
    assert not Workspace.open(folder / "box").plan(["run.small"])["run.small"].change.acts


def test_the_bytes_are_those_of_a_run_here(folder: Path, tmp_path: Path) -> None:
    root = make(tmp_path / "local", HERE)
    apply(root)
    assert sha256_file(root / MODEL) == sha256_file(folder / "box" / MODEL)


def test_a_run_that_was_trained_here_is_not_trained_again_when_it_moves(tmp_path: Path) -> None:
    root = make(tmp_path / "local", HERE)
    apply(root)
    (root / "tinystories.toml").write_text(THERE)
    plan = Workspace.open(root).plan()
    assert plan["run.small"].change is Change.KEEP
    assert changes(plan) == {"volume.box": Change.SYNC}
    assert not trained(apply(root))
    assert (tmp_path / "box" / MODEL).exists()


def test_another_machine_with_the_same_volume_only_brings_the_results_home(folder: Path) -> None:
    other = make(folder / "two", THERE)
    plan = Workspace.open(other).plan()
    assert changes(plan) == {"volume.box": Change.SYNC, "program.run": Change.CREATE}
    assert not trained(apply(other))
    assert (other / MODEL).exists()


def test_a_removed_result_is_brought_back(folder: Path) -> None:
    (folder / "one" / MODEL).unlink()
    assert changes(Workspace.open(folder / "one").plan()) == {"volume.box": Change.SYNC}
    apply(folder / "one")
    assert (folder / "one" / MODEL).exists()


def test_a_changed_story_replans_the_run_there(folder: Path) -> None:
    with open(folder / "one" / "stories" / "some.txt", "a") as file:
        file.write("One more story.\n<|endoftext|>\n")
    plan = Workspace.open(folder / "one").plan()
    assert plan["run.small"].change.acts
    assert "dataset.mine" in {part.address for part in plan["run.small"].parts}
    assert trained(apply(folder / "one"))
    assert not Workspace.open(folder / "one").plan().changes


def test_versions_in_the_volume_are_listed(folder: Path) -> None:
    versions = Workspace.open(folder / "one").runs()
    assert [(version.run, version.current, version.step) for version in versions] == [("run.small", True, 20)]


def test_sync_pulls_and_pushes_one_file(folder: Path) -> None:
    workspace = Workspace.open(folder / "one")
    (folder / "box" / "note.txt").write_text("from there")
    workspace.sync(pull=["note.txt"])
    assert (folder / "one" / "note.txt").read_text() == "from there"
    (folder / "one" / "note.txt").write_text("from here")
    dry = workspace.sync(push=["note.txt"], dry_run=True)
    assert [step.path for step in dry[0].plan.transfers] == ["note.txt"]
    assert (folder / "box" / "note.txt").read_text() == "from there"
    workspace.sync(push=["note.txt"])
    assert (folder / "box" / "note.txt").read_text() == "from here"
