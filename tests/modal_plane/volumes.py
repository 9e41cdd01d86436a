"""Volumes: folders with a name, of which each container sees a private view."""

from __future__ import annotations

from tests.modal_plane.wire import Service


class VolumeService(Service):
    """All ``Volume*`` calls."""
