"""Function calls: their inputs, who works on them, and what came out.

An input waits until a container takes it. It is given to another one when its container is lost, and again, counted as a
retry, when it fails and the function's policy says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from grpclib.const import Status
from grpclib.exceptions import GRPCError
from modal_proto import api_pb2

from tests.modal_plane.definitions import Definitions
from tests.modal_plane.state import State

Result = api_pb2.GenericResult
SUCCESS = Result.GENERIC_STATUS_SUCCESS
TERMINATED = Result.GENERIC_STATUS_TERMINATED
TIMEOUT = Result.GENERIC_STATUS_TIMEOUT
BY_SERVER = {
    api_pb2.FUNCTION_CALL_INVOCATION_TYPE_ASYNC,
    api_pb2.FUNCTION_CALL_INVOCATION_TYPE_ASYNC_LEGACY,
}
"""Calls nobody waits for: the server retries their inputs, not the client."""


@dataclass
class Input:
    """One set of arguments."""

    id: str
    idx: int
    call_id: str
    function_id: str
    payload: api_pb2.FunctionInput
    retry_count: int = 0
    crashes: int = 0
    """So many containers broke over it."""
    container_id: str | None = None
    """Who works on it."""
    taken_by: list[str] = field(default_factory=list)
    """Every container that it was given to, in order."""
    created_at: float = field(default_factory=time.time)
    ready_at: float = 0.0
    """Not to be taken before (``time.monotonic``): the delay of a retry."""
    started_at: float = 0.0
    deadline: float | None = None
    """Its time-out (``time.monotonic``), while it is worked on."""
    cancelled: Result | None = None
    """What it is to end with, once its container has let it go."""
    result: api_pb2.FunctionGetOutputsItem | None = None


@dataclass
class FunctionCall:
    """One call, of one input or (``map``) of many."""

    id: str
    app_id: str
    function_id: str
    kind: int
    invocation: int
    parent_input_id: str
    inputs: list[Input] = field(default_factory=list)
    outputs: list[api_pb2.FunctionGetOutputsItem] = field(default_factory=list)
    """In the order in which they came, those of failed attempts too."""
    chunks: list[api_pb2.DataChunk] = field(default_factory=list)
    """What a generator yielded."""
    created_at: float = field(default_factory=time.time)

    @property
    def unfinished(self) -> int:
        """Inputs without a result."""
        return sum(1 for each in self.inputs if each.result is None)


class Calls:
    """The calls by id, and the queue of what waits."""

    def __init__(self, plane: State) -> None:
        self._plane = plane
        self._definitions = plane.part(Definitions)
        self.known: dict[str, FunctionCall] = {}
        self.inputs: dict[str, Input] = {}

    def get(self, call_id: str) -> FunctionCall:
        """The call of an id.

        Raises:
            GRPCError: ``NOT_FOUND``.
        """
        if call_id not in self.known:
            raise GRPCError(Status.NOT_FOUND, f"Function call '{call_id}' not found")
        return self.known[call_id]

    def of_function(self, function_id: str) -> list[FunctionCall]:
        """The calls of a function."""
        return [call for call in self.known.values() if call.function_id == function_id]

    def begin(self, function_id: str, kind: int, invocation: int, parent_input_id: str) -> FunctionCall:
        """A new call, still without inputs."""
        app_id = self._definitions.function(function_id).app_id
        call = FunctionCall(self._plane.new_id("fc"), app_id, function_id, kind, invocation, parent_input_id)
        self.known[call.id] = call
        return call

    def put(self, call: FunctionCall, items: list[api_pb2.FunctionPutInputsItem]) -> list[Input]:
        """Let inputs wait."""
        added = [Input(self._plane.new_id("in"), item.idx, call.id, call.function_id, item.input) for item in items]
        call.inputs.extend(added)
        self.inputs |= {each.id: each for each in added}
        return added

    def waiting(self, function_id: str) -> Iterator[Input]:
        """What a container of this function may take now, the oldest first."""
        now = time.monotonic()
        for each in self.inputs.values():
            if (
                each.function_id == function_id
                and each.result is None
                and each.container_id is None
                and each.ready_at <= now
            ):
                yield each

    def held(self, container_id: str) -> list[Input]:
        """What a container works on."""
        return [each for each in self.inputs.values() if each.container_id == container_id and each.result is None]

    def take(self, each: Input, container_id: str) -> None:
        """Give an input to a container."""
        definition = self._definitions.function(each.function_id).definition
        each.container_id = container_id
        each.taken_by.append(container_id)
        each.started_at = time.time()
        each.deadline = time.monotonic() + (definition.timeout_secs or 300)

    def give_back(self, each: Input) -> None:
        """Let an input wait again, because its container is gone."""
        each.container_id = each.deadline = None
        if each.cancelled is not None:
            self.finish(each, each.cancelled)

    def finish(self, each: Input, result: Result, data_format: int = 0) -> None:
        """Set the result of an input; or let it wait again, where it failed and is to be retried here."""
        call = self.known[each.call_id]
        policy = self._definitions.function(each.function_id).definition.retry_policy
        output = api_pb2.FunctionGetOutputsItem(
            result=result,
            idx=each.idx,
            input_id=each.id,
            data_format=data_format,  # type: ignore[arg-type]
            task_id=each.container_id or "",
            input_started_at=each.started_at,
            output_created_at=time.time(),
            retry_count=each.retry_count,
        )
        each.deadline = None
        if (
            result.status not in {SUCCESS, TERMINATED}
            and call.invocation in BY_SERVER
            and each.retry_count < policy.retries
        ):
            delay = policy.initial_delay_ms / 1000 * (policy.backoff_coefficient or 1.0) ** each.retry_count
            self.retry(each, each.retry_count + 1, delay=min(delay, (policy.max_delay_ms or 60_000) / 1000))
            return
        each.result = output
        call.outputs.append(output)
        self._plane.changed()

    def retry(self, each: Input, retry_count: int, *, delay: float = 0.0) -> None:
        """Let an input wait again, counted as a retry."""
        each.retry_count = retry_count
        each.container_id = each.result = each.cancelled = None
        each.ready_at = time.monotonic() + delay
        self._plane.changed()

    def end(self, which: Callable[[FunctionCall], bool], result: Result) -> list[Input]:
        """End calls: what waits at once, and what is worked on (returned) as soon as its container has let it go."""
        running = []
        for call in [each for each in self.known.values() if which(each)]:
            for each in [each for each in call.inputs if each.result is None]:
                if each.container_id is None:
                    self.finish(each, result)
                else:
                    each.cancelled = each.cancelled or result
                    running.append(each)
        self._plane.changed()
        return running
