"""Rows of measurements as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.rounds import Row

PEERS_FP32 = ("llama2.c fp32", "llama.cpp F32, 1", "llama.cpp F32, 2")
PEERS_INT8 = ("llama2.c int8", "llama.cpp Q8_0, 1", "llama.cpp Q8_0, 2")
OURS_FP32 = ("tsws fp32, 1", "tsws fp32, 2")
OURS_INT8 = ("tsws int8, 1", "tsws int8, 2")


def single(rows: Iterable[Row]) -> str:
    """One stream: medians of each program's best, and the median ratio of ours to the best peer."""
    head = ["model", "rounds", "llama2.c fp32 / int8", "llama.cpp F32 / Q8_0", "bound fp32 / int8", "tsws fp32 / int8"]
    head += ["fp32 : llama2.c fp32", "fp32 : best fp32 peer", "int8 : best peer of any kind"]
    lines = []
    for row in rows:
        fp32, int8 = row.best(*OURS_FP32), row.best(*OURS_INT8)
        lines.append(
            [
                row.model,
                rounds(row),
                pair(row, ["llama2.c fp32"], ["llama2.c int8"]),
                pair(row, PEERS_FP32[1:], PEERS_INT8[1:]),
                pair(row, ["bound fp32"], ["bound int8"]),
                pair(row, OURS_FP32, OURS_INT8),
                ratio(row.ratio(fp32, "llama2.c fp32")),
                ratio(row.ratio(fp32, row.best(*PEERS_FP32))),
                ratio(row.ratio(int8, row.best(*PEERS_FP32, *PEERS_INT8))),
            ]
        )
    return table(head, lines)


def by_threads(rows: Iterable[Row]) -> str:
    """One stream, against llama.cpp with the same number of threads."""
    head = ["model", "threads", "llama.cpp F32", "tsws fp32", "ratio", "llama.cpp Q8_0", "tsws int8", "ratio"]
    lines = []
    for row in rows:
        for threads in (1, 2):
            line = [row.model, str(threads)]
            for theirs, ours in (("F32", "fp32"), ("Q8_0", "int8")):
                pair_of = f"llama.cpp {theirs}, {threads}", f"tsws {ours}, {threads}"
                line += [*(speed(row.median(name)) for name in pair_of), ratio(row.ratio(pair_of[1], pair_of[0]))]
            lines.append(line)
    return table(head, lines)


def batched(rows: Iterable[Row]) -> str:
    """Several streams at once: total tokens a second."""
    head = ["model", "streams", "tokens", "rounds", "llama2.c fp32, one stream", "llama.cpp F32 / Q8_0"]
    head += ["tsws fp32 / int8", "best : llama2.c", "best : best llama.cpp"]
    lines = []
    for row in rows:
        ours = row.best(*OURS_FP32, *OURS_INT8)
        theirs = row.best(*PEERS_FP32[1:], *PEERS_INT8[1:])
        lines.append(
            [
                row.model,
                str(row.streams),
                str(row.tokens),
                rounds(row),
                speed(row.median("llama2.c fp32")),
                pair(row, PEERS_FP32[1:], PEERS_INT8[1:]),
                pair(row, OURS_FP32, OURS_INT8),
                ratio(row.ratio(ours, "llama2.c fp32")),
                ratio(row.ratio(ours, theirs)),
            ]
        )
    return table(head, lines)


def settings(rows: Iterable[Row]) -> str:
    """What each contender chose."""
    lines = [
        [row.model, str(row.streams), name, f"`{label}`"] for row in rows for name, label in sorted(row.chosen.items())
    ]
    return table(["model", "streams", "contender", "setting"], lines)


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    every = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in every)


def pair(row: Row, first: Sequence[str], second: Sequence[str]) -> str:
    """``12,100 / 7,000``: the best medians of two groups of contenders."""
    best = (row.best(*first), row.best(*second))
    return " / ".join(speed(row.median(name) if name else None) for name in best)


def rounds(row: Row) -> str:
    """How many counted, and how many were left out."""
    return f"{len(row.rounds)} ({row.disturbed} left out)" if row.disturbed else str(len(row.rounds))


def speed(value: float | None) -> str:
    """Tokens a second, with three digits at least."""
    return "-" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def ratio(value: float | None) -> str:
    """``2.34``, or a dash."""
    return "-" if value is None else f"{value:.2f}"
