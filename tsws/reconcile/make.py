"""Carrying out one action here: make, publish, record, in this order."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from tsws.errors import FormatError, PlanError
from tsws.io.atomic import atomic_writer, publish, sync_folder, write_bytes
from tsws.io.digest import sha256_file
from tsws.io.paths import inside
from tsws.job import Emit
from tsws.reconcile.action import Action, Change
from tsws.reconcile.decide import wanted_fingerprint
from tsws.reconcile.facts import Facts, FileState
from tsws.reconcile.observe import INTENT, RECORD, kept_copy
from tsws.reconcile.record import OutputRecord, Record, short
from tsws.reconcile.resource import Made, Making, Resource
from tsws.reconcile.sources import name_in
from tsws.reconcile.store import FOLDER, Intent, Store, read_intent, read_record, write_record
from tsws.version import __version__


def carry_out(
    store: Store,
    resource: Resource,
    action: Action,
    facts: Facts,
    inputs: Mapping[str, Record],
    emit: Emit,
    stop: Callable[[], bool],
) -> Record:
    """Do what an action says, in this process, and write the record.

    Args:
        store: of the workspace.
        resource: what to make.
        action: as decided with these facts.
        facts: of the resource.
        inputs: records of everything in ``resource.inputs``, by address.
        emit: hears what happens.
        stop: True when the work should stop.

    Returns:
        The new record.

    Raises:
        TswsError: as the rule raises; nothing is recorded then.
    """
    if action.version is not None and action.change in {Change.RESTORE, Change.REPAIR}:
        return _put_back(store, resource, action.version)
    digests = {address: record.digest for address, record in inputs.items()}
    wanted = wanted_fingerprint(resource, facts, digests)
    folder = _folder(store, resource, wanted)
    intent = Intent(
        address=resource.address,
        fingerprint=wanted,
        rule=resource.rule.version,
        identity=dict(resource.identity),
        inputs=digests,
        sources=dict(facts.sources),
    )
    if action.anew and folder.exists():
        store.set_aside(folder)
    for path, found in facts.files.items():
        if found is FileState.EDITED and (store.root / path).is_relative_to(folder):
            store.set_aside(store.root / path)  # the rule must not take it for its own unfinished work
    _begin(folder, intent)
    continued = (
        store.version_folder(resource.versions, action.version) if resource.versions and action.version else None
    )
    making = Making(resource, store.root, folder, wanted, inputs, emit, stop, continued, action.anew)
    began = time.time()
    result = resource.rule.make(making)
    previous = facts.record
    outputs = tuple(_publish(store, resource, folder, made, previous) for made in result.files)
    record = Record(
        address=resource.address,
        fingerprint=wanted,
        rule=resource.rule.version,
        identity=dict(resource.identity),
        sources=dict(facts.sources),
        inputs=digests,
        outputs=outputs,
        made_at=time.time(),
        seconds=time.time() - began,
        origin={"tsws": __version__, "host": socket.gethostname(), "pid": os.getpid()},
        notes=dict(result.notes),
    )
    _finish(store, resource, folder, record)
    _remove_stale(store, previous, record)
    return record


def _folder(store: Store, resource: Resource, wanted: str) -> Path:
    if resource.versions is not None:
        return store.version_folder(resource.versions, short(wanted))
    return store.work_folder(resource.address, short(wanted))


def _begin(folder: Path, intent: Intent) -> None:
    """Prepare the folder; a finished version in it is started over, unfinished work is found again."""
    if (folder / RECORD).exists():
        (folder / RECORD).unlink()
    known = read_intent(folder / INTENT)
    if folder.exists() and known is not None and known.fingerprint != intent.fingerprint:
        shutil.rmtree(folder)  # another thing whose fingerprint begins with the same digits
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / INTENT, msgspec.json.format(msgspec.json.encode(intent, order="sorted"), indent=1))


def _publish(store: Store, resource: Resource, folder: Path, made: Made, previous: Record | None) -> OutputRecord:
    """Give one file its place, and describe it as it stands there."""
    size, digest = made.path.stat().st_size, sha256_file(made.path)
    if made.to is None:
        final = made.path
    else:
        final = inside(store.root, made.to)
        _make_room(store, final, digest, previous)
        if resource.versions is not None and made.path.is_relative_to(folder):
            _keep_and_copy(made, folder, final)
        elif made.path != final:
            publish(made.path, final)
    return OutputRecord(
        role=made.role,
        path=name_in(store.root, final),
        size=size,
        sha256=digest,
        mtime_ns=_stamp(final) if made.owned else final.stat().st_mtime_ns,
        essential=made.essential,
        owned=made.owned,
    )


def _stamp(path: Path) -> int:
    """Give a file of ours a modification time of its own, and return it.

    A kernel's clock for files ticks in milliseconds: an edit within the tick of our writing, to the same size, would
    leave the file looking untouched for ever. A time between two ticks is never given to a write by chance.
    """
    now = time.time_ns()
    os.utime(path, ns=(now, now))
    return path.stat().st_mtime_ns


def _make_room(store: Store, final: Path, digest: str, previous: Record | None) -> None:
    """Whatever stands at the final name and is not what we put there ourselves is kept, not overwritten."""
    if not final.exists():
        return
    relative = name_in(store.root, final)
    found = sha256_file(final) if final.is_file() else ""
    before = previous.outputs if previous else ()
    ours = {output.sha256 for output in before if output.path == relative and output.owned}
    if found != digest and found not in ours:
        store.set_aside(final)


def _keep_and_copy(made: Made, folder: Path, final: Path) -> None:
    kept = folder / "kept" / made.role
    if made.path != kept:
        _copy(made.path, kept)  # a copy: whoever continues this version finds it as the rule left it
    _copy(kept, final)


def _copy(source: Path, final: Path) -> None:
    with open(source, "rb") as reader, atomic_writer(final, mode=source.stat().st_mode & 0o777) as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)


def _finish(store: Store, resource: Resource, folder: Path, record: Record) -> None:
    if resource.versions is not None:
        write_record(folder / RECORD, record)
        store.write(record)
    else:
        store.write(record)
        shutil.rmtree(folder.parent, ignore_errors=True)


def _remove_stale(store: Store, previous: Record | None, record: Record) -> None:
    """Outputs of the last version that this one no longer has, as far as they are as we left them."""
    if previous is None:
        return
    now = {output.path for output in record.outputs}
    stale = [one for one in previous.outputs if one.owned and one.path not in now and not _in_own_folder(one)]
    claimed = _outputs_of_others(store, record.address) if stale else set()
    for output in stale:
        path = store.root / output.path
        if output.path not in claimed and path.is_file() and sha256_file(path) == output.sha256:
            path.unlink()
            sync_folder(path.parent)


def _in_own_folder(output: OutputRecord) -> bool:
    return output.path.startswith(f"{FOLDER}/")


def _outputs_of_others(store: Store, address: str) -> set[str]:
    """What belongs to other resources by now: two of them may have changed places."""
    records = (store.record(other) for other in store.addresses() if other != address)
    return {output.path for record in records if record is not None for output in record.outputs}


def _put_back(store: Store, resource: Resource, version: str) -> Record:
    """Publish a kept version again."""
    if resource.versions is None:
        raise PlanError(f"{resource.address} keeps no versions")
    folder = store.version_folder(resource.versions, version)
    kept = read_record(folder / RECORD)
    if kept is None:
        raise PlanError(f"version {version} of {resource.address} is gone", hint="run `tsws apply` again")
    previous = store.record(resource.address)
    outputs = []
    for output in kept.outputs:
        final = inside(store.root, output.path)
        if not final.is_relative_to(folder):
            source = kept_copy(folder, output)
            if sha256_file(source) != output.sha256:
                raise FormatError(
                    f"the kept copy {source.relative_to(store.root)} of {resource.address} is damaged",
                    hint=f"tsws apply --replace {resource.address}",
                )
            _make_room(store, final, output.sha256, previous)
            _copy(source, final)
            output = msgspec.structs.replace(output, mtime_ns=_stamp(final))
        outputs.append(output)
    record = msgspec.structs.replace(kept, outputs=tuple(outputs))
    store.write(record)
    _remove_stale(store, previous, record)
    return record
