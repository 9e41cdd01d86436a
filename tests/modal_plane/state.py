"""What the plane remembers, apart from what each service keeps for itself.

A service keeps its own state in a class of its own module, and gets it by ``plane.part(ThatClass)``: one instance a plane,
made with the :class:`State` as its only argument at first use. Only the plane's loop changes any of it; threads outside may
read, and wait with :meth:`State.wait`.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from google.protobuf.message import Message

from tests.modal_plane.bell import Bell
from tests.modal_plane.faults import Faults

Part = TypeVar("Part")


@dataclass(frozen=True)
class Call:
    """One call that was made, in the order of arrival."""

    method: str
    request: Message
    """Without its long byte strings (:data:`tests.modal_plane.wire.KEPT`)."""
    container_id: str | None
    """Of the container that made it; ``None`` for a client."""
    at: float = field(default_factory=time.time)


class State:
    """See the module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """Everything that the plane writes lies below."""
        self.bell = Bell()
        self.faults = Faults()
        self.calls: list[Call] = []
        self.errors: list[Exception] = []
        """Of the plane itself: defects, which whoever leaves the plane is told of."""
        self.url = ""
        """Of the plane itself, as clients know it."""
        self.on_call: list[Callable[[Call], None]] = []
        """Told of every call before it is served."""
        self._parts: dict[Callable[[State], Any], Any] = {}
        self._lock = threading.RLock()
        self._serial = itertools.count(1)

    def part(self, kind: Callable[[State], Part]) -> Part:
        """What one service remembers."""
        with self._lock:
            found = self._parts.get(kind)
            if found is None:
                found = self._parts[kind] = kind(self)
        return cast("Part", found)

    def new_id(self, prefix: str) -> str:
        """A name that the plane has not given before, such as ``fu-00000000000000000000a7``."""
        return f"{prefix}-{next(self._serial):022x}"

    def called(self, call: Call) -> None:
        """Record a call."""
        self.calls.append(call)
        for tell in list(self.on_call):
            tell(call)
        self.changed()

    def changed(self) -> None:
        """Let everybody who waits look again."""
        self.bell.ring()

    def wait(self, holds: Callable[[], bool], *, timeout: float = 120.0) -> None:
        """Wait, outside the plane's loop, until a condition holds.

        Raises:
            TimeoutError: it does not within ``timeout`` seconds.
        """
        if not self.bell.wait(holds, timeout=timeout):
            raise TimeoutError(
                f"the plane did not come to the expected state within {timeout} s; its last calls: {self.said()[-10:]}"
            )

    def said(self, *, container_id: str | None = None) -> list[str]:
        """The methods that were called, in order; with ``container_id`` by that container only."""
        return [call.method for call in list(self.calls) if container_id in {None, call.container_id}]

    def requests(self, method: str) -> list[Any]:
        """The requests of one method, in order."""
        return [call.request for call in list(self.calls) if call.method == method]

    def tally(self) -> Counter[str]:
        """How often each method was called."""
        return Counter(self.said())
