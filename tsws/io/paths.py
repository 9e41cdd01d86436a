"""Paths that come from data (manifests, archives, volumes): they stay inside their folder, or are refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tsws.errors import FormatError


def is_relative_inside(relative: str) -> bool:
    """Whether a path is relative and, read by itself, can not lead out of the folder it is relative to.

    Pure: looks at the text only, not at the disk. Folders are separated by ``/`` on every system, so
    a backslash is refused instead of meaning one thing here and another thing elsewhere.
    """
    return _fault(relative) is None


def inside(root: Path, relative: str) -> Path:
    """The absolute path of ``relative`` in the folder ``root``. It need not exist.

    Symbolic links are followed for the check only: the answer is ``root / relative`` as it is named.

    Args:
        root: the workspace (or another folder that must not be left).
        relative: a path as a manifest has it, with ``/``.

    Raises:
        FormatError: the path is absolute, climbs with ``..``, names a drive, holds a NUL or a backslash, or leaves
            ``root`` through a symbolic link.
    """
    fault = _fault(relative)
    if fault is not None:
        raise FormatError(
            f"the path {relative!r} {fault}",
            hint=f"name a file inside {root}, relative to it, with '/' between folders",
        )
    top = root.absolute()
    path = top / relative
    try:
        real = path.resolve()
    except (RuntimeError, OSError) as error:  # a circle of links: RuntimeError before Python 3.13, OSError after
        raise FormatError(
            f"the path {relative!r} can not be followed: {error}", hint=f"look at the links at {path}"
        ) from error
    if not real.is_relative_to(top.resolve()):
        raise FormatError(
            f"the path {relative!r} leaves {root} through a symbolic link, to {real}",
            hint=f"replace the link at {path} (or in a folder above it) by a real file or folder",
        )
    return path


_FAULTS: tuple[tuple[Callable[[str], object], str], ...] = (
    (lambda path: not path, "is empty"),
    (lambda path: "\0" in path, "contains a NUL character"),
    (lambda path: "\\" in path, "contains a backslash"),
    (lambda path: path.startswith("/"), "is absolute"),
    (re.compile(r"^[A-Za-z]:").match, "names a drive"),
    (lambda path: ".." in path.split("/"), "climbs out of its folder with '..'"),
)
"""What a path may not be, and how a sentence about it ends."""


def _fault(relative: str) -> str | None:
    return next((fault for found, fault in _FAULTS if found(relative)), None)
