"""Telling stories with PyTorch, token by token, as llama2.c's ``run`` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tsws.errors import FormatError
from tsws.model.attention import KVCache
from tsws.model.sampler import Sampler, XorShift

BOS = 1
"""Begins every story; when the model says it, the story is over."""


@runtime_checkable
class Storyteller(Protocol):
    """What a model has to have, being a ``torch.nn.Module``, to tell stories here. A Llama and a GPT have it."""

    config: Any
    """With ``vocab_size`` and ``max_seq_len``."""

    def empty_cache(self, batch: int = 1) -> KVCache:
        """Room for ``max_seq_len`` tokens."""

    def extend(self, tokens: Tensor, cache: KVCache) -> Tensor:
        """Logits ``(batch, vocab_size)`` after more tokens, int64 ``(batch, seq)``, which the cache takes in."""

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """As ``torch.nn.Module``."""

    def train(self, mode: bool = True) -> Any:
        """As ``torch.nn.Module``."""

    training: bool


def generate(
    model: Storyteller,
    prompt_tokens: Sequence[int],
    *,
    temperature: float = 1.0,
    top_p: float = 0.9,
    steps: int = 0,
    seed: int = 1,
) -> Iterator[int]:
    """The tokens of a story as they come: first the prompt's (without the BOS before it), then the model's own.

    The story ends before a BOS, or after ``steps`` tokens, a long prompt's own among them. A model's
    training flag, its weights and torch's generators stay as they are.

    Args:
        model: the model; its device is used.
        prompt_tokens: token ids, of which the first is BOS.
        temperature: 0 always takes the likeliest token; 1 the probabilities as they are.
        top_p: chooses among the likeliest tokens that together have this probability; 0 or 1: among all.
        steps: the largest number of tokens; 0 or more than the context means the context.
        seed: of the choice, above 0; unused at temperature 0.

    Raises:
        FormatError: the prompt is empty, or holds a token that the model does not know.
    """
    vocab_size = model.config.vocab_size
    if not prompt_tokens:
        raise FormatError("the prompt has no tokens", hint="begin it with BOS (id 1)")
    if not all(0 <= token < vocab_size for token in prompt_tokens):
        raise FormatError(
            f"the prompt holds a token outside the model's vocabulary of {vocab_size}",
            hint="use the tokenizer that the model was trained with",
        )
    return _tokens(model, list(prompt_tokens), Sampler(temperature, top_p, XorShift(seed)), steps)


def _tokens(model: Storyteller, prompt: list[int], sampler: Sampler, steps: int) -> Iterator[int]:
    limit = model.config.max_seq_len
    if 0 < steps < limit:
        limit = steps
    given = prompt[1 : limit + 1]
    if BOS in given:
        yield from given[: given.index(BOS)]
        return
    yield from given
    cache = model.empty_cache()
    seen = prompt[: limit + 1]
    for _ in range(limit - len(given)):
        token = sampler.choose(_next_logits(model, seen[cache.length :], cache))
        if token == BOS:
            return
        seen.append(token)
        yield token


def _next_logits(model: Storyteller, tokens: list[int], cache: KVCache) -> NDArray[np.float32]:
    """Logits ``(vocab_size,)`` after some more tokens."""
    training = model.training
    if training:  # to say so to every part costs as much as a layer
        model.train(False)
    try:
        row = torch.tensor([tokens], device=next(model.parameters()).device)  # (1, seq)
        return model.extend(row, cache)[0].float().cpu().numpy()
    finally:
        if training:
            model.train(training)
