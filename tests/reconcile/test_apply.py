"""Carrying out a plan: order, parallel work, failures, stopping."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future

import pytest
from reconcile_toys import TextRule, Workshop

from tsws.errors import FetchError, InterruptedByUser, TswsError, VolumeError
from tsws.job import Done, Failed, Started, ignore
from tsws.reconcile.action import Action, Change
from tsws.reconcile.apply import Outcome, apply
from tsws.reconcile.facts import Facts, Observation
from tsws.reconcile.graph import Graph
from tsws.reconcile.observe import Observer
from tsws.reconcile.resource import Making

PATIENCE = 20.0
"""Seconds after which a test gives up on something that never comes."""


def failing(address: str, error: BaseException) -> TextRule:
    """A rule that fails for one resource."""

    def fail(making: Making) -> None:
        if making.resource.address == address:
            raise error

    return TextRule(meanwhile=fail)


def outcomes(results: object) -> dict[str, Outcome]:
    return {result.address: result.outcome for result in results.results}  # type: ignore[attr-defined]


def test_independent_work_runs_at_the_same_time(workshop: Workshop) -> None:
    together = threading.Barrier(3, timeout=PATIENCE)
    workshop.rule = TextRule(meanwhile=lambda making: together.wait() and None)
    resources = [workshop.thing(name, name) for name in "abc"]
    assert workshop.apply(resources, jobs=3).ok


def test_no_more_than_jobs_run_at_the_same_time(workshop: Workshop) -> None:
    running, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2, timeout=PATIENCE)

    def count(making: Making) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait()
        with lock:
            running -= 1

    workshop.rule = TextRule(meanwhile=count)
    assert workshop.apply([workshop.thing(name, name) for name in "abcdef"], jobs=2).ok
    assert most == 2


def test_what_is_ready_does_not_wait_for_something_unrelated(workshop: Workshop) -> None:
    """``slow`` ends only after ``b``, which needs nothing but ``a``, and ``a`` is kept."""
    b_began = threading.Event()

    def meanwhile(making: Making) -> None:
        if making.resource.address == "b":
            b_began.set()
        if making.resource.address == "slow":
            assert b_began.wait(PATIENCE)

    workshop.apply([workshop.thing("a", "1")])
    workshop.rule = TextRule(meanwhile=meanwhile)
    resources = [workshop.thing("slow", "s"), workshop.thing("a", "1"), workshop.thing("b", "2", "a")]
    assert workshop.apply(resources, jobs=2).ok


def test_dependants_of_a_failure_are_skipped_and_nothing_new_begins(workshop: Workshop) -> None:
    workshop.rule = failing("a", FetchError("no network", hint="plug it in"))
    resources = [workshop.thing("a", "1"), workshop.thing("b", "2", "a"), workshop.thing("c", "3")]
    report = workshop.apply(resources, jobs=1)
    assert outcomes(report) == {"a": Outcome.FAILED, "c": Outcome.SKIPPED, "b": Outcome.SKIPPED}
    assert (workshop.made(), report.ok) == ([], False)
    (failed,) = report.failed
    assert isinstance(failed.error, FetchError)
    said = [event for event in workshop.events if isinstance(event, Failed)]
    assert [(event.address, event.message, event.hint, event.interrupted) for event in said] == [
        ("a", "no network", "plug it in", False)
    ]
    assert workshop.store.record("a") is None


def test_keep_going_does_what_does_not_depend_on_the_failure(workshop: Workshop) -> None:
    workshop.rule = failing("a", TswsError("no"))
    resources = [
        workshop.thing("a", "1"),
        workshop.thing("b", "2", "a"),
        workshop.thing("c", "3"),
        workshop.thing("d", "", "c"),
    ]
    report = workshop.apply(resources, jobs=1, keep_going=True)
    assert outcomes(report) == {
        "a": Outcome.FAILED,
        "b": Outcome.SKIPPED,
        "c": Outcome.DONE,
        "d": Outcome.DONE,
    }


def test_failure_is_made_good_by_the_next_apply(workshop: Workshop) -> None:
    def chain() -> list:
        return [workshop.thing("a", "1"), workshop.thing("b", "2", "a")]

    workshop.rule = failing("b", TswsError("no"))
    assert not workshop.apply(chain()).ok
    workshop.rule = TextRule()
    assert workshop.apply(chain()).ok
    assert workshop.made() == ["b"]


def test_what_is_up_to_date_is_kept_even_after_a_failure(workshop: Workshop) -> None:
    workshop.apply([workshop.thing("z", "1")])
    workshop.rule = failing("a", TswsError("no"))
    report = workshop.apply([workshop.thing("a", "1"), workshop.thing("z", "1")], jobs=1)
    assert outcomes(report)["z"] is Outcome.KEPT


def test_stop_lets_what_runs_end_and_begins_nothing_more(workshop: Workshop) -> None:
    stopped = threading.Event()
    workshop.rule = TextRule(meanwhile=lambda making: stopped.set())
    resources = [workshop.thing("a", "1"), workshop.thing("b", "2"), workshop.thing("c", "3", "a")]
    report = workshop.apply(resources, jobs=1, stop=stopped.is_set)
    assert outcomes(report) == {"a": Outcome.DONE, "b": Outcome.SKIPPED, "c": Outcome.SKIPPED}
    assert workshop.read("a.txt") == "1"


def test_interrupted_rule_says_so(workshop: Workshop) -> None:
    workshop.rule = failing("a", InterruptedByUser("stopped at step 3"))
    workshop.apply([workshop.thing("a", "1")])
    (said,) = (event for event in workshop.events if isinstance(event, Failed))
    assert (said.message, said.interrupted) == ("stopped at step 3", True)


def test_disk_error_becomes_one_that_a_person_can_act_on(workshop: Workshop) -> None:
    workshop.rule = failing("a", OSError(28, "No space left on device", "a.txt"))
    (failed,) = workshop.apply([workshop.thing("a", "1")]).failed
    assert failed.error is not None
    assert failed.error.message == "a: the disk refused: No space left on device (a.txt)"
    assert failed.error.hint is not None


@pytest.mark.parametrize("keep_going", [False, True])
def test_defect_of_a_rule_travels_on_after_what_runs_has_ended(workshop: Workshop, keep_going: bool) -> None:
    defect_seen = threading.Event()

    def meanwhile(making: Making) -> None:
        if making.resource.address == "bad":
            raise ZeroDivisionError("a defect")
        assert defect_seen.wait(PATIENCE)

    class Events(list):  # type: ignore[type-arg]
        def append(self, event: object) -> None:
            super().append(event)
            if isinstance(event, Failed):
                defect_seen.set()

    workshop.events = Events()
    workshop.rule = TextRule(meanwhile=meanwhile)
    resources = [workshop.thing("bad", "1"), workshop.thing("good", "2"), workshop.thing("later", "3", "good")]
    with pytest.raises(ZeroDivisionError, match="a defect"):
        workshop.apply(resources, jobs=2, keep_going=keep_going)
    assert workshop.made() == ["good"]
    assert workshop.store.record("good") is not None
    (said,) = (event for event in workshop.events if isinstance(event, Failed))
    assert (said.address, said.message) == ("bad", "bad: ZeroDivisionError: a defect")


def test_every_action_is_begun_and_ended_aloud_in_order(workshop: Workshop) -> None:
    workshop.apply([workshop.thing("a", "1"), workshop.thing("b", "2", "a")])
    assert [(type(event), event.address) for event in workshop.events] == [
        (Started, "a"),
        (Done, "a"),
        (Started, "b"),
        (Done, "b"),
    ]


def test_nothing_to_do_starts_no_thread() -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("nothing should be carried out")

    report = apply(Graph([]), [], look=lambda _: {}, carry_out=refuse, emit=refuse, stop=lambda: False)
    assert (report.results, report.ok) == ((), True)


def test_many_actions_on_one_worker_do_not_lock_up(workshop: Workshop) -> None:
    layers = [[f"{layer}-{number}" for number in range(6)] for layer in range(5)]
    resources = [workshop.thing(name, name) for name in layers[0]]
    for above, layer in itertools.pairwise(layers):
        resources += [workshop.thing(name, name, *above[:3]) for name in layer]
    done: Future[bool] = Future()
    _in_thread(lambda: done.set_result(workshop.apply(resources, jobs=1).ok))
    assert done.result(timeout=PATIENCE)


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


def test_blocked_resource_fails_with_its_reason(workshop: Workshop) -> None:
    report = workshop.apply([workshop.thing("a", blocked="no plugin provides modal", blocked_hint="install it")])
    (failed,) = report.failed
    assert failed.error is not None
    assert (failed.error.message, failed.error.hint) == ("a: no plugin provides modal", "install it")


def test_action_is_decided_again_when_its_turn_comes(workshop: Workshop) -> None:
    """The plan said pending; the report says what it became."""
    carried: list[tuple[str, Change]] = []

    def chain(text: str) -> list:
        return [workshop.thing("a", text), workshop.thing("b", "", "a")]

    workshop.apply(chain("1"))
    graph, observer = Graph(chain("2")), workshop.observer()

    def do(action: Action, facts: Facts) -> None:
        from tsws.reconcile.make import carry_out

        carried.append((action.address, action.change))
        resource = graph[action.address]
        inputs = {one: record for one in resource.inputs if (record := workshop.store.record(one))}
        carry_out(workshop.store, resource, action, facts, inputs, lambda _: None, lambda: False)

    apply(
        graph,
        ["b"],
        look=lambda some: observer.observe(graph, some),
        carry_out=do,
        emit=lambda _: None,
        stop=lambda: False,
    )
    assert carried == [("a", Change.UPDATE), ("b", Change.UPDATE)]


def test_what_can_not_be_looked_at_fails_alone(workshop: Workshop) -> None:
    graph = Graph([workshop.thing("a", "1"), workshop.thing("b", "2")])
    observer = Observer(workshop.store)
    looks: list[str] = []

    def look(addresses: Iterable[str]) -> Observation:
        chosen = list(addresses)
        looks.extend(chosen)
        if "a" in chosen and looks.count("a") > 1:
            raise VolumeError("it went away", hint="bring it back")
        return observer.observe(graph, chosen)

    report = apply(
        graph,
        ["a", "b"],
        look=look,
        carry_out=lambda action, facts: None,
        emit=ignore,
        stop=lambda: False,
        jobs=1,
        keep_going=True,
    )
    (failure,) = report.failed
    assert failure.address == "a"
    assert str(failure.error) == "it went away"
