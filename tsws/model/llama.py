"""The Llama that llama2.c's format holds: RMSNorm, rotary positions, grouped queries, SwiGLU.

Parameters carry the names of Meta's and llama2.c's checkpoints (``layers.0.attention.wq.weight``...).
In shapes: ``batch`` rows of ``seq`` tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsws.model.attention import Attention, KVCache, rotary_angles
from tsws.model.config import LlamaConfig

INIT_STD = 0.02
IGNORED_TARGET = -1
"""A target that counts for nothing in the loss."""


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
