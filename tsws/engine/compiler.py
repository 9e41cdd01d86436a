"""Finding a C compiler."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass

from tsws.errors import BuildError

_CANDIDATES = ("cc", "gcc", "clang")
_SECONDS_TO_ANSWER = 60


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
        preferred: name, path or command line of a compiler; nothing else is tried then.

    Raises:
        BuildError: there is none, or the one that was asked for is missing or does not work.
    """
    wanted = preferred or os.environ.get("CC")
    if wanted:
        compiler = _probe(wanted)
        if compiler is None:
            named = "" if preferred else ", which $CC names,"
            raise BuildError(f"the C compiler {wanted!r}{named} does not work", hint=_install_hint())
        return compiler
    for candidate in _CANDIDATES:
        compiler = _probe(candidate)
        if compiler is not None:
            return compiler
    raise BuildError(
        f"no C compiler was found: tried {', '.join(_CANDIDATES)}, and $CC is not set", hint=_install_hint()
    )


def _probe(command: str) -> Compiler | None:
    """The compiler behind a command, or None where there is none that answers."""
    words = [command] if shutil.which(command) else _split(command)
    path = shutil.which(words[0]) if words else None
    if path is None:
        return None
    path = os.path.abspath(path)  # noqa: PTH100 - keeps symbolic links: a compiler may look at its own name
    try:
        answer = subprocess.run(
            [path, *words[1:], "--version"],
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
    return Compiler(path=path, version_line=lines[0].strip(), arguments=tuple(words[1:]))


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
