"""Broken manifests, each with the exact and complete report it gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsws.errors import ManifestError
from tsws.manifest import load
from tsws.plugin import Plugins

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.toml"))


def test_there_are_broken_manifests_of_many_sorts() -> None:
    assert len(BROKEN) >= 20
    assert [path.with_suffix(".txt").is_file() for path in BROKEN] == [True] * len(BROKEN)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_report_is_complete_and_exact(path: Path, plugins: Plugins) -> None:
    with pytest.raises(ManifestError) as caught:
        load(path, plugins=plugins)
    assert caught.value.message + "\n" == path.with_suffix(".txt").read_text()
