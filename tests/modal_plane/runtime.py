"""Runs one container from its start to its end: what it is given, its socket, its process, its log, what it leaves behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Protocol

from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.apps import Apps
from tests.modal_plane.calls import Calls
from tests.modal_plane.containers import Container, Containers
from tests.modal_plane.definitions import Definitions
from tests.modal_plane.images import Images
from tests.modal_plane.isolation import HOME, Bind, Launch, base_environment, prepare
from tests.modal_plane.logs import STDERR, STDOUT, Tap
from tests.modal_plane.mounts import Mounts
from tests.modal_plane.secrets import Secrets
from tests.modal_plane.state import State
from tests.modal_plane.stored_volumes import Volumes

ENTRYPOINT = "modal._container_entrypoint"
HEARTBEAT = 5.0
"""Seconds between the heartbeats of a container; the client's own 15 would let a cancellation wait too long for a test."""
FAILURE = api_pb2.GenericResult.GENERIC_STATUS_FAILURE
KILLED = 137


class Serving(Protocol):
    """Serves one container at an address of its own."""

    def __call__(self, plane: State, container: Container) -> AbstractAsyncContextManager[str]: ...


class Runtime:
    """See the module."""

    def __init__(self, plane: State, serving: Serving) -> None:
        self._plane = plane
        self._serving = serving
        self._volumes = plane.part(Volumes)
        self._running: set[asyncio.Task[None]] = set()

    def start(self, container: Container) -> None:
        """Begin to run a container."""
        self._plane.part(Containers).known[container.id] = container
        task = asyncio.get_running_loop().create_task(self._run(container), name=container.id)
        self._running.add(task)
        task.add_done_callback(self._ended)
        self._plane.changed()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._plane.errors.append(error)

    async def stop(self) -> None:
        """End all of them at once."""
        containers = self._plane.part(Containers)
        while self._running:
            for container in containers.processes():
                containers.kill(container, "the plane stops")
            await asyncio.wait(set(self._running), timeout=0.2)

    async def _run(self, container: Container) -> None:
        containers = self._plane.part(Containers)
        try:
            async with AsyncExitStack() as stack:
                url = await stack.enter_async_context(self._serving(self._plane, container))
                binds = await self._open_views(container, stack)
                binds += await asyncio.to_thread(self._lay_out, container)
                read, write = os.pipe()
                command = [sys.executable, "-m", ENTRYPOINT]
                launch = prepare(container.folder, binds, command, self._environment(container, url), pid_fd=write)
                for link in launch.links:
                    stack.callback(link.unlink, missing_ok=True)
                container.exit_code = await self._process(container, launch, read, write)
        except (OSError, ValueError, GRPCError) as error:
            containers.say(container, f"the container could not be started: {error}\n")
            container.exit_code = 125
        container.ended_at = time.time()
        self._judge(container)
        if not container.lost:
            containers.release(container)
        for member in container.group.members if container.group and container.exit_code else []:
            containers.kill(member, "another container of its cluster is gone")
        if not containers.keep_folders:
            await asyncio.to_thread(shutil.rmtree, container.folder, ignore_errors=True)
        self._plane.changed()

    async def _open_views(self, container: Container, stack: AsyncExitStack) -> list[Bind]:
        binds = []
        for mount in container.definition.volume_mounts:
            view = await asyncio.to_thread(self._volumes.open_view, container.id, mount.volume_id, mount.read_only)
            stack.push_async_callback(self._close_view, container, mount.volume_id, view)
            place = view / mount.sub_path.lstrip("/")
            place.mkdir(parents=True, exist_ok=True)
            binds.append(Bind(str(place), mount.mount_path, mount.read_only))
        return binds

    async def _close_view(self, container: Container, volume_id: str, view: Path) -> None:
        await asyncio.to_thread(self._volumes.close_view, container.id, volume_id)
        await asyncio.to_thread(shutil.rmtree, view, ignore_errors=True)

    async def _process(self, container: Container, launch: Launch, read: int, write: int) -> int:
        containers = self._plane.part(Containers)
        taps = [
            Tap(descriptor, lambda text, which: containers.say(container, text, which))
            for descriptor in (STDOUT, STDERR)
        ]
        container.taps = taps
        process = await asyncio.create_subprocess_exec(
            *launch.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=taps[0].write,
            stderr=taps[1].write,
            env=dict(launch.environment),
            cwd=launch.cwd,
            pass_fds=(write,),
            start_new_session=True,
        )
        for descriptor in (write, *(tap.write for tap in taps)):
            os.close(descriptor)
        container.pid = int(await asyncio.to_thread(os.read, read, 32) or 0)
        os.close(read)
        if container.leaving is not None:
            # It was to end before it had a process.
            containers.kill(container, container.leaving)
        self._plane.changed()
        code = await process.wait()
        for tap in taps:
            tap.drain()
            tap.close()
        return code

    def _judge(self, container: Container) -> None:
        """Tell a crash from an end that was wanted."""
        code = container.exit_code
        if container.leaving is None and code not in {0, KILLED}:
            text = f"Container {container.id} exited with code {code}"
            container.crash = container.crash or api_pb2.GenericResult(
                status=FAILURE, exception=text, exitcode=code or 0
            )
        if container.crash is None:
            return
        if container.served:
            return
        # It broke before it took an input: those that wait may be next, and would start the next container at once.
        function, limit = container.function, self._plane.faults.crash_limit
        function.crashes += 1
        if limit is not None and function.crashes > limit:
            calls = self._plane.part(Calls)
            for each in list(calls.waiting(function.id)):
                calls.finish(each, container.crash)
        else:
            function.not_before = time.monotonic() + min(30.0, 0.25 * 2**function.crashes)

    def _lay_out(self, container: Container) -> list[Bind]:
        """Put the files of its mounts, and its arguments, where the container finds them."""
        folder = container.folder
        home = folder / "home"
        home.mkdir(parents=True)
        images, mounts = self._plane.part(Images), self._plane.part(Mounts)
        files = folder / "files"
        made = mounts.lay_out(list(container.definition.mount_ids), files)
        for mount_id, target in images.copied(container.definition.image_id):
            made += mounts.lay_out([mount_id], files / target.lstrip("/"))
        tops = set()
        for path in made:
            inside = path.relative_to(files)
            if inside.is_relative_to(HOME.lstrip("/")):
                place = home / inside.relative_to(HOME.lstrip("/"))
                place.parent.mkdir(parents=True, exist_ok=True)
                path.replace(place)
            else:
                tops.add(inside.parts[: max(1, len(inside.parts) - 1)])
        (home / ".arguments").write_bytes(self._arguments(container).SerializeToString())
        return [Bind(str(files.joinpath(*parts)), "/" + "/".join(parts)) for parts in sorted(tops)]

    def _arguments(self, container: Container) -> api_pb2.ContainerArguments:
        app = self._plane.part(Apps).get(container.app_id)
        definition, layout = container.definition, self._plane.part(Definitions).layout(app)
        known = {each.object_id for each in layout.objects}
        for needed in definition.object_dependencies:
            if needed.object_id not in known:
                layout.objects.add(object_id=needed.object_id)
        return api_pb2.ContainerArguments(
            task_id=container.id,
            function_id=container.function_id,
            app_id=app.id,
            function_def=definition,
            serialized_params=container.function.serialized_params,
            environment_name=app.environment,
            app_layout=layout,
        )

    def _environment(self, container: Container, url: str) -> dict[str, str]:
        definition = container.definition
        secrets = self._plane.part(Secrets)
        environment = base_environment(definition.resources.milli_cpu / 1000)
        environment |= self._plane.part(Images).environment(definition.image_id)
        for secret_id in definition.secret_ids:
            environment |= secrets.get(secret_id).values
        return environment | {
            "MODAL_SERVER_URL": url,
            "MODAL_TASK_ID": container.id,
            "MODAL_IS_REMOTE": "1",
            "MODAL_IMAGE_ID": definition.image_id,
            "MODAL_ENVIRONMENT": self._plane.part(Apps).get(container.app_id).environment,
            "MODAL_CLOUD_PROVIDER": "CLOUD_PROVIDER_AWS",
            "MODAL_REGION": "local",
            "MODAL_HEARTBEAT_INTERVAL": str(HEARTBEAT),
            "MODAL_CONTAINER_ARGUMENTS_PATH": f"{HOME}/.arguments",
        }
