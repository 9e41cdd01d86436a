"""``tsws sync`` and ``tsws doctor`` with a volume on Modal: the real command line in a process of its own, against the plane."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.modal_plane.blobs import Blobs
from tests.modal_plane.plane import Plane
from tests.modal_plane.stored_volumes import StoredVolume, Volumes

MODEL = random.Random(1).randbytes(20 << 20)
Tsws = Callable[..., tuple[int, str, str]]


@pytest.fixture
def version() -> int:
    """Of the volume."""
    return 2


@pytest.fixture
def root(version: int, tmp_path: Path) -> Path:
    """A workspace that has nothing but a volume."""
    root = tmp_path / "workspace"
    root.mkdir()
    name = f"box-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]}"
    (root / "tinystories.toml").write_text(
        f'[volume.box]\nkind = "modal"\nname = "{name}"\nversion = {version}\nsync = ["out/*.bin"]\n'
    )
    return root


@pytest.fixture
def tsws(plane: Plane, root: Path) -> Tsws:
    """Calls tsws in the workspace: its status, its output, its errors."""

    def call(*arguments: str, at: Path = root, **changes: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "tsws", *arguments],
            cwd=at,
            env={**os.environ, **plane.environment, **changes},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout, done.stderr

    return call


def stored(plane: Plane, root: Path) -> StoredVolume:
    name = (root / "tinystories.toml").read_text().split('name = "')[1].split('"')[0]
    found = plane.state.part(Volumes).named(name)
    assert found is not None
    return found


def other(root: Path) -> Path:
    """The same workspace on another machine."""
    there = root.with_name("elsewhere")
    there.mkdir()
    (there / "tinystories.toml").write_text((root / "tinystories.toml").read_text())
    return there


@pytest.mark.parametrize("version", [1, 2])
def test_a_model_goes_up_and_comes_down_elsewhere(tsws: Tsws, plane: Plane, root: Path) -> None:
    (root / "out").mkdir()
    (root / "out" / "model.bin").write_bytes(MODEL)
    (root / "out" / "model.bin").chmod(0o644)
    status, out, err = tsws("sync", "--push", "out/model.bin")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[:2] == ["volume box", "  ->  out/model.bin  21 MB  new here"]
    assert lines[-1] == "Brought 1 file into step, 21 MB."
    volumes = plane.state.part(Volumes)
    assert volumes.read(stored(plane, root), "out/model.bin") == MODEL
    there = other(root)
    assert tsws("sync", "--pull", "out/model.bin", at=there)[0] == 0
    assert (there / "out" / "model.bin").read_bytes() == MODEL
    before = plane.state.part(Blobs).down.bytes
    assert tsws("sync", at=there)[:2] == (0, "Nothing to do: everything is in step.\n")
    assert plane.state.part(Blobs).down.bytes - before in {0, len(MODEL), 2 * len(MODEL)}, (
        "read once for each look at most, while its time proves nothing"
    )


def test_a_plain_sync_goes_both_ways_and_conflicts_are_named(tsws: Tsws, plane: Plane, root: Path) -> None:
    there = other(root)
    for place, text in ((root, "here"), (there, "there")):
        (place / "out").mkdir()
        (place / "out" / f"{text}.bin").write_text(text)
        assert tsws("sync", at=place)[0] == 0
    assert tsws("sync")[0] == 0
    assert (root / "out" / "there.bin").read_text() == "there"
    (root / "out" / "there.bin").write_text("changed here")
    (there / "out" / "there.bin").write_text("changed there, too")
    assert tsws("sync", at=there)[0] == 0
    status, _, err = tsws("sync")
    assert status == 1
    assert "1 file conflicts with volume box; nothing was written:" in err
    assert tsws("sync", "--pull", "out/there.bin", "--force")[0] == 0
    assert (root / "out" / "there.bin").read_text() == "changed there, too"


def test_what_is_not_there_to_pull_is_named(tsws: Tsws, root: Path) -> None:
    assert tsws("sync", "--pull", "out/model.bin") == (
        1,
        "",
        "error: volume box has no file 'out/model.bin'\nhint: look at the names there, and correct this one\n",
    )


def test_without_a_token_it_says_what_to_do(tsws: Tsws, root: Path) -> None:
    assert tsws("sync", MODAL_TOKEN_ID="", MODAL_TOKEN_SECRET="") == (
        1,
        "",
        "error: volume box: there is no Modal token on this machine\n"
        "hint: run `modal token new`, or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET\n",
    )


def test_doctor_looks_at_the_volume(tsws: Tsws, root: Path) -> None:
    assert tsws("doctor")[1].splitlines()[-1] == "ok    volume box: can be reached, and is empty"


def test_plan_needs_neither_token_nor_network(tsws: Tsws, root: Path) -> None:
    nowhere = {"MODAL_TOKEN_ID": "", "MODAL_TOKEN_SECRET": "", "MODAL_SERVER_URL": "http://127.0.0.1:9"}
    expected = "  ~ volume.box  looked at when it is applied\n\nPlan: 1 to bring into step.\n"
    assert tsws("plan", **nowhere) == (0, expected, "")
