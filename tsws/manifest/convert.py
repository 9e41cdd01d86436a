"""From plain data to specs: every table, key and value looked at by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tsws.manifest.extensions import check_extensions
from tsws.manifest.problems import KeyPath, Problem
from tsws.manifest.references import Names, with_bare_references
from tsws.manifest.shapes import check_plain, check_table, keys_of
from tsws.manifest.specs import NAME_PATTERN, TABLES, Manifest, WorkspaceSpec
from tsws.manifest.words import did_you_mean, found
from tsws.plugin import Plugins

OPEN_TABLES = frozenset({"volume", "backend"})
"""Tables whose entries have keys of a plugin beside their own; a spec has them in ``options``."""
_OPTIONS = frozenset({"options"})
_NAME = re.compile(NAME_PATTERN)


@dataclass(frozen=True)
class Converted:
    """What came of it."""

    manifest: Manifest
    """All entries that have no mistakes of their own."""
    names: Names
    """All declared names, those of mistaken entries too."""
    problems: list[Problem]
    warnings: list[Problem]


def convert(data: Mapping[str, Any], plugins: Plugins) -> Converted:
    """Check plain data against the specs and the options of plugins, and make specs of it."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    names: Names = {table: frozenset(_section(data, table)) for table in TABLES}
    manifest: dict[str, Any] = {"plugin": {}}
    known = ["workspace", *TABLES, *plugins.tables]
    for table, section in data.items():
        if table not in known:
            problems.append(Problem((table,), f"unknown table{did_you_mean(table, known)}"))
        elif not isinstance(section, dict):
            problems.append(Problem((table,), f"expected a table, found {found(section)}"))
        elif table == "workspace":
            mistakes = check_table((table,), section, WorkspaceSpec)
            manifest[table] = WorkspaceSpec() if mistakes else msgspec.convert(section, WorkspaceSpec)
            problems += mistakes
        else:
            specs: dict[str, msgspec.Struct] = {}
            for name, entry in section.items():
                mistakes = _check_name(table, name, entry)
                if not mistakes:
                    mistakes, remarks = _check_entry((table, name), entry, plugins)
                    warnings += remarks
                if not mistakes:
                    specs[name] = _spec(table, entry, names, plugins)
                problems += mistakes
            (manifest if table in TABLES else manifest["plugin"])[table] = specs
    return Converted(Manifest(**manifest), names, problems, warnings)


def _section(data: Mapping[str, Any], table: str) -> dict[str, Any]:
    section = data.get(table)
    return section if isinstance(section, dict) else {}


def _check_name(table: str, name: str, entry: Any) -> list[Problem]:
    if not isinstance(entry, dict):
        what = f"expected a table of its own, such as [{table}.NAME], found {found(entry)}"
        return [Problem((table, name), what)]
    if not _NAME.fullmatch(name):
        what = "a name has letters, digits, `.`, `_` and `-`, begins with a letter or digit, and is not over 100 long"
        return [Problem((table, name), what)]
    return []


def _check_entry(path: KeyPath, entry: dict[str, Any], plugins: Plugins) -> tuple[list[Problem], list[Problem]]:
    """Mistakes and remarks about one entry."""
    table, name = str(path[0]), str(path[1])
    struct = TABLES.get(table)
    if struct is None:
        return check_table(path, entry, plugins.tables[table]), []
    if table not in OPEN_TABLES:
        mistakes = check_table(path, entry, struct)
    else:
        own, options = split_options(table, entry)
        mistakes = check_table(path, own, struct, without=_OPTIONS) + check_plain(path, options)
    if mistakes:
        return mistakes, []
    return check_extensions(table, name, entry, plugins)


def split_options(table: str, entry: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """An entry of an open table in two: the keys of its spec, and those of the plugin."""
    keys = keys_of(TABLES[table]).keys() - _OPTIONS
    own = {key: value for key, value in entry.items() if key in keys}
    return own, {key: value for key, value in entry.items() if key not in keys}


def _spec(table: str, entry: Mapping[str, Any], names: Names, plugins: Plugins) -> msgspec.Struct:
    if table not in TABLES:
        return msgspec.convert(entry, plugins.tables[table])
    entry = with_bare_references(table, entry, names)
    if table in OPEN_TABLES:
        own, options = split_options(table, entry)
        entry = {**own, "options": options}
    return msgspec.convert(entry, TABLES[table])
