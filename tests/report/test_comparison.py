"""Two runs side by side."""

from __future__ import annotations

from dataclasses import replace

from tsws.report.comparison import Difference, Race, Row, compare
from tsws.report.run_view import RunView


def test_losses_stand_at_equal_steps_tokens_and_times(slow: RunView, quick: RunView) -> None:
    found = compare(slow, quick)
    assert found.losses["step"] == (Row(10, 4.0, 3.5), Row(20, 3.0, 2.5), Row(40, 2.0, 1.5))
    assert found.losses["tokens"] == (Row(100, 4.0, 3.5), Row(200, 3.0, 2.5), Row(400, 2.0, 1.5))
    assert found.losses["seconds"] == (Row(1.0, 4.0, 2.5), Row(2.0, 3.0, 1.5))
    assert found.losses["step"][0].gain == 0.5


def test_the_race_is_to_the_loss_that_both_reach(slow: RunView, quick: RunView) -> None:
    races = compare(slow, quick).races
    assert races["step"].loss == 2.0
    assert races["step"].first == 40
    assert 26 < races["step"].second < 27
    assert races["seconds"] == Race(2.0, 4.0, races["step"].second / 20)


def test_settings_that_differ_are_named(slow: RunView, quick: RunView) -> None:
    found = compare(slow, quick)
    assert found.settings == (Difference("train.lr", 0.001, 0.003), Difference("extra", None, True))
    assert found.facts == (Difference("host", "here", "there"),)


def test_a_run_without_evaluations_has_no_losses_to_compare(slow: RunView) -> None:
    found = compare(slow, replace(slow, lines=[]))
    assert found.races == {}
    assert set(found.losses.values()) == {()}
