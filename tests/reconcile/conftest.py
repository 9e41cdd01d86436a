"""Fixtures for the engine's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from reconcile_toys import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """An empty workspace for toy resources."""
    root = tmp_path / "workspace"
    root.mkdir()
    return Workshop(root)
