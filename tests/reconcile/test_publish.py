"""Giving made files their places without ever throwing away what someone else put there."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from reconcile_toys import TextRule, Workshop, changes

from tsws.errors import FormatError, TswsError
from tsws.reconcile.action import Change
from tsws.reconcile.resource import BaseRule, Made, Making, Resource, Result


def test_file_in_the_way_of_a_first_making_is_set_aside(workshop: Workshop) -> None:
    workshop.write("a.txt", "was here first")
    workshop.apply([workshop.thing("a", "1")])
    assert (workshop.read("a.txt"), workshop.replaced()) == ("1", ["was here first"])


def test_same_bytes_in_the_way_are_taken_over(workshop: Workshop) -> None:
    workshop.write("a.txt", "1")
    workshop.apply([workshop.thing("a", "1")])
    assert (workshop.read("a.txt"), workshop.replaced()) == ("1", [])


def test_own_earlier_output_is_replaced_without_ado(workshop: Workshop) -> None:
    workshop.apply([workshop.thing("a", "1")])
    workshop.apply([workshop.thing("a", "2")])
    assert (workshop.read("a.txt"), workshop.replaced()) == ("2", [])


def test_two_files_set_aside_in_the_same_second_are_both_kept(workshop: Workshop) -> None:
    for number in range(3):
        workshop.apply([workshop.thing("a", "1")])
        workshop.write("a.txt", f"edit {number}")
    workshop.apply([workshop.thing("a", "1")])
    assert workshop.replaced() == ["edit 0", "edit 1", "edit 2"]


def test_moved_output_leaves_nothing_behind(workshop: Workshop) -> None:
    workshop.apply([workshop.thing("a", "1", outputs=("old/a.txt",))])
    workshop.apply([workshop.thing("a", "2", outputs=("new/a.txt",))])
    assert workshop.files() == {"new/a.txt": "2"}


def test_output_moves_when_only_its_path_changes(workshop: Workshop) -> None:
    workshop.apply([workshop.thing("a", "1", outputs=("old/a.txt",)), workshop.thing("b", "2", "a")])
    moved = [workshop.thing("a", "1", outputs=("new/a.txt",)), workshop.thing("b", "2", "a")]
    plan = workshop.plan(moved)
    assert changes(plan) == {"a": Change.REPAIR, "b": Change.KEEP}
    assert plan["a"].reason == "moves to new/a.txt"
    workshop.apply(moved)
    assert workshop.files() == {"new/a.txt": "1", "b.txt": "2+1"}
    assert workshop.plan(moved).changes == ()


def test_moved_output_that_was_edited_stays(workshop: Workshop) -> None:
    workshop.apply([workshop.thing("a", "1", outputs=("old.txt",))])
    workshop.write("old.txt", "edited")
    workshop.apply([workshop.thing("a", "2", outputs=("new.txt",))])
    assert workshop.files() == {"old.txt": "edited", "new.txt": "2"}


def test_outputs_of_two_resources_may_change_places(workshop: Workshop) -> None:
    def pair(length: int, first: str, second: str) -> list[Resource]:
        outputs = {"a": (first,), "b": (second,)}
        return [workshop.thing(name, "same", length=length, outputs=outputs[name]) for name in outputs]

    workshop.apply(pair(8, "x.txt", "y.txt"), jobs=1)
    workshop.apply(pair(9, "y.txt", "x.txt"), jobs=1)
    assert workshop.files() == {"x.txt": "same", "y.txt": "same"}
    assert workshop.plan(pair(9, "y.txt", "x.txt")).changes == ()


class GivenRule(BaseRule):
    """Stands for a person's own file: it is described, never touched."""

    def make(self, making: Making) -> Result:
        path = making.root / making.resource.sources[0]
        return Result([Made("text", path, owned=False)])


def test_a_persons_own_file_is_never_touched(workshop: Workshop) -> None:
    workshop.write("mine.txt", "m")
    before = (workshop.root / "mine.txt").stat()
    workshop.apply([Resource("a", GivenRule(), sources=("mine.txt",)), workshop.thing("b", "", "a")])
    after = (workshop.root / "mine.txt").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert workshop.read("b.txt") == "+m"


