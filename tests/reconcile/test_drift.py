"""Outputs that were edited or are gone."""

from __future__ import annotations

import os

from reconcile_toys import TextRule, Workshop, changes

from tsws.reconcile.action import Change
from tsws.reconcile.resource import Making, Resource, Result


def test_hand_edited_output_is_repaired_and_the_edit_kept(workshop: Workshop) -> None:
    chain = [workshop.thing("a", "1"), workshop.thing("b", "2", "a")]
    workshop.apply(chain)
    workshop.made()
    workshop.write("a.txt", "my precious edit")
    plan = workshop.plan(chain)
    assert changes(plan) == {"a": Change.REPAIR, "b": Change.KEEP}
    assert plan["a"].reason == "a.txt was changed by someone else (drift)"
    workshop.apply(chain)
    assert workshop.made() == ["a"]
    assert workshop.read("a.txt") == "1"
    assert workshop.replaced() == ["my precious edit"]
    assert workshop.plan(chain).changes == ()


def test_edit_to_the_same_size_within_a_tick_is_noticed(workshop: Workshop) -> None:
    """The edit gets the very time that the clock of the file system gave to our own writing."""
    ticks: list[int] = []

    class Watched(TextRule):
        def make(self, making: Making) -> Result:
            result = super().make(making)
            ticks.append(result.files[0].path.stat().st_mtime_ns)
            return result

    thing = [workshop.thing("a", "1", rule=Watched())]
    workshop.apply(thing)
    workshop.write("a.txt", "2")
    os.utime(workshop.root / "a.txt", ns=(ticks[0], ticks[0]))
    assert changes(workshop.plan(thing)) == {"a": Change.REPAIR}


def test_touched_output_is_not_drift(workshop: Workshop) -> None:
    thing = [workshop.thing("a", "1")]
    workshop.apply(thing)
    (workshop.root / "a.txt").touch()
    assert workshop.plan(thing).changes == ()


def test_folder_in_an_outputs_place_is_drift(workshop: Workshop) -> None:
    thing = [workshop.thing("a", "1")]
    workshop.apply(thing)
    (workshop.root / "a.txt").unlink()
    workshop.write("a.txt/diary", "dear")
    assert changes(workshop.plan(thing)) == {"a": Change.REPAIR}
    workshop.apply(thing)
    assert (workshop.read("a.txt"), workshop.replaced()) == ("1", ["dear"])


def test_missing_output_is_made_again(workshop: Workshop) -> None:
    thing = [workshop.thing("a", "1", outputs=("x.txt", "y.txt"))]
    workshop.apply([workshop.thing("a", "1", outputs=("x.txt",))])
    (workshop.root / "x.txt").unlink()
    plan = workshop.plan(thing)
    assert (plan["a"].change, plan["a"].reason) == (Change.REPAIR, "x.txt is missing")


def test_absent_intermediates_are_made_only_for_a_reader_and_then_all_the_way(workshop: Workshop) -> None:
    def chain(end: str) -> list[Resource]:
        return [
            workshop.thing("text", "t", on_demand=True),
            workshop.thing("tokens", "k", "text", on_demand=True),
            workshop.thing("run", end, "tokens"),
        ]

    workshop.apply(chain("r"))
    workshop.made()
    for name in ("text.txt", "tokens.txt"):
        (workshop.root / name).unlink()
    assert workshop.plan(chain("r")).changes == ()
    assert workshop.apply(chain("r")).done == ()
    assert changes(workshop.plan(chain("R"))) == {
        "text": Change.REPAIR,
        "tokens": Change.REPAIR,
        "run": Change.UPDATE,
    }
    workshop.apply(chain("R"))
    assert workshop.made() == ["text", "tokens", "run"]
    assert workshop.read("run.txt") == "R+k+t"


def test_absent_intermediate_is_made_when_it_is_the_target(workshop: Workshop) -> None:
    chain = [workshop.thing("text", "t", on_demand=True), workshop.thing("run", "r", "text")]
    workshop.apply(chain)
    (workshop.root / "text.txt").unlink()
    assert workshop.plan(chain).changes == ()
    assert changes(workshop.plan(chain, ["text"])) == {"text": Change.REPAIR}


def test_absent_intermediate_is_not_made_for_one_that_only_waits_for_it(workshop: Workshop) -> None:
    def pair(end: str) -> list[Resource]:
        return [workshop.thing("text", "t", on_demand=True), workshop.thing("late", end, after=("text",))]

    workshop.apply(pair("1"))
    (workshop.root / "text.txt").unlink()
    assert changes(workshop.plan(pair("2"))) == {"text": Change.KEEP, "late": Change.UPDATE}


def test_absent_intermediate_is_made_when_a_repair_comes_out_different(workshop: Workshop) -> None:
    """A repair is expected to give the same bytes; when it does not, a reader appears after all."""
    dice = iter("123456")

    class Dice(TextRule):
        def make(self, making: Making) -> Result:
            result = super().make(making)
            result.files[0].path.write_text(next(dice))
            return result

    resources = [
        workshop.thing("dice", rule=Dice()),
        workshop.thing("tokens", "k", on_demand=True),
        workshop.thing("run", "r", "dice", "tokens"),
    ]
    assert workshop.apply(resources).ok
    (workshop.root / "tokens.txt").unlink()
    (workshop.root / "dice.txt").unlink()
    workshop.made()
    report = workshop.apply(resources)
    assert (report.ok, workshop.made(), workshop.read("run.txt")) == (True, ["tokens", "run"], "r+2+k")
