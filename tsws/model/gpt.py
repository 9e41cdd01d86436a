"""The GPT that most people build first: learned positions, LayerNorm, multi-head attention, a ReLU layer of four times the width.

Pre-norm, as GPT-2 has it. In shapes: ``batch`` rows of ``seq`` tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsws.model.attention import KVCache, attend
from tsws.model.gpt_config import GPTConfig
from tsws.model.llama import IGNORED_TARGET, INIT_STD


class MultiHeadAttention(nn.Module):
    """Causal self-attention, every head with keys and values of its own (arXiv:1706.03762)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.head_size = config.head_size
        self.dropout = config.dropout
        self.query = nn.Linear(config.dim, config.dim, bias=False)
        self.key = nn.Linear(config.dim, config.dim, bias=False)
        self.value = nn.Linear(config.dim, config.dim, bias=False)
        self.projection = nn.Linear(config.dim, config.dim)

    def forward(self, x: Tensor, cache: KVCache | None = None, layer: int = 0) -> Tensor:
        """``(batch, seq, dim)`` to ``(batch, seq, dim)``; a cache is read and extended as the Llama's."""
        heads = (*x.shape[:2], -1, self.head_size)
        q, k, v = (part(x).view(heads).transpose(1, 2) for part in (self.query, self.key, self.value))
        past = 0  # q, k, v (batch, n_heads, seq, head_size)
        if cache is not None:
            past, end = cache.length, cache.length + x.shape[1]
            cache.keys[layer, :, :, past:end] = k
            cache.values[layer, :, :, past:end] = v
            k, v = cache.keys[layer, :, :, :end], cache.values[layer, :, :, :end]
        mixed = attend(q, k, v, past=past, dropout=self.dropout if self.training else 0.0)
        out: Tensor = self.projection(mixed.transpose(1, 2).flatten(2))
        return functional.dropout(out, self.dropout, self.training)


class Block(nn.Module):
    """One layer: attention, then feed-forward, each normalised before and added to the stream after."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.dim, eps=config.norm_eps)
        self.attention = MultiHeadAttention(config)
        self.ffn_norm = nn.LayerNorm(config.dim, eps=config.norm_eps)
        self.feed_forward = nn.Sequential(
            nn.Linear(config.dim, config.hidden_dim),
            nn.ReLU(),
            nn.Linear(config.hidden_dim, config.dim),
            nn.Dropout(config.dropout),
        )

    def forward(self, x: Tensor, cache: KVCache | None = None, layer: int = 0) -> Tensor:
        """``(batch, seq, dim)`` to ``(batch, seq, dim)``."""
        x = x + self.attention(self.attention_norm(x), cache, layer)
        out: Tensor = x + self.feed_forward(self.ffn_norm(x))
        return out


class GPT(nn.Module):
    """The whole model, freshly initialised from torch's global generator."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.tok_embeddings = nn.Embedding(config.vocab_size, config.dim)
        self.positions = nn.Embedding(config.max_seq_len, config.dim)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.norm = nn.LayerNorm(config.dim, eps=config.norm_eps)
        # A shared classifier is no parameter of its own, so that a state dict holds every number once.
        self.output = None if config.tie_embeddings else nn.Linear(config.dim, config.vocab_size)
        self.apply(_initialise)

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
        shape = (config.n_layers, batch, config.n_heads, config.max_seq_len, config.head_size)
        return KVCache(keys=weight.new_zeros(shape), values=weight.new_zeros(shape))

    @torch.inference_mode()
    def extend(self, tokens: Tensor, cache: KVCache) -> Tensor:
        """Logits ``(batch, vocab_size)`` after the last of some more tokens, int64 ``(batch, seq)``; the cache takes them in."""
        stream = self._stream(tokens, cache)
        cache.length += tokens.shape[1]
        return self._logits(stream[:, -1])

    def _stream(self, tokens: Tensor, cache: KVCache | None) -> Tensor:
        """The normalised residual stream after the last layer, ``(batch, seq, dim)``."""
        start = cache.length if cache is not None else 0
        places = torch.arange(start, start + tokens.shape[1], device=tokens.device)
        x = self.tok_embeddings(tokens) + self.positions(places)
        for layer, block in enumerate(self.layers):
            x = block(x, cache, layer)
        out: Tensor = self.norm(x)
        return out

    def _logits(self, stream: Tensor) -> Tensor:
        """``(..., dim)`` to ``(..., vocab_size)``."""
        if self.output is None:
            return functional.linear(stream, self.tok_embeddings.weight)
        logits: Tensor = self.output(stream)
        return logits


def _initialise(module: nn.Module) -> None:
    """Normal weights, no biases."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, mean=0.0, std=INIT_STD)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
