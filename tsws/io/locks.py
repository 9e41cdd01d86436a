"""Locks between processes, released by the operating system when their holder dies, however it dies."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from tsws.errors import LockedError
from tsws.io.atomic import write_bytes
from tsws.io.durations import format_duration


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a lock. It stands in a JSON file beside the lock and is for messages only: the lock is the truth."""

    pid: int
    host: str
    purpose: str
    since: float
    """Seconds since the epoch."""


@contextmanager
def workspace_lock(path: Path, *, purpose: str) -> Iterator[None]:
    """Hold the lock file ``path``; do not wait for it.

    Args:
        path: the lock file. It is made when missing, and stays.
        purpose: what the holder does, for the message that others get, such as ``tsws apply run.baby``.

    Raises:
        LockedError: someone else holds it; the message says who, the hint what to do.
        OSError: the file can not be written.
    """
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise _locked(path) from None
    note = _note(path)
    try:
        with suppress(OSError):  # the note only makes messages better
            holder = Holder(pid=os.getpid(), host=os.uname().nodename, purpose=purpose, since=time.time())
            write_bytes(note, msgspec.json.encode(holder))
        yield
    finally:
        with suppress(OSError):
            note.unlink()
        lock.release()


@contextmanager
def resource_lock(path: Path, *, timeout: float | None = None) -> Iterator[None]:
    """Hold the lock file ``path``; wait for it.

    Args:
        path: the lock file. It is made when missing, and stays.
        timeout: seconds to wait at most; None waits as long as it takes.

    Raises:
        LockedError: it was not free in time.
        OSError: the file can not be written.
    """
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=-1 if timeout is None else timeout)
    try:
        lock.acquire()
    except Timeout:
        raise LockedError(
            f"{path} is locked by another process, and was not free within {format_duration(timeout or 0)}",
            hint="wait for the other process to end, or stop it, and try again",
        ) from None
    try:
        yield
    finally:
        lock.release()


def lock_holder(path: Path) -> Holder | None:
    """Who took the lock ``path`` last by :func:`workspace_lock`, as far as is known."""
    try:
        return msgspec.json.decode(_note(path).read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _locked(path: Path) -> LockedError:
    holder = lock_holder(path)
    if holder is None:
        return LockedError(
            f"another process works in this workspace (it holds {path})",
            hint="wait for it to end, or stop it, and try again",
        )
    elapsed = format_duration(max(0.0, time.time() - holder.since))
    where = "" if holder.host == os.uname().nodename else f" on {holder.host}"
    return LockedError(
        f"process {holder.pid}{where} works in this workspace: {holder.purpose}, for {elapsed} (it holds {path})",
        hint=f"wait for it to end, or stop it with `kill {holder.pid}`{where}; what it has done is kept",
    )
