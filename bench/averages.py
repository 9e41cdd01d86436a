"""Whether averages of the weights beat the weights: ``python -m bench.averages --data FOLDER --decay 0.4``.

One run of the recipe ``fast`` with the seed's model; beside it run exponential averages of the weights, one a length, which do
not touch it. ``--decay`` is the part of the steps over which the learning rate falls to nothing: averages are meant to
spare that. All losses are of the whole of ``val.bin``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from bench.machine import describe
from bench.tables import table
from bench.training import SHAPES
from tsws.model.config import LlamaConfig
from tsws.model.llama import Llama
from tsws.train.evaluate import evaluate
from tsws.train.preparing import Prepared, prepare
from tsws.train.rank import Rank
from tsws.train.recipe import resolve
from tsws.train.settings import TrainData, TrainSettings
from tsws.train.step import take_step


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="with train.bin and val.bin")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--decay", type=float, default=0.4)
    parser.add_argument("--lengths", default="5,20,50,100,200", metavar="STEPS[,STEPS...]", help="default %(default)s")
    return parser.parse_args()


def begin(given: argparse.Namespace) -> Prepared:
    """The run before its first step."""
    config = LlamaConfig.from_fields(SHAPES["1M"])
    numbers = {
        "max_iters": given.steps,
        "batch_size": given.batch_size,
        "gradient_accumulation_steps": 1,
        "decay_fraction": given.decay,
        "dtype": "bfloat16",
        "seed": 1337,
        "eval_tokens": 1 << 40,
    }
    h = resolve("fast", numbers, dim=config.dim, max_seq_len=config.max_seq_len)
    settings = TrainSettings(hyperparameters=h, config=config.to_fields())
    data = TrainData((given.data / "train.bin",), (given.data / "val.bin",))
    return prepare(settings, data, lambda: Llama(config), Rank(0, 1, 0, 1), print)


def loss_with(prepared: Prepared, weights: Mapping[str, Tensor]) -> float:
    """The validation loss of other weights than the model has."""
    model, h = prepared.session.model, prepared.numbers
    kept = prepared.session.weights()
    model.load_state_dict(dict(weights))
    loss = evaluate(model, prepared.val_rows, prepared.gradients, tokens=h.eval_tokens, batch_size=h.batch_size)
    model.load_state_dict(kept)
    return loss


def main() -> None:
    """Train once, and print the loss of the weights and of each average."""
    given = parse()
    print(describe(), "torch", torch.__version__)
    prepared = begin(given)
    session = prepared.session
    averages = {length: session.weights() for length in map(int, given.lengths.split(","))}
    for step in range(given.steps):
        take_step(session.model, session.optimizers, prepared.gradients, prepared.batches, prepared.numbers, step)
        now = list(session.model.state_dict().values())
        for length, average in averages.items():
            torch._foreach_lerp_(list(average.values()), now, 1 / min(length, step + 1))
    lines = [["the weights", f"{loss_with(prepared, session.weights()):.4f}"]]
    lines += [
        [f"average over about {length} steps", f"{loss_with(prepared, average):.4f}"]
        for length, average in averages.items()
    ]
    print(table([f"{given.steps} steps, decay over {given.decay:g}", "validation loss"], lines))


if __name__ == "__main__":
    main()
