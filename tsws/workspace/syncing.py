"""Files between a workspace and its volumes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tsws.errors import UsageError
from tsws.job import VolumeRef
from tsws.plugin import Volume
from tsws.resources.remote import RemoteRunRule
from tsws.resources.seen import keep_seen
from tsws.resources.shadow import refresh, shadow_folder
from tsws.resources.volume import VolumeRule, base_path, open_volume, plan_declared
from tsws.sync import Base, SyncPlan, SyncReport, plan_sync, run_sync
from tsws.workspace.context import Context

Progress = Callable[[str, float, float | None], None]


@dataclass(frozen=True)
class VolumeSync:
    """What was (or would be) done with one volume."""

    volume: str
    plan: SyncPlan
    report: SyncReport | None
    """None in a dry run."""


def sync(
    context: Context,
    *,
    volume: str | None = None,
    pull: Sequence[str] = (),
    push: Sequence[str] = (),
    force: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> tuple[VolumeSync, ...]:
    """Bring files into step with volumes, three ways: what is here, what is there, what was last in step.

    Args:
        context: the workspace.
        volume: which one; None: every declared one, or the only one when paths are given.
        pull: paths to bring here; with neither ``pull`` nor ``push`` every declared file goes where it is missing or old.
        push: paths to bring there.
        force: what was asked for wins over what changed on the other side.
        dry_run: only say what would happen.
        progress: told the path, the bytes done and the bytes in all.
        stop: asked now and then; true ends it, keeping what is done.

    Raises:
        SyncConflict: a file changed on both sides; nothing was written.
        VolumeError: a volume can not be reached.
        UsageError: there is no such volume, or it is not clear which one.
    """
    names = _chosen(context, volume, explicit=bool(pull or push))
    return tuple(
        _sync_one(context, name, pull, push, force=force, dry_run=dry_run, progress=progress, stop=stop)
        for name in names
    )


def volumes_of(context: Context, runs: Collection[str]) -> list[str]:
    """The names of the volumes that some runs work in."""
    chosen = [context.manifest.run[name].volume for name in runs]
    return list(dict.fromkeys(name for name in chosen if name is not None))


def are_far(context: Context, names: Collection[str]) -> bool:
    """Whether one of some volumes does not lie on this machine, so that a plan goes by what was last seen of it."""
    known = (name for name in names if context.manifest.volume[name].kind in context.plugins.volumes)
    return any(not _open(context, name).is_near for name in known)


def refresh_volumes(context: Context, names: Collection[str]) -> None:
    """Look at volumes that do not lie on this machine, so that plans know what is there now.

    Raises:
        VolumeError: one can not be reached.
    """
    for name in names:
        spec = context.manifest.volume[name]
        if spec.kind in context.plugins.volumes:
            volume = _open(context, name)
            if not volume.is_near:
                files = refresh(volume, shadow_folder(context.root, name))
                keep_seen(context.root, volume, files, Base.load(base_path(context.root, name)))


def push_sources(context: Context, rule: RemoteRunRule) -> None:
    """Bring a person's own files to the volume that a run works in: what exists only here is pushed first.

    Raises:
        VolumeError: the volume can not be reached.
    """
    sources = rule.own_sources()
    ref = rule.assignment.volume
    if ref is None or not sources:
        return
    volume = open_volume(ref, context.plugins, context.root)
    where = base_path(context.root, f"{ref.name}.sources")
    plan = plan_sync(context.root, volume, Base.load(where), patterns=(), push=sources, force=True)
    run_sync(plan, context.root, volume, base_path=where, progress=_silent, stop=_never)


def _sync_one(
    context: Context,
    name: str,
    pull: Sequence[str],
    push: Sequence[str],
    *,
    force: bool,
    dry_run: bool,
    progress: Progress | None,
    stop: Callable[[], bool] | None,
) -> VolumeSync:
    volume = _open(context, name)
    where = base_path(context.root, name)
    rule = context.expansion.graph[f"volume.{name}"].rule
    patterns = rule.patterns if isinstance(rule, VolumeRule) else ()
    if pull or push:
        plan = plan_sync(context.root, volume, Base.load(where), patterns=(), pull=pull, push=push, force=force)
    else:
        plan = plan_declared(context.root, volume, Base.load(where), patterns)
    if dry_run:
        return VolumeSync(name, plan, None)
    report = run_sync(plan, context.root, volume, base_path=where, progress=progress or _silent, stop=stop or _never)
    return VolumeSync(name, plan, report)


def _chosen(context: Context, volume: str | None, *, explicit: bool) -> list[str]:
    names = list(context.manifest.volume)
    if volume is not None:
        name = volume.removeprefix("volume.")
        if name not in names:
            raise UsageError(f"there is no volume {name!r}", hint=f"declared volumes: {', '.join(names) or 'none'}")
        return [name]
    if not names:
        raise UsageError("the manifest declares no volume", hint="add a [volume.NAME] table with a `kind`")
    if explicit and len(names) > 1:
        raise UsageError(f"which volume? The manifest declares {', '.join(names)}", hint="name one: --volume NAME")
    return names


def _open(context: Context, name: str) -> Volume:
    spec = context.manifest.volume[name]
    return open_volume(VolumeRef(name=name, kind=spec.kind, options=spec.options), context.plugins, context.root)


def _silent(path: str, done: float, total: float | None) -> None:
    """The progress callback of callers that do not listen."""


def _never() -> bool:
    return False
