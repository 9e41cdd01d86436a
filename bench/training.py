"""Training speed and memory beside llama2.c's ``train.py``: ``python -m bench.training --llama2c FOLDER --data FOLDER``.

The same model, batch and machine; only the engine differs (tsws with the recipe ``llama2c``). ``--data`` holds ``train.bin`` and
``val.bin``, shards of uint16 tokens; where a shape has a vocabulary that is not theirs, random tokens are made: they cost the
same. Rounds are interleaved; a step's time is the median of a run's, its first ones left out.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from bench.machine import describe
from bench.tables import table
from bench.trainers import Task, Trained, llama2c, own
from tsws.model.config import LlamaConfig
from tsws.train.device import Device
from tsws.train.utilisation import measure_peak

SHAPES: dict[str, dict[str, int]] = {
    "260K": {"dim": 64, "n_layers": 5, "n_heads": 8, "n_kv_heads": 4, "vocab_size": 512, "max_seq_len": 256},
    "1M": {"dim": 128, "n_layers": 5, "n_heads": 8, "n_kv_heads": 4, "vocab_size": 105, "max_seq_len": 256},
    "15M": {"dim": 288, "n_layers": 6, "n_heads": 6, "n_kv_heads": 6, "vocab_size": 32000, "max_seq_len": 256},
    "110M": {"dim": 768, "n_layers": 12, "n_heads": 12, "n_kv_heads": 12, "vocab_size": 32000, "max_seq_len": 1024},
}


def random_tokens(path: Path, vocab_size: int, count: int = 1 << 22) -> Path:
    """A shard."""
    np.random.default_rng(1).integers(3, vocab_size, count).astype("<u2").tofile(path)
    return path


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama2c", type=Path, metavar="FOLDER", help="with its train.py")
    parser.add_argument("--data", type=Path, help="with train.bin and val.bin of the first shape's vocabulary")
    parser.add_argument("--shapes", default="1M", help="of " + ",".join(SHAPES) + "; default %(default)s")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--accumulation", type=int, default=4)
    parser.add_argument("--iterations", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--own-dtypes", default="", help="of tsws, where it is to show several")
    parser.add_argument("--compile", default="never", help="of tsws where torch trains: never,always")
    parser.add_argument("--peer-compile", action="store_true", help="llama2.c with its --compile=True")
    parser.add_argument("--engine", default="auto")
    return parser.parse_args()


def contenders(given: argparse.Namespace, task: Task) -> dict[str, Any]:
    """Name to what runs it once."""
    every: dict[str, Any] = {}
    for dtype in (given.own_dtypes or given.dtype).split(","):
        for compiling in given.compile.split(","):
            name = f"tsws {dtype}" + (" compiled" if compiling == "always" else "")
            every[name] = partial(
                own, replace(task, dtype=dtype), compile=compiling, engine=given.engine, numbers={"eval_tokens": 8192}
            )
    if given.llama2c:
        every["llama2.c"] = partial(llama2c, given.llama2c, task, compile=given.peer_compile)
    return every


def main() -> None:
    """Measure and print the table."""
    given = parse()
    print(describe(), "torch", torch.__version__, torch.cuda.get_device_name() if given.device == "cuda" else "")
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for shape in given.shapes.split(","):
            config = SHAPES[shape]
            if given.data and shape == given.shapes.split(",")[0]:
                train, val = given.data / "train.bin", given.data / "val.bin"
            else:
                train = random_tokens(Path(folder) / "train.bin", config["vocab_size"])
                val = random_tokens(Path(folder) / "val.bin", config["vocab_size"], 1 << 13)
            task = Task(
                config, train, val, given.batch_size, given.accumulation, given.iterations, given.dtype, given.device
            )
            results: dict[str, list[Trained]] = {}
            for _ in range(given.rounds):
                for name, run in contenders(given, task).items():
                    results.setdefault(name, []).append(run())
                    print("  ", shape, name, f"{results[name][-1].speed(task.tokens):,.0f}", flush=True)
            lines += rows(shape, task, results)
    print(table(["model", "program", "tokens/s", "ratio to llama2.c", "share of peak", "memory, MiB"], lines))


def rows(shape: str, task: Task, results: dict[str, list[Trained]]) -> list[list[str]]:
    """A table's lines of one shape."""
    flops = LlamaConfig.from_fields(task.config).flops_per_token(training=True)
    half = task.device == "cuda" or "bfloat16" in str(results.keys())
    peak = measure_peak(Device(torch.device(task.device), torch.bfloat16 if half else torch.float32))
    lines = []
    for name, runs in results.items():
        speed = median(run.speed(task.tokens) for run in runs)
        theirs = [run.speed(task.tokens) for run in results.get("llama2.c", [])]
        pairs = [run.speed(task.tokens) / their for run, their in zip(runs, theirs, strict=False)]
        memory = max(run.device_bytes or run.rss_bytes for run in runs) / 2**20
        lines.append(
            [
                shape,
                name,
                f"{speed:,.0f}",
                f"{median(pairs):.2f}" if pairs else "-",
                f"{100 * speed * flops / peak:.1f} % of {peak / 1e12:.2f} TFLOP/s",
                f"{memory:,.0f}",
            ]
        )
    return lines


if __name__ == "__main__":
    main()
