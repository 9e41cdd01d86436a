"""The picture that is kept of a volume far away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tsws.plugin import FileStat
from tsws.resources.shadow import refresh
from tsws_folder import FolderVolume

CHECKPOINT = ".tsws/runs/baby/0123456789ab/checkpoints/1000"


class BusyVolume(FolderVolume):
    """A worker removes an old checkpoint as soon as somebody has listed it."""

    def list(self, prefix: str = "") -> Iterator[FileStat]:
        yield from super().list(prefix)
        (self.base / "there" / CHECKPOINT / "state.json").unlink(missing_ok=True)


def test_what_is_removed_between_two_looks_is_not_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "there" / CHECKPOINT
    folder.mkdir(parents=True)
    (folder / "state.json").write_text('{"step": 1000}')
    (folder / "model.safetensors").write_bytes(b"weights")
    volume = BusyVolume("there", FolderVolume.Options(path="there"), tmp_path)  # type: ignore[call-arg]
    found = refresh(volume, tmp_path / "shadow")
    assert [stat.path for stat in found] == [f"{CHECKPOINT}/model.safetensors"]
    assert [path.name for path in (tmp_path / "shadow" / CHECKPOINT).iterdir()] == ["model.safetensors"]
