"""Losses as curves: against steps, tokens and time, at a point of any of them, and where they first reach a loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypeAlias

Axis = Literal["step", "tokens", "seconds"]
"""What a loss is drawn against: a key of the lines of ``metrics.jsonl``."""
AXES: tuple[Axis, ...] = ("step", "tokens", "seconds")


@dataclass(frozen=True)
class Point:
    """A loss, and how far the run was."""

    step: int
    tokens: int
    """Learned from so far."""
    seconds: float
    """Of training so far."""
    loss: float
    """In nats a token."""

    def at(self, axis: Axis) -> float:
        """Its place on an axis."""
        return float(getattr(self, axis))


Curve: TypeAlias = Sequence[Point]
"""Points in the order of their steps."""


def training_curve(lines: Iterable[Mapping[str, Any]]) -> list[Point]:
    """The training loss of each line of ``metrics.jsonl`` that has one."""
    return _points(lines, "train_loss")


def validation_curve(lines: Iterable[Mapping[str, Any]]) -> list[Point]:
    """The validation loss of each line of ``metrics.jsonl`` that has one."""
    return _points(lines, "val_loss")


def best(curve: Curve) -> Point | None:
    """The point of the smallest loss, the first of equals; None of an empty curve."""
    return min(curve, key=lambda point: point.loss, default=None)


def loss_at(curve: Curve, axis: Axis, place: float) -> float | None:
    """The loss at some place, on the straight line between the points around it; None where the curve does not reach.

    Args:
        curve: the points.
        axis: which axis ``place`` is on.
        place: steps, tokens or seconds.
    """
    for point in curve:
        if point.at(axis) == place:
            return point.loss
    for before, after in pairwise(curve):
        if before.at(axis) < place < after.at(axis):
            share = (place - before.at(axis)) / (after.at(axis) - before.at(axis))
            return before.loss + share * (after.loss - before.loss)
    return None


def reached(curve: Curve, axis: Axis, loss: float) -> float | None:
    """The first place where the loss is that low, on the straight line between points; None if it never is."""
    for number, point in enumerate(curve):
        if point.loss <= loss:
            if number == 0:
                return point.at(axis)
            before = curve[number - 1]
            share = (before.loss - loss) / (before.loss - point.loss)
            return before.at(axis) + share * (point.at(axis) - before.at(axis))
    return None


def _points(lines: Iterable[Mapping[str, Any]], key: str) -> list[Point]:
    return [
        Point(int(line["step"]), int(line["tokens"]), float(line["seconds"]), float(line[key]))
        for line in lines
        if key in line
    ]
