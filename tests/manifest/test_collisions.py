"""What is read where it would be written, and paths that are wrong whatever else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsws.errors import ManifestError
from tsws.manifest import load
from tsws.plugin import Plugins

AT_THEIR_PLACES = """
[tokenizer.tok105]
source = "tok105.model"

[tokenizer.moved]
source = "./models/moved.model"
path = "models/moved.model"

[model.baby]
source = "baby.bin"
tokenizer = "tok105"

[model.other]
source = "models/other.bin"
path = "./models/other.bin"
tokenizer = "moved"
"""

A_BAD_EXPORT = """
[export.e]
run = "a"
path = ".tsws/e.bin"
"""


def test_a_finished_tokenizer_or_model_may_lie_at_its_place(tmp_path: Path, plugins: Plugins) -> None:
    path = tmp_path / "tinystories.toml"
    path.write_text(AT_THEIR_PLACES)
    loaded = load(path, plugins=plugins)
    assert (loaded.manifest.tokenizer["tok105"].source, loaded.manifest.model["baby"].source) == (
        "tok105.model",
        "baby.bin",
    )
    assert loaded.warnings == ()


@pytest.mark.parametrize("overrides", [[], ["run.a.max_iters=3"], ["run.a.max_iters=0"]])
def test_a_path_is_wrong_whatever_its_run_is(overrides: list[str], tmp_path: Path, plugins: Plugins) -> None:
    path = tmp_path / "tinystories.toml"
    path.write_text(A_BAD_EXPORT)
    with pytest.raises(ManifestError) as caught:
        load(path, overrides=overrides, plugins=plugins)
    wanted = '  tinystories.toml:4: export.e.path: ".tsws/e.bin" is a name that tsws needs for itself'
    assert wanted in caught.value.message.splitlines()
