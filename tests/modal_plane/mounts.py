"""Mounts: files of the client's machine that containers see."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.contents import Contents
from tests.modal_plane.state import State
from tests.modal_plane.wire import Service


@dataclass(frozen=True)
class Mount:
    """One mount: files by the absolute path at which a container sees them."""

    id: str
    files: tuple[api_pb2.MountFile, ...]


class Mounts:
    """The mounts by id. The bytes of their files come by ``MountPutFile`` (:mod:`tests.modal_plane.blobs`)."""

    def __init__(self, plane: State) -> None:
        self._plane = plane
        self._contents = plane.part(Contents)
        self.known: dict[str, Mount] = {}
        self.named: dict[str, Mount] = {}

    def create(self, files: tuple[api_pb2.MountFile, ...]) -> Mount:
        """Add one."""
        mount = Mount(self._plane.new_id("mo"), files)
        self.known[mount.id] = mount
        return mount

    def lacks(self, sha256: str) -> bool:
        """Whether the bytes of a file have not come."""
        return sha256 not in self._contents

    def lay_out(self, mount_ids: list[str], root: Path) -> list[Path]:
        """Copy the files of mounts below a folder that stands for ``/``, and return their paths in it."""
        made = []
        for mount_id in mount_ids:
            for file in self.known[mount_id].files:
                target = root / file.filename.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                # A later mount hides an earlier one.
                target.unlink(missing_ok=True)
                shutil.copyfile(self._contents.path(file.sha256_hex), target)
                target.chmod((file.mode & 0o777) or 0o644)
                made.append(target)
        return made


class MountService(Service):
    """See the module."""

    @property
    def mounts(self) -> Mounts:
        """The mounts of the plane."""
        return self.plane.part(Mounts)

    async def MountBatchedCheckExistence(self, stream: Any) -> None:
        """Say which files are not there yet."""
        request = await stream.recv_message()
        missing = [digest for digest in request.sha256_hex_hashes if self.mounts.lacks(digest)]
        answer = api_pb2.MountBatchedCheckExistenceResponse(missing_sha256_hex_hashes=missing, checked_at=_now())
        await stream.send_message(answer)

    async def MountGetOrCreate(self, stream: Any) -> None:
        """Make a mount of files that are there, or find the client's own by its name."""
        request = await stream.recv_message()
        absent = [file.filename for file in request.files if self.mounts.lacks(file.sha256_hex)]
        if absent:
            raise GRPCError(Status.FAILED_PRECONDITION, f"The content of {absent[0]} was not uploaded")
        name = request.deployment_name
        if name and not request.files:
            # The client's own packages: the interpreter that stands in for every image has them.
            mount = self.mounts.named.get(name) or self.mounts.create(())
        else:
            mount = self.mounts.create(tuple(request.files))
        if name:
            self.mounts.named[name] = mount
        await stream.send_message(api_pb2.MountGetOrCreateResponse(mount_id=mount.id))


def _now() -> Timestamp:
    now = Timestamp()
    now.GetCurrentTime()
    return now
