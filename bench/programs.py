"""How each program is started and read: one :class:`Setting` a build, thread number and option."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import bandwidth

RUN_FOR = 0.25
"""Seconds of running that make a sample: llama2.c's clock has milliseconds, and a short story takes ten of them."""
TRIES = 10
_SMALL = 1 << 26
"""Bytes of a model file that llama-bench, which takes its time to start, plays several times."""
_LAUNCHERS = (b"GOMP_parallel", b"__kmpc_fork_call")
"""What a program calls to start OpenMP's threads, built with gcc and with clang."""


@dataclass(frozen=True)
class Setting:
    """One way to start a program."""

    label: str
    """For the table, such as ``run-gcc, 2 threads``."""
    command: Callable[[int], list[str]]
    """The command that plays so many tokens a stream, greedily."""
    read: Callable[[subprocess.CompletedProcess[str]], float | None]
    """Tokens a second, all streams together, from what it printed; None where it printed nothing of it."""
    streams: int = 1
    threads: int = 1
    tells: bool = False
    """It prints the story, so that one that ends early can be found out."""

    def run(self, tokens: int) -> subprocess.CompletedProcess[str]:
        """Start it once.

        Raises:
            SystemExit: it failed.
        """
        command = self.command(tokens)
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.threads)}
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\nended with status {done.returncode}:\n{done.stderr[-2000:]}")
        return done

    def measure(self, tokens: int) -> float:
        """Tokens a second over as many runs as fill :data:`RUN_FOR`."""
        began = time.perf_counter()
        seconds_a_token = [1 / self._speed(tokens)]
        while time.perf_counter() - began < RUN_FOR:
            seconds_a_token.append(1 / self._speed(tokens))
        return 1 / statistics.fmean(seconds_a_token)

    def _speed(self, tokens: int) -> float:
        # llama-batched-bench logs from a thread of its own and now and then ends before that has written its line.
        for _ in range(TRIES):
            done = self.run(tokens)
            speed = self.read(done)
            if speed:
                return speed
        raise SystemExit(f"{' '.join(done.args)}\ndid not say its speed: {done.stderr[-500:]}")

    def check_length(self, tokens: int) -> None:
        """Make sure that the story does not end early, which would leave out the steps with the longest context.

        Raises:
            SystemExit: it does.
        """
        if self.tells and self.run(tokens).stdout == self.run(tokens - 1).stdout:
            raise SystemExit(f"{' '.join(self.command(tokens))}\nends before {tokens} tokens: not comparable")


def llama2c(program: Path, model: Path, tokenizer: Path) -> list[Setting]:
    """A build of llama2.c's ``run`` or ``runq``, on one thread and, if it was built with OpenMP, on two."""

    def command(tokens: int) -> list[str]:
        return [str(program), str(model), "-z", str(tokenizer), "-t", "0", "-n", str(tokens)]

    numbers = (1, 2) if any(name in program.read_bytes() for name in _LAUNCHERS) else (1,)
    return [Setting(_label(program, n), command, _achieved, threads=n, tells=True) for n in numbers]


def tsws(program: Path, model: Path, tokenizer: Path, *, int8: bool, threads: int, streams: int = 1) -> list[Setting]:
    """Our own, or nothing where this build of it lacks an option that is needed."""
    usage = subprocess.run([program], capture_output=True, text=True, check=False).stderr
    wanted = {"-q": int8, "--threads": threads > 1, "--count": streams > 1}
    if any(needed and not re.search(rf"^\s*{option}\b", usage, re.MULTILINE) for option, needed in wanted.items()):
        return []
    options = ["-q", "int8"] if int8 else []
    options += ["--threads", str(threads)] if re.search(r"^\s*--threads\b", usage, re.MULTILINE) else []
    options += ["--count", str(streams)] if streams > 1 else []

    def command(tokens: int) -> list[str]:
        return [str(program), str(model), "-z", str(tokenizer), "-t", "0", "-n", str(tokens), *options]

    tells = streams == 1
    return [Setting(_label(program, threads), command, _achieved, streams=streams, threads=threads, tells=tells)]


def llama_bench(program: Path, model: Path, *, threads: int) -> list[Setting]:
    """llama.cpp's ``llama-bench``: one stream, with and without flash attention, waiting threads lazy or eager."""

    repetitions = str(5 if model.stat().st_size < _SMALL else 1)

    def setting(flash: int, poll: int) -> Setting:
        options = ["-t", str(threads), "-fa", str(flash), "--poll", str(poll)]

        def command(tokens: int) -> list[str]:
            sizes = ["-p", "0", "-n", str(tokens), "-r", repetitions]
            return [str(program), "-m", str(model), *sizes, "-o", "json", *options]

        return Setting(f"{_label(program, threads)}, {' '.join(options[2:])}", command, _average, threads=threads)

    return [setting(flash, poll) for flash in (0, 1) for poll in ((50, 100) if threads > 1 else (50,))]


def llama_batched_bench(program: Path, model: Path, *, threads: int, streams: int) -> list[Setting]:
    """llama.cpp's ``llama-batched-bench``: a prompt of one token, then many streams at once."""

    def setting(flash: str) -> Setting:
        def command(tokens: int) -> list[str]:
            context = streams * -(-tokens // 256) * 256
            sizes = ["-npp", "1", "-ntg", str(tokens - 1), "-npl", str(streams), "-c", str(context)]
            return [
                str(program),
                "-m",
                str(model),
                *sizes,
                "-t",
                str(threads),
                "-fa",
                flash,
                "--output-format",
                "jsonl",
            ]

        return Setting(f"{_label(program, threads)}, -fa {flash}", command, _batched, streams=streams, threads=threads)

    return [setting(flash) for flash in ("off", "on")]


def bound(weight_bytes: int, *, threads: int) -> Setting:
    """What reading the weights once a token would allow."""

    def command(tokens: int) -> list[str]:  # noqa: ARG001
        return bandwidth.command(weight_bytes, threads)

    def read(done: subprocess.CompletedProcess[str]) -> float:
        return float(done.stdout) / weight_bytes

    return Setting(f"reading {weight_bytes / 1e6:.1f} MB, {threads} threads", command, read, threads=threads)


def _label(program: Path, threads: int) -> str:
    name = f"{program.parent.parent.name}/{program.name}" if program.name.startswith("llama-") else program.name
    return f"{name}, {threads} thread{'s' * (threads > 1)}"


def _achieved(done: subprocess.CompletedProcess[str]) -> float | None:
    found = re.search(r"achieved tok/s: ([\d.]+)", done.stderr)
    return float(found[1]) if found else None


def _average(done: subprocess.CompletedProcess[str]) -> float | None:
    return float(json.loads(done.stdout)[0]["avg_ts"])


def _batched(done: subprocess.CompletedProcess[str]) -> float | None:
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return float(lines[-1]["speed_tg"]) if lines else None
