"""Following a growing file of lines."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsws.io import follow
from tsws.io.follow import follow_lines


def writing(path: Path, parts: list[bytes]) -> Callable[[], bool]:
    """An ``ended`` that appends one part each time it is asked, and says yes when there is none left."""
    left = iter(parts)

    def ended() -> bool:
        part = next(left, None)
        if part is None:
            return True
        with path.open("ab") as file:
            file.write(part)
        return False

    return ended


def test_complete_lines_come_once_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    ended = writing(path, [b"one\ntw", b"o\nthree\n", b"", b"four\n"])
    assert list(follow_lines(path, 0, ended=ended, interval=0)) == [b"one", b"two", b"three", b"four"]


def test_lines_seen_before_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"one\ntwo\n")
    ended = writing(path, [b"three\n", b"four\n"])
    assert list(follow_lines(path, 3, ended=ended, interval=0)) == [b"four"]


def test_a_torn_last_line_is_not_delivered(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"whole": 1}\n{"tor')
    assert list(follow_lines(path, 0, ended=lambda: True)) == [b'{"whole": 1}']


def test_a_file_that_never_comes_is_empty(tmp_path: Path) -> None:
    assert list(follow_lines(tmp_path / "absent", 0, ended=lambda: True)) == []


def test_what_was_written_just_before_the_end_is_delivered(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"

    def ended() -> bool:
        path.write_bytes(b"last words\n")
        return True

    assert list(follow_lines(path, 0, ended=ended)) == [b"last words"]


def test_it_sleeps_only_when_nothing_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeps: list[float] = []
    monkeypatch.setattr(follow.time, "sleep", sleeps.append)
    path = tmp_path / "events.jsonl"
    assert list(follow_lines(path, 0, ended=writing(path, [b"a\n", b"", b"b\n"]), interval=7)) == [b"a", b"b"]
    assert sleeps == [7]


@given(
    lines=st.lists(st.binary(max_size=6).map(lambda line: line.replace(b"\n", b"")), max_size=8),
    tail=st.binary(max_size=3).map(lambda line: line.replace(b"\n", b"")),
    cuts=st.lists(st.integers(0, 60), max_size=6),
    after=st.integers(0, 10),
)
def test_however_the_file_grows_the_lines_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], tail: bytes, cuts: list[int], after: int
) -> None:
    content = b"".join(line + b"\n" for line in lines) + tail
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    parts = [content[start:end] for start, end in itertools.pairwise(edges)]
    path = tmp_path_factory.mktemp("follow") / "lines"
    assert list(follow_lines(path, after, ended=writing(path, parts), interval=0)) == lines[after:]
