"""Seeds for the generator that llama2.c and all engines here use, a 64-bit xorshift."""

from __future__ import annotations

import secrets

_INSTEAD_OF_ZERO = 1 << 62
"""The generator never leaves 0, and llama2.c's command line takes it for the time. Nobody types this one."""


def usable_seed(seed: int | None) -> int:
    """A seed within 1 and 2**64 - 1: the given one where it is, another each time for None."""
    if seed is None:
        return secrets.randbelow((1 << 63) - 1) + 1
    return seed % (1 << 64) or _INSTEAD_OF_ZERO
