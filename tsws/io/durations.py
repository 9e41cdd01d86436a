"""Durations as people write and read them."""

from __future__ import annotations

import math
import re

_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_PART = r"(?:(?P<{unit}>\d+(?:\.\d+)?){unit})?"
_DURATION = re.compile(r"\s*".join(_PART.format(unit=unit) for unit in _SECONDS), re.ASCII)


def parse_duration(text: str | float) -> float:
    """Seconds of ``"1h"``, ``"5m"``, ``"90s"``, ``"1h30m"``, ``"1.5h"``, ``"2d"``, or of a plain number of seconds.

    Raises:
        ValueError: not a duration, or a negative one.
    """
    if not isinstance(text, str):
        if not math.isfinite(text) or text < 0:
            raise ValueError(f"{text!r} is not a duration: expected seconds from 0 on")
        return float(text)
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        raise ValueError(f'{text!r} is not a duration: expected something like "90s", "5m", "1h30m" or "2d"')
    return sum(float(value) * _SECONDS[unit] for unit, value in match.groupdict().items() if value)


def format_duration(seconds: float) -> str:
    """For people: ``0.2s``, ``12s``, ``3m 05s``, ``1h 30m``, ``2d 4h``."""
    if seconds < 0:
        return f"-{format_duration(-seconds)}"
    if seconds < 9.995:
        return f"{seconds:.2g}s" if seconds < 0.0995 else f"{seconds:.1f}s".replace(".0s", "s")
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60}h {minutes % 60:02d}m"
    hours = round(seconds / 3600)
    return f"{hours // 24}d {hours % 24}h"
