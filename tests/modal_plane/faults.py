"""What goes wrong on the plane, switched on and off while it runs.

Faults of single calls are queued here by the name of the call; faults of a container, such as its death, are verbs of
:class:`tests.modal_plane.plane.Plane`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError


@dataclass
class Failure:
    """What goes wrong with calls of one method. Used up after ``times`` calls."""

    method: str
    """Such as ``FunctionMap``; ``*`` for every method."""
    status: Status | None = Status.UNAVAILABLE
    """The answer. ``None`` answers as usual, only later."""
    message: str = "the plane was told to refuse this call"
    delay: float = 0.0
    """Seconds to wait before anything else."""
    after: bool = False
    """The call takes effect, and its answer is lost."""
    times: int | None = 1
    """So many calls; ``None`` until it is taken back."""
    when: Callable[[Any], bool] = lambda request: True
    """Only calls with such a request."""
    of_containers: bool | None = None
    """Only calls of containers (true) or of clients (false)."""


@dataclass(frozen=True)
class BuildFailure:
    """An image that can not be built."""

    lines: tuple[str, ...] = ("ERROR: No matching distribution found for nosuchpackage\n",)
    """The last lines of the build's log."""
    exception: str = "Terminating task due to error: failed to run builder command"


@dataclass
class Faults:
    """The switches. Each may be set from any thread at any time."""

    failures: list[Failure] = field(default_factory=list)
    build: BuildFailure | None = None
    """Every image that is built while it is set fails."""
    gpu_quota: int | None = None
    """Functions that ask for more GPUs than this are refused (``RESOURCE_EXHAUSTED``)."""
    spend_limit: bool = False
    """Nothing new is started (``FAILED_PRECONDITION``)."""
    oldest_client: str | None = None
    """Clients older than this version are sent away (``FAILED_PRECONDITION``)."""
    permissions: frozenset[str] | None = None
    """When set, only calls of these methods are permitted to people (``PERMISSION_DENIED``)."""
    scarce: frozenset[str] = frozenset()
    """Types of GPUs, such as ``H100``, of which none is free: what needs one waits, or takes the next that would do."""
    crash_limit: int | None = 0
    """So many crashes of its container (out of memory, hard exit) an input survives, being given to a new one. Of Modal it is
    documented that inputs of deployed apps survive all (``None``), and those of ephemeral ones some."""

    def fail(
        self, method: str, status: Status | None = Status.UNAVAILABLE, message: str | None = None, **how: Any
    ) -> Failure:
        """Let calls of a method go wrong; see :class:`Failure`."""
        failure = Failure(method, status, **how)
        if message is not None:
            failure.message = message
        self.failures.append(failure)
        return failure

    def delay(self, method: str, seconds: float, *, times: int | None = None) -> Failure:
        """Answer calls of a method late."""
        return self.fail(method, None, delay=seconds, times=times)

    def check_spending(self) -> None:
        """Refuse to start something new once the spend limit is reached.

        Raises:
            GRPCError: ``FAILED_PRECONDITION``.
        """
        if self.spend_limit:
            raise GRPCError(
                Status.FAILED_PRECONDITION, "Workspace 'plane' has reached its spend limit for this billing cycle"
            )

    def check_quota(self, gpus: int) -> None:
        """Refuse a function that asks for more GPUs than the workspace may have.

        Raises:
            GRPCError: ``RESOURCE_EXHAUSTED``.
        """
        if self.gpu_quota is not None and gpus > self.gpu_quota:
            raise GRPCError(
                Status.RESOURCE_EXHAUSTED,
                f"GPU quota exceeded: {gpus} GPUs were requested, the workspace's limit is {self.gpu_quota}",
            )

    def clear(self) -> None:
        """Take everything back."""
        self.__dict__.update(Faults().__dict__)

    def take(self, method: str, request: Any, *, of_container: bool) -> Failure | None:
        """The failure of this call, if there is one, counted as used."""
        for failure in list(self.failures):
            meant = failure.method in {method, "*"} and failure.of_containers in {None, of_container}
            if meant and failure.when(request):
                if failure.times is not None:
                    failure.times -= 1
                    if failure.times <= 0:
                        self.failures.remove(failure)
                return failure
        return None
