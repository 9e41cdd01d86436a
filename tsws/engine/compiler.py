"""Finding a C compiler.

Looking for one runs it (``--version``), and that happens while a plan is made. So what a manifest names is a bare program name,
looked up on the ``PATH`` and nowhere else: a manifest is data, and must not choose a file of the workspace to run. Only
``$CC``, which is the user's own, may be a path or a command line.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tsws.errors import BuildError

_CANDIDATES = ("cc", "gcc", "clang")
_SECONDS_TO_ANSWER = 60
_BARE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclass(frozen=True)
class Compiler:
    """A C compiler that answers."""

    path: str
    """Absolute path of the executable."""
    version_line: str
    """The first line of what ``--version`` says."""
    arguments: tuple[str, ...] = ()
    """What stands before all others, when ``$CC`` is more than a name (``ccache gcc``)."""

    @property
    def command(self) -> list[str]:
        """The beginning of every command line."""
        return [self.path, *self.arguments]


def find_compiler(preferred: str | None = None) -> Compiler:
    """The compiler to use: ``preferred``, else ``$CC``, else the first of cc, gcc and clang.

    Args:
        preferred: bare name of a compiler on the ``PATH``, such as ``clang-18``; nothing else is tried then.

    Raises:
        BuildError: there is none, or the one that was asked for is no bare name, is missing, or does not work.
    """
    if preferred is not None:
        compiler = _probe(_on_path(preferred))
        if compiler is None:
            raise BuildError(f"the C compiler {preferred!r} does not work", hint=_install_hint())
        return compiler
    if wanted := os.environ.get("CC"):
        compiler = _of_environment(wanted)
        if compiler is None:
            raise BuildError(f"the C compiler {wanted!r}, which $CC names, does not work", hint=_install_hint())
        return compiler
    for candidate in _CANDIDATES:
        compiler = _probe(_on_path(candidate))
        if compiler is not None:
            return compiler
    raise BuildError(
        f"no C compiler was found: tried {', '.join(_CANDIDATES)}, and $CC is not set", hint=_install_hint()
    )


def _on_path(name: str) -> str | None:
    """The program of a bare name.

    Relative folders of the ``PATH`` (``.``, or an empty one) are passed over: they mean whatever folder one is in, a
    stranger's workspace for instance.

    Raises:
        BuildError: it is more than a name.
    """
    if not _BARE_NAME.fullmatch(name):
        raise BuildError(
            f"the C compiler {name!r} is not the bare name of a program",
            hint="name one that is on the PATH, such as gcc or clang-18; a path or a command line can stand in $CC",
        )
    folders = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(folder).is_absolute()]
    return shutil.which(name, path=os.pathsep.join(folders)) if folders else None


def _of_environment(command: str) -> Compiler | None:
    """The compiler that ``$CC`` names: a name, a path (with spaces, too) or a command line."""
    words = [command] if shutil.which(command) else _split(command)
    return _probe(shutil.which(words[0]), *words[1:]) if words else None


def _probe(program: str | None, *arguments: str) -> Compiler | None:
    """The compiler behind a program, or None where there is none that answers."""
    if program is None:
        return None
    path = os.path.abspath(program)  # noqa: PTH100 - keeps symbolic links: a compiler may look at its own name
    try:
        answer = subprocess.run(
            [path, *arguments, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS_TO_ANSWER,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = answer.stdout.decode(errors="replace").splitlines()
    if answer.returncode != 0 or not lines:
        return None
    return Compiler(path=path, version_line=lines[0].strip(), arguments=arguments)


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # an open quotation mark
        return []


def _install_hint() -> str:
    if sys.platform == "darwin":
        return "install Apple's command line tools: xcode-select --install"
    if sys.platform == "win32":
        return "use tsws inside WSL (wsl --install), and there: sudo apt-get install gcc libc6-dev"
    return "install one, on Debian or Ubuntu: sudo apt-get install gcc libc6-dev; on Fedora: sudo dnf install gcc"
