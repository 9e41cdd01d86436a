"""The keys of ``[backend.modal]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from tsws.io.durations import parse_duration

LONGEST = 24 * 3600.0
"""Seconds that Modal lets one call take at most."""
SHORTEST = 60.0
"""Seconds: a container that has to hand over sooner trains little but its own start."""
_GPU = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9-]*)!?(?::(?P<count>[1-9][0-9]*))?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Gpu:
    """One way to write a GPU, such as ``H100:8``."""

    name: str
    """In capitals, as prices are listed: ``A100-80GB``."""
    count: int = 1

    def __str__(self) -> str:
        return self.name if self.count == 1 else f"{self.name}:{self.count}"


def parse_gpu(text: str) -> Gpu:
    """What ``T4``, ``H100!`` or ``A100-80GB:2`` name.

    Raises:
        ValueError: nothing that could be a GPU.
    """
    found = _GPU.fullmatch(text)
    if found is None:
        raise ValueError(f'`gpu` is {text!r}: expected a name such as "T4", "L4" or "H100"')
    return Gpu(found["name"].upper(), int(found["count"] or 1))


class ModalOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of ``[backend.modal]``."""

    gpu: Annotated[
        str | list[str] | None,
        Meta(
            description='The GPU, such as "T4", or several of one machine, such as "H100:8", which train together; a list: the'
            " first that is free; default: none, the CPU trains."
        ),
    ] = None
    nodes: Annotated[
        int, Meta(ge=1, description='Machines that train together. Modal wants all GPUs of each: "H100:8".')
    ] = 1
    cpu: Annotated[float, Meta(ge=0.125, description="CPU cores.")] = 1.0
    memory: Annotated[int, Meta(ge=128, description="Memory, in MiB.")] = 4096
    timeout: Annotated[
        str,
        Meta(description='How long one container works before the next one goes on, such as "1h"; at most "24h".'),
    ] = "24h"
    retries: Annotated[
        int, Meta(ge=0, le=10, description="How often a container that failed is followed by another one.")
    ] = 3
    region: Annotated[
        str | list[str] | None, Meta(description='Where it has to run, such as "eu"; it costs more than anywhere.')
    ] = None
    secrets: Annotated[
        list[str], Meta(description="Secrets of Modal, by name, that the worker gets as variables.")
    ] = []
    env: Annotated[dict[str, str], Meta(description="Environment variables for the worker.")] = {}
    environment: Annotated[
        str | None, Meta(description="The environment of Modal to work in; default: that of the volume.")
    ] = None
    packages: Annotated[
        list[str], Meta(description='More Python packages to install there, such as "numpy==2.4.1".')
    ] = []
    max_cost: Annotated[
        Annotated[float, Meta(gt=0.0)] | None,
        Meta(description="Dollars: a job that would pass it stops after a checkpoint."),
    ] = None
    price: Annotated[
        Annotated[float, Meta(ge=0.0)] | None,
        Meta(description="Dollars an hour, where your agreement with Modal is not the public price."),
    ] = None

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: a value that Modal, or the trainer, would refuse later; msgspec tells it with the key's place.
        """
        counts = sorted({gpu.count for gpu in self.gpus})
        if len(counts) > 1:
            raise ValueError(f"`gpu` names machines with {counts[0]} and {counts[1]} GPUs: a run needs as many on each")
        if self.nodes > 1 and not self.gpus:
            raise ValueError(f"`nodes` asks for {self.nodes} machines, and Modal joins only machines with a `gpu`")
        if not SHORTEST <= self.seconds <= LONGEST:
            raise ValueError(
                f'`timeout` is {self.timeout!r}: expected from "1m" to "24h"; a longer run goes on by itself'
            )
        for name in self.env:
            if not _VARIABLE.fullmatch(name):
                raise ValueError(f"`env` has {name!r}, which is no name of a variable")

    @property
    def gpus(self) -> tuple[Gpu, ...]:
        """Those that will do, the preferred one first; none: the CPU."""
        chosen = [self.gpu] if isinstance(self.gpu, str) else self.gpu or []
        return tuple(parse_gpu(text) for text in chosen)

    @property
    def gpu_count(self) -> int:
        """GPUs of each machine; 0: the CPU."""
        return self.gpus[0].count if self.gpus else 0

    @property
    def seconds(self) -> float:
        """``timeout``."""
        return parse_duration(self.timeout)
