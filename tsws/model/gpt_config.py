"""The sizes of a GPT, checked; pure arithmetic, so that planning needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsws.errors import FormatError
from tsws.model.config import NORM_EPS

DROPOUT = 0.1
"""Where none is given."""
WIDENING = 4
"""The feed-forward layer's width, in ``dim``, where none is given."""

_SIZES = ("dim", "n_layers", "n_heads", "hidden_dim", "vocab_size", "max_seq_len")


@dataclass(frozen=True)
class GPTConfig:
    """A GPT's architecture.

    Raises:
        FormatError: the sizes do not fit together.
    """

    dim: int
    """Width of the residual stream."""
    n_layers: int
    """Number of transformer blocks."""
    n_heads: int
    """Number of heads; divides ``dim``."""
    hidden_dim: int
    """Width of the feed-forward layer."""
    vocab_size: int
    """Number of tokens."""
    max_seq_len: int
    """Context length, in tokens: every place has a vector of its own."""
    norm_eps: float = NORM_EPS
    """Epsilon of LayerNorm."""
    dropout: float = DROPOUT
    """Dropout rate in training."""
    tie_embeddings: bool = True
    """The classifier shares the embedding's weights."""

    def __post_init__(self) -> None:
        for name in _SIZES:
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise FormatError(
                    f"model: {name} is {value!r}; it has to be a whole number of at least 1",
                    hint=f"choose {name} as one, such as 64",
                )
        if self.dim % self.n_heads:
            raise FormatError(
                f"model: dim {self.dim} can not be divided among {self.n_heads} heads",
                hint="choose dim as a multiple of n_heads",
            )
        if not 0 <= self.dropout < 1:
            raise FormatError(
                f"model: dropout is {self.dropout}; it has to be at least 0 and below 1",
                hint=f"leave it out for {DROPOUT}",
            )

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> GPTConfig:
        """The config of a manifest's model table, or of a weights file's metadata.

        Keys that are missing or None take their default; keys that are not a GPT's are passed over.

        Raises:
            FormatError: a size is missing, sizes do not fit together, or heads are to share keys and values.
        """
        given = {key: value for key, value in fields.items() if value is not None}
        for name in ("dim", "n_layers", "n_heads", "vocab_size", "max_seq_len"):
            if name not in given:
                raise FormatError(f"model: {name} is missing", hint=f"give the model a {name}")
        if given.get("n_kv_heads", given["n_heads"]) != given["n_heads"]:
            raise FormatError(
                f"model: {given['n_heads']} heads are to share {given['n_kv_heads']} keys and values, and a GPT's do not",
                hint='leave out n_kv_heads, or choose arch = "llama"',
            )
        given.setdefault("hidden_dim", WIDENING * given["dim"])
        return cls(**{name: given[name] for name in cls.__dataclass_fields__ if name in given})

    @property
    def head_size(self) -> int:
        """Width of one head."""
        return self.dim // self.n_heads
