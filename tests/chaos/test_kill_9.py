"""SIGKILL at the worst moments: the next apply continues, and ends with the bytes of an undisturbed one."""

from __future__ import annotations

import random
import time
from contextlib import suppress

import pytest

from tests.chaos.conftest import Workplace, wait_for
from tests.fixtures.hub import Fault, HubServer
from tsws.resources.active_jobs import active_job

pytestmark = pytest.mark.slow


def same(workplace: Workplace, undisturbed: Workplace) -> bool:
    """Whether both ended with the same bytes and the same losses."""
    return workplace.outcome() == undisturbed.outcome() and workplace.losses() == undisturbed.losses()


def test_in_the_middle_of_a_download(workplace: Workplace, hub: HubServer, undisturbed: Workplace, text: bytes) -> None:
    half = len(text) // 2
    hub.fail("stories.txt", Fault(pause_after=half))
    process = workplace.start()
    partial = workplace.root / ".tsws" / "partial"
    wait_for(lambda: sum(path.stat().st_size for path in partial.glob("*.part")) >= half)
    workplace.kill(process)
    hub.resume()
    assert not (workplace.root / "data").exists(), "nothing stands under a final name yet"
    workplace.finish()
    assert same(workplace, undisturbed)


def test_in_the_middle_of_tokenizing(workplace: Workplace, undisturbed: Workplace) -> None:
    process = workplace.start()
    work = workplace.root / ".tsws" / "work" / "tokens.fetched.words"
    wait_for(work.exists)
    workplace.kill(process)
    workplace.finish()
    assert same(workplace, undisturbed)


def test_the_client_in_the_middle_of_training_and_the_next_attaches(
    workplace: Workplace, undisturbed: Workplace
) -> None:
    process = workplace.start()
    wait_for(lambda: any(workplace.root.glob(".tsws/runs/small/*/checkpoints/*/manifest.json")))
    workplace.kill(process)
    first = active_job(workplace.root, "run.small")
    workplace.finish()
    last = active_job(workplace.root, "run.small")
    assert first is not None
    assert last is not None
    assert first.handle.job == last.handle.job, "a second worker was started beside the first"
    assert same(workplace, undisturbed)


def test_the_worker_in_the_middle_of_training(workplace: Workplace, undisturbed: Workplace) -> None:
    process = workplace.start()
    wait_for(lambda: any(workplace.root.glob(".tsws/runs/small/*/checkpoints/*/manifest.json")))
    workplace.kill_worker()
    assert process.wait(60) == 1
    assert "died without a last word" in (workplace.root / "apply.log").read_text()
    workplace.finish()
    assert same(workplace, undisturbed)


def test_everything_in_the_middle_of_training(workplace: Workplace, undisturbed: Workplace) -> None:
    process = workplace.start()
    wait_for(lambda: any(workplace.root.glob(".tsws/runs/small/*/checkpoints/*/manifest.json")))
    workplace.kill(process)
    workplace.kill_worker()
    workplace.finish()
    assert same(workplace, undisturbed)


def test_in_the_middle_of_an_export(workplace: Workplace, undisturbed: Workplace) -> None:
    process = workplace.start()
    wait_for((workplace.root / ".tsws" / "work" / "export.small").exists)
    workplace.kill(process)
    workplace.finish()
    assert same(workplace, undisturbed)


@pytest.mark.marathon
@pytest.mark.parametrize("seed", range(6))
def test_at_random_moments_again_and_again(workplace: Workplace, undisturbed: Workplace, seed: int) -> None:
    moments = random.Random(seed)
    for _ in range(3):
        process = workplace.start()
        time.sleep(moments.uniform(0.2, 6.0))  # the moment of the kill is the point: no event to wait for
        workplace.kill(process)
        active = active_job(workplace.root, "run.small")
        if active is not None and not active.ended and moments.random() < 0.5:
            with suppress(ProcessLookupError):
                workplace.kill_worker()
    workplace.finish()
    assert same(workplace, undisturbed)
    workplace.finish()
    assert "othing to do" in (workplace.root / "apply.log").read_text().splitlines()[-1]
