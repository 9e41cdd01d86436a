"""Moving files: resumed, verified, and never over a change that the plan did not see."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tsws.errors import InterruptedByUser, SyncConflict, VerifyError, VolumeError
from tsws.io.digest import sha256_file
from tsws.plugin import FileStat
from tsws_folder import FolderVolume

from .conftest import Sides, put

LARGE = 20 << 20
"""Bytes: more than two marks of a partial download, and more than one chunk of everything."""


def put_large(folder: Path, path: str) -> str:
    """Write a file of ``LARGE`` bytes that holds no two equal pieces; its digest."""
    target = put(folder, path, "")
    with open(target, "wb") as file:
        for number in range(LARGE >> 10):
            file.write(f"{number:1024}".encode())
    return sha256_file(target)


class Watched(FolderVolume):
    """Remembers where reading began, and can break or meddle on the way."""

    offsets: list[int]
    breaks_after: int | None
    on_chunk: Callable[[], object] | None

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.offsets = []
        self.breaks_after = None
        self.on_chunk = None

    def read(self, path: str, offset: int = 0) -> Iterator[bytes]:
        self.offsets.append(offset)
        done = 0
        for chunk in super().read(path, offset):
            if self.breaks_after is not None and done >= self.breaks_after:
                raise VolumeError("the line broke")
            yield chunk
            done += len(chunk)
            if self.on_chunk is not None:
                self.on_chunk()

    def write(self, path: str, chunks: Iterable[bytes]) -> FileStat:
        def watched() -> Iterator[bytes]:
            for chunk in chunks:
                yield chunk
                if self.on_chunk is not None:
                    self.on_chunk()

        return super().write(path, watched())


@pytest.fixture
def watched(sides: Sides) -> tuple[Sides, Watched]:
    seen = sides.with_volume(Watched)
    assert isinstance(seen.volume, Watched)
    return seen, seen.volume


def test_a_broken_download_goes_on_where_it_broke(watched: tuple[Sides, Watched]) -> None:
    sides, volume = watched
    digest = put_large(sides.there, "out/large")
    volume.breaks_after = 12 << 20
    with pytest.raises(VolumeError, match="the line broke"):
        sides.sync()
    assert sides.here() == {}
    volume.breaks_after = None
    assert sides.sync() == {"out/large": "pull"}
    assert volume.offsets == [0, 12 << 20]
    assert sha256_file(sides.root / "out/large") == digest
    assert list((sides.root / ".tsws/tmp").iterdir()) == []


def test_a_download_starts_again_when_the_file_changed_in_between(watched: tuple[Sides, Watched]) -> None:
    sides, volume = watched
    put_large(sides.there, "out/large")
    volume.breaks_after = 12 << 20
    with pytest.raises(VolumeError):
        sides.sync()
    put(sides.there, "out/large", "small now")
    volume.breaks_after = None
    assert sides.sync() == {"out/large": "pull"}
    assert volume.offsets == [0, 0]
    assert sides.here() == {"out/large": "small now"}


KILLED = """
import os, signal, sys
from pathlib import Path
from tsws.sync import Base, plan_sync, run_sync
from tsws_folder import FolderOptions, FolderVolume

root = Path(sys.argv[1])
volume = FolderVolume("attic", FolderOptions(path="../attic"), root)
base_path = root / ".tsws" / "sync" / "attic.json"

def die_half_way(path, done, total):
    if done > total / 2:
        os.kill(os.getpid(), signal.SIGKILL)

