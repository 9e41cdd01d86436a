"""Containers: processes that run functions. Starting them, watching them, ending them in every way they can end."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from modal_proto import api_pb2

from tests.modal_plane.apps import App, Apps
from tests.modal_plane.calls import TERMINATED, Calls, Input
from tests.modal_plane.definitions import Function
from tests.modal_plane.logs import SYSTEM, Line, Logs, Tap
from tests.modal_plane.state import State

GRACE = 30.0
"""Seconds between an interrupt and the end, as with Modal."""


@dataclass
class Group:
    """Containers that work on one input together (``modal.clustered``), by rank. The first one's output counts."""

    id: str
    members: list[Container] = field(default_factory=list)
    input: Input | None = None
    hellos: dict[int, str] = field(default_factory=dict)
    """The address of each member, by rank."""
    started_at: float = field(default_factory=time.time)


@dataclass
class Container:
    """One container."""

    id: str
    """Its task id, such as ``ta-...``."""
    function: Function
    definition: api_pb2.Function
    """As it was when the container was started."""
    folder: Path
    pid: int = 0
    """Of its first process, as seen from outside; 0 before it is started."""
    enqueued_at: float = field(default_factory=time.time)
    started_at: float = 0.0
    """When it said hello; 0 before."""
    ended_at: float = 0.0
    exit_code: int | None = None
    last_input: Input | None = None
    """That it took: what it prints is printed over it."""
    served: int = 0
    """Inputs that it took."""
    idle_since: float | None = None
    """When it began to wait for an input (``time.monotonic``)."""
    heard_at: float = field(default_factory=time.monotonic)
    leaving: str | None = None
    """Why it is to end: it gets no more inputs."""
    kill_at: float | None = None
    """When it is killed, if it has not ended by then (``time.monotonic``)."""
    crash: api_pb2.GenericResult | None = None
    """What its inputs end with, if they have seen too many containers break; ``None`` gives them to another one, uncounted."""
    lost: bool = False
    """The plane has given it up. It may live on; what it says is not heard."""
    cut_off: bool = False
    """Nothing that it says arrives."""
    to_cancel: list[str] = field(default_factory=list)
    """Inputs that it is told to let go with the next answer to its heartbeat."""
    taps: list[Tap] = field(default_factory=list)
    """On its outputs."""
    group: Group | None = None
    """The containers that work on one input together with it."""
    rank: int = 0
    """Among them."""

    @property
    def function_id(self) -> str:
        """Of its function."""
        return self.function.id

    @property
    def app_id(self) -> str:
        """Of its app."""
        return self.function.app_id

    @property
    def alive(self) -> bool:
        """Whether the plane counts on it."""
        return self.exit_code is None and not self.lost

    @property
    def concurrency(self) -> int:
        """Inputs that it works on at once."""
        return max(1, self.definition.max_concurrent_inputs, self.definition.batch_max_size)


class Containers:
    """The containers by id, those that ended too."""

    def __init__(self, plane: State) -> None:
        self._plane = plane
        self._calls = plane.part(Calls)
        self.known: dict[str, Container] = {}
        self.keep_folders = False
        """Leave what a container wrote, to be looked at."""
        self.heartbeat_timeout = 300.0
        """Seconds of silence after which a container is given up."""
        self.cancel_grace = 10.0
        """Seconds that a container has to let a cancelled input go, before it is killed."""
        plane.part(Apps).on_stop.append(self._app_stopped)

    def alive(self) -> list[Container]:
        """Those that the plane counts on."""
        return [container for container in list(self.known.values()) if container.alive]

    def processes(self) -> list[Container]:
        """Those whose process has not ended, given up or not."""
        return [container for container in list(self.known.values()) if container.exit_code is None]

    def say(self, container: Container, text: str, descriptor: int = SYSTEM) -> None:
        """Keep a line of a container's log."""
        each = container.last_input
        line = Line(
            text,
            container.app_id,
            container.function_id,
            container.id,
            each.call_id if each else "",
            each.id if each else "",
            descriptor,
        )
        self._plane.part(Logs).add(line)

    def interrupt(self, container: Container, why: str, *, grace: float = GRACE) -> None:
        """Ask a container to end (SIGINT), and see that it does."""
        container.leaving = container.leaving or why
        container.kill_at = min(container.kill_at or float("inf"), time.monotonic() + grace)
        # Before it has said hello, nothing of the user's runs in it that could tidy up.
        self._signal(container, signal.SIGINT if container.started_at else signal.SIGKILL)
        self._plane.changed()

    def kill(self, container: Container, why: str, *, crash: api_pb2.GenericResult | None = None) -> None:
        """End a container at once (SIGKILL), with all its processes.

        Args:
            container: which.
            why: for its log.
            crash: it is its own fault, and this is what its inputs end with unless they may have another one.
        """
        container.leaving = container.leaving or why
        container.crash = container.crash or crash
        container.cut_off = True
        self._signal(container, signal.SIGKILL)

    def give_up(self, container: Container, why: str) -> None:
        """Count on a container no more: its inputs go to another, while it may live on unheard."""
        if container.alive:
            container.lost, container.leaving = True, why
            self.say(container, f"{why}\n")
            self.release(container)

    def freeze(self, container: Container) -> None:
        """Stop all its processes where they are (SIGSTOP), as a machine does that hangs."""
        self._signal_all(container, signal.SIGSTOP)

    def thaw(self, container: Container) -> None:
        """Let its processes go on, if it has not ended."""
        self._signal_all(container, signal.SIGCONT)

    def let_go(self, container_id: str, each: Input, *, terminate: bool = False) -> None:
        """Tell a container to let an input go; if it does not, or if it is to be terminated, end it."""
        container = self.known[container_id]
        if terminate:
            self.interrupt(container, "its input was cancelled", grace=self.cancel_grace)
        else:
            container.to_cancel.append(each.id)
            container.kill_at = min(container.kill_at or float("inf"), time.monotonic() + self.cancel_grace)
        self._plane.changed()

    def _signal(self, container: Container, number: signal.Signals) -> None:
        if container.exit_code is None and container.pid:
            with suppress(ProcessLookupError):
                if number is signal.SIGKILL:
                    # Without a process namespace, the group takes at least most of its children with it.
                    with suppress(ProcessLookupError, PermissionError):
                        os.killpg(container.pid, number)
                os.kill(container.pid, number)

    def _signal_all(self, container: Container, number: signal.Signals) -> None:
        if container.exit_code is None and container.pid:
            for pid in _with_descendants(container.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)

    def _app_stopped(self, app: App, why: str) -> None:
        result = api_pb2.GenericResult(status=TERMINATED, exception=f"The App was stopped: {why}")
        self._calls.end(lambda call: call.app_id == app.id, result)
        for container in self.alive():
            if container.app_id == app.id:
                if container.idle_since is None:
                    self.interrupt(container, "its app was stopped")
                else:
                    container.leaving = "its app was stopped"

    def release(self, container: Container) -> None:
        """Decide on the inputs that a container leaves behind: to another one, or ended."""
        limit = self._plane.faults.crash_limit
        for each in self._calls.held(container.id):
            each.crashes += container.crash is not None
            if each.cancelled is not None:
                self._calls.finish(each, each.cancelled)
            elif container.crash is not None and limit is not None and each.crashes > limit:
                self._calls.finish(each, container.crash)
            else:
                self._calls.give_back(each)
        self._plane.changed()


def _with_descendants(pid: int) -> list[int]:
    """A process and all that it has started, and these."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):  # it has ended
                found += map(int, children.read_text().split())
    return found
