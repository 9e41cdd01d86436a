"""What Modal's machines cost. Pure: figures in, a price out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tsws.plugin import Price
from tsws_modal.options import ModalOptions

DATED = "July 2026"
"""When the figures below were read off the public price list, https://modal.com/pricing."""
GPU_HOUR = {
    "T4": 0.59,
    "L4": 0.80,
    "A10": 1.10,
    "L40S": 1.95,
    "A100-40GB": 2.10,
    "A100-80GB": 2.50,
    "RTX-PRO-6000": 3.03,
    "H100": 3.95,
    "H200": 4.54,
    "B200": 6.25,
}
"""Dollars for an hour of one GPU: the list's price a second, times 3600."""
CORE_HOUR = 0.0472
"""Dollars for an hour of one CPU core."""
GIB_HOUR = 0.0080
"""Dollars for an hour of one GiB of memory."""
REGION_FACTOR = 1.75
"""The most that choosing a region multiplies a price with."""
_ALIASES = {"A100": "A100-40GB", "A10G": "A10", "RTXPRO6000": "RTX-PRO-6000"}
CORE, GIB = "cpu", "memory"
"""Names of the rates that no GPU has."""
TABLE = {**GPU_HOUR, CORE: CORE_HOUR, GIB: GIB_HOUR}
"""Dollars an hour of every part of a machine."""


def price_of(
    options: ModalOptions, live: Mapping[str, float] | None = None, day: str = "", *, gpu: bool = True
) -> Price:
    """What the machine that some options ask for costs an hour; of several GPUs that will do, the dearest counts.

    Args:
        options: the backend's.
        live: rates that Modal has answered, in dollars an hour (see :func:`read_rates`).
        day: when it did.
        gpu: False for the machine that prepares the data.
    """
    gpus = options.gpus if gpu else ()
    nodes = options.nodes if gpu else 1
    words = " or ".join(map(str, gpus)) or "CPU"
    if nodes > 1:
        words = f"{nodes} machines with {words}"
    if options.price is not None and gpu:
        return Price(options.price, "the manifest", words)
    rates = {**TABLE, **(live or {})}
    known = [rates.get(_ALIASES.get(one.name, one.name)) for one in gpus]
    guessed = None in known
    dearest = max((max(GPU_HOUR.values()) if rate is None else rate for rate in known), default=0.0)
    count = gpus[0].count if gpus else 0
    dollars = nodes * (count * dearest + options.cpu * rates[CORE] + options.memory / 1024 * rates[GIB])
    source = f"Modal's rates of {day}" if live else f"Modal's price list of {DATED}"
    if guessed:
        source += "; it does not name the GPU, so the dearest one counts"
    if options.region:
        dollars *= REGION_FACTOR
        source += f"; up to {REGION_FACTOR:g} times, for the region"
    return Price(round(dollars, 4), source, words)


def read_rates(answer: Mapping[str, object]) -> dict[str, float]:
    """The rates that Modal answers, in dollars an hour, by the names of :data:`TABLE`.

    The names and units of the answer are nowhere fixed. So a key counts when a known name stands in it, and its figure is taken
    for that of a second, a minute or an hour, whichever comes nearest to the price list.
    """
    found: dict[str, float] = {}
    for key, value in answer.items():
        name = _known_name(key)
        try:
            figure = float(str(value))
        except ValueError:
            continue
        if name is None or figure <= 0.0:
            continue
        hourly = min((figure * unit for unit in (1.0, 60.0, 3600.0)), key=lambda one: _distance(one, TABLE[name]))
        if _distance(hourly, TABLE[name]) < 5.0:
            found[name] = hourly
    return found


def _known_name(key: str) -> str | None:
    plain = _plain(key)
    names = sorted([*GPU_HOUR, *_ALIASES], key=len, reverse=True)
    name = next((one for one in names if _plain(one) in plain), None)
    if name is not None:
        return _ALIASES.get(name, name)
    return CORE if "CPU" in plain else GIB if "MEM" in plain else None


def _plain(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _distance(one: float, other: float) -> float:
    return max(one / other, other / one)
