"""Choosing the next token as llama2.c's ``run`` does: the same seed and logits give the same token.

All arithmetic is in float32 and in the order of a plain loop, because the choice may hang on the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_MASK = (1 << 64) - 1
_MULTIPLIER = 0x2545F4914F6CDD1D


@dataclass
class XorShift:
    """The generator xorshift64* (Vigna, arXiv:1402.6246); ``state`` must not be 0."""

    state: int

    def uniform(self) -> float:
        """The next number in [0, 1), one of 2**24 that a float32 holds exactly."""
        self.state ^= self.state >> 12
        self.state ^= (self.state << 25) & _MASK
        self.state ^= self.state >> 27
        bits = ((self.state * _MULTIPLIER) & _MASK) >> 32
        return (bits >> 8) / (1 << 24)


@dataclass
class Sampler:
    """How the next token is chosen.

    ``temperature`` 0 takes the likeliest token (the first of equals); ``top_p`` outside (0, 1) leaves all tokens in.
    """

    temperature: float
    top_p: float
    generator: XorShift

    def choose(self, logits: Floats) -> int:
        """The next token for logits ``(vocab_size,)``."""
        import numpy as np

        if self.temperature == 0:
            return int(np.argmax(logits))
        probabilities = softmax(logits / np.float32(self.temperature))
        coin = np.float32(self.generator.uniform())
        if not 0 < self.top_p < 1:
            return _pick(np.cumsum(probabilities), coin)
        # Tokens below the cut-off can not be among the likeliest that make up top_p: they need not be sorted.
        cutoff = np.float32(1 - np.float32(self.top_p)) / np.float32(len(probabilities) - 1)
        kept = np.flatnonzero(probabilities >= cutoff)
        if not len(kept):  # a small top_p over few tokens that are about as likely
            return int(np.argmax(probabilities))
        order = kept[np.argsort(-probabilities[kept], kind="stable")]
        cumulative = np.cumsum(probabilities[order])
        last = min(int(np.searchsorted(cumulative, np.float32(self.top_p), side="right")), len(order) - 1)
        return int(order[_pick(cumulative[: last + 1], coin * cumulative[last])])


def softmax(logits: Floats) -> Floats:
    """Probabilities ``(n,)`` of logits ``(n,)``, summed one after the other."""
    import numpy as np

    weights: Floats = np.exp(logits - logits.max())
    probabilities: Floats = weights / np.cumsum(weights)[-1]
    return probabilities


def _pick(cumulative: Floats, threshold: np.float32) -> int:
    """The first place whose cumulative probability is above the threshold; the last one against rounding."""
    import numpy as np

    return min(int(np.searchsorted(cumulative, threshold, side="right")), len(cumulative) - 1)
