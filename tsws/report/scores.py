"""How well a model predicts a text, in units that can be compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Scores:
    """What a text took a model to predict."""

    nats: float
    """All tokens together: minus the natural logarithm of the probability that the model gave to the text."""
    tokens: int
    bytes: int
    """Of the text that the tokens stand for."""

    @property
    def loss(self) -> float:
        """Nats a token: the cross-entropy that training lowers."""
        return self.nats / self.tokens

    @property
    def perplexity(self) -> float:
        """``exp(loss)``: among how many equally likely tokens the model would be as unsure."""
        return math.exp(self.loss)

    @property
    def bits_per_byte(self) -> float | None:
        """Bits a byte of text: the same measure for every vocabulary. None of a text without bytes."""
        return self.nats / math.log(2) / self.bytes if self.bytes else None


def piece_bytes(pieces: Sequence[bytes], *, unknown: int, control: Iterable[int]) -> npt.NDArray[np.int64]:
    """How many bytes of text each token stands for, (vocab_size,).

    ``<unk>`` counts as one byte: in the vocabularies that have need of it, it is nearly always a line end. A piece for
    a lone byte (``<0x0A>``) is that byte.

    Args:
        pieces: bytes by id.
        unknown: id of ``<unk>``.
        control: ids that stand for no text.
    """
    lengths = np.array([1 if _is_byte(piece) else len(piece) for piece in pieces], dtype=np.int64)
    lengths[unknown] = 1
    lengths[list(control)] = 0
    return lengths


def count_bytes(
    tokens: npt.NDArray[np.integer], lengths: npt.NDArray[np.int64], *, bos: int, spaced: npt.NDArray[np.bool_]
) -> int:
    """The bytes of the text that some tokens after the first stand for.

    The space that a tokenizer puts in front of a story is not of the text.

    Args:
        tokens: ids, (count,).
        lengths: see :func:`piece_bytes`.
        bos: id of the token that begins a story.
        spaced: which pieces begin with a space, (vocab_size,).
    """
    added = spaced[tokens[1:]] & (tokens[:-1] == bos)
    return int(lengths[tokens[1:]].sum() - added.sum())


def _is_byte(piece: bytes) -> bool:
    return len(piece) == len(b"<0x00>") and piece.startswith(b"<0x") and piece.endswith(b">")
