"""The volumes of the plane, and the views that containers have of them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.contents import Contents
from tests.modal_plane.state import State
from tests.modal_plane.trees import BLOCK, Entry, File, Tree
from tests.modal_plane.views import View

OPEN_FILES = "there are open files preventing the operation"
"""The client looks for these words."""


@dataclass
class StoredVolume:
    """One volume."""

    id: str
    name: str
    """Empty for an ephemeral one."""
    environment: str
    version: int
    """1 or 2."""
    created_at: float = field(default_factory=time.time)
    tree: Tree = field(default_factory=Tree)
    capacity: int | None = None
    """Bytes that its files may have; set it to see what happens when it is full."""
    views: dict[str, View] = field(default_factory=dict)
    """By the container's id."""
    read_only: set[str] = field(default_factory=set)
    """Containers that may not commit."""

    @property
    def metadata(self) -> api_pb2.VolumeMetadata:
        """What clients are told of it."""
        created = api_pb2.CreationInfo(created_at=self.created_at, created_by="plane")
        return api_pb2.VolumeMetadata(version=self.version, name=self.name, creation_info=created)  # type: ignore[arg-type]

    def put(self, files: dict[str, Entry]) -> None:
        """Add or replace files, all or none.

        Raises:
            GRPCError: ``RESOURCE_EXHAUSTED``, it is full; ``FAILED_PRECONDITION``, something is in the way.
        """
        before = {path: self.tree.get(path) for path in files}
        growth = sum(_size(entry) - _size(before[path]) for path, entry in files.items())
        if self.capacity is not None and growth > 0 and self.tree.bytes + growth > self.capacity:
            raise GRPCError(
                Status.RESOURCE_EXHAUSTED, f"Volume '{self.name}' is full: no more than {self.capacity} bytes fit in it"
            )
        for path, entry in files.items():
            self.tree.put(path, entry)


class Volumes:
    """The volumes by id. Its verbs may be called from any thread."""

    def __init__(self, plane: State) -> None:
        self._plane = plane
        self._contents = plane.part(Contents)
        self._lock = threading.RLock()
        self.known: dict[str, StoredVolume] = {}

    def create(self, name: str, environment: str, version: int) -> StoredVolume:
        """Add one."""
        volume = StoredVolume(self._plane.new_id("vo"), name, environment, version)
        self.known[volume.id] = volume
        return volume

    def get(self, volume_id: str) -> StoredVolume:
        """The volume of an id.

        Raises:
            GRPCError: ``NOT_FOUND``.
        """
        if volume_id not in self.known:
            raise GRPCError(Status.NOT_FOUND, f"Volume with ID '{volume_id}' not found")
        return self.known[volume_id]

    def named(self, name: str, environment: str = "main") -> StoredVolume | None:
        """The volume of a name."""
        found = [each for each in self.known.values() if (each.name, each.environment) == (name, environment)]
        return found[0] if found else None

    def read(self, volume: StoredVolume, path: str) -> bytes:
        """The bytes of a small file, for a test to look at.

        Raises:
            FileNotFoundError: there is none.
        """
        entry = volume.tree.get(path)
        if not isinstance(entry, File):
            raise FileNotFoundError(path)
        pieces = [self._contents.path(sha256).read_bytes() for sha256 in entry.pieces]
        padded = [piece.ljust(BLOCK, b"\0") for piece in pieces[:-1]] if volume.version == 2 else []
        return b"".join([*padded, *pieces[-1:]]).ljust(entry.size, b"\0")

    def open_view(self, container_id: str, volume_id: str, read_only: bool) -> Path:
        """The folder in which a container finds the files of a volume as they are now."""
        with self._lock:
            volume = self.get(volume_id)
            folder = self._plane.folder / "views" / container_id / volume_id
            view = View(folder, self._contents, blocks=volume.version == 2)
            view.show(volume.tree)
            volume.views[container_id] = view
            if read_only:
                volume.read_only.add(container_id)
            return folder

    def commit(self, container_id: str, volume_id: str) -> bool:
        """Bring what a container changed into the volume: of two writers of a file the last one wins.

        Returns:
            Whether a reload can be left out: it would change nothing, or fail.

        Raises:
            GRPCError: ``RESOURCE_EXHAUSTED``, it is full and nothing was brought; ``FAILED_PRECONDITION``, it is read-only.
        """
        with self._lock:
            volume, view = self._view(container_id, volume_id)
            if container_id in volume.read_only:
                raise GRPCError(Status.FAILED_PRECONDITION, f"Volume '{volume.name}' is mounted read-only")
            changes = view.changes(time.time())
            volume.put(changes.put)
            for path in changes.gone:
                if volume.tree.get(path) is not None:
                    volume.tree.remove(path, recursive=True)
            view.committed(changes)
            return view.knows(volume.tree) or any(view.open_files())

    def reload(self, container_id: str, volume_id: str) -> None:
        """Show a container the volume as it is now. What it had not committed is committed.

        Raises:
            GRPCError: ``FAILED_PRECONDITION``, it has files of the volume open.
        """
        with self._lock:
            volume, view = self._view(container_id, volume_id)
            opened = next(view.open_files(), None)
            if opened is not None:
                raise GRPCError(Status.FAILED_PRECONDITION, OPEN_FILES)
            if container_id not in volume.read_only:
                self.commit(container_id, volume_id)
            view.show(volume.tree)

    def close_view(self, container_id: str, volume_id: str) -> None:
        """The container has gone, and what it had not committed with it. The folder is the caller's to remove."""
        with self._lock:
            volume = self.known.get(volume_id)
            if volume is not None:
                volume.views.pop(container_id, None)
                volume.read_only.discard(container_id)

    def _view(self, container_id: str, volume_id: str) -> tuple[StoredVolume, View]:
        volume = self.get(volume_id)
        view = volume.views.get(container_id)
        if view is None:
            raise GRPCError(Status.NOT_FOUND, f"Volume '{volume.name}' is not mounted in container {container_id}")
        return volume, view


def _size(entry: Entry | None) -> int:
    return entry.size if isinstance(entry, File) else 0
