"""Locks exclude, say who holds them, and die with their holder."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tsws.errors import LockedError
from tsws.io.locks import lock_holder, resource_lock, workspace_lock

HOLD = """
import sys
from pathlib import Path
from tsws.io.locks import workspace_lock
with workspace_lock(Path(sys.argv[1]), purpose="tsws apply run.baby"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Callable[[], subprocess.Popen[str]]:
    """Starts another process that holds ``tmp_path/lock``."""

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path / "lock")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    return start


def test_the_error_names_the_holder_and_what_to_do(tmp_path: Path, holder: Callable[[], subprocess.Popen[str]]) -> None:
    with holder() as process:
        with pytest.raises(LockedError) as caught, workspace_lock(tmp_path / "lock", purpose="second"):
            pass
        process.kill()
    assert caught.value.message.startswith(f"process {process.pid} works in this workspace: tsws apply run.baby, for ")
    assert f"kill {process.pid}" in (caught.value.hint or "")


def test_a_killed_holder_holds_nothing(tmp_path: Path, holder: Callable[[], subprocess.Popen[str]]) -> None:
    with holder() as process:
        process.kill()
        process.wait()
    with workspace_lock(tmp_path / "lock", purpose="second"):
        found = lock_holder(tmp_path / "lock")
        assert found is not None
        assert (found.pid, found.purpose) == (os.getpid(), "second")


def test_a_released_lock_is_free_and_leaves_no_note(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "lock"
    for _ in range(2):
        with workspace_lock(path, purpose="first"):
            pass
    assert lock_holder(path) is None


def test_a_lock_excludes_threads_of_its_own_process(tmp_path: Path) -> None:
    caught: list[BaseException] = []

    def take() -> None:
        try:
            with workspace_lock(tmp_path / "lock", purpose="second"):
                pass
        except LockedError as error:
            caught.append(error)

    with workspace_lock(tmp_path / "lock", purpose="first"):
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
    assert len(caught) == 1


@pytest.mark.parametrize("note", [b"", b"nonsense", b'{"pid": "x"}'])
def test_a_broken_note_only_costs_the_name(tmp_path: Path, note: bytes) -> None:
    path = tmp_path / "lock"
    with workspace_lock(path, purpose="first"):
        (tmp_path / "lock.json").write_bytes(note)
        with (
            pytest.raises(LockedError, match="another process works in this workspace"),
            workspace_lock(path, purpose="second"),
        ):
            pass


def test_a_resource_lock_waits_for_its_turn(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    order: list[str] = []
    asking = threading.Event()

    def second() -> None:
        asking.set()
        with resource_lock(path, timeout=None):
            order.append("second")

    thread = threading.Thread(target=second)
    with resource_lock(path, timeout=None):
        thread.start()
        asking.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_resource_lock_gives_up_in_time(tmp_path: Path, holder: Callable[[], subprocess.Popen[str]]) -> None:
    with holder() as process:
        with pytest.raises(LockedError, match="not free within"), resource_lock(tmp_path / "lock", timeout=0.1):
            pass
        process.kill()
