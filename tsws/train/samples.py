"""``samples.jsonl``: the stories that a run told while it learned, one JSON object an evaluation: ``{"step", "prompt", "text"}``.

``text`` begins with the prompt. Like the losses in ``metrics.jsonl``, the lines are the same whenever the run is
repeated on the same machine, killed or not.
"""

from __future__ import annotations

from pathlib import Path

from tsws.train.lines import LineFile, keep_lines

SAMPLES_FILE = "samples.jsonl"


class Samples(LineFile):
    """The file, open to append to."""


def rewind_samples(source: Path, path: Path, *, step: int, eval_interval: int) -> None:
    """Write to ``path`` the lines of ``source`` that a run at a checkpoint had written.

    That is all up to ``step``, without the sample that only the end of a run tells.
    """
    keep_lines(source, path, lambda line: line["step"] <= step and not line["step"] % eval_interval)
