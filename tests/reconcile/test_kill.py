"""A process is killed in the middle; the next apply ends with the bytes of an undisturbed one."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from killed_apply import MOMENTS, resources
from reconcile_toys import Workshop

from tsws.io.atomic import TEMPORARY_SUFFIX

SCRIPT = Path(__file__).with_name("killed_apply.py")


@pytest.fixture
def undisturbed(tmp_path: Path) -> Workshop:
    (tmp_path / "undisturbed").mkdir()
    return Workshop(tmp_path / "undisturbed")


CASES = [(kind, moment) for kind in ("moved", "kept") for moment in MOMENTS if (kind, moment) != ("moved", "copying")]


@pytest.mark.parametrize(("kind", "moment"), CASES)
def test_killed_apply_is_finished_by_the_next(
    workshop: Workshop, undisturbed: Workshop, kind: str, moment: str
) -> None:
    undisturbed.apply(resources(undisturbed, kind))
    killed = subprocess.run([sys.executable, SCRIPT, workshop.root, kind, moment], check=False)
    assert killed.returncode == -signal.SIGKILL

    final = undisturbed.files()
    standing = {name: text for name, text in workshop.files().items() if not name.endswith(TEMPORARY_SUFFIX)}
    assert standing.items() <= final.items(), "a partial file stands under a final name"
    recorded = set(workshop.store.addresses())
    assert recorded == ({"first"} if moment == "recorded" else set())

    things = resources(workshop, kind)
    report = workshop.apply(things)
    assert report.ok
    finished = {name: text for name, text in workshop.files().items() if not name.endswith(TEMPORARY_SUFFIX)}
    assert finished == final
    assert workshop.replaced() == []
    assert workshop.plan(things).changes == ()
    for address in ("first", "second"):
        one, other = workshop.store.record(address), undisturbed.store.record(address)
        assert one is not None
        assert other is not None
        assert (one.fingerprint, one.digest) == (other.fingerprint, other.digest)


def test_unfinished_work_is_found_again(workshop: Workshop) -> None:
    subprocess.run([sys.executable, SCRIPT, workshop.root, "kept", "making"], check=False)
    things = resources(workshop, "kept")
    assert workshop.plan(things)["first"].reason == "does not exist yet; continues at step 3"
    workshop.apply(things)
    assert things[0].rule.steps == 2  # type: ignore[attr-defined]


def test_replacement_does_not_use_unfinished_work(workshop: Workshop) -> None:
    subprocess.run([sys.executable, SCRIPT, workshop.root, "kept", "making"], check=False)
    things = resources(workshop, "kept")
    workshop.apply(things, replaced={"first"})
    assert things[0].rule.steps == 5  # type: ignore[attr-defined]
