"""What a container sees of the machine: the system, the interpreter with its packages, its mounts and its volumes.

The developer's checkout (with what is installed from it), home and temporary folders are not there, so that a job works only if it ships its own source. Where
the kernel refuses namespaces, containers run in a folder of their own instead: volumes are symbolic links at their mount paths, and
nothing is hidden.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import distributions
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")
HOME = "/root"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

BELOW_HOME = {"HOME", "PYTHONPATH", "MODAL_CONTAINER_ARGUMENTS_PATH"}
"""Variables that begin with the container's home."""


@dataclass(frozen=True)
class Bind:
    """A folder or file of the machine, shown to a container."""

    source: str
    target: str
    """Where the container sees it: an absolute path."""
    read_only: bool = False


@dataclass(frozen=True)
class Launch:
    """How to start a container's process."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: Path
    links: tuple[Path, ...] = ()
    """Symbolic links that have to go when it has ended."""


@functools.cache
def namespaces() -> bool:
    """Whether this machine lets containers have namespaces of their own."""
    probe = subprocess.run([sys.executable, "-I", LAUNCHER, "probe"], capture_output=True, check=False)
    return probe.returncode == 0


def interpreter() -> list[Bind]:
    """The interpreter and its packages, where they lie outside of the system's folders."""
    wanted = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    return [Bind(each, each) for each in sorted(wanted) if not each.startswith("/usr/")]


@functools.cache
def checkouts() -> dict[str, list[str]]:
    """What belongs to packages that are installed from a checkout, by the folder of packages that it lies in.

    Their sources are hidden anyway; their metadata and their import hooks would be found where they are not installed.
    """
    hidden: dict[str, set[str]] = {}
    for package in distributions():
        origin = json.loads(package.read_text("direct_url.json") or "{}")
        if origin.get("dir_info", {}).get("editable"):
            for file in package.files or ():
                if file.parts[0] != "..":
                    folder = str(Path(str(package.locate_file(""))).absolute())
                    hidden.setdefault(folder, set()).add(file.parts[0])
    return {folder: sorted(names) for folder, names in hidden.items()}


def prepare(
    folder: Path, binds: list[Bind], command: list[str], environment: Mapping[str, str], *, pid_fd: int
) -> Launch:
    """Lay a container out.

    Args:
        folder: the container's own; has a folder ``home``, which it sees as ``/root``.
        binds: what it sees besides: volumes, mounted files.
        command: what it runs.
        environment: every variable that it has.
        pid_fd: where its process id, as seen from outside, is written to.

    Raises:
        FileExistsError: without namespaces, something stands at a mount path.
    """
    if not namespaces():
        return _without_namespaces(folder, binds, command, environment, pid_fd=pid_fd)
    for name in ("rootfs", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    own = [
        Bind(str(folder / "home"), HOME),
        Bind(str(folder / "tmp"), "/tmp"),
        Bind(str(folder / "hosts"), "/etc/hosts"),
    ]
    (folder / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n::1 i6pn.modal.local\n")
    plan = {
        "root": str(folder / "rootfs"),
        "binds": [asdict(bind) for bind in own + interpreter() + binds],
        "hidden": checkouts(),
        "command": command,
        "environment": dict(environment),
        "cwd": HOME,
        "pid_fd": pid_fd,
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    return Launch((sys.executable, "-I", str(LAUNCHER), str(folder / "plan.json")), {}, folder)


def _without_namespaces(
    folder: Path, binds: list[Bind], command: list[str], environment: Mapping[str, str], *, pid_fd: int
) -> Launch:
    home = folder / "home"
    links = []
    for bind in binds:
        target = Path(bind.target)
        if target.is_relative_to(HOME):
            target = home / target.relative_to(HOME)
        if target.is_symlink():
            target.unlink()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(bind.source)
        links.append(target)
    moved = {
        name: value.replace(HOME, str(home), 1) if name in BELOW_HOME else value for name, value in environment.items()
    }
    return Launch((sys.executable, "-I", str(LAUNCHER), "bare", str(pid_fd), *command), moved, home, tuple(links))


def base_environment(cores: float) -> dict[str, str]:
    """What every container finds in its environment.

    Args:
        cores: reserved for it. The numeric libraries are told to use as many threads.
    """
    threads = str(max(1, round(cores)))
    return {
        "HOME": HOME,
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), PATH]),
        "PYTHONPATH": HOME,
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
