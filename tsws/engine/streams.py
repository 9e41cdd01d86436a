"""The handles of the native library as objects that end with a ``with`` block."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import byref, c_float, c_int32, c_size_t, c_void_p
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from tsws.engine import bindings
from tsws.engine.bindings import BOS, check, create, library
from tsws.errors import UsageError

Tokens = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
_FLOATS = ctypes.POINTER(c_float)
_TOKENS = ctypes.POINTER(c_int32)
_LLAMA2C, _PRETTY = range(2)


class Owned:
    """A handle that is given back when its block ends, or by :meth:`close`; twice does no harm."""

    destroyer: ClassVar[str]

    def __init__(self, handle: c_void_p) -> None:
        self.handle = handle

    def close(self) -> None:
        """Give it back."""
        handle, self.handle = self.handle, c_void_p()
        getattr(library(), self.destroyer)(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Tokenizer(Owned):
    """A ``tsws_tokenizer``: read-only, for any number of threads."""

    destroyer = "tsws_tokenizer_close"

    def __init__(self, path: Path) -> None:
        super().__init__(create("tsws_tokenizer_open", bytes(path)))

    def encode(self, text: str) -> list[int]:
        """BOS and the tokens of a text."""
        data, error = text.encode("utf-8", errors="replace"), bindings.Error()
        capacity, count = library().tsws_tokenizer_bound(len(data)), c_size_t()
        tokens = (c_int32 * capacity)()
        status = library().tsws_tokenizer_encode(
            self.handle, data, len(data), tokens, capacity, byref(count), byref(error)
        )
        check(status, error)
        return list(tokens[: count.value])

    def piece(self, previous: int, token: int, *, pretty: bool) -> bytes:
        """What to show for a token; bytes, for a character may be made of several tokens."""
        piece = library().tsws_tokenizer_decode(self.handle, previous, token, _PRETTY if pretty else _LLAMA2C)
        return ctypes.string_at(piece.text, piece.length) if piece.length else b""

    def decode(self, tokens: Sequence[int], *, pretty: bool) -> str:
        """What to show for a run of tokens, the first of which is BOS or only the context."""
        pieces = (self.piece(*pair, pretty=pretty) for pair in pairwise(tokens))
        return b"".join(pieces).decode(errors="replace")


class Session(Owned):
    """A ``tsws_session``: one stream of tokens."""

    destroyer = "tsws_session_destroy"

    def __init__(self, model: c_void_p, vocab_size: int, max_positions: int, threads: int) -> None:
        options = bindings.SessionOptions(max_positions, threads)
        super().__init__(create("tsws_session_create", model, byref(options)))
        self._vocab_size = vocab_size
        self._last = _FLOATS()
        self._error = bindings.Error()

    def take(self, tokens: Tokens) -> ctypes._Pointer[c_float]:
        """Take tokens; the scores of what may follow the last, good until the next call."""
        status = library().tsws_session_take(
            self.handle, tokens.ctypes.data_as(_TOKENS), len(tokens), None, byref(self._last), byref(self._error)
        )
        check(status, self._error)
        return self._last

    def step(self, token: int) -> ctypes._Pointer[c_float]:
        """Take one token; the scores of what may follow it, good until the next call."""
        check(library().tsws_session_step(self.handle, token, byref(self._last), byref(self._error)), self._error)
        return self._last

    def logits(self, tokens: Tokens) -> Floats:
        """Take tokens; the scores of what may follow each, (count, vocab_size)."""
        rows = np.empty((len(tokens), self._vocab_size), dtype=np.float32)
        status = library().tsws_session_take(
            self.handle,
            tokens.ctypes.data_as(_TOKENS),
            len(tokens),
            rows.ctypes.data_as(_FLOATS),
            byref(self._last),
            byref(self._error),
        )
        check(status, self._error)
        return rows


class Batch(Owned):
    """A ``tsws_batch``: streams in step."""

    destroyer = "tsws_batch_destroy"

    def __init__(self, model: c_void_p, n_streams: int, max_positions: int, threads: int) -> None:
        options = bindings.SessionOptions(max_positions, threads)
        super().__init__(create("tsws_batch_create", model, n_streams, byref(options)))
        self._logits = _FLOATS()
        self._error = bindings.Error()

    def step(self, tokens: Tokens) -> int:
        """Take the next token of each stream, (n_streams,), negative for rest; the address of their scores."""
        status = library().tsws_batch_step(
            self.handle, tokens.ctypes.data_as(_TOKENS), byref(self._logits), byref(self._error)
        )
        check(status, self._error)
        return ctypes.addressof(self._logits.contents)

    def reset(self, stream: int) -> None:
        """Forget the tokens of one stream."""
        library().tsws_batch_reset(self.handle, stream)


class Sampler(Owned):
    """A ``tsws_sampler``: a source of random numbers for one stream."""

    destroyer = "tsws_sampler_destroy"

    def __init__(self, vocab_size: int, *, temperature: float, top_p: float, seed: int, exact: bool) -> None:
        options = bindings.SamplerOptions(temperature, top_p, seed, exact)
        super().__init__(create("tsws_sampler_create", vocab_size, options))

    def pick(self, logits: ctypes._Pointer[c_float]) -> int:
        """Choose the next token from scores."""
        token: int = library().tsws_sampler_pick(self.handle, logits)
        return token


def as_tokens(tokens: Sequence[int] | npt.NDArray[np.integer]) -> Tokens:
    """Ids for the library, (count,).

    Raises:
        UsageError: not a row of whole numbers that fit 32 bits.
    """
    given = np.asarray(tokens)
    bounds = np.iinfo(np.int32)
    if (
        given.ndim != 1
        or not len(given)
        or given.dtype.kind not in "iu"
        or given.min() < bounds.min
        or given.max() > bounds.max
    ):
        raise UsageError("tokens have to be a row of whole numbers", hint=f"give ids, {BOS} (BOS) first")
    return np.ascontiguousarray(given, dtype=np.int32)
