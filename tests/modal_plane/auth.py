"""Who may call what: tokens, the workspace behind them, the oldest client that is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.state import State
from tests.modal_plane.wire import Service

TOKEN_ID = "ak-plane"
TOKEN_SECRET = "as-plane"


@dataclass(frozen=True)
class Token:
    """One that the plane knows."""

    secret: str
    workspace: str = "plane"
    forbidden: frozenset[str] = frozenset()
    """Methods that it may not call."""


class Tokens:
    """The tokens by id."""

    def __init__(self, plane: State) -> None:
        self.known = {TOKEN_ID: Token(TOKEN_SECRET)}

    def check(self, metadata: Any) -> Token:
        """Whose call it is.

        Raises:
            GRPCError: ``UNAUTHENTICATED``.
        """
        token_id, secret = metadata.get("x-modal-token-id"), metadata.get("x-modal-token-secret")
        if not token_id or not secret:
            raise GRPCError(Status.UNAUTHENTICATED, "Token missing")
        token = self.known.get(token_id)
        if token is None or token.secret != secret:
            raise GRPCError(Status.UNAUTHENTICATED, "Token validation failed")
        return token


class AuthService(Service):
    """Greetings, and what belongs to a token."""

    async def admit(self, method: str, metadata: Any) -> None:
        """Let containers in, which have their own socket and no token, and people with a token."""
        faults = self.plane.faults
        if faults.oldest_client and _version(metadata.get("x-modal-client-version", "0")) < _version(
            faults.oldest_client
        ):
            raise GRPCError(
                Status.FAILED_PRECONDITION,
                f"The client version {metadata.get('x-modal-client-version')} is too old: at least {faults.oldest_client} is required. "
                "Please update with `pip install --upgrade modal`.",
            )
        if self.container is not None:
            return
        token = self.plane.part(Tokens).check(metadata)
        permitted = faults.permissions
        if method in token.forbidden or (permitted is not None and method not in permitted):
            raise GRPCError(Status.PERMISSION_DENIED, f"Token does not have permission to call {method}")

    async def ClientHello(self, stream: Any) -> None:
        """Greet."""
        await stream.recv_message()
        await stream.send_message(api_pb2.ClientHelloResponse(image_builder_version="2025.06"))

    async def WorkspaceNameLookup(self, stream: Any) -> None:
        """Name the workspace of the token."""
        await stream.recv_message()
        token = self.plane.part(Tokens).check(stream.metadata)
        await stream.send_message(
            api_pb2.WorkspaceNameLookupResponse(workspace_name=token.workspace, username=token.workspace)
        )

    async def TokenInfoGet(self, stream: Any) -> None:
        """Describe the token."""
        await stream.recv_message()
        token = self.plane.part(Tokens).check(stream.metadata)
        answer = api_pb2.TokenInfoGetResponse(
            token_id=stream.metadata["x-modal-token-id"], workspace_id="ws-plane", workspace_name=token.workspace
        )
        await stream.send_message(answer)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