plan = plan_sync(root, volume, Base.load(base_path), patterns=["out"])
run_sync(plan, root, volume, base_path=base_path, progress=die_half_way, stop=lambda: False)
"""


def test_a_killed_pull_continues_and_leaves_nothing_partial(watched: tuple[Sides, Watched]) -> None:
    sides, volume = watched
    digest = put_large(sides.there, "out/large")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(sides.root)], check=False)
    assert killed.returncode == -9
    assert sides.here() == {}
    assert sides.sync() == {"out/large": "pull"}
    assert volume.offsets == [8 << 20]
    assert sha256_file(sides.root / "out/large") == digest


def test_a_killed_push_leaves_nothing_partial(sides: Sides) -> None:
    digest = put_large(sides.root, "out/large")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(sides.root)], check=False)
    assert killed.returncode == -9
    assert list(sides.volume.list()) == []
    assert sides.sync() == {"out/large": "push"}
    assert sha256_file(sides.there / "out/large") == digest


def test_an_edit_here_during_a_pull_is_kept(watched: tuple[Sides, Watched]) -> None:
    sides, volume = watched
    put(sides.root, "out/a", "1")
    put(sides.root, "out/b", "1")
    sides.sync()
    put(sides.there, "out/a", "2")
    put(sides.there, "out/b", "2")
    plan = sides.plan()
    volume.on_chunk = lambda: put(sides.root, "out/a", "mine")
    with pytest.raises(SyncConflict) as caught:
        sides.run(plan)
    assert caught.value.message == (
        "while syncing with volume attic these files changed, and were left as they are:\n"
        "  out/a: changed here since it was looked at"
    )
    assert sides.here() == {"out/a": "mine", "out/b": "2"}
    volume.on_chunk = None
    assert [step.path for step in sides.plan().conflicts] == ["out/a"]


def test_an_edit_there_during_a_push_is_kept(watched: tuple[Sides, Watched]) -> None:
    sides, volume = watched
    put(sides.root, "out/a", "mine")
    volume.on_chunk = lambda: put(sides.there, "out/a", "theirs")
    with pytest.raises(SyncConflict, match="out/a: changed on the volume since it was looked at"):
        sides.sync()
    assert (sides.here(), sides.over_there()) == ({"out/a": "mine"}, {"out/a": "theirs"})


def test_a_file_that_changes_while_it_is_pushed_is_not_published(watched: tuple[Sides, Watched]) -> None:
    sides, _ = watched
    put_large(sides.root, "out/large")

    def overwrite_the_end(path: str, done: float, total: float | None) -> None:
        if done == 1 << 20:
            with open(sides.root / "out/large", "r+b") as file:
                file.seek(-1, os.SEEK_END)
                file.write(b"!")

    with pytest.raises(SyncConflict, match="out/large: changed here while it was pushed"):
        sides.run(sides.plan(), progress=overwrite_the_end)
    assert sides.over_there() == {}


def test_two_syncs_with_the_same_plan_agree(sides: Sides) -> None:
    put(sides.root, "out/a", "1")
    put(sides.there, "out/b", "1")
    first, second = sides.plan(), sides.plan()
    sides.run(first)
    sides.run(second)
    assert sides.here() == sides.over_there() == {"out/a": "1", "out/b": "1"}
    assert sides.sync() == {}


class Promising(FolderVolume):
    """Says a digest that its bytes do not have."""

    def stat(self, path: str) -> FileStat | None:
        found = super().stat(path)
        return found and FileStat(found.path, found.size, found.mtime, "0" * 64)

    def list(self, prefix: str = "") -> Iterator[FileStat]:
        return (FileStat(found.path, found.size, found.mtime, "0" * 64) for found in super().list(prefix))


def test_other_bytes_than_promised_are_not_published(sides: Sides) -> None:
    put(sides.there, "out/a", "1")
    with pytest.raises(
        VerifyError, match=r"^out/a arrived from volume attic with other bytes than the volume promised$"
    ):
        sides.with_volume(Promising).sync()
    assert sides.here() == {}
    assert list((sides.root / ".tsws/tmp").iterdir()) == []


class Short(FolderVolume):
    """Ends every file early, without an error."""

    def read(self, path: str, offset: int = 0) -> Iterator[bytes]:
        return (chunk[:2] for chunk in super().read(path, offset))


def test_a_file_that_ends_early_is_not_published(sides: Sides) -> None:
    put(sides.there, "out/a", "12345")
    with pytest.raises(VolumeError, match=r"^volume attic ended out/a after 2 of 5 bytes$"):
        sides.with_volume(Short).sync()
    assert sides.here() == {}
    assert sides.sync() == {"out/a": "pull"}
    assert sides.here() == {"out/a": "12345"}


def test_one_failure_does_not_keep_the_others_back(sides: Sides) -> None:
    put(sides.there, "out/a/b", "1")
    put(sides.there, "out/c", "1")
    plan = sides.plan()
    put(sides.root, "out/a", "a file where a folder has to be")
    with pytest.raises(VolumeError, match=r"^out/a/b can not be brought into step with volume attic: "):
        sides.run(plan)
    assert sides.here() == {"out/a": "a file where a folder has to be", "out/c": "1"}


def test_stopping_keeps_what_is_done(sides: Sides) -> None:
    digest = put_large(sides.there, "out/large")
    stop = threading.Event()
    with pytest.raises(InterruptedByUser):
        sides.run(sides.plan(), progress=lambda path, done, total: stop.set(), stop=stop.is_set)
    assert sides.here() == {}
    assert sides.sync() == {"out/large": "pull"}
    assert sha256_file(sides.root / "out/large") == digest


def test_progress_counts_the_bytes_of_each_file(sides: Sides) -> None:
    put_large(sides.root, "out/large")
    put(sides.there, "out/small", "1234")
    put(sides.there, "out/empty", "")
    told: dict[str, list[tuple[float, float | None]]] = {}
    sides.run(sides.plan(), progress=lambda path, done, total: told.setdefault(path, []).append((done, total)))
    assert told["out/large"] == [(done << 20, LARGE) for done in range((LARGE >> 20) + 1)]
    assert told["out/small"] == [(0, 4), (4, 4)]
    assert told["out/empty"] == [(0, 0)]


@pytest.mark.parametrize("side", ["root", "there"])
def test_a_large_file_takes_little_memory(sides: Sides, side: str) -> None:
    put_large(getattr(sides, side), "out/large")
    tracemalloc.start()
    try:
        sides.sync()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < LARGE / 2


def test_an_executable_that_is_replaced_stays_one(sides: Sides) -> None:
    put(sides.root, "out/run", "1").chmod(0o755)
    sides.sync()
    put(sides.there, "out/run", "2")
    assert sides.sync() == {"out/run": "pull"}
    assert (sides.root / "out/run").stat().st_mode & 0o777 == 0o755
