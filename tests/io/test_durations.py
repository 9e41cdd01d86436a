"""Durations, sizes and prices for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.io.durations import format_duration, parse_duration
from tsws.io.sizes import format_bytes, format_dollars


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h", 3600),
        ("5m", 300),
        ("90s", 90),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("1.5h", 5400),
        ("2d", 172800),
        ("0s", 0),
        (7, 7),
        (0.5, 0.5),
    ],
)
def test_durations_are_read(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", " ", "5", "h", "1x", "-1s", "1m1h", "1h1h", "١h", "1e3s", -1, float("nan"), float("inf")]
)
def test_what_is_no_duration_is_refused(text: str | float) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@given(st.integers(0, 50), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_a_duration_is_the_sum_of_its_parts(days: int, hours: int, minutes: int, seconds: int) -> None:
    assert parse_duration(f"{days}d{hours}h{minutes}m{seconds}s") == ((days * 24 + hours) * 60 + minutes) * 60 + seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.004, "0.004s"),
        (0.2, "0.2s"),
        (1, "1s"),
        (9.999, "10s"),
        (59.6, "1m 00s"),
        (185, "3m 05s"),
        (3599.6, "1h 00m"),
        (5400, "1h 30m"),
        (86399, "1d 0h"),
        (100000, "1d 4h"),
        (-5, "-5s"),
    ],
)
def test_durations_are_written(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.6, "1.0 kB"),
        (1234, "1.2 kB"),
        (9951, "10 kB"),
        (999_499, "999 kB"),
        (999_999, "1.0 MB"),
        (1.9e9, "1.9 GB"),
        (5e15, "5000 TB"),
        (-12, "-12 B"),
    ],
)
def test_sizes_are_written(size: float, text: str) -> None:
    assert format_bytes(size) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "$0.00"), (0.00001, "<$0.0001"), (0.0012, "$0.0012"), (0.59, "$0.59"), (12.3, "$12.30")],
)
def test_prices_are_written(amount: float, text: str) -> None:
    assert format_dollars(amount) == text
