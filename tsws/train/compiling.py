"""Whether ``torch.compile`` pays for a run: measured, remembered, and for a run decided once.

A run that goes on after a kill must go on with the same arithmetic, so what was decided is kept in its folder. The rates are kept in
the user's cache: the next run of the same model on the same device need not try what does not pay.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from statistics import median
from typing import TypeVar

import msgspec
import torch
from torch import Tensor

from tsws.io.atomic import write_bytes
from tsws.io.caches import cache_folder
from tsws.train.device import Device
from tsws.train.gradients import TorchGradients

DECISION_FILE = "compile.json"
WORTH_TRYING = 30.0
"""Seconds of steps below which nothing is tried: compiling takes about that long."""
_TRIES = 3

T = TypeVar("T")


class Decision(msgspec.Struct, frozen=True):
    """``compile.json`` of a run's folder."""

    compile: bool


class Rates(msgspec.Struct, frozen=True):
    """What was measured, in seconds."""

    eager: float
    """Of a micro-batch, forward and backward."""
    compiled: float | None
    """The same, compiled; None where torch can not compile."""
    compiling: float
    """Until the first compiled micro-batch was done."""


def pays(rates: Rates, micro_batches: int) -> bool:
    """Whether so many micro-batches are done sooner with compiling."""
    if rates.compiled is None:
        return False
    return rates.compiling + rates.compiled * micro_batches < rates.eager * micro_batches


def read_decision(*folders: Path | None) -> bool | None:
    """What was decided for a run, in the first of some folders that knows; None: nothing yet."""
    found = (_read(folder / DECISION_FILE, Decision) for folder in folders if folder is not None)
    return next((decision.compile for decision in found if decision is not None), None)


def keep_decision(folder: Path, decided: bool) -> None:
    """Keep it for the attempts that follow."""
    write_bytes(folder / DECISION_FILE, msgspec.json.encode(Decision(decided)))


def measure_and_decide(
    gradients: TorchGradients,
    inputs: Tensor,
    targets: Tensor,
    micro_batches: int,
    key: str,
    cache: Path | None = None,
) -> bool:
    """Compile the model if that makes a run shorter, and say whether it did.

    Weights and generators of a step are untouched; gradients are forgotten.

    Args:
        gradients: of the model, not compiled yet; compiled afterwards if that pays.
        inputs, targets: a micro-batch such as the run has.
        micro_batches: how many it has left.
        key: what the rates hang on, from :func:`rates_key`.
        cache: folder of the rates; None: the user's.
    """
    path = (cache or cache_folder() / "compile") / f"{key}.json"
    rates = _read(path, Rates)
    if rates is not None:
        return pays(rates, micro_batches) and gradients.compile(inputs, targets)
    eager = _seconds(gradients, inputs, targets)
    if eager * micro_batches < WORTH_TRYING:
        return False
    started = time.monotonic()
    possible = gradients.compile(inputs, targets)
    compiling = time.monotonic() - started
    rates = Rates(eager, _seconds(gradients, inputs, targets) if possible else None, compiling)
    write_bytes(path, msgspec.json.encode(rates))
    if decided := pays(rates, micro_batches):
        return decided
    gradients.forget_compiled()
    return decided


def rates_key(model: object, device: Device, shape: torch.Size) -> str:
    """A digest of what the rates of a model's micro-batches hang on."""
    name = torch.cuda.get_device_name(device.target) if device.target.type == "cuda" else "cpu"
    parts = (torch.__version__, name, torch.get_num_threads(), device.dtype, tuple(shape), model)
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


def _seconds(gradients: TorchGradients, inputs: Tensor, targets: Tensor) -> float:
    """The median time of a micro-batch, after one that does not count."""
    times = []
    for _ in range(1 + _TRIES):
        gradients.begin()
        started = time.monotonic()
        gradients.add(inputs, targets, 1.0).item()  # waits for the device
        times.append(time.monotonic() - started)
    gradients.begin()
    return median(times[1:])


def _read(path: Path, kind: type[T]) -> T | None:
    """What a file holds; None where there is none, or none that can be read: all of it can be found out again."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return None
