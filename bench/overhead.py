"""What seeing and keeping a run costs: evaluations, stories, checkpoints and lines at default settings, against the same steps without.

    python -m bench.overhead ../shared/data

The folder holds ``tinystories-train.txt``, ``tinystories-valid.txt`` and ``tok105/tok105.model``. Both kinds of run take turns, each in
a process of its own, and the overhead is taken pair by pair, as these machines' speed drifts. The last column is steadier: the part of
a run's own time that it spends in them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.machine import describe
from bench.trainers import AS_A_WORKER
from tsws import Workspace, __version__
from tsws.manifest.run_spec import RunSpec
from tsws.model.config import LlamaConfig
from tsws.model.llama import Llama
from tsws.resources.telling import teller
from tsws.train.attempt import Attempt
from tsws.train.loop import train
from tsws.train.recipe import resolve
from tsws.train.settings import TrainData, TrainSettings

MANIFEST = """
[workspace]
default = ["tokens.stories.characters"]

[dataset.stories]
source = "{data}/tinystories-train.txt"
val_source = "{data}/tinystories-valid.txt"

[tokenizer.characters]
source = "{data}/tok105/tok105.model"

[model.it]
dim = 128
n_layers = 5
n_heads = 8
n_kv_heads = 4
max_seq_len = 256

[run.it]
model = "it"
dataset = "stories"
tokenizer = "characters"
"""
PARTS = ("_evaluate", "_checkpoint", "_line")
"""Methods of an attempt at a run: evaluations with their stories, checkpoints, lines."""
NEVER = 1_000_000_000


def train_once(root: Path, dim: int, steps: int, *, bare: bool) -> dict[str, float]:
    """Train in this process: seconds of training, and those of them that went into the parts.

    The last step is evaluated and kept always: of a bare run on one row, without a story.
    """
    spent = dict.fromkeys(PARTS, 0.0)
    for name in PARTS:
        setattr(Attempt, name, _timed(getattr(Attempt, name), name, spent))
    spec = RunSpec(model="it", dataset="stories")
    given: dict[str, Any] = {name: getattr(spec, name) for name in spec.__struct_fields__} | {"max_iters": steps}
    intervals: dict[str, Any] = {"log_interval": spec.log_interval}
    if bare:
        given |= {"eval_interval": NEVER, "eval_tokens": 1}
        intervals = {"log_interval": NEVER, "checkpoint_interval": NEVER}
    config = {"dim": dim, "n_layers": 5, "n_heads": 8, "n_kv_heads": 4, "vocab_size": 105, "max_seq_len": 256}
    validation, *training = sorted((root / "data/stories/characters").glob("data*.bin"))
    prompt = "" if bare else spec.sample_prompt
    with tempfile.TemporaryDirectory() as folder:
        result = train(
            TrainSettings(resolve(spec.recipe, given, dim=dim, max_seq_len=256), config, **intervals),
            TrainData(tuple(training), (validation,)),
            Path(folder),
            architecture_build=lambda: Llama(LlamaConfig.from_fields(config)),
            emit=lambda _event: None,
            stop=lambda: False,
            tell=teller(root / "characters.bin", prompt, seed=1),
        )
    return {"seconds": result.seconds, "parts": sum(spent.values())}


def _timed(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            spent[name] += time.perf_counter() - began

    return call


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with the stories")
    parser.add_argument("--dim", type=int, default=128, help="width of the model; 128: the one of 1M parameters")
    parser.add_argument("--steps", type=int, default=200, help="of each run, 8,192 tokens each")
    parser.add_argument("-n", type=int, default=5, help="pairs of runs")
    parser.add_argument("--one", choices=("default", "bare"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(train_once(given.data, given.dim, given.steps, bare=given.one == "bare")))
        return
    print(f"tsws {__version__}; {describe()}; dim {given.dim}, {given.steps} steps\n")
    print("| pair | default settings | bare | overhead | in the parts |\n| --- | --- | --- | --- | --- |")
    overheads, parts = [], []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "tinystories.toml").write_text(MANIFEST.format(data=given.data.resolve()))
        Workspace.open(root).apply()
        for number in range(1, given.n + 1):
            took = {}
            for kind in random.sample(("default", "bare"), 2):
                arguments = [str(root), f"--dim={given.dim}", f"--steps={given.steps}", f"--one={kind}"]
                command = [sys.executable, "-m", "bench.overhead", *arguments]
                environment = os.environ | AS_A_WORKER
                said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
                took[kind] = json.loads(said)
            overheads.append(took["default"]["seconds"] / took["bare"]["seconds"] - 1)
            parts.append(took["default"]["parts"] / took["default"]["seconds"])
            times = f"{took['default']['seconds']:.1f} s | {took['bare']['seconds']:.1f} s"
            print(f"| {number} | {times} | {overheads[-1]:+.1%} | {parts[-1]:.1%} |", flush=True)
    print(f"\nmedians: overhead {statistics.median(overheads):+.1%}, in the parts {statistics.median(parts):.1%}")


if __name__ == "__main__":
    main()
