"""The headers of llama2.c's model files, and what they say about the bytes behind them. Needs no torch.

========  ============================================================================================================
version   little-endian
========  ============================================================================================================
0         int32 dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size (negative: the classifier is not the embedding),
          max_seq_len; then float32 tensors
1         uint32 magic, int32 version, the same seven (vocab_size positive), uint8 1 when the embedding serves as the classifier;
          zeros up to 256 bytes; then float32 tensors
2         the same, and int32 group size behind the uint8; then float32 norms, and every matrix as int8 codes followed by
          a float32 scale for each group of them
========  ============================================================================================================
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tsws.errors import FormatError
from tsws.model.config import LlamaConfig
from tsws.model.int8 import check_group_size, fitting_group_size

Version = Literal[0, 1, 2]

FLOAT = 4
"""Bytes."""
_MAGIC = 0x616B3432  # "ak42"
_FIRST = struct.Struct("<7i")
_LATER = struct.Struct("<Ii7iBi")
_LATER_SIZE = 256
_NAMES = ("dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "max_seq_len")


@dataclass(frozen=True)
class Header:
    """What a model file says of itself."""

    config: LlamaConfig
    version: Version = 0
    group_size: int = 0
    """Weights that share a scale; 0 in versions 0 and 1."""

    @property
    def size(self) -> int:
        """Bytes before the first tensor."""
        return _FIRST.size if self.version == 0 else _LATER_SIZE

    @property
    def file_size(self) -> int:
        """Bytes of the whole file."""
        config = self.config
        if self.version < 2:
            tables = config.max_seq_len * config.head_size if self.version == 0 else 0
            return self.size + FLOAT * (config.parameter_count + tables)
        norms = config.dim * (2 * config.n_layers + 1)
        matrices = config.parameter_count - norms
        return self.size + FLOAT * norms + matrices + FLOAT * (matrices // self.group_size)

    def packed(self) -> bytes:
        """The header's own bytes."""
        fields = [self.config.to_fields()[name] for name in _NAMES]
        if self.version == 0:
            fields[5] *= 1 if self.config.tie_embeddings else -1
            return _FIRST.pack(*fields)
        packed = _LATER.pack(_MAGIC, self.version, *fields, self.config.tie_embeddings, self.group_size)
        return packed.ljust(_LATER_SIZE, b"\0")


def read_header(path: Path) -> Header:
    """The header of a model file, with the file's length checked against it.

    Raises:
        FormatError: not such a file, of an unknown version, sizes that do not fit together, or too short or too long.
        OSError: the file can not be read.
    """
    with open(path, "rb") as file:
        data = file.read(_LATER_SIZE)
    size = path.stat().st_size
    try:
        header = _parsed(data)
    except FormatError as error:
        raise FormatError(f"{path}: {error.message}", hint=error.hint) from None
    if size != header.file_size:
        config = header.config
        raise FormatError(
            f"{path}: its header (dim {config.dim}, {config.n_layers} layers, vocab_size {config.vocab_size}...)"
            f" asks for {header.file_size} bytes, the file has {size}",
            hint="the file is cut off or damaged: fetch or export it again",
        )
    return header


def _parsed(data: bytes) -> Header:
    if len(data) < _FIRST.size:
        raise _too_short(_FIRST.size, len(data))
    if int.from_bytes(data[:4], "little") != _MAGIC:
        values = dict(zip(_NAMES, _FIRST.unpack_from(data), strict=True))
        shared = values["vocab_size"] > 0
        return Header(_config({**values, "vocab_size": abs(values["vocab_size"])}, shared))
    version = int.from_bytes(data[4:8], "little", signed=True)
    if version not in (1, 2):
        raise FormatError(
            f"a llama2.c model of version {version}; only versions 0, 1 and 2 can be read here",
            hint="export it as one of these",
        )
    if len(data) < _LATER_SIZE:
        raise _too_short(_LATER_SIZE, len(data))
    _, _, *numbers, shared, group_size = _LATER.unpack_from(data)
    if shared not in (0, 1):
        raise FormatError(
            f"not a llama2.c model: {shared} stands where 1 means a shared classifier and 0 one of its own",
            hint="fetch or export the file again",
        )
    config = _config(dict(zip(_NAMES, numbers, strict=True)), shared == 1)
    if version == 1:
        return Header(config, 1)
    try:
        check_group_size(config, group_size)
    except FormatError as error:
        hint = f"export it again, with groups of {fitting_group_size(config)}"
        raise FormatError(f"a llama2.c model whose text would be wrecked: {error.message}", hint=hint) from None
    return Header(config, 2, group_size)


def _config(values: dict[str, int], shared: bool) -> LlamaConfig:
    try:
        return LlamaConfig(**values, tie_embeddings=shared)
    except FormatError as error:
        raise FormatError(f"not a llama2.c model: {error.message}", hint=error.hint) from None


def _too_short(wanted: int, size: int) -> FormatError:
    return FormatError(
        f"not a llama2.c model: the header has {wanted} bytes, the whole file {size}",
        hint="fetch or export the file again",
    )
