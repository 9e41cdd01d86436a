"""Reading a file of a Modal volume from any offset: blocks of 8 MiB by HTTP, two at a time.

The client's ``Volume.read_file`` reads from the start only, and holds one block a processor in memory: a download that broke would
begin again, and one on a large machine take a gigabyte. So the blocks are asked for as the client does it itself (``VolumeGetFile2``, which
takes an offset), and fetched here. Where a version of the client no longer has that call, its own way is used instead.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2
    import modal

BLOCK = 8 << 20
"""Bytes of a block; the first and the last of a range may have less."""
FETCHED_AT_ONCE = 2
"""Blocks. Each is in memory, and a sync moves several files at once."""
PIECE = 1 << 20
"""Bytes that are handed on at once."""
DELAYS = (0.1, 0.3, 1.0, 3.0)
"""Seconds before each new attempt at a block."""
SILENCE = 60.0
"""Seconds without a single byte after which a connection counts as broken; the client waits as long."""
_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]+):")
"""In ``Repr-Digest`` (RFC 9530)."""


@dataclass(frozen=True)
class Block:
    """A piece of a file."""

    url: str
    size: int
    """Bytes; those at its end that are not sent are zeros."""


@dataclass(frozen=True)
class Range:
    """The rest of a file, from somewhere on. It stays readable while the file is replaced."""

    start: int
    blocks: tuple[Block, ...]


def read(volume: modal.Volume, path: str, offset: int) -> Iterator[bytes]:
    """The bytes of a file from ``offset`` on.

    Raises:
        ConnectionError: a block could not be fetched. Other errors are of the client, as they come.
    """
    try:
        found = locate(volume, path, offset)
    except (ImportError, AttributeError, TypeError):  # another version of the client
        yield from _skipping(volume.read_file(path), offset)
        return
    yield from _skipping(fetch(found.blocks), offset - found.start)


def locate(volume: modal.Volume, path: str, offset: int) -> Range:
    """Ask where the blocks of a file are, from the one with ``offset`` on."""
    from modal._utils.async_utils import synchronize_api
    from modal_proto import api_pb2

    async def ask(volume: modal.Volume) -> api_pb2.VolumeGetFile2Response:
        request = api_pb2.VolumeGetFile2Request(
            volume_id=volume.object_id, path=path, start=offset, client_pads_blocks=True
        )
        return await volume.client._stub.VolumeGetFile2(request)

    answer = synchronize_api(ask)(volume)  # type: ignore[no-untyped-call]
    start, stop = answer.start, answer.start + answer.len
    first = start // BLOCK
    edges = [max(start, (first + number) * BLOCK) for number in range(len(answer.get_urls))] + [stop]
    sizes = [after - before for before, after in pairwise(edges)]
    return Range(start, tuple(map(Block, answer.get_urls, sizes)))


def fetch(blocks: tuple[Block, ...]) -> Iterator[bytes]:
    """The bytes of some blocks, in order.

    Raises:
        ConnectionError: one could not be fetched; what came of it was handed on.
    """
    import httpx2

    stop = threading.Event()
    coming = iter(blocks)
    limits = httpx2.Timeout(SILENCE, connect=15.0)
    with httpx2.Client(timeout=limits, follow_redirects=True) as http, ThreadPoolExecutor(FETCHED_AT_ONCE) as pool:
        waiting: deque[Future[_Fetched]] = deque()
        try:
            for block in islice(coming, FETCHED_AT_ONCE):
                waiting.append(pool.submit(_fetch, http, block, stop))
            while waiting:
                yield from _handed_on(waiting.popleft().result())
                # Only now, when the one before is out of memory.
                waiting.extend(pool.submit(_fetch, http, block, stop) for block in islice(coming, 1))
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class _Fetched:
    """What came of a block."""

    data: memoryview
    fault: str | None = None
    """Why there is no more."""


def _handed_on(fetched: _Fetched) -> Iterator[bytes]:
    for position in range(0, len(fetched.data), PIECE):
        yield bytes(fetched.data[position : position + PIECE])
    if fetched.fault is not None:
        raise ConnectionError(fetched.fault)


def _fetch(http: httpx2.Client, block: Block, stop: threading.Event) -> _Fetched:
    """One block, tried several times; if that does not help, as much of it as came at best."""
    best = _Fetched(memoryview(b""), "stopped")
    for delay in (0.0, *DELAYS):
        if stop.wait(delay):
            break
        fetched = _attempt(http, block, stop)
        if fetched.fault is None:
            return fetched
        best = max(fetched, best, key=lambda one: len(one.data))
    return best


def _attempt(http: httpx2.Client, block: Block, stop: threading.Event) -> _Fetched:
    import httpx2

    data, done = memoryview(bytearray(block.size)), 0
    try:
        with http.stream("GET", block.url, headers={"Accept-Encoding": "identity"}) as response:
            if not response.is_success:
                return _Fetched(data[:0], f"HTTP status {response.status_code}")
            for chunk in response.iter_raw():
                if stop.is_set():
                    return _Fetched(data[:done], "stopped")
                if done + len(chunk) > block.size:
                    return _Fetched(data[:0], "a block is longer than announced")
                data[done : done + len(chunk)] = chunk
                done += len(chunk)
            if not _is_sound(data[:done], response.headers.get("Repr-Digest", "")):
                return _Fetched(data[:0], "a block came damaged")
    except httpx2.HTTPError as error:
        return _Fetched(data[:done], str(error) or type(error).__name__)
    return _Fetched(data)


def _is_sound(body: memoryview, header: str) -> bool:
    """Whether a body is as its header says, if it says something that is understood."""
    found = _DIGEST.search(header)
    if found is None:
        return True
    try:
        return hashlib.sha256(body).digest() == base64.b64decode(found[1], validate=True)
    except binascii.Error:
        return True


def _skipping(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """All but the first ``count`` bytes."""
    for chunk in chunks:
        if count < len(chunk):
            yield chunk[count:] if count else chunk
        count = max(0, count - len(chunk))
