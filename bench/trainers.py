"""Two programs that train the same model on the same shards: tsws, and llama2.c's ``train.py`` by its path."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

_HERE = Path(__file__).resolve().parent
_ITERATION = re.compile(r"^(\d+) \| loss (\S+) \| lr \S+ \| ([\d.]+)ms", re.MULTILINE)
WARM = 5
"""First steps that do not count: caches, clocks and compilers settle."""
AS_A_WORKER = {"OMP_WAIT_POLICY": "passive"}
"""What tsws sets for the process that trains: torch's threads do not spin while the step in C has the cores."""


@dataclass(frozen=True)
class Task:
    """A model, its data, and the size of a step."""

    config: Mapping[str, Any]
    """A Llama's fields, ``vocab_size`` and ``max_seq_len`` among them."""
    train: Path
    val: Path
    batch_size: int
    accumulation: int
    iterations: int
    dtype: str = "float32"
    device: str = "cpu"

    @property
    def tokens(self) -> int:
        """Of a step."""
        return int(self.batch_size * self.accumulation * self.config["max_seq_len"])


@dataclass(frozen=True)
class Trained:
    """How a program did."""

    milliseconds: list[float]
    """Of each step."""
    device_bytes: int
    rss_bytes: int
    losses: list[float] = field(default_factory=list)
    """Of each step's batch, where it says them."""
    val_loss: float | None = None
    """On the whole validation set."""
    seconds: float | None = None
    """Of all of the training."""

    def speed(self, tokens: int) -> float:
        """Tokens a second: the median step's."""
        return tokens / median(self.milliseconds[WARM:]) * 1e3


def own(task: Task, *, recipe: str = "llama2c", numbers: Mapping[str, Any] = {}, **settings: Any) -> Trained:
    """Train with tsws."""
    given = {
        "config": dict(task.config),
        "recipe": recipe,
        "numbers": {
            "max_iters": task.iterations,
            "batch_size": task.batch_size,
            "gradient_accumulation_steps": task.accumulation,
            "dtype": task.dtype,
            "eval_interval": task.iterations,
            **numbers,
        },
        "settings": {"device": task.device, "checkpoint_interval": 1 << 30, **settings},
        "train": str(task.train.resolve()),
        "val": str(task.val.resolve()),
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "settings.json"
        file.write_text(json.dumps(given))
        said = _run([sys.executable, "-m", "bench.own_train", str(file), f"{folder}/run"], Path.cwd(), AS_A_WORKER)
    return Trained(**json.loads(said.splitlines()[-1]))


def llama2c(
    folder: Path, task: Task, *, compile: bool, seed: int = 0, options: Mapping[str, Any] = {}, keep: Path | None = None
) -> Trained:
    """Train with llama2.c.

    Args:
        folder: with its ``train.py``.
        task: what to train.
        compile: its ``--compile``.
        seed: moves its own.
        options: more of its own, such as ``learning_rate``.
        keep: where its ``out`` goes; None: nowhere.
    """
    with tempfile.TemporaryDirectory() as work:
        for file in folder.resolve().iterdir():
            (Path(work) / file.name).symlink_to(file)
        shards = Path(work) / "data" / f"tok{task.config['vocab_size']}"
        shards.mkdir(parents=True)
        for place, shard in enumerate((task.val, task.train)):  # its first shard is for validation
            (shards / f"data{place:02}.bin").symlink_to(shard.resolve())
        config = {key: task.config[key] for key in ("dim", "n_layers", "n_heads", "max_seq_len", "vocab_size")}
        given = {
            **config,
            "n_kv_heads": task.config.get("n_kv_heads", task.config["n_heads"]),
            "vocab_source": "custom",
            "batch_size": task.batch_size,
            "gradient_accumulation_steps": task.accumulation,
            "max_iters": task.iterations,
            "eval_interval": task.iterations,
            "eval_iters": 1,
            "warmup_iters": min(1000, task.iterations // 10),
            "always_save_checkpoint": keep is not None,
            "out_dir": str(keep or Path(work) / "out"),
            "device": task.device,
            "dtype": task.dtype,
            "compile": compile,
            **options,
        }
        arguments = [f"--{key}={value}" for key, value in given.items()]
        report = Path(work) / "report.json"
        said = _run([sys.executable, str(_HERE / "peer_train.py"), str(report), str(seed), *arguments], Path(work))
        needed = json.loads(report.read_text())
    lines = _ITERATION.findall(said)
    return Trained([float(ms) for *_, ms in lines], losses=[float(loss) for _, loss, _ in lines], **needed)


def _run(command: list[str], cwd: Path, more: Mapping[str, str] = {}) -> str:
    paths = os.pathsep.join([str(_HERE.parent), str(_HERE.parent / "plugins"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, "PYTHONPATH": paths, **more}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} ... failed:\n{done.stdout[-500:]}\n{done.stderr[-2000:]}")
    return done.stdout
