"""The folder that an archive is unpacked into, and the rules that every member has to obey."""

from __future__ import annotations

import errno
import posixpath
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tsws.errors import FormatError
from tsws.io.atomic import sync_file
from tsws.io.digest import CHUNK
from tsws.io.paths import is_relative_inside


class Staging:
    """An empty folder that fills.

    Every ``add`` raises FormatError for a member that would leave the folder, collides with an earlier one, or has
    a name that the disk can not hold.

    Args:
        archive: where the members come from, for messages.
        folder: an empty folder.
    """

    def __init__(self, archive: Path, folder: Path) -> None:
        self.archive = archive
        self.folder = folder
        self.names: set[str] = set()
        """Of the files added so far, relative to the folder."""

    def add_folder(self, name: str) -> None:
        """Add a folder; one that is there already is no error."""
        with self._refusing_bad_names(name):
            self._path(name).mkdir(parents=True, exist_ok=True)

    def add_file(self, name: str, source: IO[bytes]) -> None:
        """Add a regular file with ordinary permissions, durably."""
        path = self._path(name)
        with self._refusing_bad_names(name):
            path.parent.mkdir(parents=True, exist_ok=True)
            target = path.open("xb")
        with target:
            shutil.copyfileobj(source, target, CHUNK)
            target.flush()
            sync_file(target.fileno())
        self.names.add(path.relative_to(self.folder).as_posix())

    def add_copy(self, name: str, target: str) -> None:
        """Add what a link would have shown: a file that came before it in the archive."""
        original = posixpath.normpath(target)
        if original not in self.names:
            raise self.refusal(name, f"is a link to {target!r}, which is no file that stands before it in the archive")
        with (self.folder / original).open("rb") as source:
            self.add_file(name, source)

    def refusal(self, name: str, fault: str) -> FormatError:
        """The error to raise about a member; ``fault`` ends the sentence that its name begins."""
        return FormatError(
            f"{self.archive}: the member {name!r} {fault}",
            hint="this archive is damaged or meant to do harm; nothing of it was unpacked",
        )

    def _path(self, name: str) -> Path:
        if not is_relative_inside(name):
            raise self.refusal(name, "would be written outside of the folder")
        return self.folder / posixpath.normpath(name)

    @contextmanager
    def _refusing_bad_names(self, name: str) -> Iterator[None]:
        try:
            yield
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise self.refusal(name, "collides with another member") from None
        except OSError as error:
            if error.errno in {errno.ENAMETOOLONG, errno.EILSEQ}:
                raise self.refusal(name, f"has a name that this disk can not hold: {error.strerror}") from None
            raise
