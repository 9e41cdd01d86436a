"""Digests of a person's files: found by path or glob, cached only when the cache can not lie."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tsws.io.digest import sha256_bytes
from tsws.reconcile.sources import SourceDigests, expand

OLD_NS = 1_600_000_000_000_000_000


@pytest.fixture
def digests(tmp_path: Path) -> SourceDigests:
    return SourceDigests(tmp_path, tmp_path / ".tsws" / "sources.json")


def test_paths_and_globs_are_found_and_what_is_missing_is_named(tmp_path: Path, digests: SourceDigests) -> None:
    for name in ("b.txt", "stories/one.txt", "stories/two.txt", "stories/three.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    found, missing = digests.digests(["b.txt", "stories/*.txt", "none.txt", "none/*", "stories"])
    assert found == {name: sha256_bytes(name.encode()) for name in ("b.txt", "stories/one.txt", "stories/two.txt")}
    assert missing == ("none.txt", "none/*", "stories")


def test_what_tsws_keeps_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / ".tsws" / "replaced").mkdir(parents=True)
    (tmp_path / ".tsws" / "replaced" / "a.txt").write_text("old")
    assert expand(tmp_path, "**/*.txt") == (tmp_path / "a.txt",)


def test_sources_may_lie_outside_the_workspace(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.txt").write_text("t")
    digests = SourceDigests(root, root / "cache")
    expected = sha256_bytes(b"t")
    outside = tmp_path / "data"
    assert digests.digests(["../data/train.txt"]) == ({"../data/train.txt": expected}, ())
    assert digests.digests(["../data/*.txt"]) == ({"../data/train.txt": expected}, ())
    assert digests.digests([f"{outside}/train.txt"]) == ({f"{outside}/train.txt": expected}, ())
    assert digests.digests([f"{outside}/*.txt"]) == ({f"{outside}/train.txt": expected}, ())


def test_edit_to_the_same_size_within_a_tick_is_noticed(tmp_path: Path, digests: SourceDigests) -> None:
    path = tmp_path / "a.txt"
    now = time.time_ns()
    path.write_text("one")
    os.utime(path, ns=(now, now))
    before, _ = digests.digests(["a.txt"])
    path.write_text("two")
    os.utime(path, ns=(now, now))
    after, _ = digests.digests(["a.txt"])
    assert (before["a.txt"], after["a.txt"]) == (sha256_bytes(b"one"), sha256_bytes(b"two"))


def test_old_file_is_read_once_also_by_the_next_process(tmp_path: Path, digests: SourceDigests) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one")
    os.utime(path, ns=(OLD_NS, OLD_NS))
    digests.digests(["a.txt"])
    digests.save()
    path.write_text("two")
    os.utime(path, ns=(OLD_NS, OLD_NS))  # nobody could tell, so this shows that it is not read again
    again = SourceDigests(tmp_path, tmp_path / ".tsws" / "sources.json")
    assert again.digests(["a.txt"])[0] == {"a.txt": sha256_bytes(b"one")}
    os.utime(path, ns=(OLD_NS + 1, OLD_NS + 1))
    assert again.digests(["a.txt"])[0] == {"a.txt": sha256_bytes(b"two")}


@pytest.mark.parametrize("damage", [b"", b"{", b'{"a.txt": 3}', b"\xff\x00"])
def test_damaged_cache_costs_only_time(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "cache").write_bytes(damage)
    digests = SourceDigests(tmp_path, tmp_path / "cache")
    assert digests.digests(["a.txt"])[0] == {"a.txt": sha256_bytes(b"one")}
