"""Rotary positions, and causal self-attention with or without a cache."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsws.model.config import LlamaConfig

_QUICK_HEAD_SIZE = 16
"""torch's CPU kernel for attention takes longer for narrower heads than for these, so they get channels of zeros: no
product changes, and a step of a 64-wide model with 8 heads takes a tenth less."""


@dataclass
class KVCache:
    """Keys and values of the tokens seen so far, for one token at a time."""

    keys: Tensor  # (n_layers, batch, n_kv_heads, max_seq_len, head_size)
    values: Tensor  # (n_layers, batch, n_kv_heads, max_seq_len, head_size)
    length: int = 0
    """Positions that are filled."""


def rotary_angles(config: LlamaConfig) -> tuple[Tensor, Tensor]:
    """Cosine and sine of every position's angles, each ``(max_seq_len, head_size / 2)`` (arXiv:2104.09864).

    Computed by the very operations that made the tables of published llama2.c files, so that theirs can be
    written again to the byte.
    """
    exponents = torch.arange(0, config.head_size, 2).float() / config.head_size
    frequencies = 1.0 / (config.rope_theta**exponents)
    angles = torch.outer(torch.arange(config.max_seq_len).float(), frequencies)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn neighbouring channels ``(2i, 2i + 1)`` of each head by their position's angle.

    Args:
        x: ``(batch, seq, heads, head_size)``.
        cos, sin: ``(seq, head_size / 2)``.
    """
    even, odd = x.float().view(*x.shape[:-1], -1, 2).unbind(-1)  # each (batch, seq, heads, head_size / 2)
    cos, sin = cos[:, None], sin[:, None]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2).type_as(x)


class Attention(nn.Module):
    """Causal self-attention in which groups of query heads share a key/value head (arXiv:2305.13245)."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.head_size = config.head_size
        self.groups = config.n_heads // config.n_kv_heads
        self.dropout = config.dropout
        self.wq = nn.Linear(config.dim, config.dim, bias=False)
        self.wk = nn.Linear(config.dim, config.kv_dim, bias=False)
        self.wv = nn.Linear(config.dim, config.kv_dim, bias=False)
        self.wo = nn.Linear(config.dim, config.dim, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: KVCache | None = None, layer: int = 0) -> Tensor:
        """``(batch, seq, dim)`` to ``(batch, seq, dim)``.

        With a cache the new tokens follow the cached ones, whose number is ``cache.length``; they are added to it.
        """
        heads = (*x.shape[:2], -1, self.head_size)
        q = rotate(self.wq(x).view(heads), cos, sin).transpose(1, 2)  # (batch, n_heads, seq, head_size)
        k = rotate(self.wk(x).view(heads), cos, sin).transpose(1, 2)  # (batch, n_kv_heads, seq, head_size)
        v = self.wv(x).view(heads).transpose(1, 2)
        past = 0
        if cache is not None:
            past, end = cache.length, cache.length + x.shape[1]
            cache.keys[layer, :, :, past:end] = k
            cache.values[layer, :, :, past:end] = v
            k, v = cache.keys[layer, :, :, :end], cache.values[layer, :, :, :end]
        mixed = attend(
            q,
            _repeat(k, self.groups),
            _repeat(v, self.groups),
            past=past,
            dropout=self.dropout if self.training else 0.0,
        )  # (batch, n_heads, seq, head_size)
        out: Tensor = self.wo(mixed.transpose(1, 2).flatten(2))
        return functional.dropout(out, self.dropout, self.training)


def attend(q: Tensor, k: Tensor, v: Tensor, *, past: int, dropout: float) -> Tensor:
    """Causal attention in which the queries are those of the last positions.

    Args:
        q: ``(batch, heads, seq, head_size)``.
        k, v: ``(batch, heads, past + seq, head_size)``.
        past: positions before the first query's.
        dropout: rate on the attention weights.

    Returns:
        ``(batch, heads, seq, head_size)``.
    """
    head_size = q.shape[-1]
    if q.device.type == "cpu" and head_size < _QUICK_HEAD_SIZE:
        q, k, v = (functional.pad(x, (0, _QUICK_HEAD_SIZE - head_size)) for x in (q, k, v))
    mixed = functional.scaled_dot_product_attention(
        q,
        k,
        v,
        attn_mask=None if past == 0 else _causal_mask(q.shape[2], past, q.device),
        dropout_p=dropout,
        is_causal=past == 0,
        scale=head_size**-0.5,
    )
    return mixed[..., :head_size]


def _repeat(x: Tensor, groups: int) -> Tensor:
    """``(batch, n_kv_heads, seq, head_size)`` to ``(batch, n_kv_heads * groups, seq, head_size)``: each head in a row."""
    return x if groups == 1 else x.repeat_interleave(groups, dim=1)


def _causal_mask(seq: int, past: int, device: torch.device) -> Tensor:
    """``(seq, past + seq)``, true where a query may look."""
    return torch.ones(seq, past + seq, dtype=torch.bool, device=device).tril(past)
