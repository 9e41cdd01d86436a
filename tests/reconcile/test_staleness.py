"""What makes a resource stale, and what does not: with real files, and rules that only join texts."""

from __future__ import annotations

from pathlib import Path

from reconcile_toys import TextRule, Workshop, changes

from tsws.reconcile.action import Change, FieldChange
from tsws.reconcile.apply import Outcome
from tsws.reconcile.resource import Resource


def test_first_apply_makes_everything_in_order(workshop: Workshop) -> None:
    chain = [workshop.thing("a", "1"), workshop.thing("b", "2", "a"), workshop.thing("c", "3", "b")]
    assert changes(workshop.plan(chain)) == dict.fromkeys("abc", Change.CREATE)
    report = workshop.apply(chain)
    assert report.ok
    assert workshop.made() == ["a", "b", "c"]
    assert workshop.files() == {"a.txt": "1", "b.txt": "2+1", "c.txt": "3+2+1"}


def test_second_apply_does_nothing(workshop: Workshop) -> None:
    chain = [workshop.thing("a", "1"), workshop.thing("b", "2", "a")]
    workshop.apply(chain)
    workshop.made()
    workshop.events.clear()
    assert workshop.plan(chain).changes == ()
    report = workshop.apply(chain)
    assert [result.outcome for result in report.results] == [Outcome.KEPT, Outcome.KEPT]
    assert (workshop.made(), workshop.events) == ([], [])


def test_operational_field_replans_nothing(workshop: Workshop) -> None:
    workshop.apply([workshop.thing("a", "1", operational={"backend": "local"})])
    assert workshop.plan([workshop.thing("a", "1", operational={"backend": "modal"})]).changes == ()


def test_identity_edit_replans_exactly_the_dependants(workshop: Workshop) -> None:
    def diamond(left: str) -> list[Resource]:
        return [
            workshop.thing("top", "t"),
            workshop.thing("left", left, "top"),
            workshop.thing("right", "r", "top"),
            workshop.thing("left-end", "", "left"),
            workshop.thing("both", "", "left", "right"),
            workshop.thing("right-end", "", "right"),
        ]

    workshop.apply(diamond("l"))
    workshop.made()
    plan = workshop.plan(diamond("L"))
    assert changes(plan) == {
        "top": Change.KEEP,
        "left": Change.UPDATE,
        "right": Change.KEEP,
        "left-end": Change.PENDING,
        "both": Change.PENDING,
        "right-end": Change.KEEP,
    }
    assert plan["left"].fields == (FieldChange("text", "l", "L"),)
    assert plan["left"].reason == "text changed"
    assert plan["both"].reason == "decided once its input is known: left (update)"
    workshop.apply(diamond("L"))
    assert sorted(workshop.made()) == ["both", "left", "left-end"]
    assert workshop.read("both.txt") == "+L+t+r+t"


def test_input_that_comes_out_the_same_stops_the_wave(workshop: Workshop) -> None:
    def chain(text: str) -> list[Resource]:
        return [
            workshop.thing("a", text, length=2),
            workshop.thing("b", "", "a"),
            workshop.thing("c", "", "b"),
        ]

    workshop.apply(chain("onx"))
    workshop.made()
    assert changes(workshop.plan(chain("ony"))) == {"a": Change.UPDATE, "b": Change.PENDING, "c": Change.PENDING}
    report = workshop.apply(chain("ony"))
    assert workshop.made() == ["a"]
    assert {result.address: result.outcome for result in report.results} == {
        "a": Outcome.DONE,
        "b": Outcome.KEPT,
        "c": Outcome.KEPT,
    }
    assert workshop.plan(chain("ony")).changes == ()


def test_rule_of_a_new_version_makes_again(workshop: Workshop) -> None:
    workshop.apply([workshop.thing("a", "1")])
    plan = workshop.plan([workshop.thing("a", "1", rule=TextRule(version=2))])
    assert (plan["a"].change, plan["a"].fields) == (Change.UPDATE, (FieldChange("rule", 1, 2),))


