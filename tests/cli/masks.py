"""Outputs without what differs from one machine, or one moment, to the next."""

from __future__ import annotations

import re


def masked(text: str) -> str:
    """Without what differs from machine to machine."""
    text = re.sub(r"“.*?”", "STORY", text, flags=re.DOTALL)
    text = re.sub(r", [\dhms. ]+ left", "", text)
    text = re.sub(r"\d+\.\d{4}", "LOSS", text)
    text = re.sub(r"[\d.]+k? tokens/s", "SPEED", text)
    return re.sub(r"(?<=in )(\d+m )?[\d.]+s", "TIME", text)


def squeezed(text: str) -> str:
    """Single spaces; times, sizes and losses masked."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "MADE", text)
    text = re.sub(r"\d+\.\d{4}", "LOSS", text)
    text = re.sub(r"(?<= )(\d+m )?[\d.]+s\b", "TOOK", text)
    text = re.sub(r"(?<= )[\d.]+ [kM]?B\b", "SIZE", text)
    return re.sub(r" +", " ", text)
