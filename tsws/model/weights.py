"""A model's weights as a safetensors file that carries its config: no code in it, unlike a pickle.

The config stands as JSON under the one metadata key ``config`` (one, because the order of several is not
fixed and the same weights have to give the same bytes).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsws.errors import FormatError
from tsws.io.atomic import TEMPORARY_SUFFIX, publish

if TYPE_CHECKING:
    import torch

CONFIG_KEY = "config"
_LENGTH = struct.Struct("<Q")
_LARGEST_HEADER = 100_000_000  # bytes; the limit of the safetensors library


def save_weights(path: Path, state: Mapping[str, torch.Tensor], config: Mapping[str, Any]) -> None:
    """Write a state dict in float32, atomically; the same values give the same bytes.

    Args:
        path: the final name.
        state: tensors by name.
        config: the model's fields (``arch`` too), JSON-able.

    Raises:
        OSError: the file can not be written.
    """
    import torch

    tensors = {
        name: tensor.detach().to(device="cpu", dtype=torch.float32).contiguous() for name, tensor in state.items()
    }
    save_tensors(path, tensors, {CONFIG_KEY: json.dumps(dict(config), sort_keys=True)})


def save_tensors(path: Path, tensors: Mapping[str, torch.Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write tensors (contiguous, on the CPU) of any type, atomically.

    Raises:
        OSError: the file can not be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")
    try:
        save_file(dict(tensors), temporary, metadata)
        publish(temporary, path)
    except SafetensorError as error:  # the library reports a full disk or a missing permission so
        raise OSError(f"{path}: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Every tensor of a safetensors file, in memory of its own (aligned as torch aligns).

    Raises:
        FormatError: not a safetensors file, or a damaged one.
        OSError: the file can not be read.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return {name: tensor.clone() for name, tensor in load_file(path).items()}
    except SafetensorError as error:
        raise FormatError(
            f"{path}: not a whole safetensors file: {error}", hint="the file is damaged: make it again"
        ) from error


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """The state dict of :func:`save_weights`.

    Raises:
        FormatError: not a safetensors file, or a damaged one.
        OSError: the file can not be read.
    """
    return load_tensors(path)


def read_config(path: Path) -> dict[str, Any]:
    """The config that a weights file carries, without loading its tensors (or torch).

    Raises:
        FormatError: not a safetensors file, or one without a config.
        OSError: the file can not be read.
    """
    with open(path, "rb") as file:
        prefix = file.read(_LENGTH.size)
        length = _LENGTH.unpack(prefix)[0] if len(prefix) == _LENGTH.size else _LARGEST_HEADER + 1
        if length > min(_LARGEST_HEADER, path.stat().st_size - _LENGTH.size):
            raise FormatError(
                f"{path}: not a safetensors file: its header would be longer than the file",
                hint="the file is damaged, or of another format: make it again",
            )
        header = file.read(length)
    try:
        config = json.loads(json.loads(header)["__metadata__"][CONFIG_KEY])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FormatError(
            f"{path}: a safetensors file without a model's config in its metadata",
            hint="use weights that tsws has written",
        ) from error
    if not isinstance(config, dict):
        raise FormatError(
            f"{path}: the config in its metadata is not an object", hint="use weights that tsws has written"
        )
    return config
