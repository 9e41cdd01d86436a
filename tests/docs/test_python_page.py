"""The session of the Python page, carried out."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import REPOSITORY, page

PYTHON = page("docs/python.md")
EXAMPLES = "".join(block.text for block in PYTHON.blocks if block.language == "python")


@pytest.mark.slow
def test_the_session_comes_out_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manifest_of_the_tutorial: str
) -> None:
    (tmp_path / "tinystories.toml").write_text(manifest_of_the_tutorial)
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    test = doctest.DocTestParser().get_doctest(EXAMPLES, {"__name__": "page"}, "docs/python.md", None, 0)
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
    assert result.attempted > 20
    assert result.failed == 0, "".join(said)


@pytest.mark.slow
def test_the_session_is_typed(tmp_path: Path) -> None:
    examples = doctest.DocTestParser().get_examples(EXAMPLES)
    session = tmp_path / "session.py"
    session.write_text("".join(example.source for example in examples))
    # From the repository, so that what the type checker knows of the package already is used again.
    command = [sys.executable, "-m", "mypy", str(session)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
