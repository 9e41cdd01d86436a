"""The reference of all tables and keys, as Markdown, from the specs themselves."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import inspect

from tsws.manifest.convert import OPEN_TABLES
from tsws.manifest.identity import operational_keys
from tsws.manifest.problems import quoted
from tsws.manifest.shapes import keys_of
from tsws.manifest.specs import TABLES, BackendSpec, VolumeSpec, WorkspaceSpec
from tsws.manifest.words import expected

_NO_IDENTITY = (WorkspaceSpec, VolumeSpec, BackendSpec)
"""Tables that say where and how, and never enter a fingerprint."""
_HEAD = "| key | value | default | kind | what it says |\n| --- | --- | --- | --- | --- |"


def reference_markdown() -> str:
    """One section a table, one row a key. Plugins' keys are not in it: they depend on the installation."""
    sections = [_section("[workspace]", WorkspaceSpec, without=())]
    for table, struct in TABLES.items():
        without = ("options",) if table in OPEN_TABLES else ()
        sections.append(_section(f"[{table}.NAME]", struct, without=without))
    return "\n".join(sections)


def keys_markdown(struct: type[msgspec.Struct]) -> str:
    """The keys that a plugin's table takes, one row a key.

    Args:
        struct: the ``Options`` of a backend or a kind of volume.
    """
    rows = []
    for key, field in keys_of(struct).items():
        info = inspect.type_info(field.type)
        rows.append(_cells(f"`{key}`", expected(info), _default(field), _description(info)))
    return "\n".join(["| key | value | default | what it says |", "| --- | --- | --- | --- |", *rows, ""])


def _section(title: str, struct: type[msgspec.Struct], *, without: tuple[str, ...]) -> str:
    summary = " ".join((struct.__doc__ or "").split()).partition(": ")[2].replace("``", "`")
    rows = [_row(struct, key) for key in keys_of(struct) if key not in without]
    return "\n".join([f"### `{title}`", "", f"{summary[:1].upper()}{summary[1:]}", "", _HEAD, *rows, ""])


def _row(struct: type[msgspec.Struct], key: str) -> str:
    field = keys_of(struct)[key]
    info = inspect.type_info(field.type)
    operational = struct in _NO_IDENTITY or key in operational_keys(struct)
    kind = "operational" if operational else "identity"
    return _cells(f"`{key}`", expected(info), _default(field), kind, _description(info))


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    value: Any = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    match value:
        case None:
            return ""
        case bool():
            return "`true`" if value else "`false`"
        case str():
            return f"`{quoted(value)}`"
        case _:
            return f"`{value}`"


def _description(type_: inspect.Type) -> str:
    if isinstance(type_, inspect.Metadata):
        return str((type_.extra_json_schema or {}).get("description", "")) or _description(type_.type)
    members = type_.types if isinstance(type_, inspect.UnionType) else ()
    return next((text for member in members if (text := _description(member))), "")
