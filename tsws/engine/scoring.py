"""How likely a text is: the log-probability of each of its tokens."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tsws.engine.streams import Floats, Session, Tokens

AT_ONCE = 64
"""Tokens: so many rows of scores are held."""


def score_tokens(tokens: Tokens, context: int, session: Callable[[int], Session]) -> npt.NDArray[np.float64]:
    """The log-probability in nats of each token after the first, given those before it, (count - 1,).

    The first window is a whole context. The ones that follow overlap the one before by half a context, so that every token
    has at least that much before it, and counts once: as ``run --perplexity`` does it.

    Args:
        tokens: ids, (count,).
        context: tokens that a session holds at most.
        session: opens one for so many tokens.
    """
    scores = np.empty(len(tokens) - 1)  # scores[i] is of tokens[i + 1]
    known = 0
    while known < len(scores):
        start = max(0, known + 1 - max(1, context // 2))
        end = min(start + context, len(scores))
        with session(end - start) as window:
            found = np.concatenate(
                [
                    _logprobs(window.logits(tokens[at : min(at + AT_ONCE, end)]), tokens[at + 1 : end + 1])
                    for at in range(start, end, AT_ONCE)
                ]
            )
        scores[known:end] = found[known - start :]
        known = end
    return scores


def _logprobs(rows: Floats, following: Tokens) -> npt.NDArray[np.float64]:
    """log(softmax(rows)) of the token that follows each, (count,)."""
    scores = rows.astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    chosen: npt.NDArray[np.float64] = scores[np.arange(len(rows)), following[: len(rows)]]
    chosen -= np.log(np.exp(scores).sum(axis=1))
    return chosen
