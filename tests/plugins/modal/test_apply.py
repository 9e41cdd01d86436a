"""``tsws apply`` of a run on Modal: made once, the same as at home, seen by every machine that shares the volume."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.modal_plane.plane import Plane
from tests.plugins.modal.workplace import Workplace, files_on, jobs, on_modal, steps_said, turns, wait_for
from tsws.job import Metric

pytestmark = pytest.mark.slow

MakePlace = Callable[..., Workplace]
AtHome = Callable[[int, int], str]


@pytest.fixture
def volume(tmp_path: Path) -> str:
    """The name of a volume that nobody has used."""
    return f"box-{tmp_path.name}"[:60]


@pytest.mark.parametrize("version", [2, 1])
def test_a_run_on_modal_gives_the_same_bytes_and_the_second_apply_does_nothing(
    plane: Plane, workplace: MakePlace, at_home: AtHome, volume: str, version: int
) -> None:
    place = workplace()
    place.write(on_modal(volume, version=version))
    plan = place.run("plan")
    assert re.search(r"run.small +does not exist yet \(modal, in volume box, which is created if it is missing\)", plan)
    assert re.search(r"T4, 0\.67 \$/h \(Modal's price list of \w+ 2026\)", plan)
    known = place.run("plan", "--refresh")
    assert re.search(r"run.small +does not exist yet \(modal, in volume box, which will be created\)", known)
    said = place.run("apply", "-y")
    assert re.search(r"run.small: the job \S+ is launched on modal \(T4\)", said)
    assert "val loss" in said
    assert place.digest == at_home(60, 20)
    assert place.run("generate", "-n", "20", "--seed", "5", "Once").startswith("Once")
    again = place.run("apply", "-y")
    assert re.fullmatch(r"Nothing to do: \d resources are up to date\.\n", again)
    assert (turns(plane, volume), len(jobs(plane, volume))) == (2, 1), (
        "one container for the data, one for the training"
    )
    assert steps_said(place.events()) == [1, 20, 40, 60]
    measured = (
        r"\(about \S+s, <?\$0\.\d+; \d+ MB of memory; 0\.0M tokens at the measured \d+ GFLOP/s; T4, 0\.67 \$/h \("
    )
    assert re.search(measured, place.run("plan", "--set", "run.small.seed=7"))


def test_the_data_are_made_by_a_machine_without_a_gpu(plane: Plane, workplace: MakePlace, volume: str) -> None:
    place = workplace()
    place.write(on_modal(volume))
    place.run("apply", "-y")
    gpus = [each.definition.resources.gpu_config.gpu_type for each in plane.containers.known.values()]
    assert gpus[-2:] == ["", "T4"]
    place.run("apply", "-y", "--replace", "run.small")
    gpus = [each.definition.resources.gpu_config.gpu_type for each in plane.containers.known.values()]
    assert gpus[-1:] == ["T4"], "the data were there"
    assert len([gpu for gpu in gpus if not gpu]) == len(gpus) - gpus.count("T4")


def test_another_machine_finds_what_was_made(plane: Plane, workplace: MakePlace, at_home: AtHome, volume: str) -> None:
    one, two = workplace("one"), workplace("two")
    for place in (one, two):
        place.write(on_modal(volume))
    one.run("apply", "-y")
    said = two.run("apply", "-y")
    assert "launched" not in said
    assert two.digest == at_home(60, 20)
    assert len(jobs(plane, volume)) == 1


def test_another_machine_follows_the_job_that_runs(
    plane: Plane, workplace: MakePlace, at_home: AtHome, volume: str
) -> None:
    one, two = workplace("one"), workplace("two")
    for place in (one, two):
        place.write(on_modal(volume, steps=3000, every=500, options=""))
    first = one.start("apply", "-y")
    wait_for(lambda: turns(plane, volume) == 1, what="the lease")
    said = two.run("apply", "-y")
    assert re.search(r"the job \S+, launched from elsewhere, makes it: following it", said)
    told, _ = first.communicate(timeout=60)
    assert first.returncode == 0, told
    assert one.digest == two.digest == at_home(3000, 500)
    assert (turns(plane, volume), len(jobs(plane, volume))) == (1, 1)
    assert steps_said(one.events()) == steps_said(two.events()) == [1, *range(500, 3001, 500)]


def test_of_two_that_begin_at_once_one_trains(plane: Plane, workplace: MakePlace, at_home: AtHome, volume: str) -> None:
    one, two = workplace("one"), workplace("two")
    for place in (one, two):
        place.write(on_modal(volume, steps=1500, every=100, options=""))
    both = [place.start("apply", "-y") for place in (one, two)]
    for process in both:
        told, _ = process.communicate(timeout=120)
        assert process.returncode == 0, told
    assert one.digest == two.digest == at_home(1500, 100)
    assert turns(plane, volume) == 1, "one container had the lease"


def test_a_machine_that_wants_something_else_is_told(plane: Plane, workplace: MakePlace, volume: str) -> None:
    one, two = workplace("one"), workplace("two")
    one.write(on_modal(volume, steps=100000, every=500, options=""))
    two.write(on_modal(volume, steps=70000, every=500, options=""))
    first = one.start("apply", "-y")
    wait_for(lambda: turns(plane, volume) == 1, what="the lease")
    (job,) = jobs(plane, volume)
    said = two.run("apply", "-y", status=1)
    assert (
        f"error: run.small: the job {job}, launched from elsewhere, makes another version of it in volume box\n"
        "hint: wait until it has ended, or stop it: `tsws cancel run.small`\n"
    ) in said
    status = two.run("status", "--refresh")
    assert re.search(
        rf"run.small: the job {job}, launched from elsewhere, runs on modal in volume box since \S+ \S+, \$0\.00 until now"
        r"  \(`tsws cancel run.small` stops it\)",
        status,
    )
    assert two.run("cancel", "run.small") == (
        "stopping run.small after a checkpoint\nStopped; `tsws apply run.small` continues.\n"
    )
    told, _ = first.communicate(timeout=60)
    assert first.returncode == 130, told
    assert any("/checkpoints/" in path for path in files_on(plane, volume))


def test_who_leaves_is_told_how_to_come_back(plane: Plane, workplace: MakePlace, at_home: AtHome, volume: str) -> None:
    import signal

    place = workplace()
    place.write(on_modal(volume, steps=3000, every=500, options=""))
    process = place.start("apply", "-y")
    wait_for(lambda: turns(plane, volume) == 1, what="the lease")
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "leaving; what runs elsewhere goes on" in told
    assert re.search(r"run.small goes on without this client, at \$0\.0\d+ an hour", told)
    assert "`tsws apply` or `tsws logs -f` comes back to it, `tsws cancel run.small` stops it" in told
    status = place.run("status")
    assert re.search(r"run.small: .*until now, \$0\.0\d+/h  \(backend modal, job \S+\)", status)
    document = json.loads(place.run("status", "--json"))
    (small,) = (one for one in document["resources"] if one["address"] == "run.small")
    assert small["job"]["dollars"] >= 0
    followed = place.run("logs", "-f")
    assert "step 3000/3000" in followed
    place.run("apply", "-y")
    assert place.digest == at_home(3000, 500)
    assert (turns(plane, volume), len(jobs(plane, volume))) == (1, 1)
    assert steps_said(place.events()) == [1, *range(500, 3001, 500)]


def test_stories_are_told_there(plane: Plane, workplace: MakePlace, volume: str) -> None:
    one, two = workplace("one"), workplace("two")
    for place in (one, two):
        place.write(on_modal(volume))
    one.run("apply", "-y")
    story = ["-n", "30", "--seed", "7", "Once upon"]
    assert two.run("generate", "--remote", *story) == one.run("generate", "--engine", "torch", *story)
    gpus = [each.definition.resources.gpu_config.gpu_type for each in plane.containers.known.values()]
    assert gpus[-1:] == [""], "a story needs none"


def test_a_model_is_evaluated_there(plane: Plane, workplace: MakePlace, volume: str) -> None:
    one, two = workplace("one"), workplace("two")
    for place in (one, two):
        place.write(on_modal(volume))
    one.run("apply", "-y")
    question = ["eval", "run.small", "--json", "--stories", "2", "--seed", "3", "--engine", "torch"]
    first = json.loads(two.run(*question, "--remote"))
    assert first["model"] == "run.small"
    assert first["data"] == "validation set of tokens.toy.words"
    assert first["stories"]["count"] == 2
    losses = [
        event.values["val_loss"] for event in one.events() if isinstance(event, Metric) and "val_loss" in event.values
    ]
    assert first["scores"]["loss"] == pytest.approx(losses[-1], abs=1e-4), "what training said last"
    assert not (two.root / "out").exists(), "neither model nor data came here"
    one.run("clean", "--volume", "box", "-y")
    assert json.loads(two.run(*question, "--remote")) == first, "what was cleaned away is made again"
    said = two.run(*question, "--remote", "--data", "tinystories.toml", status=2)
    assert said.endswith(
        "error: --remote evaluates what a run has trained, on its own data there\n"
        "hint: leave out --data, --train and --tokenizer, or --remote\n"
    )
