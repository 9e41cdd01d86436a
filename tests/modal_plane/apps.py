"""Apps: what is deployed or running, and when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.environments import Environments
from tests.modal_plane.state import State

ENDED = {api_pb2.APP_STATE_STOPPED, api_pb2.APP_STATE_STOPPING}
BY_CLIENT = {api_pb2.APP_STATE_EPHEMERAL, api_pb2.APP_STATE_INITIALIZING}
"""States in which an app lives only as long as its client."""


@dataclass
class App:
    """One app."""

    id: str
    description: str
    environment: str
    state: int
    name: str = ""
    """Of the deployment."""
    tags: dict[str, str] = field(default_factory=dict)
    function_ids: dict[str, str] = field(default_factory=dict)
    """By tag, as published."""
    class_ids: dict[str, str] = field(default_factory=dict)
    history: list[api_pb2.AppDeploymentHistory] = field(default_factory=list)
    created_at: float = field(default_factory=time.time)
    stopped_at: float = 0.0
    heard_at: float = field(default_factory=time.monotonic)
    """When its client last said that it is there."""

    @property
    def ended(self) -> bool:
        """Whether it runs nothing any more."""
        return self.state in ENDED

    @property
    def deployed_at(self) -> float:
        """When its current version was deployed; 0 if it never was."""
        return self.history[-1].deployed_at if self.history else 0.0

    def lifecycle(self) -> api_pb2.AppLifecycle:
        """What the client shows of it."""
        return api_pb2.AppLifecycle(
            app_state=self.state,  # type: ignore[arg-type]
            created_at=self.created_at,
            created_by="plane",
            deployed_at=self.deployed_at,
            version=len(self.history),
            stopped_at=self.stopped_at,
        )


class Apps:
    """The apps by id."""

    def __init__(self, plane: State) -> None:
        self._plane = plane
        self.known: dict[str, App] = {}
        self.on_stop: list[Callable[[App, str], None]] = []
        """Told of every app that ends, and why."""
        self.heartbeat_timeout = 60.0
        """Seconds of silence after which a client is taken for dead, and its ephemeral app stopped."""

    def create(self, description: str, environment: str, state: int, *, name: str = "") -> App:
        """Add one."""
        app = App(
            self._plane.new_id("ap"), description, self._plane.part(Environments).resolve(environment), state, name
        )
        self.known[app.id] = app
        return app

    def get(self, app_id: str) -> App:
        """The app of an id.

        Raises:
            GRPCError: ``NOT_FOUND``.
        """
        if app_id not in self.known:
            raise GRPCError(Status.NOT_FOUND, f"App '{app_id}' not found")
        return self.known[app_id]

    def deployed(self, name: str, environment: str) -> App | None:
        """What is deployed under a name."""
        environment = self._plane.part(Environments).resolve(environment)
        for app in reversed(self.known.values()):
            if (app.name, app.environment) == (name, environment) and not app.ended:
                return app
        return None

    def require(self, name: str, environment: str) -> App:
        """As :meth:`deployed`.

        Raises:
            GRPCError: ``NOT_FOUND``.
        """
        app = self.deployed(name, environment)
        if app is None:
            raise GRPCError(Status.NOT_FOUND, f"App '{name}' not found in environment '{environment or 'main'}'")
        return app

    def require_running(self, app_id: str) -> App:
        """An app that may be called.

        Raises:
            GRPCError: ``NOT_FOUND``; ``FAILED_PRECONDITION``, it has ended.
        """
        app = self.get(app_id)
        if app.ended:
            raise GRPCError(Status.FAILED_PRECONDITION, f"App '{app.id}' is stopped")
        return app

    def stop(self, app: App, why: str) -> None:
        """End one, with all that it runs."""
        if app.ended:
            return
        app.state = api_pb2.APP_STATE_STOPPED
        app.stopped_at = time.time()
        for tell in self.on_stop:
            tell(app, why)
        self._plane.changed()

    def leave(self, app: App, why: str) -> None:
        """The client has left: an ephemeral app ends, a detached one goes on until its last call has ended."""
        if app.state in BY_CLIENT:
            self.stop(app, why)
        elif app.state == api_pb2.APP_STATE_DETACHED:
            app.state = api_pb2.APP_STATE_DETACHED_DISCONNECTED
            self._plane.changed()

    def step(self) -> float | None:
        """Note which clients died. Returns the seconds until the next may be due."""
        now = time.monotonic()
        waits: list[float] = []
        for app in list(self.known.values()):
            if app.state not in {*BY_CLIENT, api_pb2.APP_STATE_DETACHED}:
                continue
            left = app.heard_at + self.heartbeat_timeout - now
            if left > 0:
                waits.append(left)
            else:
                self.leave(app, "the client is gone")
        return min(waits, default=None)
