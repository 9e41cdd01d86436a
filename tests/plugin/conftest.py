"""A folder to install made-up packages in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Install = Callable[..., Path]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder as packages are installed in."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def install(site: Path) -> Install:
    """Install a package of one module, with its metadata, as an installer would."""

    def do(module: str, source: str, *, version: str = "1.2.3", points: str | None = None) -> Path:
        (site / f"{module}.py").write_text(source)
        metadata = site / f"{module}-{version}.dist-info"
        metadata.mkdir()
        name = module.replace("_", "-")
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nVersion: 9\n")
        (metadata / "entry_points.txt").write_text(points or f"[tsws]\n{name} = {module}\n")
        return metadata

    return do
