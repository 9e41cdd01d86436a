"""All that a plugin imports: interfaces, the hook marker, and the manager that finds plugins."""

from tsws.plugin.backend import Backend, Finding, Price, RunningJob
from tsws.plugin.hookspecs import hookimpl
from tsws.plugin.interfaces import (
    Architecture,
    Exporter,
    Fetcher,
    FileStat,
    NoOptions,
    Origin,
    Stream,
    Volume,
)
from tsws.plugin.manager import LoadedPlugin, Plugins, load_plugins
from tsws.plugin.shipment import Shipment, shipment

__all__ = [
    "Architecture",
    "Backend",
    "Exporter",
    "Fetcher",
    "FileStat",
    "Finding",
    "LoadedPlugin",
    "NoOptions",
    "Origin",
    "Plugins",
    "Price",
    "RunningJob",
    "Shipment",
    "Stream",
    "Volume",
    "hookimpl",
    "load_plugins",
    "shipment",
]
