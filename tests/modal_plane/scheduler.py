"""Decides when containers start, are let go, and are given up. Looks whenever anything has changed, and when something is due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from modal_proto import api_pb2

from tests.modal_plane.apps import Apps
from tests.modal_plane.calls import TIMEOUT, Calls, Input
from tests.modal_plane.containers import Container, Containers, Group
from tests.modal_plane.definitions import Definitions, Function
from tests.modal_plane.runtime import Runtime
from tests.modal_plane.state import State

SCALEDOWN = 60
"""Seconds that an idle container is kept, where the function says nothing else."""
MOST = 4
"""Containers of a function at once, where it says nothing else: they all run on this machine."""


class Scheduler:
    """See the module."""

    def __init__(self, plane: State, runtime: Runtime) -> None:
        self._plane = plane
        self._runtime = runtime
        self._calls = plane.part(Calls)
        self._containers = plane.part(Containers)
        self._definitions = plane.part(Definitions)

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            woken = self._plane.bell.next()
            waits = [wait for wait in (self._plane.part(Apps).step(), *self._step()) if wait is not None]
            await asyncio.wait([woken], timeout=max(0.01, min(waits, default=3600.0)))

    def _step(self) -> Iterator[float]:
        now = time.monotonic()
        self._end_detached()
        for container in self._containers.processes():
            yield from self._look_after(container, now)
        for function in list(self._definitions.functions.values()):
            if function.ranked and not self._plane.part(Apps).get(function.app_id).ended:
                self._staff(function, now)
                if function.not_before > now:
                    yield function.not_before - now
        for each in self._calls.inputs.values():
            if each.ready_at > now:
                yield each.ready_at - now

    def _end_detached(self) -> None:
        """Stop the detached apps whose clients have left, once their last call has ended."""
        apps = self._plane.part(Apps)
        for app in list(apps.known.values()):
            if app.state == api_pb2.APP_STATE_DETACHED_DISCONNECTED:
                calls = [call for call in self._calls.known.values() if call.app_id == app.id]
                if not any(call.unfinished for call in calls):
                    apps.stop(app, "its last call has ended")

    def _look_after(self, container: Container, now: float) -> Iterator[float]:
        for each in self._calls.held(container.id):
            if each.deadline is None:
                continue
            if each.deadline <= now:
                self._time_out(container, each)
            else:
                yield each.deadline - now
        if container.kill_at is not None:
            if container.kill_at <= now:
                container.kill_at = None
                self._containers.kill(container, "it did not end in time")
            else:
                yield container.kill_at - now
        if container.alive:
            silence = now - container.heard_at
            if silence >= self._containers.heartbeat_timeout:
                self._containers.give_up(container, "no heartbeat was heard from it")
            else:
                yield self._containers.heartbeat_timeout - silence
        yield from self._dismiss(container, now)

    def _dismiss(self, container: Container, now: float) -> Iterator[float]:
        """Let an idle container go, and one of an older version at once."""
        if container.idle_since is None or container.leaving is not None:
            return
        definition = container.definition
        window = definition.autoscaler_settings.scaledown_window or definition.task_idle_timeout_secs or SCALEDOWN
        if container.idle_since + window <= now or not _current(container):
            container.leaving = "it was idle"
            self._plane.changed()
        else:
            yield container.idle_since + window - now

    def _time_out(self, container: Container, each: Input) -> None:
        seconds = container.definition.timeout_secs or 300
        each.deadline = None
        each.cancelled = each.cancelled or api_pb2.GenericResult(
            status=TIMEOUT, exception=f"Task's current input {each.id} hit its timeout of {seconds}s"
        )
        self._containers.let_go(container.id, each)

    def _staff(self, function: Function, now: float) -> None:
        """Start the containers that a function lacks."""
        waiting = sum(1 for _ in self._calls.waiting(function.id))
        settings = function.definition.autoscaler_settings
        least = settings.min_containers or function.definition.warm_pool_size
        if not waiting and not least:
            return
        mine = [
            each
            for each in self._containers.alive()
            if each.function is function and each.leaving is None and _current(each)
        ]
        size = max(1, function.definition._experimental_group_size)
        free = sum(self._room(each) for each in mine if each.rank == 0)
        most = settings.max_containers or function.definition.concurrency_limit or MOST
        wanted = min(max(waiting - free, least - len(mine)), (most - len(mine)) // size)
        if wanted <= 0 or function.not_before > now:
            return
        for definition in function.ranked:
            if definition.resources.gpu_config.gpu_type not in self._plane.faults.scarce:
                for _ in range(wanted):
                    self._start(function, definition, size)
                return

    def _room(self, container: Container) -> int:
        """How many more inputs a container can take."""
        definition = container.definition
        once = definition.single_use_containers or definition.max_inputs == 1 or container.group is not None
        if once and container.served:
            return 0
        return max(0, container.concurrency - len(self._calls.held(container.id)))

    def _start(self, function: Function, definition: api_pb2.Function, size: int) -> None:
        group = Group(self._plane.new_id("cl")) if size > 1 else None
        for rank in range(size):
            container_id = self._plane.new_id("ta")
            folder = self._plane.folder / "containers" / container_id
            container = Container(container_id, function, definition, folder, group=group, rank=rank)
            if group is not None:
                group.members.append(container)
            self._runtime.start(container)


def _current(container: Container) -> bool:
    """Whether a container runs what its function is now."""
    return any(each is container.definition for each in container.function.ranked)
