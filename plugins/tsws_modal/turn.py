"""One container's turn at a job: take the lease, let the worker work, commit what it does, stop it in time, pass on.

Everything that a client is to see goes through the volume: what was said is there only when the data that it speaks of are
there, too, since both are committed together. So it does not matter when a container dies: the next one, and every
client, find a past that holds together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tsws.job import Checkpoint, Done, Failed, Job, JobStatus, Log, decode_job, encode_event
from tsws_modal.calls import is_unfinished
from tsws_modal.claims import Claims
from tsws_modal.committing import Committer
from tsws_modal.compiled import Compiled
from tsws_modal.files import VolumeFiles
from tsws_modal.last_words import stopped, too_dear, too_short
from tsws_modal.layout import BEAT, CALLS, ENDED, EVENTS, JOB, LOG, STOP, Beat, Ended, Orders, Stage, job_folder
from tsws_modal.lease import PATIENCE, Claim, Verdict
from tsws_modal.passing import pass_on
from tsws_modal.segments import Segment, Writer, count
from tsws_modal.stops import Budget, Reason
from tsws_modal.worker import Worker

TICK = 0.2
"""Seconds between looks at the worker."""
LOOK = 3.0
"""Seconds between looks at the server: is somebody asking to stop, does the lease still hold?"""
GRACE = {Reason.PREEMPTED: 25.0, Reason.CANCELLED: 25.0, Reason.SUPERSEDED: 0.0}
"""Seconds that a worker has to stop: Modal takes the machine away 30 s after it said so."""
UNHURRIED = 50.0
"""The same when nobody takes anything away: somewhat less than the reserve that is kept for it."""


@dataclass(frozen=True)
class Outcome:
    """How a turn ended."""

    word: str
    final: bool
    """True when nothing is left to do for this call."""


class Turn:
    """See the module.

    Args:
        orders: what to do.
        files: of the volume, as the server has them.
        place: where the volume is mounted.
        call: the function call that this container works on.
        variables: more of the worker's environment.
    """

    def __init__(
        self, orders: Orders, *, files: VolumeFiles, place: Path, call: str, variables: Mapping[str, str]
    ) -> None:
        self.orders = orders
        self.variables = variables
        self.files = files
        self.place = place
        self.call = call
        self.folder = job_folder(orders.job)
        self.claims = Claims(files, orders.address, self._has_ended)
        self.began = time.monotonic()
        self.budget = Budget(orders.timeout, 0.0, 0.0, orders.max_cost)
        self._seconds_before = 0.0

    def run(self, asked: Callable[[], Reason | None]) -> Outcome:
        """Do it.

        Args:
            asked: what the machine asks for; None: nothing.
        """
        self.files.create(f"{self.folder}/{CALLS}/{self.call}", b"")
        known = self.files.list(self.folder)
        if ENDED in known:
            return Outcome("it had ended", final=True)
        found, number, held = self._take(asked)
        if held is not None:
            return self._stand_back(found, held)
        self.files.volume.reload()  # what others committed since this container started
        job = decode_job((self.place / self.folder / JOB).read_bytes())
        events = self.place / self.folder / EVENTS
        writer = Writer(events, count(events), number)
        self.budget = Budget(
            timeout=self.orders.timeout,
            rate=self.orders.rates.get(self.orders.stage, 0.0),
            spent_before=self._spent_before(),
            max_cost=self.orders.max_cost,
        )
        committer = Committer(self.files.volume, writer, self._beat)
        if STOP in known:
            committer.add([encode_event(stopped(self.orders))])
            return self._end(committer, number, Ended(status=JobStatus.FAILED), "stopped")
        if _is_continued(events, number):
            committer.add([encode_event(Log(address=job.address, message="another container goes on with it"))])
        return self._work(job, committer, number, asked)

    def _take(self, asked: Callable[[], Reason | None]) -> tuple[Verdict, int, Claim | None]:
        """The lease, or who has it; one who holds it for another job is waited for, but not for long."""
        while True:
            found, number, held = self.claims.take(self.orders.job, self.call)
            late = time.monotonic() - self.began > PATIENCE
            if found is not Verdict.BUSY or late or asked() or (held is not None and self._makes_the_same(held.job)):
                return found, number, held
            time.sleep(1.0)

    def _makes_the_same(self, job: str) -> bool:
        own, other = (self.files.read(f"{job_folder(one)}/{JOB}") for one in (self.orders.job, job))
        return own is not None and other is not None and _content(own) == _content(other)

    def _stand_back(self, found: Verdict, held: Claim) -> Outcome:
        """Somebody else works on the resource, and goes on with it."""
        if found is Verdict.BUSY and self._makes_the_same(held.job):
            ended = Ended(status=JobStatus.GONE, instead=held.job)
            self.files.put(f"{self.folder}/{ENDED}", msgspec.json.encode(ended))
        elif found is Verdict.BUSY:
            said = Failed(
                address=self.orders.address,
                message=f"{self.orders.address}: the job {held.job}, launched from elsewhere, makes another version of it",
                hint=f"wait until it has ended, or stop it: `tsws cancel {self.orders.address}`",
            )
            name = Segment(0, 0).name
            self.files.create(f"{self.folder}/{EVENTS}/{name}", encode_event(said) + b"\n")
            self.files.put(f"{self.folder}/{ENDED}", msgspec.json.encode(Ended(status=JobStatus.FAILED)))
        return Outcome(f"stood back for {held.job}", final=True)

    def _work(self, job: Job, committer: Committer, number: int, asked: Callable[[], Reason | None]) -> Outcome:
        made = saved = False
        with (
            Compiled(self.place) as compiled,
            Worker(self._staged(job), self.orders.worker, self.place, compiled.folder, self.variables) as worker,
        ):
            reason: Reason | None = None
            looked = time.monotonic()
            while True:
                ended = worker.wait(TICK)
                lines = worker.news()
                # The checkpoint that a stop leads to does not count: with no other, the next container came no further.
                made |= reason is None and any(isinstance(event, Checkpoint | Done) for event in lines.events)
                saved |= (fresh := any(isinstance(event, Checkpoint) for event in lines.events))
                committer.add(lines.lines, now=fresh)
                compiled.keep()
                if ended:
                    break
                if reason is None:
                    reason = asked() or self.budget.over(time.monotonic() - self.began)
                    if reason is None and time.monotonic() - looked >= LOOK:
                        looked, reason = time.monotonic(), self._told(number)
                    if reason is not None:
                        worker.stop(GRACE.get(reason, UNHURRIED))
                if reason is not Reason.SUPERSEDED:
                    committer.commit_when_due()
            if reason is Reason.SUPERSEDED:
                return Outcome("another container took over", final=True)
            return self._close(worker, committer, number, reason, made=made, saved=saved)

    def _close(
        self, worker: Worker, committer: Committer, number: int, reason: Reason | None, *, made: bool, saved: bool
    ) -> Outcome:
        """After the worker's end: what its last word, or that there is none, means together with why it was stopped."""
        last = worker.last
        interrupted = isinstance(last, Failed) and last.interrupted
        cut_short = reason is not None and (last is None or interrupted)
        if cut_short and reason in {Reason.PREEMPTED, Reason.CANCELLED} and STOP not in self.files.list(self.folder):
            committer.commit()  # and nothing said: whoever gets the call next goes on
            return Outcome("the machine was taken away", final=False)
        if cut_short and reason is Reason.TIME and made:
            return self._pass_on(committer, number, self.orders.stage)
        if isinstance(last, Done) and self.orders.stage == "prepare":
            return self._pass_on(committer, number, "work")
        if last is None and reason is None:
            (self.place / self.folder / LOG).write_text(worker.log_tail(), encoding="utf-8")
            return self._end(committer, number, Ended(status=JobStatus.GONE, exit=worker.status), "the worker died")
        said = self._last_word(last, reason if cut_short else None, saved=saved)
        committer.add([encode_event(said)])
        status = JobStatus.DONE if isinstance(said, Done) else JobStatus.FAILED
        return self._end(committer, number, Ended(status=status), status.value)

    def _last_word(self, last: Done | Failed | None, reason: Reason | None, *, saved: bool) -> Done | Failed:
        if reason is Reason.COST:
            return too_dear(self.orders, self.budget.spent(time.monotonic() - self.began), saved=saved)
        return too_short(self.orders) if reason is Reason.TIME else last or stopped(self.orders)

    def _pass_on(self, committer: Committer, number: int, stage: Stage) -> Outcome:
        """Let another container go on: the volume first, then the lease, then the call."""
        committer.commit()
        self.claims.give_back(number)
        call = pass_on(self.orders, stage)
        self.files.create(f"{self.folder}/{CALLS}/{call}", b"")
        return Outcome(f"passed on to {call}", final=True)

    def _end(self, committer: Committer, number: int, ended: Ended, word: str) -> Outcome:
        committer.commit()
        self.files.put(f"{self.folder}/{ENDED}", msgspec.json.encode(ended))
        self.claims.give_back(number)
        return Outcome(word, final=True)

    def _staged(self, job: Job) -> Job:
        """The job for the worker: it works where it stands, and in the first stage on what needs no accelerator."""
        if self.orders.stage == "prepare":
            return msgspec.structs.replace(job, targets=job.prepare, fingerprint="", root=None)
        return msgspec.structs.replace(job, root=None)

    def _told(self, number: int) -> Reason | None:
        """What the server knows that the mount does not show."""
        if not self.claims.is_last(number):
            return Reason.SUPERSEDED
        return Reason.ASKED if STOP in self.files.list(self.folder) else None

    def _has_ended(self, claim: Claim) -> bool:
        folder = job_folder(claim.job)
        if ENDED in self.files.list(folder):
            return True
        calls = set(self.files.list(f"{folder}/{CALLS}")) | ({claim.call} if claim.call else set())
        return not any(is_unfinished(call) for call in calls - {self.call})

    def _spent_before(self) -> float:
        data = self.files.read(f"{self.folder}/{BEAT}")
        before = msgspec.json.decode(data, type=Beat) if data else None
        self._seconds_before = before.seconds if before else 0.0
        return before.dollars if before else 0.0

    def _beat(self) -> None:
        elapsed = time.monotonic() - self.began
        beat = Beat(
            time=time.time(),
            seconds=self._seconds_before + elapsed,
            dollars=self.budget.spent(elapsed),
            rate=self.budget.rate,
            machine=self.orders.machine,
        )
        (self.place / self.folder / BEAT).write_bytes(msgspec.json.encode(beat))


def _content(job: bytes) -> tuple[object, ...]:
    found = decode_job(job)
    return found.fingerprint, found.manifest, found.targets, found.replace, found.telling, found.evaluating


def _is_continued(events: Path, number: int) -> bool:
    """Whether a container with an earlier claim has said something already."""
    return any(not path.name.endswith(f"-{number:06}.jsonl") for path in events.glob("*.jsonl"))
