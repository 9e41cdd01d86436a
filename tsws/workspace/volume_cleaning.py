"""Removing from a volume what can be made again: ``tsws clean --volume``. Any kind of volume; only its verbs are used."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from tsws.errors import LockedError, UsageError
from tsws.io.atomic import TEMPORARY_SUFFIX
from tsws.job import VolumeRef
from tsws.plugin import FileStat, Volume
from tsws.reconcile.record import OutputRecord
from tsws.reconcile.store import FOLDER
from tsws.resources.active_jobs import open_backend
from tsws.resources.remote import RemoteRunRule
from tsws.resources.volume import open_volume
from tsws.sync.remote_digest import sha256_of_remote
from tsws.workspace.context import Context
from tsws.workspace.history import running_job
from tsws.workspace.housekeeping import Removed
from tsws.workspace.syncing import refresh_volumes

_MADE_AGAIN = tuple(f"{FOLDER}/{name}/" for name in ("partial", "work", "tmp", "compiled"))
"""Folders of downloads and work that were begun, and of what workers there have compiled."""


def clean_volume(
    context: Context, name: str, *, dry_run: bool = False, only: Collection[Path] | None = None
) -> Removed:
    """Remove the intermediates of the runs that work in a volume: texts, token shards, what was begun and left.

    The volume's records stay, so nothing that was made from them becomes stale.

    Args:
        context: the workspace.
        name: of the volume.
        dry_run: only say what would go.
        only: what a person has agreed to, as an earlier call gave it: nothing else goes, and of it only what still may.

    Raises:
        LockedError: an apply works here, or a job in the volume.
        UsageError: there is no such volume.
        VolumeError: it can not be reached.
    """
    with context.exclusively("tsws clean"):
        volume = _open(context, name.removeprefix("volume."))
        rules = _rules(context, volume.name)
        _check_idle(context, volume, rules)
        refresh_volumes(context, [volume.name])  # the volume's records say which file is what
        there = {stat.path: stat for stat in volume.list()}
        chosen = {
            Path(path): there[path].size
            for path in _intermediates(volume, rules, there)
            if only is None or Path(path) in only
        }
        if chosen and not dry_run:
            for path in chosen:
                volume.remove(path.as_posix())
            refresh_volumes(context, [volume.name])
        return Removed(chosen)


def _open(context: Context, name: str) -> Volume:
    spec = context.manifest.volume.get(name)
    if spec is None:
        known = ", ".join(context.manifest.volume) or "none"
        raise UsageError(f"there is no volume {name!r}", hint=f"declared volumes: {known}")
    return open_volume(VolumeRef(name=name, kind=spec.kind, options=spec.options), context.plugins, context.root)


def _rules(context: Context, volume: str) -> dict[str, RemoteRunRule]:
    """The runs that work in a volume, by address."""
    graph = context.expansion.graph
    runs = [f"run.{name}" for name, spec in context.manifest.run.items() if spec.volume == volume]
    found = {address: graph[address] for address in runs}
    return {
        address: resource.rule
        for address, resource in found.items()
        if isinstance(resource.rule, RemoteRunRule) and resource.blocked is None
    }


def _check_idle(context: Context, volume: Volume, rules: dict[str, RemoteRunRule]) -> None:
    """Nobody may be reading what goes."""
    for address, rule in rules.items():
        chosen = rule.assignment
        backend = open_backend(chosen.backend, chosen.kind, chosen.options, context.plugins, context.root)
        if running_job(context, address) is not None or any(backend.running(volume)):
            raise LockedError(
                f"a job works in volume {volume.name}, and may be reading what would be removed",
                hint=f"wait until it has ended, or stop it: `tsws cancel {address}`",
            )


def _intermediates(volume: Volume, rules: dict[str, RemoteRunRule], there: dict[str, FileStat]) -> Iterator[str]:
    outputs = {output.path: output for rule in rules.values() for output in _outputs(rule)}
    for path, stat in there.items():
        left = path.startswith(_MADE_AGAIN) or path.endswith(TEMPORARY_SUFFIX)
        if left or (path in outputs and _is_as_made(volume, stat, outputs[path])):
            yield path


def _outputs(rule: RemoteRunRule) -> Iterator[OutputRecord]:
    """What a run's intermediates consist of, as the volume's own records have it."""
    graph, store = rule.there()
    for address in graph.closure(rule.assignment.targets):
        record = store.record(address) if graph[address].on_demand else None
        yield from (output for output in (record.outputs if record else ()) if output.owned)


def _is_as_made(volume: Volume, stat: FileStat, output: OutputRecord) -> bool:
    """Whether nobody has put something else there. Of a volume far away the size has to do: to remove gigabytes, nobody reads them."""
    if stat.size != output.size:
        return False
    sha256 = sha256_of_remote(volume, stat) if volume.is_near else stat.sha256
    return sha256 in {None, output.sha256}
