"""Files that come to be whole or not at all, and reach the disk before they take their names."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from tsws.io.atomic import atomic_writer, publish, write_bytes

FULL_SYNC = 51
"""The number of ``F_FULLFSYNC`` on macOS."""


class Disk:
    """Hears what is asked of it, in order: ``full`` and ``plain`` syncs, and renames."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: int | None) -> None:
        self.heard: list[str] = []
        self._answer = answer
        sync, replace = os.fsync, os.replace
        monkeypatch.setattr(fcntl, "F_FULLFSYNC", FULL_SYNC, raising=False)
        monkeypatch.setattr(fcntl, "fcntl", self._control)
        monkeypatch.setattr(os, "fsync", lambda descriptor: self._note("plain", sync(descriptor)))
        monkeypatch.setattr(os, "replace", lambda *paths: self._note("rename", replace(*paths)))

    def _note(self, word: str, result: None) -> None:
        self.heard.append(word)

    def _control(self, descriptor: int, command: int) -> int:
        assert command == FULL_SYNC
        os.fstat(descriptor)  # it is open
        self.heard.append("full")
        if self._answer is not None:
            raise OSError(self._answer, os.strerror(self._answer))
        return 0


def test_a_file_stands_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_bytes(path, b"one")
    with pytest.raises(ValueError, match="half way"), atomic_writer(path) as file:
        file.write(b"tw")
        raise ValueError("half way")
    assert path.read_bytes() == b"one"
    assert list(path.parent.iterdir()) == [path]


def test_a_private_file_is_private_before_it_holds_anything(tmp_path: Path) -> None:
    with atomic_writer(tmp_path / "secret", mode=0o600) as file:
        assert os.fstat(file.fileno()).st_mode & 0o777 == 0o600
        file.write(b"hush")
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_disk_that_can_is_asked_to_write_what_it_was_handed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, None)
    write_bytes(tmp_path / "a", b"a")
    assert disk.heard == ["full", "rename", "full"]  # the file, its name, the folder
    publish(tmp_path / "a", tmp_path / "b")
    assert disk.heard == ["full", "rename", "full"] * 2
    assert (tmp_path / "b").read_bytes() == b"a"


@pytest.mark.parametrize("answer", [errno.ENOTSUP, errno.EINVAL, errno.ENOTTY])
def test_a_disk_that_does_not_know_it_is_synced_as_ever(
    answer: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch, answer)
    write_bytes(tmp_path / "a", b"a")
    assert disk.heard == ["full", "plain", "rename", "full", "plain"]


def test_a_disk_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Disk(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        write_bytes(tmp_path / "a", b"a")
    assert list(tmp_path.iterdir()) == []
