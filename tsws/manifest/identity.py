"""The two kinds of keys: those that can change the bytes of a result, and those that can not."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from msgspec import inspect

from tsws.manifest.specs import OPERATIONAL


def identity_fields(spec: msgspec.Struct) -> dict[str, Any]:
    """What enters a fingerprint: JSON-able, every identity key with its value, defaults too."""
    return _fields(spec, operational=False)


def operational_fields(spec: msgspec.Struct) -> dict[str, Any]:
    """What does not: where and how fast something is made, and what is said meanwhile."""
    return _fields(spec, operational=True)


def _fields(spec: msgspec.Struct, *, operational: bool) -> dict[str, Any]:
    marked = operational_keys(type(spec))
    fields = msgspec.structs.fields(spec)
    chosen = {field.name: getattr(spec, field.name) for field in fields if (field.name in marked) is operational}
    plain: dict[str, Any] = msgspec.to_builtins(chosen)
    return plain


@lru_cache(maxsize=64)
def operational_keys(struct: type[msgspec.Struct]) -> frozenset[str]:
    """The names of a spec's operational keys."""
    fields = msgspec.structs.fields(struct)
    return frozenset(field.name for field in fields if _is_marked(inspect.type_info(field.type)))


def _is_marked(type_: inspect.Type) -> bool:
    extra = type_.extra_json_schema if isinstance(type_, inspect.Metadata) else None
    return bool(extra and extra.get(OPERATIONAL))
