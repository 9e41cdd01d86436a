"""How fast training was here: the base of every estimate. Nothing is guessed that was not measured."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tsws.io.atomic import write_bytes


def measured_rate(root: Path, backend: str) -> float | None:
    """Floating-point operations a second that training last reached on a backend, or None before the first time."""
    return _rates(root).get(backend)


def keep_rate(root: Path, backend: str, rate: float) -> None:
    """Remember how fast a run was, in floating-point operations a second."""
    write_bytes(_path(root), msgspec.json.encode({**_rates(root), backend: rate}, order="sorted"))


def _rates(root: Path) -> dict[str, float]:
    try:
        return msgspec.json.decode(_path(root).read_bytes(), type=dict[str, float])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


def _path(root: Path) -> Path:
    return root / ".tsws" / "cache" / "rates.json"
