"""llama2.c's model file, version 0: a header of seven integers, then float32 tensors one after another.

Layout, all little-endian: int32 dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size (negative: the classifier is
not the embedding), max_seq_len; then, each for all layers together, the tensors of :func:`_tensors`. Behind the final
norm stand two tables of cosines and sines that players stopped reading long ago; they are written all the same.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tsws.errors import FormatError
from tsws.io.atomic import atomic_writer
from tsws.model.config import NORM_EPS, ROPE_THETA, LlamaConfig

if TYPE_CHECKING:
    import torch

_HEADER = struct.Struct("<7i")
_HEADER_NAMES = ("dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "max_seq_len")
_LATER_MAGIC = 0x616B3432  # "ak42" begins versions 1 and later
_FLOAT = 4  # bytes


def read_header(path: Path) -> LlamaConfig:
    """The config of a model file, with the file's length checked against it.

    Raises:
        FormatError: not a version 0 file, sizes that do not fit together, or too short or too long a file.
        OSError: the file can not be read.
    """
    with open(path, "rb") as file:
        data = file.read(_HEADER.size)
    size = path.stat().st_size
    if len(data) < _HEADER.size:
        raise FormatError(
            f"{path}: not a llama2.c model: the header has {_HEADER.size} bytes, the whole file {size}",
            hint="fetch or export the file again",
        )
    values = dict(zip(_HEADER_NAMES, _HEADER.unpack(data), strict=True))
    if values["dim"] == _LATER_MAGIC:
        raise FormatError(
            f"{path}: a llama2.c model of version {values['hidden_dim']}; only version 0 can be read here",
            hint="export it as version 0 (float32)",
        )
    shared = values["vocab_size"] > 0
    values["vocab_size"] = abs(values["vocab_size"])
    try:
        config = LlamaConfig(**values, tie_embeddings=shared)
    except FormatError as error:
        raise FormatError(f"{path}: not a llama2.c model: {error.message}", hint=error.hint) from None
    expected = file_size(config)
    if size != expected:
        raise FormatError(
            f"{path}: its header (dim {config.dim}, {config.n_layers} layers, vocab_size {config.vocab_size}...)"
            f" asks for {expected} bytes, the file has {size}",
            hint="the file is cut off or damaged: fetch or export it again",
        )
    return config


def file_size(config: LlamaConfig) -> int:
    """Bytes of the model file of a config."""
    tables = config.max_seq_len * config.head_size  # cosines and sines, half a head each
    return _HEADER.size + _FLOAT * (config.parameter_count + tables)


def read_model(path: Path) -> tuple[LlamaConfig, dict[str, torch.Tensor]]:
    """The config and state dict of a model file.

    The tensors are views of the file mapped into memory: writing to them changes neither the file nor other readers.

    Raises:
        FormatError: as :func:`read_header`.
        OSError: the file can not be read.
    """
    import torch

    config = read_header(path)
    numbers = torch.from_file(str(path), shared=False, size=file_size(config) // _FLOAT, dtype=torch.float32)
    state = {}
    offset = _HEADER.size // _FLOAT
    for names, shape in _tensors(config):
        count = len(names) * _product(shape)
        if names[0] is not None:
            for name, tensor in zip(names, numbers[offset : offset + count].view(-1, *shape), strict=True):
                state[str(name)] = tensor
        offset += count
    return config, state


def write_model(path: Path, config: LlamaConfig, state: Mapping[str, torch.Tensor]) -> None:
    """Write a model file, atomically.

    Args:
        path: the final name.
        config: of the model; ``norm_eps`` and ``rope_theta`` have to be those that the format implies.
        state: the state dict, float32 or what turns into it.

    Raises:
        FormatError: the format has no place for this config, or a tensor is missing or of another shape.
        OSError: the file can not be written.
    """
    import torch

    from tsws.model.attention import rotary_angles

    _check_expressible(config)
    vocab_size = config.vocab_size if config.tie_embeddings else -config.vocab_size
    fields = {**config.to_fields(), "vocab_size": vocab_size}
    tables = iter(rotary_angles(config))
    with atomic_writer(path) as file:
        file.write(_HEADER.pack(*(fields[name] for name in _HEADER_NAMES)))
        for names, shape in _tensors(config):
            for name in names:
                tensor = next(tables) if name is None else _take(state, name, shape)
                contiguous = tensor.detach().to(device="cpu", dtype=torch.float32).contiguous()
                file.write(contiguous.numpy().data)


def _check_expressible(config: LlamaConfig) -> None:
    for name, implied in (("norm_eps", NORM_EPS), ("rope_theta", ROPE_THETA)):
        value = getattr(config, name)
        if value != implied:
            raise FormatError(
                f"llama2.c's format implies {name} = {implied:g}; this model has {value:g}",
                hint="export it as safetensors, or train it with llama2.c's value",
            )


def _tensors(config: LlamaConfig) -> Iterator[tuple[list[str | None], tuple[int, ...]]]:
    """Names and shape of the tensors that lie next to each other, in the file's order; a table has no name."""

    def of_layers(name: str, *shape: int) -> tuple[list[str | None], tuple[int, ...]]:
        return [f"layers.{layer}.{name}.weight" for layer in range(config.n_layers)], shape

    dim, hidden, kv_dim = config.dim, config.hidden_dim, config.kv_dim
    yield ["tok_embeddings.weight"], (config.vocab_size, dim)
    yield of_layers("attention_norm", dim)
    yield of_layers("attention.wq", dim, dim)
    yield of_layers("attention.wk", kv_dim, dim)
    yield of_layers("attention.wv", kv_dim, dim)
    yield of_layers("attention.wo", dim, dim)
    yield of_layers("ffn_norm", dim)
    yield of_layers("feed_forward.w1", hidden, dim)
    yield of_layers("feed_forward.w2", dim, hidden)
    yield of_layers("feed_forward.w3", hidden, dim)
    yield ["norm.weight"], (dim,)
    yield [None, None], (config.max_seq_len, config.head_size // 2)
    if not config.tie_embeddings:
        yield ["output.weight"], (config.vocab_size, dim)


def _take(state: Mapping[str, torch.Tensor], name: str, shape: tuple[int, ...]) -> torch.Tensor:
    tensor = state.get(name)
    if tensor is None:
        raise FormatError(f"weights: {name} is missing", hint="these are not a Llama's weights")
    if tuple(tensor.shape) != shape:
        raise FormatError(
            f"weights: {name} has shape {tuple(tensor.shape)}, expected {shape}",
            hint="write them with the config that they were trained with",
        )
    return tensor


def _product(shape: tuple[int, ...]) -> int:
    count = 1
    for length in shape:
        count *= length
    return count
