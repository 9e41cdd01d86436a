"""A Modal volume: five verbs over the client's calls, from outside of containers."""

from __future__ import annotations

import errno
import posixpath
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from tsws.errors import VolumeError
from tsws.io.atomic import TEMPORARY_SUFFIX
from tsws.io.paths import is_relative_inside
from tsws.plugin import FileStat, Volume
from tsws_modal.client import connect, environment_of
from tsws_modal.errors import refusals

if TYPE_CHECKING:
    import modal


class ModalVolumeOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of a ``[volume.NAME]`` table with ``kind = "modal"``."""

    name: Annotated[
        str,
        msgspec.Meta(
            pattern="^[a-zA-Z0-9._-]*$", max_length=64, description="The volume's name on Modal; that of the table."
        ),
    ] = ""
    version: Annotated[
        Literal[1, 2],
        msgspec.Meta(description="Of Modal's volume file system. One that exists has to be of this version."),
    ] = 2
    environment: Annotated[
        str,
        msgspec.Meta(description="Modal's environment that it is in; that of your Modal profile."),
    ] = ""


class ModalVolume(Volume):
    """A volume on Modal, created by the first write.

    Modal's rule for two writers is that the last one wins, file by file. Times are whole seconds, and there are no digests: what
    changed within a second may look the same, which is why a sync reads such a file.
    """

    kind = "modal"
    Options = ModalVolumeOptions
    options: ModalVolumeOptions

    _handle: modal.Volume | None = None
    """The volume once it was found."""

    @property
    def modal_name(self) -> str:
        """Its name on Modal."""
        return self.options.name or self.name

    def exists(self) -> bool:
        return self._found() is not None

    def list(self, prefix: str = "") -> Iterator[FileStat]:
        """As the interface says; files only, for Modal lists folders and links, too."""
        folder = prefix.rpartition("/")[0]
        entries = self._entries(folder, recursive=True)
        yield from sorted((entry for entry in entries if entry.path.startswith(prefix)), key=lambda entry: entry.path)

    def stat(self, path: str) -> FileStat | None:
        self._check(path)
        # The client takes a name that ends with a star for a pattern, and refuses it.
        where = path.rpartition("/")[0] if path.endswith("*") else path
        return next((entry for entry in self._entries(where, recursive=False) if entry.path == path), None)

    def read(self, path: str, offset: int = 0) -> Iterator[bytes]:
        from tsws_modal.download import read

        self._check(path)
        found = self._found()
        if found is None:
            raise self._no_file(path)
        with self._refusals(f"read {path}"):
            from modal.exception import InvalidError, NotFoundError

            try:
                yield from read(found, path, offset)
            except (
                FileNotFoundError,
                InvalidError,
                NotFoundError,
            ):  # nothing there, a folder, or nothing behind offset
                self._handle = None
                stat = self.stat(path)
                if stat is None:
                    raise self._no_file(path) from None
                if offset < stat.size:
                    raise

    def write(self, path: str, chunks: Iterable[bytes]) -> FileStat:
        from tsws_modal.upload import spooled, upload

        self._check(path)
        volume = self._created()
        with spooled(self.base / ".tsws" / "tmp", chunks) as source:
            size = source.stat().st_size
            with self._refusals(f"write {path}"):
                upload(volume, self.options.version, source, path)
        return self.stat(path) or FileStat(path, size, time.time())  # None: removed in this very moment

    def remove(self, path: str) -> None:
        self._check(path)
        found = self._found()
        if found is not None:
            with self._refusals(f"remove {path}"):
                from modal.exception import NotFoundError

                try:
                    found.remove_file(path)
                except (FileNotFoundError, NotFoundError):
                    self._handle = None

    def _entries(self, where: str, *, recursive: bool) -> Iterable[FileStat]:
        """The files in a folder of the volume, or the one file of that name; none where nothing is."""
        found = self._found()
        if found is None:
            return []
        with self._refusals(f"list {where or 'its files'}"):
            from modal.exception import NotFoundError
            from modal.types import FileEntryType

            try:
                return [
                    FileStat(entry.path.strip("/"), entry.size, float(entry.mtime))
                    for entry in found.iterdir(where or "/", recursive=recursive)
                    if entry.type == FileEntryType.FILE
                ]
            except NotFoundError:
                self._handle = None  # the folder, or the volume itself, was removed
                return []

    def _found(self) -> modal.Volume | None:
        """The volume, or None when it does not exist."""
        if self._handle is None:
            client = connect(VolumeError, f"volume {self.name}")
            with refusals(VolumeError, f"volume {self.name}"):
                from modal.exception import NotFoundError

                try:
                    self._handle = self._reference(client, create=False).hydrate()
                except NotFoundError:
                    self._check_environment(client)
        return self._handle

    def _created(self) -> modal.Volume:
        """The volume, made if it does not exist."""
        if self._handle is None:
            client = connect(VolumeError, f"volume {self.name}")
            with refusals(VolumeError, f"volume {self.name}"):
                self._handle = self._reference(client, create=True).hydrate()
        return self._handle

    def _reference(self, client: modal.Client, *, create: bool) -> modal.Volume:
        import modal

        return modal.Volume.from_name(
            self.modal_name,
            environment_name=environment_of(self.options.environment),
            create_if_missing=create,
            version=self.options.version,
            client=client,
        )

    def _check_environment(self, client: modal.Client) -> None:
        """The volume may be missing, but not its environment; which one it is no text says reliably."""
        import modal

        environment = environment_of(self.options.environment)
        if environment is not None:
            modal.Environment.from_name(environment, client=client).hydrate()

    def _refusals(self, verb: str) -> AbstractContextManager[None]:
        return refusals(VolumeError, f"volume {self.name}: can not {verb}")

    def _no_file(self, path: str) -> FileNotFoundError:
        return FileNotFoundError(errno.ENOENT, f"no such file on volume {self.name}", path)

    def _check(self, path: str) -> None:
        if not is_relative_inside(path) or path.endswith((TEMPORARY_SUFFIX, "/")) or posixpath.normpath(path) == ".":
            raise VolumeError(
                f"volume {self.name}: {path!r} can not be the name of a file",
                hint=f"name a file below the volume's root, with '/', not one that ends with {TEMPORARY_SUFFIX}",
            )
