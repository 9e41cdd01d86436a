"""What containers say: hello, heartbeats, give me an input, here is its output."""

from __future__ import annotations

import time
from typing import Any

from google.protobuf.empty_pb2 import Empty
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.apps import Apps
from tests.modal_plane.calls import SUCCESS, TERMINATED, Calls, Input
from tests.modal_plane.containers import Container, Containers
from tests.modal_plane.runtime import HEARTBEAT
from tests.modal_plane.wire import Service

POLL = 40.0
"""Seconds that a container waits for an input before it asks again."""


class ContainerService(Service):
    """See the module."""

    def caller(self) -> Container:
        """The container that calls.

        Raises:
            GRPCError: it was a client.
        """
        if self.container is None:
            raise GRPCError(Status.PERMISSION_DENIED, "Only containers may call this")
        return self.container

    def running(self, app_id: str) -> bool:
        """Whether an app may still print."""
        return any(container.app_id == app_id for container in self.plane.part(Containers).alive())

    async def ContainerHello(self, stream: Any) -> None:
        """Hear that a container is up."""
        await stream.recv_message()
        container = self.caller()
        container.started_at, container.heard_at = time.time(), time.monotonic()
        await stream.send_message(Empty())

    async def ContainerHeartbeat(self, stream: Any) -> None:
        """Hear that a container lives; tell it, at once or a little later, what to let go."""
        await stream.recv_message()
        container = self.caller()
        container.heard_at = time.monotonic()
        await self.plane.bell.until(lambda: bool(container.to_cancel), timeout=HEARTBEAT - 0.1)
        answer = api_pb2.ContainerHeartbeatResponse()
        if container.to_cancel:
            answer.cancel_input_event.input_ids[:] = container.to_cancel
            container.to_cancel.clear()
        await stream.send_message(answer)

    async def FunctionGetInputs(self, stream: Any) -> None:
        """Wait for an input that the container can take, or for its end."""
        request = await stream.recv_message()
        container = self.caller()
        if not self.plane.part(Calls).held(container.id):
            container.idle_since = time.monotonic()
        most = max(1, request.batch_max_size)
        await self.plane.bell.until(
            lambda: container.leaving is not None or bool(self._offer(container, most)), timeout=POLL
        )
        answer = api_pb2.FunctionGetInputsResponse()
        if container.leaving is not None:
            answer.inputs.add(kill_switch=True)
        for each in [] if container.leaving is not None else self._offer(container, most):
            self._hand_over(container, each, answer)
        await stream.send_message(answer)

    def _offer(self, container: Container, most: int) -> list[Input]:
        """What the container may take now: what waits, or what the first of its group has taken."""
        calls, group = self.plane.part(Calls), container.group
        if group is not None and container.rank > 0:
            return [group.input] if group.input is not None and not container.served else []
        if group is not None and (container.served or len(group.hellos) < len(group.members)):
            return []
        return [each for each, _ in zip(calls.waiting(container.function_id), range(most), strict=False)]

    def _hand_over(self, container: Container, each: Input, answer: api_pb2.FunctionGetInputsResponse) -> None:
        calls = self.plane.part(Calls)
        if container.rank == 0:
            calls.take(each, container.id)
        if container.group is not None:
            container.group.input = each
        container.idle_since = None
        container.last_input = each
        container.served += 1
        container.function.crashes = 0
        answer.inputs.add(
            input_id=each.id,
            input=each.payload,
            function_call_id=each.call_id,
            function_call_invocation_type=calls.get(each.call_id).invocation,
            retry_count=each.retry_count,
            function_map_idx=each.idx,
        )
        self.plane.changed()

    async def FunctionPutOutputs(self, stream: Any) -> None:
        """Take outputs. Those of inputs that were given to another container meanwhile do not count."""
        request = await stream.recv_message()
        container, calls = self.caller(), self.plane.part(Calls)
        for tap in container.taps:
            # What it printed before is to be in the log before anybody hears of the end.
            tap.drain()
        for item in request.outputs:
            each = calls.inputs[item.input_id]
            if each.container_id != container.id or each.result is not None or each.retry_count != item.retry_count:
                continue
            if each.cancelled is not None and item.result.status == TERMINATED:
                calls.finish(each, each.cancelled)
            else:
                calls.finish(each, item.result, item.data_format)
        if container.group is not None:
            container.leaving = container.leaving or "its cluster has done its work"
        if container.leaving is None and not any(each.cancelled for each in calls.held(container.id)):
            container.kill_at = None
        await stream.send_message(Empty())

    async def TaskResult(self, stream: Any) -> None:
        """Hear that a container could not get ready, for example because its imports failed."""
        request = await stream.recv_message()
        if request.result.status != SUCCESS:
            self.caller().crash = request.result
        await stream.send_message(Empty())

    async def TaskCurrentInputs(self, stream: Any) -> None:
        """Say what the container works on."""
        await stream.recv_message()
        held = self.plane.part(Calls).held(self.caller().id)
        await stream.send_message(api_pb2.TaskCurrentInputsResponse(input_ids=[each.id for each in held]))

    async def ContainerStop(self, stream: Any) -> None:
        """End a container: gracefully, or by an interrupt. Its inputs go to another."""
        request = await stream.recv_message()
        containers = self.plane.part(Containers)
        container = containers.known.get(request.task_id)
        if container is None:
            raise GRPCError(Status.NOT_FOUND, f"Container '{request.task_id}' not found")
        if request.graceful:
            container.leaving = container.leaving or "it was asked to stop"
        else:
            containers.interrupt(container, "it was stopped by a user")
        self.plane.changed()
        await stream.send_message(api_pb2.ContainerStopResponse())

    async def TaskList(self, stream: Any) -> None:
        """List the containers that run."""
        request = await stream.recv_message()
        apps = self.plane.part(Apps)
        tasks = [
            api_pb2.TaskStats(
                task_id=each.id,
                app_id=each.app_id,
                app_description=apps.get(each.app_id).description,
                started_at=each.started_at,
                enqueued_at=each.enqueued_at,
            )
            for each in self.plane.part(Containers).alive()
            if request.app_id in {"", each.app_id}
        ]
        await stream.send_message(api_pb2.TaskListResponse(tasks=tasks))

    async def TaskGetInfo(self, stream: Any) -> None:
        """Describe a container."""
        request = await stream.recv_message()
        container = self.plane.part(Containers).known.get(request.task_id)
        if container is None:
            raise GRPCError(Status.NOT_FOUND, f"Container '{request.task_id}' not found")
        info = api_pb2.TaskInfo(
            id=container.id,
            started_at=container.started_at,
            finished_at=container.ended_at,
            enqueued_at=container.enqueued_at,
            gpu_config=container.definition.resources.gpu_config,
            gpu_type=container.definition.resources.gpu_config.gpu_type,
        )
        await stream.send_message(api_pb2.TaskGetInfoResponse(app_id=container.app_id, info=info))
