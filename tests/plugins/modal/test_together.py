"""Several GPUs of one machine, and several machines, train one run: the same model that as many processes make at home."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.modal_plane.plane import Plane
from tests.plugins.modal.workplace import PATIENCE, Workplace, files_on, jobs, on_modal, steps_said, turns, wait_for

pytestmark = pytest.mark.marathon

MakePlace = Callable[..., Workplace]
AtHome = Callable[..., str]


@pytest.fixture
def volume(tmp_path: Path) -> str:
    """The name of a volume that nobody has used."""
    return f"box-{tmp_path.name}"[:60]


def shapes(plane: Plane) -> list[tuple[int, int]]:
    """The GPUs and the rank of each container that trained."""
    return [
        (each.definition.resources.gpu_config.count, each.rank)
        for each in plane.containers.known.values()
        if each.definition.resources.gpu_config.gpu_type
    ]


def test_every_gpu_of_a_machine_has_a_process(plane: Plane, workplace: MakePlace, at_home: AtHome, volume: str) -> None:
    place = workplace()
    place.write(on_modal(volume, options='gpu = "T4:2"'))
    assert "T4:2, 1.26 $/h" in place.run("plan")
    place.run("apply", "-y")
    assert place.digest == at_home(60, 20, processes=2)
    assert shapes(plane)[-1:] == [(2, 0)]
    assert place.run("apply", "-y").startswith("Nothing to do")


def test_machines_train_together(plane: Plane, workplace: MakePlace, at_home: AtHome, volume: str) -> None:
    place = workplace()
    place.write(on_modal(volume, options='gpu = "T4"\nnodes = 2'))
    assert "2 machines with T4, 1.34 $/h" in place.run("plan")
    place.run("apply", "-y")
    assert place.digest == at_home(60, 20, processes=2)
    assert shapes(plane)[-2:] == [(1, 0), (1, 1)]
    assert (turns(plane, volume), len(jobs(plane, volume))) == (2, 1), "who helps has no lease of its own"
    assert steps_said(place.events()) == [1, 20, 40, 60]
    plane.wait_until_idle()


@pytest.mark.parametrize("rank", [0, 1])
def test_machines_that_lose_one_begin_together_again(
    plane: Plane, workplace: MakePlace, at_home: AtHome, volume: str, rank: int
) -> None:
    place = workplace()
    place.write(on_modal(volume, steps=1200, every=100, options='gpu = "T4"\nnodes = 2'))
    process = place.start("apply", "-y")
    wait_for(lambda: any("/checkpoints/" in path for path in files_on(plane, volume)), what="a checkpoint")
    plane.kill_container(next(each for each in plane.containers.alive() if each.group and each.rank == rank))
    told, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, told
    assert place.digest == at_home(1200, 100, processes=2)
    assert len(jobs(plane, volume)) == 1
    assert "run.small: another container goes on with it" in told