def test_edited_source_file_updates(workshop: Workshop) -> None:
    workshop.write("story.txt", "once")
    thing = [workshop.thing("a", "1", sources=("story.txt",))]
    workshop.apply(thing)
    assert workshop.plan(thing).changes == ()
    workshop.write("story.txt", "upon")
    plan = workshop.plan(thing)
    assert (plan["a"].change, plan["a"].reason) == (Change.UPDATE, "story.txt changed")
    workshop.apply(thing)
    assert workshop.read("a.txt") == "1+upon"


def test_missing_source_blocks_it_and_what_needs_it_only(workshop: Workshop) -> None:
    resources = [
        workshop.thing("a", "1", sources=("stories/*.txt", "more.txt")),
        workshop.thing("b", "2", "a"),
        workshop.thing("c", "3"),
    ]
    plan = workshop.plan(resources)
    assert changes(plan) == {"a": Change.BLOCKED, "b": Change.BLOCKED, "c": Change.CREATE}
    assert plan["a"].reason == "no file matches stories/*.txt, more.txt"
    assert plan["b"].reason == "needs a, which is blocked"
    assert [action.address for action in plan.blocked] == ["a", "b"]
    report = workshop.apply(resources, keep_going=True)
    assert {result.address: result.outcome for result in report.results} == {
        "a": Outcome.FAILED,
        "b": Outcome.SKIPPED,
        "c": Outcome.DONE,
    }
    workshop.write("more.txt", "m")
    workshop.write("stories/one.txt", "s")
    assert workshop.plan(resources).blocked == ()


def test_blocked_resource_says_why_and_what_to_do(workshop: Workshop) -> None:
    plan = workshop.plan([workshop.thing("a", blocked="no plugin provides modal", blocked_hint="install it")])
    assert (plan["a"].change, plan["a"].reason, plan["a"].hint) == (
        Change.BLOCKED,
        "no plugin provides modal",
        "install it",
    )


def test_made_elsewhere_is_kept_and_its_dependants_know_it(workshop: Workshop, tmp_path: Path) -> None:
    far = Workshop(tmp_path / "far")
    far.apply([far.thing("a", "1"), far.thing("b", "2", "a")])
    records = {name: far.store.record(name) for name in ("a", "b")}
    workshop.elsewhere.update({name: record for name, record in records.items() if record is not None})
    plan = workshop.plan([workshop.thing("a", "1"), workshop.thing("b", "2", "a")])
    assert {(action.change, action.reason) for action in plan} == {(Change.KEEP, "made already, in another place")}
    other = workshop.plan([workshop.thing("a", "another")])
    assert changes(other) == {"a": Change.CREATE}


def test_made_elsewhere_is_made_here_when_something_here_reads_it(workshop: Workshop, tmp_path: Path) -> None:
    far = Workshop(tmp_path / "far")
    far.apply([far.thing("a", "1"), far.thing("b", "2", "a")])
    record, beyond = far.store.record("a"), far.store.record("b")
    assert record is not None
    assert beyond is not None
    workshop.elsewhere["a"] = record
    plan = workshop.plan([workshop.thing("a", "1"), workshop.thing("b", "2", "a")])
    assert (plan["a"].change, plan["a"].reason) == (Change.CREATE, "its files are not there, and b needs them")
    assert plan["b"].fingerprint == beyond.fingerprint


def test_what_is_no_longer_declared_is_an_orphan_and_stays(workshop: Workshop) -> None:
    workshop.apply([workshop.thing("a", "1"), workshop.thing("b", "2")])
    plan = workshop.plan([workshop.thing("b", "2")])
    assert changes(plan) == {"b": Change.KEEP, "a": Change.ORPHAN}
    workshop.apply([workshop.thing("b", "2")])
    assert workshop.read("a.txt") == "1"


def test_sides_that_are_not_wanted_are_not_looked_at(workshop: Workshop) -> None:
    resources = [workshop.thing("a", "1"), workshop.thing("b", "2", "a"), workshop.thing("c", "3", "a")]
    workshop.apply(resources, ["b"])
    assert workshop.made() == ["a", "b"]
