"""Who carries out an action: this process, or a worker that a backend starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import msgspec

from tsws.errors import InterruptedByUser, JobError, LockedError, PlanError
from tsws.fetch.lockfile import LockFile, Pin, merge
from tsws.io.locks import resource_lock
from tsws.job import Emit, Event, Log
from tsws.plugin import Plugins
from tsws.reconcile.action import Action, Change
from tsws.reconcile.facts import Facts
from tsws.reconcile.make import carry_out
from tsws.reconcile.record import Record
from tsws.reconcile.resource import Resource
from tsws.resources.dispatch import Assignment, Dispatcher
from tsws.resources.remote import RemoteRunRule, assignment_of
from tsws.resources.sourcing import LOCK_NAME
from tsws.resources.volume import open_volume
from tsws.workspace.context import Context
from tsws.workspace.syncing import push_sources, refresh_volumes

WAIT = 0.2
"""Seconds between looks at the stop flag while waiting for another process."""


@dataclass(frozen=True)
class Carrier:
    """Carries out the actions of one apply."""

    context: Context
    inline: bool
    """True in a worker: everything is made in this process."""
    emit: Emit
    stop: Callable[[], bool]
    max_cost: float | None = None
    """Dollars that each job may cost at most, whatever its backend's table allows."""

    def carry_out(self, action: Action, facts: Facts) -> None:
        """Do one action; afterwards the records tell what there is.

        Raises:
            TswsError: it failed; what was done is kept.
        """
        resource = self.context.expansion.graph[action.address]
        put_back = action.version is not None and action.change in {Change.RESTORE, Change.REPAIR}
        if resource.dispatched and not self.inline and not put_back:
            self._dispatch(resource, action)
        else:
            with self._turn(action.address):
                if not self._was_made_meanwhile(action, facts):
                    self._make(resource, action, facts)

    @contextmanager
    def _turn(self, address: str) -> Iterator[None]:
        """Wait until nobody else makes the resource: a client that was killed may have left a worker behind."""
        path = self.context.store.resource_lock_path(address)
        with ExitStack() as stack:
            waiting = False
            while True:
                try:
                    stack.enter_context(resource_lock(path, timeout=WAIT))
                    break
                except LockedError:
                    if self.stop():
                        raise InterruptedByUser(
                            f"{address}: stopped while another process makes it", hint="`tsws apply` continues"
                        ) from None
                if not waiting:
                    self.emit(Log(address=address, message="waiting for another process that makes it"))
                    waiting = True
            yield

    def _was_made_meanwhile(self, action: Action, facts: Facts) -> bool:
        record = self.context.store.record(action.address)
        new = record is not None and record != facts.record and record.fingerprint == action.fingerprint
        return new and not action.anew

    def _make(self, resource: Resource, action: Action, facts: Facts) -> None:
        inputs: dict[str, Record] = {}
        for address in resource.inputs:
            record = self.context.store.record(address)
            if record is None:
                raise PlanError(
                    f"{resource.address} needs {address}, which has no record", hint="run `tsws apply` again"
                )
            inputs[address] = record
        carry_out(self.context.store, resource, action, facts, inputs, self.emit, self.stop)

    def _dispatch(self, resource: Resource, action: Action) -> None:
        rule = resource.rule
        assignment = rule.assignment if isinstance(rule, RemoteRunRule) else self._in_place(resource)
        if isinstance(rule, RemoteRunRule):
            push_sources(self.context, rule)
        dispatcher = Dispatcher(self.context.root, self.context.plugins, self._pins, self.max_cost)
        dispatcher.run(
            assignment,
            fingerprint=action.fingerprint or "",
            emit=self.emit,
            stop=self.stop,
            replace=(action.address,) if action.anew else (),
            prepare=rule.preparations() if isinstance(rule, RemoteRunRule) else (),
        )
        if assignment.volume is not None:
            self._take_pins(assignment)
            refresh_volumes(self.context, [assignment.volume.name])
            return
        record = self.context.store.record(action.address)
        if record is None or (action.fingerprint and record.fingerprint != action.fingerprint):
            raise JobError(
                f"the worker of {action.address} says that it is done, but left no record of it",
                hint="run `tsws apply` again; `tsws logs` shows what the worker said",
            )

    def _in_place(self, resource: Resource) -> Assignment:
        """A run that works in this very folder: the worker makes the run alone, the rest is made here."""
        manifest, data = self.context.manifest, self.context.data
        return assignment_of(resource.name, manifest, data, targets=(resource.address,))

    def _pins(self) -> dict[str, object]:
        pins = LockFile.load(self.context.root / LOCK_NAME).pins
        return {uri: msgspec.to_builtins(pin) for uri, pin in pins.items()}

    def _take_pins(self, assignment: Assignment) -> None:
        """What the worker resolved is pinned here too."""
        if assignment.volume is None:
            return
        volume = open_volume(assignment.volume, self.context.plugins, self.context.root)
        if volume.stat(LOCK_NAME) is None:
            return
        there = self.context.store.folder / "tmp" / f"{volume.name}.lock"
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(b"".join(volume.read(LOCK_NAME)))
        merge(self.context.root / LOCK_NAME, LockFile.load(there).pins.values())
        there.unlink()


def pins_of(data: dict[str, object]) -> list[Pin]:
    """The pins that a job carries."""
    return [msgspec.convert(pin, Pin) for pin in data.values()]


def telling_listeners(plugins: Plugins, emit: Emit) -> Emit:
    """The same, but plugins that listen hear every event before the caller does."""

    def say(event: Event) -> None:
        plugins.tell(event)
        emit(event)

    return say
