"""Who runs against whom: for a row of a table, the contenders and the settings that each may choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import programs
from bench.programs import Setting
from bench.shapes import Files
from tsws.model.llama2c import read_header

THREADS = (1, 2)


@dataclass(frozen=True)
class Programs:
    """Paths of the programs to measure, several builds of each where there are."""

    run: Sequence[Path] = field(default=())
    llama2c_run: Sequence[Path] = field(default=())
    llama2c_runq: Sequence[Path] = field(default=())
    llama_bench: Sequence[Path] = field(default=())
    llama_batched_bench: Sequence[Path] = field(default=())


def contenders(found: Programs, files: Files, streams: int) -> dict[str, list[Setting]]:
    """Name to settings; a contender whose program is not given, or lacks the options, is left out.

    Programs that have threads are a contender a thread number: ``tsws int8, 2``.
    """
    every = _single(found, files) if streams == 1 else _batched(found, files, streams)
    return {name: settings for name, settings in every.items() if settings}


def _single(found: Programs, files: Files) -> dict[str, list[Setting]]:
    weights = read_header(files.model).parameter_count
    every = {
        "llama2.c fp32": _llama2c(found.llama2c_run, files.model, files),
        "llama2.c int8": _llama2c(found.llama2c_runq, files.int8_model, files),
        "bound fp32": [programs.bound(weights * 4, threads=threads) for threads in THREADS],
        "bound int8": [programs.bound(weights, threads=threads) for threads in THREADS],
    }
    for threads in THREADS:
        for kind, gguf in (("F32", files.gguf), ("Q8_0", files.int8_gguf)):
            every[f"llama.cpp {kind}, {threads}"] = [
                setting for path in found.llama_bench for setting in programs.llama_bench(path, gguf, threads=threads)
            ]
        for kind in ("fp32", "int8"):
            every[f"tsws {kind}, {threads}"] = _tsws(found, files, kind, threads, streams=1)
    return every


def _batched(found: Programs, files: Files, streams: int) -> dict[str, list[Setting]]:
    every = {"llama2.c fp32": _llama2c(found.llama2c_run, files.model, files)}
    for threads in THREADS:
        for kind, gguf in (("F32", files.gguf), ("Q8_0", files.int8_gguf)):
            every[f"llama.cpp {kind}, {threads}"] = [
                setting
                for path in found.llama_batched_bench
                for setting in programs.llama_batched_bench(path, gguf, threads=threads, streams=streams)
            ]
        for kind in ("fp32", "int8"):
            every[f"tsws {kind}, {threads}"] = _tsws(found, files, kind, threads, streams=streams)
    return every


def _llama2c(builds: Sequence[Path], model: Path, files: Files) -> list[Setting]:
    return [setting for path in builds for setting in programs.llama2c(path, model, files.tokenizer)]


def _tsws(found: Programs, files: Files, kind: str, threads: int, *, streams: int) -> list[Setting]:
    return [
        setting
        for path in found.run
        for setting in programs.tsws(
            path, files.model, files.tokenizer, int8=kind == "int8", threads=threads, streams=streams
        )
    ]
