"""Whether other processes took the processors away while something was measured."""

from __future__ import annotations

import os
import time
from pathlib import Path

MOST = 0.15
"""Processors that others may take on average; the kernel counts in hundredths of a second, and samples are short."""

_STAT = Path("/proc/stat")
_IDLE = (3, 4)  # columns of idle and of waiting for disks
_GUESTS = 8  # the columns from here on are counted in the first ones too


class Watch:
    """Begins to count when it is made; where there is no Linux, others take nothing."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._others = _others()

    @property
    def disturbed(self) -> bool:
        """Others took more than :data:`MOST`."""
        return _others() - self._others > MOST * (time.perf_counter() - self._began)


def _others() -> float:
    """Seconds of all processors that neither this process nor its finished children took."""
    if not _STAT.exists():
        return 0.0
    columns = [int(column) for column in _STAT.read_text().split("\n", 1)[0].split()[1 : _GUESTS + 1]]
    busy = sum(column for place, column in enumerate(columns) if place not in _IDLE)
    own = os.times()
    taken = own.user + own.system + own.children_user + own.children_system
    return busy / os.sysconf("SC_CLK_TCK") - taken
