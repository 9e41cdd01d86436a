"""What ``tsws doctor`` looks at, each as a value: nothing is changed."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tsws.errors import LockedError, TswsError
from tsws.io.sizes import format_bytes

if TYPE_CHECKING:
    from tsws.workspace import Workspace

OK, WARN, FAIL = "ok", "warn", "fail"
LITTLE_SPACE = 2_000_000_000
"""Bytes: a download of TinyStories with its tokens needs about so much."""
_LIBRARIES = ("torch", "numpy", "sentencepiece")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    verdict: str
    message: str
    advice: str | None = None


def all_checks(directory: Path) -> Iterator[Check]:
    """Every check, one after the other; the slow ones (volumes) last."""
    yield Check("python", OK, f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield from (_library(name) for name in _LIBRARIES)
    yield _compiler()
    yield _space(directory)
    yield from _workspace(directory)


def _library(name: str) -> Check:
    """From its metadata: importing torch takes seconds."""
    try:
        return Check(name, OK, version(name))
    except PackageNotFoundError:
        return Check(name, FAIL, "is not installed", f"pip install {name}")


def _compiler() -> Check:
    from tsws.engine.compiler import find_compiler

    try:
        compiler = find_compiler()
    except TswsError as error:
        return Check("C compiler", FAIL, error.message, error.hint)
    return Check("C compiler", OK, f"{compiler.path}, {compiler.version_line}")


def _space(directory: Path) -> Check:
    free = shutil.disk_usage(directory).free
    if free < LITTLE_SPACE:
        return Check("disk", WARN, f"only {format_bytes(free)} free", "make room, or work on another disk")
    return Check("disk", OK, f"{format_bytes(free)} free")


def _workspace(directory: Path) -> Iterator[Check]:
    from tsws.plugin import load_plugins
    from tsws.workspace import Workspace
    from tsws.workspace.workspace import find_manifest

    plugins = load_plugins()
    for plugin in plugins.loaded:
        if plugin.error is None:
            yield Check(f"plugin {plugin.name}", OK, f"{plugin.package} {plugin.version}")
        else:
            advice = f"correct or remove the package {plugin.package}; TSWS_LOAD_PLUGINS chooses plugins"
            yield Check(f"plugin {plugin.name}", WARN, f"was set aside: {plugin.error}", advice)
    try:
        find_manifest(directory)
    except TswsError as error:
        yield Check("manifest", WARN, error.message, error.hint)
        return
    try:
        workspace = Workspace.open(directory)
        order = workspace.graph.order
    except TswsError as error:
        yield Check("manifest", FAIL, error.message, error.hint)
        return
    yield Check("manifest", OK, f"{len(order)} resources in {workspace.root}")
    yield from (Check("manifest", WARN, warning) for warning in workspace.warnings)
    yield _lock(workspace)
    yield from (_volume(workspace, name) for name in workspace.manifest.volume)


def _lock(workspace: Workspace) -> Check:
    from tsws.io.locks import workspace_lock

    path = workspace.context.store.lock_path
    if path.is_file():
        try:
            with workspace_lock(path, purpose="tsws doctor"):
                pass
        except LockedError as error:
            return Check("lock", WARN, error.message, error.hint)
    return Check("lock", OK, "nobody works here")


def _volume(workspace: Workspace, name: str) -> Check:
    from tsws.job import VolumeRef
    from tsws.resources.volume import open_volume

    spec = workspace.manifest.volume[name]
    ref = VolumeRef(name=name, kind=spec.kind, options=spec.options)
    try:
        volume = open_volume(ref, workspace.plugins, workspace.root)
        some = len(list(islice(volume.list(), 1)))
    except TswsError as error:
        return Check(f"volume {name}", FAIL, error.message, error.hint)
    return Check(f"volume {name}", OK, "can be reached" if some else "can be reached, and is empty")
