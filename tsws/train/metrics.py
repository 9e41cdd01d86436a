"""``metrics.jsonl``: the numbers of a run, one JSON object a line, in the order of the steps.

Training lines, every ``log_interval`` steps, at the first and at the last:
``{"step", "train_loss", "lr", "grad_norm", "tokens", "tokens_per_second", "seconds"}``: loss of that step's batch before its
update (nats a token), learning rate, norm of the gradient before clipping, tokens learned from so far, speed since the
line before, seconds of training (all attempts together).

Evaluation lines: ``{"step", "val_loss", "tokens", "seconds"}``: loss of the weights after that step on the validation set.

All but the last two of the first kind and ``seconds`` are the same whenever the run is repeated, killed or not.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tsws.io.atomic import sync_file, write_bytes

METRICS_FILE = "metrics.jsonl"


class Metrics:
    """The file, open to append to. A line is in the system's hands when :meth:`write` returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - closed by __exit__

    def write(self, step: int, values: dict[str, float]) -> None:
        """Add a line."""
        self._file.write(json.dumps({"step": step, **values}).encode() + b"\n")

    def sync(self) -> None:
        """Make all lines so far durable."""
        sync_file(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file up to the first torn one; a file that is not there has none.

    Only a loss of power tears anything but the last line, and nothing of what it may tear is older than the newest checkpoint.

    Raises:
        OSError: the file can not be read.
    """
    if not path.exists():
        return []
    lines = []
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            values = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            values = None
        if not isinstance(values, dict):
            break
        lines.append(values)
    return lines


def rewind_metrics(source: Path, path: Path, *, step: int, eval_interval: int) -> None:
    """Write to ``path`` the lines of ``source`` that a run at a checkpoint had written.

    That is all up to ``step``, without the evaluation that only the end of a run makes.
    """
    kept = [
        line
        for line in read_metrics(source)
        if line["step"] <= step and not ("val_loss" in line and line["step"] % eval_interval)
    ]
    write_bytes(path, b"".join(json.dumps(line).encode() + b"\n" for line in kept))
