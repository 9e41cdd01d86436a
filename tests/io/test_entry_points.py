"""Reading entry points gives what the standard library finds, without its cost."""

from __future__ import annotations

import importlib.metadata
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.io.entry_points import EntryPoint, installed, parse


@pytest.mark.parametrize("group", ["tsws", "console_scripts", "pytest11", "there-is-no-such-group"])
def test_finds_what_the_library_finds(group: str) -> None:
    theirs = {
        (point.name, point.value, point.dist.name, point.dist.version)
        for point in importlib.metadata.entry_points(group=group)
        if point.dist is not None
    }
    ours = {(point.name, point.value, point.package, point.version) for point in installed(group)}
    assert ours == theirs


def test_package_and_version_come_from_the_head_of_the_metadata(tmp_path: Path) -> None:
    metadata = tmp_path / "tsws_hello-1.2.3.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tsws-hello\nVersion: 1.2.3\n\nVersion: 9\n")
    (metadata / "entry_points.txt").write_text("[tsws]\nhello = tsws_hello\n")
    assert installed("tsws", [str(tmp_path)]) == (EntryPoint("hello", "tsws_hello", "tsws-hello", "1.2.3"),)


def test_first_package_of_a_name_counts(tmp_path: Path) -> None:
    for folder, version in (("one", "1.0"), ("two", "2.0")):
        metadata = tmp_path / folder / f"Hello_There-{version}.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Name: Hello.There\nVersion: {version}\n")
        (metadata / "entry_points.txt").write_text("[tsws]\nhello = hello\n")
    path = [str(tmp_path / "two"), str(tmp_path / "one")]
    assert [point.version for point in installed("tsws", path)] == ["2.0"]


def test_broken_metadata_and_places_that_are_not_there_are_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "broken-1.dist-info"
    broken.mkdir()
    (broken / "entry_points.txt").write_bytes(b"[tsws]\nx = \xff\n")
    bare = tmp_path / "bare-1.dist-info"
    bare.mkdir()
    (bare / "entry_points.txt").write_text("[tsws]\nbare = bare\n")
    assert installed("tsws", [str(tmp_path / "none"), str(tmp_path)]) == (EntryPoint("bare", "bare", "?", "?"),)


def test_packages_in_an_archive_are_found(tmp_path: Path) -> None:
    archive = tmp_path / "packages.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("zipped-1.0.dist-info/METADATA", "Name: zipped\nVersion: 1.0\n")
        writer.writestr("zipped-1.0.dist-info/entry_points.txt", "[tsws]\nzipped = zipped\n")
    assert installed("tsws", [str(archive)]) == (EntryPoint("zipped", "zipped", "zipped", "1.0"),)


def test_entry_point_loads_a_module_or_something_in_it() -> None:
    assert EntryPoint("a", "os.path").load() is sys.modules["os.path"]
    assert EntryPoint("a", "pathlib:Path.cwd").load() == Path.cwd


NAMES = st.text("abcdefghijklmnopqrstuvwxyz-_.0123456789", min_size=1)
VALUES = st.from_regex(r"[a-z_]{1,8}(\.[a-z_]{1,8})?(:[a-z_]{1,8})?", fullmatch=True)


@given(
    st.dictionaries(st.sampled_from(["tsws", "console_scripts", "other.group"]), st.dictionaries(NAMES, VALUES)),
    st.sampled_from(["", " ", "  "]),
    st.sampled_from(["", "\n", "# a remark\n", "  # another\n\n"]),
)
def test_reads_the_format_as_the_library_does(groups: dict[str, dict[str, str]], space: str, between: str) -> None:
    text = between
    for group, points in groups.items():
        text += f"[{group}]\n" + "".join(f"{name}{space}={space}{value}\n{between}" for name, value in points.items())
    with tempfile.TemporaryDirectory() as folder:
        metadata = Path(folder) / "some-1.dist-info"
        metadata.mkdir()
        (metadata / "entry_points.txt").write_text(text)
        (package,) = importlib.metadata.distributions(path=[folder])
        theirs = [(point.name, point.value) for point in package.entry_points if point.group == "tsws"]
    assert list(parse(text, "tsws")) == theirs
