"""Asking plugins what they provide, each by itself, so that one that fails leaves the others alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pluggy

from tsws.errors import PluginError
from tsws.plugin import hookspecs
from tsws.plugin.backend import Backend
from tsws.plugin.interfaces import Architecture, Exporter, Fetcher, Volume


@dataclass(frozen=True)
class _Kind:
    """One kind of thing that plugins provide."""

    name: str
    hook: str
    base: type
    keys: Callable[[Any], Iterable[str]]
    """Under which names something of this kind is found."""


_KINDS = (
    _Kind("backend", "tsws_backends", Backend, lambda item: [item.name]),
    _Kind("volume", "tsws_volumes", Volume, lambda item: [item.kind]),
    _Kind("fetcher", "tsws_fetchers", Fetcher, lambda item: item.schemes),
    _Kind("architecture", "tsws_architectures", Architecture, lambda item: [item.name]),
    _Kind("exporter", "tsws_exporters", Exporter, lambda item: [item.format]),
)


@dataclass
class Gathered:
    """The registries while they fill; the first plugin that provides a name keeps it."""

    backends: dict[str, type[Backend]] = field(default_factory=dict)
    volumes: dict[str, type[Volume]] = field(default_factory=dict)
    fetchers: dict[str, type[Fetcher]] = field(default_factory=dict)
    architectures: dict[str, type[Architecture]] = field(default_factory=dict)
    exporters: dict[str, type[Exporter]] = field(default_factory=dict)
    tables: dict[str, type[msgspec.Struct]] = field(default_factory=dict)

    def take(self, manager: pluggy.PluginManager, plugin: Any) -> list[str]:
        """Ask one registered plugin for all it provides, then add it all: a plugin that fails adds nothing.

        Returns:
            What it adds, for people, such as ``backend local``.

        Raises:
            PluginError: it gives something that is not what its hook promises.
            Exception: whatever its hooks raise.
        """
        _check_marked(manager, plugin)
        offers: list[tuple[str, str, Any]] = []
        for kind in _KINDS:
            for item in (item for answer in ask(manager, plugin, kind.hook) for item in answer):
                _check(kind.hook, item, kind.base)
                offers.extend((kind.name, key, item) for key in kind.keys(item))
        for name, struct in (pair for answer in ask(manager, plugin, "tsws_tables") for pair in answer.items()):
            _check("tsws_tables", struct, msgspec.Struct)
            offers.append(("table", name, struct))
        return [self._add(kind, key, item) for kind, key, item in offers]

    def _add(self, kind: str, key: str, item: Any) -> str:
        registries: dict[str, dict[str, Any]] = {
            "backend": self.backends,
            "volume": self.volumes,
            "fetcher": self.fetchers,
            "architecture": self.architectures,
            "exporter": self.exporters,
            "table": self.tables,
        }
        kept = registries[kind].setdefault(key, item) is item
        return f"{kind} {key}" if kept else f"{kind} {key} (another plugin's is used)"


def ask(manager: pluggy.PluginManager, plugin: Any, hook: str, **arguments: Any) -> list[Any]:
    """What one plugin answers to a hook: a list of one, or of none. Asked through the manager, so that it is traced."""
    others = [other for other in manager.get_plugins() if other is not plugin]
    answers: list[Any] = manager.subset_hook_caller(hook, others)(**arguments)
    return answers


def hooks_of(manager: pluggy.PluginManager, plugin: Any) -> set[str]:
    """Names of the hooks that a registered plugin implements."""
    return {caller.name for caller in manager.get_hookcallers(plugin) or ()}


def _check(hook: str, item: Any, base: type) -> None:
    if not (isinstance(item, type) and issubclass(item, base)):
        raise PluginError(f"{hook} gave {item!r}, which is no subclass of {base.__name__}")


def _check_marked(manager: pluggy.PluginManager, plugin: Any) -> None:
    marked = hooks_of(manager, plugin)
    specified = [name for name in vars(hookspecs) if name.startswith("tsws_")]
    unmarked = [name for name in specified if name not in marked and callable(getattr(plugin, name, None))]
    if unmarked:
        raise PluginError(f"{', '.join(unmarked)} is not decorated with tsws.plugin.hookimpl")
