"""The page about how a run went: what it shows comes out, and its names are those of the code."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from tests.docs.console import Console
from tests.docs.pages import page

SEEING = page("docs/seeing.md")


def test_what_the_page_shows_comes_out(applied: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(applied, tmp_path / "workspace"))
    console = Console(root, OMP_NUM_THREADS="1")
    console.play(SEEING.blocks)
    assert "<html" in (root / "out/first/report.html").read_text()
    _, output = console.run("tsws eval first --stories 0 --json")
    named = re.findall(r"`(\w+)`", SEEING.text.rpartition("`--json` gives one object:")[2])
    assert list(json.loads(output)) == named
