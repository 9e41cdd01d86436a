"""What the weights of a run depend on of its model's table, and how large they are."""

from __future__ import annotations

from typing import Any

from tsws.manifest.identity import identity_fields
from tsws.manifest.specs import ModelSpec
from tsws.model.config import LlamaConfig

LLAMA = "llama"
"""The architecture whose models can tell stories here."""
_USUAL_VOCABULARY = 512
"""Pieces, for an estimate made before the tokenizer is known."""
_NOT_OF_THE_WEIGHTS = {"source", "tokenizer", "path", "sha256"}
"""Fields of a model table that only a finished model has."""


def model_fields(model: ModelSpec) -> dict[str, Any]:
    """The fields of a model table that its weights depend on."""
    fields = {key: value for key, value in identity_fields(model).items() if key not in _NOT_OF_THE_WEIGHTS}
    if fields["dropout"] is None and model.arch == LLAMA:
        fields["dropout"] = 0.0
    return fields


def sizes_of(model: ModelSpec, vocab_size: int | None) -> LlamaConfig:
    """The sizes of a model; of another architecture than a Llama those of one that is alike, the same each time.

    Args:
        model: its table.
        vocab_size: pieces of its tokenizer; None: not known yet.
    """
    fields = model_fields(model)
    if model.arch != LLAMA:  # its heads may be such as no Llama can have
        fields |= {"n_heads": 1, "n_kv_heads": 1, "dim": model.dim + model.dim % 2}
    return LlamaConfig.from_fields({**fields, "vocab_size": model.vocab_size or vocab_size or _USUAL_VOCABULARY})
