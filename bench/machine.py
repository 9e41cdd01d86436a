"""What a table is headed with: the machine, the compilers, the day."""

from __future__ import annotations

import datetime
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

_FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "asimddp", "i8mm", "bf16")


def describe() -> str:
    """One line, such as ``AMD EPYC (family 26), 2 processors, ...; gcc 12.2.0; Linux 6.1; 2025-11-22``."""
    parts = [_processor(), *_compilers(), f"{platform.system()} {platform.release()}"]
    return "; ".join([*parts, datetime.datetime.now(datetime.UTC).date().isoformat()])


def cache_sizes() -> dict[str, int]:
    """Bytes of the first processor's data caches by level, such as ``{"L2": 1048576}``; empty where Linux has none."""
    sizes = {}
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind, level, size = ((cache / name).read_text().strip() for name in ("type", "level", "size"))
        if kind != "Instruction":
            sizes[f"L{level}"] = int(size.rstrip("K")) * 1024
    return sizes


def compiler() -> str:
    """The C compiler to build small programs with: ``CC``, or the first found."""
    found = os.environ.get("CC") or next(filter(shutil.which, ("gcc", "clang", "cc")), None)
    if not found:
        raise SystemExit("no C compiler is installed: install gcc or clang, or name one in CC")
    return found


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    name = _field(text, "model name") or platform.processor() or platform.machine()
    family = _field(text, "cpu family")
    known = (_field(text, "flags") or _field(text, "Features")).split()
    features = " ".join(feature for feature in _FEATURES if feature in known)
    return f"{name}{f' (family {family})' if family else ''}, {os.cpu_count()} processors, {features}".rstrip(", ")


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else ""


def _compilers() -> list[str]:
    versions = []
    for name in ("gcc", "clang"):
        if shutil.which(name):
            said = subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
            number = re.search(r"\d+\.\d+(\.\d+)?", said)
            versions.append(f"{name} {number[0] if number else '?'}")
    return versions
