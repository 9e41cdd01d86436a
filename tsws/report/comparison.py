"""Two runs side by side: what was wanted differently, and the losses at equal steps, tokens and times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tsws.report.curves import AXES, Axis, Curve, best, loss_at, reached, validation_curve
from tsws.report.run_view import RunView

ROWS = 8
"""Places of an axis at which losses are compared."""


@dataclass(frozen=True)
class Difference:
    """A setting that is not the same; None where a run has no such setting."""

    key: str
    first: Any
    second: Any


@dataclass(frozen=True)
class Row:
    """Validation losses of both at one place of an axis, in nats a token; between evaluations on a straight line."""

    place: float
    first: float
    second: float

    @property
    def gain(self) -> float:
        """By how much the second is lower."""
        return self.first - self.second


@dataclass(frozen=True)
class Race:
    """Where each first had the higher of the two best validation losses, which both reach."""

    loss: float
    first: float
    second: float


@dataclass(frozen=True)
class Comparison:
    """What is to be said of two runs."""

    labels: tuple[str, str]
    settings: tuple[Difference, ...]
    facts: tuple[Difference, ...]
    losses: dict[Axis, tuple[Row, ...]]
    races: dict[Axis, Race]
    """Empty where one of them was never evaluated."""


def compare(first: RunView, second: RunView) -> Comparison:
    """Compare two runs."""
    curves = validation_curve(first.lines), validation_curve(second.lines)
    races = {axis: race for axis in AXES if (race := _race(*curves, axis)) is not None}
    return Comparison(
        labels=(first.label, second.label),
        settings=differences(dict(first.settings), dict(second.settings)),
        facts=differences(dict(first.facts), dict(second.facts)),
        losses={axis: _rows(*curves, axis) for axis in AXES},
        races=races,
    )


def differences(first: dict[str, Any], second: dict[str, Any]) -> tuple[Difference, ...]:
    """The keys whose values differ, those of the first run first."""
    keys = dict.fromkeys([*first, *second])
    return tuple(Difference(key, first.get(key), second.get(key)) for key in keys if first.get(key) != second.get(key))


def _rows(first: Curve, second: Curve, axis: Axis) -> tuple[Row, ...]:
    """Rows at the evaluations of the run that has fewer of them where both are known, thinned to :data:`ROWS`."""
    coarse = first if len(first) <= len(second) else second
    found = []
    for place in dict.fromkeys(point.at(axis) for point in coarse):
        losses = loss_at(first, axis, place), loss_at(second, axis, place)
        if losses[0] is not None and losses[1] is not None:
            found.append(Row(place, losses[0], losses[1]))
    if len(found) <= ROWS:
        return tuple(found)
    return tuple(found[round(number * (len(found) - 1) / (ROWS - 1))] for number in range(ROWS))


def _race(first: Curve, second: Curve, axis: Axis) -> Race | None:
    lows = best(first), best(second)
    if lows[0] is None or lows[1] is None:
        return None
    loss = max(lows[0].loss, lows[1].loss)
    places = reached(first, axis, loss), reached(second, axis, loss)
    return None if places[0] is None or places[1] is None else Race(loss, places[0], places[1])
