"""Blobs: what is too large for a message goes by HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.modal_plane.state import State
from tests.modal_plane.wire import Service


class BlobService(Service):
    """``BlobCreate`` and ``BlobGet``."""


@asynccontextmanager
async def serve_blobs(plane: State) -> AsyncIterator[None]:
    """Serve the blobs of a plane by HTTP while it runs."""
    yield
