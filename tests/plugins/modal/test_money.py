"""What a run on Modal costs: said before, counted meanwhile, stopped in time."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.modal_plane.plane import Plane
from tests.plugins.modal.workplace import Workplace, files_on, jobs, on_modal, turns

pytestmark = pytest.mark.marathon

MakePlace = Callable[..., Workplace]
DEAR = "price = 720.0\nmax_cost = {most}\n"
"""Twenty cents a second: one minute, which is kept for the last checkpoint, costs 12 dollars."""


@pytest.fixture
def volume(tmp_path: Path) -> str:
    """The name of a volume that nobody has used."""
    return f"box-{tmp_path.name}"[:60]


def test_the_plan_says_what_it_costs_and_asks(plane: Plane, workplace: MakePlace, volume: str) -> None:
    place = workplace()
    place.write(on_modal(volume, options='gpu = ["T4", "L4"]\nmax_cost = 5.0'))
    said = place.run("apply", status=1)
    assert "T4 or L4, 0.88 $/h (Modal's price list of July 2026); stopped at $5.00)" in said
    assert said.endswith(
        "error: this has to be agreed to: run.small spends $0.88 an hour, for a time that was never measured, at most $5.00\n"
        "hint: add -y to agree\n"
    )
    assert jobs(plane, volume) == set()


def test_the_rates_that_modal_answers_count(plane: Plane, workplace: MakePlace, volume: str) -> None:
    plane.rates.known = {"gpu_t4": "0.0001", "cpu_core": "0.00001", "memory_gib": "0.000002", "storage": "0.09"}
    place = workplace()
    place.write(on_modal(volume))
    said = place.run("plan", "--refresh")
    # 0.36 for the GPU, 0.036 for a core, 4 times 0.0072 for memory
    assert re.search(r"T4, 0\.42 \$/h \(Modal's rates of \d{4}-\d\d-\d\d\)", said)
    assert "0.42 $/h" in place.run("plan"), "they are kept"
    plane.rates.known = {}


def test_a_run_stops_before_it_costs_more_than_it_may(plane: Plane, workplace: MakePlace, volume: str) -> None:
    place = workplace()
    place.write(on_modal(volume, steps=100000, every=500, options=DEAR.format(most=17.0)))
    said = place.run("apply", "-y", status=1)
    found = re.search(
        r"error: run.small: stopped after a checkpoint at \$(\S+), before it passes the \$17\.00 that it may cost\n"
        r"hint: `tsws apply run.small` goes on from there, for as much again; raise `max_cost` to let it run longer at a stretch\n",
        said,
    )
    assert found, said
    assert 0 < float(found[1]) < 17.0
    assert any("/checkpoints/" in path for path in files_on(plane, volume))
    assert "extends" not in place.run("plan", "--refresh")
    assert turns(plane, volume) == 1


def test_what_the_command_line_allows_counts_too(plane: Plane, workplace: MakePlace, volume: str) -> None:
    place = workplace()
    place.write(on_modal(volume, steps=100000, every=500, options="price = 720.0"))
    said = place.run("apply", "-y", "--max-cost", "17", status=1)
    assert "before it passes the $17.00 that it may cost" in said


def test_what_was_spent_is_kept_for_the_next_container(plane: Plane, workplace: MakePlace, volume: str) -> None:
    """A container that is lost has cost its money: the next one has less."""
    from tests.plugins.modal.workplace import wait_for

    place = workplace()
    place.write(on_modal(volume, steps=100000, every=500, options=DEAR.format(most=20.0)))
    process = place.start("apply", "-y")
    wait_for(lambda: any("/checkpoints/" in path for path in files_on(plane, volume)), what="a checkpoint")
    plane.kill_container()
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 1, told
    assert "before it passes the $20.00 that it may cost" in told
    assert turns(plane, volume) == 2


def test_a_run_that_stops_before_its_first_checkpoint_says_so(plane: Plane, workplace: MakePlace, volume: str) -> None:
    place = workplace()
    place.write(on_modal(volume, steps=100000, every=500, options=DEAR.format(most=12.01)))
    said = place.run("apply", "-y", status=1)
    assert re.search(
        r"error: run.small: stopped at \$\S+, before it passes the \$12\.01 that it may cost: no checkpoint was reached\n"
        r"hint: `tsws apply run.small` goes on, for as much again; raise `max_cost` to let it run longer at a stretch\n",
        said,
    ), said
