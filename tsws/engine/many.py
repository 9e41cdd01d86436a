"""Many stories side by side: when one ends, the next takes its stream."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from ctypes import c_float, c_void_p
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tsws.engine.bindings import BOS
from tsws.engine.streams import Batch, Sampler, Tokenizer

Stop = Literal["story", "steps", "context"]
_RESTS = -1
_FLOATS = ctypes.POINTER(c_float)
_FLOAT_BYTES = 4


@dataclass(frozen=True)
class Story:
    """A story that was told."""

    prompt: str
    text: str
    """The prompt included."""
    tokens: tuple[int, ...]
    """Ids: BOS, the prompt's, the story's."""
    prompt_tokens: int
    """How many of them were given."""
    seed: int
    stop: Stop
    """``story``: the model would begin the next one; ``steps``: no more were asked for; ``context``: it is full."""


@dataclass(frozen=True)
class Wish:
    """A story that is to be told."""

    prompt: str
    tokens: Sequence[int]
    """Of the prompt, BOS first."""
    seed: int


@dataclass
class _Told:
    """A story on its way through one stream."""

    index: int
    wish: Wish
    sampler: Sampler
    tokens: list[int] = field(default_factory=lambda: [BOS])

    def advance(self, logits: int, steps: int) -> bool:
        """Go on by one token, given the address of the scores; whether the story goes on from there."""
        given = len(self.tokens) < len(self.wish.tokens)
        token = self.wish.tokens[len(self.tokens)] if given else self.sampler.pick(ctypes.cast(logits, _FLOATS))
        if token != BOS:
            self.tokens.append(token)
        return token != BOS and len(self.tokens) <= steps


def tell_many(
    model: c_void_p,
    tokenizer: Tokenizer,
    wishes: Sequence[Wish],
    *,
    vocab_size: int,
    steps: int,
    is_context: bool,
    sampler: Callable[[int], Sampler],
    threads: int,
    at_once: int,
    pretty: bool,
) -> list[Story]:
    """Tell all stories, in their order.

    Args:
        model: a ``tsws_model``.
        tokenizer: the model's.
        wishes: what to tell.
        vocab_size: the model's.
        steps: tokens at most, BOS not counted.
        is_context: whether that is the model's context.
        sampler: makes one from a seed.
        threads: of the batch; 0: as many as make it faster.
        at_once: streams at most.
        pretty: show ``<unk>`` as a newline where the vocabulary has none.
    """
    if not wishes:
        return []
    width = min(at_once, len(wishes))
    waiting = iter(enumerate(wishes))
    stories: list[Story | None] = [None] * len(wishes)
    with ExitStack() as stack:
        batch = stack.enter_context(Batch(model, width, steps, threads))
        streams: list[_Told | None] = [None] * width

        def begin(stream: int) -> None:
            index, wish = next(waiting, (0, None))
            streams[stream] = None if wish is None else _Told(index, wish, sampler(wish.seed))
            batch.reset(stream)

        @stack.callback
        def close_samplers() -> None:  # of the stories that an error has cut off
            for told in streams:
                if told is not None:
                    told.sampler.close()

        for stream in range(width):
            begin(stream)
        while any(streams):
            next_tokens = np.array([told.tokens[-1] if told else _RESTS for told in streams], dtype=np.int32)
            scores = batch.step(next_tokens)
            for stream, told in enumerate(streams):
                if told is None or told.advance(scores + stream * vocab_size * _FLOAT_BYTES, steps):
                    continue
                told.sampler.close()
                stories[told.index] = _story(told, tokenizer, steps, is_context=is_context, pretty=pretty)
                begin(stream)
    return [story for story in stories if story is not None]


def _story(told: _Told, tokenizer: Tokenizer, steps: int, *, is_context: bool, pretty: bool) -> Story:
    full: Stop = "context" if is_context else "steps"
    return Story(
        prompt=told.wish.prompt,
        text=tokenizer.decode(told.tokens, pretty=pretty),
        tokens=tuple(told.tokens),
        prompt_tokens=min(len(told.wish.tokens), len(told.tokens)),
        seed=told.wish.seed,
        stop=full if len(told.tokens) > steps else "story",
    )
