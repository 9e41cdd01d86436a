"""How fast this machine reads memory, by cache level and threads: ``python -m bench.bandwidth``.

A token costs at least one reading of all weights, so this is what no player can exceed.
"""

from __future__ import annotations

import statistics
import subprocess
from functools import cache
from pathlib import Path

from bench.machine import cache_sizes, compiler, describe
from bench.neighbours import Watch

SOURCE = Path(__file__).with_name("bandwidth.c")
PROGRAM = Path("build/bench/bandwidth")
SECONDS = 0.2
THREADS = (1, 2)


@cache
def program() -> Path:
    """The measuring program, compiled."""
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    flags = ["-O3", "-march=native", "-pthread", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler(), *flags, str(SOURCE), "-o", str(PROGRAM)], check=True)
    return PROGRAM


def command(size: int, threads: int) -> list[str]:
    """The command that prints the bytes a second of reading so many bytes over and over."""
    return [str(program().resolve()), str(size), str(threads), str(SECONDS)]


def measure(size: int, threads: int) -> str:
    """GB/s, the median of five runs; one in which other processes had the processors is taken again, twice at most."""
    speeds = []
    disturbed = False
    for _ in range(5):
        for _ in range(3):
            watch = Watch()
            run = subprocess.run(command(size, threads), check=True, capture_output=True, text=True)
            if not watch.disturbed:
                break
        else:
            disturbed = True
        speeds.append(float(run.stdout))
    return f"{statistics.median(speeds) / 1e9:.1f}{' (disturbed)' * disturbed}"


def main() -> None:
    """Measure and print the table."""
    caches = cache_sizes()
    # Half of each thread's own L1 and L2; half of the shared last level; far more than any cache.
    last = max(caches, default="L3")
    private = {level: size for level, size in caches.items() if level != last}
    print(f"{describe()}; GB/s, medians of 5\n")
    print("| read from | " + " | ".join(f"{threads} thread{'s' * (threads > 1)}" for threads in THREADS) + " |")
    print("| --- |" + " --- |" * len(THREADS))
    for level, size in private.items():
        row(f"{level} ({size // 2 >> 10} kB a thread)", {threads: size // 2 * threads for threads in THREADS})
    if caches:
        row(f"{last} ({caches[last] // 2 >> 20} MB)", dict.fromkeys(THREADS, caches[last] // 2))
    row("memory (512 MB)", dict.fromkeys(THREADS, 512 << 20))


def row(label: str, sizes: dict[int, int]) -> None:
    """Print one line of the table; ``sizes`` are bytes by threads."""
    figures = (measure(size, threads) for threads, size in sizes.items())
    print(f"| {label} | {' | '.join(figures)} |", flush=True)


if __name__ == "__main__":
    main()
