"""The JSON Schema of a manifest, for editors: completion and checking while one types.

Dialect: https://json-schema.org/draft/2020-12/schema. What needs a look across tables is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from tsws.manifest.specs import NAME_PATTERN, TABLES, BackendSpec, ExportSpec, ModelSpec, VolumeSpec, WorkspaceSpec
from tsws.plugin import Plugins

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Provider(Protocol):
    @property
    def Options(self) -> type[msgspec.Struct]: ...  # noqa: N802


def json_schema(plugins: Plugins) -> Schema:
    """The schema of a whole ``tinystories.toml``, with the keys of the plugins that are installed.

    A kind, architecture or format that no plugin here provides is let through with any keys, as loading
    lets it through with a warning.
    """
    builder = _Builder()
    tables = {table: _named(builder.struct(struct)) for table, struct in TABLES.items()}
    tables["model"] = _named(builder.with_options(ModelSpec, "arch", plugins.architectures))
    tables["export"] = _named(builder.with_options(ExportSpec, "format", plugins.exporters))
    tables["volume"] = _named(builder.volume(plugins.volumes))
    tables["backend"] = builder.backends(plugins.backends)
    own = {name: _named(builder.struct(struct)) for name, struct in sorted(plugins.tables.items())}
    return {
        "$schema": DIALECT,
        "title": "tinystories.toml",
        "description": "What should exist in a tsws workspace.",
        "type": "object",
        "properties": {"workspace": builder.struct(WorkspaceSpec), **own, **tables},
        "additionalProperties": False,
        "$defs": builder.definitions,
    }


class _Builder:
    """Collects the definitions that nested structs of plugins bring along."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def struct(self, struct: type[msgspec.Struct]) -> Schema:
        """The schema of one table. Nested structs become definitions, named after it, too."""
        prefix = f"{struct.__module__}.{struct.__qualname__}".replace("<locals>.", "")
        (reference,), nested = msgspec.json.schema_components([struct], ref_template=f"#/$defs/{prefix}:{{name}}")
        own_name = reference["$ref"].rpartition(":")[2]
        own = nested.pop(own_name)
        if own_name in _references(own, nested):  # a struct that holds itself
            nested[own_name] = own
        self.definitions |= {f"{prefix}:{name}": _for_toml(definition) for name, definition in nested.items()}
        schema: Schema = _for_toml(own)
        schema["additionalProperties"] = False
        return schema

    def with_options(self, struct: type[msgspec.Struct], key: str, providers: Mapping[str, _Provider]) -> Schema:
        """A table in which ``options`` depends on ``key``."""
        schema = self.struct(struct)
        default = schema["properties"][key]["default"]
        branches = [
            {
                # Without the key its default holds, and "properties" is content with a key that is absent.
                "if": {"properties": {key: {"const": name}}} | ({} if name == default else {"required": [key]}),
                "then": {"properties": {"options": self.struct(provider.Options)}},
            }
            for name, provider in sorted(providers.items())
        ]
        return schema | ({"allOf": branches} if branches else {})  # the dialect wants no empty list

    def volume(self, providers: Mapping[str, _Provider]) -> Schema:
        """One branch a kind, and one for kinds that are not installed."""
        return {"anyOf": [*self.kinds(VolumeSpec, providers), self.unknown_kind(VolumeSpec, providers)]}

    def backends(self, providers: Mapping[str, _Provider]) -> Schema:
        """``[backend.NAME]`` means the backend called NAME when it does not say its kind."""
        branches = self.kinds(BackendSpec, providers)
        unknown = self.unknown_kind(BackendSpec, providers)
        by_name = {}
        for name, branch in zip(sorted(providers), branches, strict=True):
            others = [other for other in branches if other is not branch]
            explicit_unknown = unknown | {"required": ["kind"]}
            without_kind = branch | {"required": [key for key in branch["required"] if key != "kind"]}
            by_name[name] = {"anyOf": [without_kind, *others, explicit_unknown]}
        table = _named({"anyOf": [*branches, unknown]})
        return table | {"description": _summary(BackendSpec), "properties": by_name}

    def kinds(self, struct: type[msgspec.Struct], providers: Mapping[str, _Provider]) -> list[Schema]:
        """For each kind, sorted, the keys of the spec and of the plugin in one table."""
        own = self.struct(struct)
        own["properties"].pop("options")
        branches = []
        for name, provider in sorted(providers.items()):
            options = self.struct(provider.Options)
            kind = {"const": name, "description": own["properties"]["kind"]["description"]}
            branch = own | {"properties": {**own["properties"], "kind": kind, **options["properties"]}}
            branches.append(branch | {"required": sorted({"kind", *options.get("required", ())})})
        return branches

    def unknown_kind(self, struct: type[msgspec.Struct], providers: Mapping[str, _Provider]) -> Schema:
        """A table of a kind that no plugin here provides: any keys beside those of the spec."""
        schema = self.struct(struct)
        schema["properties"].pop("options")
        schema["additionalProperties"] = True
        if providers:
            schema["properties"]["kind"] = schema["properties"]["kind"] | {"not": {"enum": sorted(providers)}}
        return schema


def _named(entry: Schema) -> Schema:
    """A table of named entries."""
    return {
        "type": "object",
        "propertyNames": {"pattern": NAME_PATTERN},
        "additionalProperties": entry,
        **({"description": entry["description"]} if "description" in entry else {}),
    }


def _for_toml(schema: Any) -> Any:
    """Without ``null``, which TOML does not have, and in the Markdown that editors show."""
    if isinstance(schema, list):
        return [_for_toml(item) for item in schema]
    if not isinstance(schema, dict):
        return schema.replace("``", "`") if isinstance(schema, str) else schema
    plain = {key: _for_toml(value) for key, value in schema.items() if (key, value) != ("default", None)}
    if isinstance(plain.get("title"), str):
        del plain["title"]  # the name of a Python class
    if isinstance(plain.get("anyOf"), list):
        choices = [choice for choice in plain.pop("anyOf") if choice != {"type": "null"}]
        # Beside one choice alone, what describes the key (and stood outside) wins.
        plain = {**choices[0], **plain} if len(choices) == 1 else {"anyOf": choices, **plain}
    return plain


def _references(*schemas: Any) -> set[str]:
    """The names of all definitions that are referred to."""
    names: set[str] = set()
    for schema in schemas:
        if isinstance(schema, dict):
            if isinstance(reference := schema.get("$ref"), str):
                names.add(reference.rpartition(":")[2])
            names |= _references(*schema.values())
        elif isinstance(schema, list):
            names |= _references(*schema)
    return names


def _summary(struct: type[msgspec.Struct]) -> str:
    return (struct.__doc__ or "").partition("\n")[0].strip().replace("``", "`")
