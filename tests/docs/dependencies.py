"""What ``pyproject.toml`` asks for, and where it is imported."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import lru_cache
from pathlib import Path

from tests.docs.pages import REPOSITORY

SECTIONS = {
    "At run time": ("project", "dependencies"),
    "On Modal": ("project", "optional-dependencies", "modal"),
    "For pictures": ("project", "optional-dependencies", "plot"),
    "For the tests": ("project", "optional-dependencies", "test"),
    "For the checks": ("project", "optional-dependencies", "lint"),
    "To build": ("build-system", "requires"),
}
"""Heading on the page, and key in ``pyproject.toml``."""


def declared(*keys: str) -> list[str]:
    """Names of the packages under a key of ``pyproject.toml``."""
    found = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    for key in keys:
        found = found[key]
    return sorted(re.split(r"[<>=!~\[; ]", requirement)[0] for requirement in found)


@lru_cache(maxsize=1)
def imports() -> dict[str, list[str]]:
    """For each imported top-level module, the rooms of the source that import it."""
    found: dict[str, set[str]] = {}
    for folder in ("tsws", "plugins"):
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            for name in _imported(path):
                found.setdefault(name.partition(".")[0], set()).add(_room(path))
    return {name: sorted(rooms) for name, rooms in found.items()}


def where(package: str) -> str:
    """The sentence that says where a package is imported."""
    rooms = imports().get(package.replace("-", "_"), [])
    return f"Imported in {', '.join(f'`{room}`' for room in rooms)}.\n\n"


def _imported(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    return names


def _room(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).parts
    return f"{parts[0]}/{parts[1]}/" if len(parts) > 2 else "/".join(parts)
