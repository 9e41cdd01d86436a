"""``tsws build``: the program alone, and only when it is not there already."""

from __future__ import annotations

import os
import subprocess


def test_the_program_is_built_once_and_nothing_else_is(project) -> None:
    new = project()
    first = new.run("build")
    assert (first.status, first.err) == (0, "")
    assert "program.run" in first.out
    assert subprocess.run([new.root / "run", "--version"], capture_output=True, check=True).stdout.startswith(b"run ")
    assert not (new.root / "data").exists()
    made = (new.root / "run").stat().st_mtime_ns
    again = new.run("build", "run")
    assert (again.status, again.out) == (0, "Nothing to do: 1 resource is up to date.\n")
    assert (new.root / "run").stat().st_mtime_ns == made
    assert new.run("build", "program.run", "--force").status == 0
    assert (new.root / "run").stat().st_mtime_ns > made


def test_a_dry_run_only_shows_the_plan(project) -> None:
    new = project()
    shown = new.run("build", "--dry-run")
    assert (shown.status, "program.run" in shown.out) == (0, True)
    assert not (new.root / "run").exists()


def test_without_a_compiler_it_says_what_to_install(project, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    result = project().run("build", env={"PATH": str(tmp_path / "empty"), "CC": ""})
    assert result.status == 1
    assert "no C compiler was found" in result.err
    assert os.environ["PATH"] != str(tmp_path / "empty")


def test_a_name_that_is_none_is_refused(project) -> None:
    result = project().run("build", "walk")
    assert result.status == 1
    assert "program.walk" in result.err
