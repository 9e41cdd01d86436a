"""Finding plugins and answering "who provides this?"."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pluggy

from tsws.errors import PluginError
from tsws.job import Event
from tsws.plugin import hookspecs
from tsws.plugin.interfaces import Architecture, Backend, Exporter, Fetcher, Volume

if TYPE_CHECKING:
    import click

GROUP = "tsws"
"""The entry-point group that plugins register in."""
LIMIT_VARIABLE = "TSWS_LOAD_PLUGINS"
"""Comma-separated entry-point names: load only these; set but empty: load none."""
TRACE_VARIABLE = "TSWS_TRACE_PLUGINS"
"""Set to 1 to see every hook call on standard error."""

T = TypeVar("T")


@dataclass(frozen=True)
class LoadedPlugin:
    """One entry point and what became of it."""

    name: str
    package: str
    version: str
    adds: tuple[str, ...] = ()
    """Such as ``backend local``, ``fetcher https``."""
    error: str | None = None
    """Why it was set aside; None when it is active."""


@dataclass(frozen=True)
class Plugins:
    """Everything that the active plugins provide, by name."""

    loaded: tuple[LoadedPlugin, ...] = ()
    backends: Mapping[str, type[Backend]] = field(default_factory=dict)
    volumes: Mapping[str, type[Volume]] = field(default_factory=dict)
    fetchers: Mapping[str, type[Fetcher]] = field(default_factory=dict)
    architectures: Mapping[str, type[Architecture]] = field(default_factory=dict)
    exporters: Mapping[str, type[Exporter]] = field(default_factory=dict)
    tables: Mapping[str, type[msgspec.Struct]] = field(default_factory=dict)
    _manager: pluggy.PluginManager | None = None

    def commands(self) -> dict[str, click.Command]:
        """The commands that plugins add; asked for only by the command line."""
        if self._manager is None:
            return {}
        found: dict[str, click.Command] = {}
        for commands in self._manager.hook.tsws_commands():
            for command in commands:
                if command.name is not None:
                    found.setdefault(command.name, command)
        return found

    def tell(self, event: Event) -> None:
        """Pass an event to every listener."""
        if self._manager is not None:
            self._manager.hook.tsws_event(event=event)

    def fetcher_for(self, uri: str) -> Fetcher:
        """The fetcher of a URI's scheme.

        Raises:
            PluginError: no plugin knows the scheme.
        """
        scheme = uri.partition(":")[0].lower()
        try:
            return self.fetchers[scheme]()
        except KeyError:
            known = ", ".join(sorted(self.fetchers)) or "none"
            raise PluginError(
                f"no plugin can fetch {uri!r}: nothing knows the scheme {scheme!r}",
                hint=f"known schemes: {known}; `tsws plugins` lists what is installed",
            ) from None


@lru_cache(maxsize=1)
def load_plugins() -> Plugins:
    """Load the plugins of this environment, once a process.

    A plugin that can not be imported, or whose hooks fail, is named in ``Plugins.loaded`` with its error
    and set aside; the others work.
    """
    allowed = os.environ.get(LIMIT_VARIABLE)
    names = None if allowed is None else {name.strip() for name in allowed.split(",") if name.strip()}
    return collect(point for point in entry_points(group=GROUP) if names is None or point.name in names)


def collect(points: Iterable[EntryPoint]) -> Plugins:
    """What the plugins of some entry points provide (see :func:`load_plugins`)."""
    manager = pluggy.PluginManager("tsws")
    manager.add_hookspecs(hookspecs)
    if os.environ.get(TRACE_VARIABLE) == "1":
        manager.trace.root.setwriter(lambda text: os.write(2, text.encode()) and None)
        manager.enable_tracing()
    gathered = _Gathered()
    loaded = [gathered.add(manager, point) for point in sorted(points, key=lambda point: point.name)]
    return Plugins(
        loaded=tuple(loaded),
        backends=gathered.backends,
        volumes=gathered.volumes,
        fetchers=gathered.fetchers,
        architectures=gathered.architectures,
        exporters=gathered.exporters,
        tables=gathered.tables,
        _manager=manager,
    )


@dataclass
class _Gathered:
    """The registries while they fill; the first plugin (by name) that provides a name keeps it."""

    backends: dict[str, type[Backend]] = field(default_factory=dict)
    volumes: dict[str, type[Volume]] = field(default_factory=dict)
    fetchers: dict[str, type[Fetcher]] = field(default_factory=dict)
    architectures: dict[str, type[Architecture]] = field(default_factory=dict)
    exporters: dict[str, type[Exporter]] = field(default_factory=dict)
    tables: dict[str, type[msgspec.Struct]] = field(default_factory=dict)

    def add(self, manager: pluggy.PluginManager, point: EntryPoint) -> LoadedPlugin:
        package = point.dist.name if point.dist else "?"
        version = point.dist.version if point.dist else "?"
        try:
            plugin = point.load()
            manager.register(plugin, name=point.name)
        except Exception as error:  # noqa: BLE001  whatever a stranger's import raises is named, never fatal
            return LoadedPlugin(point.name, package, version, error=f"{type(error).__name__}: {error}")
        try:
            adds = self._take(plugin)
        except Exception as error:  # noqa: BLE001  likewise for its hooks
            manager.unregister(plugin)
            return LoadedPlugin(point.name, package, version, error=f"{type(error).__name__}: {error}")
        return LoadedPlugin(point.name, package, version, adds=tuple(adds))

    def _take(self, plugin: Any) -> list[str]:
        """Ask one plugin for all it provides, then add it all: a plugin that fails adds nothing."""
        offers: list[tuple[str, dict[str, Any], str, Any]] = []

        def offer(kind: str, registry: dict[str, T], hook: str, keys: Callable[[T], Iterable[str]]) -> None:
            for item in _call(plugin, hook):
                offers.extend((kind, registry, key, item) for key in keys(item))

        offer("backend", self.backends, "tsws_backends", lambda item: [item.name])
        offer("volume", self.volumes, "tsws_volumes", lambda item: [item.kind])
        offer("fetcher", self.fetchers, "tsws_fetchers", lambda item: item.schemes)
        offer("architecture", self.architectures, "tsws_architectures", lambda item: [item.name])
        offer("exporter", self.exporters, "tsws_exporters", lambda item: [item.format])
        tables = getattr(plugin, "tsws_tables", None)
        offers.extend(("table", self.tables, key, struct) for key, struct in (tables() if tables else {}).items())
        adds = []
        for kind, registry, key, item in offers:
            registry.setdefault(key, item)
            adds.append(f"{kind} {key}")
        if hasattr(plugin, "tsws_commands"):
            adds.append("commands")
        if hasattr(plugin, "tsws_event"):
            adds.append("event listener")
        return adds


def _call(plugin: Any, hook: str) -> list[Any]:
    function = getattr(plugin, hook, None)
    return list(function()) if function else []
