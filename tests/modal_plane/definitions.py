"""What functions and classes are: their definitions, and what clients are told of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.state import State

if TYPE_CHECKING:
    from tests.modal_plane.apps import App


@dataclass
class Function:
    """One function; a class has one too, which serves its methods."""

    id: str
    app_id: str
    tag: str
    handle: api_pb2.FunctionHandleMetadata
    """What clients need to call it."""
    ranked: list[api_pb2.Function] = field(default_factory=list)
    """Its definition, one for each GPU that would do, the preferred one first; empty while it is being made."""
    data: api_pb2.FunctionData = field(default_factory=api_pb2.FunctionData)
    """What clients are told of its definition."""
    serialized_params: bytes = b""
    """Of the class instance, where it was bound to some."""
    crashes: int = 0
    """So many of its containers broke one after the other before they took an input."""
    not_before: float = 0.0
    """No container is started for it earlier (``time.monotonic``): the back-off after such a crash."""
    base_id: str = ""
    """Of the function that this is a variant of (``with_options``)."""

    @property
    def definition(self) -> api_pb2.Function:
        """The preferred definition.

        Raises:
            GRPCError: ``FAILED_PRECONDITION``, it is not complete.
        """
        if not self.ranked:
            raise GRPCError(Status.FAILED_PRECONDITION, f"Function '{self.tag}' has not been created yet")
        return self.ranked[0]


@dataclass
class Class:
    """One class."""

    id: str
    app_id: str
    handle: api_pb2.ClassHandleMetadata


class Definitions:
    """Functions and classes by id."""

    def __init__(self, plane: State) -> None:
        self._plane = plane
        self.functions: dict[str, Function] = {}
        self.classes: dict[str, Class] = {}
        self.bound: dict[tuple[str, bytes], Function] = {}
        """Variants, by their base and the request that made them."""

    def function(self, function_id: str) -> Function:
        """The function of an id.

        Raises:
            GRPCError: ``NOT_FOUND``.
        """
        if function_id not in self.functions:
            raise GRPCError(Status.NOT_FOUND, f"Function '{function_id}' not found")
        return self.functions[function_id]

    def add(self, app_id: str, tag: str, handle: api_pb2.FunctionHandleMetadata) -> Function:
        """A new function, still without a definition."""
        function = Function(self._plane.new_id("fu"), app_id, tag, handle)
        self.functions[function.id] = function
        return function

    def define(self, function: Function, ranked: list[api_pb2.Function], data: api_pb2.FunctionData | None) -> None:
        """Give a function its definition."""
        function.ranked = ranked
        function.data = data or data_of(ranked)
        handle, first = function.handle, ranked[0]
        handle.app_id = function.app_id
        handle.function_name = first.function_name
        handle.function_type = first.function_type
        handle.is_method = first.is_method
        handle.class_parameter_info.CopyFrom(first.class_parameter_info)
        handle.function_schema.CopyFrom(first.function_schema)
        handle.definition_id = self._plane.new_id("de")
        for name, method in first.method_definitions.items():
            handle.method_handle_metadata[name].CopyFrom(method_handle(method))

    def layout(self, app: App) -> api_pb2.AppLayout:
        """What an app consists of, with what is needed to call it."""
        layout = api_pb2.AppLayout(function_ids=app.function_ids, class_ids=app.class_ids)
        for function in self.functions.values():
            if function.app_id == app.id:
                layout.objects.add(object_id=function.id, function_handle_metadata=function.handle)
        for each in self.classes.values():
            if each.app_id == app.id:
                layout.objects.add(object_id=each.id, class_handle_metadata=each.handle)
        return layout


def data_of(ranked: list[api_pb2.Function]) -> api_pb2.FunctionData:
    """What a client is told of a definition: the fields that both messages have."""
    first = ranked[0]
    data = api_pb2.FunctionData()
    for descriptor in data.DESCRIPTOR.fields:
        if descriptor.name == "ranked_functions" or descriptor.name not in first.DESCRIPTOR.fields_by_name:
            continue
        value = getattr(first, descriptor.name)
        if hasattr(value, "items"):
            target = getattr(data, descriptor.name)
            for key, inner in value.items():
                if isinstance(inner, str):
                    target[key] = inner
                else:
                    target[key].CopyFrom(inner)
        elif descriptor.is_repeated:
            getattr(data, descriptor.name).extend(value)
        elif descriptor.message_type is not None:
            if first.HasField(descriptor.name):
                getattr(data, descriptor.name).CopyFrom(value)
        else:
            setattr(data, descriptor.name, value)
    for rank, function in enumerate(ranked):
        data.ranked_functions.add(rank=rank, function=function)
    return data


def method_handle(method: api_pb2.MethodDefinition) -> api_pb2.FunctionHandleMetadata:
    """What is needed to call a method of a class."""
    return api_pb2.FunctionHandleMetadata(
        function_name=method.function_name,
        function_type=method.function_type,
        is_method=True,
        function_schema=method.function_schema,
        supported_input_formats=method.supported_input_formats,
        supported_output_formats=method.supported_output_formats,
    )
