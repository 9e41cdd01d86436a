"""A run as people look at it, wherever its files came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RunView:
    """One version of a run: what was wanted, what was measured, what it told."""

    label: str
    """As a person calls it: ``baby``, ``baby@3f2a90c1d4e5``, or the path of a file."""
    lines: Sequence[Mapping[str, Any]]
    """Of ``metrics.jsonl``, unchanged."""
    samples: Sequence[Mapping[str, Any]] = ()
    """Of ``samples.jsonl``: ``step``, ``prompt``, ``text``."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Everything that makes it what it is, flat: ``train.learning_rate`` to its value."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else there is to say, in words: ``machine``, ``cost``, ``data``..."""


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one, keys joined by dots: ``{"a": {"b": 1}}`` is ``{"a.b": 1}``."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
