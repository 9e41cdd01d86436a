"""Removing what can be made again (``clean``) and what is no longer wanted (``gc``)."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tsws.errors import LockedError
from tsws.io.atomic import TEMPORARY_SUFFIX
from tsws.io.digest import digest_value, sha256_file
from tsws.io.locks import resource_lock
from tsws.reconcile.observe import INTENT, RECORD
from tsws.reconcile.record import short
from tsws.reconcile.store import read_intent
from tsws.resources.active_jobs import active_job, jobs_folder
from tsws.workspace.context import Context
from tsws.workspace.history import running_job


@dataclass(frozen=True)
class Removed:
    """What was (or would be) removed."""

    sizes: Mapping[Path, int]
    """Bytes of each path. Paths are relative to the workspace (or the volume); a folder stands for all that is in it."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """What it is."""
        return tuple(self.sizes)

    @property
    def bytes(self) -> int:
        """Of all together."""
        return sum(self.sizes.values())


def clean(context: Context, *, dry_run: bool = False, only: Collection[Path] | None = None) -> Removed:
    """Remove intermediates that the next apply makes again when it needs them: texts, token shards, partial downloads.

    Records stay, so nothing that was made from them becomes stale. While a run is in flight, nothing goes: it may be
    reading it.

    Args:
        context: the workspace.
        dry_run: only say what would go.
        only: what a person has agreed to, as an earlier call gave it: nothing else goes, and of it only what still may.

    Raises:
        LockedError: an apply works here.
    """
    with context.exclusively("tsws clean"):
        return _remove(context, _intermediates(context), dry_run=dry_run, only=only)


def gc(context: Context, *, dry_run: bool = False, only: Collection[Path] | None = None) -> Removed:
    """Remove what is no longer wanted: versions of runs that are not the current one, outputs and records of resources that the
    manifest no longer has, files that a repair set aside, logs of jobs that ended.

    Args:
        context: the workspace.
        dry_run: only say what would go.
        only: what a person has agreed to, as an earlier call gave it: nothing else goes, and of it only what still may.

    Raises:
        LockedError: an apply works here.
    """
    with context.exclusively("tsws gc"):
        return _remove(context, _garbage(context), dry_run=dry_run, only=only)


def _intermediates(context: Context) -> Iterator[Path]:
    if any(_is_being_made(context, resource.address) for resource in context.expansion.graph):
        return
    for resource in context.expansion.graph:
        record = context.store.record(resource.address) if resource.on_demand else None
        for output in record.outputs if record else ():
            path = context.root / output.path
            if output.owned and path.is_file() and sha256_file(path) == output.sha256:
                yield path
    yield from (context.store.folder / name for name in ("partial", "work", "tmp"))
    yield from context.root.rglob(f".*{TEMPORARY_SUFFIX}")


def _is_being_made(context: Context, address: str) -> bool:
    """Whether a worker is at it: one that is known, or one whose client died before it could note it down."""
    if running_job(context, address) is not None:
        return True
    path = context.store.resource_lock_path(address)
    if not path.exists():
        return False
    try:
        with resource_lock(path, timeout=0.0):
            return False
    except LockedError:
        return True


def _garbage(context: Context) -> Iterator[Path]:
    store, declared = context.store, context.expansion.declared
    records = {address: store.record(address) for address in store.addresses()}
    wanted = {
        output.path
        for address, record in records.items()
        if address in declared and record
        for output in record.outputs
    }
    for address, record in records.items():
        if address in declared:
            continue
        for output in record.outputs if record else ():
            path = context.root / output.path
            ours = output.owned and output.path not in wanted
            if ours and path.is_file() and sha256_file(path) == output.sha256:
                yield path
        yield store.folder / "state" / f"{address}.json"
    yield from _old_versions(context)
    yield store.folder / "replaced"
    yield from _ended_jobs(context)


def _old_versions(context: Context) -> Iterator[Path]:
    for folder in sorted((context.store.folder / "runs").glob("*")):
        address = f"run.{folder.name}"
        record = context.store.record(address)
        if _is_being_made(context, address):
            continue
        declared = address in context.expansion.graph
        kept = {short(record.fingerprint)} if record is not None and declared else set()
        if record is None and declared:
            continue  # nothing was finished yet: what is there is being worked on
        for version in sorted(folder.iterdir()):
            if version.name not in kept and not (declared and _is_wanted(context, address, version)):
                yield version


def _is_wanted(context: Context, address: str, version: Path) -> bool:
    """Whether a version was begun for what the manifest says now, and interrupted: the next apply goes on with it."""
    if (version / RECORD).exists():
        return False
    intent = read_intent(version / INTENT)
    wanted = msgspec.to_builtins(context.expansion.graph[address].identity)
    return intent is not None and digest_value(intent.identity) == digest_value(wanted)


def _ended_jobs(context: Context) -> Iterator[Path]:
    folder = jobs_folder(context.root)
    for path in sorted(folder.glob("*.json")):
        active = active_job(context.root, path.stem)
        if active is not None and active.intent is None and running_job(context, path.stem) is None:
            yield path
            yield folder / active.handle.job
    known = [active_job(context.root, path.stem) for path in folder.glob("*.json")]
    busy = {active.handle.job for active in known if active is not None}
    yield from (path for path in sorted(folder.glob("*/")) if path.name not in busy)


def _remove(context: Context, paths: Iterable[Path], *, dry_run: bool, only: Collection[Path] | None = None) -> Removed:
    found = {path: path.relative_to(context.root) for path in paths if path.exists()}
    chosen = {path: shown for path, shown in found.items() if only is None or shown in only}
    sizes = {shown: _size_on_disk(path) for path, shown in chosen.items()}
    if not dry_run:
        for path in chosen:
            _remove_one(path)
            _remove_empty(path.parent, context.root)
    return Removed(sizes)


def _remove_one(path: Path) -> None:
    """One that somebody else has removed meanwhile is gone as well."""
    while path.is_dir():  # a file in it that vanishes ends the first try, not the removal
        with suppress(FileNotFoundError):
            shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _remove_empty(folder: Path, root: Path) -> None:
    """Folders that nothing is in any more."""
    with suppress(FileNotFoundError):
        while folder != root and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


def _size_on_disk(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; what vanishes meanwhile counts nothing."""
    size = 0
    for one in [path] if path.is_file() else path.rglob("*"):
        with suppress(FileNotFoundError):
            status = one.stat()
            size += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return size
