"""Lists of shards, and parts of stories."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.manifest.shards import parse_fraction, parse_shards


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("45", {45}), ("0-3", {0, 1, 2, 3}), ("0,2,5-7", {0, 2, 5, 6, 7}), (" 1 - 2 , 2", {1, 2}), ("007", {7})],
)
def test_shards(text: str, numbers: set[int]) -> None:
    assert parse_shards(text) == numbers


@pytest.mark.parametrize("text", ["", ",", "1,", "-1", "1-", "a", "5%", "1..3", "1234567", "٣"])
def test_what_are_no_shards(text: str) -> None:
    with pytest.raises(ValueError, match='expected shards, such as "0-9" or "0,2,5-7"'):
        parse_shards(text)


def test_shards_run_forwards() -> None:
    with pytest.raises(ValueError, match="the shards 9-0 run backwards"):
        parse_shards("0,9-0")


@given(st.sets(st.integers(0, 999), min_size=1))
def test_any_set_of_shards_can_be_said(numbers: set[int]) -> None:
    assert parse_shards(",".join(map(str, sorted(numbers)))) == numbers


@pytest.mark.parametrize(("text", "fraction"), [("5%", 0.05), ("0.5 %", 0.005), ("99.999%", 0.99999), ("50%", 0.5)])
def test_parts(text: str, fraction: float) -> None:
    assert parse_fraction(text) == pytest.approx(fraction, abs=1e-12)


@pytest.mark.parametrize("text", ["0%", "0.0%", "100%", "5", "-5%", "%", "five%", "1e1%"])
def test_what_is_no_part(text: str) -> None:
    with pytest.raises(ValueError, match="above 0% and below 100%"):
        parse_fraction(text)
