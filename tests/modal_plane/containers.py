"""Containers: processes that run functions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Container:
    """One container."""

    id: str
    """Its task id, such as ``ta-...``."""
