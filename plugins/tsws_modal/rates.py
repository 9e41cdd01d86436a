"""The day's prices, as Modal answers them, kept for plans: a plan asks nobody."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tsws.errors import JobError
from tsws.io.atomic import write_bytes
from tsws_modal.client import connect
from tsws_modal.prices import read_rates

if TYPE_CHECKING:
    import modal

FRESH = 24 * 3600.0
"""Seconds after which it is asked again."""
KEPT = 30 * FRESH
"""Seconds after which the price list that comes with the plugin is as good."""


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered."""

    time: float
    """Seconds since the epoch."""
    rates: dict[str, float]
    """Dollars an hour, by part of a machine."""


def known_rates(base: Path) -> tuple[dict[str, float] | None, str]:
    """What Modal answered last and the day of it; None when it never did, or too long ago."""
    found = _read(base)
    if found is None or not found.rates or time.time() - found.time > KEPT:
        return None, ""
    return found.rates, time.strftime("%Y-%m-%d", time.localtime(found.time))


def refresh_rates(base: Path) -> None:
    """Ask for the day's prices. Who gets no answer, or is not permitted to ask, keeps what was known."""
    found = _read(base)
    if found is not None and time.time() - found.time < FRESH:
        return
    with suppress(JobError):
        client = connect(JobError, "prices")
        _ask(client, base)


def _ask(client: modal.Client, base: Path) -> None:
    import modal

    with suppress(modal.exception.Error, OSError):
        answer = modal.Workspace.from_context(client=client).billing.rates()
        rates = Rates(time=time.time(), rates=read_rates({key: answer[key] for key in answer}))
        write_bytes(_path(base), msgspec.json.encode(rates))


def _read(base: Path) -> Rates | None:
    try:
        return msgspec.json.decode(_path(base).read_bytes(), type=Rates)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _path(base: Path) -> Path:
    return base / ".tsws" / "cache" / "modal" / "rates.json"
