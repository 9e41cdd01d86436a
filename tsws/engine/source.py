"""Where the native program's source is, and how it becomes one file."""

from __future__ import annotations

import re
from pathlib import Path

from tsws.errors import BuildError

_PACKAGE = Path(__file__).resolve().parent.parent
_QUOTED_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"\n]+)"[^\n]*$')

_CONDITION = re.compile(r"^[ \t]*#[ \t]*(?:(if)|endif)")

_PROGRAM_HEADER = """\
/*
 * run: plays tiny Llama models in llama2.c's file formats.
 *
 * Written by tsws from its native/ folder. Compile it with
 *
 *     cc -O3 -march=native -ffp-contract=off -pthread run.c -o run -lm
 */
"""

_LIBRARY_HEADER = """\
/* libtsws: the native library of tsws, written from its native/ folder. Its contract is tsws.h, which begins below. */
"""


_TRAINING_HEADER = """\
/* libtswstrain: the training step of tsws in C, written from its native/train folder. Its contract is llama.h. */
"""
_INLINED_ALWAYS = ".inc"
"""Suffix of what is meant to be included several times, each time for other macros."""


def native_folder() -> Path:
    """The folder with ``include/``, ``src/``, ``run/`` and ``train/``: inside an installed package, or in the checkout.

    Raises:
        BuildError: it is in neither place.
    """
    for folder in (_PACKAGE / "_shipped" / "native", _PACKAGE.parent / "native"):
        if (folder / "include" / "tsws.h").is_file():
            return folder
    raise BuildError(
        f"the source of the native program is missing: neither {_PACKAGE / '_shipped' / 'native'}"
        f" nor {_PACKAGE.parent / 'native'} has it",
        hint="install tsws again: pip install --force-reinstall tsws",
    )


def amalgamate(folder: Path, *, program: bool = True) -> bytes:
    """All of the native program, or of its library alone, as one C file that compiles alone.

    Headers of the folder are put in place where they are first included; sources follow one another in the order
    of their names, those of the library first and ``main.c`` last. The same folder always gives the same bytes.

    Args:
        folder: with ``include/``, the library's ``src/`` and the program's ``run/``.
        program: whether ``run/`` is wanted too.

    Raises:
        BuildError: a source or a header that one includes is missing.
    """
    sources = [*_sources(folder / "src"), *(_sources(folder / "run") if program else [])]
    return _joined(folder, _PROGRAM_HEADER if program else _LIBRARY_HEADER, sources)


def amalgamate_training(folder: Path) -> bytes:
    """The training step of ``train/`` as one C file, likewise.

    Raises:
        BuildError: a source or a header that one includes is missing.
    """
    return _joined(folder, _TRAINING_HEADER, _sources(folder / "train"))


def _joined(folder: Path, header: str, sources: list[Path]) -> bytes:
    seen: set[Path] = set()
    parts = [header]
    for source in sources:
        parts.append(_section(folder, source))
        parts.extend(_inlined(folder, source, seen))
    return "".join(parts).encode()


def _sources(folder: Path) -> list[Path]:
    sources = sorted(folder.glob("*.c"), key=lambda path: (path.name == "main.c", path.name))
    if not sources:
        raise BuildError(f"{folder}: no C sources", hint="install tsws again")
    return sources


def _inlined(folder: Path, path: Path, seen: set[Path]) -> list[str]:
    """The lines of one file, headers in their places unless ``seen`` has them.

    A header that is included on a condition (for a processor of one kind) may not be there for those that follow: it
    does not count as seen, and its guard keeps it from being there twice.
    """
    lines: list[str] = []
    depth = -1 if path.suffix == ".h" else 0  # of conditions, a header's guard aside
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if condition := _CONDITION.match(line):
            depth += 1 if condition[1] else -1
        include = _QUOTED_INCLUDE.match(line.rstrip("\n"))
        if include is None:
            lines.append(line)
            continue
        header = _header(folder, path, include[1])
        if header not in seen or header.suffix == _INLINED_ALWAYS:
            known = seen if depth <= 0 else set(seen)
            known.add(header)
            lines.append(_section(folder, header))
            lines.extend(_inlined(folder, header, known))
    return lines


def _header(folder: Path, includer: Path, name: str) -> Path:
    for candidate in (includer.parent / name, folder / "include" / name):
        if candidate.is_file():
            return candidate
    raise BuildError(f"{includer}: includes {name}, which is missing", hint="install tsws again")


def _section(folder: Path, path: Path) -> str:
    return f"\n/* ==== {path.relative_to(folder).as_posix()} ==== */\n\n"
