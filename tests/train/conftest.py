"""A tiny run: a Llama of a few thousand parameters on tokens of a noisy pattern."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CONFIG = {"arch": "llama", "dim": 16, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "hidden_dim": 32}
CONFIG |= {"vocab_size": 24, "max_seq_len": 16}
GIVEN = {"max_iters": 24, "batch_size": 4, "gradient_accumulation_steps": 1, "dtype": "float32", "seed": 5}
GIVEN |= {"eval_interval": 5, "eval_tokens": 64, "learning_rate": 0.01}


def write_shard(path: Path, count: int, seed: int) -> Path:
    """A shard of ``count`` tokens below 24, most of which follow from the one before."""
    random = np.random.default_rng(seed)
    tokens = np.cumsum(random.choice([1, 2, 5], size=count, p=[0.8, 0.1, 0.1])) % 24
    tokens.astype("<u2").tofile(path)
    return path


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Two training shards (49 rows, so that an epoch ends within a batch) and one for validation."""
    folder = tmp_path_factory.mktemp("shards")
    return {
        "train": [str(write_shard(folder / "00.bin", 500, 1)), str(write_shard(folder / "01.bin", 300, 2))],
        "val": [str(write_shard(folder / "val.bin", 200, 3))],
    }


class Trainer:
    """A process that has torch loaded and forks a child for each run: the children can be killed, and start at once."""

    def __init__(self, process: subprocess.Popen[str], shards: dict[str, list[str]]) -> None:
        self._process = process
        self._shards = shards

    def run(self, folder: Path, **order: Any) -> dict[str, Any]:
        """Train in ``folder``; what the order may hold and what comes back is said in ``trainer.py``."""
        given = {**GIVEN, **order.pop("given", {})}
        config = {**CONFIG, **order.pop("config", {})}
        line = {"folder": str(folder), "given": given, "config": config, **self._shards, **order}
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@pytest.fixture(scope="session")
def trainer(shards: dict[str, list[str]]) -> Iterator[Trainer]:
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "trainer.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Trainer(process, shards)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="session")
def results() -> Callable[[Path], dict[str, Any]]:
    """What must be the same about two runs: bytes of the weights and samples, and the metric lines without their times."""

    def read(folder: Path) -> dict[str, Any]:
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        for line in lines:
            for timing in ("seconds", "tokens_per_second", "mfu"):
                line.pop(timing, None)
        files = [
            folder / "last.safetensors",
            folder / "best.safetensors",
            folder / "samples.jsonl",
            *folder.glob("*.pt"),
        ]
        return {"lines": lines, **{path.name: path.read_bytes() for path in files}}

    return read
