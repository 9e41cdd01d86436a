"""The calls about functions and classes: making, finding and varying them. Calling them: :mod:`tests.modal_plane.invocations`."""

from __future__ import annotations

from typing import Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.apps import Apps
from tests.modal_plane.calls import Calls
from tests.modal_plane.containers import Containers
from tests.modal_plane.definitions import Class, Definitions, Function, method_handle
from tests.modal_plane.wire import Service

REPLACED = {
    "retry_policy",
    "timeout_secs",
    "task_idle_timeout_secs",
    "max_concurrent_inputs",
    "target_concurrent_inputs",
}
REPLACED |= {"batch_max_size", "batch_linger_ms", "scheduler_placement", "cloud_provider_str", "routing_region"}
"""Options of a variant that stand under the same name in a definition."""


class FunctionService(Service):
    """See the module."""

    @property
    def definitions(self) -> Definitions:
        """The functions of the plane."""
        return self.plane.part(Definitions)

    async def FunctionPrecreate(self, stream: Any) -> None:
        """Give a function its id before its definition is complete."""
        request = await stream.recv_message()
        self.plane.part(Apps).get(request.app_id)
        handle = api_pb2.FunctionHandleMetadata(
            app_id=request.app_id,
            function_name=request.function_name,
            function_type=request.function_type,
            function_schema=request.function_schema,
            supported_input_formats=request.supported_input_formats,
            supported_output_formats=request.supported_output_formats,
        )
        for name, method in request.method_definitions.items():
            handle.method_handle_metadata[name].CopyFrom(method_handle(method))
        if request.existing_function_id:
            function = self.definitions.function(request.existing_function_id)
        else:
            function = self.definitions.add(request.app_id, request.function_name, handle)
        await stream.send_message(api_pb2.FunctionPrecreateResponse(function_id=function.id, handle_metadata=handle))

    async def FunctionCreate(self, stream: Any) -> None:
        """Define a function."""
        request = await stream.recv_message()
        ranked = [each.function for each in request.function_data.ranked_functions] or [request.function]
        for each in ranked:
            self.plane.faults.check_quota(each.resources.gpu_config.count)
        if request.existing_function_id:
            function = self.definitions.function(request.existing_function_id)
        else:
            function = self.definitions.add(request.app_id, ranked[0].function_name, api_pb2.FunctionHandleMetadata())
        function.handle.supported_input_formats[:] = ranked[0].supported_input_formats
        function.handle.supported_output_formats[:] = ranked[0].supported_output_formats
        given = request.function_data if request.HasField("function_data") else None
        self.definitions.define(function, list(ranked), given)
        await stream.send_message(
            api_pb2.FunctionCreateResponse(
                function_id=function.id,
                function=function.definition,
                function_data=function.data,
                handle_metadata=function.handle,
            )
        )

    async def FunctionGet(self, stream: Any) -> None:
        """Find a function of a deployed app."""
        request = await stream.recv_message()
        app = self.plane.part(Apps).require(request.app_name, request.environment_name)
        function_id = app.function_ids.get(request.object_tag)
        if function_id is None:
            raise GRPCError(Status.NOT_FOUND, f"App '{app.name}' has no function '{request.object_tag}'")
        function = self.definitions.function(function_id)
        await stream.send_message(
            api_pb2.FunctionGetResponse(
                function_id=function.id, handle_metadata=function.handle, function=function.data
            )
        )

    async def FunctionGetById(self, stream: Any) -> None:
        """Find a function by its id."""
        request = await stream.recv_message()
        function = self.definitions.function(request.function_id)
        await stream.send_message(
            api_pb2.FunctionGetByIdResponse(function=function.data, handle_metadata=function.handle)
        )

    async def FunctionBindParams(self, stream: Any) -> None:
        """Make a variant of a function: other options, or an instance of a class."""
        request = await stream.recv_message()
        key = (request.function_id, request.SerializeToString(deterministic=True))
        variant = self.definitions.bound.get(key)
        if variant is None:
            base = self.definitions.function(request.function_id)
            variant = self.definitions.bound[key] = self._vary(base, request)
        await stream.send_message(
            api_pb2.FunctionBindParamsResponse(bound_function_id=variant.id, handle_metadata=variant.handle)
        )

    def _vary(self, base: Function, request: Any) -> Function:
        options = request.function_options
        # One type of GPU that is asked for replaces the list of those that would do.
        ranked = base.ranked[:1] if options.HasField("resources") else base.ranked
        changed = [_with_options(each, options) for each in ranked]
        for each in changed:
            self.plane.faults.check_quota(each.resources.gpu_config.count)
        handle = api_pb2.FunctionHandleMetadata()
        handle.CopyFrom(base.handle)
        handle.base_function_id = base.id
        variant = self.definitions.add(base.app_id, base.tag, handle)
        variant.base_id = base.id
        variant.serialized_params = request.serialized_params
        self.definitions.define(variant, changed, None)
        return variant

    async def FunctionGetCurrentStats(self, stream: Any) -> None:
        """Count what waits and what runs."""
        request = await stream.recv_message()
        inputs = [each for call in self.plane.part(Calls).of_function(request.function_id) for each in call.inputs]
        running = [each for each in self.plane.part(Containers).alive() if each.function_id == request.function_id]
        answer = api_pb2.FunctionStats(
            backlog=sum(1 for each in inputs if each.result is None and each.container_id is None),
            num_running_inputs=sum(1 for each in inputs if each.result is None and each.container_id is not None),
            num_total_tasks=len(running),
        )
        await stream.send_message(answer)

    async def FunctionUpdateSchedulingParams(self, stream: Any) -> None:
        """Change how many containers there may be."""
        request = await stream.recv_message()
        function = self.definitions.function(request.function_id)
        for each in function.ranked:
            each.autoscaler_settings.MergeFrom(request.settings)
        await stream.send_message(
            api_pb2.FunctionUpdateSchedulingParamsResponse(current_settings=function.definition.autoscaler_settings)
        )

    async def ClassCreate(self, stream: Any) -> None:
        """Make a class of a function that serves its methods."""
        request = await stream.recv_message()
        found = self.definitions.classes.get(request.existing_class_id)
        if found is None:
            found = Class(self.plane.new_id("cs"), request.app_id, api_pb2.ClassHandleMetadata())
            self.definitions.classes[found.id] = found
        await stream.send_message(api_pb2.ClassCreateResponse(class_id=found.id, handle_metadata=found.handle))

    async def ClassGet(self, stream: Any) -> None:
        """Find a class of a deployed app."""
        request = await stream.recv_message()
        app = self.plane.part(Apps).require(request.app_name, request.environment_name)
        class_id = app.class_ids.get(request.object_tag)
        if class_id is None:
            raise GRPCError(Status.NOT_FOUND, f"App '{app.name}' has no class '{request.object_tag}'")
        found = self.definitions.classes[class_id]
        await stream.send_message(api_pb2.ClassGetResponse(class_id=found.id, handle_metadata=found.handle))


def _with_options(definition: api_pb2.Function, options: api_pb2.FunctionOptions) -> api_pb2.Function:
    changed = api_pb2.Function()
    changed.CopyFrom(definition)
    for descriptor, value in options.ListFields():
        if descriptor.name not in REPLACED:
            continue
        if descriptor.message_type is not None:
            getattr(changed, descriptor.name).CopyFrom(value)
        else:
            setattr(changed, descriptor.name, value)
    changed.resources.MergeFrom(options.resources)
    if options.HasField("concurrency_limit"):
        changed.autoscaler_settings.max_containers = options.concurrency_limit
    if options.HasField("warm_pool_size"):
        changed.autoscaler_settings.min_containers = options.warm_pool_size
    if options.replace_volume_mounts:
        changed.volume_mounts[:] = options.volume_mounts
    if options.replace_secret_ids:
        changed.secret_ids[:] = options.secret_ids
    changed.mount_ids.extend(options.mount_ids)
    return changed
