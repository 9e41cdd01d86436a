"""Applying: actions in dependency order, in parallel, each decided again when its inputs are real."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from tsws.errors import InterruptedByUser, TswsError
from tsws.job import Done, Emit, Failed, Started
from tsws.reconcile.action import Action, Change, Plan
from tsws.reconcile.compare import compare
from tsws.reconcile.decide import ABSENT
from tsws.reconcile.facts import Facts, Observation
from tsws.reconcile.graph import Graph, needs

CarryOut = Callable[[Action, Facts], None]
"""Does one action; afterwards the records tell what there is."""
Look = Callable[[Iterable[str]], Observation]
"""Observes some resources afresh."""


class Outcome(enum.Enum):
    """What became of one action."""

    DONE = "done"
    KEPT = "kept"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Something it needs failed, or the apply was stopped."""


@dataclass(frozen=True)
class Applied:
    """What became of one resource."""

    address: str
    outcome: Outcome
    action: Action
    """As it was decided when its turn came."""
    seconds: float = 0.0
    error: TswsError | None = None


@dataclass(frozen=True)
class Report:
    """What an apply has done, in the order in which it ended."""

    results: tuple[Applied, ...]
    seconds: float

    @property
    def failed(self) -> tuple[Applied, ...]:
        """What went wrong."""
        return tuple(result for result in self.results if result.outcome is Outcome.FAILED)

    @property
    def done(self) -> tuple[Applied, ...]:
        """What was carried out."""
        return tuple(result for result in self.results if result.outcome is Outcome.DONE)

    @property
    def ok(self) -> bool:
        """True when nothing failed and nothing was left out."""
        return all(result.outcome in {Outcome.DONE, Outcome.KEPT} for result in self.results)


def apply(
    graph: Graph,
    targets: Collection[str],
    *,
    look: Look,
    carry_out: CarryOut,
    emit: Emit,
    stop: Callable[[], bool],
    jobs: int = 4,
    keep_going: bool = False,
    replaced: Collection[str] = (),
) -> Report:
    """Bring the targets, and all they need, to what the graph wants.

    Before an action starts it is decided again, now that its inputs are real: an input that came out the same
    stops the wave there.

    Args:
        graph: what is wanted.
        targets: addresses.
        look: observes resources.
        carry_out: does one action.
        emit: hears Started, Done and Failed of every action, besides what the rules say. Called from several threads.
        stop: True when no more should begin.
        jobs: how many actions at once.
        keep_going: after a failure, go on with what does not depend on it.
        replaced: addresses to make anew whatever their records say.

    Raises:
        Exception: whatever a rule raised that is no :class:`TswsError` and no ``OSError``, after all that ran has ended:
            a defect, so it keeps its traceback.
    """
    return _Applying(graph, frozenset(targets), look, carry_out, emit, stop, keep_going, set(replaced)).run(jobs)


