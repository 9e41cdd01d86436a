"""How fast training was here, and what its time costs: the base of every estimate. Nothing is guessed that was not measured."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tsws.io.atomic import write_bytes
from tsws.io.sizes import format_dollars
from tsws.plugin import Backend
from tsws.reconcile.action import Estimate


def measured_rate(root: Path, backend: str) -> float | None:
    """Floating-point operations a second that training last reached on a backend, or None before the first time."""
    return _rates(root).get(backend)


def keep_rate(root: Path, backend: str, rate: float) -> None:
    """Remember how fast a run was, in floating-point operations a second."""
    write_bytes(_path(root), msgspec.json.encode({**_rates(root), backend: rate}, order="sorted"))


def priced(backend: Backend, seconds: float | None, basis: str) -> Estimate:
    """An estimate with what the backend's machine costs for so long.

    Args:
        backend: where the work is done.
        seconds: how long it takes; None: nobody knows.
        basis: where the seconds come from.
    """
    price = backend.price()
    if price is None:
        return Estimate(seconds=seconds, basis=basis)
    dollars = None if seconds is None else price.dollars_per_hour * seconds / 3600
    machine = f"{price.machine}, " if price.machine else ""
    where = f"{machine}{price.dollars_per_hour:.2f} $/h ({price.source})"
    limit = backend.cost_limit()
    stops = f"stopped at {format_dollars(limit)}" if limit is not None and backend.stops_at_cost else ""
    return Estimate(
        seconds=seconds,
        dollars=dollars,
        dollars_per_hour=price.dollars_per_hour,
        most_dollars=limit if backend.stops_at_cost else None,
        bounded=backend.stops_at_cost,
        basis="; ".join(filter(None, (basis, where, stops))),
    )


def _rates(root: Path) -> dict[str, float]:
    try:
        return msgspec.json.decode(_path(root).read_bytes(), type=dict[str, float])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


def _path(root: Path) -> Path:
    return root / ".tsws" / "cache" / "rates.json"
