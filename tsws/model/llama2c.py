"""llama2.c's model files: versions 0 and 1 hold float32, version 2 int8 codes with a scale a group.

Headers are in :mod:`tsws.model.llama2c_header`, the order of the tensors is in :func:`_tensors`. In version 0 two tables
of cosines and sines stand behind the final norm, which players stopped reading long ago; they are written all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tsws.errors import FormatError
from tsws.io.atomic import atomic_writer
from tsws.model.config import NORM_EPS, ROPE_THETA, LlamaConfig
from tsws.model.int8 import check_group_size, dequantize, fitting_group_size, quantize
from tsws.model.llama2c_header import FLOAT, Header, Version
from tsws.model.llama2c_header import read_header as read_whole_header

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class _Tensor:
    """A tensor in its place in the file."""

    name: str | None
    """None: a table of rotary positions."""
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        rows = self.shape[0] if len(self.shape) == 2 else 1
        return rows * self.shape[-1]


def read_header(path: Path) -> LlamaConfig:
    """The config of a model file of any version, with the file's length checked against it.

    Raises:
        FormatError: not such a file, sizes that do not fit together, or too short or too long.
        OSError: the file can not be read.
    """
    return read_whole_header(path).config


def read_model(path: Path) -> tuple[LlamaConfig, dict[str, torch.Tensor]]:
    """The config and state dict of a model file, in float32 whatever the version.

    Tensors that the file holds as float32 are views of it, mapped into memory: writing to them changes neither the file nor
    other readers.

    Raises:
        FormatError: as :func:`read_header`.
        OSError: the file can not be read.
    """
    import torch

    header = read_whole_header(path)
    data = torch.from_file(str(path), shared=False, size=header.file_size, dtype=torch.uint8)
    state = {}
    offset = header.size
    for tensor in _tensors(header):
        if header.version == 2 and len(tensor.shape) == 2:
            codes = data[offset : offset + tensor.count].view(torch.int8).view(-1, header.group_size)
            offset += tensor.count
            size = FLOAT * len(codes)
            scales = data[offset : offset + size].clone().view(torch.float32)  # they need not lie aligned
            weights = dequantize(codes, scales)
        else:
            size = FLOAT * tensor.count
            weights = data[offset : offset + size].view(torch.float32)
        offset += size
        if tensor.name is not None:
            state[tensor.name] = weights.view(tensor.shape)
    return header.config, state


def write_model(
    path: Path,
    config: LlamaConfig,
    state: Mapping[str, torch.Tensor],
    *,
    version: Version = 0,
    group_size: int | None = None,
) -> None:
    """Write a model file, atomically.

    Args:
        path: the final name.
        config: of the model; ``norm_eps`` and ``rope_theta`` have to be those that the format implies.
        state: the state dict, float32 or what turns into it.
        version: of the format: 0 or 1, float32, or 2, int8.
        group_size: of version 2, weights that share a scale; None: the largest power of two up to 64 that divides every row.

    Raises:
        FormatError: the format has no place for this config, the group size does not divide every row, or a tensor is
            missing, of another shape or not finite where it is to become int8.
        OSError: the file can not be written.
    """
    from tsws.model.attention import rotary_angles

    _check_expressible(config)
    header = Header(config, version, _group_size(config, version, group_size))
    tables = iter(rotary_angles(config))
    with atomic_writer(path) as file:
        file.write(header.packed())
        for tensor in _tensors(header):
            weights = next(tables) if tensor.name is None else _take(state, tensor.name, tensor.shape)
            _write(file, weights, header)


def _group_size(config: LlamaConfig, version: Version, wanted: int | None) -> int:
    if version == 2:
        chosen = fitting_group_size(config) if wanted is None else wanted
        check_group_size(config, chosen)
        return chosen
    if wanted is not None:
        raise FormatError(
            f"version {version} of llama2.c's format has no groups, but a group size of {wanted} was asked for",
            hint="leave the group size out, or export version 2",
        )
    return 0


def _write(file: BinaryIO, weights: torch.Tensor, header: Header) -> None:
    import torch

    floats = weights.detach().to(device="cpu", dtype=torch.float32).contiguous()
    if header.version == 2 and floats.dim() == 2:
        codes, scales = quantize(floats, header.group_size)
        file.write(codes.numpy().data)
        floats = scales
    file.write(floats.numpy().data)


def _check_expressible(config: LlamaConfig) -> None:
    for name, implied in (("norm_eps", NORM_EPS), ("rope_theta", ROPE_THETA)):
        value = getattr(config, name)
        if value != implied:
            raise FormatError(
                f"llama2.c's format implies {name} = {implied:g}; this model has {value:g}",
                hint="export it as safetensors, or train it with llama2.c's value",
            )


def _tensors(header: Header) -> Iterator[_Tensor]:
    """Every tensor in the file's order: the same matrices in all versions, the norms in other places."""
    config = header.config
    dim, hidden, kv_dim = config.dim, config.hidden_dim, config.kv_dim

    def of_layers(name: str, *shape: int) -> list[_Tensor]:
        return [_Tensor(f"layers.{layer}.{name}.weight", shape) for layer in range(config.n_layers)]

    embedding = _Tensor("tok_embeddings.weight", (config.vocab_size, dim))
    attention_norms, ffn_norms = of_layers("attention_norm", dim), of_layers("ffn_norm", dim)
    attention = [
        *of_layers("attention.wq", dim, dim),
        *of_layers("attention.wk", kv_dim, dim),
        *of_layers("attention.wv", kv_dim, dim),
        *of_layers("attention.wo", dim, dim),
    ]
    feed_forward = [
        *of_layers("feed_forward.w1", hidden, dim),
        *of_layers("feed_forward.w2", dim, hidden),
        *of_layers("feed_forward.w3", hidden, dim),
    ]
    final_norm = _Tensor("norm.weight", (dim,))
    if header.version == 0:
        table = _Tensor(None, (config.max_seq_len, config.head_size // 2))
        yield from (embedding, *attention_norms, *attention, *ffn_norms, *feed_forward, final_norm, table, table)
    else:
        yield from (*attention_norms, *ffn_norms, final_norm, embedding, *attention, *feed_forward)
    if not config.tie_embeddings:
        yield _Tensor("output.weight", (config.vocab_size, dim))


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
