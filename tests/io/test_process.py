"""A process is its id together with its start time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tsws.io.process import _start_time_of_ps, is_alive, start_time, terminate

POLITE = "import sys; print('up', flush=True); sys.stdin.read()"
STUBBORN = (
    "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); sys.stdin.read()"
)
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); sys.stdin.read()"])
print(child.pid, flush=True)
sys.stdin.read()
"""


def start(code: str, *, group: bool = False) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=group
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_this_process_lives_and_keeps_its_start_time() -> None:
    started = start_time(os.getpid())
    assert started is not None
    assert start_time(os.getpid()) == started
    assert is_alive(os.getpid(), started)
    assert is_alive(os.getpid(), None)


def test_another_process_with_the_same_id_is_a_stranger() -> None:
    started = start_time(os.getpid())
    assert started is not None
    assert not is_alive(os.getpid(), started - 1)


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1])
def test_an_id_that_nobody_has_is_dead(pid: int) -> None:
    assert start_time(pid) is None
    assert not is_alive(pid, None)


def test_a_zombie_is_dead() -> None:
    process = start("pass")
    with process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has taken its status
        assert start_time(process.pid) is None
        assert not is_alive(process.pid, None)


def test_a_name_with_parentheses_does_not_confuse(tmp_path: Path) -> None:
    program = tmp_path / "a) R 1 (b"
    program.symlink_to(sys.executable)
    with subprocess.Popen([program, "-c", POLITE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert first_line(process) == "up"
        started = start_time(process.pid)
        own = start_time(os.getpid())
        assert started is not None
        assert own is not None
        assert own <= started < own + 24 * 3600
        process.kill()


def test_a_polite_process_ends_by_itself() -> None:
    with start(POLITE) as process:
        assert first_line(process) == "up"
        assert terminate(process.pid, start_time(process.pid), grace=30)
        assert process.wait() == -signal.SIGTERM


def test_a_stubborn_process_is_killed() -> None:
    with start(STUBBORN) as process:
        assert first_line(process) == "up"
        assert not terminate(process.pid, start_time(process.pid), grace=0.05)
        assert process.wait() == -signal.SIGKILL


def test_the_group_of_a_leader_goes_with_it() -> None:
    with start(PARENT, group=True) as process:
        lines = {first_line(process), first_line(process)}
        assert "up" in lines
        assert terminate(process.pid, start_time(process.pid), grace=30)
        assert process.stdout is not None
        assert process.stdout.read() == ""  # the pipe closes only when the child, who ignores SIGTERM, is dead as well


def test_a_stranger_with_the_same_id_is_left_alone() -> None:
    with start(POLITE) as process:
        assert first_line(process) == "up"
        started = start_time(process.pid)
        assert started is not None
        assert terminate(process.pid, started - 1, grace=0)
        assert process.poll() is None
        process.kill()


def test_ps_tells_the_living_from_the_dead() -> None:
    started = _start_time_of_ps(os.getpid())
    assert started is not None
    assert _start_time_of_ps(os.getpid()) == started
    assert _start_time_of_ps(2**22 + 1) is None


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Move this process to a time zone, and home again."""

    def move(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


def test_a_change_of_zone_or_language_leaves_the_start_time_of_ps(
    zone: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    zone("UTC")
    started = _start_time_of_ps(os.getpid())
    assert started is not None
    assert abs(time.time() - started) < 24 * 3600  # seconds since the epoch
    for name in ("Asia/Tokyo", "America/New_York", "XYZ-5:45"):
        zone(name)
        assert _start_time_of_ps(os.getpid()) == started
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LC_TIME", "de_DE.UTF-8")
    assert _start_time_of_ps(os.getpid()) == started
