"""Two runs side by side, as lines and as JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from tsws.cli.columns import aligned
from tsws.cli.words import big_number, elided, loss_words, value_words
from tsws.io.durations import format_duration
from tsws.report.comparison import Comparison, Difference, Race
from tsws.report.curves import Axis
from tsws.report.run_view import RunView

NAMES: dict[Axis, str] = {"step": "STEPS", "tokens": "TOKENS", "seconds": "TIME"}
_STORY = 400
"""Characters of a story that are shown."""


def comparison_lines(found: Comparison, runs: Sequence[RunView]) -> list[str]:
    """Sections with a heading each; those without content are left out."""
    sections = {
        "settings that differ": _differences(found, found.settings),
        "other differences": _differences(found, found.facts),
        **{f"validation loss by {NAMES[axis].lower()}": _losses(found, axis) for axis in NAMES},
        "the loss that both reach": _races(found),
        "the last stories": _stories(runs),
    }
    lines: list[str] = []
    for title, rows in sections.items():
        if rows:
            lines += ["", click.style(title, underline=True), *(f"  {row}" for row in rows)]
    return lines[1:] or ["There is no difference."]


def comparison_json(found: Comparison) -> str:
    """The same as one JSON object: ``labels``, ``settings``, ``facts``, ``losses``, ``races``."""
    return json.dumps(asdict(found), ensure_ascii=False)


def _differences(found: Comparison, differences: Sequence[Difference]) -> list[str]:
    rows = [(one.key, _value(one.first), _value(one.second)) for one in differences]
    return aligned(rows, header=("", *found.labels)) if rows else []


def _value(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else value_words(value)


def _losses(found: Comparison, axis: Axis) -> list[str]:
    rows = [
        (_place(axis, row.place), loss_words(row.first), loss_words(row.second), f"{row.second - row.first:+.4f}")
        for row in found.losses[axis]
    ]
    return aligned(rows, header=(NAMES[axis], *found.labels, "DIFFERENCE"), right=(0, 1, 2, 3)) if rows else []


def _races(found: Comparison) -> list[str]:
    rows = [
        (
            NAMES[axis].lower(),
            loss_words(race.loss),
            _place(axis, race.first),
            _place(axis, race.second),
            _ratio(found, race),
        )
        for axis, race in found.races.items()
    ]
    return aligned(rows, header=("", "LOSS", *found.labels, ""), right=(1, 2, 3)) if rows else []


def _ratio(found: Comparison, race: Race) -> str:
    if not race.first or not race.second or race.first == race.second:
        return ""
    sooner = found.labels[race.second < race.first]
    return f"{sooner} {max(race.first, race.second) / min(race.first, race.second):.2f} times sooner"


def _place(axis: Axis, place: float) -> str:
    return format_duration(place) if axis == "seconds" else f"{place:.0f}" if axis == "step" else big_number(place)


def _stories(runs: Sequence[RunView]) -> list[str]:
    return [
        f"{run.label}, step {run.samples[-1]['step']}: {elided(str(run.samples[-1]['text']), _STORY)}"
        for run in runs
        if run.samples
    ]
