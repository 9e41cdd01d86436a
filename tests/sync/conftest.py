"""A workspace and a folder volume beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tsws.plugin import Volume
from tsws.sync import Base, SyncPlan, SyncReport, plan_sync, run_sync
from tsws_folder import FolderOptions, FolderVolume


def silent(path: str, done: float, total: float | None) -> None:
    """A progress callback that does not listen."""


@dataclass
class Sides:
    """Both sides of a sync, and the sync between them."""

    root: Path
    volume: Volume
    there: Path
    """Where the volume's files lie."""

    @property
    def base_path(self) -> Path:
        return self.root / ".tsws" / "sync" / "attic.json"

    def plan(self, patterns: Sequence[str] = ("out",), **choices: Any) -> SyncPlan:
        return plan_sync(self.root, self.volume, Base.load(self.base_path), patterns=patterns, **choices)

    def run(self, plan: SyncPlan, **choices: Any) -> SyncReport:
        settings: dict[str, Any] = {"progress": silent, "stop": lambda: False, **choices}
        return run_sync(plan, self.root, self.volume, base_path=self.base_path, **settings)

    def sync(self, patterns: Sequence[str] = ("out",), **choices: Any) -> dict[str, str]:
        """Plan and run; the changes that were made, by path."""
        return {step.path: step.change.value for step in self.run(self.plan(patterns, **choices)).done}

    def here(self) -> dict[str, str]:
        """The workspace's own files and what is in them."""
        return {path: text for path, text in contents(self.root).items() if not path.startswith(".tsws/")}

    def over_there(self) -> dict[str, str]:
        """The volume's files and what is in them."""
        return contents(self.there)

    def with_volume(self, kind: type[FolderVolume]) -> Sides:
        """The same sides, seen through another kind of volume."""
        return Sides(self.root, kind("attic", FolderOptions(path="../attic"), self.root), self.there)


def contents(folder: Path) -> dict[str, str]:
    """Every file under a folder and what is in it."""
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def put(folder: Path, path: str, text: str) -> Path:
    """Write a small file."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return target


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    root, there = tmp_path / "workspace", tmp_path / "attic"
    root.mkdir()
    return Sides(root, FolderVolume("attic", FolderOptions(path="../attic"), root), there)
