"""Wall time to a validation loss: ``python -m bench.time_to_loss --llama2c FOLDER --data FOLDER --peer learning_rate=0.01 warmup_iters=200``.

llama2.c's ``train.py`` takes ``--peer-iterations`` steps with the seed's settings (32 x 256 tokens x 4) and what ``--peer`` gives; tsws takes
``--steps`` steps of ``--batch-size`` rows with the recipe ``fast``. Both losses are of the whole of ``val.bin``, computed by tsws. A program's time
is the sum of its steps' (no evaluation, no start-up); with ``--peer-sample N`` llama2.c takes only N steps, its time is
N's median times ``--peer-iterations``, and its loss is not measured. With ``--seeds 0,1,2`` each of the two is trained three times.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

import torch

from bench.machine import describe
from bench.tables import table
from bench.trainers import WARM, Task, llama2c, own
from bench.training import SHAPES
from tsws.model.config import LlamaConfig
from tsws.model.llama import Llama
from tsws.train.choosing import choose_gradients
from tsws.train.data import Rows
from tsws.train.device import Device
from tsws.train.evaluate import evaluate


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama2c", type=Path, required=True, metavar="FOLDER", help="with its train.py")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="with train.bin and val.bin")
    parser.add_argument("--shape", default="1M", choices=SHAPES)
    parser.add_argument("--vocab-size", type=int, help="another vocabulary than the shape's")
    parser.add_argument("--seeds", default="0", metavar="NUMBER[,NUMBER...]", help="default %(default)s")
    parser.add_argument("--steps", type=int, default=1100)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--dtype", default="bfloat16", help="of tsws")
    parser.add_argument("--peer-iterations", type=int, default=500)
    parser.add_argument("--peer-sample", type=int, default=0)
    parser.add_argument("--peer", nargs="*", default=[], metavar="KEY=VALUE")
    return parser.parse_args()


def loss_of(checkpoint: Path, config: LlamaConfig, val: Path) -> float:
    """The validation loss of what llama2.c has left, over the whole set."""
    weights = torch.load(checkpoint, map_location="cpu", weights_only=True)["model"]
    model = Llama(config)
    model.load_state_dict({name: weights[name] for name in model.state_dict()})
    gradients = choose_gradients(model, Device(torch.device("cpu"), torch.float32), "auto", print)
    rows = Rows([val], max_seq_len=config.max_seq_len, vocab_size=config.vocab_size)
    return evaluate(model, rows, gradients, tokens=1 << 40, batch_size=32)


def main() -> None:
    """Train both, a seed after the other, and print the table."""
    given = parse()
    print(describe(), "torch", torch.__version__)
    fields = {**SHAPES[given.shape], **({"vocab_size": given.vocab_size} if given.vocab_size else {})}
    train, val = given.data / "train.bin", given.data / "val.bin"
    theirs = Task(fields, train, val, 32, 4, given.peer_sample or given.peer_iterations)
    ours = Task(fields, train, val, given.batch_size, 1, given.steps, given.dtype)
    options = dict(one.split("=", 1) for one in given.peer)
    lines = []
    for seed in map(int, given.seeds.split(",")):
        with tempfile.TemporaryDirectory() as out:
            peer = llama2c(given.llama2c, theirs, compile=False, seed=seed, options=options, keep=Path(out))
            if given.peer_sample:
                seconds, loss = median(peer.milliseconds[WARM:]) * given.peer_iterations / 1e3, float("nan")
            else:
                config = LlamaConfig.from_fields(fields)
                seconds, loss = sum(peer.milliseconds) / 1e3, loss_of(Path(out) / "ckpt.pt", config, val)
        found = own(ours, recipe="fast", numbers={"seed": 1337 + seed})
        own_seconds = sum(found.milliseconds) / 1e3
        lines.append(
            [
                str(seed),
                f"{theirs.tokens * given.peer_iterations / 1e6:.1f}M",
                f"{loss:.4f}",
                f"{seconds:.0f} s",
                f"{ours.tokens * given.steps / 1e6:.1f}M",
                f"{found.val_loss:.4f}",
                f"{own_seconds:.0f} s",
                f"{seconds / own_seconds:.1f}",
            ]
        )
        print(lines[-1], flush=True)
    head = ["seed", "llama2.c: tokens", "loss", "time", "tsws: tokens", "loss", "time", "times shorter"]
    print(table(head, lines))


if __name__ == "__main__":
    main()
