"""The calls about volumes: files with a name of their own, of which each container sees a private view."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from google.protobuf.empty_pb2 import Empty
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.blobs import Blobs
from tests.modal_plane.contents import Contents
from tests.modal_plane.environments import Environments
from tests.modal_plane.stored_volumes import StoredVolume, Volumes
from tests.modal_plane.trees import BLOCK, File, clean, missing
from tests.modal_plane.wire import Service

PAGE = 500
"""Entries of a listing that come in one message."""


class VolumeService(Service):
    """All ``Volume*`` calls."""

    @property
    def volumes(self) -> Volumes:
        """The state."""
        return self.plane.part(Volumes)

    async def VolumeGetOrCreate(self, stream: Any) -> None:
        """Find a volume, or make it where that is asked for."""
        request = await stream.recv_message()
        environment = self.plane.part(Environments).resolve(request.environment_name)
        volume = self.volumes.named(request.deployment_name, environment) if request.deployment_name else None
        how = request.object_creation_type
        if volume is not None and how == api_pb2.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise GRPCError(
                Status.ALREADY_EXISTS, f"Volume '{volume.name}' already exists in environment '{environment}'"
            )
        if volume is None:
            if how == api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
                raise GRPCError(
                    Status.NOT_FOUND, f"Volume '{request.deployment_name}' not found in environment '{environment}'"
                )
            volume = self.volumes.create(request.deployment_name, environment, request.version or 1)
        await stream.send_message(
            api_pb2.VolumeGetOrCreateResponse(
                volume_id=volume.id,
                version=volume.version,  # type: ignore[arg-type]
                metadata=volume.metadata,
            )
        )

    async def VolumeGetById(self, stream: Any) -> None:
        """Describe one."""
        request = await stream.recv_message()
        volume = self.volumes.get(request.volume_id)
        await stream.send_message(api_pb2.VolumeGetByIdResponse(volume_id=volume.id, metadata=volume.metadata))

    async def VolumeList(self, stream: Any) -> None:
        """List those with a name, the newest first."""
        request = await stream.recv_message()
        environment = self.plane.part(Environments).resolve(request.environment_name)
        page = request.pagination
        found = [
            each
            for each in self.volumes.known.values()
            if each.name and each.environment == environment and each.created_at < (page.created_before or float("inf"))
        ]
        found.sort(key=lambda each: each.created_at, reverse=True)
        items = [
            api_pb2.VolumeListItem(
                label=each.name, volume_id=each.id, created_at=each.created_at, metadata=each.metadata
            )
            for each in found[: page.max_objects or None]
        ]
        await stream.send_message(api_pb2.VolumeListResponse(items=items, environment_name=environment))

    async def VolumeRename(self, stream: Any) -> None:
        """Give one another name."""
        request = await stream.recv_message()
        volume = self.volumes.get(request.volume_id)
        if self.volumes.named(request.name, volume.environment) is not None:
            raise GRPCError(Status.ALREADY_EXISTS, f"Volume '{request.name}' already exists")
        volume.name = request.name
        await stream.send_message(Empty())

    async def VolumeDelete(self, stream: Any) -> None:
        """Remove one with all that is in it."""
        request = await stream.recv_message()
        self.volumes.get(request.volume_id)
        del self.volumes.known[request.volume_id]
        await stream.send_message(Empty())

    async def VolumeHeartbeat(self, stream: Any) -> None:
        """Note that an ephemeral one is still wanted."""
        await stream.recv_message()
        await stream.send_message(Empty())

    async def VolumeListFiles(self, stream: Any) -> None:
        """List a version 1 volume."""
        await self._list(stream, 1, api_pb2.VolumeListFilesResponse)

    async def VolumeListFiles2(self, stream: Any) -> None:
        """List a version 2 volume."""
        await self._list(stream, 2, api_pb2.VolumeListFiles2Response)

    async def VolumeGetFile2(self, stream: Any) -> None:
        """Say where the blocks of a file, or of a range of it, can be fetched. For both versions."""
        request = await stream.recv_message()
        volume = self.volumes.get(request.volume_id)
        path = clean(request.path)
        entry = volume.tree.get(path)
        if entry is None:
            raise missing(path)
        if not isinstance(entry, File):
            raise GRPCError(Status.FAILED_PRECONDITION, f"'{path}' is not a file")
        if request.start > entry.size:
            raise GRPCError(Status.OUT_OF_RANGE, f"'{path}' has only {entry.size} bytes")
        stop = min(entry.size, request.start + request.len) if request.len else entry.size
        urls = list(_urls(self.plane.part(Blobs), volume.version, entry, request.start, stop))
        await stream.send_message(
            api_pb2.VolumeGetFile2Response(
                get_urls=urls, size=entry.size, start=request.start, len=stop - request.start
            )
        )

    async def VolumePutFiles(self, stream: Any) -> None:
        """Give names in a version 1 volume to bytes that are here already."""
        request = await stream.recv_message()
        volume = self._volume(request, 1)
        contents = self.plane.part(Contents)
        files = {}
        for each in request.files:
            if each.sha256_hex not in contents:
                raise GRPCError(Status.FAILED_PRECONDITION, f"The bytes of '{each.filename}' have not arrived")
            size = contents.path(each.sha256_hex).stat().st_size
            files[clean(each.filename)] = File(size, (each.sha256_hex,), time.time(), each.mode or 0o644)
        _put(volume, files, overwrite=not request.disallow_overwrite_existing_files)
        await stream.send_message(Empty())

    async def VolumePutFiles2(self, stream: Any) -> None:
        """Say which blocks are missing; when none is, give the files their names, all at once."""
        request = await stream.recv_message()
        volume = self._volume(request, 2)
        blobs, contents = self.plane.part(Blobs), self.plane.part(Contents)
        asked: set[bytes] = set()
        answer = api_pb2.VolumePutFiles2Response()
        files = {}
        for file_index, each in enumerate(request.files):
            for block_index, block in enumerate(each.blocks):
                sha256 = block.contents_sha256.hex()
                if sha256 not in contents and block.contents_sha256 not in asked:
                    asked.add(block.contents_sha256)
                    answer.missing_blocks.add(
                        file_index=file_index, block_index=block_index, put_url=blobs.put_url(sha256)
                    )
            pieces = tuple(block.contents_sha256.hex() for block in each.blocks)
            files[clean(each.path)] = File(each.size, pieces, time.time(), each.mode or 0o644)
        if not asked:
            _put(volume, files, overwrite=not request.disallow_overwrite_existing_files)
        await stream.send_message(answer)

    async def VolumeCopyFiles(self, stream: Any) -> None:
        """Copy in a version 1 volume."""
        await self._copy(stream, 1)

    async def VolumeCopyFiles2(self, stream: Any) -> None:
        """Copy in a version 2 volume."""
        await self._copy(stream, 2)

    async def VolumeRemoveFile(self, stream: Any) -> None:
        """Remove from a version 1 volume."""
        await self._remove(stream, 1)

    async def VolumeRemoveFile2(self, stream: Any) -> None:
        """Remove from a version 2 volume."""
        await self._remove(stream, 2)

    async def VolumeCommit(self, stream: Any) -> None:
        """Bring what the calling container changed into the volume."""
        request = await stream.recv_message()
        in_step = await asyncio.to_thread(self.volumes.commit, self._caller(), request.volume_id)
        self.plane.changed()
        await stream.send_message(api_pb2.VolumeCommitResponse(skip_reload=in_step))

    async def VolumeReload(self, stream: Any) -> None:
        """Show the calling container the volume as it is."""
        request = await stream.recv_message()
        await asyncio.to_thread(self.volumes.reload, self._caller(), request.volume_id)
        await stream.send_message(Empty())

    async def _list(self, stream: Any, version: int, form: Any) -> None:
        request = await stream.recv_message()
        volume = self._volume(request, version)
        entries = list(volume.tree.listed(clean(request.path), recursive=request.recursive))
        limit = request.max_entries if request.HasField("max_entries") else None
        entries = entries[:limit]
        for start in range(0, len(entries), PAGE):
            await stream.send_message(form(entries=entries[start : start + PAGE]))

    async def _copy(self, stream: Any, version: int) -> None:
        request = await stream.recv_message()
        volume = self._volume(request, version)
        sources = [clean(path) for path in request.src_paths]
        volume.tree.copy(sources, clean(request.dst_path), recursive=request.recursive, now=time.time())
        await stream.send_message(Empty())

    async def _remove(self, stream: Any, version: int) -> None:
        request = await stream.recv_message()
        self._volume(request, version).tree.remove(clean(request.path), recursive=request.recursive)
        await stream.send_message(Empty())

    def _volume(self, request: Any, version: int) -> StoredVolume:
        volume = self.volumes.get(request.volume_id)
        if volume.version != version:
            raise GRPCError(Status.INVALID_ARGUMENT, f"This call is for volumes of version {version}")
        return volume

    def _caller(self) -> str:
        if self.container is None:
            raise GRPCError(Status.FAILED_PRECONDITION, "Volumes are committed and reloaded inside of containers only")
        return self.container.id


def _put(volume: StoredVolume, files: dict[str, File], *, overwrite: bool) -> None:
    for path in files:
        if not overwrite and volume.tree.get(path) is not None:
            raise GRPCError(Status.ALREADY_EXISTS, f"'{path}' already exists")
    volume.put(dict(files))


def _urls(blobs: Blobs, version: int, entry: File, start: int, stop: int) -> Iterator[str]:
    """One address a block that the range touches. Trailing zeros of a block are not there to be fetched."""
    for number in range(start // BLOCK, -(-stop // BLOCK)):
        first, last = max(start, number * BLOCK), min(stop, (number + 1) * BLOCK)
        if version == 2:
            yield blobs.get_url(entry.pieces[number], first - number * BLOCK, last - first)
        else:
            yield blobs.get_url(entry.pieces[0], first, last - first)
