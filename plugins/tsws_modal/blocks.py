"""Sending a file to a version 2 volume: blocks of 8 MiB, kept by their digest, so that only those are sent that are not there.

It says to Modal what the client's ``Volume.batch_upload`` says (``VolumePutFiles2``, the missing blocks by HTTP, and the same call again), but
sends the blocks itself, for three reasons seen with client 1.6.4: a connection that breaks late in a block can leave the client waiting
for ever (its HTTP library repeats the request with a body that is used up); a file store that stays away is tried for eight minutes;
and up to 16 MiB a processor are in memory, with no way to say less.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2
    import modal

BLOCK = 8 << 20
"""Bytes; the last block of a file may have less."""
SENT_AT_ONCE = 8
"""Blocks: enough to fill a line to another continent. Of each one :data:`PIECE` is in memory."""
PIECE = 1 << 18
"""Bytes that are read and sent at once."""
DELAYS = (0.3, 1.0, 3.0, 9.0)
"""Seconds before each new attempt at a block."""
SILENCE = 60.0
"""Seconds in which nothing moves after which a connection counts as broken."""


@dataclass(frozen=True)
class Block:
    """A piece of a file without the zeros at its end."""

    start: int
    size: int
    """In bytes."""
    sha256: bytes


@dataclass(frozen=True)
class Missing:
    """A block that Modal does not have, and where it wants it."""

    block: Block
    url: str


def send(volume: modal.Volume, source: Path, path: str) -> None:
    """Replace or create a file of a version 2 volume.

    Raises:
        ConnectionError: a block could not be sent; what has arrived is not sent again. Other errors are of the client, as they come.
    """
    blocks = tuple(blocks_of(source))
    proofs: dict[bytes, bytes] = {}
    for _ in range(2):  # once to hear what is missing, and once with all of it
        missing = ask(volume, path, source.stat().st_size, blocks, proofs)
        if not missing:
            return
        proofs.update(_sent(source, missing))
    if ask(volume, path, source.stat().st_size, blocks, proofs):
        raise ConnectionError("blocks are missing although they were sent")


def blocks_of(source: Path) -> Iterator[Block]:
    """The blocks of a file."""
    with source.open("rb") as file:
        start = 0
        while data := file.read(BLOCK):
            kept = data.rstrip(b"\0")
            yield Block(start, len(kept), hashlib.sha256(kept).digest())
            start += len(data)


def ask(
    volume: modal.Volume, path: str, size: int, blocks: tuple[Block, ...], proofs: dict[bytes, bytes]
) -> list[Missing]:
    """Give a file its name, if no block of it is missing.

    Args:
        volume: where.
        path: the file's name.
        size: in bytes, zeros at the end of blocks included.
        blocks: all that it consists of.
        proofs: what the file store answered to the blocks that were sent, by digest.

    Returns:
        what is missing; empty when the file is there now.
    """
    from modal._utils.async_utils import synchronize_api
    from modal_proto import api_pb2

    form = api_pb2.VolumePutFiles2Request
    pieces = [form.Block(contents_sha256=one.sha256, put_response=proofs.get(one.sha256)) for one in blocks]

    async def put(volume: modal.Volume) -> api_pb2.VolumePutFiles2Response:
        file = form.File(path=f"/{path}", size=size, blocks=pieces, mode=0o644)
        return await volume.client._stub.VolumePutFiles2(form(volume_id=volume.object_id, files=[file]))

    answer = synchronize_api(put)(volume)  # type: ignore[no-untyped-call]
    return [Missing(blocks[one.block_index], one.put_url) for one in answer.missing_blocks]


def _sent(source: Path, missing: list[Missing]) -> dict[bytes, bytes]:
    """Send blocks; the file store's answers by digest."""
    import httpx2

    stop = threading.Event()
    timeout = httpx2.Timeout(SILENCE, connect=15.0)
    with httpx2.Client(timeout=timeout) as http, ThreadPoolExecutor(SENT_AT_ONCE) as pool:
        try:
            answers = list(pool.map(lambda one: _send(http, source, one, stop), missing))
        finally:
            stop.set()  # the first that failed, or Ctrl-C, ends the others
            pool.shutdown(wait=True, cancel_futures=True)
    return {one.block.sha256: answer for one, answer in zip(missing, answers, strict=True)}


def _send(http: httpx2.Client, source: Path, missing: Missing, stop: threading.Event) -> bytes:
    """One block, tried several times."""
    import httpx2

    headers = {"Content-Length": str(missing.block.size), "Content-Type": "application/octet-stream"}
    fault = "stopped"
    for delay in (0.0, *DELAYS):
        if stop.wait(delay):
            break
        try:
            answer = http.put(missing.url, content=_pieces(source, missing.block, stop), headers=headers)
        except httpx2.HTTPError as error:
            fault = str(error) or type(error).__name__
        else:
            if answer.is_success:
                return answer.content
            fault = f"HTTP status {answer.status_code}"
    raise ConnectionError(fault)


def _pieces(source: Path, block: Block, stop: threading.Event) -> Iterator[bytes]:
    with source.open("rb") as file:
        file.seek(block.start)
        left = block.size
        while left and not stop.is_set() and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
