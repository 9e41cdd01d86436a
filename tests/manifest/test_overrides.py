"""``--set KEY=VALUE``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.errors import ManifestError
from tsws.manifest import load
from tsws.manifest.overrides import Override, parse_override
from tsws.manifest.problems import Location, Problem
from tsws.plugin import Plugins

MANIFEST = """\
[dataset.toy]
source = "builtin:toy-stories"
[tokenizer.toy512]
train = "toy"
vocab_size = 512
[model.tiny]
options = { }
[run.baby]
model = "tiny"
dataset = "toy"
tokenizer = "toy512"
"""


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("run.baby.max_iters=2000", ("run", "baby", "max_iters"), 2000),
        ("run.baby.learning_rate=5e-4", ("run", "baby", "learning_rate"), 5e-4),
        ("a=true", ("a",), True),
        ('a="true"', ("a",), "true"),
        ("run.baby.backend=modal", ("run", "baby", "backend"), "modal"),
        ("run.baby.checkpoint_interval=5m", ("run", "baby", "checkpoint_interval"), "5m"),
        ("dataset.x.source=hf://a/b#c", ("dataset", "x", "source"), "hf://a/b#c"),
        ("dataset.x.source=stories/*.txt", ("dataset", "x", "source"), "stories/*.txt"),
        ('dataset.x.source=["a", "b"]', ("dataset", "x", "source"), ["a", "b"]),
        ('run."my.run" . seed = 3', ("run", "my.run", "seed"), 3),
        ("run.'x y'.out=a = b", ("run", "x y", "out"), "a = b"),
        ("run.baby.sample_prompt=", ("run", "baby", "sample_prompt"), ""),
        ("a=1\nb=2", ("a",), "1\nb=2"),
        ("model.tiny={dim = 3}", ("model", "tiny"), {"dim": 3}),
    ],
)
def test_values_are_toml_or_else_text(text: str, path: tuple[str, ...], value: Any) -> None:
    assert parse_override(text) == Override(path, value, Location(f"--set {text}"))


@pytest.mark.parametrize("text", ["", "=", "=3", "run.baby", "run..x=3", "run.=3", "a b=3", '"open=3', ".a=3"])
def test_what_is_no_assignment_is_a_mistake(text: str) -> None:
    expected = "expected KEY=VALUE, such as run.baby.max_iters=2000"
    assert parse_override(text) == Problem((), expected, Location(f"--set {text}"))


@pytest.mark.parametrize("value", ['"open', "'open", "[1, 2", "{a = 1", '"a" "b"'])
def test_broken_toml_is_not_taken_for_text(value: str) -> None:
    found = parse_override(f"a={value}")
    assert isinstance(found, Problem)
    assert found.message == "the value begins like TOML but is not: a quote or bracket does not fit"


@given(st.text())
def test_any_text_is_an_override_or_a_problem(text: str) -> None:
    assert isinstance(parse_override(text), Override | Problem)


def test_overrides_win_in_order_and_make_what_is_missing(tmp_path: Path, plugins: Plugins) -> None:
    path = tmp_path / "tinystories.toml"
    path.write_text(MANIFEST)
    overrides = ["run.baby.max_iters=5", "run.baby.max_iters=7", "model.wide.dim=96", "workspace.name=here"]
    loaded = load(path, overrides=overrides, plugins=plugins)
    assert loaded.manifest.run["baby"].max_iters == 7
    assert loaded.manifest.model["wide"].dim == 96
    assert loaded.data["workspace"] == {"name": "here"}


def test_mistakes_in_overrides_name_the_override(tmp_path: Path, plugins: Plugins) -> None:
    path = tmp_path / "tinystories.toml"
    path.write_text(MANIFEST)
    overrides = ["run.baby.max_iters=0", "run.baby.warmup=3", "run.babi.seed=3", "model.tiny={dim = 0}"]
    with pytest.raises(ManifestError) as caught:
        load(path, overrides=overrides, plugins=plugins)
    assert caught.value.message == (
        "the manifest has 4 mistakes:\n"
        "  --set model.tiny={dim = 0}: model.tiny.dim: expected a whole number of at least 1, found 0\n"
        '  --set run.babi.seed=3: run.babi: there is no run "babi"; did you mean `baby`?\n'
        "  --set run.baby.max_iters=0: run.baby.max_iters: expected a whole number of at least 1, found 0\n"
        "  --set run.baby.warmup=3: run.baby.warmup: unknown key; did you mean `warmup_iters`?"
    )


def test_broken_overrides_are_reported_together(tmp_path: Path, plugins: Plugins) -> None:
    path = tmp_path / "tinystories.toml"
    path.write_text(MANIFEST)
    with pytest.raises(ManifestError) as caught:
        load(path, overrides=["run.baby", "run.baby.seed.deep=3", "run.baby.seed=1"], plugins=plugins)
    assert caught.value.message == (
        "the manifest has a mistake:\n  --set run.baby: expected KEY=VALUE, such as run.baby.max_iters=2000"
    )
    with pytest.raises(ManifestError) as caught:
        load(path, overrides=["run.baby.seed=1", "run.baby.seed.deep=3"], plugins=plugins)
    assert caught.value.message == (
        "the manifest has a mistake:\n  --set run.baby.seed.deep=3: run.baby.seed.deep: `run.baby.seed` is not a table"
    )
