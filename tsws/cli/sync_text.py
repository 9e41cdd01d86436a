"""A sync as lines, and its transfers as events."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

import click

from tsws.cli.columns import aligned
from tsws.cli.words import count
from tsws.io.sizes import format_bytes
from tsws.job import Done, Emit, Progress
from tsws.sync import SyncPlan
from tsws.sync.step import Change, Step

_MARKS = {
    Change.PUSH: ("->", "green"),
    Change.PULL: ("<-", "green"),
    Change.CONFLICT: ("!!", "red"),
    Change.DELETE_HERE: ("- ", "red"),
    Change.DELETE_THERE: (" -", "red"),
}


def sync_lines(volume: str, plan: SyncPlan, *, verbose: bool = False) -> Iterator[str]:
    """The volume, and a line for each file: ``->`` goes there, ``<-`` comes here, ``!!`` is a conflict.

    Args:
        volume: its name.
        plan: what is to be done with it.
        verbose: show what stays as it is, too.
    """
    steps = [step for step in plan.steps if verbose or step.change in _MARKS or step in plan.kept]
    if steps:
        yield click.style(f"volume {volume}", bold=True)
        yield from aligned([_row(step) for step in steps], right=(2,))


def sync_summary(plans: Sequence[SyncPlan], *, done: bool = False) -> str:
    """What is (or was) transferred, in one line."""
    conflicts = sum(len(plan.conflicts) for plan in plans)
    if conflicts:
        return f"{count(conflicts, 'conflict')}: nothing is written until they are decided."
    transfers = [step for plan in plans for step in plan.transfers]
    if not transfers:
        return "Nothing to do: everything is in step."
    size = format_bytes(sum(step.size for step in transfers))
    files = count(len(transfers), "file")
    return f"Brought {files} into step, {size}." if done else f"Would bring {files} into step, {size}."


class Transfers:
    """Says how far the files of one volume together are.

    Args:
        volume: its name.
        size: bytes to transfer.
        emit: hears it.
    """

    def __init__(self, volume: str, size: int, emit: Emit) -> None:
        self._address = f"volume.{volume}"
        self._size = size
        self._emit = emit
        self._done: dict[str, float] = {}
        self._began = time.monotonic()

    def progress(self, path: str, done: float, total: float | None) -> None:  # noqa: ARG002
        """What a sync calls: the bytes of one file that are done."""
        self._done[path] = done
        together = sum(self._done.values())
        self._emit(Progress(address=self._address, done=together, total=self._size, unit="B", label="transferring"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._size:
            self._emit(Done(address=self._address, seconds=time.monotonic() - self._began))


def _row(step: Step) -> tuple[str, str, str, str]:
    mark, color = _MARKS.get(step.change, ("==", None))
    size = format_bytes(step.size) if step.size else ""
    return f"  {click.style(mark, fg=color)}", step.path, size, click.style(step.reason, dim=True)
