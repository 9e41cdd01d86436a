"""Environments: the rooms of a workspace in which names are given."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import time
from typing import Any

from google.protobuf.empty_pb2 import Empty
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.state import State
from tests.modal_plane.wire import Service

DEFAULT = "main"
IMAGE_BUILDER = "2025.06"


@dataclass(frozen=True)
class Environment:
    """One environment."""

    id: str
    name: str
    created_at: float = field(default_factory=time)


class Environments:
    """The environments by name. ``main`` is there, and meant where no name is given."""

    def __init__(self, plane: State) -> None:
        self._plane = plane
        self.known: dict[str, Environment] = {}
        self.create(DEFAULT)

    def create(self, name: str) -> Environment:
        """Add one."""
        environment = self.known[name] = Environment(self._plane.new_id("en"), name)
        return environment

    def resolve(self, name: str) -> str:
        """The name that is meant: services keep their names by it.

        Raises:
            GRPCError: ``NOT_FOUND``.
        """
        name = name or DEFAULT
        if name not in self.known:
            raise GRPCError(Status.NOT_FOUND, f"Environment '{name}' not found in workspace 'plane'")
        return name


class EnvironmentService(Service):
    """Looking environments up, making and removing them."""

    async def EnvironmentGetOrCreate(self, stream: Any) -> None:
        """Find one, or make it where that is asked for."""
        request = await stream.recv_message()
        environments = self.plane.part(Environments)
        creating = request.object_creation_type == api_pb2.OBJECT_CREATION_TYPE_CREATE_IF_MISSING
        if creating and request.deployment_name not in environments.known:
            environments.create(request.deployment_name)
        environment = environments.known[environments.resolve(request.deployment_name)]
        settings = api_pb2.EnvironmentSettings(image_builder_version=IMAGE_BUILDER)
        await stream.send_message(
            api_pb2.EnvironmentGetOrCreateResponse(
                environment_id=environment.id,
                metadata=api_pb2.EnvironmentMetadata(name=environment.name, settings=settings),
            )
        )

    async def EnvironmentList(self, stream: Any) -> None:
        """List them."""
        await stream.recv_message()
        items = [
            api_pb2.EnvironmentListItem(
                name=each.name, environment_id=each.id, created_at=each.created_at, default=each.name == DEFAULT
            )
            for each in self.plane.part(Environments).known.values()
        ]
        await stream.send_message(api_pb2.EnvironmentListResponse(items=items))

    async def EnvironmentCreate(self, stream: Any) -> None:
        """Make one that must not be there yet."""
        request = await stream.recv_message()
        environments = self.plane.part(Environments)
        if request.name in environments.known:
            raise GRPCError(Status.ALREADY_EXISTS, f"Environment '{request.name}' already exists")
        environments.create(request.name)
        await stream.send_message(Empty())

    async def EnvironmentDelete(self, stream: Any) -> None:
        """Remove one."""
        request = await stream.recv_message()
        environments = self.plane.part(Environments)
        environments.resolve(request.name)
        del environments.known[request.name]
        await stream.send_message(Empty())
