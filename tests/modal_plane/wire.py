"""Between grpclib and the services: who calls, what is recorded, what goes wrong on purpose.

A service is a mixin class whose coroutines are named as the calls and take a stream, as in ``modal_proto.api_grpc``:

    class SecretService(Service):
        async def SecretList(self, stream):
            request = await stream.recv_message()
            ...
            await stream.send_message(api_pb2.SecretListResponse(...))

It refuses by raising ``GRPCError``. What no service implements is answered with ``UNIMPLEMENTED`` and its name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from modal_proto.api_grpc import ModalClientBase

from tests.modal_plane.state import Call, State

if TYPE_CHECKING:
    from tests.modal_plane.containers import Container

KEPT = 64 << 10
"""Bytes of a request that are recorded whole. Of a longer one, the byte strings are left out: transfers must not fill the memory."""

REMEMBERED = 10_000
"""Answers that are kept for clients that ask again."""

Method = Callable[[Any], Coroutine[Any, Any, None]]


class Service:
    """What every service finds at hand."""

    plane: State
    container: Container | None = None
    """Who calls; ``None`` for a client. Containers do not say who they are: each has a socket of its own."""

    async def admit(self, method: str, metadata: Any) -> None:
        """Refuse strangers; the service that knows the tokens overrides it."""


def _unimplemented(name: str) -> Callable[[Any, Any], Coroutine[Any, Any, None]]:
    async def refuse(self: Any, stream: Any) -> None:
        raise GRPCError(Status.UNIMPLEMENTED, f"the local control plane does not implement {name}")

    return refuse


Unimplemented: type[ModalClientBase] = type(
    "Unimplemented",
    (ModalClientBase,),
    {name: _unimplemented(name) for name in ModalClientBase.__abstractmethods__},
)
"""Refuses every call. The last base of the plane's server."""


class Exchange:
    """A stream whose request has been read already, and whose answer may be lost on purpose."""

    def __init__(self, stream: Any, request: Message, *, keep: bool, lose: bool) -> None:
        self._stream = stream
        self._request: Message | None = request
        self._keep, self._lose = keep, lose
        self.answer: Message | None = None

    async def recv_message(self) -> Message | None:
        """The request; ``None`` from the second time on."""
        request, self._request = self._request, None
        return request

    async def send_message(self, message: Message, **how: Any) -> None:
        """Answer."""
        if self._keep:
            self.answer = message
        if not self._lose:
            await self._stream.send_message(message, **how)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Wire(Service):
    """Wraps every call of the services below it."""

    def __init__(self, plane: State, container: Container | None = None) -> None:
        self.plane = plane
        self.container = container
        self._answered: dict[str, Message] = {}

    def __mapping__(self) -> dict[str, Handler]:
        """What grpclib serves."""
        mapping: dict[str, Handler] = super().__mapping__()  # type: ignore[misc]
        return {path: handler._replace(func=self._wrapped(path, handler)) for path, handler in mapping.items()}

    def _wrapped(self, path: str, handler: Handler) -> Method:
        method = path.rpartition("/")[2]
        unary = handler.cardinality is Cardinality.UNARY_UNARY

        async def call(stream: Any) -> None:
            request = await stream.recv_message()
            self.plane.called(Call(method, slim(request), self.container.id if self.container else None))
            if self.container is not None and self.container.cut_off:
                raise GRPCError(Status.UNAVAILABLE, "the line to this container is cut")
            failure = self.plane.faults.take(method, request, of_container=self.container is not None)
            if failure is not None:
                await asyncio.sleep(failure.delay)
                if failure.status is not None and not failure.after:
                    raise GRPCError(failure.status, failure.message)
            await self.admit(method, stream.metadata)
            # A client that got no answer asks again with the same key, and must not be served twice.
            key = stream.metadata.get("x-idempotency-key") if unary else None
            lose = failure is not None and failure.after
            if key in self._answered:
                await stream.send_message(self._answered[key])
                return
            exchange = Exchange(stream, request, keep=unary, lose=lose)
            try:
                await handler.func(exchange)
            except (GRPCError, StreamTerminatedError, ConnectionError):
                raise
            except Exception as error:
                self.plane.errors.append(error)
                raise
            if key is not None and exchange.answer is not None and exchange.answer.ByteSize() <= KEPT:
                self._answered[key] = exchange.answer
                if len(self._answered) > REMEMBERED:
                    self._answered.pop(next(iter(self._answered)))
            self.plane.changed()
            if lose and failure is not None and failure.status is not None:
                raise GRPCError(failure.status, failure.message)

        return call


def slim(request: Message) -> Message:
    """A request as it is recorded: whole if short, else without its byte strings."""
    if request.ByteSize() <= KEPT:
        return request
    copy = type(request)()
    copy.CopyFrom(request)
    _drop_bytes(copy)
    return copy


def _drop_bytes(message: Message) -> None:
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_BYTES:
            message.ClearField(field.name)
        elif field.type == FieldDescriptor.TYPE_MESSAGE and not field.message_type.GetOptions().map_entry:
            for inner in [value] if isinstance(value, Message) else value:
                _drop_bytes(inner)
