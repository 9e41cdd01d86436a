"""Finding plugins and answering "who provides this?"."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import pluggy

from tsws.errors import PluginError
from tsws.io.entry_points import EntryPoint, installed
from tsws.job import Event
from tsws.plugin import hookspecs
from tsws.plugin.backend import Backend
from tsws.plugin.gather import Gathered, ask, hooks_of
from tsws.plugin.interfaces import Architecture, Exporter, Fetcher, Volume

if TYPE_CHECKING:
    import click

GROUP = "tsws"
"""The entry-point group that plugins register in."""
LIMIT_VARIABLE = "TSWS_LOAD_PLUGINS"
"""Comma-separated entry-point names: load only these; set but empty: load none."""
TRACE_VARIABLE = "TSWS_TRACE_PLUGINS"
"""Set to 1 to see every hook call on standard error."""


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
    _faults: dict[tuple[str, str], str] = field(default_factory=dict)
    _telling: threading.Lock = field(default_factory=threading.Lock)

    @property
    def faults(self) -> tuple[str, ...]:
        """What plugins did wrong after they were loaded, a sentence each, for whoever talks to people."""
        return tuple(self._faults.values())

    def commands(self) -> dict[str, click.Command]:
        """The commands that plugins add; asked for only by the command line.

        A plugin that fails to give its commands is named in :attr:`faults`; of two commands with one name the first
        plugin's (by name) counts.
        """
        found: dict[str, click.Command] = {}
        for commands in self._ask_each("tsws_commands"):
            for command in commands:
                if command.name is not None:
                    found.setdefault(command.name, command)
        return found

    def tell(self, event: Event) -> None:
        """Pass an event to every listener, one after another, whichever threads call this.

        Work does not fail because somebody listens: a listener that raises is named in :attr:`faults` and hears no more.
        """
        with self._telling:
            self._ask_each("tsws_event", event=event)

    def fetcher_for(self, uri: str) -> Fetcher:
        """The fetcher of a URI's scheme.

        Raises:
            PluginError: no plugin knows the scheme.
        """
        scheme = uri.partition(":")[0].lower()
        try:
            kind = self.fetchers[scheme]
        except KeyError:
            known = ", ".join(sorted(self.fetchers)) or "none"
            raise PluginError(
                f"no plugin can fetch {uri!r}: nothing knows the scheme {scheme!r}",
                hint=f"known schemes: {known}; `tsws plugins` lists what is installed",
            ) from None
        return kind()

    def _ask_each(self, hook: str, **arguments: Any) -> list[Any]:
        """The answers of all plugins that have a hook and have not failed in it before, by plugin name."""
        if self._manager is None:
            return []
        answers = []
        implementations = getattr(self._manager.hook, hook).get_hookimpls()
        for name, plugin in sorted((one.plugin_name, one.plugin) for one in implementations):
            if (name, hook) not in self._faults:
                try:
                    answers.extend(ask(self._manager, plugin, hook, **arguments))
                except Exception as error:  # noqa: BLE001  a stranger's fault is named, never fatal
                    self._faults[name, hook] = (
                        f"plugin {name}: its {hook} failed and is set aside: {type(error).__name__}: {error}"
                    )
        return answers


@lru_cache(maxsize=1)
def load_plugins() -> Plugins:
    """Load the plugins of this environment, once a process.

    A plugin that can not be imported, or whose hooks fail, is named in ``Plugins.loaded`` with its error
    and set aside; the others work.
    """
    allowed = os.environ.get(LIMIT_VARIABLE)
    names = None if allowed is None else {name.strip() for name in allowed.split(",") if name.strip()}
    return collect(point for point in installed(GROUP) if names is None or point.name in names)


def collect(points: Iterable[EntryPoint]) -> Plugins:
    """What the plugins of some entry points provide (see :func:`load_plugins`).

    Of two plugins that provide the same name, the first by name of entry point keeps it.
    """
    manager = pluggy.PluginManager("tsws")
    manager.add_hookspecs(hookspecs)
    if os.environ.get(TRACE_VARIABLE) == "1":
        manager.trace.root.setwriter(lambda text: os.write(2, text.encode()) and None)
        manager.enable_tracing()
    gathered = Gathered()
    loaded = [_load(manager, gathered, point) for point in sorted(points, key=lambda point: point.name)]
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


def _load(manager: pluggy.PluginManager, gathered: Gathered, point: EntryPoint) -> LoadedPlugin:
    registered = False
    plugin = None
    try:
        plugin = point.load()
        manager.register(plugin, name=point.name)
        registered = True
        manager.check_pending()  # a hook that does not exist is misspelled, or from a newer tsws
        adds = gathered.take(manager, plugin)
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a stranger's import raises is named, never fatal
        if registered:
            manager.unregister(plugin)
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return LoadedPlugin(point.name, point.package, point.version, error=reason)
    hooks = hooks_of(manager, plugin)
    adds += ["commands"] * ("tsws_commands" in hooks) + ["event listener"] * ("tsws_event" in hooks)
    return LoadedPlugin(point.name, point.package, point.version, adds=tuple(adds))
