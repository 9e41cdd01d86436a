"""Paths from data stay inside."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.errors import FormatError
from tsws.io.paths import inside, is_relative_inside


@pytest.mark.parametrize(
    "relative", ["a", "a/b.txt", "./a", "a/./b", "a//b", "..a/b..", "ä ö", "ab:c", ".", "tok105/data*.bin"]
)
def test_ordinary_paths_stay_as_they_are(tmp_path: Path, relative: str) -> None:
    assert is_relative_inside(relative)
    assert inside(tmp_path, relative) == tmp_path / relative


@pytest.mark.parametrize(
    ("relative", "fault"),
    [
        ("", "is empty"),
        ("/etc/passwd", "is absolute"),
        ("..", "climbs out"),
        ("a/../b", "climbs out"),
        ("a/..", "climbs out"),
        ("C:/x", "names a drive"),
        ("c:x", "names a drive"),
        ("a\\..\\b", "contains a backslash"),
        ("a\0b", "contains a NUL"),
    ],
)
def test_paths_that_lead_elsewhere_are_refused_by_name(tmp_path: Path, relative: str, fault: str) -> None:
    assert not is_relative_inside(relative)
    with pytest.raises(FormatError) as caught:
        inside(tmp_path, relative)
    assert caught.value.message.startswith(f"the path {relative!r} {fault}")
    assert str(tmp_path) in (caught.value.hint or "")


def test_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "exit").symlink_to(tmp_path)
    with pytest.raises(FormatError, match="through a symbolic link"):
        inside(root, "exit/file")


def test_a_link_within_the_root_is_kept_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to("real")
    assert inside(tmp_path, "alias/file") == tmp_path / "alias/file"


def test_a_root_that_is_a_link_itself_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to("real")
    assert inside(tmp_path / "alias", "file") == tmp_path / "alias/file"


def test_a_circle_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(FormatError, match="can not be followed"):
        inside(tmp_path, "a/file")


@given(st.text(alphabet="a./\\:C\0", max_size=12))
def test_whatever_is_accepted_normalises_to_a_place_inside(relative: str) -> None:
    if is_relative_inside(relative):
        depth = 0
        for part in relative.split("/"):
            depth += {"": 0, ".": 0, "..": -1}.get(part, 1)
            assert depth >= 0
        assert not Path(relative).is_absolute()
