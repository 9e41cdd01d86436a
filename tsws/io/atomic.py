"""Write, sync, rename: the one way in which a file that matters comes to be.

No reader ever sees a partial file under a final name, whatever dies, and a file that
stands under its final name survives a loss of power. On macOS that takes more than ``fsync(2)``, which there hands the bytes to the
disk and lets it keep them in its own memory: ``F_FULLFSYNC`` (``fcntl(2)``) makes the disk write them.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_NO_FULL_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOTTY}
"""What network disks and some others say to ``F_FULLFSYNC``; they know ``fsync``."""

TEMPORARY_SUFFIX = ".tsws-tmp"
"""How every half-written file ends; ``tsws clean`` removes those that a kill left behind."""


@contextmanager
def atomic_writer(path: Path, *, mode: int | None = None) -> Iterator[BinaryIO]:
    """A binary file that takes the name ``path`` when the block ends without an error.

    Parent folders are made. On an error nothing is left behind.

    Args:
        path: the final name.
        mode: permission bits of the final file; None leaves the umask's.

    Raises:
        OSError: the disk is full, the folder can not be written...
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")
    try:
        with temporary.open("xb") as file:
            if mode is not None:
                temporary.chmod(mode)  # before there is anything to read
            yield file
            file.flush()
            sync_file(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_bytes(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write a whole small file atomically."""
    with atomic_writer(path, mode=mode) as file:
        file.write(data)


def publish(temporary: Path, path: Path) -> None:
    """Give a finished file its final name: sync it, rename it, sync the folder.

    ``temporary`` has to lie on the same file system as ``path``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary.open("rb") as file:
        sync_file(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable (a no-op where folders can not be synced)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        sync_file(descriptor)
    finally:
        os.close(descriptor)


def sync_file(descriptor: int) -> None:
    """Bring what an open file (or folder) holds to the disk itself.

    Raises:
        OSError: the disk could not take it.
    """
    if os.name == "posix":
        import fcntl

        full_sync = getattr(fcntl, "F_FULLFSYNC", None)
        if full_sync is not None:
            try:
                fcntl.fcntl(descriptor, full_sync)
            except OSError as error:
                if error.errno not in _NO_FULL_SYNC:
                    raise
            else:
                return
    os.fsync(descriptor)
