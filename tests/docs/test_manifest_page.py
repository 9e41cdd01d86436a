"""The manifests that the pages show are right."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import Block
from tests.docs.pages import REPOSITORY, page
from tsws.manifest import load, load_data
from tsws.manifest.specs import TABLES
from tsws.plugin import load_plugins
from tsws.train.recipe import resolve

MANIFEST = page("docs/manifest.md")
FRAGMENTS = [block for block in MANIFEST.blocks if block.language == "toml" and block.title is None]


def without_blank_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def test_the_explained_example_is_the_reference_example() -> None:
    shown = "".join(block.text for block in MANIFEST.blocks if block.title == "example.toml")
    example = (REPOSITORY / "tests" / "manifest" / "example.toml").read_text()
    assert without_blank_lines(shown) == without_blank_lines(example)


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda fragment: f"line {fragment.line}")
def test_every_example_is_a_right_manifest(fragment: Block, manifest_of_the_tutorial: str) -> None:
    data: dict[str, Any] = tomllib.loads(manifest_of_the_tutorial)
    for table, entries in tomllib.loads(fragment.text).items():
        data[table] = {**data.get(table, {}), **entries}
    load_data(data, plugins=load_plugins())


def test_the_example_of_an_include_wins_over_what_it_includes(tmp_path: Path, manifest_of_the_tutorial: str) -> None:
    (block,) = [block for block in MANIFEST.blocks if block.title == "tinystories.toml"]
    (tmp_path / "common.toml").write_text(manifest_of_the_tutorial)
    (tmp_path / "variant").mkdir()
    (tmp_path / "variant" / "tinystories.toml").write_text(block.text)
    loaded = load(tmp_path / "variant" / "tinystories.toml", plugins=load_plugins()).manifest
    assert (loaded.workspace.name, loaded.run["first"].learning_rate, loaded.run["first"].max_iters) == (
        "variant",
        0.002,
        50,
    )


def test_runs_share_their_warm_up_from_as_many_steps_on_as_the_page_says() -> None:
    said = re.search(r"to all runs of at least (\d+) steps", MANIFEST.text)
    assert said is not None
    least = int(said[1])
    fixed = {"batch_size": 1, "gradient_accumulation_steps": 1, "dtype": "float32", "seed": 0, "eval_tokens": 1}
    warmups = [
        resolve("fast", {**fixed, "max_iters": steps}, dim=64, max_seq_len=256).warmup_iters
        for steps in (least - 2, least, 100_000)
    ]
    assert warmups[0] < warmups[1] == warmups[2]


def test_every_table_is_introduced() -> None:
    introduced = MANIFEST.part("## Tables and addresses").text
    assert [table for table in TABLES if f"`[{table}.NAME]`" not in introduced] == []


def test_every_scheme_is_named() -> None:
    sources = MANIFEST.part("## References").text
    named = {"s3", "gs", "az", "ftp", "http", "https", "hf", "github", "file"}
    assert named <= set(load_plugins().fetchers)
    assert [scheme for scheme in named if f"`{scheme}:" not in sources] == []
