"""Interleaved rounds: every contender once a round, in shuffled order, so that a machine's drift meets all alike."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.neighbours import Watch
from bench.programs import Setting

CHOOSING_ROUNDS = 3


@dataclass
class Row:
    """What was measured of one model and number of streams."""

    model: str
    streams: int
    tokens: int
    chosen: dict[str, str] = field(default_factory=dict)
    """Contender to the label of its best setting."""
    rounds: list[dict[str, float]] = field(default_factory=list)
    """Of each round, contender to tokens a second."""
    disturbed: int = 0
    """Rounds left out because other processes had the processors."""

    def median(self, name: str) -> float | None:
        """A contender's tokens a second, or None where it did not run."""
        speeds = [each[name] for each in self.rounds if name in each]
        return statistics.median(speeds) if speeds else None

    def best(self, *names: str) -> str | None:
        """The quickest by median of those that ran."""
        ran = {name: median for name in names if (median := self.median(name)) is not None}
        return max(ran, key=lambda name: ran[name]) if ran else None

    def ratio(self, ours: str | None, theirs: str | None) -> float | None:
        """The median of the rounds' ratios, or None where either did not run."""
        ratios = [each[ours] / each[theirs] for each in self.rounds if ours in each and theirs in each]
        return statistics.median(ratios) if ratios else None


def choose(row: Row, name: str, settings: Sequence[Setting]) -> None:
    """Let a contender take its best setting, unless it has chosen before.

    All are tried over a quarter of the tokens, then the better half of them, then the better half of those.
    """
    if name in row.chosen:
        return
    tokens = max(row.tokens // 4, 16)
    left = list(settings)
    speeds: dict[str, list[float]] = {setting.label: [] for setting in settings}
    for _ in range(CHOOSING_ROUNDS if len(settings) > 1 else 0):
        for setting in random.sample(left, len(left)):
            speeds[setting.label].append(sample(setting, tokens)[0])
        left.sort(key=lambda setting: statistics.median(speeds[setting.label]), reverse=True)
        left = left[: (len(left) + 1) // 2]
    left[0].check_length(row.tokens)
    row.chosen[name] = left[0].label


def play(row: Row, every: Mapping[str, list[Setting]], rounds: int, until: float) -> None:
    """Add rounds to a row, none that would begin after ``until`` (of :func:`time.monotonic`).

    Rounds in which other processes took the processors away are counted, but their speeds are left out.
    """
    settings = {
        name: next(setting for setting in every[name] if setting.label == label)
        for name, label in row.chosen.items()
        if name in every
    }
    for _ in range(rounds):
        if time.monotonic() > until:
            return
        order = random.sample(list(settings), len(settings))
        samples = {name: sample(settings[name], row.tokens) for name in order}
        if any(disturbed for _, disturbed in samples.values()):
            row.disturbed += 1
        else:
            row.rounds.append({name: speed for name, (speed, _) in samples.items()})


def sample(setting: Setting, tokens: int) -> tuple[float, bool]:
    """Tokens a second, and whether other processes disturbed it; one that they did is taken again, twice at most."""
    for _ in range(3):
        watch = Watch()
        speed = setting.measure(tokens)
        disturbed = watch.disturbed
        if not disturbed:
            break
    return speed, disturbed


class Record:
    """Rows kept in a file, so that a long measurement can be taken in several short calls."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.rows: list[Row] = []
        if path and path.exists():
            self.rows = [Row(**row) for row in json.loads(path.read_text())]

    def row(self, model: str, streams: int, tokens: int) -> Row:
        """The row of a model and number of streams, a new one if there is none."""
        for row in self.rows:
            if (row.model, row.streams, row.tokens) == (model, streams, tokens):
                return row
        self.rows.append(Row(model, streams, tokens))
        return self.rows[-1]

    def save(self) -> None:
        """Write the file, if there is one."""
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps([asdict(row) for row in self.rows], indent=1))
