"""Sizes and prices as people read them."""

from __future__ import annotations


def format_bytes(size: float) -> str:
    """For people, in powers of 1000: ``0 B``, ``812 B``, ``1.2 kB``, ``34 MB``, ``1.9 GB``."""
    if size < 0:
        return f"-{format_bytes(-size)}"
    if size < 999.5:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB", "TB"):
        size /= 1000
        if size < 9.95:
            return f"{size:.1f} {unit}"
        if size < 999.5 or unit == "TB":
            return f"{size:.0f} {unit}"
    raise AssertionError("unreachable: the last unit takes every size")


def format_dollars(amount: float) -> str:
    """For people: ``$0.0012``, ``$0.59``, ``$12.30``. Small amounts keep two significant digits."""
    if 0 < amount < 0.0995:
        return f"${amount:.2g}" if amount >= 0.0001 else "<$0.0001"
    return f"${amount:.2f}"
