"""Volumes: declared files are kept in step with a place elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tsws.errors import PluginError, VolumeError
from tsws.job import VolumeRef
from tsws.plugin import Plugins, Volume
from tsws.reconcile.action import Action, Change
from tsws.reconcile.facts import Probe
from tsws.reconcile.resource import BaseRule, Making, Resource, Result
from tsws.resources.seen import keep_seen, seen_volume
from tsws.sync import Base, SyncPlan, plan_sync, run_sync


def open_volume(ref: VolumeRef, plugins: Plugins, base: Path) -> Volume:
    """The volume that some plain data names.

    Raises:
        PluginError: no plugin provides its kind, or its table lacks a key.
    """
    kind = plugins.volumes.get(ref.kind)
    if kind is None:
        message, hint = missing_kind(ref, plugins)
        raise PluginError(message, hint=hint)
    return kind(ref.name, options_of(f"volume.{ref.name}", ref.options, kind.Options), base)


def options_of(address: str, options: dict[str, Any], form: type[msgspec.Struct]) -> msgspec.Struct:
    """A plugin's own keys of a table, as the struct that it wants them in.

    Raises:
        PluginError: a key is missing or wrong, which the manifest's check can not see when there is no table at all.
    """
    try:
        return msgspec.convert(options, form)
    except msgspec.ValidationError as error:
        raise PluginError(
            f"{address}: {str(error)[0].lower()}{str(error)[1:]}",
            hint=f"add it to the table [{address}] of the manifest; `tsws schema` lists the keys",
        ) from None


def missing_kind(ref: VolumeRef, plugins: Plugins) -> tuple[str, str]:
    """What to say about a volume whose kind nobody provides, and the hint."""
    known = ", ".join(sorted(plugins.volumes)) or "none"
    return (
        f"no plugin provides the volume kind {ref.kind!r}",
        f"install the plugin that has it, or use another kind (known: {known}); `tsws plugins` lists them",
    )


def base_path(root: Path, name: str) -> Path:
    """Where the state of the last sync with a volume is kept."""
    return root / ".tsws" / "sync" / f"{name}.json"


def plan_declared(root: Path, volume: Volume, base: Base, patterns: Sequence[str]) -> SyncPlan:
    """The sync of declared files: one that was removed on a side is wanted there, and is brought back.

    Raises:
        VolumeError: the volume can not be reached.
    """
    plan = plan_sync(root, volume, base, patterns=patterns)
    removed = {step.path for step in plan.kept}
    if not removed:
        return plan
    known = {path: agreed for path, agreed in base.files.items() if path not in removed}
    return plan_sync(root, volume, msgspec.structs.replace(base, files=known), patterns=patterns)


def volume_resource(
    ref: VolumeRef, patterns: Sequence[str], after: Sequence[str], plugins: Plugins, root: Path
) -> Resource:
    """The resource of one ``[volume.NAME]``.

    Args:
        ref: which volume.
        patterns: the files to keep in step.
        after: addresses that make or change files on either side.
        plugins: who provides volume kinds.
        root: the workspace.
    """
    blocked: tuple[str, str] | tuple[None, None] = (None, None)
    if ref.kind not in plugins.volumes:
        blocked = missing_kind(ref, plugins)
    return Resource(
        address=f"volume.{ref.name}",
        rule=VolumeRule(ref, tuple(patterns), plugins, root),
        operational={"kind": ref.kind, "sync": list(patterns)},
        after=tuple(after),
        blocked=blocked[0],
        blocked_hint=blocked[1],
    )


@dataclass(frozen=True)
class VolumeRule(BaseRule):
    """Compare three ways, then transfer."""

    ref: VolumeRef
    patterns: tuple[str, ...]
    plugins: Plugins
    root: Path

    version = 1

    def probe(self, resource: Resource) -> Probe:  # noqa: ARG002
        """What a sync would transfer now."""
        volume = open_volume(self.ref, self.plugins, self.root)
        place = volume if volume.is_near else seen_volume(self.root, volume)
        if place is None:
            return Probe(Change.SYNC, "looked at when it is applied")
        try:
            plan = plan_declared(self.root, place, Base.load(base_path(self.root, self.ref.name)), self.patterns)
        except VolumeError:
            if volume.is_near:
                raise
            return Probe(Change.SYNC, "something there has changed; looked at when it is applied")
        if plan.conflicts:
            names = ", ".join(step.path for step in plan.conflicts)
            return Probe(
                Change.BLOCKED,
                f"{names} changed on both sides",
                hint="`tsws sync --pull PATH --force` or `--push PATH --force` says which side counts",
            )
        # A base that only learns more of a file that it knows is no reason to act.
        news = [path for path, agreed in plan.settled().items() if agreed is None or path not in plan.base.files]
        if not plan.transfers and not news:
            return Probe(Change.KEEP, "in step")
        if not plan.transfers:
            return Probe(Change.SYNC, "both sides have the same files; that is to be remembered")
        parts = tuple(Action(step.path, Change.SYNC, f"{step.change.value}: {step.reason}") for step in plan.transfers)
        return Probe(Change.SYNC, f"{len(parts)} {'file' if len(parts) == 1 else 'files'} to bring into step", parts)

    def make(self, making: Making) -> Result:
        """Bring the declared files into step."""
        volume = open_volume(self.ref, self.plugins, self.root)
        where = base_path(self.root, self.ref.name)
        plan = plan_declared(self.root, volume, Base.load(where), self.patterns)
        say, moved = making.progress(f"syncing {self.ref.name}", "B"), dict[str, float]()

        def progress(path: str, done: float, _total: float | None) -> None:
            moved[path] = done
            say(sum(moved.values()), plan.size)

        run_sync(
            plan,
            self.root,
            volume,
            base_path=where,
            progress=progress,
            stop=making.stop,
        )
        if not volume.is_near:
            keep_seen(self.root, volume, volume.list(), Base.load(where))
        return Result([])
