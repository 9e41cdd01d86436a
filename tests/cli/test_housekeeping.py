"""``tsws clean``, ``tsws gc`` and ``tsws init``: what they touch, and that they ask."""

from __future__ import annotations

from pathlib import Path

import pytest
from terminal import Terminal

from tsws.cli.templates import template_names


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_clean_asks_and_removes_only_what_can_be_made_again(applied) -> None:
    before = files(applied.root)
    asked = applied.run("clean")
    assert asked.status == 1
    assert asked.err.startswith("error: this has to be agreed to: it removes 5 paths, ")
    assert files(applied.root) == before
    shown = applied.run("clean", "--dry-run").out.splitlines()
    assert [line.split()[1] for line in shown[:-1]] == [
        "data/toy/train.txt",
        "data/toy/valid.txt",
        "data/toy/small/data00.bin",
        "data/toy/small/data01.bin",
        ".tsws/work",
    ]
    done = applied.run("clean", "-y")
    assert done.status == 0
    assert done.out.splitlines()[:-1] == shown[:-1]
    assert before - files(applied.root) == {line.split()[1] for line in shown[:4]}
    assert applied.run("plan").out == "Nothing to do: 6 resources are up to date.\n"
    assert applied.run("clean", "-y").out == "Nothing to remove.\n"


def test_gc_removes_what_is_no_longer_declared(applied) -> None:
    applied.edit(
        '\n[run.tiny]\nmodel = "tiny"\ndataset = "toy"\ntokenizer = "small"\n',
        "\n[run.other]\nmodel = 'tiny'\ndataset = 'toy'\ntokenizer = 'small'\n",
    )
    orphans = [line for line in applied.run("plan", "--all").out.splitlines() if line.startswith("  -")]
    assert [line.split()[1] for line in orphans] == ["export.tiny", "run.tiny"]
    assert applied.run("gc", "-y").status == 0
    assert not (applied.root / "out/tiny").exists()
    assert not (applied.root / ".tsws/runs/tiny").exists()
    assert (applied.root / "small.model").is_file()


def test_what_becomes_removable_after_the_question_stays(applied) -> None:
    made, late = applied.root / ".tsws/work/made", applied.root / ".tsws/partial/late"
    made.parent.mkdir(exist_ok=True)
    made.touch()
    with Terminal("-m", "tsws", "clean", folder=applied.root) as terminal:
        terminal.wait_for(r"It removes 5 paths, .+\. Go on\? \[y/N\]: ")
        late.parent.mkdir()
        late.touch()
        (applied.root / "data/toy/valid.txt").unlink()
        terminal.press(b"y\n")
        assert terminal.wait() == 0
        assert "Removed 4 paths, " in terminal.text
    assert late.exists()
    assert not made.exists()


WORKSPACES = ["quickstart", "tinystories", "your-own-text"]


def test_templates_are_workspaces_and_a_plugin() -> None:
    assert template_names() == ["plugin", *WORKSPACES]


@pytest.mark.parametrize("name", WORKSPACES)
def test_every_template_is_a_valid_workspace(project, name: str) -> None:
    new = project({"keep.txt": "mine"})
    result = new.run("init", "--template", name, "ws")
    assert result.status == 0
    assert result.out.splitlines()[-1] == f"Made a workspace. Next: cd {new.root}/ws && tsws plan"
    assert {".gitignore", "tinystories.toml"} <= files(new.root / "ws")
    assert new.run("-C", str(new.root / "ws"), "validate").status == 0


def test_plugin_template_is_a_package_and_no_workspace(project) -> None:
    new = project({"keep.txt": "mine"})
    result = new.run("init", "--template", "plugin", "mine")
    made = {"README.md", "pyproject.toml", "tests/test_nice.py", "tsws_nice/__init__.py", "tsws_nice/backend.py"}
    made |= {"tsws_nice/py.typed"}
    assert (result.status, files(new.root / "mine")) == (0, made)
    assert result.out.splitlines() == [
        *(f"  + {name}" for name in sorted(made)),
        f"Made a plugin; README.md says what is where. Next: cd {new.root}/mine && pip install -e . && tsws plugins",
    ]


def test_init_overwrites_nothing(project) -> None:
    new = project({".gitignore": "mine\n"})
    assert new.run("init").out.splitlines()[:-1] == ["  + tinystories.toml"]
    assert (new.root / ".gitignore").read_text() == "mine\n"
    again = new.run("init", "--template", "tinystories")
    assert (again.status, again.err) == (
        1,
        f"error: {new.root}/tinystories.toml exists already, so nothing was written\n"
        "hint: choose another folder: tsws init DIR\n",
    )


@pytest.mark.parametrize(("name", "meant"), [("quikstart", "; did you mean `quickstart`?"), ("zoo", "")])
def test_unknown_template_gets_the_nearest_one_and_all_names_once(project, name: str, meant: str) -> None:
    result = project().run("init", "--template", name, "x")
    assert (result.status, result.err) == (
        2,
        f"error: there is no template '{name}'{meant}\nhint: templates: plugin, quickstart, tinystories, your-own-text\n",
    )
