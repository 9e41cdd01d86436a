"""A workspace that trains in seconds, applied once and copied for every test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tsws import Workspace
from tsws.io.digest import sha256_file

MANIFEST = """
[workspace]
default = ["run.small"]

[dataset.toy]
source = "builtin:toy-stories"
stories = 300

[tokenizer.words]
train = "toy"
vocab_size = 340

[model.small]
dim = 16
n_layers = 2
n_heads = 2
max_seq_len = 32

[run.small]
model = "small"
dataset = "toy"
tokenizer = "words"
schedule = "constant"
warmup_iters = 5
max_iters = 20
batch_size = 4
eval_interval = 10
eval_tokens = 512
threads = 1
"""


@pytest.fixture(scope="session")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace after its first apply. Do not touch: copy it."""
    root = tmp_path_factory.mktemp("applied")
    (root / "tinystories.toml").write_text(MANIFEST)
    report = Workspace.open(root).apply()
    assert report.ok, [str(result.error) for result in report.failed]
    return root


@pytest.fixture
def root(applied: Path, tmp_path: Path) -> Path:
    """A copy of the applied workspace."""
    return Path(shutil.copytree(applied, tmp_path / "workspace"))


@pytest.fixture
def digest(root: Path) -> Callable[[str], str]:
    """SHA-256 of a file in the copy."""
    return lambda path: sha256_file(root / path)
