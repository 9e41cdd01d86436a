"""The machine that a run was trained on, in words for people: nothing that decides anything."""

from __future__ import annotations

import os
import platform
import re
import resource
import sys
from pathlib import Path

import torch

from tsws.train.device import find_device

_CPU_INFO = Path("/proc/cpuinfo")
_STATUS = Path("/proc/self/status")


def describe_machine(device: str) -> dict[str, str | int]:
    """What trains here: the device, its processor, threads, and the versions of what computes.

    Args:
        device: as in the manifest: ``auto``, ``cpu``, ``cuda``...

    Raises:
        TrainError: there is no such device here.
    """
    target = find_device(device)
    facts: dict[str, str | int] = {"device": target.type, "processor": processor()}
    if target.type == "cuda":
        facts["gpu"] = device_name(target)
    return facts | {
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": str(torch.__version__),
    }


def peak_memory(device: str) -> int:
    """Bytes that this process has taken at most: of its GPU where it trains on one, else of the machine.

    Args:
        device: as in the manifest.
    """
    target = find_device(device)
    if target.type == "cuda":
        return torch.cuda.max_memory_allocated(target)
    return _peak_of_process()


def _peak_of_process() -> int:
    """Bytes: Linux counts what a starter had to the ``ru_maxrss`` of what it starts, but not to ``VmHWM``."""
    if _STATUS.exists() and (found := re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)):
        return int(found[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def device_name(device: torch.device) -> str:
    """The name of a GPU, or of the processor."""
    return str(torch.cuda.get_device_name(device)) if device.type == "cuda" else processor()


def processor() -> str:
    """The name of the processor, as far as the system tells."""
    try:
        name = re.search(r"^model name\s*:\s*(.+)$", _CPU_INFO.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        name = None
    return name[1].strip() if name else platform.processor() or platform.machine()
