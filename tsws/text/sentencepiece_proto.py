"""What is written in a sentencepiece ``.model``, read without sentencepiece.

A ``.model`` is one protocol buffer message, ``ModelProto`` of ``sentencepiece_model.proto``. Only the few fields that
tsws needs are read, every length is checked, and nothing heavy is imported: exporting a tokenizer costs milliseconds, and a
hostile file meets this reader before it meets any C++.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from tsws.errors import FormatError
from tsws.text.protobuf import as_bytes, as_integer, as_text, encoded_varint, fields

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
    for number, value, _ in fields(data):
        if number == 1:
            if len(pieces) == MAX_PIECES:
                raise ValueError(f"more than {MAX_PIECES} pieces")
            pieces.append(_piece(as_bytes(value)))
        elif number == 2:
            settings |= _trainer_settings(as_bytes(value))
        elif number == 3:
            settings |= _normalizer_settings(as_bytes(value))
    if sum(piece.type is PieceType.UNKNOWN for piece in pieces) != 1:
        raise ValueError("there has to be exactly one piece for the unknown")
    if len({piece.text for piece in pieces}) != len(pieces):
        raise ValueError("a piece is there twice")
    return SentencePieceModel(pieces=tuple(pieces), **settings)  # type: ignore[arg-type]


def without_thread_count(data: bytes) -> bytes:
    """The bytes of a ``.model`` less the number of threads that trained it, the one trace that they leave."""
    kept = bytearray()
    for each in fields(data):
        if each.number == 2:  # TrainerSpec; 16 is its num_threads
            settings = b"".join(inner.encoded for inner in fields(as_bytes(each.value)) if inner.number != 16)
            kept += b"\x12" + encoded_varint(len(settings)) + settings
        else:
            kept += each.encoded
    return bytes(kept)


def _broken(path: Path, reason: str) -> FormatError:
    return FormatError(
        f"{path} is not a sentencepiece model: {reason}", hint="Fetch the tokenizer again, or train another."
    )


def _piece(message: bytes) -> Piece:
    text, score, kind = "", 0.0, PieceType.NORMAL
    for number, value, _ in fields(message):
        if number == 1:
            text = as_text(value)
        elif number == 2:
            (score,) = struct.unpack("<f", as_bytes(value)[:4].ljust(4, b"\0"))
        elif number == 3:
            kind = PieceType(as_integer(value))
    if not text or "\0" in text or not math.isfinite(score):
        raise ValueError("a piece without a text, or with a score that is no number")
    return Piece(text, score, kind)


def _trainer_settings(message: bytes) -> dict[str, object]:
    settings: dict[str, object] = {}
    for number, value, _ in fields(message):
        if number == 3:
            settings["model_type"] = ModelType(as_integer(value))
        elif number == 24:
            settings["treat_whitespace_as_suffix"] = bool(as_integer(value))
        elif number == 46:
            settings["bos_piece"] = as_text(value)
        elif number == 47:
            settings["eos_piece"] = as_text(value)
    return settings


def _normalizer_settings(message: bytes) -> dict[str, object]:
    settings: dict[str, object] = {}
    names = {3: "add_dummy_prefix", 4: "remove_extra_whitespaces", 5: "escape_whitespaces"}
    for number, value, _ in fields(message):
        if number == 2:
            settings["identity_normalization"] = not as_bytes(value)
        elif number in names:
            settings[names[number]] = bool(as_integer(value))
    return settings
