"""Paths that a manifest states: inside the workspace, and on no name that is somebody else's.

They are looked at in the plain data, so that a mistake shows whatever else is wrong with its entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from tsws.io.atomic import TEMPORARY_SUFFIX
from tsws.io.paths import is_relative_inside
from tsws.manifest.problems import KeyPath, Problem, quoted

RECORDS = ".tsws"
"""The folder of tsws's own records."""
RESERVED = (RECORDS, "tinystories.toml", "tinystories.lock")
"""Names at the top of a workspace that belong to tsws itself."""

_PATH_KEYS = {
    "dataset": "path",
    "tokenizer": "path",
    "model": "path",
    "run": "out",
    "export": "path",
    "program": "path",
    "volume": "sync",
}
"""The key of each table that says where something is written."""


def check_stated_paths(data: Mapping[str, Any], included: frozenset[PurePosixPath]) -> list[Problem]:
    """What is wrong with each stated path by itself.

    Args:
        data: plain data, of which anything may be wrong.
        included: of :func:`included_manifests`.
    """
    return [Problem(path, fault) for path, text in _stated_paths(data) if (fault := _fault(path, text, included))]


def included_manifests(data: Mapping[str, Any]) -> frozenset[PurePosixPath]:
    """The manifests that the data name, whatever else is wrong there."""
    workspace = data.get("workspace")
    include = workspace.get("include") if isinstance(workspace, dict) else None
    paths = include if isinstance(include, list) else []
    return frozenset(PurePosixPath(path) for path in paths if isinstance(path, str))


def taken(path: PurePosixPath, included: frozenset[PurePosixPath]) -> str | None:
    """Why nothing may be written to a path inside the workspace, or None."""
    if path.parts[0].lower() in RESERVED or path.name.endswith(TEMPORARY_SUFFIX):  # some disks know no case
        return f"{quoted(str(path))} is a name that tsws needs for itself"
    if path in included:
        return f"{quoted(str(path))} is a manifest that this one includes"
    return _hidden(path)


def _stated_paths(data: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Every path in the workspace that the data states, whatever else is wrong there, and the key that says it."""
    for table, key in _PATH_KEYS.items():
        section = data.get(table)
        for name, entry in section.items() if isinstance(section, dict) else ():
            value = entry.get(key) if isinstance(entry, dict) else None
            if isinstance(value, str):
                yield (table, name, key), value
            for index, item in enumerate(value) if isinstance(value, list) else ():
                if isinstance(item, str):
                    yield (table, name, key, index), item


def _fault(key: KeyPath, path: str, included: frozenset[PurePosixPath]) -> str | None:
    """What is wrong with a stated path by itself, or None."""
    if not is_relative_inside(path) or not path.isprintable():
        return f"expected a path inside the workspace, relative to it, found {quoted(path)}"
    pure = PurePosixPath(path)
    if pure == PurePosixPath():
        return f"expected a path below the workspace, found {quoted(path)}, the workspace itself"
    if key[0] == "volume":  # what is kept in step may well be a record, or a manifest
        return None if pure.parts[0] == RECORDS else _hidden(pure)
    return taken(pure, included)


def _hidden(path: PurePosixPath) -> str | None:
    """Other programs read what begins with a dot, and some run it: ``.git/hooks``, ``.envrc``."""
    if any(part.startswith(".") for part in path.parts):
        reason = "what begins with a dot belongs to other programs, which may run it"
        return f"{quoted(str(path))} can not be written: {reason}; choose a name without the dot"
    return None
