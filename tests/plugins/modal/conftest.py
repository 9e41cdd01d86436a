"""A control plane that the genuine client of this very process talks to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.modal_plane.plane import Plane
from tests.plugins.modal.workplace import MODEL, Workplace, here
from tsws import Workspace
from tsws.io.digest import sha256_file


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


@pytest.fixture
def workplace(plane: Plane, tmp_path: Path) -> Iterator[Callable[[str], Workplace]]:
    """Makes workspaces, each as on a machine of its own."""
    made: list[Workplace] = []

    def make(name: str = "one") -> Workplace:
        made.append(Workplace(tmp_path / name, plane))
        return made[-1]

    yield make
    for place in made:
        place.close()


@pytest.fixture(scope="session")
def at_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """The digest of the model that the run gives on this machine, by its steps, its interval and the processes that train it."""
    known: dict[tuple[int, int, int], str] = {}

    def digest(steps: int, every: int, processes: int = 1) -> str:
        key = steps, every, processes
        if key not in known:
            root = tmp_path_factory.mktemp("at-home")
            (root / "tinystories.toml").write_text(f"{here(steps, every)}processes = {processes}\n")
            report = Workspace.open(root).apply(["run.small", "export.small"])
            assert report.ok, [str(result.error) for result in report.failed]
            known[key] = sha256_file(root / MODEL)
        return known[key]

    return digest
