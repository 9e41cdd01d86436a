"""What is the case, as values: everything that deciding looks at."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tsws.reconcile.action import Action, Change
from tsws.reconcile.record import Record


class FileState(enum.Enum):
    """A recorded output against the disk."""

    INTACT = "intact"
    MISSING = "missing"
    EDITED = "edited"


@dataclass(frozen=True)
class Version:
    """A kept or unfinished version of a resource."""

    fingerprint: str
    """The first digits of it: the folder's name."""
    identity: Mapping[str, Any]
    inputs: Mapping[str, str]
    sources: Mapping[str, str]
    rule: int
    record: Record | None
    """None while it is unfinished."""
    intact: bool = True
    """Whether the files that its record names in its own folder are there."""
    progress: Mapping[str, Any] = field(default_factory=dict)
    """What the rule's ``progress_of`` found."""


@dataclass(frozen=True)
class Probe:
    """What a rule that looks for itself has found (see ``Rule.probe``)."""

    change: Change
    reason: str
    parts: tuple[Action, ...] = ()
    digest: str | None = None
    """What dependants see; None when it will only be known afterwards."""
    hint: str | None = None


@dataclass(frozen=True)
class Facts:
    """What is known of one resource."""

    record: Record | None = None
    files: Mapping[str, FileState] = field(default_factory=dict)
    """State of each recorded output, by path."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Digests of the person's files now, by path."""
    missing_sources: tuple[str, ...] = ()
    """Source paths and globs that match nothing."""
    versions: tuple[Version, ...] = ()
    probe: Probe | None = None
    elsewhere: Record | None = None
    """A record of the same address in another place, whose bytes would serve as well."""


Observation = Mapping[str, Facts]
"""Facts of every resource of a graph, by address."""
