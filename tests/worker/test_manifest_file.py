"""The manifest of a volume grows by what its jobs want, and nothing of a person's is lost."""

from __future__ import annotations

import threading
import tomllib
from pathlib import Path
from typing import Any

from tsws.worker.manifest_file import HEADER, keep_manifest

ONE = {"workspace": {"name": "here"}, "run": {"one": {"max_iters": 1}}}
TWO = {"workspace": {"name": "here"}, "run": {"two": {"max_iters": 2}}, "model": {"m": {"dim": 8}}}


def known(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "tinystories.toml").read_text())


def set_aside(root: Path) -> list[str]:
    return [path.read_text() for path in (root / ".tsws" / "replaced").rglob("*") if path.is_file()]


def test_jobs_add_to_each_other_and_replace_their_own(tmp_path: Path) -> None:
    keep_manifest(tmp_path, ONE)
    keep_manifest(tmp_path, TWO)
    keep_manifest(tmp_path, {"run": {"one": {"max_iters": 9, "seed": 3}}})
    assert known(tmp_path) == {
        "workspace": {"name": "here"},
        "run": {"one": {"max_iters": 9, "seed": 3}, "two": {"max_iters": 2}},
        "model": {"m": {"dim": 8}},
    }
    assert (tmp_path / "tinystories.toml").read_text().startswith(HEADER)
    assert set_aside(tmp_path) == []


def test_what_is_there_already_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "tinystories.toml").write_text(
        "# Mine.\n[run.one]\nmax_iters = 1\nseed = 5\n[workspace]\nname = 'here'\n"
    )
    before = (tmp_path / "tinystories.toml").read_bytes()
    keep_manifest(tmp_path, {"workspace": {"name": "here"}})
    assert (tmp_path / "tinystories.toml").read_bytes() == before


def test_a_persons_manifest_is_kept_aside_with_its_comments(tmp_path: Path) -> None:
    text = "# Mine.\n[run.mine]\nmax_iters = 7\n"
    (tmp_path / "tinystories.toml").write_text(text)
    keep_manifest(tmp_path, ONE)
    assert known(tmp_path) == {**ONE, "run": {"mine": {"max_iters": 7}, "one": {"max_iters": 1}}}
    assert set_aside(tmp_path) == [text]


def test_a_broken_manifest_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "tinystories.toml").write_text("[run.mine\nmax_iters = 7\n")
    keep_manifest(tmp_path, ONE)
    assert known(tmp_path) == ONE
    assert set_aside(tmp_path) == ["[run.mine\nmax_iters = 7\n"]


def test_workers_that_begin_together_lose_nothing(tmp_path: Path) -> None:
    names = [f"run{number}" for number in range(8)]
    threads = [threading.Thread(target=keep_manifest, args=(tmp_path, {"run": {name: {}}})) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(known(tmp_path)["run"]) == names
