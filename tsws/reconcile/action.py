"""The plan as a value: what would be done to each resource, and why."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


class Change(enum.Enum):
    """What a plan does to a resource."""

    CREATE = "create"
    UPDATE = "update"
    EXTEND = "extend"
    """An earlier version is continued."""
    RESTORE = "restore"
    """A kept version is put back."""
    REPAIR = "repair"
    """Files are missing, were edited or belong elsewhere; the same thing is made again."""
    PENDING = "pending"
    """Decided when its inputs are known."""
    SYNC = "sync"
    """Files are brought into step with a volume."""
    KEEP = "keep"
    BLOCKED = "blocked"
    """Can not be made; nothing that needs it can."""
    ORPHAN = "orphan"
    """Recorded, but no longer declared; ``gc`` removes it."""

    @property
    def symbol(self) -> str:
        """The mark in front of a plan's line."""
        return _SYMBOLS[self]

    @property
    def acts(self) -> bool:
        """True when apply would (or may have to) do something."""
        return self not in {Change.KEEP, Change.BLOCKED, Change.ORPHAN}


_SYMBOLS = {
    Change.CREATE: "+",
    Change.UPDATE: "~",
    Change.EXTEND: "~",
    Change.RESTORE: "~",
    Change.REPAIR: "~",
    Change.PENDING: "?",
    Change.SYNC: "~",
    Change.KEEP: "=",
    Change.BLOCKED: "!",
    Change.ORPHAN: "-",
}


@dataclass(frozen=True)
class FieldChange:
    """One thing that is not as it was: a field, a source file, an input."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Estimate:
    """What an action will take, as far as it can be known."""

    seconds: float | None = None
    bytes: int | None = None
    """To transfer."""
    dollars: float | None = None
    dollars_per_hour: float | None = None
    """Of the machine; with unknown ``seconds`` all that can be said of the cost."""
    most_dollars: float | None = None
    """What it is stopped at, whatever the estimate says; None: it runs to its end."""
    bounded: bool = False
    """Whether it can be stopped before it costs more than a person allows."""
    basis: str = ""
    """Where the figures come from."""


@dataclass(frozen=True)
class Action:
    """What a plan does to one resource."""

    address: str
    change: Change
    reason: str
    """For people, in a few words; complete without the address."""
    fields: tuple[FieldChange, ...] = ()
    fingerprint: str | None = None
    """The wanted one; None while an input is unknown."""
    version: str | None = None
    """Fingerprint of the kept version that is restored or continued."""
    estimate: Estimate | None = None
    parts: tuple[Action, ...] = ()
    """What a job does elsewhere, or which files a sync moves."""
    anew: bool = False
    """True when unfinished work and kept versions must not be used."""
    hint: str | None = None
    """What a person can do about it (blocked, drift)."""


@dataclass(frozen=True)
class Plan:
    """One action a resource, in the order in which they would be carried out."""

    actions: tuple[Action, ...]

    def __iter__(self) -> Iterator[Action]:
        return iter(self.actions)

    def __getitem__(self, address: str) -> Action:
        for action in self.actions:
            if action.address == address:
                return action
        raise KeyError(address)

    @property
    def changes(self) -> tuple[Action, ...]:
        """The actions that do, or may do, something."""
        return tuple(action for action in self.actions if action.change.acts)

    @property
    def blocked(self) -> tuple[Action, ...]:
        """What can not be made."""
        return tuple(action for action in self.actions if action.change is Change.BLOCKED)
