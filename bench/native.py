"""The native program beside llama2.c and llama.cpp, all at their best: ``python -m bench.native``.

    python -m bench.native --run PATH --llama2c-run PATH,PATH --llama2c-runq PATH,PATH \\
        --llama-bench PATH --llama-batched-bench PATH --models 260K,1M --streams 1,32 --rounds 5

Paths may be several builds, with commas between: each contender first chooses its best setting (build, threads,
options) by itself, then all run in interleaved rounds. Nobody else's code is built here, and what is not given is left
out: ``--only "tsws fp32,llama2.c fp32"`` with one model is the quick look. Random models are made when they are needed.

Speeds are the programs' own words: tokens a second of ``run`` (llama2.c's and ours, greedy, whole processes, enough of
them to fill a quarter of a second) and of llama-bench and llama-batched-bench (repetitions after a warm-up; they do not sample
or print). With ``--record FILE`` a measurement can be taken in several calls; ``--rounds 0`` then only prints the tables.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from pathlib import Path

from bench import shapes, tables
from bench.contenders import Programs, contenders
from bench.machine import describe
from bench.programs import Setting
from bench.rounds import Record, choose, play


def paths(text: str) -> list[Path]:
    """Programs with commas between."""
    found = [Path(part).resolve() for part in text.split(",") if part]
    for path in found:
        if not path.is_file():
            raise argparse.ArgumentTypeError(f"{path} is not there")
    return found


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("run", "llama2c-run", "llama2c-runq", "llama-bench", "llama-batched-bench"):
        parser.add_argument(f"--{name}", type=paths, default=[], metavar="PATH[,PATH...]")
    parser.add_argument("--models", default=",".join(shapes.NAMES), help="default %(default)s")
    parser.add_argument("--streams", default="1", help="how many at once, such as 1,8,32,128; default %(default)s")
    parser.add_argument("--tokens", type=int, default=256, help="a stream, default %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="default %(default)s")
    parser.add_argument("--only", default="", help="contenders' names, or beginnings of them, with commas between")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin nothing new later than this")
    parser.add_argument("--record", type=Path, help="a file to keep the rounds in, and to go on from")
    return parser.parse_args()


def chosen(every: dict[str, list[Setting]], only: str) -> dict[str, list[Setting]]:
    """The contenders that ``--only`` leaves."""
    wanted = tuple(part.strip() for part in only.split(","))
    return {name: settings for name, settings in every.items() if name.startswith(wanted)}


def main() -> None:
    """Measure and print the tables."""
    arguments = parse()
    until = time.monotonic() + arguments.seconds
    programs = Programs(
        arguments.run,
        arguments.llama2c_run,
        arguments.llama2c_runq,
        arguments.llama_bench,
        arguments.llama_batched_bench,
    )
    record = Record(arguments.record)
    for name in arguments.models.split(",") if arguments.rounds else []:
        files = shapes.make(name)
        for streams in map(int, arguments.streams.split(",")):
            row = record.row(name, streams, arguments.tokens)
            every = chosen(contenders(programs, files, streams), arguments.only)
            for contender, settings in every.items():
                if time.monotonic() < until:
                    choose(row, contender, settings)
                    record.save()
            play(row, every, arguments.rounds, until)
            record.save()
    report(record)


def report(record: Record) -> None:
    """Print the tables of what there is."""
    alone = [row for row in record.rows if row.streams == 1]
    together = [row for row in record.rows if row.streams > 1]
    print(
        f"{describe()}\n\nTokens a second, greedy, medians of interleaved rounds; ratios are medians of the rounds'.\n"
    )
    every: Iterable[tuple[str, str]] = (
        ("One stream", tables.single(alone) if alone else ""),
        ("One stream, by threads", tables.by_threads(alone) if alone else ""),
        ("Batched", tables.batched(together) if together else ""),
        ("Settings", tables.settings(record.rows)),
    )
    for title, text in every:
        if text:
            print(f"### {title}\n\n{text}\n")


if __name__ == "__main__":
    main()
