"""Putting a file on a Modal volume: at most a few megabytes of it are in memory, however large it is."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tsws.errors import VolumeError
from tsws.io.atomic import TEMPORARY_SUFFIX
from tsws_modal.blocks import send

if TYPE_CHECKING:
    import modal

SHORT_READ = 1 << 18
"""Bytes that a version 1 upload gets at once, where the client asks for 16 MiB."""


def upload(volume: modal.Volume, version: int, source: Path, path: str) -> None:
    """Replace or create a file of a volume.

    It is atomic for readers: the bytes come first, and then one call gives them their name, in both versions. (A temporary name
    and a copy would add a moment with two files, and win nothing: Modal has no rename of files.) Version 2 keeps
    blocks of 8 MiB by their digest, so a second try sends only those that had not arrived; version 1 keeps whole files so.

    Args:
        volume: looked up.
        version: of the volume, 1 or 2.
        source: a file that nobody changes meanwhile.
        path: on the volume.

    Raises:
        Exception: of the client, as it comes.
    """
    if version == 1:
        with _ShortReads(source) as file, volume.batch_upload(force=True) as batch:
            batch.put_file(file, f"/{path}", mode=0o644)
    else:
        try:
            send(volume, source, path)
        except (ImportError, AttributeError, TypeError):  # another version of the client: its documented way
            with volume.batch_upload(force=True) as batch:
                batch.put_file(source, f"/{path}", mode=0o644)


@contextmanager
def spooled(folder: Path, chunks: Iterable[bytes]) -> Iterator[Path]:
    """A file with some bytes, for the time of the block. The client reads what it sends more than once.

    Raises:
        VolumeError: there is no room for it. What ``chunks`` raises passes through.
    """
    with _local("make a temporary file"):
        folder.mkdir(parents=True, exist_ok=True)
        file = tempfile.NamedTemporaryFile(dir=folder, prefix="upload-", suffix=TEMPORARY_SUFFIX)  # noqa: SIM115
    with file:
        for chunk in chunks:
            with _local("write a temporary file"):
                file.write(chunk)
        with _local("write a temporary file"):
            file.flush()
        yield Path(file.name)


class _ShortReads(io.FileIO):
    """A file that gives a little at once, however much is asked for: so the client holds little at once.

    Asked for everything (which the client does below 4 MiB only) it gives everything.
    """

    def read(self, size: int | None = -1) -> bytes:
        return super().read(size if size is None or size < 0 else min(size, SHORT_READ))


@contextmanager
def _local(verb: str) -> Iterator[None]:
    """Tell faults of this machine's disk from those of Modal."""
    try:
        yield
    except OSError as error:
        raise VolumeError(
            f"can not {verb} {error.filename or ''}: {error.strerror}".replace(" :", ":"),
            hint="free some space here: a file is copied before it is sent",
        ) from error
