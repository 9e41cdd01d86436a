"""What is written in a sentencepiece ``.model``, read without sentencepiece.

A ``.model`` is one protocol buffer message, ``ModelProto`` of ``sentencepiece_model.proto``. Only the few fields that
tsws needs are read, every length is checked, and nothing heavy is imported: exporting a tokenizer costs milliseconds, and a
hostile file meets this reader before it meets any C++. The wire format is described at
https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from tsws.errors import FormatError

MAX_MODEL_BYTES = 64 << 20
"""More than any model with 65,536 pieces needs."""
MAX_PIECES = 1 << 16
"""Token ids have to fit into uint16."""

SPACE = "\u2581"
"""How sentencepiece writes a space inside a piece."""


class PieceType(IntEnum):
    """``ModelProto.SentencePiece.Type``."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


class ModelType(IntEnum):
    """``TrainerSpec.ModelType``."""

    UNIGRAM = 1
    BPE = 2
    WORD = 3
    CHAR = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """One entry of the vocabulary; its place is its id."""

    text: str
    score: float
    type: PieceType = PieceType.NORMAL


@dataclass(frozen=True)
class SentencePieceModel:
    """The vocabulary of a ``.model`` and how it treats text. Defaults are those of the format."""

    pieces: tuple[Piece, ...]
    model_type: ModelType = ModelType.UNIGRAM
    bos_piece: str = "<s>"
    eos_piece: str = "</s>"
    treat_whitespace_as_suffix: bool = False
    identity_normalization: bool = True
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    escape_whitespaces: bool = True
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", {piece.text: index for index, piece in enumerate(self.pieces)})

    @property
    def unk_id(self) -> int:
        """Id of the one piece that stands for everything unknown."""
        return next(index for index, piece in enumerate(self.pieces) if piece.type is PieceType.UNKNOWN)

    @property
    def bos_id(self) -> int | None:
        """Id of the piece that begins a text; None when the model has none."""
        return self._control(self.bos_piece)

    @property
    def eos_id(self) -> int | None:
        """Id of the piece that ends a text; None when the model has none."""
        return self._control(self.eos_piece)

    def _control(self, text: str) -> int | None:
        index = self._ids.get(text)
        return index if index is not None and self.pieces[index].type is PieceType.CONTROL else None


def read_model(path: Path) -> SentencePieceModel:
    """Read a ``.model``.

    Raises:
        FormatError: the file is not such a model, is damaged, or has more pieces than uint16 can count.
        OSError: the file can not be read.
    """
    size = path.stat().st_size
    if size > MAX_MODEL_BYTES:
        raise _broken(path, f"{size} bytes are more than any tokenizer needs")
    data = path.read_bytes()
    try:
        return parse_model(data)
    except ValueError as error:
        raise _broken(path, str(error)) from error


def parse_model(data: bytes) -> SentencePieceModel:
    """The same for the bytes of a ``.model``.

    Raises:
        ValueError: what is wrong with them.
    """
    pieces: list[Piece] = []
    settings: dict[str, object] = {}
    for number, value, _ in _fields(data):
        if number == 1:
            if len(pieces) == MAX_PIECES:
                raise ValueError(f"more than {MAX_PIECES} pieces")
            pieces.append(_piece(_bytes(value)))
        elif number == 2:
            settings |= _trainer_settings(_bytes(value))
        elif number == 3:
            settings |= _normalizer_settings(_bytes(value))
    if sum(piece.type is PieceType.UNKNOWN for piece in pieces) != 1:
        raise ValueError("there has to be exactly one piece for the unknown")
    if len({piece.text for piece in pieces}) != len(pieces):
        raise ValueError("a piece is there twice")
    return SentencePieceModel(pieces=tuple(pieces), **settings)  # type: ignore[arg-type]


def without_thread_count(data: bytes) -> bytes:
    """The bytes of a ``.model`` less the number of threads that trained it, the one trace that they leave."""
    kept = bytearray()
    for each in _fields(data):
        if each.number == 2:  # TrainerSpec; 16 is its num_threads
            settings = b"".join(inner.encoded for inner in _fields(_bytes(each.value)) if inner.number != 16)
            kept += b"\x12" + _encoded_varint(len(settings)) + settings
        else:
            kept += each.encoded
    return bytes(kept)


def _broken(path: Path, reason: str) -> FormatError:
    return FormatError(
        f"{path} is not a sentencepiece model: {reason}", hint="Fetch the tokenizer again, or train another."
    )


def _piece(message: bytes) -> Piece:
    text, score, kind = "", 0.0, PieceType.NORMAL
    for number, value, _ in _fields(message):
        if number == 1:
            text = _text(value)
        elif number == 2:
            (score,) = struct.unpack("<f", _bytes(value)[:4].ljust(4, b"\0"))
        elif number == 3:
            kind = PieceType(_integer(value))
    if not text or "\0" in text or not math.isfinite(score):
        raise ValueError("a piece without a text, or with a score that is no number")
    return Piece(text, score, kind)


def _trainer_settings(message: bytes) -> dict[str, object]:
    settings: dict[str, object] = {}
    for number, value, _ in _fields(message):
        if number == 3:
            settings["model_type"] = ModelType(_integer(value))
        elif number == 24:
            settings["treat_whitespace_as_suffix"] = bool(_integer(value))
        elif number == 46:
            settings["bos_piece"] = _text(value)
        elif number == 47:
            settings["eos_piece"] = _text(value)
    return settings


def _normalizer_settings(message: bytes) -> dict[str, object]:
    settings: dict[str, object] = {}
    names = {3: "add_dummy_prefix", 4: "remove_extra_whitespaces", 5: "escape_whitespaces"}
    for number, value, _ in _fields(message):
        if number == 2:
            settings["identity_normalization"] = not _bytes(value)
        elif number in names:
            settings[names[number]] = bool(_integer(value))
    return settings


class _Field(NamedTuple):
    number: int
    value: int | bytes
    """An integer for wire type 0, bytes for the wire types 1, 2 and 5."""
    encoded: bytes
    """Tag, length and all."""


def _fields(message: bytes) -> Iterator[_Field]:
    position = 0
    while position < len(message):
        start = position
        tag, position = _varint(message, position)
        number, wire_type = tag >> 3, tag & 7
        value: int | bytes
        if wire_type == 0:
            value, position = _varint(message, position)
        else:
            if wire_type == 2:
                length, position = _varint(message, position)
            elif wire_type in (1, 5):
                length = 8 if wire_type == 1 else 4
            else:
                raise ValueError(f"wire type {wire_type} at byte {position}")
            if length > len(message) - position:
                raise ValueError(f"a field is cut off at byte {position}")
            value = message[position : position + length]
            position += length
        yield _Field(number, value, message[start:position])


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number stands where bytes should")
    return value


def _integer(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise ValueError("bytes stand where a number should")
    return value


def _text(value: int | bytes) -> str:
    return _bytes(value).decode()


def _encoded_varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message) and shift < 64:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError(f"a number is cut off at byte {position}")
