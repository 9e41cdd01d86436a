"""A harness for the command line: ``project({...files...}).run("plan", ...)`` gives complete outputs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from tsws.cli.main import cli

sys.path.append(str(Path(__file__).parent))

MANIFEST = """\
[dataset.toy]
source = "builtin:toy-stories"
stories = 300

[tokenizer.small]
train = "toy"
vocab_size = 320

[model.tiny]
dim = 16
n_layers = 2
n_heads = 4
n_kv_heads = 2
max_seq_len = 64

[run.tiny]
model = "tiny"
dataset = "toy"
tokenizer = "small"
max_iters = 20
batch_size = 4
eval_interval = 10
eval_tokens = 2048
threads = 1
schedule = "constant"
warmup_iters = 2
"""
"""A workspace that is applied in seconds, most of them spent on importing torch."""


@dataclass(frozen=True)
class Result:
    """What a call has come to."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Project:
    """A folder with a workspace."""

    root: Path

    def run(self, *arguments: str, env: dict[str, str] | None = None, color: bool = False) -> Result:
        """Call tsws in this process; there is no terminal."""
        done = CliRunner(env=env).invoke(cli, ["-C", str(self.root), *arguments], color=color)
        return Result(done.exit_code, done.stdout, done.stderr)

    def process(self, *arguments: str, env: dict[str, str] | None = None) -> Result:
        """Call tsws in a process of its own, in the folder."""
        command = [sys.executable, "-m", "tsws", *arguments]
        done = subprocess.run(
            command,
            cwd=self.root,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def edit(self, old: str, new: str, file: str = "tinystories.toml") -> None:
        """Replace some text of a file that it holds once."""
        path = self.root / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Project]:
    """Makes a project of some files: name to text."""

    def make(files: dict[str, str] | None = None) -> Project:
        for name, text in (files or {"tinystories.toml": MANIFEST}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Project(tmp_path)

    return make


@dataclass(frozen=True)
class First:
    """The first apply of the shared workspace."""

    project: Project
    result: Result


@pytest.fixture(scope="session")
def first_apply(tmp_path_factory: pytest.TempPathFactory) -> First:
    """A workspace that was applied once, by a process of its own. Nobody changes it."""
    root = tmp_path_factory.mktemp("applied")
    (root / "tinystories.toml").write_text(MANIFEST)
    shared = Project(root)
    return First(shared, shared.process("apply", "--jobs", "1", env={"OMP_NUM_THREADS": "1"}))


@pytest.fixture
def applied(first_apply: First, tmp_path: Path) -> Project:
    """A copy of the applied workspace, to do with as one likes."""
    root = tmp_path / "workspace"
    shutil.copytree(first_apply.project.root, root)
    return Project(root)
