"""How soon the native program speaks, and how much memory it takes: ``python -m bench.first_token --run PATH,...``.

From the moment before the process is made to the first byte of the story in a pipe, medians; and the peak of resident
memory over a whole story against the size of the model file. Several programs take turns.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import shapes
from bench.machine import describe
from bench.native import paths
from bench.tables import table

_PEAK = re.compile(r"^VmHWM:\s*(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class Start:
    """One run of a program."""

    seconds: float
    """To the first byte."""
    peak: int | None
    """Of resident memory, in bytes; None where the system does not tell."""


def start(command: list[str]) -> Start:
    """Run a program that tells a story to its end.

    The kernel's own figure for a finished process (``ru_maxrss``) also counts what its parent had before the program
    was loaded; ``VmHWM`` does not. It is read with each piece of the story and never falls.

    Raises:
        SystemExit: it failed, or said nothing.
    """
    reading, writing = os.pipe()
    silence = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
    actions = [(os.POSIX_SPAWN_DUP2, writing, 1), (os.POSIX_SPAWN_CLOSE, reading), silence]
    began = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    os.close(writing)
    piece = os.read(reading, 65536)
    seconds = time.perf_counter() - began
    said = bool(piece)
    peak = None
    while piece:
        peak = _peak(process) or peak
        piece = os.read(reading, 65536)
    os.close(reading)
    _, status = os.waitpid(process, 0)
    if status or not said:
        raise SystemExit(f"{' '.join(command)}\nended with status {os.waitstatus_to_exitcode(status)}")
    return Start(seconds, peak)


def _peak(process: int) -> int | None:
    status = Path(f"/proc/{process}/status")
    found = _PEAK.search(status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 if found else None


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--run", type=paths, required=True, metavar="PATH[,PATH...]", help="ours, and llama2.c's to compare"
    )
    parser.add_argument("--models", default="1M", help="default %(default)s")
    parser.add_argument("--options", default="", help="more options for every program, such as '-q int8'")
    parser.add_argument("--rounds", type=int, default=50, help="default %(default)s")
    arguments = parser.parse_args()
    lines = []
    for name in arguments.models.split(","):
        files = shapes.make(name)
        options = [str(files.model), "-z", str(files.tokenizer), "-t", "0", *arguments.options.split()]
        commands = [[str(path), *options] for path in arguments.run]
        for command in commands:
            start(command)
        rounds = [[start(command) for command in commands] for _ in range(arguments.rounds)]
        weights = files.model.stat().st_size
        for path, starts in zip(arguments.run, zip(*rounds, strict=True), strict=True):
            lines.append([name, path.name, *_figures(starts), f"{weights / 2**20:.2f}", _beyond(starts, weights)])
    print(f"{describe()}; {arguments.rounds} starts each, in turn\n")
    head = ["model", "program", "first byte: median", "slowest", "peak memory", "model file", "beyond the file"]
    print(table([*head[:2], f"{head[2]} ms", f"{head[3]} ms", *(f"{each} MB" for each in head[4:])], lines))


def _figures(starts: Sequence[Start]) -> list[str]:
    seconds = [each.seconds for each in starts]
    return [f"{statistics.median(seconds) * 1000:.2f}", f"{max(seconds) * 1000:.2f}", _megabytes(_most(starts))]


def _beyond(starts: Sequence[Start], weights: int) -> str:
    peak = _most(starts)
    return _megabytes(None if peak is None else peak - weights)


def _most(starts: Sequence[Start]) -> int | None:
    return max((each.peak for each in starts if each.peak is not None), default=None)


def _megabytes(size: int | None) -> str:
    return "-" if size is None else f"{size / 2**20:.2f}"


if __name__ == "__main__":
    main()
