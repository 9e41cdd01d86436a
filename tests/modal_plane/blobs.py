"""Blobs: what is too large for a message goes by HTTP, up and down.

The addresses stand for those of an object store: they are signed (here: not guessable is enough), each is for one thing, and a PUT is
answered with the MD5 of its bytes as ETag.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from google.protobuf.timestamp_pb2 import Timestamp
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.contents import CHUNK, Contents, Incoming
from tests.modal_plane.state import State
from tests.modal_plane.wire import Service

HOST = "127.0.0.1"
MULTIPART_FROM = 1 << 30
"""Bytes from which a blob is sent in parts: the client does not compute the MD5 of a larger one."""
PART = 64 << 20
"""Bytes of such a part."""
_ERRORS = {403: web.HTTPForbidden, 500: web.HTTPInternalServerError, 503: web.HTTPServiceUnavailable}


@dataclass
class Line:
    """One direction of the line to the blob store, and what is wrong with it. Set from any thread at any time."""

    bytes: int = 0
    """That went over it since the plane started."""
    cut_at: int | None = None
    """The connection that brings ``bytes`` to this breaks, and so does every later one; ``None`` mends the line."""
    cuts: int | None = None
    """So many connections break, then the line is mended; ``None``: it stays broken."""
    status: int | None = None
    """Every request is answered with this HTTP status: 403, 500 or 503."""
    bytes_per_second: float | None = None
    """As slow as this, each connection for itself."""
    on_bytes: Callable[[int], None] = lambda total: None
    """Called in the plane's loop with ``bytes`` after each piece."""

    def broken(self) -> bool:
        """Whether the line is cut now; counts it."""
        if self.cut_at is None or self.bytes < self.cut_at:
            return False
        if self.cuts is not None:
            self.cuts -= 1
            if self.cuts <= 0:
                self.cut_at = self.cuts = None
        return True

    async def carried(self, amount: int) -> None:
        """Count bytes, slowly if so set."""
        self.bytes += amount
        self.on_bytes(self.bytes)
        if self.bytes_per_second:
            await asyncio.sleep(amount / self.bytes_per_second)

    def mend(self) -> None:
        """Take back everything that is wrong; the count stays."""
        self.cut_at = self.cuts = self.status = self.bytes_per_second = None
        self.on_bytes = lambda total: None


@dataclass
class Blob:
    """One blob: promised, then there."""

    sha256: str | None = None
    parts: dict[int, str] = field(default_factory=dict)


class Blobs:
    """The blobs by id, and the lines to them."""

    def __init__(self, plane: State) -> None:
        self.contents = plane.part(Contents)
        self.known: dict[str, Blob] = {}
        self.up, self.down = Line(), Line()
        self.url = ""
        """Of the blob store, as clients know it."""

    def sha256(self, blob_id: str) -> str:
        """The digest of a blob that has arrived.

        Raises:
            GRPCError: ``NOT_FOUND``.
        """
        blob = self.known.get(blob_id)
        if blob is None or blob.sha256 is None:
            raise GRPCError(Status.NOT_FOUND, f"Blob '{blob_id}' not found")
        return blob.sha256

    def put(self, data: bytes, blob_id: str) -> None:
        """Keep a blob that the plane itself has made."""
        self.known[blob_id] = Blob(self.contents.add(data))

    def get_url(self, sha256: str, start: int = 0, length: int | None = None) -> str:
        """Where a range of some bytes can be fetched; it may reach beyond their end."""
        return f"{self.url}/contents/{sha256}?start={start}&length={'' if length is None else length}"

    def put_url(self, sha256: str) -> str:
        """Where bytes with a digest can be sent."""
        return f"{self.url}/contents/{sha256}"


