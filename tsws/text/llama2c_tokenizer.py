"""llama2.c's tokenizer file, and its way of encoding and decoding, for playing its models with torch."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from tsws.errors import FormatError

BOS_ID = 1
EOS_ID = 2

_UNK_ID = 0
_FIRST_BYTE_ID = 3
"""Id of byte 0: the bytes come after ``<unk>``, BOS and EOS."""
_MAX_PIECE_BYTES = 1 << 16
_BYTE_PIECE = re.compile(rb"<0x([0-9A-Fa-f]{2})>")


@dataclass(frozen=True)
class Llama2cTokenizer:
    """Pieces and scores by id, as they stand in llama2.c's ``tokenizer.bin``."""

    pieces: Sequence[bytes]
    scores: Sequence[float]
    _ids: dict[bytes, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids: dict[bytes, int] = {}
        for index, piece in enumerate(self.pieces):
            ids.setdefault(piece, index)
        object.__setattr__(self, "_ids", ids)

    @classmethod
    def load(cls, path: Path, vocab_size: int) -> Llama2cTokenizer:
        """Read a ``tokenizer.bin``, which does not say itself how many pieces it has.

        Layout, little endian: uint32 length of the longest piece, then for every id float32 score, uint32 length, and
        so many bytes.

        Raises:
            FormatError: the file is cut off, has bytes left over, or sizes that contradict each other.
            OSError: it can not be read.
        """
        data = path.read_bytes()
        try:
            return cls(*_parse(data, vocab_size))
        except ValueError as error:
            raise FormatError(
                f"{path} is not a llama2.c tokenizer of {vocab_size} pieces: {error}",
                hint="Use the tokenizer that the model was trained with.",
            ) from error

    @property
    def vocab_size(self) -> int:
        """Number of pieces."""
        return len(self.pieces)

    def encode(self, text: str, *, bos: bool = True, eos: bool = False) -> list[int]:
        """The ids of a text by llama2.c's rules.

        A space goes in front; characters without a piece become their bytes, each at its value plus 3 (``<unk>``
        where the vocabulary has no such id); then the neighbours whose joint piece has the best score are joined, the
        first of equals, until no two can be.
        """
        ids = [BOS_ID] if bos else []
        ids += self._merged(self._characters(text)) if text else []
        return [*ids, EOS_ID] if eos else ids

    def decode_piece(self, previous: int, token: int) -> bytes:
        """The bytes that ``token`` adds to a text after the token ``previous``.

        The space in front of the first piece after BOS is left out, and ``<0x0A>`` stands for the byte itself.

        Raises:
            IndexError: ``token`` is not in the vocabulary.
        """
        piece = self.pieces[token]
        if previous == BOS_ID and piece.startswith(b" "):
            piece = piece[1:]
        byte = _BYTE_PIECE.fullmatch(piece)
        return bytes([int(byte[1], 16)]) if byte else piece

    def _characters(self, text: str) -> list[int]:
        ids = [self._ids[b" "]] if b" " in self._ids else []
        for character in text:
            encoded = character.encode("utf-8", "replace")
            if (index := self._ids.get(encoded)) is not None:
                ids.append(index)
            else:
                ids += (self._byte_id(byte) for byte in encoded)
        return ids

    def _byte_id(self, byte: int) -> int:
        index = byte + _FIRST_BYTE_ID
        return index if index < self.vocab_size else _UNK_ID

    def _merged(self, ids: list[int]) -> list[int]:
        joined = [self._join(pair) for pair in pairwise(ids)]  # by place of the left one
        while joined:
            place = max(range(len(joined)), key=lambda each: joined[each][0])
            if joined[place][0] == -math.inf:
                break
            ids[place : place + 2] = [joined[place][1]]
            del joined[place]
            if place > 0:
                joined[place - 1] = self._join((ids[place - 1], ids[place]))
            if place < len(joined):
                joined[place] = self._join((ids[place], ids[place + 1]))
        return ids

    def _join(self, pair: tuple[int, int]) -> tuple[float, int]:
        """Score and id of the piece that two make together; the score is minus infinity where there is none."""
        index = self._ids.get(self.pieces[pair[0]] + self.pieces[pair[1]])
        return (-math.inf, -1) if index is None else (self.scores[index], index)


def _parse(data: bytes, vocab_size: int) -> tuple[list[bytes], list[float]]:
    if len(data) < 4:
        raise ValueError("it is empty")
    (longest,) = struct.unpack_from("<I", data)
    pieces: list[bytes] = []
    scores: list[float] = []
    position = 4
    for index in range(vocab_size):
        if len(data) - position < 8:
            raise ValueError(f"it ends before piece {index}")
        score, length = struct.unpack_from("<fI", data, position)
        position += 8
        if length > min(longest, _MAX_PIECE_BYTES) or length > len(data) - position:
            raise ValueError(f"piece {index} claims {length} bytes")
        if not math.isfinite(score):
            raise ValueError(f"the score of piece {index} is no number")
        pieces.append(data[position : position + length])
        scores.append(score)
        position += length
    if position != len(data):
        raise ValueError(f"{len(data) - position} bytes are left over")
    return pieces, scores
