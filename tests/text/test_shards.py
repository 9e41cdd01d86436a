"""Shards are opened, checked and chosen without trusting them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.errors import FormatError, InterruptedByUser, TswsError
from tsws.text.shards import check_shard, open_shard, parse_shard_ranges, select_shards, shard_name


def shard(path: Path, tokens: list[int]) -> Path:
    path.write_bytes(np.array(tokens, "<u2").tobytes())
    return path


def test_a_shard_is_mapped_read_only(tmp_path: Path) -> None:
    tokens = open_shard(shard(tmp_path / "data00.bin", [1, 300, 65535]))
    assert tokens.tolist() == [1, 300, 65535]
    assert tokens.dtype == np.uint16
    with pytest.raises(ValueError, match="read-only"):
        tokens[0] = 2


@pytest.mark.parametrize("data", [b"", b"\1\0\2"])
def test_an_empty_or_odd_file_is_no_shard(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "data00.bin"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=rf"data00\.bin is not a shard .*: it has {len(data)} bytes"):
        open_shard(path)


def test_a_good_shard_is_counted(tmp_path: Path) -> None:
    assert check_shard(shard(tmp_path / "data00.bin", [1, 104, 5]), 105) == 3


def test_a_token_beyond_the_vocabulary_is_found_wherever_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsws.text.shards._CHUNK", 2)
    path = shard(tmp_path / "data00.bin", [1, 2, 3, 4, 105])
    with pytest.raises(FormatError, match=r"data00\.bin holds the token 105, but the tokenizer has only 105 pieces"):
        check_shard(path, 105)


def test_a_shard_without_bos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"holds no BOS \(id 1\)"):
        check_shard(shard(tmp_path / "data00.bin", [2, 3, 4]), 105)


def test_checking_can_be_stopped(tmp_path: Path) -> None:
    with pytest.raises(InterruptedByUser):
        check_shard(shard(tmp_path / "data00.bin", [1]), 105, stop=lambda: True)


def test_ranges_name_shards() -> None:
    assert parse_shard_ranges("0-9,12") == [*range(10), 12]
    assert parse_shard_ranges(" 45 ") == [45]
    assert parse_shard_ranges("7, 2 - 3,05") == [2, 3, 5, 7]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("", "`` is neither a number nor a range"),
        ("1,,2", "`` is neither a number nor a range"),
        ("a", "`a` is neither a number nor a range"),
        ("-3", "`-3` is neither a number nor a range"),
        ("1-2-3", "`1-2-3` is neither a number nor a range"),
        ("٣", "`٣` is neither a number nor a range"),
        ("1000000000", "`1000000000` is neither a number nor a range"),
        ("9-0", "`9-0` runs backwards"),
        ("0-5,3", "3 is named twice"),
    ],
)
def test_other_texts_name_none(spec: str, reason: str) -> None:
    with pytest.raises(TswsError) as caught:
        parse_shard_ranges(spec)
    assert caught.value.message == f'"{spec}" does not name shards: {reason}'


@given(st.sets(st.integers(0, 400), min_size=1))
def test_ranges_are_read_back(numbers: set[int]) -> None:
    assert parse_shard_ranges(",".join(map(str, numbers))) == sorted(numbers)


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(spec: str) -> None:
    try:
        numbers = parse_shard_ranges(spec)
    except TswsError:
        return
    assert numbers == sorted(set(numbers))


def test_shards_are_chosen_by_number_however_they_are_padded(tmp_path: Path) -> None:
    for name in ("data0.bin", "data02.bin", "data10.bin", "data100.bin", "data01.bin.tmp", "notes.txt"):
        shard(tmp_path / name, [1])
    assert select_shards(tmp_path, "0-0,2,10,100") == [
        tmp_path / name for name in ("data0.bin", "data02.bin", "data10.bin", "data100.bin")
    ]
    with pytest.raises(FormatError) as caught:
        select_shards(tmp_path, "0-3")
    assert caught.value.message == f"{tmp_path} has no data01.bin, data03.bin"
    assert caught.value.hint == "The folder has shards 0 to 100: choose from these."
    with pytest.raises(FormatError, match=r"has no data01\.bin, .*data09\.bin and 389 more"):
        select_shards(tmp_path, "0-400")


def test_two_files_of_one_number_are_refused(tmp_path: Path) -> None:
    for name in ("data3.bin", "data03.bin"):
        shard(tmp_path / name, [1])
    with pytest.raises(FormatError, match=r"holds both data03\.bin and data3\.bin"):
        select_shards(tmp_path, "3")


def test_names_are_those_of_llama2c() -> None:
    assert [shard_name(number) for number in (0, 7, 49, 123)] == [
        "data00.bin",
        "data07.bin",
        "data49.bin",
        "data123.bin",
    ]
