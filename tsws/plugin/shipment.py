"""What a machine elsewhere needs to run a worker: tsws itself, the active plugins, and what they import.

A backend of such a machine brings the folders to it, puts the one with ``entry_points`` on its import path, and installs the
requirements there, in the versions of this machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import tsws.version
from tsws.io.entry_points import EntryPoint, installed
from tsws.plugin.manager import GROUP, Plugins

OWN = "tsws"
"""The package that brings the first plugins."""
FOLDERS = ("native", "templates")
"""What lies beside the package in a checkout, and inside of an installed one."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LOCAL_BUILD = re.compile(r"\+.*")
"""``2.13.0+cpu``: how this machine's build differs from the published one is this machine's business."""


@dataclass(frozen=True)
class Shipment:
    """See the module."""

    modules: tuple[str, ...]
    """Import names of packages (or modules) whose source has to be there, sorted."""
    folders: dict[str, Path]
    """Folders to lie beside those packages, by name."""
    entry_points: str
    """Text of the ``entry_points.txt`` by which the plugins are found there."""
    requirements: tuple[str, ...]
    """What to install, such as ``numpy==2.4.1``, sorted."""


def shipment(plugins: Plugins) -> Shipment:
    """What to bring to a machine, so that a worker there has the plugins that are active here."""
    active = {plugin.name for plugin in plugins.loaded if plugin.error is None}
    points = sorted((one for one in installed(GROUP) if one.name in active), key=lambda one: one.name)
    packages = sorted({OWN, *(one.package for one in points if one.package != "?")})
    return Shipment(
        modules=tuple(sorted({OWN, *(_module(one) for one in points)})),
        folders=_folders(),
        entry_points=f"[{GROUP}]\n" + "".join(f"{one.name} = {one.value}\n" for one in points),
        requirements=tuple(sorted({need for package in packages for need in _requirements(package)})),
    )


def _module(point: EntryPoint) -> str:
    return point.value.partition(":")[0].partition(".")[0].strip()


def _folders() -> dict[str, Path]:
    package = Path(tsws.version.__file__).resolve().parent
    found = {}
    for name in FOLDERS:
        places = (package / "_shipped" / name, package.parent / name)
        place = next((one for one in places if one.is_dir()), None)
        if place is not None:
            found[name] = place
    return found


def _requirements(package: str) -> list[str]:
    """What a package needs without its extras, each in the version that is installed here."""
    from importlib import metadata  # it is slow to import, and only whoever ships needs it

    try:
        stated = metadata.requires(package) or []
    except metadata.PackageNotFoundError:
        return []  # a plugin that is only on the path states nothing
    names = [found[0] for line in stated if "extra ==" not in line and (found := _NAME.match(line))]
    return [f"{name}=={version}" for name in names if name != OWN and (version := _version(name))]


def _version(name: str) -> str | None:
    from importlib import metadata

    try:
        return _LOCAL_BUILD.sub("", metadata.version(name))
    except metadata.PackageNotFoundError:
        return None
