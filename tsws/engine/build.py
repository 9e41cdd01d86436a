"""Compiling the native program on this machine, for this machine."""

from __future__ import annotations

import platform
import secrets
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tsws.engine.compiler import Compiler
from tsws.errors import BuildError
from tsws.io.atomic import TEMPORARY_SUFFIX, publish
from tsws.io.digest import digest_value

NATIVE_FLAG = "-march=native"
"""Uses the processor that is there; left out where the compiler refuses it."""

DEFAULT_FLAGS = ("-O3", NATIVE_FLAG, "-std=gnu11", "-ffp-contract=off", "-pthread")
"""Before a user's own. gnu11, not c11: a program may also be somebody's C file, and those tend to use POSIX without
asking for it. No contraction, no -ffast-math: what is summed in llama2.c's order stays in it, so that the same seed gives
the same text."""

SHARED_FLAGS = ("-shared", "-fPIC", "-fvisibility=hidden")
"""Of a library that is loaded when it is needed."""

_LIBRARIES = ("-lm",)
_LAST_LINES = 20


def build_program(source: Path, destination: Path, *, compiler: Compiler, flags: Sequence[str] = ()) -> None:
    """Compile one C file to an executable, which takes its name only when it is finished.

    Args:
        source: a C file that compiles alone.
        destination: the executable; its folder is made.
        compiler: of :func:`~tsws.engine.compiler.find_compiler`.
        flags: more flags, after :data:`DEFAULT_FLAGS`; of flags that contradict each other the last wins.

    Raises:
        BuildError: the compiler found mistakes or could not run; with its last lines.
    """
    _build(source, destination, compiler, effective_flags(compiler, flags))


def build_library(source: Path, destination: Path, *, compiler: Compiler, flags: Sequence[str] = ()) -> None:
    """Compile one C file to a shared library, which shows only what the source marks as visible.

    Arguments and errors are those of :func:`build_program`.
    """
    _build(source, destination, compiler, [*effective_flags(compiler, flags), *SHARED_FLAGS])


def _build(source: Path, destination: Path, compiler: Compiler, flags: list[str]) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = destination.with_name(f".{destination.name}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")
    try:
        status, said = _compile(
            compiler, [*flags, str(source.absolute()), "-o", str(temporary.absolute()), *_LIBRARIES]
        )
        if status != 0 or not temporary.is_file():
            lines = "\n".join(said.strip().splitlines()[-_LAST_LINES:])
            raise BuildError(
                f"{source}: could not be compiled by {compiler.path} ({compiler.version_line}); its last lines:\n{lines}",
                hint="check the program's flags; another compiler can be named with the key compiler, or in $CC",
            )
        temporary.chmod(temporary.stat().st_mode | 0o111)
        publish(temporary, destination)
    finally:
        temporary.unlink(missing_ok=True)


def effective_flags(compiler: Compiler, flags: Sequence[str] = ()) -> list[str]:
    """All flags that a build uses: the default ones that this compiler takes, then ``flags``."""
    defaults = [flag for flag in DEFAULT_FLAGS if flag != NATIVE_FLAG or _takes(compiler, flag)]
    return [*defaults, *flags]


def build_identity(compiler: Compiler, flags: Sequence[str] = ()) -> dict[str, object]:
    """Everything but the source that can change the executable, for a fingerprint.

    Keys: ``compiler`` (its version line), ``flags`` (all, in order), ``system``, ``machine`` (as ``platform`` says) and
    ``processor`` (a digest of what the processor can do: with ``-march=native`` a workspace that is carried to a lesser machine
    must be built again there).
    """
    return {
        "compiler": compiler.version_line,
        "flags": [*DEFAULT_FLAGS, *flags],
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": digest_value(_processor_features())[:16],
    }


def _processor_features() -> list[str]:
    """Names of the instruction sets of this processor, sorted; where the system has no list, what it calls it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return [platform.processor()]
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in {"flags", "Features"}:  # x86, Arm
            return sorted(value.split())
    return [platform.processor()]


def _takes(compiler: Compiler, flag: str) -> bool:
    status, _ = _compile(compiler, [flag, "-fsyntax-only", "-x", "c", "-"])
    return status == 0


def _compile(compiler: Compiler, arguments: list[str]) -> tuple[int, str]:
    """Run the compiler on a file, or on the empty program when that is ``-``: its exit status and all that it said."""
    try:
        done = subprocess.run(
            [*compiler.command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A signal to all of a worker's processes asks the worker to stop; a half compiled library would make a run that
            # goes on for a step do so with other arithmetic.
            start_new_session=True,
            check=False,
        )
    except OSError as error:
        raise BuildError(
            f"the C compiler {compiler.path} could not be run: {error.strerror or error}",
            hint="install it again, or name another with the program's key compiler, or in $CC",
        ) from error
    return done.returncode, done.stdout.decode(errors="replace")
