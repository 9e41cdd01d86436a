"""llama.cpp's model file (GGUF version 3) for a Llama in F32 or Q8_0, written without llama.cpp.

Format: ``docs/gguf.md`` of the ggml project. llama.cpp turns neighbouring pairs for this architecture, as llama2.c does,
so the rows of queries and keys stay in their order.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tsws.model.config import LlamaConfig

BLOCK = 32
"""Numbers of a Q8_0 block, which share a scale; rows are whole blocks."""

_ALIGNMENT = 32
_F32, _Q8_0 = 0, 8
_U32, _I32, _FLOAT, _STRING, _ARRAY = 4, 5, 6, 8, 9
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
_LAYER_NAMES = {
    "attention_norm": "attn_norm",
    "attention.wq": "attn_q",
    "attention.wk": "attn_k",
    "attention.wv": "attn_v",
    "attention.wo": "attn_output",
    "ffn_norm": "ffn_norm",
    "feed_forward.w1": "ffn_gate",
    "feed_forward.w2": "ffn_down",
    "feed_forward.w3": "ffn_up",
}


def write_gguf(
    path: Path,
    config: LlamaConfig,
    state: Mapping[str, torch.Tensor],
    pieces: Sequence[bytes],
    scores: Sequence[float],
    *,
    quantize: bool,
) -> None:
    """Write a model with its vocabulary; with ``quantize``, matrices as Q8_0, whose rows have to be whole blocks."""
    values = _metadata(config, pieces, scores)
    names = dict(_names(config))
    infos = b""
    offset = 0
    for ours, theirs in names.items():
        tensor = state[ours]
        quantized = quantize and tensor.dim() == 2
        shape = tuple(reversed(tensor.shape))  # GGUF begins with the row's length
        kind = _Q8_0 if quantized else _F32
        infos += _string(theirs) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
        size = tensor.numel() // BLOCK * (BLOCK + 2) if quantized else tensor.numel() * 4
        offset += size + -size % _ALIGNMENT
    head = b"GGUF" + struct.pack("<IQQ", 3, len(names), len(values)) + b"".join(values) + infos
    with open(path, "wb") as file:
        file.write(head + bytes(-len(head) % _ALIGNMENT))
        for ours in names:
            numbers = state[ours].float().numpy()
            data = _quantized(numbers) if quantize and numbers.ndim == 2 else numbers.tobytes()
            file.write(data + bytes(-len(data) % _ALIGNMENT))


def _names(config: LlamaConfig) -> Iterator[tuple[str, str]]:
    yield "tok_embeddings.weight", "token_embd.weight"
    for layer in range(config.n_layers):
        for ours, theirs in _LAYER_NAMES.items():
            yield f"layers.{layer}.{ours}.weight", f"blk.{layer}.{theirs}.weight"
    yield "norm.weight", "output_norm.weight"
    if not config.tie_embeddings:
        yield "output.weight", "output.weight"


def _metadata(config: LlamaConfig, pieces: Sequence[bytes], scores: Sequence[float]) -> list[bytes]:
    sizes = {
        "context_length": config.max_seq_len,
        "embedding_length": config.dim,
        "block_count": config.n_layers,
        "feed_forward_length": config.hidden_dim,
        "attention.head_count": config.n_heads,
        "attention.head_count_kv": config.n_kv_heads,
        "rope.dimension_count": config.head_size,
        "vocab_size": config.vocab_size,
    }
    kinds = [_kind(index, piece) for index, piece in enumerate(pieces)]
    texts = [piece.replace(b" ", "▁".encode()) for piece in pieces]
    return [
        _pair("general.architecture", _STRING, "llama"),
        *(_pair(f"llama.{name}", _U32, size) for name, size in sizes.items()),
        _pair("llama.attention.layer_norm_rms_epsilon", _FLOAT, config.norm_eps),
        _pair("llama.rope.freq_base", _FLOAT, config.rope_theta),
        _pair("tokenizer.ggml.model", _STRING, "llama"),
        _array("tokenizer.ggml.tokens", _STRING, texts),
        _array("tokenizer.ggml.scores", _FLOAT, scores),
        _array("tokenizer.ggml.token_type", _I32, kinds),
        _pair("tokenizer.ggml.unknown_token_id", _U32, 0),
        _pair("tokenizer.ggml.bos_token_id", _U32, 1),
        _pair("tokenizer.ggml.eos_token_id", _U32, 2),
    ]


def _kind(index: int, piece: bytes) -> int:
    if index < 3:
        return _UNKNOWN if index == 0 else _CONTROL
    return _BYTE if piece.startswith(b"<0x") and len(piece) == 6 else _NORMAL


def _quantized(numbers: np.ndarray[Any, Any]) -> bytes:
    """Blocks of a float16 scale and 32 int8."""
    blocks = numbers.reshape(-1, BLOCK)
    scales = np.abs(blocks).max(1, keepdims=True) / np.float32(127)
    quantized = np.empty(len(blocks), [("scale", "<f2"), ("values", "i1", BLOCK)])
    quantized["scale"] = scales[:, 0]
    quantized["values"] = np.rint(blocks / np.where(scales > 0, scales, 1))
    return quantized.tobytes()


def _pair(key: str, kind: int, value: str | float) -> bytes:
    return _string(key) + struct.pack("<I", kind) + _value(kind, value)


def _array(key: str, kind: int, values: Sequence[bytes] | Sequence[float] | Sequence[int]) -> bytes:
    head = _string(key) + struct.pack("<IIQ", _ARRAY, kind, len(values))
    return head + b"".join(_value(kind, value) for value in values)


def _value(kind: int, value: str | bytes | float) -> bytes:
    if isinstance(value, (str, bytes)):
        return _string(value)
    return struct.pack({_U32: "<I", _I32: "<i", _FLOAT: "<f"}[kind], value)


def _string(text: str | bytes) -> bytes:
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data
