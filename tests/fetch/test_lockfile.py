"""The lock file: sorted, merged safely, and clear about nonsense."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsws.errors import FormatError
from tsws.fetch import LockFile, Pin
from tsws.fetch.lockfile import add, merge

DIGEST = "ab" * 32


def pin(uri: str, *, size: int = 3, version: str | None = None) -> Pin:
    return Pin(uri=uri, url=f"https://example.org/{uri}", size=size, sha256=DIGEST, version=version)


def test_no_file_has_no_pins(tmp_path: Path) -> None:
    assert LockFile.load(tmp_path / "tinystories.lock") == LockFile({})


def test_the_file_is_sorted_and_for_people(tmp_path: Path) -> None:
    path = tmp_path / "tinystories.lock"
    add(path, pin("hf://b", version='"tag"'))
    add(path, pin("hf://a", size=0))
    assert (
        path.read_text(encoding="utf-8")
        == f"""\
# What the sources in tinystories.toml were when they were fetched. Written by tsws; commit this file.

schema = 1

[[source]]
uri = "hf://a"
url = "https://example.org/hf://a"
size = 0
sha256 = "{DIGEST}"

[[source]]
uri = "hf://b"
url = "https://example.org/hf://b"
size = 3
sha256 = "{DIGEST}"
version = "\\"tag\\""
"""
    )
    assert LockFile.load(path).pin_for("hf://b") == pin("hf://b", version='"tag"')
    assert LockFile.load(path).pin_for("hf://c") is None
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".tsws", "tinystories.lock"]


def test_a_new_pin_takes_the_place_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "tinystories.lock"
    merge(path, [pin("a"), pin("b")])
    merge(path, [pin("b", size=9), pin("c")])
    assert LockFile.load(path) == LockFile({"a": pin("a"), "b": pin("b", size=9), "c": pin("c")})


def test_nothing_new_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "tinystories.lock"
    add(path, pin("a"))
    before = path.stat()
    add(path, pin("a"))
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_threads_lose_no_pin(tmp_path: Path) -> None:
    path = tmp_path / "tinystories.lock"
    threads = [threading.Thread(target=add, args=(path, pin(f"uri{index}"))) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(LockFile.load(path).pins) == [f"uri{index}" for index in range(8)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=30)
@given(st.lists(st.builds(pin, st.text(min_size=1), size=st.integers(0, 2**62), version=st.none() | st.text())))
def test_whatever_is_written_is_read(tmp_path: Path, pins: list[Pin]) -> None:
    path = tmp_path / "tinystories.lock"
    path.unlink(missing_ok=True)
    merge(path, pins)
    assert LockFile.load(path).pins == {each.uri: each for each in pins}


SOURCE = f"""\
schema = 1

[[source]]
uri = "a"
url = "https://example.org/a"
size = 3
sha256 = "{DIGEST}"
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<<<<<<< HEAD\nschema = 1\n", "1: not TOML: Invalid statement (at line 1, column 1)"),
        (SOURCE + "\n[[source]\n", "9: not TOML: "),
        ("", "1: Object missing required field `schema`"),
        ("schema = 2\n", "written by a newer tsws (schema 2, this one knows 1)"),
        (SOURCE.replace("size = 3", 'size = "3"'), "6: Expected `int`, got `str` - at `$.source[0].size`"),
        (SOURCE.replace("size = 3", "size = -3"), "6: Expected `int` >= 0 - at `$.source[0].size`"),
        (SOURCE.replace(DIGEST, "x"), "7: Expected `str` matching regex '^[0-9a-f]{64}$' - at `$.source[0].sha256`"),
        (SOURCE.replace('uri = "a"\n', ""), "3: Object missing required field `uri` - at `$.source[0]`"),
        (SOURCE + SOURCE.partition("1\n")[2], "9: 'a' is pinned twice"),
        ("schema = 1\nsource = [{}]\n", "1: Object missing required field `uri` - at `$.source[0]`"),
        (SOURCE + "colour = 1\n", "3: Object contains unknown field `colour` - at `$.source[0]`"),
    ],
)
def test_nonsense_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "tinystories.lock"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError) as caught:
        LockFile.load(path)
    assert caught.value.message.startswith(str(path))
    assert message in caught.value.message
    assert caught.value.hint
    with pytest.raises(FormatError):
        add(path, pin("b"))
    assert path.read_text(encoding="utf-8") == text


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tinystories.lock"
    path.write_bytes(b"\xff")
    with pytest.raises(FormatError, match="is not UTF-8"):
        LockFile.load(path)
