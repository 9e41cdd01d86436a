"""Reading: a file, what it includes, and the overrides become one plain document."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tsws.errors import ManifestError
from tsws.manifest.overrides import Override, parse_overrides
from tsws.manifest.positions import key_positions
from tsws.manifest.problems import KeyPath, Location, MistakesError, Problem, dotted
from tsws.manifest.words import found

_DEEPEST = 32
"""Levels of tables and lists; nothing sensible comes near, and everything behind may recurse."""
_SYNTAX = re.compile(r"(.*?) \((?:at line (\d+), column (\d+)|at end of document)\)", re.DOTALL)
"""How ``tomllib`` words its errors..."""
_KEY_TUPLE = re.compile(r"\('[^()]*'(?:,|, '[^()]*')\)")
_IN_QUOTES = r"'([^']*)'"
"""... and the keys in them, which it shows as Python tuples."""


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
        raise ManifestError(f"{path} can not be read: {error.strerror}") from error
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
            if inner.resolve() in trail:
                self.problems.append(Problem(place, f"{included} includes this file again, in a circle", location))
            elif not inner.is_file():
                self.problems.append(Problem(place, f"there is no file {included} to include", location))
            else:
                document.merge(self.read(inner, trail))
        document.drop(("workspace", "include"))  # theirs are done; only this file's own stays in sight
        document.merge(own)
        return document

    def parse(self, path: Path, name: str) -> Document:
        try:
            text = path.read_bytes().decode("utf-8-sig")
            data = tomllib.loads(text)
        except OSError as error:
            self.problems.append(Problem((), f"can not be read: {error.strerror}", Location(name)))
        except UnicodeDecodeError as error:
            self.problems.append(
                Problem((), f"is not text in UTF-8: {error.reason} at byte {error.start}", Location(name))
            )
        except ValueError as error:
            self.problems.append(_syntax_problem(error, name))
        except RecursionError:
            self.problems.append(Problem((), "lists or tables lie too deep in each other", Location(name)))
        else:
            if problem := check_depth(data):
                self.problems.append(Problem(problem.path, problem.message, Location(name)))
                return Document()
            return Document(data, {key: Location(name, line) for key, line in key_positions(text).items()})
        return Document()

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


def _syntax_problem(error: ValueError, name: str) -> Problem:
    match = _SYNTAX.fullmatch(str(error))
    if match is None:  # such as a number with more digits than Python reads
        return Problem((), f"not TOML: {error}", Location(name))
    words, line, column = match.groups()
    words = _KEY_TUPLE.sub(lambda match: f"`{dotted(tuple(re.findall(_IN_QUOTES, match[0])))}`", words)
    place = Location(name, int(line), int(column)) if line else Location(name)
    where = "" if line else ", at the end of the file"
    return Problem((), f"not TOML: {words[:1].lower()}{words[1:]}{where}", place)


def check_depth(data: dict[str, Any]) -> Problem | None:
    """Whether something lies deeper than anything sensible; looks without recursion."""
    level: list[tuple[KeyPath, Any]] = [((), data)]
    for _ in range(_DEEPEST):
        level = [((*path, key), value) for path, container in level for key, value in _items(container)]
        if not level:
            return None
    return Problem(level[0][0][:2], f"lists or tables lie more than {_DEEPEST} deep in each other")


def _items(container: Any) -> list[tuple[Any, Any]]:
    if isinstance(container, dict):
        return list(container.items())
    return list(enumerate(container)) if isinstance(container, list) else []


def _merge(into: dict[str, Any], other: dict[str, Any]) -> None:
    for key, value in other.items():
        old = into.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            _merge(old, value)
        else:
            into[key] = value
