"""Secrets: variables that containers find in their environment, and nobody else sees."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.empty_pb2 import Empty
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.environments import Environments
from tests.modal_plane.state import State
from tests.modal_plane.wire import Service


@dataclass
class Secret:
    """One secret; without a name it belongs to an app."""

    id: str
    name: str
    environment: str
    values: dict[str, str]
    created_at: float = field(default_factory=time.time)


class Secrets:
    """The secrets by id."""

    def __init__(self, plane: State) -> None:
        self._plane = plane
        self.known: dict[str, Secret] = {}

    def create(self, values: dict[str, str], name: str = "", environment: str = "") -> Secret:
        """Add one, in the place of one of the same name."""
        environment = self._plane.part(Environments).resolve(environment)
        old = self.find(name, environment)
        if old is not None:
            old.values = values
            return old
        secret = Secret(self._plane.new_id("st"), name, environment, values)
        self.known[secret.id] = secret
        return secret

    def find(self, name: str, environment: str) -> Secret | None:
        """The secret of a name."""
        environment = self._plane.part(Environments).resolve(environment)
        for secret in self.known.values():
            if name and (secret.name, secret.environment) == (name, environment):
                return secret
        return None

    def get(self, secret_id: str) -> Secret:
        """The secret of an id.

        Raises:
            GRPCError: ``NOT_FOUND``.
        """
        if secret_id not in self.known:
            raise GRPCError(Status.NOT_FOUND, f"Secret '{secret_id}' not found")
        return self.known[secret_id]


class SecretService(Service):
    """See the module."""

    @property
    def secrets(self) -> Secrets:
        """The secrets of the plane."""
        return self.plane.part(Secrets)

    async def SecretGetOrCreate(self, stream: Any) -> None:
        """Find a secret by its name, or make one."""
        request = await stream.recv_message()
        found = self.secrets.find(request.deployment_name, request.environment_name)
        match request.object_creation_type:
            case api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
                if found is None:
                    raise GRPCError(Status.NOT_FOUND, f"Secret '{request.deployment_name}' not found")
            case api_pb2.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS if found is not None:
                raise GRPCError(Status.ALREADY_EXISTS, f"Secret '{request.deployment_name}' already exists")
            case api_pb2.OBJECT_CREATION_TYPE_CREATE_IF_MISSING if found is not None:
                pass
            case _:
                found = self.secrets.create(dict(request.env_dict), request.deployment_name, request.environment_name)
        missing = [key for key in request.required_keys if key not in found.values]
        if missing:
            raise GRPCError(Status.FAILED_PRECONDITION, f"Secret '{found.name}' lacks the keys: {', '.join(missing)}")
        await stream.send_message(api_pb2.SecretGetOrCreateResponse(secret_id=found.id, metadata=_metadata(found)))

    async def SecretList(self, stream: Any) -> None:
        """List the secrets that have names."""
        request = await stream.recv_message()
        environment = self.plane.part(Environments).resolve(request.environment_name)
        items = [
            api_pb2.SecretListItem(
                label=secret.name,
                created_at=secret.created_at,
                environment_name=environment,
                secret_id=secret.id,
                metadata=_metadata(secret),
            )
            for secret in self.secrets.known.values()
            if secret.name and secret.environment == environment
        ]
        await stream.send_message(api_pb2.SecretListResponse(items=items, environment_name=environment))

    async def SecretGetInfo(self, stream: Any) -> None:
        """Describe a secret; never with its values."""
        request = await stream.recv_message()
        metadata = _metadata(self.secrets.get(request.secret_id))
        await stream.send_message(api_pb2.SecretGetInfoResponse(metadata=metadata))

    async def SecretUpdate(self, stream: Any) -> None:
        """Set and remove keys of a secret."""
        request = await stream.recv_message()
        values = self.secrets.get(request.secret_id).values
        for update in request.updates:
            if update.HasField("value"):
                values[update.key] = update.value
            else:
                values.pop(update.key, None)
        await stream.send_message(Empty())

    async def SecretDelete(self, stream: Any) -> None:
        """Remove a secret."""
        request = await stream.recv_message()
        del self.secrets.known[self.secrets.get(request.secret_id).id]
        await stream.send_message(Empty())


def _metadata(secret: Secret) -> api_pb2.SecretMetadata:
    return api_pb2.SecretMetadata(name=secret.name, keys=sorted(secret.values), environment_name=secret.environment)
