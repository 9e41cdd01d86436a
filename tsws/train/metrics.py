"""``metrics.jsonl``: the numbers of a run, one JSON object a line, in the order of the steps.

Training lines, every ``log_interval`` steps, at the first and at the last:
``{"step", "train_loss", "lr", "grad_norm", "tokens", "tokens_per_second", "mfu", "seconds"}``: loss of that step's batch before
its update (nats a token), learning rate, norm of the gradient before clipping, tokens learned from so far, speed since the
line before and its share of the machine's peak (``utilisation.py``), seconds of training (all attempts together).

Evaluation lines: ``{"step", "val_loss", "tokens", "seconds"}``: loss of the weights after that step on the validation set.

All but the last three of the first kind and ``seconds`` are the same whenever the run is repeated, killed or not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tsws.train.lines import LineFile, keep_lines, read_lines

METRICS_FILE = "metrics.jsonl"


class Metrics(LineFile):
    """The file, open to append to."""


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file up to the first torn one; a file that is not there has none.

    Raises:
        OSError: the file can not be read.
    """
    return read_lines(path)


def rewind_metrics(source: Path, path: Path, *, step: int, eval_interval: int) -> None:
    """Write to ``path`` the lines of ``source`` that a run at a checkpoint had written.

    That is all up to ``step``, without the evaluation that only the end of a run makes.
    """
    keep_lines(
        source,
        path,
        lambda line: line["step"] <= step and not ("val_loss" in line and line["step"] % eval_interval),
    )
