"""What ``tsws doctor`` looks at on this machine, each as a value: nothing is changed."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tsws.cli.check import FAIL, OK, WARN, Check
from tsws.errors import TswsError
from tsws.io.sizes import format_bytes

LITTLE_SPACE = 2_000_000_000
"""Bytes: a download of TinyStories with its tokens needs about so much."""
_LIBRARIES = ("torch", "numpy", "sentencepiece")
"""Those with compiled parts, which a machine can lack something for."""
_PATIENCE = 300.0
"""Seconds for an import: torch takes a minute from a cold network disk."""


def machine_checks(directory: Path) -> Iterator[Check]:
    """Python, the libraries, the compiler, the disk of a folder."""
    yield Check("python", OK, f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield from (_library(name) for name in _LIBRARIES)
    yield _compiler()
    yield _space(directory)


def _library(name: str) -> Check:
    """Imported by a process of its own: what is installed may still not load, or take its process down."""
    try:
        installed = version(name)
    except PackageNotFoundError:
        return Check(name, FAIL, "is not installed", f"pip install {name}")
    fault = _fault_of_import(name)
    if fault is None:
        return Check(name, OK, installed)
    again = f"pip install --force-reinstall {name}"
    return Check(name, FAIL, f"{installed} is installed, and can not be imported: {fault}", again)


def _fault_of_import(name: str) -> str | None:
    # -P: as in the program tsws, files in the folder where it is called are no modules.
    command = [sys.executable, "-P", "-c", f"import {name}"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired:
        return f"it takes more than {_PATIENCE:.0f} seconds"
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"python ends with exit status {done.returncode}"


def _compiler() -> Check:
    from tsws.engine.compiler import find_compiler

    try:
        compiler = find_compiler()
    except TswsError as error:
        return Check("C compiler", FAIL, error.message, error.hint)
    return Check("C compiler", OK, f"{compiler.path}, {compiler.version_line}")


def _space(directory: Path) -> Check:
    free = shutil.disk_usage(directory).free
    if free < LITTLE_SPACE:
        return Check("disk", WARN, f"only {format_bytes(free)} free", "make room, or work on another disk")
    return Check("disk", OK, f"{format_bytes(free)} free")
