"""What seeing and keeping a run costs: evaluations, samples, checkpoints and lines at default settings, against the same steps
without them.

    python -m bench.overhead ../shared/data

The folder holds ``tinystories-train.txt``, ``tinystories-valid.txt`` and ``tok105/tok105.model``. Both kinds of run take turns, each in
a worker of its own; the share is taken pair by pair, as these machines' speed drifts. Time is that of training, as a run's record has it.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from pathlib import Path

from bench.machine import describe
from tsws import Workspace, __version__

MANIFEST = """
[dataset.stories]
source = "{data}/tinystories-train.txt"
val_source = "{data}/tinystories-valid.txt"

[tokenizer.characters]
source = "{data}/tok105/tok105.model"

[model.it]
dim = {dim}
n_layers = 5
n_heads = 8
n_kv_heads = 4
max_seq_len = 256

[run.it]
model = "it"
dataset = "stories"
tokenizer = "characters"
max_iters = {steps}
"""
NEVER = 1_000_000_000
BARE = (
    f"eval_interval={NEVER}",
    "eval_tokens=256",
    f"checkpoint_interval={NEVER}",
    f"log_interval={NEVER}",
    "sample_prompt=''",
)
"""The last step is evaluated and kept always: on one row, without a story."""


def seconds(root: Path, seed: int, settings: tuple[str, ...]) -> float:
    """Of one run's training."""
    overrides = [f"run.it.{setting}" for setting in (f"seed={seed}", *settings)]
    workspace = Workspace.open(root, overrides=overrides)
    report = workspace.apply(["run.it"])
    if not report.ok:
        raise SystemExit("\n".join(str(result.error) for result in report.failed))
    record = workspace.context.store.record("run.it")
    assert record is not None
    return float(record.notes["seconds"])


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with the stories")
    parser.add_argument("--dim", type=int, default=128, help="width of the model; 128: the one of 1M parameters")
    parser.add_argument("--steps", type=int, default=200, help="of each run, 8,192 tokens each")
    parser.add_argument("-n", type=int, default=5, help="pairs of runs")
    given = parser.parse_args()
    print(f"tsws {__version__}; {describe()}\n")
    print("| pair | default settings | bare | overhead |\n| --- | --- | --- | --- |")
    shares = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        text = MANIFEST.format(data=given.data.resolve(), dim=given.dim, steps=given.steps)
        (root / "tinystories.toml").write_text(text)
        Workspace.open(root, overrides=["run.it.max_iters=2"]).apply()  # all that runs share is made
        for number in range(1, given.n + 1):
            kinds: list[tuple[str, ...]] = [(), BARE]
            random.shuffle(kinds)
            took = {kind: seconds(root, number, kind) for kind in kinds}
            shares.append(took[()] / took[BARE] - 1)
            print(f"| {number} | {took[()]:.1f} s | {took[BARE]:.1f} s | {shares[-1]:+.1%} |", flush=True)
    print(f"\nmedian overhead {statistics.median(shares):+.1%}")


if __name__ == "__main__":
    main()
