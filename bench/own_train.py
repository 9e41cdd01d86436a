"""Trains with tsws's own loop, and says what it needed: ``python -m bench.own_train SETTINGS.json FOLDER``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from tsws.model.config import LlamaConfig
from tsws.model.llama import Llama
from tsws.train.loop import train
from tsws.train.machine import peak_memory
from tsws.train.recipe import resolve
from tsws.train.settings import TrainData, TrainSettings


def main() -> None:
    """Train as SETTINGS.json says; the last line printed is a JSON object."""
    given = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(sys.argv[2])
    config = LlamaConfig.from_fields(given["config"])
    defaults = {"gradient_accumulation_steps": 1, "dtype": "float32", "seed": 1337, "eval_tokens": 1 << 40}
    numbers = defaults | given["numbers"]
    h = resolve(given["recipe"], numbers, dim=config.dim, max_seq_len=config.max_seq_len)
    settings = TrainSettings(hyperparameters=h, config=config.to_fields(), log_interval=1, **given["settings"])
    data = TrainData((Path(given["train"]),), (Path(given["val"]),))
    result = train(
        settings,
        data,
        folder,
        architecture_build=lambda: Llama(config),
        emit=lambda event: print(event.message, file=sys.stderr) if hasattr(event, "message") else None,
        stop=lambda: False,
    )
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    speeds = [line["tokens_per_second"] for line in lines if "tokens_per_second" in line]
    on_gpu = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
    print(
        json.dumps(
            {
                "milliseconds": [1e3 * settings.tokens_per_step / speed for speed in speeds],
                "val_loss": result.val_loss,
                "seconds": result.seconds,
                "device_bytes": on_gpu,
                "rss_bytes": peak_memory("cpu"),
            }
        )
    )


if __name__ == "__main__":
    main()
