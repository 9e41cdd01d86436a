"""What installed packages name as their entry points: how plugins are found.

``importlib.metadata`` gives the same answer (a test compares them), but its import takes half as long as click's,
since it brings email and zip files along, and every command pays for it. So the folders on the import path are read
here, by the specification: https://packaging.python.org/en/latest/specifications/entry-points/
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

_METADATA_FOLDERS = (".dist-info", ".egg-info")


@dataclass(frozen=True)
class EntryPoint:
    """Something in a package that the package offers to others by a name."""

    name: str
    value: str
    """``package.module``, or ``package.module:object`` for something in it."""
    package: str = "?"
    version: str = "?"

    def load(self) -> Any:
        """Import it.

        Raises:
            Exception: whatever the import raises.
        """
        module, _, attributes = self.value.partition(":")
        return reduce(getattr, filter(None, attributes.strip().split(".")), importlib.import_module(module.strip()))


def installed(group: str, path: Iterable[str] | None = None) -> tuple[EntryPoint, ...]:
    """The entry points of a group, of every installed package.

    Args:
        group: such as ``tsws``.
        path: folders to look in; default: ``sys.path``. Of two packages with one name, the first counts.
    """
    places = [entry or os.curdir for entry in (sys.path if path is None else path)]
    if any(entry.endswith(".egg") or Path(entry).is_file() for entry in places):
        return _by_the_library(group, places)  # an archive on the path: rare, and worth the wait
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for folder in (metadata for place in places for metadata in _metadata_folders(place)):
        key = _normalized(folder.name.rsplit(".", 1)[0].split("-")[0])
        if key not in found:
            found[key] = tuple(_read(folder, group))
    return tuple(point for points in found.values() for point in points)


def parse(text: str, group: str) -> Iterator[tuple[str, str]]:
    """Names and values of one group in the text of an ``entry_points.txt``."""
    section = None
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif section == group and line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield name.strip(), value.partition("[")[0].strip()


def _metadata_folders(place: str) -> list[Path]:
    with suppress(OSError), os.scandir(place) as entries:
        return sorted(Path(entry.path) for entry in entries if entry.name.endswith(_METADATA_FOLDERS))
    return []


def _read(folder: Path, group: str) -> Iterator[EntryPoint]:
    try:
        text = (folder / "entry_points.txt").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return  # a package without entry points, or a broken one: none of ours
    points = list(parse(text, group))
    if points:
        package, version = _identity(folder)
        yield from (EntryPoint(name, value, package, version) for name, value in points)


def _identity(folder: Path) -> tuple[str, str]:
    """Name and version, from the head of the package's metadata."""
    for name in ("METADATA", "PKG-INFO"):
        with suppress(OSError):
            head = (folder / name).read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
            fields = dict(re.findall(r"^(Name|Version): *(\S+)", head, re.MULTILINE))
            return fields.get("Name", "?"), fields.get("Version", "?")
    return "?", "?"


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _by_the_library(group: str, places: list[str]) -> tuple[EntryPoint, ...]:
    from importlib.metadata import distributions

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for package in distributions(path=places):
        points = (point for point in package.entry_points if point.group == group)
        named = tuple(EntryPoint(point.name, point.value, package.name, package.version) for point in points)
        found.setdefault(_normalized(package.name), named)
    return tuple(point for points in found.values() for point in points)
