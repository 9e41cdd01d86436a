"""What a model file holds, and how the native library plays it."""

from __future__ import annotations

from ctypes import c_void_p
from dataclasses import dataclass, fields
from typing import Literal

from tsws.engine.bindings import INT8, library


@dataclass(frozen=True)
class ModelInfo:
    """What a model is, and how it is played."""

    version: int
    """Of llama2.c's file format: 0, 1 or 2."""
    dim: int
    hidden_dim: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    vocab_size: int
    max_seq_len: int
    """The context, in tokens."""
    shared_classifier: bool
    group_size: int
    """Weights of the file that share a scale; 0: it has floats."""
    parameters: int
    precision: Literal["float32", "int8"]
    """Of the arithmetic."""
    kernels: str
    """Name of the arithmetic."""
    weight_bytes: int
    """Memory that the weights take as they are laid out."""

    @classmethod
    def of(cls, model: c_void_p) -> ModelInfo:
        """The description of an open ``tsws_model``."""
        told = library().tsws_model_describe(model)
        values = {one.name: getattr(told, one.name) for one in fields(cls)}
        precision = "int8" if told.precision == INT8 else "float32"
        return cls(**{**values, "precision": precision, "kernels": told.kernels.decode()})
