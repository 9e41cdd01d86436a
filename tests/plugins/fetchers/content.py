"""A file as each store serves it, and how its bytes are read."""

from __future__ import annotations

import hashlib

from tsws.plugin import Fetcher, Origin

DATA = b"Once upon a time, there was a little girl named Lily."
DIGEST = hashlib.sha256(DATA).hexdigest()
BLOB = hashlib.sha1(b"blob %d\0" % len(DATA) + DATA, usedforsecurity=False).hexdigest()
COMMIT = "c0ffee00" * 5
GIT_COMMIT = "deadbeef" * 5


def read(fetcher: Fetcher, origin: Origin, offset: int = 0) -> tuple[int, int | None, bytes]:
    with fetcher.open(origin, offset) as stream:
        return stream.offset, stream.total, b"".join(stream.chunks)
