"""What ``tsws doctor`` looks at in a workspace and in the plugins, each as a value: nothing is changed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tsws.cli.check import FAIL, OK, WARN, Check
from tsws.cli.limit import find_limit
from tsws.errors import TswsError
from tsws.io.durations import format_duration

if TYPE_CHECKING:
    from tsws.plugin import Plugins
    from tsws.workspace import Workspace


def workspace_checks(directory: Path) -> Iterator[Check]:
    """Plugins, manifest, backends, lock; the slow ones (volumes) last."""
    from tsws.plugin import load_plugins
    from tsws.workspace import Workspace
    from tsws.workspace.finding import find_manifest

    plugins = load_plugins()
    yield from _plugins(plugins)
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
    yield from _backends(workspace)
    yield _lock(workspace)
    yield from (_volume(workspace, name) for name in workspace.manifest.volume)


def _plugins(plugins: Plugins) -> Iterator[Check]:
    for plugin in plugins.loaded:
        if plugin.error is None:
            yield Check(f"plugin {plugin.name}", OK, f"{plugin.package} {plugin.version}")
        else:
            advice = f"correct or remove the package {plugin.package}; TSWS_LOAD_PLUGINS chooses plugins"
            yield Check(f"plugin {plugin.name}", WARN, f"was set aside: {plugin.error}", advice)
    limit = find_limit()
    if limit is not None:
        yield Check("plugins", WARN, limit.words(), "unset it to load every plugin; `tsws plugins` lists them")


def _backends(workspace: Workspace) -> Iterator[Check]:
    """Those of the manifest, then what else there is."""
    manifest = workspace.manifest
    named = dict.fromkeys([*manifest.backend, *(run.backend for run in manifest.run.values())])
    for name in named:
        table = manifest.backend.get(name)
        kind = (table.kind if table else None) or name
        yield from _backend(workspace, name, kind, dict(table.options) if table else {})
    for kind in workspace.plugins.backends:
        if kind not in named:
            yield Check(f"backend {kind}", OK, "is there; no run uses it")


def _backend(workspace: Workspace, name: str, kind: str, options: dict[str, object]) -> Iterator[Check]:
    """What it says of itself; where it says nothing, what it costs."""
    from tsws.resources.active_jobs import open_backend

    try:
        backend = open_backend(name, kind, options, workspace.plugins, workspace.root)
        findings = list(backend.examine())
        price = backend.price()
    except TswsError as error:
        yield Check(f"backend {name}", FAIL, error.message, error.hint)
        return
    for found in findings:
        yield Check(found.name, OK if found.ok else FAIL, found.message, found.hint)
    if not findings:
        cost = f"${price.dollars_per_hour:.2f} an hour ({price.source})" if price else "costs nothing"
        yield Check(f"backend {name}", OK, cost)


def _lock(workspace: Workspace) -> Check:
    """By its note. To try the lock would be to take it, and an apply that begins just then would be refused."""
    from tsws.io.locks import lock_holder
    from tsws.io.process import is_alive

    holder = lock_holder(workspace.context.store.lock_path)
    here = os.uname().nodename
    if holder is None or (holder.host == here and not is_alive(holder.pid, None)):
        return Check("lock", OK, "nobody works here")
    where = "" if holder.host == here else f" on {holder.host}"
    elapsed = format_duration(max(0.0, time.time() - holder.since))
    message = f"process {holder.pid}{where} works in this workspace: {holder.purpose}, for {elapsed}"
    return Check("lock", WARN, message, f"wait for it to end, or stop it with `kill {holder.pid}`{where}")


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
