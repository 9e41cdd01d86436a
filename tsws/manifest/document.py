"""Reading: a file, what it includes, and the overrides become one plain document."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tsws.errors import ManifestError
from tsws.manifest.overrides import Override, parse_overrides
from tsws.manifest.parse import check_depth, parse_file
from tsws.manifest.positions import key_positions
from tsws.manifest.problems import KeyPath, Location, MistakesError, Problem, dotted
from tsws.manifest.words import found


@dataclass
class Document:
    """Plain TOML data, and where each key of it stands."""

    data: dict[str, Any] = field(default_factory=dict)
    locations: dict[KeyPath, Location] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    """The files in the order in which they were read."""

    def locate(self, path: KeyPath) -> Location | None:
        """Where a key stands; for one that does not, its table."""
        for end in range(len(path), 0, -1):
            if location := self.locations.get(path[:end]):
                return location
        return Location(self.order[0]) if self.order else None

    def drop(self, path: tuple[str, str]) -> None:
        """Forget a key of a top-level table."""
        table = self.data.get(path[0])
        if isinstance(table, dict):
            table.pop(path[1], None)

    def put(self, override: Override) -> Problem | None:
        """Set one value; missing tables are made. A problem when something else stands in the way."""
        path = override.path
        table = self.data
        for end in range(1, len(path)):
            self.locations.setdefault(path[:end], override.location)
            inner = table.setdefault(path[end - 1], {})
            if not isinstance(inner, dict):
                return Problem(path, f"`{dotted(path[:end])}` is not a table", override.location)
            table = inner
        if isinstance(table.get(path[-1]), dict | list):
            self.locations = {key: place for key, place in self.locations.items() if key[: len(path)] != path}
        table[path[-1]] = override.value
        self.locations[path] = override.location
        return None

    def merge(self, other: Document) -> None:
        """Take over what ``other`` says, table by table; where both say something, ``other`` wins."""
        _merge(self.data, other.data)
        self.locations |= other.locations


def read_document(path: Path, overrides: Sequence[str] = ()) -> Document:
    """Read a manifest with all that it includes, and apply overrides.

    Included files are relative to the one that includes them. Later ones win over earlier ones, and the
    including file wins over them all.

    Raises:
        ManifestError: there is no such file, or it can not be read.
        MistakesError: syntax errors, includes that lead nowhere or in a circle, broken overrides.
    """
    try:
        path.stat()
    except FileNotFoundError:
        raise ManifestError(
            f"there is no {path.name} in {path.parent.absolute()}", hint="`tsws init` writes one"
        ) from None
    except OSError as error:
        raise ManifestError(
            f"{path} can not be read: {error.strerror}", hint="check that it is a file, in a folder that you may read"
        ) from error
    reader = _Reader(path.parent)
    document = reader.read(path, ())
    wanted, problems = parse_overrides(overrides)
    problems += reader.problems
    document.order = reader.order
    for override in wanted:
        if problem := document.put(override):
            problems.append(problem)
    if not problems and (problem := check_depth(document.data)):
        problems.append(problem)
    if problems:
        raise MistakesError(problems)
    return document


class _Reader:
    """One reading: which files were read, and what was wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.order: list[str] = []
        self.problems: list[Problem] = []

    def read(self, path: Path, including: tuple[Path, ...]) -> Document:
        """One file merged over what it includes. ``including``: the files on the way here, resolved."""
        name = Path(os.path.relpath(path, self.folder)).as_posix()
        if name not in self.order:
            self.order.append(name)
        own = self.parse(path, name)
        document = Document()
        for place, included in self.includes(own):
            inner = path.parent / included
            location = own.locate(place)
            trail = (*including, path.resolve())
            if not _is_file(inner):
                self.problems.append(Problem(place, f"there is no file {found(included)} to include", location))
            elif inner.resolve() in trail:
                self.problems.append(
                    Problem(place, f"{found(included)} includes this file again, in a circle", location)
                )
            else:
                document.merge(self.read(inner, trail))
        document.drop(("workspace", "include"))  # theirs are done; only this file's own stays in sight
        document.merge(own)
        return document

    def parse(self, path: Path, name: str) -> Document:
        parsed = parse_file(path, name)
        if isinstance(parsed, Problem):
            self.problems.append(parsed)
            return Document()
        data, text = parsed
        return Document(data, {key: Location(name, line) for key, line in key_positions(text).items()})

    def includes(self, own: Document) -> list[tuple[KeyPath, str]]:
        """What a file includes; what it says there and can not be is reported and left out."""
        workspace = own.data.get("workspace")
        if not isinstance(workspace, dict) or "include" not in workspace:
            return []
        path: KeyPath = ("workspace", "include")
        value = workspace["include"]
        items = value if isinstance(value, list) else [value]
        good = [(index, item) for index, item in enumerate(items) if isinstance(item, str) and "\0" not in item]
        if good != list(enumerate(items)) or not isinstance(value, list):
            message = f"expected a list, each the path of a manifest file in quotes, found {found(value)}"
            self.problems.append(Problem(path, message, own.locate(path)))
            return []
        return [((*path, index), item) for index, item in good]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long for the disk
        return False


def _merge(into: dict[str, Any], other: dict[str, Any]) -> None:
    for key, value in other.items():
        old = into.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            _merge(old, value)
        else:
            into[key] = value
