"""One table of plain data against one msgspec struct: every mistake in it, not only the first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import inspect

from tsws.manifest.problems import KeyPath, Problem
from tsws.manifest.words import did_you_mean, expected, found, nearest

_MOST_64_BIT = 2**63


@lru_cache(maxsize=256)
def keys_of(struct: type[msgspec.Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    """The keys of a struct's table, as they are written, in order."""
    return {field.encode_name: field for field in msgspec.structs.fields(struct)}


def check_table(
    path: KeyPath, table: Mapping[str, Any], struct: type[msgspec.Struct], *, without: frozenset[str] = frozenset()
) -> list[Problem]:
    """What is wrong in ``table``: unknown keys, missing keys, values of a wrong type or out of range.

    Args:
        path: where the table stands.
        table: plain TOML data.
        struct: what it has to be.
        without: keys of the struct that are no keys of the table.
    """
    keys = {key: field for key, field in keys_of(struct).items() if key not in without}
    problems = [
        Problem((*path, key), f"expected {expected(inspect.type_info(field.type))}, but it is missing")
        for key, field in keys.items()
        if field.required and key not in table
    ]
    for key, value in table.items():
        if key in keys:
            problems += _check_value((*path, key), value, keys[key].type)
        else:
            hint = did_you_mean(key, keys) or ": there are none here"
            problems.append(Problem((*path, key), f"unknown key{hint}"))
    if not problems and not without:
        # What a plugin's struct checks in its ``__post_init__`` shows only when all its keys are right.
        problems += _convert(path, table, struct, f"these keys do not fit together: {struct.__name__} refuses them")
    return problems


def check_plain(path: KeyPath, value: Any) -> list[Problem]:
    """What is not plain data: everything has to survive a way through JSON to a worker."""
    if isinstance(value, dict):
        return [problem for key, inner in value.items() for problem in check_plain((*path, key), inner)]
    if isinstance(value, list):
        return [problem for index, inner in enumerate(value) for problem in check_plain((*path, index), inner)]
    words = None
    if not isinstance(value, str | int | float):
        words = "text, a number, true or false, a list or a table"
    elif isinstance(value, float) and not math.isfinite(value):
        words = "a finite number"
    elif isinstance(value, int) and not -_MOST_64_BIT <= value < _MOST_64_BIT:
        words = "a whole number that fits into 64 bits"
    return [Problem(path, f"expected {words}, found {found(value)}")] if words else []


def _check_value(path: KeyPath, value: Any, type_: Any) -> list[Problem]:
    info = inspect.type_info(type_)
    struct = _struct_of(info)
    if struct is not None and isinstance(value, dict):
        return check_table(path, value, struct)
    item_type = _item_type_of(info)
    if item_type is not None and isinstance(value, list):
        return [
            problem
            for index, item in enumerate(value)
            for problem in _convert((*path, index), [item], type_, _mismatch(item_type, item))
            or check_plain((*path, index), item)
        ]
    return _convert(path, value, type_, _mismatch(info, value)) or check_plain(path, value)


def _mismatch(type_: inspect.Type, value: Any) -> str:
    choices = [
        choice for inner in _alternatives(type_) if isinstance(inner, inspect.LiteralType) for choice in inner.values
    ]
    near = nearest(value, [str(choice) for choice in choices]) if isinstance(value, str) else None
    return f"expected {expected(type_)}, found {found(value)}" + (f"; did you mean `{near}`?" if near else "")


def _convert(path: KeyPath, value: Any, type_: Any, words: str) -> list[Problem]:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        # With a cause, it is what a plugin's own ``__post_init__`` had to say.
        return [Problem(path, str(error.__cause__) if error.__cause__ else words)]
    return []


def _struct_of(type_: inspect.Type) -> type[msgspec.Struct] | None:
    return next((inner.cls for inner in _alternatives(type_) if isinstance(inner, inspect.StructType)), None)


def _item_type_of(type_: inspect.Type) -> inspect.Type | None:
    return next((inner.item_type for inner in _alternatives(type_) if isinstance(inner, inspect.ListType)), None)


def _alternatives(type_: inspect.Type) -> list[inspect.Type]:
    """The types a value may have, without descriptions around them."""
    if isinstance(type_, inspect.Metadata):
        return _alternatives(type_.type)
    if isinstance(type_, inspect.UnionType):
        return [inner for member in type_.types for inner in _alternatives(member)]
    return [type_]
