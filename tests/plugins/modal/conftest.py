"""A control plane that the genuine client of this very process talks to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.modal_plane.plane import Plane


@pytest.fixture(scope="module")
def running_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """One plane for a module: starting the client takes longer than starting a plane."""
    import modal

    with pytest.MonkeyPatch.context() as patch, Plane(tmp_path_factory.mktemp("plane")) as plane:
        for name, value in plane.environment.items():
            patch.setenv(name, value)
        yield plane
        modal.Client.from_env().close()  # the next module's plane is another server


@pytest.fixture
def plane(running_plane: Plane) -> Iterator[Plane]:
    """The plane, with nothing wrong with it."""
    yield running_plane
    running_plane.faults.clear()
