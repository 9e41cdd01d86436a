"""A finished model as something that predicts and tells: by the native library, or by torch where there is no compiler."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

from tsws.errors import BuildError, UsageError
from tsws.plugin import Plugins
from tsws.report.stories import ToldStory, readable
from tsws.text.llama2c_tokenizer import Llama2cTokenizer
from tsws.workspace.playables import Playable
from tsws.workspace.torch_engine import choose_engine, load_model

if TYPE_CHECKING:
    from tsws.engine.library import Model

Engine = Literal["auto", "native", "torch"]
Tokens = npt.NDArray[np.integer]
_ROWS = 16
"""That torch computes at once."""


class Predictor(Protocol):
    """A model with its tokenizer."""

    engine: str
    max_seq_len: int
    vocab_size: int

    def nats(self, rows: Sequence[Tokens]) -> float:
        """What all tokens of some rows but their first took to predict, given those before them in the row.

        Args:
            rows: ids, each at most ``max_seq_len + 1``.
        """
        ...

    def encode(self, text: str) -> list[int]:
        """BOS and the tokens of a story."""
        ...

    def tell(
        self, prompt: str, *, count: int, temperature: float, top_p: float, steps: int, seed: int
    ) -> list[ToldStory]:
        """Stories with the seeds from ``seed`` on."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


def open_predictor(playable: Playable, engine: Engine, plugins: Plugins) -> closing[Predictor]:
    """Open a model; ``auto`` is native for llama2.c's models wherever a compiler is.

    Raises:
        BuildError: native is wanted, and can not be compiled.
        FormatError: a file is broken, or the tokenizer is not the model's.
        TswsError: nobody provides its architecture, or that tells no stories.
    """
    if choose_engine(playable, None if engine == "auto" else engine) == "torch":
        return closing(_Torch(playable, plugins))
    from tsws.engine.library import Model

    try:
        return closing(_Native(Model.open(playable.model, playable.tokenizer)))
    except BuildError:
        if engine == "native":
            raise
        return closing(_Torch(playable, plugins))


class _Native:
    """The native library."""

    engine = "native"

    def __init__(self, model: Model) -> None:
        self._model = model
        self.max_seq_len = model.info.max_seq_len
        self.vocab_size = model.info.vocab_size

    def nats(self, rows: Sequence[Tokens]) -> float:
        return -sum(float(self._model.score(row).sum()) for row in rows)

    def encode(self, text: str) -> list[int]:
        return self._model.encode(text)

    def tell(
        self, prompt: str, *, count: int, temperature: float, top_p: float, steps: int, seed: int
    ) -> list[ToldStory]:
        told = self._model.generate_many(
            [prompt] * count, temperature=temperature, top_p=top_p, steps=steps, seed=seed, pretty=True
        )
        return [ToldStory(story.text, len(story.tokens) - 1, story.stop == "story") for story in told]

    def close(self) -> None:
        self._model.close()


class _Torch:
    """The model in torch."""

    engine = "torch"

    def __init__(self, playable: Playable, plugins: Plugins) -> None:
        from tsws.model.generate import Storyteller

        model = load_model(playable, plugins)
        if not isinstance(model, Storyteller):
            raise UsageError(f"{playable.label} can not be evaluated: its architecture tells no stories")
        model.eval()
        self._model, self._forward = model, model.forward
        self._tokenizer = playable.tokenizer
        self.max_seq_len, self.vocab_size = model.config.max_seq_len, model.config.vocab_size
        self._words = Llama2cTokenizer.load(playable.tokenizer, self.vocab_size)

    def nats(self, rows: Sequence[Tokens]) -> float:
        import torch

        total = 0.0
        with torch.inference_mode():
            for first in range(0, len(rows), _ROWS):
                batch = torch.from_numpy(np.stack(rows[first : first + _ROWS]).astype(np.int64))
                _, loss = self._forward(batch[:, :-1], batch[:, 1:].contiguous())
                total += loss.item() * batch[:, 1:].numel()
        return total

    def encode(self, text: str) -> list[int]:
        return self._words.encode(text)

    def tell(
        self, prompt: str, *, count: int, temperature: float, top_p: float, steps: int, seed: int
    ) -> list[ToldStory]:
        from tsws.resources.telling import story

        limit = min(steps or self.max_seq_len, self.max_seq_len)
        found = []
        for number in range(count):
            pieces = list(
                story(
                    self._model,
                    self._tokenizer,
                    prompt,
                    temperature=temperature,
                    top_p=top_p,
                    steps=steps,
                    seed=seed + number,
                )
            )
            tokens = len(pieces) - 1  # the last one only ends the decoding
            found.append(ToldStory(readable("".join(pieces)), tokens, tokens < limit))
        return found

    def close(self) -> None:
        return
