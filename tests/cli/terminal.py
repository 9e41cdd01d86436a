"""A process on a terminal of its own, and what a person would see and do there."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

PATIENCE = 120.0
"""Seconds to wait for what has to come."""
CTRL_C = b"\x03"
TAKE_TERMINAL = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""Makes standard input the controlling terminal, so that keys send signals, and becomes the real program."""
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """Runs ``python ARGUMENTS`` on a terminal of 100 columns."""

    def __init__(self, *arguments: str, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        around = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        terminal = {"TERM": "xterm-256color", "COLUMNS": "100", "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, *arguments],
            cwd=folder,
            env={**around, **terminal, **(env or {})},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.raw = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)

    @property
    def text(self) -> str:
        """All that was shown, without control sequences."""
        return CONTROL.sub("", self.raw).replace("\r", "")

    def press(self, key: bytes) -> None:
        """Type something."""
        os.write(self._master, key)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read until some text was shown."""
        deadline = time.monotonic() + PATIENCE
        while (match := re.search(pattern, self.text)) is None:
            assert self._read() and time.monotonic() < deadline, f"{pattern!r} never came:\n{self.text}"
        return match

    def wait(self) -> int:
        """Read to the end; the exit status."""
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux: nobody has the other side any more
            return False
        self.raw += data.decode(errors="replace")
        return bool(data)
