"""What the tests of the house look at: the sources, parsed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from house import House


@pytest.fixture(scope="session")
def house(repository: Path) -> House:
    """Every module of ``tsws/`` and ``plugins/``, and the floors of ``docs/design.md``."""
    return House.of(repository)
