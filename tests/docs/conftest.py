"""The pages, and a workspace that has been applied for those that look at its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.console import Console
from tests.docs.pages import TUTORIAL, page
from tsws import Workspace


@pytest.fixture
def console(tmp_path: Path) -> Console:
    """A terminal in an empty folder. One thread: the other tests want the processor, too."""
    return Console(tmp_path, OMP_NUM_THREADS="1")


@pytest.fixture(scope="session")
def manifest_of_the_tutorial() -> str:
    """A manifest that trains in seconds."""
    return next(block.text for block in page(TUTORIAL).blocks if block.title == "tinystories.toml")


@pytest.fixture(scope="session")
def applied(tmp_path_factory: pytest.TempPathFactory, manifest_of_the_tutorial: str) -> Path:
    """The tutorial's workspace after its first apply. Do not touch: copy it."""
    root = tmp_path_factory.mktemp("tutorial")
    (root / "tinystories.toml").write_text(manifest_of_the_tutorial)
    report = Workspace.open(root, overrides=["run.first.max_iters=20", "run.first.threads=1"]).apply()
    assert report.ok, [str(result.error) for result in report.failed]
    return root
