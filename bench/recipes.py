"""A grid of recipes by their validation losses: ``python -m bench.recipes --data FOLDER --shape 1M --batch 16 --steps 1000 KEY=VALUE,VALUE...``.

Every combination of the values given is one model; all of a grid are trained together on the same batches (``bench/ensemble.py``),
which a GPU does in seconds. Keys are the fields of ``Recipe``; ``muon_lr=lr`` gives Muon the rate of AdamW. ``--data`` holds
``train.bin`` and ``val.bin``, shards of uint16 tokens; losses are on the whole of the second. llama2.c's recipe is
``schedule=cosine beta2=0.95 warmup=... lr=...`` with ``--batch 128`` (4 micro-batches of 32).
"""

from __future__ import annotations

import argparse
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any

import torch

from bench.ensemble import Recipe, run
from bench.tables import table
from bench.training import SHAPES
from tsws.model.config import LlamaConfig
from tsws.train.data import Rows

_KINDS = {field.name: field.type for field in fields(Recipe)}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", nargs="+", metavar="KEY=VALUE,VALUE")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--shape", default="1M", choices=SHAPES)
    parser.add_argument("--vocab-size", type=int, help="another vocabulary than the shape's")
    parser.add_argument("--batch", type=int, default=16, help="rows of a step")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--together", type=int, default=16, help="models at once, as many as fit into memory")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def grid(settings: list[str]) -> list[Recipe]:
    """All combinations, named after what they differ in."""
    keys, values = zip(
        *((key, text.split(",")) for key, _, text in (one.partition("=") for one in settings)), strict=True
    )
    recipes = []
    for combination in product(*values):
        chosen = dict(zip(keys, combination, strict=True))
        if chosen.get("muon_lr") == "lr":
            chosen["muon_lr"] = chosen["lr"]
        name = " ".join(f"{key}={value}" for key, value in chosen.items())
        recipes.append(Recipe(name=name, **{key: _value(key, text) for key, text in chosen.items()}))
    return recipes


def main() -> None:
    """Train the grid and print it, the best first."""
    given = parse()
    config = LlamaConfig.from_fields(
        {**SHAPES[given.shape], **({"vocab_size": given.vocab_size} if given.vocab_size else {})}
    )
    shape = {"max_seq_len": config.max_seq_len, "vocab_size": config.vocab_size}
    train, val = (Rows([given.data / f"{name}.bin"], **shape) for name in ("train", "val"))
    recipes = grid(given.settings)
    losses: dict[str, float] = {}
    for first in range(0, len(recipes), given.together):
        part = recipes[first : first + given.together]
        found = run(
            config,
            part,
            train,
            val,
            batch=given.batch,
            steps=given.steps,
            evaluations=[given.steps],
            device=given.device,
        )
        losses |= {name: by_step[given.steps] for name, by_step in found.items()}
    best_first = sorted(losses.items(), key=lambda item: item[1])
    print(table(["settings", "validation loss"], [[name, f"{loss:.4f}"] for name, loss in best_first]))


def _value(key: str, text: str) -> Any:
    kind = str(_KINDS[key])
    return text == "true" if kind == "bool" else int(text) if kind == "int" else text if kind == "str" else float(text)


if __name__ == "__main__":
    main()
