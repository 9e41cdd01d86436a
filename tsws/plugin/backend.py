"""The interface of a backend: a place where work runs.

What a backend has to do are five verbs. The rest of the interface is for machines that are somebody else's, cost money and may be
shared: a backend of this very machine needs none of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from tsws.errors import TswsError
from tsws.job import Event, Handle, Job, JobStatus
from tsws.plugin.interfaces import NoOptions, Volume


@dataclass(frozen=True)
class Price:
    """What a machine costs."""

    dollars_per_hour: float
    source: str
    """Where the figure is from and of which day, for the plan to show."""
    machine: str = ""
    """Which machine that is, in a few words; empty: nothing to add to the backend's name."""


@dataclass(frozen=True)
class RunningJob:
    """A job that is queued or runs, as its volume knows it."""

    job: Job
    handle: Handle
    launched_at: float
    """Seconds since the epoch."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at for ``tsws doctor``."""

    name: str
    ok: bool
    message: str
    hint: str | None = None
    """What to do about it."""


class Backend(ABC):
    """A place where work runs. Its whole contract: start a worker, follow it, stop it, say how it is.

    A worker is ``python -m tsws.worker JOB.json`` with the job's volume (or root) at hand; all the rest, from
    fetching to checkpoints, the worker does itself. ``tsws.testing`` has the conformance suite.
    """

    name: ClassVar[str]
    """What ``[run.*] backend = "..."`` and ``[backend.*] kind = "..."`` say."""
    Options: ClassVar[type[msgspec.Struct]] = NoOptions
    """Keys of its ``[backend.NAME]`` table: a frozen msgspec struct."""
    outlives_client: ClassVar[bool] = False
    """What Ctrl-C means: False stops the job (after a checkpoint), True leaves it running."""
    stops_at_cost: ClassVar[bool] = False
    """Whether it stops a job, after a checkpoint, before that passes ``Job.max_cost``."""

    def __init__(self, name: str, options: Any, base: Path) -> None:
        """
        Args:
            name: of the ``[backend.NAME]`` table, or the backend's own when there is none.
            options: an instance of ``Options``.
            base: the workspace's folder; a backend may keep files in ``base/.tsws/jobs/<job id>/``.
        """
        self.table = name
        self.options = options
        self.base = base

    @abstractmethod
    def launch(self, job: Job, volume: Volume | None) -> Handle:
        """Start a worker for one job and return at once.

        A client that dies in here launches the same job again: one that works already, or has ended, is not started twice.

        Args:
            job: what to do.
            volume: ``job.volume`` opened, or None when the worker works in place at ``job.root``.

        Raises:
            JobError: it could not be started; the hint says what to do.
        """

    @abstractmethod
    def attach(self, handle: Handle, after: int = 0) -> Iterator[Event]:
        """The job's events from position ``after`` on, as they come, each exactly once and in order.

        Ends after the last event (``Done`` or ``Failed`` of the job's own address), or, when the worker died
        without a last word, simply ends: :meth:`status` then says ``GONE``. May be called from any process, at any time, also
        after the end of the job.
        """

    @abstractmethod
    def cancel(self, handle: Handle) -> None:
        """Ask the worker to checkpoint and stop; returns when it has. A job that ended already is no error."""

    @abstractmethod
    def status(self, handle: Handle) -> JobStatus:
        """How the job is, without waiting."""

    def last_words(self, handle: Handle) -> str:  # noqa: ARG002
        """The end of what a dead worker printed, for the message about its death; empty when nobody kept it."""
        return ""

    def obituary(self, handle: Handle) -> TswsError | None:  # noqa: ARG002
        """Why a job is ``GONE``, when more is known of it than that: the machine's memory was full, its time was over."""
        return None

    def running(self, volume: Volume) -> Iterable[RunningJob]:  # noqa: ARG002
        """Jobs that are queued or run in a volume, whoever launched them, from whichever machine.

        Only a backend whose volumes are shared between machines can know of any. With it nobody trains a run that somebody else
        is training already, and what a lost client left running is found.

        Raises:
            TswsError: nobody answers.
        """
        return ()

    def price(self) -> Price | None:
        """What an hour of this backend's machine costs, or None when it costs nothing. Answers at once, without a network."""
        return None

    def cost_limit(self) -> float | None:
        """The dollars that its options allow a job; None: no limit."""
        return None

    def spent(self, handle: Handle) -> float | None:  # noqa: ARG002
        """The dollars that a job has cost until now; None when it costs nothing or nobody knows."""
        return None

    def refresh(self) -> None:  # noqa: B027  nothing to look at, for most
        """Look at what planning wants to know and may not ask for, such as the day's prices.

        Called where volumes are looked at, too. Who gets no answer keeps what was known.
        """

    def examine(self) -> Iterator[Finding]:
        """What ``tsws doctor`` shows of it: whether it can be reached, and with whose permission."""
        return iter(())
