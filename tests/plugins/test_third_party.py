"""A stranger's package, installed in a fresh environment, has every right that our own plugins have.

The package is the template that ships for plugin authors, so that what they begin from works.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


class Environment:
    """A fresh virtual environment with tsws and the plugin in it."""

    def __init__(self, folder: Path, packages: Sequence[Path]) -> None:
        self.folder = folder
        self.python = str(folder / "bin" / "python")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        self._borrow_libraries()
        pip = [sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check", "install"]
        offline = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed"]
        subprocess.run([*pip, *offline, *map(str, packages)], check=True, env=clean_environment())

    def _borrow_libraries(self) -> None:
        """Reuse what tsws needs from the environment of the tests: nothing is downloaded."""
        paths = sysconfig.get_paths(vars={"base": str(self.folder), "platbase": str(self.folder)})
        lenders = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
        (Path(paths["purelib"]) / "borrowed.pth").write_text("\n".join(lenders))

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, *arguments], cwd=cwd, env=clean_environment(), capture_output=True, text=True, check=False
        )


def clean_environment() -> dict[str, str]:
    """The environment variables, without those that would lead Python or tsws elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TSWS_", "COV"))}


@pytest.fixture(scope="module")
def plugin(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template, copied as an author would."""
    return shutil.copytree(repository / "templates" / "plugin", tmp_path_factory.mktemp("author") / "tsws-nice")


@pytest.fixture(scope="module")
def environment(repository: Path, plugin: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("fresh") / "venv", [repository, plugin])


def test_tsws_itself_comes_from_the_fresh_environment(environment: Environment, tmp_path: Path) -> None:
    done = environment.run("-c", "import tsws, tsws_nice; print(tsws.__file__, tsws_nice.__file__)", cwd=tmp_path)
    assert done.stderr == ""
    assert all(file.startswith(str(environment.folder)) for file in done.stdout.split())


def test_it_is_listed_with_what_it_adds(environment: Environment, tmp_path: Path) -> None:
    done = environment.run("-m", "tsws", "plugins", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines()}
    assert rows["nice"] == ["nice", "tsws-nice", "0.1.0", "backend", "nice,", "commands"]
    assert rows["local"][:2] == ["local", "tsws"]


def test_its_command_runs(environment: Environment, tmp_path: Path) -> None:
    done = environment.run("-m", "tsws", "hello", "fox", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Once upon a time, there was a fox.\n", "")
    assert "hello" in environment.run("-m", "tsws", "--help", cwd=tmp_path).stdout


def test_it_passes_the_conformance_suite_that_ships(environment: Environment, plugin: Path) -> None:
    done = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=plugin)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("13 passed")
