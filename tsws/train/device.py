"""The machine that trains: device, arithmetic, threads."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from tsws.errors import TrainError


@dataclass(frozen=True)
class Device:
    """A device and the arithmetic to use on it."""

    target: torch.device
    dtype: torch.dtype
    """Of the forward and backward pass; weights and optimizer stay in float32."""

    def autocast(self) -> AbstractContextManager[object]:
        """The context of a forward pass."""
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.target.type, dtype=self.dtype)


def prepare_device(name: str, dtype: str, threads: int | None) -> Device:
    """Choose the device and set the process up for it, so that the same steps give the same bits.

    Args:
        name: ``auto`` (the first of CUDA, MPS, CPU), ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        dtype: ``float32`` or ``bfloat16``.
        threads: for the CPU; None leaves torch's choice, which is all cores.

    Raises:
        TrainError: there is no such device here.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    device = find_device(name)
    torch.set_float32_matmul_precision("high" if device.type == "cuda" else "highest")
    if device.type == "cuda":
        # cuBLAS gives the same bits again only with a fixed workspace; it reads this when it starts.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a kernel each, and nobody reads it
    return Device(device, getattr(torch, dtype))


def find_device(name: str) -> torch.device:
    """The device of a name; ``auto`` is the first of CUDA, MPS and CPU.

    Raises:
        TrainError: there is no such device here.
    """
    if name == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        return torch.device(kind)
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, ValueError) as error:  # torch's ways to say that it is not there
        raise TrainError(
            f"device {name!r} can not be used here: {str(error).splitlines()[0]}",
            hint='choose `device = "auto"` or "cpu"',
        ) from error
    return device
