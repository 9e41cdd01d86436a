"""Values as people read them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from typing import Any

from tsws.io.durations import format_duration
from tsws.io.sizes import format_bytes, format_dollars
from tsws.reconcile.action import Estimate

STORY_WIDTH = 100
"""Characters of a sample story that a line shows."""
_DIGEST = re.compile(r"[0-9a-f]{40,64}")


def figures(seconds: float | None, size: int | None, dollars: float | None) -> str:
    """``1m 20s, 12 MB, $0.12``, without what is not known."""
    parts = [
        format_duration(seconds) if seconds else "",
        format_bytes(size) if size else "",
        format_dollars(dollars) if dollars else "",
    ]
    return ", ".join(part for part in parts if part)


def estimate_words(estimate: Estimate | None) -> str:
    """``about 1m 20s, $0.12; where that comes from``; empty when nothing is known."""
    if estimate is None:
        return ""
    known = figures(estimate.seconds, estimate.bytes, estimate.dollars)
    return "; ".join(part for part in (f"about {known}" if known else "", estimate.basis) if part)


def value_words(value: Any) -> str:
    """A value of the manifest: bare where that is clear, digests by their first digits."""
    if value is None:
        return "(none)"
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return value[:12]
    if isinstance(value, str) and value and not any(character.isspace() for character in value):
        return value
    return json.dumps(value, ensure_ascii=False)


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def enumeration(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def elided(text: str, width: int = STORY_WIDTH) -> str:
    """Text on one line, cut at a word where it is too long."""
    line = " ".join(text.split())
    if len(line) <= width:
        return line
    cut = line[: width - 2]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut[width // 2 :] else cut} …"


def moment(seconds: float | None) -> str:
    """A time of the clock: ``2026-05-04 17:36``."""
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def loss_words(value: float | None) -> str:
    """A loss: four digits are what runs differ by."""
    return "" if value is None else f"{value:.4f}"


def big_number(value: float) -> str:
    """``812``, ``12.3k``, ``4.5M``."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size * 0.9995:
            return f"{value / size:.1f}{unit}" if value < 99.95 * size else f"{value / size:.0f}{unit}"
    return f"{value:.0f}"