class BlobService(Service):
    """``BlobCreate``, ``BlobGet`` and ``MountPutFile``."""

    async def BlobCreate(self, stream: Any) -> None:
        """Promise a blob, and say where to send it."""
        request = await stream.recv_message()
        blobs = self.plane.part(Blobs)
        blob_id = self.plane.new_id("bl")
        blobs.known[blob_id] = Blob()
        url = f"{blobs.url}/blobs/{blob_id}"
        if request.content_length < MULTIPART_FROM:
            one = api_pb2.UploadUrlList(items=[url])
            answer = api_pb2.BlobCreateResponse(blob_id=blob_id, blob_ids=[blob_id], upload_urls=one)
        else:
            count = -(-request.content_length // PART)
            parts = api_pb2.MultiPartUpload(
                part_length=PART,
                upload_urls=[f"{url}/parts/{number}" for number in range(1, count + 1)],
                completion_url=f"{url}/complete",
            )
            many = api_pb2.MultiPartUploadList(items=[parts])
            answer = api_pb2.BlobCreateResponse(blob_id=blob_id, blob_ids=[blob_id], multiparts=many)
        await stream.send_message(answer)

    async def BlobGet(self, stream: Any) -> None:
        """Say where to fetch a blob."""
        request = await stream.recv_message()
        blobs = self.plane.part(Blobs)
        url = blobs.get_url(blobs.sha256(request.blob_id))
        await stream.send_message(api_pb2.BlobGetResponse(download_url=url))

    async def MountPutFile(self, stream: Any) -> None:
        """Take the bytes of a file of a mount or a version 1 volume, or say whether they are here already."""
        request = await stream.recv_message()
        blobs = self.plane.part(Blobs)
        match request.WhichOneof("data_oneof"):
            case "data":
                found = blobs.contents.add(request.data)
            case "data_blob_id":
                found = blobs.sha256(request.data_blob_id)
            case _:
                found = request.sha256_hex
        if found != request.sha256_hex:
            raise GRPCError(Status.INVALID_ARGUMENT, f"The file's SHA-256 is {found}, not {request.sha256_hex}")
        checked = Timestamp()
        checked.GetCurrentTime()
        await stream.send_message(api_pb2.MountPutFileResponse(exists=found in blobs.contents, checked_at=checked))


@asynccontextmanager
async def serve_blobs(plane: State) -> AsyncIterator[None]:
    """Serve the blobs of a plane by HTTP while it runs."""
    store = _Store(plane.part(Blobs))
    app = web.Application(client_max_size=0)
    app.router.add_put("/blobs/{blob_id}", store.put_blob)
    app.router.add_put("/blobs/{blob_id}/parts/{number}", store.put_part)
    app.router.add_post("/blobs/{blob_id}/complete", store.complete)
    app.router.add_put("/contents/{sha256}", store.put_contents)
    app.router.add_get("/contents/{sha256}", store.get_contents)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    plane.part(Blobs).url = f"http://{HOST}:{runner.addresses[0][1]}"
    try:
        yield
    finally:
        await runner.cleanup()


class _Store:
    """The requests."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def put_blob(self, request: web.Request) -> web.Response:
        blob = self._blobs.known[request.match_info["blob_id"]]
        incoming = await self._receive(request)
        blob.sha256 = incoming.sha256
        return web.Response(headers={"ETag": f'"{incoming.md5}"'})

    async def put_part(self, request: web.Request) -> web.Response:
        blob = self._blobs.known[request.match_info["blob_id"]]
        incoming = await self._receive(request)
        blob.parts[int(request.match_info["number"])] = incoming.sha256
        return web.Response(headers={"ETag": f'"{incoming.md5}"'})

    async def complete(self, request: web.Request) -> web.Response:
        """Put the parts together; their ETags came along, as S3 wants them."""
        blob = self._blobs.known[request.match_info["blob_id"]]
        etags = re.findall(r'<ETag>"([0-9a-f]{32})"</ETag>', await request.text())

        def join() -> str:
            with self._blobs.contents.incoming() as whole:
                for _, sha256 in sorted(blob.parts.items()):
                    with self._blobs.contents.path(sha256).open("rb") as part:
                        while chunk := part.read(CHUNK):
                            whole.write(chunk)
            return whole.sha256

        blob.sha256 = await asyncio.to_thread(join)
        digests = b"".join(bytes.fromhex(etag) for etag in etags)
        etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(etags)}"
        return web.Response(text=f"<CompleteMultipartUploadResult><ETag>{etag}</ETag></CompleteMultipartUploadResult>")

    async def put_contents(self, request: web.Request) -> web.Response:
        """A block of a version 2 volume. The answer is what the client shows as proof that it sent it."""
        incoming = await self._receive(request, expected=request.match_info["sha256"])
        return web.Response(body=f"stored {incoming.sha256}".encode(), headers={"ETag": f'"{incoming.md5}"'})

    async def get_contents(self, request: web.Request) -> web.StreamResponse:
        line, path = self._blobs.down, self._blobs.contents.path(request.match_info["sha256"])
        _refuse(request, line)
        start = int(request.query["start"])
        size = path.stat().st_size
        stop = min(size, start + int(request.query["length"])) if request.query["length"] else size
        response = web.StreamResponse(headers={"Repr-Digest": f"sha-256=:{_digest(path, start, stop)}:"})
        response.content_length = max(0, stop - start)
        await response.prepare(request)
        for chunk in _chunks(path, start, stop):
            if line.cut_at is not None and line.bytes + len(chunk) > line.cut_at:
                await response.write(chunk[: max(0, line.cut_at - line.bytes)])
                line.bytes = max(line.bytes, line.cut_at)
                _refuse(request, line)
            await line.carried(len(chunk))
            await response.write(chunk)
        return response

    async def _receive(self, request: web.Request, *, expected: str | None = None) -> Incoming:
        line = self._blobs.up
        _refuse(request, line)
        with self._blobs.contents.incoming() as incoming:
            async for chunk in request.content.iter_chunked(CHUNK):
                incoming.write(chunk)
                await line.carried(len(chunk))
                _refuse(request, line)
            if expected not in {None, incoming.sha256}:
                raise web.HTTPBadRequest(text=f"the SHA-256 is {incoming.sha256}, not {expected}")
        return incoming


def _refuse(request: web.Request, line: Line) -> None:
    """Let what is wrong with a line happen to a request."""
    if line.status is not None:
        raise _ERRORS[line.status](text="the blob store was told to refuse")
    if line.broken():
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("told to cut the line")


def _chunks(path: Path, start: int, stop: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < stop and (chunk := file.read(min(CHUNK, stop - start))):
            start += len(chunk)
            yield chunk


def _digest(path: Path, start: int, stop: int) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(path, start, stop):
        digest.update(chunk)
    return base64.b64encode(digest.digest()).decode()
