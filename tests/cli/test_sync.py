"""``tsws sync`` with a folder for a volume."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project

MANIFEST = """\
[volume.attic]
kind = "folder"
path = "attic"
sync = ["a.txt", "b.txt"]
"""


@pytest.fixture
def here(project) -> Project:
    """A workspace with two declared files, and a volume that does not exist yet."""
    return project({"tinystories.toml": MANIFEST, "a.txt": "first", "b.txt": "second"})


def test_declared_files_go_where_they_are_missing(here: Project) -> None:
    shown = "volume attic\n  ->  a.txt  5 B  new here\n  ->  b.txt  6 B  new here\n"
    dry = here.run("sync", "--dry-run")
    assert (dry.status, dry.out) == (0, f"{shown}Would bring 2 files into step, 11 B.\n")
    assert not (here.root / "attic").exists()
    done = here.run("sync")
    first, _, last = done.out.partition("volume.attic: done in ")
    assert (done.status, first, last.splitlines()[1:]) == (0, shown, ["Brought 2 files into step, 11 B."])
    assert (here.root / "attic/b.txt").read_text() == "second"


def test_second_sync_does_nothing(here: Project) -> None:
    here.run("sync")
    result = here.run("sync")
    assert (result.status, result.out) == (0, "Nothing to do: everything is in step.\n")


def test_files_that_are_the_same_already_are_remembered_as_agreed(here: Project) -> None:
    """So that a later change on one side is no conflict."""
    (here.root / "attic").mkdir()
    for name in ("a.txt", "b.txt"):
        (here.root / "attic" / name).write_bytes((here.root / name).read_bytes())
    assert here.run("sync").out == "Nothing to do: everything is in step.\n"
    (here.root / "a.txt").write_text("first, changed")
    assert here.run("sync", "--dry-run").out.splitlines()[1].split()[:2] == ["->", "a.txt"]


def test_conflict_is_named_and_nothing_is_written(here: Project) -> None:
    here.run("sync")
    (here.root / "a.txt").write_text("mine")
    (here.root / "attic/a.txt").write_text("theirs")
    dry = here.run("sync", "--dry-run")
    assert (dry.status, dry.out) == (
        1,
        "volume attic\n  !!  a.txt    changed on both sides\n1 conflict: nothing is written until they are decided.\n",
    )
    result = here.run("sync")
    assert (result.status, result.err.splitlines()[0]) == (
        1,
        "error: 1 file conflicts with volume attic; nothing was written:",
    )
    assert (here.root / "attic/a.txt").read_text() == "theirs"
    assert here.run("sync", "--pull", "a.txt", "--force").status == 0
    assert (here.root / "a.txt").read_text() == "theirs"


def test_apply_brings_the_volume_into_step(here: Project) -> None:
    plan = here.run("plan")
    assert plan.out == (
        "  ~ volume.attic  2 files to bring into step\n"
        "      ~ a.txt  push: new here\n"
        "      ~ b.txt  push: new here\n"
        "\n"
        "Plan: 1 to bring into step.\n"
    )
    assert here.run("apply").status == 0
    assert (here.root / "attic/a.txt").read_text() == "first"
    assert here.run("apply").out == "Nothing to do: 1 resource is up to date.\n"


def test_workspace_without_a_volume_says_so(project) -> None:
    result = project().run("sync")
    assert (result.status, result.err) == (
        2,
        "error: the manifest declares no volume\nhint: add a [volume.NAME] table with a `kind`\n",
    )
