"""Losses in units that can be compared."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tsws.report.scores import Scores, count_bytes, piece_bytes

PIECES = [b"<unk>", b"\n<s>\n", b"\n</s>\n", b"<0x0A>", b" once", b"\xc3\xa9", b"a", b" "]


def test_a_uniform_guess_over_bytes_takes_eight_bits() -> None:
    scores = Scores(nats=100 * math.log(256), tokens=100, bytes=100)
    assert scores.loss == pytest.approx(math.log(256))
    assert scores.perplexity == pytest.approx(256)
    assert scores.bits_per_byte == pytest.approx(8)
    assert Scores(1.0, 1, 0).bits_per_byte is None


def test_bytes_are_those_of_the_text() -> None:
    lengths = piece_bytes(PIECES, unknown=0, control=(1, 2))
    assert lengths.tolist() == [1, 0, 0, 1, 5, 2, 1, 1]
    spaced = np.array([piece.startswith(b" ") for piece in PIECES])
    # BOS, "once" (its space is the tokenizer's), " once", a line end, é; the next story: a
    tokens = np.array([1, 4, 4, 3, 5, 1, 6], dtype=np.uint16)
    assert count_bytes(tokens, lengths, bos=1, spaced=spaced) == len("once once\néa".encode())


def test_the_first_token_is_given_and_not_predicted() -> None:
    lengths = piece_bytes(PIECES, unknown=0, control=(1, 2))
    spaced = np.array([piece.startswith(b" ") for piece in PIECES])
    assert count_bytes(np.array([4, 6]), lengths, bos=1, spaced=spaced) == 1
