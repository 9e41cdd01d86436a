"""Models in this process: the native library, for streaming, batches and scoring."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import byref, c_void_p
from os import fspath
from pathlib import Path
from threading import Lock
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from tsws.engine import bindings
from tsws.engine.bindings import BOS, create, library
from tsws.engine.many import Story, Wish, tell_many
from tsws.engine.model_info import ModelInfo
from tsws.engine.scoring import score_tokens
from tsws.engine.seeds import usable_seed
from tsws.engine.streams import Floats, Sampler, Session, Tokenizer, as_tokens
from tsws.errors import UsageError

__all__ = ["Model", "ModelInfo", "Precision", "Story"]

Precision = Literal["stored", "float32", "int8"]
_PRECISIONS: dict[str, int] = {"stored": bindings.STORED, "float32": bindings.FLOAT32, "int8": bindings.INT8}


class Model:
    """A model file that is open for playing and scoring. Use :meth:`open`.

    >>> with Model.open("model.bin", "tokenizer.bin") as model:
    ...     for piece in model.generate("Once upon a time", seed=7):
    ...         print(piece, end="")
    ...     stories = model.generate_many(["Once", "One day"], seed=7)
    ...     loss = -model.score("Once upon a time").mean()

    All methods may be called from several threads at once: each call has a stream of its own, and Python's lock is
    free while the library computes.
    """

    def __init__(self, handle: c_void_p, tokenizer: Tokenizer | None, *, exact: bool, threads: int) -> None:
        self._handle = handle
        self._tokenizer = tokenizer
        self._exact = exact
        self._threads = threads
        self._lock = Lock()
        self._users = 0
        self._closed = False
        self.info = ModelInfo.of(handle)
        """What it is, and how it is played."""

    @classmethod
    def open(
        cls,
        path: str | Path,
        tokenizer: str | Path | None = None,
        *,
        precision: Precision = "stored",
        exact: bool = False,
        threads: int = 0,
        kernels: str | None = None,
    ) -> Model:
        """Open a ``model.bin`` of llama2.c, version 0, 1 or 2. The first call on a machine compiles the library.

        Args:
            path: the model.
            tokenizer: its tokenizer's ``.bin``; without one only tokens can be scored.
            precision: of the arithmetic; ``stored`` is what the file has.
            exact: sum in llama2.c's order: slower, the same to the bit on all machines.
            threads: for each stream; 0: as many as make it faster. The results are the same.
            kernels: arithmetic by name (``portable``), for measurements.

        Raises:
            FormatError: a file is broken, or the tokenizer is not the model's.
            BuildError: the library can not be compiled.
            UsageError: an option is not possible here.
        """
        if precision not in _PRECISIONS:
            raise UsageError(f"unknown precision {precision!r}", hint=f"choose one of {', '.join(_PRECISIONS)}")
        options = bindings.ModelOptions(_PRECISIONS[precision], exact, kernels.encode() if kernels else None)
        handle = create("tsws_model_open", fspath(path).encode(errors="surrogateescape"), byref(options))
        found: Tokenizer | None = None
        try:
            if tokenizer is not None:
                found, error = Tokenizer(Path(tokenizer)), bindings.Error()
                bindings.check(library().tsws_tokenizer_check(found.handle, handle, byref(error)), error)
        except BaseException:
            if found is not None:
                found.close()
            library().tsws_model_close(handle)
            raise
        return cls(handle, found, exact=exact, threads=threads)

    def close(self) -> None:
        """Give its memory back, once calls that are on their way have ended. Twice does no harm."""
        with self._lock:
            self._closed = True
        self._free_when_unused()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_closed"):
            self.close()

    def encode(self, text: str) -> list[int]:
        """BOS and the tokens of a text, as in training.

        Raises:
            UsageError: the model was opened without a tokenizer, or is closed.
        """
        with self._in_use():
            return self._text().encode(text)

    def decode(self, tokens: Sequence[int], *, pretty: bool = False) -> str:
        """The text of tokens, the first of which (BOS) is not shown. Bytes that are no UTF-8 become U+FFFD."""
        with self._in_use():
            return self._text().decode(tokens, pretty=pretty)

    def generate(
        self,
        prompt: str = "",
        *,
        temperature: float = 1.0,
        top_p: float = 0.9,
        steps: int = 256,
        seed: int | None = None,
        pretty: bool = False,
    ) -> Iterator[str]:
        """A story, piece by piece as it is told, the prompt included: what llama2.c's ``run`` prints for this seed.

        Args:
            prompt: how it begins.
            temperature: 0 takes the likeliest token every time.
            top_p: sample from the likeliest tokens of so much probability; 0 or 1: from all.
            steps: tokens at most; 0: as many as the context holds.
            seed: of the sampling; None: another story each time.
            pretty: show ``<unk>`` as a newline where the vocabulary has none.

        Raises:
            UsageError: a number is out of its range, or there is no tokenizer.
        """
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        with self._in_use():
            tokenizer, previous = self._text(), BOS
            for token in self._tokens(prompt, temperature, top_p, steps, usable_seed(seed)):
                if text := decoder.decode(tokenizer.piece(previous, token, pretty=pretty)):
                    yield text
                previous = token
        if text := decoder.decode(b"", final=True):
            yield text

    def generate_many(
        self,
        prompts: Sequence[str],
        *,
        temperature: float = 1.0,
        top_p: float = 0.9,
        steps: int = 256,
        seed: int | None = None,
        pretty: bool = False,
        at_once: int = 32,
    ) -> list[Story]:
        """A story for each prompt, told side by side: much faster than one after another.

        Story ``i`` is what :meth:`generate` tells for prompt ``i`` and ``seed + i``.

        Args:
            prompts: how the stories begin; any number.
            temperature, top_p, steps, seed, pretty: see :meth:`generate`.
            at_once: streams; each has keys and values of its own.

        Raises:
            UsageError: as :meth:`generate`.
        """
        if at_once < 1:
            raise UsageError(f"{at_once} streams can tell no story", hint="choose at_once from 1")
        first = usable_seed(seed)
        with self._in_use() as handle:
            tokenizer = self._text()
            wishes = [
                Wish(prompt, tokenizer.encode(prompt), usable_seed(first + index))
                for index, prompt in enumerate(prompts)
            ]
            return tell_many(
                handle,
                tokenizer,
                wishes,
                vocab_size=self.info.vocab_size,
                steps=self._limit(steps),
                is_context=self._limit(steps) == self.info.max_seq_len,
                sampler=lambda seed: self._sampler(temperature, top_p, seed),
                threads=self._threads,
                at_once=at_once,
                pretty=pretty,
            )

    def logits(self, tokens: Sequence[int] | npt.NDArray[np.integer]) -> Floats:
        """The scores of what may follow each token, given those before it, (count, vocab_size).

        Args:
            tokens: ids, BOS first; as many as the context holds at most.

        Raises:
            UsageError: an id outside the vocabulary, or none.
            TswsError: more tokens than the context holds.
        """
        with self._in_use() as handle, self._session(handle, 0) as session:
            return session.logits(as_tokens(tokens))

    def score(self, text: str | Sequence[int] | npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
        """The log-probability in nats of each token after the first, given those before it, (count - 1,).

        A text longer than the context is scored in windows that overlap by half a context.

        Args:
            text: a text, or ids, BOS first.

        Raises:
            UsageError: an id outside the vocabulary, or no tokenizer for a text.
        """
        tokens = as_tokens(self.encode(text) if isinstance(text, str) else text)
        with self._in_use() as handle:
            return score_tokens(tokens, self.info.max_seq_len, lambda positions: self._session(handle, positions))

    def _tokens(self, prompt: str, temperature: float, top_p: float, steps: int, seed: int) -> Iterator[int]:
        """What follows BOS: the prompt, then what is sampled, until the next story would begin."""
        given, limit = self._text().encode(prompt), self._limit(steps)
        with self._session(self._handle, limit) as session, self._sampler(temperature, top_p, seed) as sampler:
            for token in given[1 : limit + 1]:
                if token == BOS:
                    return
                yield token
            if len(given) > limit:
                return
            logits = session.take(as_tokens(given))
            for position in range(len(given), limit + 1):
                token = sampler.pick(logits)
                if token == BOS:
                    return
                yield token
                if position < limit:
                    logits = session.step(token)

    def _limit(self, steps: int) -> int:
        if steps < 0:
            raise UsageError(
                f"a story can not have {steps} tokens", hint="choose steps from 0, which means the context"
            )
        return min(steps or self.info.max_seq_len, self.info.max_seq_len)

    def _session(self, handle: c_void_p, max_positions: int) -> Session:
        return Session(handle, self.info.vocab_size, max_positions, self._threads)

    def _sampler(self, temperature: float, top_p: float, seed: int) -> Sampler:
        return Sampler(self.info.vocab_size, temperature=temperature, top_p=top_p, seed=seed, exact=self._exact)

    def _text(self) -> Tokenizer:
        if self._tokenizer is None:
            raise UsageError(
                "this model was opened without a tokenizer", hint="give Model.open the tokenizer's .bin as well"
            )
        return self._tokenizer

    @contextmanager
    def _in_use(self) -> Iterator[c_void_p]:
        """The handle, which stays until the block has ended."""
        with self._lock:
            if self._closed:
                raise UsageError("the model is closed", hint="open it again, or close it later")
            self._users += 1
        try:
            yield self._handle
        finally:
            with self._lock:
                self._users -= 1
            self._free_when_unused()

    def _free_when_unused(self) -> None:
        with self._lock:
            if not self._closed or self._users or not self._handle:
                return
            handle, self._handle = self._handle, c_void_p()
        if self._tokenizer is not None:
            self._tokenizer.close()
        library().tsws_model_close(handle)
