"""Whether tsws trains as llama2.c does: ``python -m bench.agreement --llama2c FOLDER --data FOLDER``.

The same initial weights and the same batches go through llama2.c's model, optimizer and arithmetic in float32, and through tsws with the
recipe ``llama2c``, step by step; printed are the largest differences of the losses.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

import torch

from bench.machine import describe
from bench.tables import table
from bench.training import SHAPES
from tsws.model.config import LlamaConfig
from tsws.model.llama import Llama
from tsws.train.choosing import choose_gradients
from tsws.train.data import Batches, Rows
from tsws.train.device import Device
from tsws.train.optimizer import build_optimizers
from tsws.train.recipe import Hyperparameters, resolve
from tsws.train.schedule import learning_rate
from tsws.train.step import take_step


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama2c", type=Path, required=True, metavar="FOLDER", help="with its model.py")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="with train.bin")
    parser.add_argument("--shape", default="1M", choices=SHAPES)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--accumulation", type=int, default=2)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--warmup", type=int, default=20)
    return parser.parse_args()


def own(model: Llama, batches: Batches, h: Hyperparameters, engine: str, dtype: torch.dtype, steps: int) -> list[float]:
    """Losses of the steps with tsws."""
    gradients = choose_gradients(model, Device(torch.device("cpu"), dtype), engine, print)
    optimizers = build_optimizers(model, h)
    return [take_step(model, optimizers, gradients, batches, h, step).loss.item() for step in range(steps)]


def theirs(model: torch.nn.Module, batches: Batches, h: Hyperparameters, steps: int) -> list[float]:
    """Losses of the steps with llama2.c's model and optimizer, stepped as its ``train.py`` does."""
    optimizer = model.configure_optimizers(h.weight_decay, h.learning_rate, (h.beta1, h.beta2), "cpu")  # type: ignore[operator]
    losses = []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(h, step)
        total = 0.0
        for micro in range(h.gradient_accumulation_steps):
            model(*batches.batch(step, micro))
            loss = model.last_loss / h.gradient_accumulation_steps
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), h.grad_clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(total)
    return losses


def main() -> None:
    """Train both and print the table."""
    given = parse()
    print(describe(), "torch", torch.__version__)
    sys.path.insert(0, str(given.llama2c.resolve()))
    peer = importlib.import_module("model")
    config = LlamaConfig.from_fields(SHAPES[given.shape])
    rows = Rows([given.data / "train.bin"], max_seq_len=config.max_seq_len, vocab_size=config.vocab_size)
    numbers = {"batch_size": given.batch_size, "gradient_accumulation_steps": given.accumulation, "dtype": "float32"}
    numbers |= {"seed": 1337, "eval_tokens": 1, "warmup_iters": given.warmup, "lr_decay_iters": 100_000}
    h = resolve("llama2c", {"max_iters": 100_000, **numbers}, dim=config.dim, max_seq_len=config.max_seq_len)
    batches = Batches(rows, seed=h.seed, batch_size=h.batch_size, micro_steps=h.gradient_accumulation_steps)
    torch.manual_seed(1337)
    sizes = ("dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "max_seq_len")
    reference = peer.Transformer(peer.ModelArgs(**{name: getattr(config, name) for name in sizes}, multiple_of=32))
    begin = {name: tensor.clone() for name, tensor in reference.state_dict().items()}
    expected = theirs(reference, batches, h, given.steps)
    lines = []
    for engine, dtype in (("torch", torch.float32), ("native", torch.float32), ("native", torch.bfloat16)):
        model = Llama(config)
        model.load_state_dict({name: begin[name] for name in model.state_dict()})
        found = own(model, batches, h, engine, dtype, given.steps)
        apart = [abs(a - b) for a, b in zip(found, expected, strict=True)]
        name = f"{engine}, {str(dtype).removeprefix('torch.')}"
        lines.append([name, f"{expected[0]:.4f}", f"{expected[-1]:.4f}", f"{found[-1]:.4f}", f"{max(apart):.1e}"])
    print(
        table(["engine", "first loss", "llama2.c's last", "tsws's last", f"largest difference of {given.steps}"], lines)
    )


if __name__ == "__main__":
    main()
