"""Which shards, and which part of the stories: ``"0-9"``, ``"0,2,5-7"``, ``"5%"``."""

from __future__ import annotations

import re

_RANGE = re.compile(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?", re.ASCII)
_PERCENT = re.compile(r"\s*(\d{1,2}(?:\.\d{1,6})?)\s*%\s*", re.ASCII)


def parse_shards(text: str) -> frozenset[int]:
    """The numbers of ``"0-9"`` or ``"0,2,5-7"``.

    Raises:
        ValueError: not such a list; the message says what is wrong.
    """
    numbers: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError('expected shards, such as "0-9" or "0,2,5-7"')
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError(f"the shards {first}-{last} run backwards")
        numbers.update(range(first, last + 1))
    return frozenset(numbers)


def parse_fraction(text: str) -> float:
    """0.05 of ``"5%"``.

    Raises:
        ValueError: not a percentage above 0 and below 100.
    """
    match = _PERCENT.fullmatch(text)
    if match is None or float(match[1]) == 0:
        raise ValueError('expected a part of the stories, above 0% and below 100%, such as "5%"')
    return float(match[1]) / 100
