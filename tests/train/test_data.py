"""Rows of token shards and the order they come in."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from tsws.errors import FormatError
from tsws.train.data import Batches, Rows, permutation


def shard(path: Path, tokens: list[int]) -> Path:
    np.array(tokens, dtype="<u2").tofile(path)
    return path


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    """Tokens 0 to 10 and 20 to 27 in rows of 3, with an empty shard and one too short for a row between."""
    return Rows(
        [
            shard(tmp_path / "a.bin", list(range(11))),
            shard(tmp_path / "b.bin", []),
            shard(tmp_path / "c.bin", [7, 7, 7]),
            shard(tmp_path / "d.bin", list(range(20, 28))),
        ],
        max_seq_len=3,
        vocab_size=28,
    )


def test_rows_count_through_the_shards_and_targets_are_one_further(rows: Rows) -> None:
    inputs, targets = rows.take(range(len(rows)))
    assert inputs.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [20, 21, 22], [23, 24, 25]]
    assert torch.equal(targets, inputs + 1)
    assert inputs.dtype == targets.dtype == torch.int64


def test_every_epoch_has_every_row_once_and_an_order_of_its_own(rows: Rows) -> None:
    batches = Batches(rows, seed=9, batch_size=2, micro_steps=1)
    numbers = [number for step in range(50) for number in batches.row_numbers(step)]
    epochs = [tuple(numbers[start : start + 5]) for start in range(0, 100, 5)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len(set(epochs)) > 10


def test_a_batch_is_the_same_whenever_it_is_asked_for(rows: Rows) -> None:
    batches = Batches(rows, seed=9, batch_size=3, micro_steps=2)
    forwards = {(step, micro): batches.row_numbers(step, micro) for step in range(9) for micro in range(2)}
    again = Batches(rows, seed=9, batch_size=3, micro_steps=2)
    backwards = {place: again.row_numbers(*place) for place in reversed(forwards)}
    assert backwards == forwards
    assert Batches(rows, seed=8, batch_size=3, micro_steps=2).row_numbers(0) != forwards[0, 0]


def test_accumulation_reads_the_rows_of_one_large_batch(rows: Rows) -> None:
    whole = Batches(rows, seed=9, batch_size=4, micro_steps=1)
    parts = Batches(rows, seed=9, batch_size=2, micro_steps=2)
    for step in range(6):
        assert parts.row_numbers(step, 0) + parts.row_numbers(step, 1) == whole.row_numbers(step)


def test_the_order_is_the_same_for_all_versions() -> None:
    assert permutation(1337, 0, 10).tolist() == [2, 4, 5, 6, 9, 7, 3, 8, 0, 1]
    assert all(
        a != b for a, b in pairwise(permutation(seed, epoch, 50).tolist() for seed in (1, 2) for epoch in (0, 1))
    )


def test_too_few_tokens_are_an_error(tmp_path: Path) -> None:
    paths = [shard(tmp_path / "a.bin", [1, 2, 3]), shard(tmp_path / "b.bin", [])]
    with pytest.raises(FormatError) as caught:
        Rows(paths, max_seq_len=3, vocab_size=9)
    assert caught.value.message == "too few tokens: a.bin, b.bin together hold 3, one row needs 4"


def test_a_token_outside_the_vocabulary_is_an_error(tmp_path: Path) -> None:
    path = shard(tmp_path / "a.bin", [1, 2, 3, 4, 5, 9, 6])
    rows = Rows([path], max_seq_len=3, vocab_size=9)
    assert rows.take([0])[1].tolist() == [[2, 3, 4]]
    with pytest.raises(FormatError) as caught:
        rows.take([1])
    assert caught.value.message == f"{path}: token 9 near place 3, but the vocabulary has 9"


def test_half_a_token_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"12345")
    with pytest.raises(FormatError) as caught:
        Rows([path], max_seq_len=1, vocab_size=9)
    assert caught.value.message == f"{path}: 5 bytes are not a whole number of uint16 tokens"
