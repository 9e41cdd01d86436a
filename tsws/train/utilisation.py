"""How much of a machine training makes use of: model FLOPs utilisation (MFU; PaLM, arXiv:2204.02311, appendix B).

The model's own operations a token (6 a weight that takes part in a product, 12 a layer, channel and position of the context for
attention; a backward pass counts as two forward ones) times the tokens a second, as a share of the quickest matrix product that
torch was measured to reach on the same device, in the same arithmetic, with the same threads. A peak is measured
once and kept in the user's cache.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import nn

from tsws.io.atomic import write_bytes
from tsws.io.caches import cache_folder
from tsws.train.device import Device
from tsws.train.machine import device_name

PEAKS_FILE = "peaks.json"
_SECONDS = 0.1
"""That each way to multiply is tried."""
_SIZES = {"cpu": 1024, "cuda": 8192}
"""Rows of the square matrices; in between for others."""


def training_flops(model: nn.Module, config: Mapping[str, Any]) -> float:
    """Floating-point operations that a token of a full context takes, forward and backward.

    Args:
        model: whose weights count. A table that is only looked up in takes none; one that classifies, too, does.
        config: its fields.
    """
    weights = sum(parameter.numel() for parameter in model.parameters())
    tables = [module for module in model.modules() if isinstance(module, nn.Embedding)]
    tied = config.get("tie_embeddings") in (None, True)
    lookups = sum(table.weight.numel() for table in tables if not tied or table.num_embeddings != config["vocab_size"])
    layers, dim, max_seq_len = (int(config[name]) for name in ("n_layers", "dim", "max_seq_len"))
    return 6.0 * (weights - lookups) + 12.0 * layers * dim * max_seq_len


def matrix_peak(device: Device) -> float:
    """Floating-point operations a second of the quickest matrix product, measured now unless this user's cache knows it."""
    path = cache_folder() / PEAKS_FILE
    dtype = str(device.dtype).removeprefix("torch.")
    key = f"{device_name(device.target)}, {torch.get_num_threads()} threads, {dtype}, torch {torch.__version__}"
    known = _read(path)
    if key not in known:
        known[key] = measure_peak(device)
        with suppress(OSError):  # a cache that can not be written is only a measurement lost
            write_bytes(path, msgspec.json.format(msgspec.json.encode({**_read(path), **known}, order="sorted")))
    return known[key]


def measure_peak(device: Device) -> float:
    """The same without a cache; takes a few tenths of a second."""
    size = _SIZES.get(device.target.type, 4096)
    return 2.0 * size**3 / min(_quickest(product, device) for product in _products(device, size))


def _products(device: Device, size: int) -> list[Callable[[], object]]:
    """The ways in which torch multiplies square matrices there."""
    # Random numbers: with plain ones a GPU draws less power, and is quicker than it ever is at work.
    random = torch.Generator(device.target).manual_seed(1)
    left, right = (torch.randn(size, size, device=device.target, generator=random).to(device.dtype) for _ in range(2))
    products: list[Callable[[], object]] = [lambda: left @ right]
    if device.target.type == "cpu" and device.dtype == torch.float32 and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        # On some processors oneDNN knows instructions that the default library passes over.
        a, b = left.to_mkldnn(), right.to_mkldnn()
        products.append(lambda: nn.functional.linear(a, b))
    return products


def _quickest(product: Callable[[], object], device: Device) -> float:
    """Seconds of the quickest of some calls, three at least."""
    took: list[float] = []
    with torch.inference_mode():
        product()
        end = time.perf_counter() + _SECONDS
        while len(took) < 3 or time.perf_counter() < end:
            _wait(device)
            began = time.perf_counter()
            product()
            _wait(device)
            took.append(time.perf_counter() - began)
    return min(took)


def _wait(device: Device) -> None:
    """Until the device has done what it was told."""
    if device.target.type == "cuda":
        torch.cuda.synchronize(device.target)
    elif device.target.type == "mps":
        torch.mps.synchronize()


def _read(path: Path) -> dict[str, float]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, float])
    except (OSError, msgspec.DecodeError):
        return {}
