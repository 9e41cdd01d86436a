"""Letting a model tell a story with torch: samples during training, and ``generate --engine torch``."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from tsws.model.generate import Storyteller

_PRINTABLE = frozenset(range(0x20, 0x7F)) | frozenset(b"\t\n\v\f\r")
"""Lone bytes that llama2.c's ``run`` prints."""
SAMPLE_TOKENS = 200
"""Length of a sample story: enough to see whether it holds together."""


def teller(tokenizer: Path, prompt: str, *, seed: int) -> Callable[[nn.Module], str] | None:
    """A function that lets a model tell a story beginning with ``prompt``; None without a prompt.

    Args:
        tokenizer: in llama2.c's format.
        prompt: how the story begins.
        seed: of the sampling.
    """
    if not prompt:
        return None

    def tell(model: nn.Module) -> str:
        from tsws.model.generate import Storyteller

        if not isinstance(model, Storyteller):  # a plugin's, of an architecture that tells nothing
            return ""
        with _one_thread():
            return "".join(story(model, tokenizer, prompt, temperature=0.8, top_p=0.9, steps=SAMPLE_TOKENS, seed=seed))

    return tell


@contextmanager
def _one_thread() -> Iterator[None]:
    """A token at a time is too little to share out: several threads would mostly wait for each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def story(
    model: Storyteller, tokenizer: Path, prompt: str, *, temperature: float, top_p: float, steps: int, seed: int
) -> Iterator[str]:
    """A story, piece by piece, the prompt included.

    Args:
        model: with its weights.
        tokenizer: in llama2.c's format.
        prompt: how the story begins.
        temperature: 0 takes the likeliest token every time.
        top_p: sample from the likeliest tokens of so much probability.
        steps: tokens at most; 0: as many as the context holds.
        seed: of the sampling.
    """
    from tsws.model.generate import generate
    from tsws.text.llama2c_tokenizer import BOS_ID, Llama2cTokenizer

    words = Llama2cTokenizer.load(tokenizer, model.config.vocab_size)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    previous = BOS_ID
    for token in generate(model, words.encode(prompt), temperature=temperature, top_p=top_p, steps=steps, seed=seed):
        yield decoder.decode(_shown(words.decode_piece(previous, token)))
        previous = token
    yield decoder.decode(b"", final=True)


def _shown(piece: bytes) -> bytes:
    """What ``run`` prints of a piece: all of it, but nothing of a lone byte that is not printable."""
    return piece if len(piece) != 1 or piece[0] in _PRINTABLE else b""
