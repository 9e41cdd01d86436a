"""A container's time is over before the run's: the next one goes on, by itself, as often as it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.modal_plane.plane import Plane
from tests.plugins.modal.workplace import Workplace, jobs, on_modal, turns
from tsws import Workspace
from tsws.errors import TswsError
from tsws.job import Event, Log
from tsws.plugin import Plugins, load_plugins
from tsws.reconcile.apply import Report
from tsws_modal import deploying
from tsws_modal.backend import ModalBackend
from tsws_modal.options import ModalOptions

pytestmark = pytest.mark.marathon

MakePlace = Callable[..., Workplace]


class ShortOptions(ModalOptions, frozen=True, kw_only=True):
    """With less time than a manifest may say."""

    @property
    def seconds(self) -> float:
        return 24.0

    def __post_init__(self) -> None:
        pass


class ShortModal(ModalBackend):
    Options = ShortOptions
    poll = 0.2


@pytest.fixture
def plugins() -> Plugins:
    found = load_plugins()
    return replace(found, backends={**found.backends, "modal": ShortModal})


@pytest.fixture
def volume(tmp_path: Path) -> str:
    """The name of a volume that nobody has used."""
    return f"box-{tmp_path.name}"[:60]


def apply(place: Workplace, plugins: Plugins) -> tuple[Report, list[Event]]:
    events: list[Event] = []
    return Workspace.open(place.root, plugins=plugins).apply(["run.small"], emit=events.append), events


def error_of(report: Report) -> TswsError:
    found = next(result.error for result in report.failed if result.address == "run.small")
    assert isinstance(found, TswsError)
    return found


def test_a_run_that_is_longer_than_a_container_may_work_is_passed_on(
    plane: Plane, workplace: MakePlace, at_home: Callable[[int, int], str], plugins: Plugins, volume: str
) -> None:
    place = workplace()
    place.write(on_modal(volume, steps=8000, every=100, options=""))
    report, events = apply(place, plugins)
    assert report.ok, [str(result.error) for result in report.failed]
    assert place.digest == at_home(8000, 100)
    taken = turns(plane, volume)
    assert taken > 1
    notes = [event.message for event in events if isinstance(event, Log)]
    assert notes.count("another container goes on with it") == taken - 1
    assert len(jobs(plane, volume)) == 1


def test_a_container_that_reaches_no_checkpoint_is_not_followed_by_the_next(
    plane: Plane, workplace: MakePlace, plugins: Plugins, volume: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ShortOptions, "seconds", property(lambda self: 0.4))
    place = workplace()
    place.write(on_modal(volume, options=""))
    report, _ = apply(place, plugins)
    error = error_of(report)
    assert error.message == "run.small: the time-out of 0 s is too short: no checkpoint was reached"
    assert error.hint == "raise `timeout` in the backend's table, or lower `checkpoint_interval`"
    assert turns(plane, volume) == 1


def test_a_container_that_does_not_pass_on_in_time_is_told(
    plane: Plane, workplace: MakePlace, plugins: Plugins, volume: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploying, "SLACK", -16.0)
    place = workplace()
    place.write(on_modal(volume, steps=100000, every=500, options="retries = 0"))
    report, _ = apply(place, plugins)
    error = error_of(report)
    assert error.message == "run.small: the time-out of the container passed"
    assert error.hint == "run `tsws apply` again: it goes on from the last checkpoint"
