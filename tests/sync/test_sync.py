"""A workspace and a volume come into step."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsws.errors import FormatError, SyncConflict, UsageError, VolumeError
from tsws.plugin import FileStat
from tsws.sync import Base, Change
from tsws_folder import FolderOptions, FolderVolume

from .conftest import Sides, contents, put


def test_new_files_go_both_ways_and_a_second_sync_does_nothing(sides: Sides) -> None:
    put(sides.root, "out/model.bin", "weights")
    put(sides.root, "other.txt", "not declared")
    put(sides.there, "out/späße/a b.txt", "theirs")
    assert sides.sync() == {"out/model.bin": "push", "out/späße/a b.txt": "pull"}
    assert sides.over_there() == {"out/model.bin": "weights", "out/späße/a b.txt": "theirs"}
    assert sides.here() == {**sides.over_there(), "other.txt": "not declared"}
    assert sides.sync() == {}


def test_a_plan_writes_nothing(sides: Sides) -> None:
    put(sides.root, "out/model.bin", "weights")
    plan = sides.plan()
    assert [(step.path, step.change, step.reason, step.size) for step in plan.transfers] == [
        ("out/model.bin", Change.PUSH, "new here", 7)
    ]
    assert contents(sides.root) == {"out/model.bin": "weights"}
    assert not sides.there.exists()


def test_the_changed_side_wins(sides: Sides) -> None:
    put(sides.root, "out/a", "1")
    put(sides.root, "out/b", "1")
    sides.sync()
    put(sides.root, "out/a", "2")
    put(sides.there, "out/b", "3")
    assert sides.sync() == {"out/a": "push", "out/b": "pull"}
    assert sides.here() == sides.over_there() == {"out/a": "2", "out/b": "3"}


def test_a_change_of_the_same_size_within_one_tick_of_the_clock_is_seen(sides: Sides) -> None:
    put(sides.root, "out/a", "1")
    sides.sync()
    status = (sides.there / "out/a").stat()
    os.utime(put(sides.there, "out/a", "2"), ns=(status.st_atime_ns, status.st_mtime_ns))
    assert sides.sync() == {"out/a": "pull"}
    assert sides.here() == {"out/a": "2"}


def test_a_conflict_is_named_and_nothing_is_written(sides: Sides) -> None:
    put(sides.root, "out/a", "1")
    sides.sync()
    os.utime(put(sides.root, "out/a", "mine"), (1e9, 1e9))
    os.utime(put(sides.there, "out/a", "theirs"), (1.1e9, 1.1e9))
    put(sides.root, "out/new", "new")
    before = sides.here(), sides.over_there()
    with pytest.raises(SyncConflict) as caught:
        sides.sync()
    here, there = (sides.plan().conflicts[0].local, sides.plan().conflicts[0].remote)
    assert (here and here.size, there and there.size) == (4, 6)
    lines = caught.value.message.splitlines()
    assert lines[0] == "1 file conflicts with volume attic; nothing was written:"
    assert lines[1].startswith("  out/a: changed on both sides (here 4 B of 2001-09-")
    assert "; there 6 B of 2004-11-" in lines[1]
    assert caught.value.hint == (
        "`tsws sync --force --pull out/a` takes the volume's file, `tsws sync --force --push out/a` yours"
    )
    assert (sides.here(), sides.over_there()) == before


def test_force_decides_a_conflict_for_the_named_path_alone(sides: Sides) -> None:
    for name in ("a", "b"):
        put(sides.root, f"out/{name}", "mine")
        put(sides.there, f"out/{name}", "theirs")
    assert sides.sync(pull=["out/a"], force=True) == {"out/a": "pull"}
    assert sides.here() == {"out/a": "theirs", "out/b": "mine"}
    assert sides.sync(push=["out/b"], force=True) == {"out/b": "push"}
    assert sides.over_there() == {"out/a": "theirs", "out/b": "mine"}
    assert sides.sync() == {}


def test_a_removed_file_stays_on_the_other_side(sides: Sides) -> None:
    put(sides.root, "out/a", "1")
    put(sides.root, "out/b", "1")
    sides.sync()
    (sides.root / "out/a").unlink()
    (sides.there / "out/b").unlink()
    report = sides.run(sides.plan())
    assert report.done == ()
    assert [(step.path, step.reason) for step in report.kept] == [
        ("out/a", "removed here, kept there"),
        ("out/b", "removed there, kept here"),
    ]
    assert sides.sync(pull=["out/a"]) == {"out/a": "pull"}
    assert sides.sync(delete=True) == {"out/b": "delete-here"}
    assert sides.here() == sides.over_there() == {"out/a": "1"}


def test_a_removal_is_repeated_on_the_volume_when_asked_for(sides: Sides) -> None:
    put(sides.root, "out/a", "1")
    sides.sync()
    (sides.root / "out/a").unlink()
    assert sides.sync(delete=True) == {"out/a": "delete-there"}
    assert sides.over_there() == {}
    assert Base.load(sides.base_path).files == {}


def test_what_is_gone_from_both_sides_is_forgotten(sides: Sides) -> None:
    put(sides.root, "out/a", "1")
    sides.sync()
    (sides.root / "out/a").unlink()
    (sides.there / "out/a").unlink()
    assert sides.sync() == {}
    put(sides.root, "out/a", "1")
    assert sides.sync() == {"out/a": "push"}


def test_files_that_were_the_same_all_along_are_agreed_on(sides: Sides) -> None:
    put(sides.root, "out/a", "1")
    put(sides.there, "out/a", "1")
    plan = sides.plan()
    assert plan.transfers == ()
    assert set(plan.settled()) == {"out/a"}
    sides.run(plan)
    put(sides.root, "out/a", "2")
    assert sides.sync() == {"out/a": "push"}


def test_only_what_is_named_moves(sides: Sides) -> None:
    put(sides.root, "out/a", "1")
    put(sides.root, "out/b", "1")
    assert sides.sync(push=["out/a"]) == {"out/a": "push"}
    assert sides.over_there() == {"out/a": "1"}


def test_a_name_that_is_not_there_gets_the_nearest(sides: Sides) -> None:
    put(sides.there, "out/model.bin", "1")
    with pytest.raises(VolumeError) as missing_there:
        sides.sync(pull=["out/modell.bin"])
    assert missing_there.value.message == "volume attic has no file 'out/modell.bin'"
    assert missing_there.value.hint == "did you mean out/model.bin?"
    put(sides.root, "tok105.model", "1")
    with pytest.raises(UsageError) as missing_here:
        sides.sync(push=["tok150.model"])
    assert missing_here.value.message == "the workspace has no file 'tok150.model'"
    assert missing_here.value.hint == "did you mean tok105.model?"


def test_a_path_can_not_go_both_ways(sides: Sides) -> None:
    put(sides.root, "out/a", "1")
    put(sides.there, "out/a", "2")
    with pytest.raises(UsageError, match=r"^out/a is named for both directions$"):
        sides.sync(pull=["out/a"], push=["out"])


def test_a_volume_that_moved_agreed_on_nothing(sides: Sides) -> None:
    put(sides.root, "out/a", "1")
    sides.sync()
    moved = Sides(
        sides.root, FolderVolume("attic", FolderOptions(path="../cellar"), sides.root), sides.root.parent / "cellar"
    )
    assert moved.sync() == {"out/a": "push"}


def test_a_damaged_record_is_named(sides: Sides) -> None:
    put(sides.root, ".tsws/sync/attic.json", '{"schema": 99, "files": {}}')
    with pytest.raises(FormatError) as caught:
        sides.plan()
    assert caught.value.message.endswith("its schema is 99, and this version of tsws knows 1")
    put(sides.root, ".tsws/sync/attic.json", "{")
    with pytest.raises(FormatError, match=r"attic\.json, can not be read"):
        sides.plan()


def test_a_link_that_leads_out_is_neither_sent_nor_written_through(sides: Sides, tmp_path: Path) -> None:
    secret = put(tmp_path, "secret", "s")
    (sides.root / "out").mkdir()
    (sides.root / "out/link").symlink_to(secret)
    assert sides.sync() == {}
    put(sides.there, "out/link", "theirs")
    with pytest.raises(FormatError, match=r"leaves .* through a symbolic link"):
        sides.sync()
    assert secret.read_text() == "s"


def test_a_volume_that_names_a_path_outside_is_refused(sides: Sides) -> None:
    class Hostile(FolderVolume):
        def list(self, prefix: str = "") -> object:  # type: ignore[override]
            return iter([FileStat("out/../../evil", 1, 0.0)])

    with pytest.raises(VolumeError, match=r"names a file 'out/../../evil', which leads out of every folder"):
        sides.with_volume(Hostile).sync()


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["here", "there", "remove here", "remove there", "sync"]), st.sampled_from("ab")),
    max_size=12,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(operations=OPERATIONS)
def test_whatever_happens_no_content_is_lost(
    tmp_path_factory: pytest.TempPathFactory, operations: list[tuple[str, str]]
) -> None:
    """Every write has a content of its own; each stays on some side until a newer one was made from it."""
    top = tmp_path_factory.mktemp("sides")
    root, there = top / "workspace", top / "attic"
    root.mkdir()
    there.mkdir()
    sides = Sides(root, FolderVolume("attic", FolderOptions(path="../attic"), root), there)
    agreed: dict[str, str] = {}
    for number, (operation, name) in enumerate([*operations, ("sync", "a")]):
        path = f"out/{name}"
        match operation:
            case "here":
                put(root, path, f"{number:03}")
            case "there":
                put(there, path, f"{number:03}")
            case "remove here":
                (root / path).unlink(missing_ok=True)
            case "remove there":
                (there / path).unlink(missing_ok=True)
            case _:
                before = [sides.here(), sides.over_there()]
                try:
                    sides.sync()
                except SyncConflict:
                    assert [sides.here(), sides.over_there()] == before
                    continue
                after = [sides.here(), sides.over_there()]
                for side in before:
                    for found, content in side.items():
                        assert content == agreed.get(found) or content in {now.get(found) for now in after}
                agreed = {
                    found: content
                    for found, content in {**agreed, **after[0]}.items()
                    if found in {**after[0], **after[1]}
                }
