"""The hooks: every way in which a plugin can add to tsws.

A plugin is a module (or object) named in the entry-point group ``tsws``, with any of these functions
decorated by ``tsws.plugin.hookimpl``. ``docs/hooks.md`` shows each with an example.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pluggy

from tsws.job import Event
from tsws.plugin.backend import Backend
from tsws.plugin.interfaces import Architecture, Exporter, Fetcher, Volume

if TYPE_CHECKING:
    import click

hookspec = pluggy.HookspecMarker("tsws")
hookimpl = pluggy.HookimplMarker("tsws")


@hookspec
def tsws_backends() -> list[type[Backend]]:
    """Places where work runs: ``[run.*] backend = "..."``."""
    return []


@hookspec
def tsws_volumes() -> list[type[Volume]]:
    """Kinds of places for files: ``[volume.*] kind = "..."``."""
    return []


@hookspec
def tsws_fetchers() -> list[type[Fetcher]]:
    """URI schemes that ``source = "..."`` understands."""
    return []


@hookspec
def tsws_architectures() -> list[type[Architecture]]:
    """Kinds of models: ``[model.*] arch = "..."``."""
    return []


@hookspec
def tsws_exporters() -> list[type[Exporter]]:
    """File formats: ``[export.*] format = "..."``."""
    return []


@hookspec
def tsws_commands() -> list[click.Command]:
    """Commands for the command line. Import click inside the function."""
    return []


@hookspec
def tsws_tables() -> dict[str, type[msgspec.Struct]]:
    """Tables of the manifest that belong to the plugin: top-level name to the struct that one entry has."""
    return {}


@hookspec
def tsws_event(event: Event) -> None:
    """Called for every event of every action of an apply, in order. Must return quickly and not raise."""
