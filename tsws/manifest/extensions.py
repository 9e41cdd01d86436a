"""Keys that belong to a plugin: checked by its ``Options`` when it is there, and kept when it is not.

A manifest may name a plugin that is not installed here: the rest of it works, and planning the resource
that needs the plugin reports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from tsws.manifest import sources
from tsws.manifest.problems import KeyPath, Problem, quoted
from tsws.manifest.shapes import check_table
from tsws.manifest.specs import ExportSpec, Manifest, ModelSpec
from tsws.manifest.words import nearest
from tsws.plugin import Plugins


class _WithOptions(Protocol):
    @property
    def Options(self) -> type[msgspec.Struct]: ...  # noqa: N802


Findings = tuple[list[Problem], list[Problem]]
"""Mistakes, and remarks."""


def check_extensions(table: str, name: str, entry: Mapping[str, Any], plugins: Plugins) -> Findings:
    """The plugin's part of one entry whose own keys are right."""
    path = (table, name)
    match table:
        case "volume":
            options = {key: value for key, value in entry.items() if key not in ("kind", "sync")}
            return _check((*path, "kind"), path, options, "volume kind", entry["kind"], plugins.volumes)
        case "backend":
            options = {key: value for key, value in entry.items() if key != "kind"}
            kind = entry.get("kind", name)
            return _check((*path, "kind"), path, options, "backend", kind, plugins.backends)
        case "model" if "source" not in entry:
            arch = entry.get("arch", _default(ModelSpec, "arch"))
            options = entry.get("options", {})
            return _check((*path, "arch"), (*path, "options"), options, "architecture", arch, plugins.architectures)
        case "export":
            format_ = entry.get("format", _default(ExportSpec, "format"))
            options = entry.get("options", {})
            return _check((*path, "format"), (*path, "options"), options, "export format", format_, plugins.exporters)
        case _:
            return [], []


def check_run_backends(data: Mapping[str, Any], backends: frozenset[str], plugins: Plugins) -> list[Problem]:
    """Remarks about runs on backends that neither a table nor a plugin provides."""
    remarks = []
    section = data.get("run")
    for name, entry in section.items() if isinstance(section, dict) else ():
        backend = entry.get("backend") if isinstance(entry, dict) else None
        if isinstance(backend, str) and backend.removeprefix("backend.") not in backends:
            backend = backend.removeprefix("backend.")
            known = {*backends, *plugins.backends}
            if backend not in known:
                remarks.append(Problem(("run", name, "backend"), _absent("backend", backend, known)))
    return remarks


def check_schemes(manifest: Manifest, plugins: Plugins) -> list[Problem]:
    """Remarks about sources that no plugin here can fetch."""
    remarks = []
    for path, source in sources.all_sources(manifest):
        scheme = sources.scheme(source)
        if scheme is not None and scheme not in plugins.fetchers and not source.startswith(sources.BUILTIN):
            near = nearest(scheme, plugins.fetchers)
            hint = f"did you mean `{near}`?" if near else "`tsws plugins` lists what is there"
            remarks.append(Problem(path, f"no plugin can fetch {quoted(scheme)}; {hint}"))
    return remarks


def _check(
    named_at: KeyPath,
    path: KeyPath,
    options: Mapping[str, Any],
    what: str,
    name: str,
    registry: Mapping[str, _WithOptions],
) -> Findings:
    provider = registry.get(name)
    if provider is None:
        return [], [Problem(named_at, _absent(what, name, registry))]
    return check_table(path, options, provider.Options), []


def _absent(what: str, name: str, known: Mapping[str, Any] | set[str]) -> str:
    near = nearest(name, known)
    hint = f"; did you mean `{near}`?" if near else ", so its keys are not checked; `tsws plugins` lists what is there"
    return f"no plugin provides {what} {quoted(name)}{hint}"


def _default(struct: type[msgspec.Struct], key: str) -> str:
    return next(str(field.default) for field in msgspec.structs.fields(struct) if field.name == key)
