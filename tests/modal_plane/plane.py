"""A local control plane that the genuine modal client takes for Modal.

with Plane(tmp_path / "modal") as plane:
    subprocess.Popen([sys.executable, "script.py"], env=os.environ | plane.environment)
    container = plane.wait_for_container()
    plane.preempt(container)
    ...
    assert "FunctionRetryInputs" not in plane.state.said()
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self, TypeVar

from modal_proto import api_pb2

from tests.modal_plane.apps import App, Apps
from tests.modal_plane.auth import TOKEN_ID, TOKEN_SECRET, Tokens
from tests.modal_plane.billing import Rates
from tests.modal_plane.blobs import Blobs, serve_blobs
from tests.modal_plane.calls import Calls
from tests.modal_plane.containers import GRACE, Container, Containers
from tests.modal_plane.environments import Environments
from tests.modal_plane.faults import Faults
from tests.modal_plane.images import Images
from tests.modal_plane.logs import Logs
from tests.modal_plane.runtime import Runtime
from tests.modal_plane.scheduler import Scheduler
from tests.modal_plane.secrets import Secrets
from tests.modal_plane.server import listening
from tests.modal_plane.state import Call, State
from tests.modal_plane.stored_volumes import Volumes

Answer = TypeVar("Answer")
NO_PROXY = "127.0.0.1,localhost"


class Plane:
    """A context manager: serves from a thread of its own while it is entered, and ends every container when it is left."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        """
        Args:
            folder: where volumes, blobs and containers lie; made when missing.
            port: to listen at on the loopback interface; 0 takes a free one.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.state = state = State(folder.resolve())
        self.faults: Faults = state.faults
        """What goes wrong, to be switched at any time."""
        self.tokens, self.environments, self.secrets = state.part(Tokens), state.part(Environments), state.part(Secrets)
        self.apps, self.calls, self.containers = state.part(Apps), state.part(Calls), state.part(Containers)
        self.logs, self.images, self.rates = state.part(Logs), state.part(Images), state.part(Rates)
        self.volumes, self.blobs = state.part(Volumes), state.part(Blobs)
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._leave = asyncio.Event()
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._serve, name="modal-plane", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.result(timeout=30)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join()
        self._loop.close()
        if self.state.errors and kind is None:
            raise ExceptionGroup("the control plane itself is defective", self.state.errors)

    @property
    def url(self) -> str:
        """What clients know it by."""
        return self.state.url

    @property
    def environment(self) -> dict[str, str]:
        """Every variable that a client's process needs, added to its own."""
        config = self.state.folder / "modal.toml"
        config.touch()
        # A proxy of the developer's would capture the loopback interface too.
        no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY"), NO_PROXY]))
        return {
            "MODAL_SERVER_URL": self.url,
            "MODAL_TOKEN_ID": TOKEN_ID,
            "MODAL_TOKEN_SECRET": TOKEN_SECRET,
            "MODAL_CONFIG_PATH": str(config),
            "MODAL_PROFILE": "",
            "MODAL_ENVIRONMENT": "",
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
        }

    # -- looking -------------------------------------------------------------------------------------------------------

    def running(self) -> list[Container]:
        """The containers that have an input, the oldest first."""
        return [each for each in self.containers.alive() if self.calls.held(each.id)]

    def wait_for_container(self, count: int = 1, *, timeout: float = 120.0) -> Container:
        """Wait until so many containers have been given an input since the plane began; the last of them.

        Raises:
            TimeoutError: there are not so many.
        """

        def busy() -> list[Container]:
            return [each for each in list(self.containers.known.values()) if each.served]

        self.state.wait(lambda: len(busy()) >= count, timeout=timeout)
        return busy()[count - 1]

    def wait_for_log(self, text: str, *, timeout: float = 120.0) -> None:
        """Wait until containers have printed something.

        Raises:
            TimeoutError: they have not.
        """
        self.state.wait(lambda: text in self.logs.text(), timeout=timeout)

    def wait_until_idle(self, *, timeout: float = 120.0) -> None:
        """Wait until no container's process is left.

        Raises:
            TimeoutError: one is.
        """
        self.state.wait(lambda: not self.containers.processes(), timeout=timeout)

    # -- doing ---------------------------------------------------------------------------------------------------------

    def kill_container(self, container: Container | None = None) -> Container:
        """SIGKILL, as if its machine were gone: its input goes to a new container. Without an argument, the one that runs."""
        return self._on(container, lambda each: self.containers.kill(each, "its machine is gone"))

    def kill_container_when(self, holds: Callable[[Call], bool], *, times: int = 1) -> None:
        """Kill containers at calls of theirs, before these are served: so many that the condition holds for."""
        left = times

        def look(call: Call) -> None:
            nonlocal left
            container = self.containers.known.get(call.container_id or "")
            if container is not None and left and container.leaving is None and holds(call):
                left -= 1
                self.containers.kill(container, "its machine is gone")

        self.state.on_call.append(look)

    def preempt(self, container: Container | None = None, *, grace: float = GRACE) -> Container:
        """SIGINT, and SIGKILL after ``grace`` seconds: its input goes to a new container."""
        return self._on(container, lambda each: self.containers.interrupt(each, "it was preempted", grace=grace))

    def run_out_of_memory(self, container: Container | None = None) -> Container:
        """SIGKILL, because it used more memory than it may. Whether its input has another try: ``faults.crash_limit``."""

        def kill(each: Container) -> None:
            limit = each.definition.resources.memory_mb_max or each.definition.resources.memory_mb or 1024
            text = f"Container {each.id} ran out of memory: it used more than its limit of {limit} MiB"
            self.containers.say(each, text + "\n")
            crash = api_pb2.GenericResult(
                status=api_pb2.GenericResult.GENERIC_STATUS_KERNEL_OOM_KILL, exception=text, exitcode=137
            )
            self.containers.kill(each, "it ran out of memory", crash=crash)

        return self._on(container, kill)

    def lose(self, container: Container | None = None, *, cut_off: bool = True) -> Container:
        """Hear no heartbeat of it any more: it is given up, and its input goes to a new one, while its process lives on.

        Args:
            container: which.
            cut_off: nothing else that it says arrives either; if not, it can still commit volumes.
        """

        def give_up(each: Container) -> None:
            each.cut_off = cut_off
            self.containers.give_up(each, "no heartbeat was heard from it")

        return self._on(container, give_up)

    def freeze(self, container: Container | None = None) -> Container:
        """Its machine hangs: none of its processes does anything until :meth:`thaw`. Without an argument, the one that runs."""
        return self._on(container, self.containers.freeze)

    def thaw(self, container: Container) -> None:
        """A container that was frozen goes on where it was, unless it has ended."""
        self._on(container, self.containers.thaw)

    def stop_app(self, app: App | None = None) -> None:
        """Stop an app as somebody else would, at another machine. Without an argument, the last one that has not ended."""
        chosen = app or [each for each in self.apps.known.values() if not each.ended][-1]
        self._do(lambda: self.apps.stop(chosen, "it was stopped by a user"))

    def set_secret(self, name: str, values: dict[str, str], *, environment: str = "") -> None:
        """Make or replace a secret, as on Modal's web page."""
        self._do(lambda: self.secrets.create(values, name, environment))

    def silence_client(self, app: App | None = None) -> None:
        """Take the client of an ephemeral app for dead now, and not after a minute of silence."""
        chosen = app or list(self.apps.known.values())[-1]

        def forget() -> None:
            chosen.heard_at = time.monotonic() - self.apps.heartbeat_timeout
            self.state.changed()

        self._do(forget)

    def _on(self, container: Container | None, verb: Callable[[Container], None]) -> Container:
        chosen = container or next(reversed(self.running()), None)
        if chosen is None:
            raise LookupError("no container runs")
        self._do(lambda: verb(chosen))
        return chosen

    def _do(self, verb: Callable[[], Answer]) -> Answer:
        """Do something in the plane's loop, and wait for it."""

        async def wrapped() -> Answer:
            return verb()

        return asyncio.run_coroutine_threadsafe(wrapped(), self._loop).result(timeout=30)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._main())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _main(self) -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(serve_blobs(self.state))
            runtime = Runtime(self.state, listening)
            stack.push_async_callback(runtime.stop)
            scheduling = asyncio.create_task(Scheduler(self.state, runtime).run())
            scheduling.add_done_callback(self._scheduling_ended)
            stack.callback(scheduling.cancel)
            self.state.url = await stack.enter_async_context(listening(self.state, port=self._port))
            self._ready.set_result(None)
            await self._leave.wait()

    def _scheduling_ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self.state.errors.append(error)
