"""The Llama that llama2.c's format holds: RMSNorm, rotary positions, grouped queries, SwiGLU.

Parameters carry the names of Meta's and llama2.c's checkpoints (``layers.0.attention.wq.weight``...).
In shapes: ``batch`` rows of ``seq`` tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsws.model.config import LlamaConfig

INIT_STD = 0.02
IGNORED_TARGET = -1
"""A target that counts for nothing in the loss."""
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


class RMSNorm(nn.Module):
    """Scale to a root mean square of one, then by a learned weight a channel (arXiv:1910.07467)."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """``(..., dim)`` to ``(..., dim)``, in float32 inside whatever the input is."""
        wide = x.float()
        scale = torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return (wide * scale * self.weight).type_as(x)


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


class FeedForward(nn.Module):
    """SwiGLU: a gated hidden layer (arXiv:2002.05202)."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.w1 = nn.Linear(config.dim, config.hidden_dim, bias=False)
        self.w2 = nn.Linear(config.hidden_dim, config.dim, bias=False)
        self.w3 = nn.Linear(config.dim, config.hidden_dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, seq, dim)`` to ``(batch, seq, dim)``."""
        out: Tensor = self.w2(functional.silu(self.w1(x)) * self.w3(x))
        return functional.dropout(out, self.dropout, self.training)


class Block(nn.Module):
    """One layer: attention, then feed-forward, each normalised before and added to the stream after."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.feed_forward = FeedForward(config)
        self.attention_norm = RMSNorm(config.dim, config.norm_eps)
        self.ffn_norm = RMSNorm(config.dim, config.norm_eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: KVCache | None = None, layer: int = 0) -> Tensor:
        """``(batch, seq, dim)`` to ``(batch, seq, dim)``."""
        x = x + self.attention(self.attention_norm(x), cos, sin, cache, layer)
        out: Tensor = x + self.feed_forward(self.ffn_norm(x))
        return out


class Llama(nn.Module):
    """The whole model, freshly initialised from torch's global generator."""

    cos: Tensor
    sin: Tensor

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.tok_embeddings = nn.Embedding(config.vocab_size, config.dim)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.norm = RMSNorm(config.dim, config.norm_eps)
        # A shared classifier is no parameter of its own, so that a state dict holds every number once.
        self.output = None if config.tie_embeddings else nn.Linear(config.dim, config.vocab_size, bias=False)
        cos, sin = rotary_angles(config)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        """Normal weights; those on the way back to the residual stream smaller, one part a layer and branch.

        As llama2.c trains: in the feed-forward layer it is ``w3`` that is smaller, which scales the branch as ``w2``
        would.
        """
        residual_std = INIT_STD / (2 * self.config.n_layers) ** 0.5
        for name, parameter in self.named_parameters():
            if parameter.dim() >= 2:
                is_residual = name.endswith(("wo.weight", "w3.weight"))
                nn.init.normal_(parameter, mean=0.0, std=residual_std if is_residual else INIT_STD)

    def forward(self, tokens: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Logits of every position, and the loss against ``targets``.

        Args:
            tokens: int64 ``(batch, seq)``, ``seq`` at most ``max_seq_len``.
            targets: int64 ``(batch, seq)``: the token that follows each position; -1 counts for nothing.

        Returns:
            logits ``(batch, seq, vocab_size)``, and the mean cross-entropy in nats a token (None without targets).
        """
        logits = self._logits(self._stream(tokens, None))
        if targets is None:
            return logits, None
        loss = functional.cross_entropy(
            logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED_TARGET
        )  # logits (batch * seq, vocab_size), targets (batch * seq)
        return logits, loss

    def empty_cache(self, batch: int = 1) -> KVCache:
        """Room for the keys and values of ``max_seq_len`` tokens."""
        config, weight = self.config, self.tok_embeddings.weight
        shape = (config.n_layers, batch, config.n_kv_heads, config.max_seq_len, config.head_size)
        return KVCache(keys=weight.new_zeros(shape), values=weight.new_zeros(shape))

    @torch.inference_mode()
    def extend(self, tokens: Tensor, cache: KVCache) -> Tensor:
        """Logits after the last of some more tokens.

        Args:
            tokens: int64 ``(batch, seq)``: what follows the tokens in the cache, which takes them in.
            cache: from :meth:`empty_cache`; ``cache.length + seq`` at most ``max_seq_len``.

        Returns:
            logits ``(batch, vocab_size)``.
        """
        stream = self._stream(tokens, cache)
        cache.length += tokens.shape[1]
        return self._logits(stream[:, -1])

    def _stream(self, tokens: Tensor, cache: KVCache | None) -> Tensor:
        """The normalised residual stream after the last layer, ``(batch, seq, dim)``."""
        start = cache.length if cache is not None else 0
        cos, sin = self.cos[start : start + tokens.shape[1]], self.sin[start : start + tokens.shape[1]]
        x = self.tok_embeddings(tokens)
        x = functional.dropout(x, self.config.dropout, self.training)
        for layer, block in enumerate(self.layers):
            x = block(x, cos, sin, cache, layer)
        out: Tensor = self.norm(x)
        return out

    def _logits(self, stream: Tensor) -> Tensor:
        """``(..., dim)`` to ``(..., vocab_size)``."""
        classifier = self.tok_embeddings.weight if self.output is None else self.output.weight
        return functional.linear(stream, classifier)
