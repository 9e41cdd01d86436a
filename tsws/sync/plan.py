"""Deciding what a sync does: look at both sides, compare, and say so before anything is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from tsws.errors import TswsError, UsageError, VolumeError
from tsws.plugin import Volume
from tsws.sync.base import Agreed, Base, agreed_on
from tsws.sync.compare import compare
from tsws.sync.observe import local_paths, observe_local, observe_remote
from tsws.sync.patterns import Selection
from tsws.sync.step import TRANSFERS, Change, Step


@dataclass(frozen=True)
class SyncPlan:
    """What a sync will do. Nothing has been done."""

    volume: str
    """The volume's name."""
    steps: tuple[Step, ...]
    """One a path, sorted by path, those with nothing to do included."""
    base: Base
    """What the sides agreed on before, for all paths, those that this plan is not about included."""
    seen: float
    """When the sides were looked at, in seconds since the epoch."""

    @property
    def transfers(self) -> tuple[Step, ...]:
        """The steps that change a file on a side."""
        return tuple(step for step in self.steps if step.change in TRANSFERS)

    @property
    def conflicts(self) -> tuple[Step, ...]:
        """The steps that a person has to decide; while there is one, nothing is written."""
        return tuple(step for step in self.steps if step.change is Change.CONFLICT)

    @property
    def kept(self) -> tuple[Step, ...]:
        """Files that were removed on one side and stay on the other."""
        return tuple(step for step in self.steps if step.change in (Change.GONE_HERE, Change.GONE_THERE))

    @property
    def size(self) -> int:
        """Bytes to transfer."""
        return sum(step.size for step in self.steps)

    def settled(self) -> dict[str, Agreed | None]:
        """What the base has to learn without any transfer: files that are the same on both sides, and (None) files
        that are gone from both. Empty when it knows it all."""
        news: dict[str, Agreed | None] = {}
        for step in self.steps:
            if step.change is Change.FORGET:
                news[step.path] = None
            elif step.change is Change.SAME and step.remote is not None and step.remote.sha256 is not None:
                known = self.base.files.get(step.path)
                agreed = agreed_on(step.remote, step.remote.sha256, seen=self.seen)
                if known is None or not known.says_no_less_than(agreed):
                    news[step.path] = agreed
        return news


def plan_sync(
    root: Path,
    volume: Volume,
    base: Base,
    *,
    patterns: Sequence[str],
    pull: Sequence[str] = (),
    push: Sequence[str] = (),
    force: bool = False,
    delete: bool = False,
) -> SyncPlan:
    """Compare a workspace with a volume.

    Args:
        root: the workspace.
        volume: the other side.
        base: what was agreed on last, from :meth:`Base.load`.
        patterns: paths and globs to keep in step both ways (see :class:`~tsws.sync.patterns.Selection`).
        pull: paths and globs to bring here. With ``pull`` or ``push``, ``patterns`` are left alone.
        push: paths and globs to bring to the volume.
        force: ``pull`` and ``push`` win over changes on the receiving side.
        delete: repeat removals on the other side.

    Raises:
        UsageError: a path leads out of the workspace, is named for both directions, or is not there to push.
        VolumeError: the volume can not be reached, or has no such file to pull.
    """
    pulled, pushed = Selection(pull), Selection(push)
    selection = Selection([*pull, *push] or patterns)
    base = base.about(volume)
    seen = time.time()
    local = observe_local(root, selection)
    remote = observe_remote(volume, selection, local, base)
    _check_named(pulled, remote, lambda: (found.path for found in volume.list()), VolumeError, f"volume {volume.name}")
    _check_named(pushed, local, lambda: local_paths(root, Selection(["."])), UsageError, "the workspace")
    agreed = {path: entry.sha256 for path, entry in base.files.items() if path in selection}
    paths = {*local, *remote}
    twice = sorted(path for path in paths if path in pulled and path in pushed)
    if twice:
        raise UsageError(f"{twice[0]} is named for both directions", hint="pull it or push it, not both")
    steps = compare(
        local,
        remote,
        agreed,
        pull={path for path in paths if path in pulled},
        push={path for path in paths if path in pushed},
        force=force,
        delete=delete,
    )
    return SyncPlan(volume.name, steps, base, seen)


def _check_named(
    named: Selection,
    found: Collection[str],
    everything: Callable[[], Iterable[str]],
    error: type[TswsError],
    where: str,
) -> None:
    """Refuse a path that was named and is not there."""
    for pattern in named.patterns:
        if not any(path in Selection([pattern]) for path in found):
            nearest = get_close_matches(pattern, list(everything()), n=3)
            hint = f"did you mean {', '.join(nearest)}?" if nearest else "look at the names there, and correct this one"
            raise error(f"{where} has no file {pattern!r}", hint=hint)
