"""The sizes of a Llama, checked; pure arithmetic, so that planning needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsws.errors import FormatError

DEFAULT_MULTIPLE_OF = 32
"""What the default ``hidden_dim`` is rounded up to, as in llama2.c's ``train.py``."""
NORM_EPS = 1e-5
"""Epsilon of RMSNorm that llama2.c's format implies."""
ROPE_THETA = 10000.0
"""Base of the rotary positions that llama2.c's format implies."""

_POSITIVE = ("dim", "n_layers", "n_heads", "n_kv_heads", "hidden_dim", "vocab_size", "max_seq_len")
_REQUIRED = ("dim", "n_layers", "n_heads", "vocab_size", "max_seq_len")


@dataclass(frozen=True)
class LlamaConfig:
    """A Llama's architecture: what a llama2.c model file's header holds, and what it implies.

    Raises:
        FormatError: the sizes do not fit together.
    """

    dim: int
    """Width of the residual stream."""
    n_layers: int
    """Number of transformer blocks."""
    n_heads: int
    """Number of query heads; divides ``dim`` into heads of even size."""
    n_kv_heads: int
    """Number of key/value heads; divides ``n_heads``."""
    hidden_dim: int
    """Width of the feed-forward layer."""
    vocab_size: int
    """Number of tokens."""
    max_seq_len: int
    """Context length, in tokens."""
    norm_eps: float = NORM_EPS
    """Epsilon of RMSNorm."""
    rope_theta: float = ROPE_THETA
    """Base of the rotary positions."""
    dropout: float = 0.0
    """Dropout rate in training."""
    tie_embeddings: bool = True
    """The classifier shares the embedding's weights."""

    def __post_init__(self) -> None:
        for name in _POSITIVE:
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
        if self.n_heads % self.n_kv_heads:
            raise FormatError(
                f"model: {self.n_heads} query heads can not share {self.n_kv_heads} key/value heads evenly",
                hint="choose n_kv_heads as a divisor of n_heads",
            )
        if self.head_size % 2:
            raise FormatError(
                f"model: dim {self.dim} over {self.n_heads} heads gives a head size of {self.head_size}, which is odd;"
                " rotary positions turn pairs",
                hint="choose dim as a multiple of twice n_heads",
            )
        if not self.norm_eps > 0 or not self.rope_theta > 0:
            raise FormatError(
                f"model: norm_eps ({self.norm_eps}) and rope_theta ({self.rope_theta}) have to be above 0",
                hint=f"leave them out to take llama2.c's, {NORM_EPS:g} and {ROPE_THETA:g}",
            )
        if not 0 <= self.dropout < 1:
            raise FormatError(
                f"model: dropout is {self.dropout}; it has to be at least 0 and below 1",
                hint="choose dropout in that range, such as 0.1, or leave it out",
            )

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> LlamaConfig:
        """The config of a manifest's model table, or of a weights file's metadata.

        Keys that are missing or None take their default; keys that are not a Llama's (``arch``, ``source``...)
        are passed over. ``n_kv_heads`` defaults to ``n_heads``, ``hidden_dim`` to :func:`default_hidden_dim`.

        Raises:
            FormatError: a size is missing, or sizes do not fit together.
        """
        given = {key: value for key, value in fields.items() if value is not None}
        for name in _REQUIRED:
            if name not in given:
                raise FormatError(f"model: {name} is missing", hint=f"give the model a {name}")
        multiple_of = given.get("multiple_of", DEFAULT_MULTIPLE_OF)
        given.setdefault("n_kv_heads", given["n_heads"])
        given.setdefault("hidden_dim", default_hidden_dim(given["dim"], multiple_of))
        return cls(**{name: given[name] for name in cls.__dataclass_fields__ if name in given})

    def to_fields(self) -> dict[str, Any]:
        """Every field by name: the inverse of :meth:`from_fields`."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def head_size(self) -> int:
        """Width of one head."""
        return self.dim // self.n_heads

    @property
    def kv_dim(self) -> int:
        """Width of all key (or value) heads together."""
        return self.head_size * self.n_kv_heads

    @property
    def parameter_count(self) -> int:
        """Number of trained numbers; shared embeddings count once."""
        attention = 2 * self.dim * self.dim + 2 * self.dim * self.kv_dim
        feed_forward = 3 * self.dim * self.hidden_dim
        layers = self.n_layers * (attention + feed_forward + 2 * self.dim)
        embeddings = self.vocab_size * self.dim * (1 if self.tie_embeddings else 2)
        return embeddings + layers + self.dim

    def flops_per_token(self, *, training: bool) -> float:
        """Floating-point operations a token at full context: the model's own, whatever the machine really does.

        A product with a weight costs 2 operations, attention 4 a layer, position and channel; a backward pass twice
        a forward one. The embedding look-up is free, its use as a classifier is not. Source: PaLM
        (arXiv:2204.02311), appendix B, as nanoGPT's ``estimate_mfu`` reads it.
        """
        lookups = 0 if self.tie_embeddings else self.vocab_size * self.dim
        forward = 2.0 * (self.parameter_count - lookups) + 4.0 * self.n_layers * self.dim * self.max_seq_len
        return 3.0 * forward if training else forward


def default_hidden_dim(dim: int, multiple_of: int = DEFAULT_MULTIPLE_OF) -> int:
    """Two thirds of four times ``dim``, rounded down, then up to a multiple: llama2.c's and Llama's rule."""
    wanted = 2 * 4 * dim // 3
    return -(-wanted // multiple_of) * multiple_of
