"""Rules that look for themselves."""

from __future__ import annotations

from pathlib import Path

from reconcile_toys import Workshop, changes

from tsws.reconcile.action import Change
from tsws.reconcile.apply import Outcome
from tsws.reconcile.facts import Probe
from tsws.reconcile.resource import BaseRule, Making, Resource, Result


class MirrorRule(BaseRule):
    """Copies ``a.txt`` to ``mirror.txt``, and looks at both to say whether it has to."""

    def probe(self, resource: Resource) -> Probe:
        here, there = self._root / "a.txt", self._root / "mirror.txt"
        same = here.exists() and there.exists() and here.read_text() == there.read_text()
        return Probe(Change.KEEP, "in step", digest="") if same else Probe(Change.SYNC, "a.txt differs")

    def __init__(self, root: Path) -> None:
        self._root = root

    def make(self, making: Making) -> Result:
        (self._root / "mirror.txt").write_text((self._root / "a.txt").read_text())
        return Result([])


def test_probe_waits_for_what_will_change_and_then_looks_again(workshop: Workshop) -> None:
    def pair(text: str) -> list[Resource]:
        return [workshop.thing("a", text), Resource("sync.a", MirrorRule(workshop.root), after=("a",))]

    plan = workshop.plan(pair("1"))
    assert (plan["sync.a"].change, plan["sync.a"].reason) == (Change.PENDING, "after a")
    assert [result.action.change for result in workshop.apply(pair("1")).results] == [Change.CREATE, Change.SYNC]
    assert workshop.read("mirror.txt") == "1"
    assert workshop.plan(pair("1")).changes == ()
    (workshop.root / "mirror.txt").unlink()
    assert changes(workshop.plan(pair("1"))) == {"a": Change.KEEP, "sync.a": Change.SYNC}


def test_probe_waits_for_a_repair_too(workshop: Workshop) -> None:
    """The bytes that a repair will give are known, but they do not stand there yet for a probe to see."""
    pair = [workshop.thing("a", "1"), Resource("sync.a", MirrorRule(workshop.root), after=("a",))]
    workshop.apply(pair)
    workshop.write("a.txt", "edited")
    assert changes(workshop.plan(pair)) == {"a": Change.REPAIR, "sync.a": Change.PENDING}
    outcomes = {result.address: result.outcome for result in workshop.apply(pair).results}
    assert outcomes == {"a": Outcome.DONE, "sync.a": Outcome.KEPT}


class FarRule(BaseRule):
    """Can only be looked at when it is applied: there is always something to do."""

    def probe(self, resource: Resource) -> Probe:
        return Probe(Change.SYNC, "looked at when it is applied")

    def make(self, making: Making) -> Result:
        return Result([])


def test_probe_does_not_wait_for_what_is_settled_although_it_always_acts(workshop: Workshop) -> None:
    workshop.write("a.txt", "1")
    workshop.write("mirror.txt", "1")
    far = Resource("sync.far", FarRule())
    resources = [far, Resource("sync.a", MirrorRule(workshop.root), after=("sync.far",))]
    assert changes(workshop.plan(resources)) == {"sync.far": Change.SYNC, "sync.a": Change.PENDING}
    outcomes = {result.address: result.outcome for result in workshop.apply(resources).results}
    assert outcomes == {"sync.far": Outcome.DONE, "sync.a": Outcome.KEPT}
