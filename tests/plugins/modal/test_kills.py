"""Whatever dies, and whenever: one training happens, its bytes are those of an undisturbed one, its story is complete."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from tests.modal_plane.containers import Container
from tests.modal_plane.plane import Plane
from tests.plugins.modal.workplace import PATIENCE, Workplace, files_on, jobs, on_modal, steps_said, turns, wait_for
from tsws.job import Done, Log

pytestmark = pytest.mark.marathon

STEPS, EVERY = 1500, 100

MakePlace = Callable[..., Workplace]
AtHome = Callable[[int, int], str]


@pytest.fixture
def volume(tmp_path: Path) -> str:
    """The name of a volume that nobody has used."""
    return f"box-{tmp_path.name}"[:60]


def moments(seed: int) -> list[float]:
    """Parts of the time that an undisturbed apply takes: one, or as many as ``$TSWS_KILLS`` says."""
    chosen = random.Random(seed)
    count = int(os.environ.get("TSWS_KILLS", "1"))
    return [round(chosen.uniform(0.03, 1.0), 3) for _ in range(count)]


@pytest.fixture(scope="module")
def undisturbed(running_plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds that an undisturbed apply takes on this machine, as busy as it is."""
    place = Workplace(tmp_path_factory.mktemp("undisturbed") / "one", running_plane)
    place.write(on_modal("undisturbed", steps=STEPS, every=EVERY))
    began = time.monotonic()
    place.run("apply", "-y")
    place.close()
    return time.monotonic() - began


def check_story(place: Workplace) -> None:
    """The events begin with the first step, end with the last, and lack none in between; each attempt goes on from a checkpoint."""
    events = place.events()
    assert [event for event in events if isinstance(event, Done) and event.address == "run.small"] == events[-1:]
    steps = steps_said(events)
    assert set(steps) == {1, *range(EVERY, STEPS + 1, EVERY)}
    for before, after in pairwise(steps):
        assert after <= before + EVERY, f"{after} was reached, and what lies before it is missing: {steps}"
    assert steps[-1] == STEPS


def kill_client(place: Workplace, moment: float) -> None:
    """Apply, and kill whoever does so some seconds later."""
    process = place.start("apply", "-y")
    with suppress(Exception):
        process.wait(moment)
    process.kill()
    process.communicate()


def check_client_killed(place: Workplace, plane: Plane, volume: str, moment: float, model: str) -> None:
    place.write(on_modal(volume, steps=STEPS, every=EVERY))
    kill_client(place, moment)
    place.run("apply", "-y")
    assert place.digest == model
    assert len(jobs(plane, volume)) == 1, "one job"
    assert turns(plane, volume) <= 2, "one container for the data, one for the training"
    check_story(place)
    assert place.run("apply", "-y").startswith("Nothing to do")


def check_container_lost(
    place: Workplace, plane: Plane, volume: str, moment: float, model: str, lose: Callable[[Plane], object]
) -> None:
    place.write(on_modal(volume, steps=STEPS, every=EVERY))
    process = place.start("apply", "-y")
    time.sleep(moment)
    with suppress(LookupError):  # none runs at this moment
        lose(plane)
    told, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, told
    assert place.digest == model
    assert len(jobs(plane, volume)) == 1
    check_story(place)


def kill(plane: Plane) -> Container:
    return plane.kill_container()


def preempt(plane: Plane) -> Container:
    return plane.preempt()


def lose(plane: Plane) -> Container:
    """Taken for dead, while it only hangs: later it comes back, trains on and commits."""
    return plane.lose(plane.freeze(), cut_off=False)


@pytest.mark.parametrize("moment", moments(seed=1))
def test_client_killed_at_any_moment(
    plane: Plane, workplace: MakePlace, at_home: AtHome, volume: str, moment: float, undisturbed: float
) -> None:
    check_client_killed(workplace(), plane, volume, moment * undisturbed, at_home(STEPS, EVERY))


@pytest.mark.parametrize("moment", moments(seed=2))
@pytest.mark.parametrize("end", [kill, preempt])
def test_container_ended_at_any_moment(
    plane: Plane,
    workplace: MakePlace,
    at_home: AtHome,
    volume: str,
    moment: float,
    undisturbed: float,
    end: Callable[[Plane], object],
) -> None:
    check_container_lost(workplace(), plane, volume, moment * undisturbed, at_home(STEPS, EVERY), end)


@pytest.mark.parametrize("moment", moments(seed=3))
def test_client_and_container_killed(
    plane: Plane, workplace: MakePlace, at_home: AtHome, volume: str, moment: float, undisturbed: float
) -> None:
    place = workplace()
    place.write(on_modal(volume, steps=STEPS, every=EVERY))
    kill_client(place, moment * undisturbed)
    with suppress(LookupError):
        plane.kill_container()
    place.run("apply", "-y")
    assert place.digest == at_home(STEPS, EVERY)
    assert len(jobs(plane, volume)) == 1
    check_story(place)


@pytest.mark.parametrize("end", [kill, preempt, lose])
def test_a_container_that_ends_in_the_middle_is_continued_from_the_last_commit(
    plane: Plane, workplace: MakePlace, at_home: AtHome, volume: str, end: Callable[[Plane], Container]
) -> None:
    place = workplace()
    place.write(on_modal(volume, steps=STEPS, every=EVERY, options=""))
    process = place.start("apply", "-y")
    wait_for(lambda: any("/checkpoints/" in path for path in files_on(plane, volume)), what="a checkpoint")
    first = end(plane)
    wait_for(lambda: turns(plane, volume) == 2, what="another container")
    plane.thaw(first)
    told, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, told
    assert "run.small: another container goes on with it" in told
    assert place.digest == at_home(STEPS, EVERY)
    assert (turns(plane, volume), len(jobs(plane, volume))) == (2, 1)
    events = place.events()
    steps = steps_said(events)
    (again,) = (
        number
        for number, event in enumerate(events)
        if isinstance(event, Log) and event.message == "another container goes on with it"
    )
    before = steps_said(events[:again])
    rest = steps_said(events[again:])
    assert before == [1, *range(EVERY, before[-1] + 1, EVERY)]
    assert rest == list(range(rest[0], STEPS + 1, EVERY)), "from a checkpoint to the end"
    assert rest[0] >= EVERY
    assert rest[0] <= before[-1] + EVERY, "nothing is left out"
    assert steps == before + rest


@pytest.mark.parametrize("method", ["FunctionMap", "AppPublish", "VolumePutFiles2", "ImageGetOrCreate"])
def test_a_client_that_dies_while_it_launches_launches_the_same_job_again(
    plane: Plane, workplace: MakePlace, at_home: AtHome, volume: str, method: str
) -> None:
    place = workplace()
    place.write(on_modal(volume, options=""))
    before = plane.state.tally()[method]
    plane.faults.delay(method, 3.0, times=1)
    process = place.start("apply", "-y")
    wait_for(lambda: plane.state.tally()[method] > before, what=method)
    process.kill()
    process.communicate()
    place.run("apply", "-y")
    assert place.digest == at_home(60, 20)
    assert (turns(plane, volume), len(jobs(plane, volume))) == (1, 1)
    assert steps_said(place.events()) == [1, 20, 40, 60]
