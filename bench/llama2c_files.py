"""What llama2.c's players read beside version 0: the int8 model file (version 2) and the tokenizer file.

Formats: llama2.c's ``export.py`` and ``tokenizer.py``.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from tsws.model.config import LlamaConfig

_MAGIC = 0x616B3432
_HEADER = struct.Struct("<Ii7iBi")
_HEADER_BYTES = 256
_LARGEST_GROUP = 64


def group_size(config: LlamaConfig) -> int:
    """The largest power of two, up to llama2.c's default of 64, that divides every row."""
    size = _LARGEST_GROUP
    while config.dim % size or config.hidden_dim % size:
        size //= 2
    return size


def write_int8_model(path: Path, config: LlamaConfig, state: Mapping[str, torch.Tensor]) -> None:
    """Write a version 2 file: norms in float32, all else as int8 with a scale a group."""
    group = group_size(config)
    sizes = (config.dim, config.hidden_dim, config.n_layers, config.n_heads, config.n_kv_heads, config.vocab_size)
    tied = config.tie_embeddings
    with open(path, "wb") as file:
        header = _HEADER.pack(_MAGIC, 2, *sizes, config.max_seq_len, tied, group)
        file.write(header.ljust(_HEADER_BYTES, b"\0"))
        for name in [*_of_layers(config, "attention_norm"), *_of_layers(config, "ffn_norm"), "norm.weight"]:
            file.write(state[name].to(torch.float32).contiguous().numpy().data)
        for name in _matrices(config):
            groups = state[name].to(torch.float32).reshape(-1, group)
            scales = groups.abs().amax(1, keepdim=True) / 127
            # A group of zeros has scale 0 and may be divided by anything.
            quantized = torch.round(groups / torch.where(scales > 0, scales, 1)).to(torch.int8)
            file.write(quantized.numpy().data)
            file.write(scales.numpy().data)


def write_tokenizer(path: Path, pieces: Sequence[bytes], scores: Sequence[float]) -> None:
    """Write a ``tokenizer.bin``: the longest piece's length, then score, length and bytes of each."""
    with open(path, "wb") as file:
        file.write(struct.pack("<I", max(map(len, pieces))))
        for piece, score in zip(pieces, scores, strict=True):
            file.write(struct.pack("<fI", score, len(piece)) + piece)


def _matrices(config: LlamaConfig) -> list[str]:
    inner = ["attention.wq", "attention.wk", "attention.wv", "attention.wo"]
    inner += ["feed_forward.w1", "feed_forward.w2", "feed_forward.w3"]
    names = ["tok_embeddings.weight", *(name for each in inner for name in _of_layers(config, each))]
    return names if config.tie_embeddings else [*names, "output.weight"]


def _of_layers(config: LlamaConfig, name: str) -> list[str]:
    return [f"layers.{layer}.{name}.weight" for layer in range(config.n_layers)]