def test_a_persons_own_file_survives_a_rule_that_wants_its_name(workshop: Workshop) -> None:
    workshop.write("mine.txt", "m")
    workshop.apply([Resource("a", GivenRule(), sources=("mine.txt",))])
    workshop.apply([workshop.thing("a", "made", outputs=("mine.txt",))])
    assert (workshop.read("mine.txt"), workshop.replaced()) == ("made", ["m"])


def test_a_persons_own_file_is_not_removed_when_it_is_no_longer_an_output(workshop: Workshop) -> None:
    workshop.write("mine.txt", "m")
    workshop.apply([Resource("a", GivenRule(), sources=("mine.txt",))])
    workshop.apply([workshop.thing("a", "made", outputs=("other.txt",))])
    assert workshop.files() == {"mine.txt": "m", "other.txt": "made"}


@pytest.mark.parametrize("path", ["../a.txt", "/tmp/a.txt", "link/a.txt"])
def test_output_outside_the_workspace_is_refused(workshop: Workshop, tmp_path: Path, path: str) -> None:
    (tmp_path / "outside").mkdir()
    (workshop.root / "link").symlink_to(tmp_path / "outside")
    (failed,) = workshop.apply([workshop.thing("a", "1", outputs=(path,))]).failed
    assert isinstance(failed.error, FormatError)
    assert list((tmp_path / "outside").iterdir()) == []


def test_unwritable_place_is_a_clear_error_and_nothing_is_recorded(workshop: Workshop) -> None:
    workshop.write("out", "a file where a folder is needed")
    (failed,) = workshop.apply([workshop.thing("a", "1", outputs=("out/a.txt",))]).failed
    assert isinstance(failed.error, TswsError)
    assert failed.error.message.startswith("a: the disk refused: ")
    assert workshop.store.record("a") is None


def test_permissions_travel_with_a_published_file(workshop: Workshop) -> None:
    class ProgramRule(TextRule):
        def make(self, making: Making) -> Result:
            result = super().make(making)
            for made in result.files:
                made.path.chmod(0o755)
            return result

    kept = [workshop.thing("run.p", "1", rule=ProgramRule(), versions=".tsws/runs/p", outputs=("kept",))]
    moved = [workshop.thing("p", "1", rule=ProgramRule(), outputs=("moved",))]
    workshop.apply([*kept, *moved])
    (workshop.root / "kept").unlink()
    workshop.apply(kept)
    modes = {name: stat.S_IMODE((workshop.root / name).stat().st_mode) for name in ("kept", "moved")}
    assert modes == {"kept": 0o755, "moved": 0o755}


def test_finished_work_leaves_no_folder_and_no_temporary(workshop: Workshop) -> None:
    workshop.apply([workshop.thing("a", "1")])
    left = {path.relative_to(workshop.root).as_posix() for path in workshop.root.rglob("*") if path.is_file()}
    assert left == {"a.txt", ".tsws/state/a.json"}


def test_notes_and_origin_stand_in_the_record(workshop: Workshop) -> None:
    class NotingRule(TextRule):
        def make(self, making: Making) -> Result:
            return Result(super().make(making).files, notes={"val_loss": 0.75})

    workshop.apply([workshop.thing("a", "1", rule=NotingRule())])
    record = workshop.store.record("a")
    assert record is not None
    assert record.notes == {"val_loss": 0.75}
    assert set(record.origin) == {"tsws", "host", "pid"}
    (output,) = record.outputs
    assert (output.role, output.path, output.size) == ("text", "a.txt", 1)


def test_missing_role_of_an_input_is_named(workshop: Workshop) -> None:
    class Wanting(BaseRule):
        def make(self, making: Making) -> Result:
            making.input_path("a", "model")
            raise AssertionError("unreachable")

    (failed,) = workshop.apply([workshop.thing("a", "1"), Resource("b", Wanting(), inputs=("a",))]).failed
    assert failed.error is not None
    assert failed.error.message == "b needs the file 'model' of a, which has none"
