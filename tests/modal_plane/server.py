"""The control plane's server: all services in one class, listening on the loopback interface."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grpclib.server import Server

from tests.modal_plane.app_service import AppService
from tests.modal_plane.auth import AuthService
from tests.modal_plane.billing import BillingService
from tests.modal_plane.blobs import BlobService
from tests.modal_plane.clusters import ClusterService
from tests.modal_plane.container_service import ContainerService
from tests.modal_plane.containers import Container
from tests.modal_plane.environments import EnvironmentService
from tests.modal_plane.functions import FunctionService
from tests.modal_plane.images import ImageService
from tests.modal_plane.invocations import InvocationService
from tests.modal_plane.logs import LogService
from tests.modal_plane.mounts import MountService
from tests.modal_plane.secrets import SecretService
from tests.modal_plane.state import State
from tests.modal_plane.volumes import VolumeService
from tests.modal_plane.wire import Unimplemented, Wire

HOST = "127.0.0.1"


class ControlPlane(
    AuthService,
    EnvironmentService,
    AppService,
    FunctionService,
    InvocationService,
    ContainerService,
    ClusterService,
    LogService,
    ImageService,
    MountService,
    SecretService,
    BillingService,
    VolumeService,
    BlobService,
    Wire,
    Unimplemented,  # type: ignore[misc, valid-type]
):
    """Every service. One instance serves the clients, and one each container."""


@asynccontextmanager
async def listening(plane: State, container: Container | None = None, *, port: int = 0) -> AsyncIterator[str]:
    """Serve clients, or one container, at a port of its own, and say the address."""
    server = Server([ControlPlane(plane, container)])
    listener = socket.create_server((HOST, port))
    try:
        await server.start(sock=listener)
        yield f"http://{HOST}:{listener.getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()
