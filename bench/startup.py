"""How long tsws takes to start, against ``python -c "import click"``: ``python -m bench.startup``.

Every command runs as a whole process, in turn with the yardstick, and the ratio is taken pair by pair: these
machines' speed drifts.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tsws import Workspace, __version__

YARDSTICK = [sys.executable, "-c", "import click"]

MANIFEST = """
[dataset.toy]
source = "builtin:toy-stories"
stories = 300

[tokenizer.words]
train = "toy"
vocab_size = 340

[model.small]
dim = 16
n_layers = 2
n_heads = 2
max_seq_len = 32

[run.small]
model = "small"
dataset = "toy"
tokenizer = "words"
max_iters = 10
batch_size = 4
"""


def seconds(command: list[str], folder: Path) -> float:
    """Wall time of one run of a command."""
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=15, help="rounds")
    rounds = parser.parse_args().n
    tsws = str(Path(sys.executable).with_name("tsws"))
    commands = {
        "tsws --help": [tsws, "--help"],
        "tsws plan": [tsws, "plan"],
        "tsws status": [tsws, "status"],
        "tsws apply (nothing to do)": [tsws, "apply"],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tinystories.toml").write_text(MANIFEST)
        assert Workspace.open(folder).apply().ok
        print(
            f"tsws {__version__}, Python {platform.python_version()}, {platform.machine()}, {rounds} rounds, medians\n"
        )
        print(f"{'command':30} {'seconds':>8} {'import click':>13} {'ratio':>6}")
        for label, command in commands.items():
            seconds(command, folder)
            pairs = [(seconds(command, folder), seconds(YARDSTICK, folder)) for _ in range(rounds)]
            ours = statistics.median(pair[0] for pair in pairs)
            theirs = statistics.median(pair[1] for pair in pairs)
            ratio = statistics.median(pair[0] / pair[1] for pair in pairs)
            print(f"{label:30} {ours:8.3f} {theirs:13.3f} {ratio:6.2f}")


if __name__ == "__main__":
    main()
