"""Other processes: whether one still lives, and ending it.

A process id alone is no name: the system gives it to somebody else later. Together with the time at which the process
started it is one, so both are kept in a job's handle.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

_POLL = 0.05
"""Seconds between looks at a process where the system has no way to wait for a stranger's."""
_KILL_PATIENCE = 5.0
"""Seconds that a killed process gets to be gone: one inside a system call (a dead network disk) may take longer."""


def start_time(pid: int) -> float | None:
    """When a living process started, as a number to compare with (never to show), or None when there is none.

    On Linux seconds since the machine booted, which no change of the clock moves (``proc(5)``: ``starttime``, field 22 of
    ``/proc/PID/stat``); elsewhere seconds since the epoch, from ``ps``. A process that has ended and only
    waits for its parent to notice (a zombie) does not live.
    """
    if pid <= 0:
        return None
    if sys.platform == "linux":
        return _start_time_of_stat(pid)
    return _start_time_of_ps(pid)


def is_alive(pid: int, started: float | None) -> bool:
    """Whether the very process that had this id and start time still lives.

    Args:
        pid: process id.
        started: what :func:`start_time` said when it was started; None accepts whoever has the id now.
    """
    now = start_time(pid)
    return now is not None and (started is None or now == started)


def terminate(pid: int, started: float | None, *, grace: float) -> bool:
    """End a process, and with it the process group that it leads, if it leads one.

    SIGTERM first; after ``grace`` seconds SIGKILL. What is left of the group when its leader has ended is killed too. A
    process that has ended already is no error.

    Args:
        pid: process id.
        started: see :func:`is_alive`; a stranger who has the id now is left alone.
        grace: seconds between the request and the force.

    Returns:
        True when it ended by itself within ``grace``, False when it had to be killed.

    Raises:
        PermissionError: it belongs to another user.
    """
    if not is_alive(pid, started):
        return True
    leads = _leads_group(pid)
    _signal(pid, signal.SIGTERM, group=leads)
    ended = _wait(pid, started, grace)
    if not ended or leads:
        _signal(pid, signal.SIGKILL, group=leads)
    if not ended:
        _wait(pid, started, _KILL_PATIENCE)
    return ended


def _start_time_of_stat(pid: int) -> float | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    if fields[0] in "ZXx":
        return None
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _start_time_of_ps(pid: int) -> float | None:
    answer = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},  # whatever zone this client, or the next, lives in
    )
    state, _, started = answer.stdout.strip().partition(" ")
    if answer.returncode != 0 or not started or state.startswith("Z"):
        return None
    moment = datetime.strptime(" ".join(started.split()), "%a %b %d %H:%M:%S %Y")
    return moment.replace(tzinfo=UTC).timestamp()


def _leads_group(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid and pid != os.getpgrp()
    except ProcessLookupError:
        return False


def _signal(pid: int, number: signal.Signals, *, group: bool) -> None:
    with suppress(ProcessLookupError):
        if group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)


def _wait(pid: int, started: float | None, seconds: float) -> bool:
    """Wait until a process has ended; False when it has not within ``seconds``."""
    deadline = time.monotonic() + seconds
    if hasattr(os, "pidfd_open"):  # Linux: sleep until the very moment
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:  # it is gone, or this kernel is older than 5.3: the loop below knows
            pass
        else:
            try:
                if is_alive(pid, started):
                    select.select([descriptor], [], [], seconds)
            finally:
                os.close(descriptor)
    while is_alive(pid, started):
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(_POLL, left))
    return True
