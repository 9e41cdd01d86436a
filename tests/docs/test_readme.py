"""The README, carried out with fewer steps and stories: minutes become seconds, and nothing else changes."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace

import pytest

from tests.docs.console import Console
from tests.docs.markdown import Block
from tests.docs.pages import README, REPOSITORY, page
from tsws.model.config import LlamaConfig

SMALLER = {
    "max_iters = 400": "max_iters = 40\nwarmup_iters = 4\nbatch_size = 2\neval_tokens = 1024\nthreads = 1",
    'source = "builtin:toy-stories" ': 'source = "builtin:toy-stories"\nstories = 400 ',
    # what then comes out
    "at most 707 MB of memory; 3.3M tokens": "at most ... of memory; 0.0M tokens",
    "step 400/400": "step 40/40",
    "max_iters=800": "max_iters=80",
    "from step 240 to 800": "from step 24 to 80",
    "400 -> 800": "40 -> 80",
}
STORY = "Once upon a time, "
LOSS = re.compile(r"(?<=val loss )\d\.\d{4}")


def smaller(block: Block) -> Block:
    text = block.text
    for long, short in SMALLER.items():
        text = text.replace(long, short)
    lines = ["Once upon a time..." if line.startswith(STORY) else line for line in text.splitlines()]
    return replace(block, text=LOSS.sub("...", "\n".join([*lines, ""])))


@pytest.mark.slow
def test_the_readme_comes_out_as_shown(console: Console) -> None:
    blocks = page(README).blocks
    shown = "\n".join(block.text for block in blocks)
    assert [long for long in SMALLER if long not in shown] == []
    console.play([smaller(block) for block in blocks])


def test_the_plan_of_the_readme_is_that_of_its_own_manifest(console: Console) -> None:
    manifest, plan = page(README).blocks[:2]
    console.play([manifest, plan])


def test_the_first_screen_has_the_two_commands_and_make_knows_them() -> None:
    first = page(README).text.splitlines()[:12]
    makefile = (REPOSITORY / "Makefile").read_text()
    for command in ("demo", "test"):
        assert any(line.startswith(f"    make {command} ") for line in first)
        assert f"\n{command}:" in makefile


def test_the_readme_counts_its_parameters_right() -> None:
    model = tomllib.loads(page(README).blocks[0].text)["model"]["tiny"]
    count = LlamaConfig.from_fields({**model, "vocab_size": 512}).parameter_count
    assert f"a model of {count / 1e6:.2f} million parameters" in page(README).text
