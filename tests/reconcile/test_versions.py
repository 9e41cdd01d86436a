"""Kept versions: put back, continued, repaired, replaced."""

from __future__ import annotations

from reconcile_toys import CountingRule, Workshop, changes

from tsws.reconcile.action import Change, FieldChange
from tsws.reconcile.resource import Resource


def test_kept_version_is_put_back_without_making(workshop: Workshop) -> None:
    rule = CountingRule()

    def run(steps: int, name: str) -> list[Resource]:
        identity = {"steps": steps, "name": name}
        return [
            Resource("run.x", rule, identity, versions=".tsws/runs/x", outputs=("out.txt",)),
            workshop.thing("after", "", "run.x"),
        ]

    workshop.apply(run(2, "first"))
    workshop.apply(run(3, "second"))
    assert workshop.read("after.txt") == "+xxx"
    rule.made.clear()
    plan = workshop.plan(run(2, "first"))
    assert changes(plan) == {"run.x": Change.RESTORE, "after": Change.UPDATE}
    assert plan["run.x"].fields == (FieldChange("name", "second", "first"), FieldChange("steps", 3, 2))
    workshop.apply(run(2, "first"))
    assert rule.made == []
    assert (workshop.read("out.txt"), workshop.read("after.txt")) == ("xx", "+xx")
    assert workshop.plan(run(2, "first")).changes == ()


def test_edited_output_with_a_kept_version_is_put_back_without_making(workshop: Workshop) -> None:
    rule = CountingRule()
    run = [Resource("run.x", rule, {"steps": 2}, versions=".tsws/runs/x", outputs=("out.txt",))]
    workshop.apply(run)
    rule.made.clear()
    workshop.write("out.txt", "mine")
    workshop.apply(run)
    assert (rule.made, workshop.read("out.txt"), workshop.replaced()) == ([], "xx", ["mine"])


def test_damaged_kept_copy_is_named_and_not_published(workshop: Workshop) -> None:
    run = [Resource("run.x", CountingRule(), {"steps": 2}, versions=".tsws/runs/x", outputs=("out.txt",))]
    workshop.apply(run)
    (kept,) = (workshop.root / ".tsws/runs/x").glob("*/kept/text")
    kept.write_text("yy")
    (workshop.root / "out.txt").unlink()
    report = workshop.apply(run)
    (failed,) = report.failed
    assert failed.error is not None
    assert "is damaged" in failed.error.message
    assert failed.error.hint == "tsws apply --replace run.x"
    assert not (workshop.root / "out.txt").exists()
    assert workshop.apply(run, replaced={"run.x"}).ok
    assert workshop.read("out.txt") == "xx"


def test_file_edited_in_its_version_is_set_aside_and_made_again(workshop: Workshop) -> None:
    """What was edited must not be taken for a checkpoint of ours, nor be recorded as if it were."""
    rule = CountingRule()
    run = [Resource("run.x", rule, {"steps": 3}, versions=".tsws/runs/x", outputs=("out.txt",))]
    workshop.apply(run)
    (checkpoint,) = (workshop.root / ".tsws/runs/x").glob("*/checkpoint")
    checkpoint.write_text("9")
    assert changes(workshop.plan(run)) == {"run.x": Change.REPAIR}
    rule.steps = 0
    workshop.apply(run)
    assert (checkpoint.read_text(), rule.steps, workshop.replaced()) == ("3", 3, ["9"])
    assert workshop.plan(run).changes == ()


def test_longer_run_continues_the_earlier_version(workshop: Workshop) -> None:
    rule = CountingRule()

    def run(steps: int) -> list[Resource]:
        return [Resource("run.x", rule, {"steps": steps}, versions=".tsws/runs/x", outputs=("out.txt",))]

    workshop.apply(run(3))
    plan = workshop.plan(run(5))
    assert (plan["run.x"].change, plan["run.x"].reason) == (Change.EXTEND, "continues at step 3")
    workshop.apply(run(5))
    assert (rule.steps, workshop.read("out.txt")) == (5, "xxxxx")
    assert len(list((workshop.root / ".tsws/runs/x").iterdir())) == 2


def test_replacement_starts_anew_and_keeps_what_was_there(workshop: Workshop) -> None:
    rule = CountingRule()
    run = [Resource("run.x", rule, {"steps": 3}, versions=".tsws/runs/x", outputs=("out.txt",))]
    workshop.apply(run)
    plan = workshop.plan(run, replaced={"run.x"})
    assert (plan["run.x"].change, plan["run.x"].anew) == (Change.UPDATE, True)
    rule.steps = 0
    workshop.apply(run, replaced={"run.x"})
    assert rule.steps == 3
    assert "3" in workshop.replaced()
    assert workshop.plan(run).changes == ()


def test_replacement_of_what_never_was_is_a_creation_without_unfinished_work(workshop: Workshop) -> None:
    (action,) = workshop.plan([workshop.thing("a", "1")], replaced={"a"})
    assert (action.change, action.anew) == (Change.CREATE, True)


def test_version_is_not_put_back_to_a_place_it_has_left(workshop: Workshop) -> None:
    """Its work is all there, so that making it again at the new place takes no step."""
    rule = CountingRule()

    def run(steps: int, out: str) -> list[Resource]:
        return [Resource("run.x", rule, {"steps": steps}, versions=".tsws/runs/x", outputs=(out,))]

    workshop.apply(run(2, "old.txt"))
    workshop.apply(run(3, "old.txt"))
    rule.steps = 0
    plan = workshop.plan(run(2, "new.txt"))
    assert (plan["run.x"].change, plan["run.x"].reason) == (Change.UPDATE, "steps changed; continues at step 2")
    workshop.apply(run(2, "new.txt"))
    assert (rule.steps, workshop.files()) == (0, {"new.txt": "xx"})
    workshop.apply(run(2, "newer.txt"))
    assert (rule.steps, workshop.files()) == (0, {"newer.txt": "xx"})
    assert workshop.plan(run(2, "newer.txt")).changes == ()
