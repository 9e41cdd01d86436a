"""What there is to reconcile: resources, and the rules that make them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tsws.errors import PlanError
from tsws.job import Emit, Log, Progress
from tsws.reconcile.record import Record, kind_of

if TYPE_CHECKING:
    from tsws.reconcile.action import Change, Estimate
    from tsws.reconcile.facts import Facts, Probe, Version


@dataclass(frozen=True)
class Resource:
    """One declared or implied thing.

    Identity fields enter the fingerprint; operational fields are shown, but change nothing.
    """

    address: str
    """``kind.name``, unique in a graph."""
    rule: Rule
    identity: Mapping[str, Any] = field(default_factory=dict)
    """JSON-able."""
    operational: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    """Addresses of the resources that it is made from."""
    after: tuple[str, ...] = ()
    """Addresses that have to be settled first, although nothing of theirs is read."""
    sources: tuple[str, ...] = ()
    """Paths or globs, in the workspace, of files that a person owns and that it is made from."""
    outputs: tuple[str, ...] = ()
    """Paths, in the workspace, of the files it is known beforehand to make. Where there are any, every file of ours
    outside ``.tsws/`` has to be among them: one that is not is moved."""
    on_demand: bool = False
    """True for an intermediate that may be absent as long as nothing that needs it has to be made."""
    versions: str | None = None
    """Folder, in the workspace, that keeps every finished version under its fingerprint; None: only the last."""
    blocked: str | None = None
    """Why it can not be made at all (a plugin is missing); None when it can."""
    blocked_hint: str | None = None
    dispatched: bool = False
    """True when a worker makes it, through a backend, and not the process that applies."""

    @property
    def kind(self) -> str:
        """The part of the address before the first dot."""
        return kind_of(self.address)

    @property
    def name(self) -> str:
        """The part of the address behind the first dot."""
        return self.address.partition(".")[2]


@dataclass(frozen=True)
class Made:
    """A file that a rule has made."""

    role: str
    """What it is to its dependants, whatever its path: ``model``, ``data00.bin``..."""
    path: Path
    """Where it lies now (absolute): in the making's folder, or already in its place."""
    to: str | None = None
    """Where it belongs, relative to the workspace; None: it stays where it is."""
    essential: bool = True
    """False for what describes the work (logs, timings): dependants do not care when it changes."""
    owned: bool = True
    """False for a person's own file: it is recorded, but never moved, repaired or removed."""


@dataclass(frozen=True)
class Result:
    """What a rule returns."""

    files: Sequence[Made]
    notes: Mapping[str, Any] = field(default_factory=dict)
    """Facts worth keeping: final loss, tokens, where it came from. JSON-able."""


@dataclass(frozen=True)
class Making:
    """All that a rule may see and do while it makes something."""

    resource: Resource
    root: Path
    """The workspace."""
    folder: Path
    """A folder of its own that survives a kill and is found again by the next try with the same fingerprint."""
    fingerprint: str
    inputs: Mapping[str, Record]
    """Records of the inputs, by address."""
    emit: Emit
    stop: Callable[[], bool]
    """True when the work should stop soon (raise InterruptedByUser, keep what is done)."""
    predecessor: Path | None = None
    """The folder of the version that this one continues."""
    anew: bool = False
    """True when a person asked for it to be made anew: pins and caches do not count."""

    def input_path(self, address: str, role: str) -> Path:
        """Absolute path of one file of an input.

        Raises:
            PlanError: the input has no such file.
        """
        for output in self.inputs[address].outputs:
            if output.role == role:
                return self.root / output.path
        raise PlanError(f"{self.resource.address} needs the file {role!r} of {address}, which has none")

    def progress(self, label: str, unit: str) -> Callable[[float, float | None], None]:
        """A callback ``(done, total)`` that says how far the work is."""
        address = self.resource.address

        def say(done: float, total: float | None) -> None:
            self.emit(Progress(address=address, done=done, total=total, unit=unit, label=label))

        return say

    def log(self, message: str, level: str = "info") -> None:
        """Say a line for people."""
        self.emit(Log(address=self.resource.address, message=message, level=level))


class Rule(Protocol):
    """How one kind of thing is made. Stateless; everything it needs comes with the call."""

    @property
    def version(self) -> int:
        """Raised when the same inputs would give other bytes: whatever was made before becomes stale."""

    def make(self, making: Making) -> Result:
        """Make the outputs in ``making.folder`` and say where they belong. May be killed at any moment."""

    def probe(self, resource: Resource) -> Probe | None:
        """For what is not decided by records and files: look, and say what there is to do. Usually None."""

    def continues(self, resource: Resource, versions: Sequence[Version]) -> tuple[Version, str] | None:
        """The earlier version that making this one could continue, and how a plan says so. Pure. Usually None."""

    def progress_of(self, folder: Path) -> Mapping[str, Any]:
        """What a version's folder holds that :meth:`continues` wants to know. Reads the disk. Usually empty."""

    def estimate(self, resource: Resource, change: Change, facts: Facts) -> Estimate | None:
        """What making it will take, or None when nobody can know. Pure."""


class BaseRule:
    """The usual answers; a rule inherits them and writes ``version`` and ``make``."""

    version = 1

    def probe(self, resource: Resource) -> Probe | None:  # noqa: ARG002
        """See :meth:`Rule.probe`."""
        return None

    def continues(self, resource: Resource, versions: Sequence[Version]) -> tuple[Version, str] | None:  # noqa: ARG002
        """See :meth:`Rule.continues`."""
        return None

    def progress_of(self, folder: Path) -> Mapping[str, Any]:  # noqa: ARG002
        """See :meth:`Rule.progress_of`."""
        return {}

    def estimate(self, resource: Resource, change: Change, facts: Facts) -> Estimate | None:  # noqa: ARG002
        """See :meth:`Rule.estimate`."""
        return None
