"""Doing what a plan says, several files at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tsws.errors import VolumeError
from tsws.io.locks import resource_lock
from tsws.plugin import Volume
from tsws.sync.base import Agreed, Base
from tsws.sync.conflicts import ChangedMeanwhile, changed_meanwhile, check_conflicts
from tsws.sync.plan import SyncPlan
from tsws.sync.step import Step
from tsws.sync.transfer import Transfer


@dataclass(frozen=True)
class SyncReport:
    """What a sync did."""

    volume: str
    """The volume's name."""
    done: tuple[Step, ...]
    """The steps that changed a file on a side, sorted by path."""
    kept: tuple[Step, ...]
    """Files that were removed on one side and stay on the other."""

    @property
    def size(self) -> int:
        """Bytes of the files that were transferred."""
        return sum(step.size for step in self.done)


def run_sync(
    plan: SyncPlan,
    root: Path,
    volume: Volume,
    *,
    base_path: Path,
    progress: Callable[[str, float, float | None], None],
    jobs: int = 4,
    stop: Callable[[], bool],
) -> SyncReport:
    """Carry out a plan and remember what both sides then agree on.

    A file that fails does not keep the others from being brought into step; the first failure is raised at the end. Another
    sync with the same base is waited for.

    Args:
        plan: from :func:`~tsws.sync.plan.plan_sync`, for the same root and volume.
        root: the workspace.
        volume: the other side.
        base_path: where :class:`Base` is kept.
        progress: told the path, the bytes done and the bytes in all of one file; never by two threads at once.
        jobs: how many files move at once.
        stop: asked often; True ends the sync, and what was transferred is kept.

    Raises:
        SyncConflict: the plan has conflicts and nothing was written; or files changed meanwhile and those
            were left alone.
        VolumeError: the volume can not be reached, or a side is full.
        VerifyError: other bytes arrived than were promised.
        InterruptedByUser: ``stop()`` said so.
    """
    check_conflicts(plan)
    halted = threading.Event()
    transfer = Transfer(root, volume, _one_at_a_time(progress), lambda: halted.is_set() or stop())
    with resource_lock(base_path.with_suffix(".lock")):
        base = Base.load(base_path).about(volume)  # another sync may have had its turn since the plan
        futures: dict[Step, Future[Agreed | None]] = {}
        try:
            with ThreadPoolExecutor(jobs, thread_name_prefix="sync") as pool:
                futures = {step: pool.submit(transfer.carry_out, step) for step in plan.transfers}
                try:
                    wait(futures.values())
                except BaseException:  # Ctrl-C: the threads end at their next piece
                    halted.set()
                    raise
        finally:
            done = {step: future.result() for step, future in futures.items() if future.exception() is None}
            _remember(base, {**plan.settled(), **{step.path: agreed for step, agreed in done.items()}}, base_path)
    _raise_first(plan.volume, {step: future.exception() for step, future in futures.items()})
    return SyncReport(plan.volume, tuple(done), plan.kept)


def _remember(base: Base, news: Mapping[str, Agreed | None], path: Path) -> None:
    files = {name: agreed for name, agreed in {**base.files, **news}.items() if agreed is not None}
    if files != base.files:
        msgspec.structs.replace(base, files=files).save(path)


def _raise_first(volume: str, outcomes: Mapping[Step, BaseException | None]) -> None:
    """Raise what went wrong, if anything did: a failure before what merely changed meanwhile."""
    findings = [(step, error) for step, error in outcomes.items() if isinstance(error, ChangedMeanwhile)]
    for step, error in outcomes.items():
        if isinstance(error, OSError):
            raise VolumeError(
                f"{step.path} can not be brought into step with volume {volume}: {error.strerror or error}",
                hint="make room or mend the permissions, then run the same command again: it goes on from there",
            ) from error
        if error is not None and not isinstance(error, ChangedMeanwhile):
            raise error
    if findings:
        raise changed_meanwhile(volume, findings)


def _one_at_a_time(
    progress: Callable[[str, float, float | None], None],
) -> Callable[[str, float, float | None], None]:
    lock = threading.Lock()

    def tell(path: str, done: float, total: float | None) -> None:
        with lock:
            progress(path, done, total)

    return tell
