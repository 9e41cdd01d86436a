"""Losses between, at and beyond what was measured."""

from __future__ import annotations

import pytest

from tsws.report.curves import Point, best, loss_at, reached, training_curve, validation_curve
from tsws.report.run_view import RunView


def test_curves_are_the_lines_of_their_kind(slow: RunView) -> None:
    assert validation_curve(slow.lines) == [
        Point(10, 100, 1.0, 4.0),
        Point(20, 200, 2.0, 3.0),
        Point(40, 400, 4.0, 2.0),
    ]
    assert [point.loss for point in training_curve(slow.lines)] == [4.0625, 3.0625, 2.0625]


@pytest.mark.parametrize(
    ("axis", "place", "loss"),
    [
        ("step", 10, 4.0),
        ("step", 15, 3.5),
        ("tokens", 300, 2.5),
        ("seconds", 4.0, 2.0),
        ("step", 9, None),
        ("step", 41, None),
    ],
)
def test_loss_between_evaluations_is_on_a_straight_line(slow: RunView, axis, place, loss) -> None:
    assert loss_at(validation_curve(slow.lines), axis, place) == loss


@pytest.mark.parametrize(("loss", "step"), [(5.0, 10), (4.0, 10), (3.5, 15), (2.0, 40), (1.9, None)])
def test_first_place_that_reaches_a_loss(slow: RunView, loss, step) -> None:
    assert reached(validation_curve(slow.lines), "step", loss) == step


def test_first_of_equals_is_the_best() -> None:
    curve = [Point(1, 1, 1, 2.0), Point(2, 2, 2, 1.0), Point(3, 3, 3, 1.0)]
    assert best(curve) == curve[1]
    assert best([]) is None
