"""One file as plain data, or what is wrong with it as a text."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from tsws.manifest.problems import KeyPath, Location, Problem, dotted

_DEEPEST = 32
"""Levels of tables and lists; nothing sensible comes near, and everything behind may recurse."""
_SYNTAX = re.compile(r"(.*?) \((?:at line (\d+), column (\d+)|at end of document)\)", re.DOTALL)
"""How ``tomllib`` words its errors..."""
_KEY_TUPLE = re.compile(r"\('[^()]*'(?:,|, '[^()]*')\)")
_IN_QUOTES = r"'([^']*)'"
"""... and the keys in them, which it shows as Python tuples."""


def parse_file(path: Path, name: str) -> tuple[dict[str, Any], str] | Problem:
    """The data and the text of a TOML file.

    Args:
        path: of the file.
        name: what reports call it.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        data = tomllib.loads(text)
    except OSError as error:
        return Problem((), f"can not be read: {error.strerror}", Location(name))
    except UnicodeDecodeError as error:
        return Problem((), f"is not text in UTF-8: {error.reason} at byte {error.start}", Location(name))
    except ValueError as error:
        return _syntax_problem(error, name)
    except RecursionError:
        return Problem((), "lists or tables lie too deep in each other", Location(name))
    if problem := check_depth(data):
        return Problem(problem.path, problem.message, Location(name))
    return data, text


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
