"""All that a plugin imports: interfaces, the hook marker, and the manager that finds plugins."""

from tsws.plugin.hookspecs import hookimpl
from tsws.plugin.interfaces import (
    Architecture,
    Backend,
    Exporter,
    Fetcher,
    FileStat,
    NoOptions,
    Origin,
    Price,
    Stream,
    Volume,
)
from tsws.plugin.manager import LoadedPlugin, Plugins, load_plugins

__all__ = [
    "Architecture",
    "Backend",
    "Exporter",
    "Fetcher",
    "FileStat",
    "LoadedPlugin",
    "NoOptions",
    "Origin",
    "Plugins",
    "Price",
    "Stream",
    "Volume",
    "hookimpl",
    "load_plugins",
]
