"""Which arithmetic trains a model here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from tsws.engine.shared import shared_library
from tsws.engine.source import amalgamate_training, native_folder
from tsws.errors import BuildError, TrainError
from tsws.model.llama import Llama
from tsws.train.device import Device
from tsws.train.gradients import Gradients, TorchGradients
from tsws.train.muon import Polar
from tsws.train.native import NativeGradients
from tsws.train.native_polar import NativePolar

NATIVE_FLAGS = ("-ffp-contract=fast",)
"""A product and the sum that it goes into are rounded once, as the processor's fused instruction does."""


def choose_gradients(model: nn.Module, device: Device, engine: str, say: Callable[[str], None]) -> Gradients:
    """The arithmetic to train with.

    Args:
        model: on its device.
        device: with the dtype of products.
        engine: ``native``, ``torch``, or ``auto``: native where it can train the model and a C compiler is there.
        say: hears why the quicker one is not taken.

    Raises:
        BuildError: the native one was asked for by name and can not be compiled.
        TrainError: it was asked for by name and can not train this model.
    """
    if engine == "torch":
        return TorchGradients(model, device, say)
    if not isinstance(model, Llama) or model.config.dropout or device.target.type != "cpu":
        if engine == "native":
            raise TrainError(
                "the native engine trains Llamas without dropout on the CPU, and this run is none",
                hint='choose `engine = "auto"` or "torch"',
            )
        return TorchGradients(model, device, say)
    try:
        library = training_library()
    except BuildError as error:
        if engine == "native":
            raise
        say(f"training with torch, which is slower here: {error.message}")
        return TorchGradients(model, device, say)
    return NativeGradients(model, library, threads=torch.get_num_threads(), bfloat16=device.dtype == torch.bfloat16)


def choose_polar(gradients: Gradients) -> Polar | None:
    """What makes Muon's updates orthogonal beside some gradients; None: torch."""
    if isinstance(gradients, NativeGradients):
        return NativePolar(gradients.library, gradients.threads)
    return None


def training_library() -> Path:
    """The compiled ``native/train``, from the cache or compiled now.

    Raises:
        BuildError: there is no C compiler, or it failed.
    """
    return shared_library("libtswstrain", amalgamate_training(native_folder()), flags=NATIVE_FLAGS)
