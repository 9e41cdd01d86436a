"""What containers printed, and the calls that hand it out."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from modal_proto import api_pb2

from tests.modal_plane.apps import Apps
from tests.modal_plane.state import State
from tests.modal_plane.wire import Service

STDOUT, STDERR = api_pb2.FILE_DESCRIPTOR_STDOUT, api_pb2.FILE_DESCRIPTOR_STDERR
SYSTEM = api_pb2.FILE_DESCRIPTOR_INFO
BLOCK = 1 << 16


@dataclass(frozen=True)
class Line:
    """One line, or the last piece of one that was not ended."""

    data: str
    app_id: str
    function_id: str
    container_id: str
    call_id: str = ""
    input_id: str = ""
    descriptor: int = STDOUT
    at: float = field(default_factory=time.time)

    def message(self) -> api_pb2.TaskLogsBatch:
        """As the client gets it."""
        item = api_pb2.TaskLogs(
            data=self.data,
            timestamp=self.at,
            timestamp_ns=int(self.at * 1e9),
            file_descriptor=self.descriptor,  # type: ignore[arg-type]
            function_call_id=self.call_id,
            input_id=self.input_id,
            container_id=self.container_id,
        )
        return api_pb2.TaskLogsBatch(
            task_id=self.container_id, function_id=self.function_id, root_function_id=self.function_id, items=[item]
        )

    def matches(self, request: Any, descriptor: int) -> bool:
        """Whether somebody asked for it."""
        pairs = (
            (request.app_id, self.app_id),
            (request.function_id, self.function_id),
            (request.task_id, self.container_id),
            (request.function_call_id, self.call_id),
            (descriptor, self.descriptor),
        )
        return all(not wanted or wanted == mine for wanted, mine in pairs) and request.search_text in self.data


class Logs:
    """All lines, in the order in which they came."""

    def __init__(self, plane: State) -> None:
        self._plane = plane
        self.lines: list[Line] = []
        self.on_line: list[Callable[[Line], None]] = []
        """Told of every line."""

    def add(self, line: Line) -> None:
        """Keep a line."""
        self.lines.append(line)
        for tell in self.on_line:
            tell(line)
        self._plane.changed()

    def text(self, call_id: str | None = None) -> str:
        """What was printed, by the containers of one call or by all."""
        return "".join(line.data for line in list(self.lines) if call_id in {None, line.call_id})


class Tap:
    """Reads one output of a container, line by line."""

    def __init__(self, descriptor: int, say: Callable[[str, int], None]) -> None:
        """
        Args:
            descriptor: standard output or standard error.
            say: told of every line.
        """
        self._descriptor, self._say = descriptor, say
        self._rest = b""
        self._read, self.write = os.pipe()
        """``write`` is for the container, and is closed here once it has it."""
        os.set_blocking(self._read, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._read, self.drain)

    def drain(self) -> None:
        """Read what is there now."""
        while self._read >= 0:
            try:
                block = os.read(self._read, BLOCK)
            except BlockingIOError:
                return
            if not block:
                self.close()
                return
            *lines, self._rest = (self._rest + block).split(b"\n")
            for line in lines:
                self._say(line.decode(errors="replace") + "\n", self._descriptor)

    def close(self) -> None:
        """Read no more; a line without an end is said too."""
        if self._read < 0:
            return
        self._loop.remove_reader(self._read)
        os.close(self._read)
        self._read = -1
        if self._rest:
            self._say(self._rest.decode(errors="replace"), self._descriptor)


class LogService(Service):
    """See the module."""

    @property
    def logs(self) -> Logs:
        """The lines of the plane."""
        return self.plane.part(Logs)

    async def AppGetLogs(self, stream: Any) -> None:
        """Hand lines out as they come, until nothing came for a while, or the app has ended."""
        request = await stream.recv_message()
        lines = self.logs.lines
        app = self.plane.part(Apps).known.get(request.app_id)
        seen = int((request.last_entry_id or "0-0").partition("-")[0])

        def ended() -> bool:
            return app is not None and app.ended and not self.running(app.id)

        def fresh_or_ended(seen: int) -> bool:
            return len(lines) > seen or ended()

        while await self.plane.bell.until(partial(fresh_or_ended, seen), timeout=request.timeout):
            fresh, first = lines[seen:], seen
            seen += len(fresh)
            for number, line in enumerate(fresh, start=first + 1):
                if line.matches(request, request.file_descriptor):
                    batch = line.message()
                    batch.entry_id = f"{number}-0"
                    await stream.send_message(batch)
            if ended() and seen == len(lines):
                await stream.send_message(api_pb2.TaskLogsBatch(app_done=True, entry_id=f"{seen}-0"))
                return

    def running(self, app_id: str) -> bool:
        """Whether an app may still print; the service of the containers knows."""
        raise NotImplementedError

    async def AppFetchLogs(self, stream: Any) -> None:
        """Hand out the last lines of a span of time."""
        request = await stream.recv_message()
        found = self._between(request)
        found = found[-request.limit :] if request.limit else found
        await stream.send_message(api_pb2.AppFetchLogsResponse(batches=[line.message() for line in found]))

    async def AppCountLogs(self, stream: Any) -> None:
        """Count lines, by buckets of time."""
        request = await stream.recv_message()
        width = request.bucket_secs or 60
        buckets: dict[int, api_pb2.AppCountLogsResponse.LogBucket] = {}
        for line in self._between(request):
            start = int(line.at // width) * width
            bucket = buckets.setdefault(start, api_pb2.AppCountLogsResponse.LogBucket())
            bucket.bucket_start_at.FromSeconds(start)
            match line.descriptor:
                case value if value == STDOUT:
                    name = "stdout_logs"
                case value if value == STDERR:
                    name = "stderr_logs"
                case _:
                    name = "system_logs"
            setattr(bucket, name, getattr(bucket, name) + 1)
        ordered = [buckets[start] for start in sorted(buckets)]
        await stream.send_message(api_pb2.AppCountLogsResponse(app_id=request.app_id, buckets=ordered))

    def _between(self, request: Any) -> list[Line]:
        since, until = (stamp.ToNanoseconds() / 1e9 for stamp in (request.since, request.until))
        return [line for line in self.logs.lines if since <= line.at < until and line.matches(request, request.source)]
