"""The image that workers run in, defined here and nowhere else.

Its layers change only when what they hold does: the Python version, a library's version. They are built once and found again. The
source of tsws and of the plugins is no layer: it is mounted when a container starts, so a change of it builds nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tsws.io.atomic import write_bytes
from tsws.plugin import Shipment
from tsws.version import __version__

if TYPE_CHECKING:
    import modal

SOURCE = "/root"
"""Where Modal puts a function's source; it is on the import path there."""
SYSTEM_PACKAGES = ("gcc", "libc6-dev")
"""By apt: what compiles the native program."""


def requirements(shipment: Shipment, more: list[str]) -> list[str]:
    """What pip installs: the libraries in the versions of this machine, then what the manifest adds or pins otherwise."""
    chosen = {_name(one): one for one in [*shipment.requirements, *more]}
    return [chosen[name] for name in sorted(chosen)]


def build_image(shipment: Shipment, packages: list[str], folder: Path) -> modal.Image:
    """The image, as a value: nothing is built before an app is deployed with it.

    Args:
        shipment: what a worker needs.
        packages: more Python packages.
        folder: for a file that is sent along; it is made when missing.
    """
    import modal

    entry_points = folder / "entry_points.txt"
    write_bytes(entry_points, shipment.entry_points.encode())
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    image = modal.Image.debian_slim(python_version=python)
    image = image.apt_install(*SYSTEM_PACKAGES)
    image = image.uv_pip_install(*requirements(shipment, packages))
    for name, place in sorted(shipment.folders.items()):
        image = image.add_local_dir(place, f"{SOURCE}/{name}", ignore=_is_no_source)
    # By this file the worker finds its plugins: what is only mounted has no metadata.
    image = image.add_local_file(entry_points, f"{SOURCE}/tsws-{__version__}.dist-info/entry_points.txt")
    return image.add_local_python_source(*shipment.modules)


def _is_no_source(path: Path) -> bool:
    """What lies in a developer's folders beside what is tracked there: built programs, caches."""
    return path.suffix in {"", ".o", ".a", ".so", ".pyc"} or path.name.startswith(".")


def _name(requirement: str) -> str:
    name = "".join(
        character if character.isalnum() else "-" for character in requirement.split("==", maxsplit=1)[0].strip()
    )
    return name.lower().rstrip("-")
