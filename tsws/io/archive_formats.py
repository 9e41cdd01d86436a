"""Reading the members of tar and zip archives, streamed, into a :class:`Staging`."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import posixpath
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tarfile import HeaderError, ReadError, TarFile, TarInfo
from typing import IO, TYPE_CHECKING, BinaryIO, Self, cast

from tsws.errors import FormatError
from tsws.io.archive_staging import Staging
from tsws.io.digest import CHUNK

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Progress = Callable[[float, float | None], None]
"""Takes bytes done and bytes in all (None: not known)."""


def unpack_tar(stream: IO[bytes], staging: Staging) -> None:
    """Add every member of an uncompressed tar, read from front to end."""
    with tarfile.open(fileobj=stream, mode="r|", bufsize=CHUNK, tarinfo=_StrictTarInfo) as tar:
        for member in tar:
            if member.isdir():
                staging.add_folder(member.name)
            elif member.issym():
                staging.add_copy(member.name, posixpath.join(posixpath.dirname(member.name), member.linkname))
            elif member.islnk():
                staging.add_copy(member.name, member.linkname)
            elif member.isreg() and (source := tar.extractfile(member)) is not None:
                staging.add_file(member.name, source)
            else:
                raise staging.refusal(member.name, "is no file and no folder but a device or a pipe")
    while stream.read(CHUNK):  # to the end, where the compressor's check sum stands
        pass


class _StrictTarInfo(TarInfo):
    """A tar header that may not be damaged: ``tarfile`` takes one in the middle for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tar: TarFile) -> Self:
        try:
            return super().fromtarfile(tar)
        except HeaderError as error:
            if type(error).__name__ == "EOFHeaderError":  # two blocks of zeros: the end as it should be
                raise
            raise ReadError(f"{error}, {tar.offset} bytes into the tar") from error


def unpack_zip(file: BinaryIO, staging: Staging) -> None:
    """Add every member of a zip."""
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)  # zero where the archive was not made on a Unix
            if member.is_dir():
                staging.add_folder(member.filename)
            elif kind not in {0, stat.S_IFREG}:
                raise staging.refusal(member.filename, "is no file and no folder but a link or a device")
            elif member.flag_bits & 0x1:
                raise staging.refusal(member.filename, "is encrypted")
            else:
                with archive.open(member) as source:
                    staging.add_file(member.filename, source)


@contextmanager
def decompressed(file: BinaryIO, archive: Path) -> Iterator[IO[bytes]]:
    """The bytes behind an archive's outer ending."""
    ending = archive.suffix.lower()
    with ExitStack() as stack:
        if ending in {".gz", ".tgz"}:
            yield cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=file)))
        elif ending == ".xz":
            yield stack.enter_context(lzma.LZMAFile(file))
        elif ending == ".bz2":
            yield stack.enter_context(bz2.BZ2File(file))
        elif ending == ".zst":
            yield stack.enter_context(_zstandard(file, archive))
        else:
            yield file


def _zstandard(file: BinaryIO, archive: Path) -> IO[bytes]:
    try:
        module = importlib.import_module("compression.zstd")
    except ModuleNotFoundError:
        raise FormatError(
            f"{archive} is compressed with Zstandard, which this Python can not read",
            hint="use Python 3.14 or newer, or unpack the file by hand",
        ) from None
    stream: IO[bytes] = module.ZstdFile(file)
    return stream


class CountingFile(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, raw: io.FileIO, size: int, progress: Progress) -> None:
        self._raw = raw
        self._size = size
        self._progress = progress
        self._done = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET and offset < 0:
            raise ValueError(f"it points {-offset} bytes before its own beginning")
        return self._raw.seek(offset, whence)

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        count = self._raw.readinto(buffer)
        self._done = min(self._size, self._done + (count or 0))  # a zip's table of contents is read twice
        self._progress(self._done, self._size)
        return count
