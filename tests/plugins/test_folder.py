"""The folder volume passes the suite that strangers' volumes pass, and keeps its own promises."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tsws.errors import VolumeError
from tsws.io.atomic import TEMPORARY_SUFFIX
from tsws.testing import VolumeConformance
from tsws_folder import FolderOptions, FolderVolume


@pytest.fixture
def volume(tmp_path: Path) -> FolderVolume:
    return FolderVolume("attic", FolderOptions(path="attic"), tmp_path)


class TestFolder(VolumeConformance):
    @pytest.fixture
    def volume(self, tmp_path: Path) -> FolderVolume:
        return FolderVolume("attic", FolderOptions(path="attic"), tmp_path)


class TestFolderOfHome(VolumeConformance):
    @pytest.fixture
    def volume(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderVolume:
        monkeypatch.setenv("HOME", str(tmp_path))
        return FolderVolume("attic", FolderOptions(path="~/attic"), tmp_path / "workspace")


def test_the_folder_is_made_by_the_first_write(volume: FolderVolume, tmp_path: Path) -> None:
    assert volume.local_path() == tmp_path / "attic"
    assert list(volume.list()) == []
    volume.remove("a")
    assert not (tmp_path / "attic").exists()
    volume.write("a", [b"x"])
    assert (tmp_path / "attic" / "a").read_bytes() == b"x"


def test_an_absolute_path_stands_for_itself(tmp_path: Path) -> None:
    volume = FolderVolume("attic", FolderOptions(path=str(tmp_path / "attic")), tmp_path / "workspace")
    assert volume.local_path() == tmp_path / "attic"


def test_a_folder_around_it_that_is_missing_is_named(tmp_path: Path) -> None:
    volume = FolderVolume("attic", FolderOptions(path="disk/attic"), tmp_path)
    message = re.escape(f"volume attic can not be reached: there is no folder {tmp_path / 'disk'}")
    for use in (
        lambda: list(volume.list()),
        lambda: volume.stat("a"),
        lambda: list(volume.read("a")),
        lambda: volume.write("a", [b"x"]),
        lambda: volume.remove("a"),
    ):
        with pytest.raises(VolumeError, match=f"^{message}$"):
            use()
    assert not (tmp_path / "disk").exists()


def test_a_file_in_its_place_is_named(volume: FolderVolume, tmp_path: Path) -> None:
    (tmp_path / "attic").write_text("a file")
    for use in (lambda: list(volume.list()), lambda: volume.stat("a"), lambda: volume.write("a", [b"x"])):
        with pytest.raises(VolumeError, match=r"^volume attic can not be reached: .*attic is a file$"):
            use()


def test_what_the_system_refuses_is_said_with_its_reason(volume: FolderVolume) -> None:
    volume.write("a", [b"x"])
    with pytest.raises(VolumeError, match=r"^volume attic: can not write a/b: (Not a directory|File exists)$"):
        volume.write("a/b", [b"x"])
    volume.write("c/d", [b"x"])
    with pytest.raises(VolumeError, match=r"^volume attic: can not write c: Is a directory$"):
        volume.write("c", [b"x"])
    assert [found.path for found in volume.list()] == ["a", "c/d"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_without_permission_is_named(volume: FolderVolume, tmp_path: Path) -> None:
    (tmp_path / "attic").mkdir(mode=0o500)
    with pytest.raises(VolumeError, match=r"^volume attic: can not write a: Permission denied$"):
        volume.write("a", [b"x"])


def test_what_a_kill_left_half_written_is_not_listed(volume: FolderVolume, tmp_path: Path) -> None:
    volume.write("a", [b"x"])
    left_over = f".a.01234567{TEMPORARY_SUFFIX}"
    (tmp_path / "attic" / left_over).write_text("half")
    assert [found.path for found in volume.list()] == ["a"]
    with pytest.raises(VolumeError, match=r"can not be the name of a file$") as caught:
        volume.stat(left_over)
    assert caught.value.hint == f"name a file below the volume's folder, not one that ends with {TEMPORARY_SUFFIX}"


def test_links_are_followed_only_inside(volume: FolderVolume, tmp_path: Path) -> None:
    volume.write("a", [b"inside"])
    (tmp_path / "secret").write_text("outside")
    (tmp_path / "attic/out").symlink_to(tmp_path / "secret")
    (tmp_path / "attic/up").symlink_to(tmp_path)
    (tmp_path / "attic/b").symlink_to("a")
    assert [(found.path, found.size) for found in volume.list()] == [("a", 6), ("b", 6)]
    for path in ("out", "up/secret"):
        with pytest.raises(VolumeError, match="through a symbolic link"):
            list(volume.read(path))
        with pytest.raises(VolumeError, match="through a symbolic link"):
            volume.write(path, [b"evil"])
    assert (tmp_path / "secret").read_text() == "outside"


def test_pipes_and_names_that_are_no_text_are_left_out(volume: FolderVolume, tmp_path: Path) -> None:
    volume.write("a", [b"x"])
    os.mkfifo(tmp_path / "attic" / "pipe")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/attic/\xff")).write_text("x")
    assert [found.path for found in volume.list()] == ["a"]
