"""Overrides from the command line: ``run.baby.max_iters=2000``."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tsws.manifest.positions import scan_key
from tsws.manifest.problems import Location, Problem

OPTION = "--set"
"""What the command line calls an override; reports name it."""


@dataclass(frozen=True)
class Override:
    """One value that is put into the manifest."""

    path: tuple[str, ...]
    value: Any
    location: Location


def parse_override(text: str) -> Override | Problem:
    """Understand ``KEY=VALUE``.

    The key is a TOML key (dotted, with quotes around unusual names). The value is TOML; what is not,
    and does not begin like a quoted text, a list or a table, is taken as text: ``backend=modal``.
    """
    location = Location(f"{OPTION} {text}")
    try:
        path, end = scan_key(text)
    except ValueError:  # of a broken quoted key, too
        path, end = (), 0
    if not path or text[end : end + 1] != "=":
        return Problem((), "expected KEY=VALUE, such as run.baby.max_iters=2000", location)
    written = text[end + 1 :].strip()
    try:
        parsed = tomllib.loads(f"value = {written}")
    except (ValueError, RecursionError):
        parsed = {}
    if parsed.keys() == {"value"}:
        return Override(path, parsed["value"], location)
    if written.startswith(('"', "'", "[", "{")):
        return Problem(path, "the value begins like TOML but is not: a quote or bracket does not fit", location)
    return Override(path, written, location)


def parse_overrides(texts: Sequence[str]) -> tuple[list[Override], list[Problem]]:
    """All overrides, in order, and what could not be understood."""
    overrides: list[Override] = []
    problems: list[Problem] = []
    for text in texts:
        match parse_override(text):
            case Override() as override:
                overrides.append(override)
            case problem:
                problems.append(problem)
    return overrides, problems
