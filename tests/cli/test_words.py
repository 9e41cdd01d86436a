"""Values as people read them."""

from __future__ import annotations

import pytest

from tsws.cli.columns import aligned
from tsws.cli.sparkline import LEVELS, sparkline
from tsws.cli.words import big_number, elided, enumeration, figures, value_words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "(none)"),
        (0.002, "0.002"),
        (True, "true"),
        ("cosine", "cosine"),
        ("", '""'),
        ("two words", '"two words"'),
        (["-O3", "-g"], '["-O3", "-g"]'),
        ("ab" * 32, "abababababab"),
    ],
)
def test_value(value: object, words: str) -> None:
    assert value_words(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (812, "812"),
        (999.6, "1.0k"),
        (12_345, "12.3k"),
        (999_960, "1.0M"),
        (123_456_789, "123M"),
        (5e9, "5.0G"),
    ],
)
def test_big_number(value: float, words: str) -> None:
    assert big_number(value) == words


def test_figures_leave_out_what_is_not_known() -> None:
    assert figures(80, 12_000_000, 0.12) == "1m 20s, 12 MB, $0.12"
    assert figures(None, 12_000_000, None) == "12 MB"
    assert figures(None, None, None) == ""


def test_enumeration() -> None:
    assert [enumeration(list("abc")[:count]) for count in range(1, 4)] == ["a", "a and b", "a, b and c"]


def test_story_is_cut_at_a_word() -> None:
    assert elided("One day,\n a cat  sat.", 40) == "One day, a cat sat."
    assert elided("Once upon a time there was a cat", 20) == "Once upon a time …"
    assert elided("x" * 50, 10) == "x" * 8 + " …"


def test_spark_line_falls_with_the_loss() -> None:
    assert sparkline([8, 7, 6, 5, 4, 3, 2, 1]) == LEVELS[::-1]


def test_spark_line_of_many_values_shows_means_of_neighbours() -> None:
    assert sparkline([3.0, 5.0, 1.0, 1.0, 0.0, 0.0], width=3) == "█▃▁"


def test_spark_line_of_little() -> None:
    assert (sparkline([]), sparkline([2.0]), sparkline([2.0, 2.0])) == ("", "▁", "▁▁")


def test_columns_line_up_in_spite_of_colours() -> None:
    rows = [("\x1b[31ma\x1b[0m", "1"), ("bcd", "22")]
    assert aligned(rows, right=(1,)) == ["\x1b[31ma\x1b[0m     1", "bcd  22"]