@dataclass
class _Applying:
    graph: Graph
    targets: frozenset[str]
    look: Look
    carry_out: CarryOut
    emit: Emit
    stop: Callable[[], bool]
    keep_going: bool
    replaced: set[str]
    settled: dict[str, Applied] = field(default_factory=dict)
    observation: dict[str, Facts] = field(default_factory=dict)
    defect: Exception | None = None

    def run(self, jobs: int) -> Report:
        began = time.monotonic()
        waiting = list(self.graph.closure(self.targets))
        self.observation.update(self.look(waiting))
        running: dict[Future[tuple[float, Observation]], Action] = {}
        limit = max(1, jobs)
        with ThreadPoolExecutor(max_workers=limit, thread_name_prefix="tsws-apply") as pool:
            while waiting or running:
                self._begin_all(waiting, pool, running, limit)
                if running:
                    ended, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in ended:
                        self._end(running.pop(future), future)
        if self.defect is not None:
            raise self.defect
        return Report(tuple(self.settled.values()), time.monotonic() - began)

    def _begin_all(
        self,
        waiting: list[str],
        pool: ThreadPoolExecutor,
        running: dict[Future[tuple[float, Observation]], Action],
        limit: int,
    ) -> None:
        """Begin, or settle, all that can be. No more is handed to the pool than it can do at once: whatever
        waited in its queue would begin even after a failure or a stop."""
        while ready := self._ready(waiting):
            for address in ready:
                if len(running) >= limit:
                    return
                waiting.remove(address)
                try:
                    action, again = self._decide(address)
                except TswsError as error:  # it could not even be looked at
                    self._fail(Action(address, Change.BLOCKED, error.message, hint=error.hint), error)
                    continue
                if again:
                    waiting[:0] = (*again, address)
                    break
                if self._settles(address, action):
                    continue
                running[pool.submit(self._work, action)] = action

    def _ready(self, waiting: list[str]) -> list[str]:
        return [one for one in waiting if all(needed in self.settled for needed in needs(self.graph[one]))]

    def _settles(self, address: str, action: Action) -> bool:
        """Settle what needs no work, or can not have it."""
        bad = {Outcome.FAILED, Outcome.SKIPPED}
        if any(self.settled[needed].outcome in bad for needed in needs(self.graph[address])):
            self.settled[address] = Applied(address, Outcome.SKIPPED, action)
        elif action.change is Change.BLOCKED:
            self._fail(action, TswsError(f"{address}: {action.reason}", hint=action.hint))
        elif not action.change.acts:
            self.settled[address] = Applied(address, Outcome.KEPT, action)
        elif self._must_stop():
            self.settled[address] = Applied(address, Outcome.SKIPPED, action)
        return address in self.settled

    def _decide(self, address: str) -> tuple[Action, tuple[str, ...]]:
        """The action, and what has to be done before it although it was settled.

        An intermediate whose files were absent is settled when nothing seems to read it. Should an input then come
        out different from what was recorded, there is a reader after all.
        """
        if self.graph[address].after or self.observation[address].probe is not None:
            self.observation.update(self.look([address]))
        plan: Plan = compare(self.graph, self.observation, self.targets, replaced=self.replaced, settled=self.settled)
        again = tuple(
            needed
            for needed in self.graph.closure([address])
            if needed in self.settled
            and self.settled[needed].action.reason == ABSENT
            and self.settled[needed].outcome is Outcome.KEPT
            and plan[needed].change is Change.REPAIR
        )
        for needed in again:
            del self.settled[needed]
        return plan[address], again

    def _must_stop(self) -> bool:
        failed = any(result.outcome is Outcome.FAILED for result in self.settled.values())
        return self.stop() or self.defect is not None or (failed and not self.keep_going)

    def _work(self, action: Action) -> tuple[float, Observation]:
        """Carry an action out and look at what came of it: how long it took, and the new facts."""
        began = time.monotonic()
        self.emit(Started(address=action.address, reason=action.reason))
        try:
            self.carry_out(action, self.observation[action.address])
        except OSError as error:
            name = f" ({error.filename})" if error.filename else ""
            raise TswsError(
                f"{action.address}: the disk refused: {error.strerror or error}{name}",
                hint="make room or mend the permissions; `tsws apply` goes on from where it stopped",
            ) from error
        return time.monotonic() - began, self.look([action.address])

    def _fail(self, action: Action, error: TswsError) -> None:
        interrupted = isinstance(error, InterruptedByUser)
        self.emit(Failed(address=action.address, message=error.message, hint=error.hint, interrupted=interrupted))
        self.settled[action.address] = Applied(action.address, Outcome.FAILED, action, error=error)

    def _end(self, action: Action, future: Future[tuple[float, Observation]]) -> None:
        address = action.address
        try:
            seconds, facts = future.result()
        except TswsError as error:
            self._fail(action, error)
            return
        except Exception as error:  # noqa: BLE001  a defect: what runs may end, then it travels on with its traceback
            self.defect = self.defect or error
            self.emit(Failed(address=address, message=f"{address}: {type(error).__name__}: {error}"))
            self.settled[address] = Applied(address, Outcome.FAILED, action)
            return
        self.replaced.discard(address)
        self.observation.update(facts)
        self.settled[address] = Applied(address, Outcome.DONE, action, seconds)
        self.emit(Done(address=address, seconds=seconds))
