"""The volumes of the plane, as the genuine client and containers see them."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from grpclib.exceptions import GRPCError

from tests.modal_plane.blobs import Blobs
from tests.modal_plane.environments import Environments
from tests.modal_plane.plane import Plane
from tests.modal_plane.state import State
from tests.modal_plane.stored_volumes import OPEN_FILES, StoredVolume, Volumes
from tests.modal_plane.trees import File, Tree, clean

if TYPE_CHECKING:
    import modal

BIG = random.Random(7).randbytes(20 << 20) + bytes(5 << 20) + b"end" + bytes(100)
"""More than one block, with zeros at the end of some."""
VERSIONS = pytest.mark.parametrize("version", [1, 2])


@pytest.fixture(scope="module")
def talking_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """One plane that the client of this process talks to."""
    import modal

    with pytest.MonkeyPatch.context() as patch, Plane(tmp_path_factory.mktemp("plane")) as plane:
        for name, value in plane.environment.items():
            patch.setenv(name, value)
        yield plane
        modal.Client.from_env().close()


@pytest.fixture
def volume(talking_plane: Plane, version: int) -> Iterator[modal.Volume]:
    """A new volume of a version."""
    import modal

    yield modal.Volume.from_name("stories", version=version, create_if_missing=True)
    modal.Volume.objects.delete("stories")


def put(volume: modal.Volume, *, force: bool = False, **files: bytes) -> None:
    with volume.batch_upload(force=force) as batch:
        for name, data in files.items():
            batch.put_file(io.BytesIO(data), f"/{name.replace('__', '/')}")


def read(volume: modal.Volume, path: str) -> bytes:
    return b"".join(volume.read_file(path))


def listed(volume: modal.Volume, path: str = "/") -> list[tuple[str, str, int]]:
    return [(entry.path, entry.type.name, entry.size) for entry in volume.listdir(path, recursive=True)]


@VERSIONS
def test_what_goes_up_comes_down(volume: modal.Volume) -> None:
    put(volume, a__big=BIG, small=b"hi", empty=b"")
    assert listed(volume) == [
        ("a", "DIRECTORY", 0),
        ("a/big", "FILE", len(BIG)),
        ("empty", "FILE", 0),
        ("small", "FILE", 2),
    ]
    assert listed(volume, "small") == [("small", "FILE", 2)]
    assert [read(volume, path) for path in ("a/big", "small", "empty")] == [BIG, b"hi", b""]


@VERSIONS
def test_nothing_is_sent_twice(talking_plane: Plane, volume: modal.Volume) -> None:
    data = random.Random(str(volume.name) + str(talking_plane.url)).randbytes(20 << 20)
    blobs = talking_plane.state.part(Blobs)
    put(volume, one=data)
    sent = blobs.up.bytes
    put(volume, two=data)
    assert blobs.up.bytes == sent


@VERSIONS
def test_nothing_is_replaced_without_force(volume: modal.Volume) -> None:
    put(volume, a=b"old", b=b"other")
    with pytest.raises(FileExistsError):
        put(volume, new=b"x", a=b"new")
    assert [path for path, *_ in listed(volume)] == ["a", "b"], "all or none"
    put(volume, force=True, a=b"new")
    assert read(volume, "a") == b"new"


@VERSIONS
def test_files_are_copied_and_removed(volume: modal.Volume) -> None:
    put(volume, a=b"x", folder__b=b"y")
    volume.copy_files(["a"], "folder")
    volume.copy_files(["a"], "c")
    assert [path for path, *_ in listed(volume)] == ["a", "c", "folder", "folder/a", "folder/b"]
    volume.remove_file("a")
    volume.remove_file("folder", recursive=True)
    assert [path for path, *_ in listed(volume)] == ["c"]


@VERSIONS
def test_what_is_not_there_is_not_found(volume: modal.Volume) -> None:
    from modal.exception import NotFoundError

    with pytest.raises(FileNotFoundError):
        read(volume, "a")
    with pytest.raises(FileNotFoundError):
        volume.remove_file("a")
    with pytest.raises(NotFoundError):
        volume.listdir("a")


@VERSIONS
def test_a_reader_keeps_its_version(volume: modal.Volume) -> None:
    put(volume, a=BIG)
    reading = volume.read_file("a")
    first = next(reading)
    put(volume, force=True, a=b"new")
    assert first + b"".join(reading) == BIG


def test_volumes_have_names_in_environments(talking_plane: Plane) -> None:
    import modal
    from modal.exception import AlreadyExistsError, InvalidError, NotFoundError

    talking_plane.state.part(Environments).create("dev")
    modal.Volume.objects.create("one", version=1)
    modal.Volume.objects.create("two", version=2)
    modal.Volume.objects.create("one", environment_name="dev")
    assert [volume.name for volume in modal.Volume.objects.list()] == ["two", "one"]
    assert [volume.name for volume in modal.Volume.objects.list(environment_name="dev")] == ["one"]
    with pytest.raises(AlreadyExistsError):
        modal.Volume.objects.create("one")
    with pytest.raises(NotFoundError, match="Volume 'three' not found in environment 'main'"):
        modal.Volume.from_name("three").hydrate()
    with pytest.raises(NotFoundError, match="Environment 'prod' not found"):
        modal.Volume.from_name("one", environment_name="prod").hydrate()
    with pytest.raises(InvalidError, match="exists but has version v1, not v2"):
        modal.Volume.from_name("one", version=2).hydrate()
    modal.Volume.rename("one", "three")
    modal.Volume.objects.delete("two")
    assert [volume.name for volume in modal.Volume.objects.list()] == ["three"]
    modal.Volume.objects.delete("three")


def test_only_containers_commit(talking_plane: Plane) -> None:
    import modal

    with modal.Volume.ephemeral() as volume, pytest.raises(RuntimeError, match="inside of containers only"):
        volume.commit()


# --- views, without a client ---


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    return State(tmp_path / "plane").part(Volumes)


Both = tuple[StoredVolume, Path, Path]


@pytest.fixture(params=[1, 2])
def both(request: pytest.FixtureRequest, volumes: Volumes) -> Both:
    """A volume with some files, and the views of two containers, ``one`` and ``two``."""
    volume = volumes.create("stories", "main", request.param)
    seed = volumes.open_view("seed", volume.id, read_only=False)
    (seed / "out").mkdir()
    (seed / "out" / "big").write_bytes(BIG)
    (seed / "a").write_text("a")
    assert volumes.commit("seed", volume.id)
    volumes.close_view("seed", volume.id)
    return volume, *(volumes.open_view(name, volume.id, read_only=False) for name in ("one", "two"))


def test_a_view_shows_the_files(both: Both, volumes: Volumes) -> None:
    volume, one, two = both
    for view in (one, two):
        assert (view / "out" / "big").read_bytes() == BIG
        assert (view / "a").read_text() == "a"
    assert volumes.read(volume, "out/big") == BIG


def test_changes_are_private_until_committed_and_seen_after_a_reload(both: Both, volumes: Volumes) -> None:
    volume, one, two = both
    (one / "new").write_text("new")
    (one / "a").unlink()
    (one / "empty").mkdir()
    assert volume.tree.get("new") is None
    assert volumes.commit("one", volume.id)
    assert volumes.read(volume, "new") == b"new"
    assert not (two / "new").exists(), "stale until reloaded"
    volumes.reload("two", volume.id)
    assert sorted(path.name for path in two.iterdir()) == ["empty", "new", "out"]
    assert (two / "out" / "big").read_bytes() == BIG


def test_the_last_writer_wins_file_by_file(both: Both, volumes: Volumes) -> None:
    volume, one, two = both
    (one / "a").write_text("one")
    (one / "mine").write_text("one")
    (two / "a").write_text("two")
    assert volumes.commit("one", volume.id)
    assert not volumes.commit("two", volume.id), "it does not know of `mine`"
    assert (volumes.read(volume, "a"), volumes.read(volume, "mine")) == (b"two", b"one")


def test_what_was_not_committed_is_lost_with_the_container(both: Both, volumes: Volumes) -> None:
    volume, one, _ = both
    (one / "a").write_text("lost")
    volumes.close_view("one", volume.id)
    assert volumes.read(volume, "a") == b"a"
    with pytest.raises(GRPCError):
        volumes.commit("one", volume.id)


def test_a_reload_with_open_files_fails(both: Both, volumes: Volumes) -> None:
    volume, one, two = both
    (two / "new").write_text("new")
    volumes.commit("two", volume.id)
    with (one / "a").open(), pytest.raises(GRPCError, match=OPEN_FILES):
        volumes.reload("one", volume.id)
    volumes.reload("one", volume.id)
    assert (one / "new").read_text() == "new"


def test_a_full_volume_takes_nothing_of_a_commit(both: Both, volumes: Volumes) -> None:
    volume, one, _ = both
    volume.capacity = volume.tree.bytes + 10
    (one / "small").write_text("small")
    (one / "large").write_text("x" * 100)
    with pytest.raises(GRPCError, match="is full"):
        volumes.commit("one", volume.id)
    assert volume.tree.get("small") is None
    (one / "large").unlink()
    assert volumes.commit("one", volume.id)


def test_a_read_only_view_is_not_committed(both: Both, volumes: Volumes) -> None:
    volume, *_ = both
    view = volumes.open_view("three", volume.id, read_only=True)
    (view / "a").write_text("changed")
    with pytest.raises(GRPCError, match="read-only"):
        volumes.commit("three", volume.id)


# --- trees ---


@pytest.mark.parametrize(("path", "expected"), [("/", ""), ("", ""), ("/a//b/./c", "a/b/c"), ("a/", "a")])
def test_paths_have_one_form(path: str, expected: str) -> None:
    assert clean(path) == expected


@pytest.mark.parametrize("call", [lambda: clean("../a"), lambda: clean("a/../../b")])
def test_paths_do_not_lead_out(call: Callable[[], str]) -> None:
    with pytest.raises(GRPCError, match="leads out"):
        call()


def test_a_file_and_a_folder_do_not_replace_each_other() -> None:
    tree = Tree()
    file = File(1, ("x",), 0.0)
    tree.put("a/b", file)
    with pytest.raises(GRPCError, match="'a' is a directory"):
        tree.put("a", file)
    with pytest.raises(GRPCError, match="'a/b' is not a directory"):
        tree.put("a/b/c", file)
